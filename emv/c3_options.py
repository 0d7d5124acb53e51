"""Settings of kernel 3 beyond Book A."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderLimits:
    """One set of dynamic reader limits: what holds for cards of one programme instead of the row's limits.

    Amounts are in minor units of the terminal's currency. A limit of None is absent.

    Args:
        program_id: The Application Program Identifier (9F5A) it is for, one to sixteen bytes; a card's
            longer one that begins with it matches.
        transaction_limit: Amounts from here on are not taken contactless.
        floor_limit: Amounts above need an online cryptogram.
        cvm_limit: Amounts from here on need cardholder verification.
        status_check: Send a payment of one currency unit online as a status check.
        zero_amount_allowed: An amount of zero goes online (option 1), or is not taken (option 2).
    """

    program_id: bytes
    transaction_limit: int | None = None
    floor_limit: int | None = None
    cvm_limit: int | None = None
    status_check: bool = False
    zero_amount_allowed: bool = True

    def __post_init__(self) -> None:
        if not 1 <= len(self.program_id) <= 16:
            raise ValueError("an application program identifier has one to sixteen bytes")
        limits = (self.transaction_limit, self.floor_limit, self.cvm_limit)
        if any(limit is not None and limit < 0 for limit in limits):
            raise ValueError("a limit is negative")


@dataclass(frozen=True, slots=True)
class C3Options:
    """Settings of kernel 3 beyond Book A.

    Args:
        check_cash: Look at the card's usage control for cash (C-3, 5.5.1.3).
        check_cashback: Look at the card's usage control for cashback (C-3, 5.5.1.4).
        show_offline_balance: Show the available offline spending amount (C-3, 4.3.1.1).
        reader_limits: Dynamic reader limits (C-3, 5.1.2); none turns them off.
        online_needs_oda: Decline an online request of a card that did not prove to be genuine, where the
            TTQ announces authentication for online. For gates that open before the issuer has answered;
            otherwise the issuer decides.
        ttq_as_configured: Send the TTQ with the functions that it names, also those that are not there.
            For replays of another terminal's taps only.
    """

    check_cash: bool = False
    check_cashback: bool = False
    show_offline_balance: bool = False
    reader_limits: tuple[ReaderLimits, ...] = ()
    online_needs_oda: bool = False
    ttq_as_configured: bool = False
