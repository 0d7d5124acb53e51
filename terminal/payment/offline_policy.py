"""Whether a card payment may be taken without the host: a pure function of figures."""

from __future__ import annotations

from dataclasses import dataclass

from terminal.config import Config, OfflineMode
from terminal.money import Money


@dataclass(frozen=True, slots=True)
class Exposure:
    """What already waits for the host: payments taken without its answer, approved by cards or by nobody."""

    count: int
    total: Money
    oldest_s: int


def refusal(config: Config, mode: OfflineMode, exposure: Exposure, amount: Money) -> str:
    """Return why a payment may not be taken offline, in words for the cashier; empty where it may.

    An amount equal to a limit is within it.
    """
    limits = config.offline
    locale = config.shop.locale
    each, total = config.money(limits.limit_each), config.money(limits.limit_total)
    if mode is OfflineMode.REQUIRE_ONLINE:
        return "offline payments are switched off"
    if amount.minor > each.minor:
        return f"over the offline limit of {each.format(locale)}"
    if exposure.count >= limits.limit_count:
        return f"{exposure.count} offline payments already wait for the host"
    if (exposure.total + amount).minor > total.minor:
        return f"offline payments together would be over {total.format(locale)}"
    if exposure.oldest_s > limits.limit_hours * 3600:
        return f"an offline payment has waited for more than {limits.limit_hours} hours"
    return ""
