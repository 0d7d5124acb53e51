"""The offline limits, each one below, at, and above."""

from __future__ import annotations

import pytest

from terminal.config import Config, HostConfig, Offline, OfflineMode, Shop, Terminal
from terminal.money import Money
from terminal.payment.offline_policy import Exposure, refusal

LIMITS = Offline(limit_each="50.00", limit_count=3, limit_total="100.00", limit_hours=2)
HOUR_S = 3600


def why(
    amount: str = "10.00",
    *,
    count: int = 0,
    total: str = "0",
    oldest_s: int = 0,
    mode: OfflineMode = OfflineMode.PREFER_ONLINE,
    currency: str = "EUR",
    limits: Offline = LIMITS,
) -> str:
    shop = Shop("Tea House", currency, "276")
    config = Config(shop, Terminal("T1"), HostConfig("https://127.0.0.1"), offline=limits)
    return refusal(config, mode, Exposure(count, config.money(total), oldest_s), config.money(amount))


@pytest.mark.parametrize("amount", ["0.01", "49.99", "50.00"])
def test_up_to_the_limit_a_payment_is_taken(amount: str) -> None:
    assert why(amount) == ""


def test_a_single_payment_over_its_limit() -> None:
    assert why("50.01") == "over the offline limit of €50.00"


@pytest.mark.parametrize(("count", "refused"), [(0, False), (2, False), (3, True), (4, True)])
def test_the_number_of_payments_that_wait(count: int, refused: bool) -> None:
    said = why(count=count)
    assert said == (f"{count} offline payments already wait for the host" if refused else "")


@pytest.mark.parametrize(
    ("total", "refused"), [("89.99", False), ("90.00", False), ("90.01", True), ("100.00", True)]
)
def test_their_sum_with_this_one(total: str, refused: bool) -> None:
    assert why("10.00", total=total) == ("offline payments together would be over €100.00" if refused else "")


@pytest.mark.parametrize(
    ("oldest_s", "refused"), [(2 * HOUR_S - 1, False), (2 * HOUR_S, False), (2 * HOUR_S + 1, True)]
)
def test_the_age_of_the_oldest(oldest_s: int, refused: bool) -> None:
    said = why(oldest_s=oldest_s)
    assert said == ("an offline payment has waited for more than 2 hours" if refused else "")


@pytest.mark.parametrize("mode", OfflineMode)
def test_the_modes(mode: OfflineMode) -> None:
    off = mode is OfflineMode.REQUIRE_ONLINE
    assert why(mode=mode) == ("offline payments are switched off" if off else "")
    assert why("50.01", mode=mode) != ""


def test_limits_of_zero_let_nothing_through() -> None:
    assert why("0.01", limits=Offline(limit_each="0"))
    assert why("0.01", limits=Offline(limit_total="0"))
    assert why("0.01", limits=Offline(limit_count=0))


@pytest.mark.parametrize(
    ("currency", "limit", "words"), [("JPY", "5000", "JP¥5,000"), ("KWD", "5", "KWD5.000")]
)
def test_limits_are_in_the_shops_currency(currency: str, limit: str, words: str) -> None:
    limits = Offline(limit_each=limit, limit_total="100000")
    assert why(limit, currency=currency, limits=limits) == ""
    over = Money(1, currency) + Config(
        Shop("x", currency, "276"), Terminal("T1"), HostConfig("https://127.0.0.1")
    ).money(limit)
    assert why(over.plain(), currency=currency, limits=limits) == f"over the offline limit of {words}"
