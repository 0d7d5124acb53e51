"""Application cryptograms and the issuer's answers to them, by scheme and cryptogram version.

A version says which key computes, which data goes in and how that is padded:

==========  =======  ====================================================================
scheme      version  remarks
==========  =======  ====================================================================
Visa        0A       10: card key; of 9F10 the CVR goes in
Visa        11       17: card key; 9F02 9F37 9F36 and the CVR's second byte
Visa        12, 22   18 and 22: common session key; all of 9F10 goes in
Mastercard  10, 11   16 and 17: M/Chip key with the unpredictable number; 17 adds the counters
Mastercard  14, 15   20 and 21: the same with the common session key
UnionPay    01       assumed: PBOC session key; the CVR goes in
Amex        01       assumed: as Visa's 10, as public traces of cards look
JCB         01       assumed: as Visa's 10
Discover    05       assumed: as Visa's 10
==========  =======  ====================================================================

Spec: EMV 4.4 Book 2, 8.1 and 8.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulators.scheme import application_data
from simulators.scheme.application_data import ApplicationData
from simulators.scheme.pyemv_ciphers import ac
from simulators.scheme.session_keys import SessionKey, card_key, session_key

ISSUER_MASTER_KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
"""Issuer master key for application cryptograms: a made-up key that looks like one."""

INPUT = ("9F02", "9F03", "9F1A", "95", "5F2A", "9A", "9C", "9F37", "82", "9F36")
"""What goes into most cryptograms, in order, before the part of 9F10."""
_COUNTERS = slice(10, 18)
"""The counters in M/Chip's 9F10."""

_RIDS = {
    "A000000003": "visa",
    "A000000004": "mastercard",
    "A000000025": "amex",
    "A000000065": "jcb",
    "A000000152": "discover",
    "A000000333": "unionpay",
}
_FIRST_DIGITS = {
    "4": "visa",
    "5": "mastercard",
    "2": "mastercard",
    "37": "amex",
    "35": "jcb",
    "62": "unionpay",
}


@dataclass(frozen=True, slots=True)
class _Version:
    key: SessionKey
    padding: ac.PaddingType
    takes: str = "CVR"
    """What of 9F10 goes in: "CVR", "all", or "CVR and counters"; "short" is a list of its own."""
    card_status_update: bool = False
    """The issuer answers by method 2."""


_OLD = _Version(SessionKey.NONE, ac.PaddingType.VISA)
_VERSIONS = {
    ("visa", 0x0A): _OLD,
    ("visa", 0x11): _Version(SessionKey.NONE, ac.PaddingType.VISA, "short"),
    ("visa", 0x12): _Version(SessionKey.COMMON, ac.PaddingType.EMV, "all", True),
    ("visa", 0x22): _Version(SessionKey.COMMON, ac.PaddingType.EMV, "all", True),
    ("mastercard", 0x10): _Version(SessionKey.MCHIP, ac.PaddingType.EMV),
    ("mastercard", 0x11): _Version(SessionKey.MCHIP, ac.PaddingType.EMV, "CVR and counters"),
    ("mastercard", 0x14): _Version(SessionKey.COMMON, ac.PaddingType.EMV),
    ("mastercard", 0x15): _Version(SessionKey.COMMON, ac.PaddingType.EMV, "CVR and counters"),
    ("unionpay", 0x01): _Version(SessionKey.PBOC, ac.PaddingType.EMV),
    ("amex", 0x01): _OLD,
    ("jcb", 0x01): _OLD,
    ("discover", 0x05): _OLD,
}


def scheme_of(pan: str, values: Mapping[str, bytes]) -> str:
    """Return whose rules a cryptogram follows: by its application name (84, 9F06), else by the number."""
    name = values.get("84") or values.get("9F06") or b""
    found = _RIDS.get(name[:5].hex().upper())
    return found or scheme_of_number(pan)


def scheme_of_number(pan: str) -> str:
    """Return the scheme whose test numbers begin like this one. Simplified: real ranges are finer."""
    return _FIRST_DIGITS.get(pan[:2]) or _FIRST_DIGITS.get(pan[:1]) or "discover"


def input_data(scheme: str, values: Mapping[str, bytes]) -> bytes:
    """Return what goes into a cryptogram, before padding. ValueError if a value is missing."""
    iad = values.get("9F10", b"")
    told = application_data.read(iad)
    takes = _version(scheme, told).takes
    try:
        if takes == "short":
            return values["9F02"] + values["9F37"] + values["9F36"] + told.results[1:2]
        data = b"".join(values[tag] for tag in INPUT)
    except KeyError as error:
        raise ValueError(f"{error.args[0]} is missing") from error
    if takes == "all":
        return data + iad
    return data + told.results + (iad[_COUNTERS] if takes == "CVR and counters" else b"")


def cryptogram(
    pan: str, sequence_number: str, values: Mapping[str, bytes], scheme: str | None = None
) -> bytes:
    """Return the 8-byte application cryptogram (tag 9F26) of a transaction.

    Args:
        pan: The card number, digits only.
        sequence_number: The PAN sequence number, two digits.
        values: By tag: 9F02 9F03 9F1A 95 5F2A 9A 9C 9F37 82 9F36 9F10. What the card's list did
            not ask for counts as zeroes of its length, as on the card.
        scheme: Whose rules count, if the application's name and the number don't say it.

    Raises ValueError if the version in 9F10 is none of ours, or a value is missing.
    """
    scheme = scheme or scheme_of(pan, values)
    data = input_data(scheme, values)
    version = _version(scheme, application_data.read(values["9F10"]))
    return ac.generate_ac(_key(version, pan, sequence_number, values), data, version.padding, 8)


def issuer_authentication_data(
    pan: str,
    sequence_number: str,
    values: Mapping[str, bytes],
    response: bytes,
    scheme: str | None = None,
) -> bytes:
    """Return tag 91: the issuer's answer to the cryptogram in `values` (9F26).

    `response` is the response code of two bytes, for method 1, or a card status update of four, for
    method 2. Mastercard's older versions answer with the card's key.

    Spec: EMV 4.4 Book 2, 8.2.1 and 8.2.2.
    """
    scheme = scheme or scheme_of(pan, values)
    version = _version(scheme, application_data.read(values["9F10"]))
    key = _key(version, pan, sequence_number, values)
    if version.key is SessionKey.MCHIP:
        key = card_key(ISSUER_MASTER_KEY, pan, sequence_number)
    if len(response) == 4:
        return ac.generate_arpc_2(key, values["9F26"], response) + response
    return ac.generate_arpc_1(key, values["9F26"], response) + response


def issuer_response(
    pan: str, values: Mapping[str, bytes], *, code: str, approved: bool, scheme: str | None = None
) -> bytes:
    """Return what the issuer's answer says: a response code, or a card status update for Visa's 18 and 22.

    Byte 2 bit 8 of a card status update: the issuer approves. Spec: EMV 4.4 Book 3, Annex C10.
    """
    version = _version(scheme or scheme_of(pan, values), application_data.read(values["9F10"]))
    if version.card_status_update:
        return bytes.fromhex("00800000" if approved else "00000000")
    return code.encode()


def _version(scheme: str, told: ApplicationData) -> _Version:
    version = _VERSIONS.get((scheme, told.version))
    if version is None:
        raise ValueError("unknown cryptogram version")
    return version


def _key(version: _Version, pan: str, sequence_number: str, values: Mapping[str, bytes]) -> bytes:
    return session_key(
        card_key(ISSUER_MASTER_KEY, pan, sequence_number),
        version.key,
        counter=values["9F36"],
        unpredictable_number=values["9F37"],
    )
