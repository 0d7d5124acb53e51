"""Terminal risk management: which payments the issuer shall see even if the card would not ask it.

Spec: EMV 4.4 Book 3, 10.6.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from emv.card_data import CardData
from emv.errors import DecodeError
from emv.fields import Tvr
from emv.sensitive import Pan
from emv.tags import Tag


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment of before, as the floor limit check adds them up. The amount is in minor units."""

    pan: Pan
    sequence: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomSelection:
    """How many payments below the floor limit go online by chance. Amounts are in minor units.

    Args:
        target_percent: Of the payments below the threshold, 0 to 99. Zero selects none.
        maximum_percent: Of the payments just below the floor limit, at least `target_percent`.
        threshold_minor: From here on the percentage rises evenly up to the maximum.
    """

    target_percent: int = 0
    maximum_percent: int = 0
    threshold_minor: int = 0


def exception_file(pan: Pan | None, exceptions: Collection[Pan]) -> Tvr:
    """Return the TVR bit of a card number that the terminal was told to refer to the issuer.

    Spec: EMV 4.4 Book 3, 10.6 and 7.5.
    """
    return Tvr.ON_EXCEPTION_FILE if pan is not None and pan in exceptions else Tvr(0)


def floor_limit(
    amount_minor: int,
    limit_minor: int | None,
    *,
    pan: Pan | None = None,
    sequence: str = "",
    payments: Sequence[Payment] = (),
) -> Tvr:
    """Return the TVR bit of an amount that reaches the floor limit, alone or with an earlier payment.

    All amounts are in minor units; an amount equal to the limit exceeds it. Of the earlier payments,
    oldest first, the last one with this card counts: the same number and, if the card has a sequence
    number, the same sequence number.

    Spec: EMV 4.4 Book 3, 10.6.1.
    """
    if limit_minor is None:
        return Tvr(0)
    earlier = next((payment for payment in reversed(payments) if _same_card(payment, pan, sequence)), None)
    total = amount_minor + (earlier.amount_minor if earlier else 0)
    return Tvr.FLOOR_LIMIT_EXCEEDED if total >= limit_minor else Tvr(0)


def _same_card(payment: Payment, pan: Pan | None, sequence: str) -> bool:
    return payment.pan == pan and (not sequence or payment.sequence == sequence)


def random_selection(
    amount_minor: int, limit_minor: int | None, selection: RandomSelection, random_percent: int
) -> Tvr:
    """Return the TVR bit of a payment below the floor limit that chance selects.

    Args:
        amount_minor: Minor units of the transaction's currency.
        limit_minor: The floor limit; None compares with none, and the target stays what it is.
        selection: The percentages.
        random_percent: A random number from 1 to 99.

    Spec: EMV 4.4 Book 3, 10.6.2.
    """
    if limit_minor is not None and amount_minor >= limit_minor:
        return Tvr(0)
    target = selection.target_percent * 1.0
    above = amount_minor - selection.threshold_minor
    if limit_minor is not None and above >= 0 and selection.maximum_percent > selection.target_percent:
        # amount < limit, so threshold <= amount makes this more than zero.
        span = limit_minor - selection.threshold_minor
        target += (selection.maximum_percent - selection.target_percent) * above / span
    return Tvr.RANDOMLY_SELECTED if random_percent <= target else Tvr(0)


def wants_counters(lower: bytes | None, upper: bytes | None) -> bool:
    """Say whether velocity checking is done: the card has both limits (9F14, 9F23).

    Spec: EMV 4.4 Book 3, 10.6.3.
    """
    return lower is not None and upper is not None


def velocity(
    lower: bytes | None, upper: bytes | None, *, atc: bytes | None, last_online_atc: bytes | None
) -> Tvr:
    """Return the TVR bits of the number of offline payments in a row.

    Args:
        lower: The card's Lower Consecutive Offline Limit (9F14), None if it has none.
        upper: The card's Upper Consecutive Offline Limit (9F23).
        atc: The Application Transaction Counter (9F36), None if the card did not give it.
        last_online_atc: The Last Online ATC Register (9F13), None if the card did not give it.

    Without the counters, or if they can't be right, both limits count as exceeded.

    Raises:
        DecodeError: a value is of no possible length.

    Spec: EMV 4.4 Book 3, 10.6.3.
    """
    if lower is None or upper is None:
        return Tvr(0)
    low, high = _number(lower, 1, Tag.LOWER_OFFLINE_LIMIT), _number(upper, 1, Tag.UPPER_OFFLINE_LIMIT)
    now = None if atc is None else _number(atc, 2, Tag.ATC)
    last = None if last_online_atc is None else _number(last_online_atc, 2, Tag.LAST_ONLINE_ATC)
    tvr = Tvr.NEW_CARD if last == 0 else Tvr(0)
    in_a_row = now - last if now is not None and last is not None and now > last else None
    if in_a_row is None or in_a_row > low:
        tvr |= Tvr.LOWER_OFFLINE_LIMIT_EXCEEDED
    if in_a_row is None or in_a_row > high:
        tvr |= Tvr.UPPER_OFFLINE_LIMIT_EXCEEDED
    return tvr


def _number(value: bytes, length: int, tag: Tag) -> int:
    if len(value) != length:
        raise DecodeError(f"{len(value)} bytes where {length} are needed", tag=tag)
    return int.from_bytes(value, "big")


def manage_risk(
    card: CardData,
    *,
    amount_minor: int,
    limit_minor: int | None,
    selection: RandomSelection,
    random_percent: int,
    atc: bytes | None = None,
    last_online_atc: bytes | None = None,
    exceptions: Collection[Pan] = (),
    payments: Sequence[Payment] = (),
) -> Tvr:
    """Return the TVR bits of all checks together.

    Args:
        card: Number (5A), sequence number (5F34) and the limits for velocity checking (9F14, 9F23).
        amount_minor: Minor units of the transaction's currency.
        limit_minor: The floor limit; None for none.
        selection: The percentages of random selection.
        random_percent: A random number from 1 to 99.
        atc: As `velocity` has it.
        last_online_atc: As `velocity` has it.
        exceptions: The exception file.
        payments: Earlier payments, oldest first.

    Raises:
        DecodeError: a value is of no possible form.

    Spec: EMV 4.4 Book 3, 10.6.
    """
    value = card.get(Tag.PAN)
    pan = Pan.decode(value) if value else None
    sequence = (card.get(Tag.PAN_SEQUENCE) or b"").hex()
    lower, upper = card.get(Tag.LOWER_OFFLINE_LIMIT), card.get(Tag.UPPER_OFFLINE_LIMIT)
    return (
        exception_file(pan, exceptions)
        | floor_limit(amount_minor, limit_minor, pan=pan, sequence=sequence, payments=payments)
        | random_selection(amount_minor, limit_minor, selection, random_percent)
        | velocity(lower, upper, atc=atc, last_online_atc=last_online_atc)
    )
