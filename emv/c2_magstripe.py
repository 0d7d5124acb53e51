"""Magstripe mode of kernel 2: tracks with digits of a checksum, a random number and a counter in them.

The card computes a checksum (CVC3) of its track and a number of up to eight digits. The terminal writes
digits of checksum, number and counter into the track's discretionary data where the card's bitmaps say,
bit 1 for the last digit, and the track goes to the issuer as if it had been swiped.

It protects little: the number is short and the amount is not in it. Hence the switch that is off. The
book makes a terminal wait longer after each failure; there is no clock here, so that is left out.

Spec: EMV Contactless Book C-2, 3.3, 5.2, 6.7 (S7.20 to S78.22), 6.13 and 6.14 (S13, S14).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emv import c2_dol
from emv.c2_error import L2
from emv.c2_options import C2Options
from emv.card_data import CardData
from emv.formats import encode_n
from emv.sensitive import SensitiveBytes, Track2
from emv.tags import Tag

TRACK_1_RECORD = bytes.fromhex("08010100")
"""How the file locator of a card with both modes begins: the record of this one."""
PHONE_INFORMATION = 0xDF4B
DISCRETIONARY_1, DISCRETIONARY_2 = 0xDF812A, 0xDF812B
"""DD Card (Track1) and (Track2): what stood there before."""

_MANDATORY = (Tag.PCVC3_TRACK_2, Tag.TTQ, Tag.NATC_TRACK_2, Tag.TRACK_2_MAGSTRIPE)
"""Tag 9F66 of a card is PUNATC (Track2)."""
_PIN_VERIFIED = 0x001000
_AHEAD = 7
"""Expiry and service code, before the discretionary data."""


class InconsistentError(Exception):
    """The card's data does not fit together; carries the error and its words."""

    def __init__(self, l2: L2, reason: str) -> None:
        super().__init__(reason)
        self.l2 = l2
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Places:
    """Where digits go in a track's discretionary data, as bit numbers, 0 for the last digit.

    Args:
        code: For the checksum.
        number: For the unpredictable number.
        counter: For the transaction counter.
    """

    code: tuple[int, ...]
    number: tuple[int, ...]
    counter: tuple[int, ...]

    @classmethod
    def decode(cls, pcvc3: bytes, punatc: bytes, natc: bytes) -> Places:
        """Return the places in the card's bitmaps; of the second the counter has the leftmost bits."""
        bits, count = _bits(punatc), natc[0] if natc else 0
        if count > len(bits) or len(bits) - count > 8:
            raise InconsistentError(L2.CARD_DATA, "the card's bitmaps do not fit together")
        return cls(_bits(pcvc3), bits[: len(bits) - count], bits[len(bits) - count :])

    def fill(self, discretionary: str, code: int, number: int, counter: int, last: int) -> str:
        """Return the discretionary data with the digits in it. Spec: S13.18 to S13.22."""
        digits = list(discretionary)
        for places, value in ((self.code, code), (self.number, number), (self.counter, counter)):
            for place in places:
                value, digit = divmod(value, 10)
                digits[-1 - place] = str(digit)
        digits[-1] = str(last)
        return "".join(digits)

    def fits(self, discretionary: str) -> bool:
        """Say whether all places are inside."""
        return max((-1, *self.code, *self.number, *self.counter)) < len(discretionary)


def _bits(value: bytes) -> tuple[int, ...]:
    number = int.from_bytes(value, "big")
    return tuple(at for at in range(number.bit_length()) if number >> at & 1)


@dataclass(frozen=True, slots=True, repr=False)
class Track:
    """One track, split before its discretionary data. It prints nothing: both parts are card data."""

    ahead: str
    discretionary: str
    places: Places

    def filled(self, code: int, number: int, counter: int, last: int) -> str:
        """Return the whole track with the digits in it."""
        return self.ahead + self.places.fill(self.discretionary, code, number, counter, last)


@dataclass(frozen=True, slots=True)
class Stripe:
    """Both tracks of a card; not every card has the first.

    Args:
        track1: Tag 56.
        track2: Tag 9F6B.
        digits: How many digits the unpredictable number has (nUN).
    """

    track1: Track | None
    track2: Track
    digits: int

    def discretionary(self) -> dict[int, bytes]:
        """Return what stood in the tracks, by tag."""
        found = {DISCRETIONARY_2: _packed(self.track2.discretionary)}
        if self.track1 is not None:
            found[DISCRETIONARY_1] = self.track1.discretionary.encode("latin-1")
        return found


def read(card: CardData) -> Stripe:
    """Return the tracks of a card whose records are read.

    Raises:
        InconsistentError: something is missing, or does not fit together.

    Spec: S7.20 to S7.24.
    """
    if any(not card.get(tag) for tag in _MANDATORY):
        raise InconsistentError(
            L2.CARD_DATA_MISSING, "the card did not give all of track 2 for magstripe mode"
        )
    places = Places.decode(card[Tag.PCVC3_TRACK_2], card[Tag.TTQ][:2], card[Tag.NATC_TRACK_2])
    ahead, discretionary = _split_track_2(card[Tag.TRACK_2_MAGSTRIPE])
    track2, track1 = Track(ahead, discretionary, places), _track_1(card)
    tracks = (track2,) if track1 is None else (track2, track1)
    numbers = {len(track.places.number) for track in tracks}
    if len(numbers) > 1 or any(not t.discretionary or not t.places.fits(t.discretionary) for t in tracks):
        raise InconsistentError(L2.CARD_DATA, "the card's tracks do not fit their bitmaps")
    return Stripe(track1, track2, numbers.pop())


def _split_track_2(value: bytes) -> tuple[str, str]:
    Track2(value)
    digits = value.hex().upper().removesuffix("F")
    start = digits.index("D") + 1 + _AHEAD
    return digits[:start], digits[start:]


def _track_1(card: CardData) -> Track | None:
    value = card.get(Tag.TRACK_1)
    if not value:
        return None
    tags = (Tag.PCVC3_TRACK_1, Tag.PUNATC_TRACK_1, Tag.NATC_TRACK_1)
    if any(not card.get(tag) for tag in tags):
        raise InconsistentError(L2.CARD_DATA, "the card did not give all of track 1")
    text = value.decode("latin-1")
    parts = text.split("^")
    if len(parts) != 3 or len(parts[2]) < _AHEAD:
        raise InconsistentError(L2.CARD_DATA, "the card's track 1 has not its separators")
    places = Places.decode(*(card[tag] for tag in tags))
    start = len(text) - len(parts[2]) + _AHEAD
    return Track(text[:start], text[start:], places)


def unpredictable_number(random: bytes, digits: int) -> bytes:
    """Return tag 9F6A: so many random digits, right justified in eight. Spec: S78.15."""
    return encode_n(int.from_bytes(random, "big") % 10**digits, 4)


def udol_data(card: CardData, terminal: Mapping[int, bytes], options: C2Options) -> bytes:
    """Return what COMPUTE CRYPTOGRAPHIC CHECKSUM is sent with. Spec: S78.17."""
    udol = card.get(Tag.CARD_AUTHENTICATION_DATA)
    return c2_dol.related_data(options.magstripe_udol if udol is None else udol, card, terminal)


def pin_verified(card: CardData) -> bool:
    """Say whether a phone says that it verified its owner (DF4B)."""
    return bool(int.from_bytes(card.get(PHONE_INFORMATION) or b"", "big") & _PIN_VERIFIED)


def filled(stripe: Stripe, card: CardData, number: bytes) -> dict[int, SensitiveBytes]:
    """Return the tracks with the digits of this payment in them, by tag.

    The last digit says how many digits the number has, and five more if the phone verified its owner.

    Spec: S13.14, S13.18 to S13.22.
    """
    counter, value = int.from_bytes(card[Tag.ATC], "big"), int(number.hex())
    last = (stripe.digits + (5 if pin_verified(card) else 0)) % 10
    code2 = int.from_bytes(card[Tag.CVC3_TRACK_2], "big")
    digits = stripe.track2.filled(code2, value, counter, last)
    found = {int(Tag.TRACK_2_MAGSTRIPE): SensitiveBytes(_packed(digits))}
    if stripe.track1 is not None:
        code1 = int.from_bytes(card[Tag.CVC3_TRACK_1], "big")
        text = stripe.track1.filled(code1, value, counter, last)
        found[int(Tag.TRACK_1)] = SensitiveBytes(text.encode("latin-1"))
    return found


def _packed(digits: str) -> bytes:
    """Return the digits of a track 2, as `Track2` has checked them, with F where half a byte is left."""
    return bytes.fromhex(digits + "F" * (len(digits) % 2))


def check_answer(stripe: Stripe, card: CardData, *, on_device: bool) -> L2:
    """Return what is missing in the card's answer, `L2.OK` if nothing is.

    A phone may leave out the checksum and say by its information (DF4B) what it waits for.

    Spec: S13.14 to S13.16, S14.14 to S14.17.
    """
    phone = bool(card.get(PHONE_INFORMATION))
    code = bool(card.get(Tag.CVC3_TRACK_2))
    enough = bool(card.get(Tag.ATC)) and (phone if on_device else code or phone)
    track1 = not code or stripe.track1 is None or bool(card.get(Tag.CVC3_TRACK_1))
    return L2.OK if enough and track1 else L2.CARD_DATA_MISSING
