"""The test scheme: made-up issuer keys, shared by the simulated cards and the simulated host.

Theory of operation: one issuer master key makes every card's key from its number (option A or B),
and the card's key makes the cryptogram of a transaction. The host does the same again from what
the terminal delivered and compares. Nothing here is a secret: all keys are made up, and all card
numbers are the industry's published test numbers.

Cryptogram versions: 10 (0A), 17 (11) and 18 (12), as Visa numbers them; pyemv computes 10 and 18.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from cryptography.hazmat.decrepit.ciphers import algorithms
from pyemv import ac, cvn, kd, mac, tools

from simulators.cards import ber


class _Algorithms:
    """What pyemv 1.5 takes from cryptography, from where cryptography keeps it now.

    It asks the old module for TripleDES and passes keys of 8 and 16 bytes: two warnings a call,
    and an error in a release to come. EMV's double-length keys are K1 K2 K1.
    """

    @staticmethod
    def TripleDES(key: bytes) -> algorithms.TripleDES:
        return algorithms.TripleDES((key * 3)[:24])


for _module in (mac, tools):
    vars(_module)["_algorithms"] = _Algorithms

ISSUER_MASTER_KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
"""Issuer master key for application cryptograms: a made-up key that looks like one."""

TEST_PANS = (
    "4761739001010119",
    "4761739001010010",
    "4012888888881881",
    "4000000000000002",
    "4111111111111111",
    "4242424242424242",
    "4005519200000004",
    "4012000033330026",
    "4009348888881881",
)
"""Published test numbers; all of them pass the Luhn check and none belongs to anyone."""

DECLINED_BY_ISSUER = frozenset({"4000000000000002"})
"""Numbers whose issuer answers no although the cryptogram is right."""

# What versions 10 and 18 take in, beside the CVR or the whole issuer application data.
_CDOL = ("9F02", "9F03", "9F1A", "95", "5F2A", "9A", "9C", "9F37", "82", "9F36")


class CryptogramKind(Enum):
    """What a cryptogram says; the value is the upper half of tag 9F27."""

    AAC = 0x00
    TC = 0x40
    ARQC = 0x80


def card_verification_results(kind: CryptogramKind) -> bytes:
    """Return the CVR of a Visa card that was asked for one cryptogram and gave this one.

    Byte 1 is the length; in byte 2, 10xx means that no second cryptogram was asked for.
    """
    first = {CryptogramKind.AAC: 0x80, CryptogramKind.TC: 0x90, CryptogramKind.ARQC: 0xA0}[kind]
    return bytes([0x03, first, 0x00, 0x00])


def issuer_application_data(version: int, kind: CryptogramKind) -> bytes:
    """Return tag 9F10 in Visa's format 0/1/3: length, key index, cryptogram version, CVR."""
    body = bytes([0x01, version]) + card_verification_results(kind)
    return bytes([len(body)]) + body


def cryptogram(pan: str, sequence_number: str, values: Mapping[str, bytes]) -> bytes:
    """Return the 8-byte application cryptogram (tag 9F26) of a transaction.

    Args:
        pan: The card number, digits only.
        sequence_number: The PAN sequence number, two digits.
        values: By tag: 9F02 9F03 9F1A 95 5F2A 9A 9C 9F37 82 9F36 9F10. What the card's list did
            not ask for counts as zeroes of its length, as on the card.

    Raises ValueError if the version in 9F10 is none of ours, or a value is missing.
    """
    iad = values.get("9F10", b"")
    version = iad[2] if len(iad) >= 7 else None
    try:
        if version == 0x0A:
            return cvn.VisaCVN10(*_KEYS, pan, sequence_number).generate_ac(**_taken(values), cvr=iad[3:7])
        if version == 0x12:
            return cvn.VisaCVN18(*_KEYS, pan, sequence_number).generate_ac(**_taken(values), tag_9f10=iad)
        if version == 0x11:
            key = kd.derive_icc_mk_a(ISSUER_MASTER_KEY, pan, sequence_number)
            data = values["9F02"] + values["9F37"] + values["9F36"] + iad[4:5]
            return ac.generate_ac(key, data, ac.PaddingType.VISA, 8)
    except KeyError as error:
        raise ValueError(f"{error.args[0]} is missing") from error
    raise ValueError("unknown cryptogram version")


def _taken(values: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"tag_{tag.lower()}": values[tag] for tag in _CDOL}


_KEYS = (ISSUER_MASTER_KEY, ISSUER_MASTER_KEY, ISSUER_MASTER_KEY)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the issuer says of a delivered transaction.

    Attributes:
        genuine: The cryptogram is right, and it is a request (ARQC) or an approval (TC).
        approved: Genuine, and the issuer wants to pay.
        reason: Words for a log, without card data.
        counter: The card's transaction counter, to spot a replay; -1 if it can't be read.
    """

    genuine: bool
    approved: bool
    reason: str
    counter: int = -1

    def __bool__(self) -> bool:
        return self.genuine


def verify_arqc(data_record: bytes) -> Verdict:
    """Check the cryptogram of a data record (BER-TLV, templates allowed); true when it is right.

    Nothing is raised: what can't be read is not genuine.
    """
    try:
        values = dict(ber.objects(data_record))
        pan, sequence_number = _number(values)
        expected = cryptogram(pan, sequence_number, values)
    except ValueError as error:
        return Verdict(False, False, f"can't be checked: {error}")
    counter = int.from_bytes(values["9F36"], "big")
    if not hmac.compare_digest(expected, values.get("9F26", b"")):
        return Verdict(False, False, "wrong cryptogram", counter)
    kind = _kind(values)
    if kind is None:
        return Verdict(False, False, "9F27 contradicts 9F10", counter)
    if kind is CryptogramKind.AAC:
        return Verdict(False, False, "the card declined", counter)
    if pan not in TEST_PANS:
        return Verdict(True, False, "no such account", counter)
    if pan in DECLINED_BY_ISSUER:
        return Verdict(True, False, "declined by the issuer", counter)
    return Verdict(True, True, "approved", counter)


def _number(values: Mapping[str, bytes]) -> tuple[str, str]:
    if "57" in values:
        pan = values["57"].hex().upper().partition("D")[0]
    elif "5A" in values:
        pan = values["5A"].hex().upper().rstrip("F")
    else:
        raise ValueError("no card number")
    if not pan.isdecimal():
        raise ValueError("bad card number")
    return pan, values.get("5F34", b"\x00").hex()


def _kind(values: Mapping[str, bytes]) -> CryptogramKind | None:
    """Return what the card verification results say, which the cryptogram covers.

    Tag 9F27 is not covered: where it says something else, somebody changed it, and the answer is None.
    """
    first = {0x00: CryptogramKind.AAC, 0x10: CryptogramKind.TC, 0x20: CryptogramKind.ARQC}
    kind = first.get(values["9F10"][4] & 0x30)
    told = values.get("9F27")
    return None if kind is None or (told and told[0] & 0xC0 != kind.value) else kind
