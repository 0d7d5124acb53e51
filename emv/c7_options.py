"""Settings of kernel 7 beyond Book A."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class C7Options:
    """Settings of kernel 7.

    The small-amount rule (no PIN, no signature; 小额免密免签) is the scheme's business rule, not the
    kernel book's: up to its limit a purchase is made without PIN and signature, although the card asks for
    one. UnionPay raised the limit in mainland China from 300 to 1000 CNY on 1 June 2018, the limit itself
    included, for shops that take part; other markets have their own. Where a payment is not of the
    currency or the terminal not in the country named here, the rule does not hold. Where it holds it comes
    before the row's `cvm_limit`: the card is not told that verification is required.

    Args:
        small_amount_limit: Purchases up to this amount, in minor units, need no PIN and no signature;
            None turns the rule off.
        small_amount_currency: Numeric ISO 4217 code of the payments the rule is for.
        small_amount_country: Numeric ISO 3166 code of the terminals the rule is for.
        online_needs_oda: Decline an online request of a card that did not prove to be genuine, where the
            TTQ announces authentication for online. The public source that has this declines.
        show_offline_balance: Show the available offline spending amount (9F5D).
        ttq_as_configured: Send the TTQ with the functions that it names, also those that are not there.
            For replays of another terminal's taps only.
    """

    small_amount_limit: int | None = 100_000
    small_amount_currency: str = "156"
    small_amount_country: str = "156"
    online_needs_oda: bool = True
    show_offline_balance: bool = False
    ttq_as_configured: bool = False

    def __post_init__(self) -> None:
        if self.small_amount_limit is not None and self.small_amount_limit < 0:
            raise ValueError("the limit for small amounts is negative")
        for code in (self.small_amount_currency, self.small_amount_country):
            if not (code.isascii() and code.isdecimal() and len(code) in (3, 4)):
                raise ValueError("a numeric country or currency code has three digits")
