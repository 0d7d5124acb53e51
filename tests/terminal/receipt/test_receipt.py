"""The receipt: it fits the narrowest printer, and says what was paid, how, and where it is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from offline_queue.record import Record, RecordKind, genesis_head
from offline_queue.sealing import Opener, Sealer
from offline_queue.signing import SigningKey
from terminal.config import Config, HostConfig, Shop, Terminal
from terminal.money import Money
from terminal.payment.attempt_events import (
    Result,
)
from terminal.receipt.receipt import WIDTH, Receipt
from terminal.view import Outcome

WHEN = datetime(2026, 7, 1, 12, 34, 56, tzinfo=timezone(timedelta(hours=8)))
CARD = {"scheme": "Visa", "application": "VISA CREDIT", "pan": "476173******0119", "cvm": "no CVM"}
SHOP = Shop("Tea House", "EUR", "276", address=("1 Harbour Street",))

RECORD = Record.create(
    signer=SigningKey.generate(),
    sealer=Sealer(Opener.generate().public_bytes()),
    terminal_id="T1",
    sequence=7,
    previous_head=genesis_head("T1"),
    kind=RecordKind.RESULT,
    attempt="T1-00000001",
    time_ms=0,
    summary={},
    secret=b"",
)


def receipt(
    result: Result,
    *,
    shop: Shop = SHOP,
    order: str = "T1-1",
    terminal: str = "T1",
    channel: str = "Card",
    facts: Mapping[str, str] = CARD,
    record: Record | None = RECORD,
    amount_minor: int = 1250,
) -> tuple[str, ...]:
    config = Config(shop, Terminal(terminal), HostConfig("https://127.0.0.1"))
    amount = Money(amount_minor, shop.currency)
    return Receipt(config, order, amount, channel, result, facts, record, WHEN).lines()


def test_an_approved_card() -> None:
    assert receipt(Result(Outcome.APPROVED, code="00", authorisation="123456")) == (
        "           Tea House",
        "        1 Harbour Street",
        "",
        "Terminal                      T1",
        "Order                       T1-1",
        "Date         2026-07-01 12:34:56",
        "",
        "TOTAL                     €12.50",
        "Paid by                     Visa",
        "Card            476173******0119",
        "Application          VISA CREDIT",
        "Verified by               no CVM",
        "Authorisation             123456",
        "",
        "        *** APPROVED ***",
        "",
        "Record                         7",
        f"Head            {RECORD.head.hex()[:16]}",
    )


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (Result(Outcome.APPROVED), ["*** APPROVED ***"]),
        (Result(Outcome.APPROVED, late=True), ["*** APPROVED ***", "paid after the code expired"]),
        (Result(Outcome.APPROVED_OFFLINE), ["*** APPROVED OFFLINE ***"]),
        (Result(Outcome.APPROVED_OFFLINE, deferred=True), ["*** TAKEN OFFLINE ***", "not yet authorised"]),
        (Result(Outcome.DECLINED), ["*** DECLINED ***"]),
        (Result(Outcome.UNKNOWN), ["*** RESULT NOT KNOWN ***"]),
    ],
)
def test_each_outcome_is_said_as_what_it_is(result: Result, said: list[str]) -> None:
    text = [line.strip() for line in receipt(result)]
    at = text.index(said[0])
    assert text[at : at + len(said)] == said
    assert text[at + len(said)] == ""
    assert sum("***" in line for line in text if "Card" not in line) == 1


def test_a_deferred_payment_is_nowhere_called_approved() -> None:
    assert "APPROVED" not in "\n".join(receipt(Result(Outcome.APPROVED_OFFLINE, deferred=True)))


def test_a_wallet_has_no_card() -> None:
    text = "\n".join(receipt(Result(Outcome.APPROVED), channel="Alipay", facts={}))
    assert "Paid by                   Alipay" in text
    for word in ("Card", "Application", "Verified", "Authorisation"):
        assert word not in text


def test_without_a_record_there_is_nothing_to_miss() -> None:
    text = "\n".join(receipt(Result(Outcome.DECLINED), record=None))
    assert "Record" not in text
    assert "Head" not in text


def test_a_simulation_says_so_last() -> None:
    shop = Shop("Tea House", "CNY", "156", simulated=True)
    assert receipt(Result(Outcome.APPROVED), shop=shop)[-1].strip() == "SIMULATED, NO REAL MONEY"
    assert "SIMULATED" not in "\n".join(receipt(Result(Outcome.APPROVED)))


def test_a_value_that_is_too_long_goes_on_under_its_name() -> None:
    facts = {**CARD, "cvm": "confirmed by the device"}
    text = receipt(Result(Outcome.APPROVED), facts=facts)
    at = text.index("Verified by")
    assert text[at + 1] == "         confirmed by the device"


def test_a_value_that_just_fits_stays_beside_its_name() -> None:
    facts = {**CARD, "application": "X" * 20}
    assert f"Application {'X' * 20}" in receipt(Result(Outcome.APPROVED), facts=facts)
    facts = {**CARD, "application": "X" * 21}
    text = receipt(Result(Outcome.APPROVED), facts=facts)
    assert text[text.index("Application") + 1].strip() == "X" * 21


def test_a_long_name_is_broken_at_its_spaces() -> None:
    shop = Shop("The Riverside Tea House and Bakery of the Old Harbour", "EUR", "276")
    text = [line.strip() for line in receipt(Result(Outcome.APPROVED), shop=shop)]
    assert text[:3] == ["The Riverside Tea House and", "Bakery of the Old Harbour", ""]


def test_wide_characters_count_twice() -> None:
    shop = Shop(
        "河边茶馆河边茶馆河边茶馆河边茶馆河边茶馆", "CNY", "156", locale="zh_CN", address=("港口街一号",)
    )
    text = receipt(Result(Outcome.APPROVED), shop=shop)
    assert [line.strip() for line in text[:3]] == ["河边茶馆" * 4, "河边茶馆", "港口街一号"]
    assert all(cell_len(line) <= WIDTH for line in text)


TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=60)


@given(
    name=TEXT,
    address=st.lists(TEXT, max_size=2),
    label=TEXT,
    order=st.from_regex(r"[A-Z0-9]{1,16}-[0-9]{1,12}", fullmatch=True),
    authorisation=st.from_regex(r"[A-Z0-9]{0,40}", fullmatch=True),
    amount_minor=st.integers(0, 10**12),
    locale=st.sampled_from(["en_GB", "zh_CN", "de_DE", "ar_KW"]),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
)
def test_nothing_is_wider_than_the_paper_and_nothing_is_lost(
    name: str,
    address: list[str],
    label: str,
    order: str,
    authorisation: str,
    amount_minor: int,
    locale: str,
    currency: str,
) -> None:
    shop = Shop(name, currency, "276", locale=locale, address=tuple(address))
    text = receipt(
        Result(Outcome.APPROVED, authorisation=authorisation),
        shop=shop,
        order=order,
        facts={**CARD, "application": label},
        amount_minor=amount_minor,
    )
    assert all(cell_len(line) <= WIDTH for line in text)
    dense = "".join("".join(text).split())
    for value in (name, *address, label, order, authorisation, Money(amount_minor, currency).format(locale)):
        assert "".join(value.split()) in dense


@pytest.mark.parametrize(
    ("outcome", "signed"),
    [(Outcome.APPROVED, True), (Outcome.APPROVED_OFFLINE, True), (Outcome.DECLINED, False)],
)
def test_a_signature_has_its_line_where_something_was_taken(outcome: Outcome, signed: bool) -> None:
    text = receipt(Result(outcome), facts={**CARD, "cvm": "signature"})
    assert ("_" * WIDTH in text) == signed


def test_what_nobody_declined_is_not_called_declined() -> None:
    cancelled = "\n".join(receipt(Result(Outcome.DECLINED, "cancelled", ours=True)))
    unpaid = "\n".join(receipt(Result(Outcome.DECLINED, "not paid in time", ours=True)))
    assert ("CANCELLED" in cancelled, "NOT PAID" in unpaid) == (True, True)
    assert "DECLINED" not in cancelled + unpaid
