"""Whose a card number is, by its first digits. This is public knowledge, not a scheme's rule.

The ranges are those that the schemes announce; issuers move between schemes, and cards of two schemes exist.
A number that no range holds belongs to nobody here.

Spec: ISO/IEC 7812-1 (issuer identification numbers); the ranges are the schemes' own.
"""

from __future__ import annotations

from dataclasses import dataclass

from emv.sensitive import Pan


@dataclass(frozen=True, slots=True)
class BinRange:
    """Numbers of one scheme: those that begin with `first` to `last`, both of the same length."""

    first: str
    last: str
    scheme: str

    def __post_init__(self) -> None:
        digits = self.first + self.last
        if len(self.first) != len(self.last) or not digits.isdecimal() or not 1 <= len(self.first) <= 8:
            raise ValueError("a range has two prefixes of the same length, one to eight digits")

    def holds(self, digits: str) -> bool:
        """Say whether a number is in the range."""
        return self.first <= digits[: len(self.first)] <= self.last


VISA, MASTERCARD, MAESTRO, AMEX = "Visa", "Mastercard", "Maestro", "American Express"
JCB, DISCOVER, DINERS, UNIONPAY = "JCB", "Discover", "Diners Club", "UnionPay"

BINS = (
    BinRange("4", "4", VISA),
    BinRange("51", "55", MASTERCARD),
    BinRange("2221", "2720", MASTERCARD),
    BinRange("34", "34", AMEX),
    BinRange("37", "37", AMEX),
    BinRange("3528", "3589", JCB),
    BinRange("300", "305", DINERS),
    BinRange("3095", "3095", DINERS),
    BinRange("36", "36", DINERS),
    BinRange("38", "39", DINERS),
    BinRange("6011", "6011", DISCOVER),
    BinRange("644", "649", DISCOVER),
    BinRange("65", "65", DISCOVER),
    BinRange("62", "62", UNIONPAY),
    BinRange("81", "81", UNIONPAY),
    BinRange("50", "50", MAESTRO),
    BinRange("56", "58", MAESTRO),
    BinRange("60", "61", MAESTRO),
    BinRange("63", "64", MAESTRO),
    BinRange("66", "69", MAESTRO),
)

SCHEMES_OF_RID: dict[bytes, tuple[str, ...]] = {
    bytes.fromhex("A000000003"): (VISA,),
    bytes.fromhex("A000000004"): (MASTERCARD, MAESTRO),
    bytes.fromhex("A000000025"): (AMEX,),
    bytes.fromhex("A000000065"): (JCB,),
    bytes.fromhex("A000000152"): (DISCOVER, DINERS, UNIONPAY, JCB),
    bytes.fromhex("A000000324"): (DISCOVER, DINERS, UNIONPAY, JCB),
    bytes.fromhex("A000000333"): (UNIONPAY,),
}
"""Whose numbers an application's provider has. Discover's network also carries its partners' cards."""


def scheme_of(pan: Pan, bins: tuple[BinRange, ...] = BINS) -> str:
    """Return whose a number is: the scheme of the longest prefix that holds it, or an empty text."""
    digits = pan.reveal()
    found = [one for one in bins if one.holds(digits)]
    return max(found, key=lambda one: len(one.first)).scheme if found else ""
