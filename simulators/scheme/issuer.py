"""The issuer's eye: is the cryptogram of a delivered transaction right, and does the issuer want to pay?"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from simulators.cards import ber
from simulators.scheme import application_data
from simulators.scheme.application_data import CryptogramKind
from simulators.scheme.cryptograms import cryptogram, scheme_of, scheme_of_number

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
    "5413330089020011",
    "5204740000001002",
    "374245455400126",
    "3566002020360505",
    "6011000991543426",
    "6250947000000014",
)
"""Published test numbers; all of them pass the Luhn check and none belongs to anyone."""

DECLINED_BY_ISSUER = frozenset({"4000000000000002"})
"""Numbers whose issuer answers no although the cryptogram is right."""


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
        pan, sequence_number = card_number(values)
        expected = cryptogram(pan, sequence_number, values)
    except ValueError as error:
        return Verdict(False, False, f"can't be checked: {error}")
    counter = int.from_bytes(values["9F36"], "big")
    if scheme_of(pan, values) != scheme_of_number(pan):
        return Verdict(False, False, "the application is of another scheme than the number", counter)
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


def card_number(values: Mapping[str, bytes]) -> tuple[str, str]:
    """Return number and sequence number from 57 or 5A, and 5F34. ValueError if there is no number."""
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
    kind = application_data.read(values["9F10"]).kind
    told = values.get("9F27")
    return None if kind is None or (told and told[0] & 0xC0 != kind.value) else kind
