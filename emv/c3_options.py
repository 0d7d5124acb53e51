"""Settings of kernel 3 beyond Book A."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class C3Options:
    """Settings of kernel 3 beyond Book A.

    Args:
        check_cash: Look at the card's usage control for cash (C-3, 5.5.1.3).
        check_cashback: Look at the card's usage control for cashback (C-3, 5.5.1.4).
        show_offline_balance: Show the available offline spending amount (C-3, 4.3.1.1).
    """

    check_cash: bool = False
    check_cashback: bool = False
    show_offline_balance: bool = False
