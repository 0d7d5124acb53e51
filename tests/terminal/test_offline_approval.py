"""Payments that the card approves by itself, at the whole counter: taken once, booked once, told apart."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from emv import tlv
from emv.card_data import CardData
from emv.evidence import Evidence
from emv.kernel import Transaction
from emv.oda import OdaMethod, OdaReport, OdaResult
from emv.outcome import Outcome as TapOutcome
from emv.outcome import OutcomeKind
from emv.sensitive import Pan, SensitiveBytes
from offline_queue.errors import QueueFullError
from offline_queue.record import Record, RecordKind
from offline_queue.store import Store
from simulators.scheme import CryptogramKind, ca_keys_json, cryptogram, issuer_application_data
from terminal.config import Cards, OfflineMode
from terminal.counter import Counter
from terminal.demo.customer import until
from terminal.payment.tap import Tapped
from terminal.set_up import open_store
from terminal.view import CounterView, Outcome
from tests.terminal.counter_shop import Shop, outcome

pytestmark = pytest.mark.timeout(60)

PAN = "4761739001010119"
DECLINED_BY_ISSUER = "4000000000000002"
GENUINE = OdaReport(method=OdaMethod.FDDA, result=OdaResult.SUCCEEDED)


def certificate(
    transaction: Transaction,
    *,
    atc: int = 1,
    pan: str = PAN,
    kind: CryptogramKind = CryptogramKind.TC,
    forged: bool = False,
) -> dict[str, bytes]:
    """Return the data objects of a Visa card that approves by itself, by tag in hex."""
    values = {
        "9F02": bytes.fromhex(f"{transaction.amount_minor:012d}"),
        "9F03": bytes(6),
        "9F1A": bytes.fromhex("0156"),
        "95": bytes(5),
        "5F2A": bytes.fromhex("0156"),
        "9A": bytes.fromhex(f"{transaction.date:%y%m%d}"),
        "9C": b"\x00",
        "9F37": transaction.unpredictable_number,
        "82": bytes.fromhex("2000"),
        "9F36": atc.to_bytes(2, "big"),
        "9F10": issuer_application_data(0x0A, kind),
        "9F27": bytes([kind.value]),
        "57": bytes.fromhex(f"{pan}D30122010000000000"),
        "5F34": b"\x00",
    }
    return values | {"9F26": bytes(8) if forged else cryptogram(pan, "00", values)}


def approval(values: dict[str, bytes], oda: OdaReport = GENUINE, pan: str = PAN) -> TapOutcome:
    """Return what a kernel makes of a card that approves by itself."""
    record = tlv.encode((int(tag, 16), value) for tag, value in values.items())
    return TapOutcome(
        kind=OutcomeKind.APPROVED,
        reason="",
        kernel_id=3,
        pan=Pan(pan),
        data_record=SensitiveBytes(record),
        evidence=Evidence(card=CardData(), terminal={}, oda=oda),
    )


async def approve(
    shop: Shop, counter: Counter, amount: str, *, oda: OdaReport = GENUINE, **card: Any
) -> CounterView:
    """Charge an amount and let a card approve it by itself; return the view of the result."""
    money = shop.config.money(amount)
    await counter.charge(money)
    values = certificate(counter._new_transaction(money), **card)
    present(counter, approval(values, oda, card.get("pan", PAN)))
    view = await until(counter, lambda view: view.result)
    # The reader, which knows of no card, still waits for one: it must not take that of the next order.
    await shop.take_away(counter)
    return view


def present(counter: Counter, tap: TapOutcome) -> None:
    counter._tapped(Tapped(tap, 1.0, 1.0))


def records(shop: Shop) -> list[Record]:
    """Return all records, while no counter runs."""
    assert shop.pins is not None
    with open_store(shop.home, shop.config, shop.pins) as store:
        return [record for n in range(1, store.status().sequence + 1) if (record := store.record(n))]


async def test_it_is_shown_as_approved_offline_and_booked_once_on_delivery(shop: Shop) -> None:
    shop.world.set_network(False)
    async with shop.run() as counter:
        view = await approve(shop, counter, "12.50")
        assert view.result is not None
        assert (view.result.outcome, view.result.deferred) == (Outcome.APPROVED_OFFLINE, False)
        assert view.result.headline == "APPROVED OFFLINE"
        assert "*** APPROVED OFFLINE ***" in "\n".join(view.result.receipt)
        view = await until(counter, lambda view: view.queue.approved_count)
        assert (view.queue.approved_total.minor, view.queue.deferred_count) == (1250, 0)
        assert view.payments[0].note == "card approved"
        shop.world.set_network(True)
        view = await until(counter, lambda view: view.payments[0].note == "host booked")
        assert view.payments[0].outcome is Outcome.APPROVED_OFFLINE
        assert view.queue.approved_count == 0
    ((attempt, booked),) = shop.world.booked().items()
    assert (attempt, booked.times, booked.amount_minor) == (view.attempt, 1, 1250)
    (record,) = records(shop)
    assert record.kind is RecordKind.RESULT
    assert record.sealed
    assert PAN.encode() not in record.body


@pytest.mark.parametrize("mode", list(OfflineMode))
async def test_the_mode_decides_whether_a_cards_own_approval_is_taken(shop: Shop, mode: OfflineMode) -> None:
    async with shop.run(offline=replace(shop.config.offline, mode=mode)) as counter:
        view = await approve(shop, counter, "12.50")
        taken = mode is not OfflineMode.REQUIRE_ONLINE
        assert outcome(view) is (Outcome.APPROVED_OFFLINE if taken else Outcome.DECLINED)
        assert view.result is not None
        assert taken or "switched off" in view.result.detail
        await until(counter, lambda view: view.payments and not view.queue.unsent)
    assert [booked.times for booked in shop.world.booked().values()] == ([1] if taken else [])


async def test_the_offline_limits_are_for_these_payments_too(shop: Shop) -> None:
    shop.world.set_network(False)
    async with shop.run(offline=replace(shop.config.offline, limit_total="60.00")) as counter:
        assert outcome(await approve(shop, counter, "50.01")) is Outcome.DECLINED
        assert outcome(await shop.tap(counter, "40.00")) is Outcome.APPROVED_OFFLINE
        await until(counter, lambda view: view.queue.deferred_count)
        assert outcome(await approve(shop, counter, "20.01", atc=2)) is Outcome.DECLINED
        assert outcome(await approve(shop, counter, "20.00", atc=3)) is Outcome.APPROVED_OFFLINE


async def test_a_card_is_asked_to_go_online_where_its_own_yes_would_not_be_taken(shop: Shop) -> None:
    floors: list[set[int | None]] = []
    cards = replace(shop.config.cards, floor_limit="30.00")
    async with shop.run(cards=cards) as counter:
        for amount in ("1.00", "50.01"):
            await counter.charge(shop.config.money(amount))
            assert counter._order.arming is not None
            floors.append({row.floor_limit for row in counter._order.arming._config.combinations})
            await counter.cancel()
            await until(counter, lambda view: view.result)
        await counter.next_customer()
        while counter.view.offline_mode != OfflineMode.REQUIRE_ONLINE.value:
            await counter.cycle_offline_mode()
        await counter.charge(shop.config.money("1.00"))
        assert counter._order.arming is not None
        floors.append({row.floor_limit for row in counter._order.arming._config.combinations})
    assert floors == [{3000}, {0}, {0}]


@pytest.mark.parametrize(
    "card", [{"pan": DECLINED_BY_ISSUER}, {"forged": True}, {"kind": CryptogramKind.ARQC}], ids=str
)
async def test_what_the_host_declines_afterwards_becomes_a_notice(shop: Shop, card: dict[str, Any]) -> None:
    async with shop.run() as counter:
        assert outcome(await approve(shop, counter, "1.00", **card)) is Outcome.APPROVED_OFFLINE
        view = await until(counter, lambda view: view.notices)
        assert "declined the offline payment. Not paid!" in view.notices[0]
        await until(counter, lambda view: view.payments[0].note == "HOST DECLINED")
    assert shop.world.booked() == {}


async def test_a_card_without_proof_is_not_paid(shop: Shop) -> None:
    async with shop.run() as counter:
        failed = replace(GENUINE, result=OdaResult.FAILED)
        view = await approve(shop, counter, "1.00", oda=failed)
        assert outcome(view) is Outcome.DECLINED
        assert view.result is not None
        assert "without proof" in view.result.detail


async def test_an_approval_that_can_t_be_remembered_is_not_paid(shop: Shop) -> None:
    async with shop.run() as counter:
        await counter.charge(money := shop.config.money("1.00"))
        values = certificate(counter._new_transaction(money))
        del values["9F36"]
        present(counter, approval(values))
        assert outcome(await until(counter, lambda view: view.result)) is Outcome.DECLINED


async def test_an_approval_that_comes_twice_is_not_paid_again_also_after_a_restart(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    async with shop.run() as counter:
        await counter.charge(money := shop.config.money("1.00"))
        replayed = approval(certificate(counter._new_transaction(money)))
        present(counter, replayed)
        assert outcome(await until(counter, lambda view: view.result)) is Outcome.APPROVED_OFFLINE
    caplog.set_level(logging.WARNING)
    async with shop.run() as counter:
        for _ in range(2):
            await counter.charge(money)
            present(counter, replayed)
            view = await until(counter, lambda view: view.result)
            assert view.result is not None
            assert (view.result.outcome, view.result.headline) == (Outcome.DECLINED, "NOT PAID")
            assert "repeats an earlier payment" in view.result.detail
        await until(counter, lambda view: not view.queue.unsent and len(view.payments) == 3)
    assert "repeats an earlier payment" in caplog.text
    assert PAN not in caplog.text
    assert [booked.times for booked in shop.world.booked().values()] == [1]
    assert [str(record.summary["outcome"]) for record in records(shop)] == [
        *("approved_offline", "declined", "declined"),
    ]


async def test_a_request_that_comes_twice_is_not_sent_again(shop: Shop) -> None:
    async with shop.run() as counter:
        money = shop.config.money("1.00")
        await counter.charge(money)
        values = certificate(counter._new_transaction(money), kind=CryptogramKind.ARQC)
        request = replace(approval(values), kind=OutcomeKind.ONLINE_REQUEST)
        present(counter, request)
        assert outcome(await until(counter, lambda view: view.result)) is Outcome.APPROVED
        await counter.charge(money)
        present(counter, request)
        assert outcome(await until(counter, lambda view: view.result)) is Outcome.DECLINED
    assert [booked.times for booked in shop.world.booked().values()] == [1]


async def test_a_counter_that_goes_back_is_recorded_and_does_not_stop_the_payment(shop: Shop) -> None:
    async with shop.run() as counter:
        for number in (7, 5, 8):
            view = await approve(shop, counter, "1.00", atc=number)
            assert outcome(view) is Outcome.APPROVED_OFFLINE
    findings = [record.summary.get("finding") for record in records(shop)]
    assert findings == [None, "the card's transaction counter is 5, after 7 before", None]


async def test_without_room_in_the_queue_nothing_is_shown_as_approved(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    append: Callable[..., Record] = Store.append

    def full(store: Store, kind: RecordKind, **facts: Any) -> Record:
        if kind is RecordKind.RESULT:
            raise QueueFullError("no space left")
        return append(store, kind, **facts)

    monkeypatch.setattr(Store, "append", full)
    async with shop.run() as counter:
        view = await approve(shop, counter, "1.00")
        assert view.result is not None
        assert (view.result.outcome, view.result.headline) == (Outcome.DECLINED, "NOT PAID")
    assert shop.world.booked() == {}


SIGNED = [
    *("visa-offline", "mastercard-approve", "unionpay-approve"),
    "amex-approve",
]


def taking_offline(shop: Shop) -> Cards:
    """Return the setting of a shop that lets cards approve by themselves up to 30 yuan."""
    keys = shop.home / "ca_keys.json"
    keys.write_text(ca_keys_json())
    return replace(shop.config.cards, floor_limit="30.00", ca_keys=keys)


@pytest.mark.parametrize("card", SIGNED)
async def test_a_genuine_card_approves_without_the_network_and_is_booked_later(shop: Shop, card: str) -> None:
    shop.world.set_network(False)
    async with shop.run(cards=taking_offline(shop)) as counter:
        view = await shop.tap(counter, "12.50", card)
        assert view.result is not None
        assert (view.result.outcome, view.result.deferred) == (Outcome.APPROVED_OFFLINE, False)
        shop.world.set_network(True)
        await until(counter, lambda view: view.payments and view.payments[0].note == "host booked")
    assert [(booked.times, booked.amount_minor) for booked in shop.world.booked().values()] == [(1, 1250)]


async def test_a_sale_that_is_split_in_two_reaches_the_floor_limit(shop: Shop) -> None:
    async with shop.run(cards=taking_offline(shop)) as counter:
        shown = [outcome(await shop.tap(counter, "20.00", "amex-approve")) for _ in range(2)]
    assert shown == [Outcome.APPROVED_OFFLINE, Outcome.APPROVED]


async def test_above_the_floor_limit_the_same_card_is_authorised(shop: Shop) -> None:
    async with shop.run(cards=taking_offline(shop)) as counter:
        for card in SIGNED:
            assert outcome(await shop.tap(counter, "30.01", card)) is Outcome.APPROVED
    assert [booked.times for booked in shop.world.booked().values()] == [1] * len(SIGNED)
