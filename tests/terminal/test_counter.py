"""The counter as a whole, with real devices' drivers, a real store and simulated hosts on TLS."""

import asyncio
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drivers.address import parse
from offline_queue.errors import CommitUnknownError, StoreUnavailableError
from offline_queue.record import Record, RecordKind
from offline_queue.store import Store
from simulators.hosts import certificates
from simulators.hosts.host_behaviour import Fault
from simulators.hosts.server import TlsServer
from terminal import counter as counter_module
from terminal.actions import CounterRefusal
from terminal.channels.card import CardChannel
from terminal.channels.channel import Case
from terminal.config import Config, Devices, HostConfig, OfflineMode
from terminal.counter import Counter
from terminal.demo.customer import until
from terminal.enrolment import Enrolment
from terminal.payment.attempt_events import Answer, Verdict
from terminal.set_up import QUEUE_FILE, open_store
from terminal.view import CounterView, LightPattern, Outcome, Phase
from tests.terminal.counter_shop import Shop, delivered, outcome

pytestmark = pytest.mark.timeout(60)


async def test_the_lights_and_phases_of_a_tap_come_in_their_order(shop: Shop) -> None:
    seen: list[tuple[Phase, LightPattern]] = []
    async with shop.run() as counter:
        counter.subscribe(lambda view: seen.append((view.phase, view.lights)))
        view = await shop.tap(counter, "12.50")
    assert outcome(view) is Outcome.APPROVED
    steps = list(dict.fromkeys(seen))
    wanted = [
        (Phase.ARMED, LightPattern.READY),
        (Phase.READING, LightPattern.READY),
        (Phase.CARD_READ, LightPattern.CARD_READ),
        (Phase.ASKING, LightPattern.CARD_READ),
        (Phase.DONE, LightPattern.IDLE),
    ]
    assert [step for step in steps if step in wanted] == wanted


async def test_the_receipt_names_record_and_chain_and_masks_the_card(shop: Shop) -> None:
    async with shop.run() as counter:
        view = await shop.tap(counter, "12.50")
    assert view.result is not None
    text = "\n".join(view.result.receipt)
    assert "476173******0119" in text
    assert re.search(r"Record +2\b", text)
    assert re.search(r"Head +[0-9a-f]{16}", text)


SIGNATURE = "Ask for a signature."


@pytest.mark.parametrize(
    ("card", "online", "words"),
    [
        ("visa-approve", True, f"Paid. {SIGNATURE}"),
        ("visa-offline", False, f"Paid. {SIGNATURE} The card itself has approved; the bank only books it."),
        ("visa-approve", False, f"{SIGNATURE} Taken at the shop's risk: the bank is asked when "),
        ("visa-issuer-declines", True, "Not paid: "),
    ],
)
async def test_a_signature_is_asked_for_above_the_limit(
    shop: Shop, card: str, online: bool, words: str
) -> None:
    shop.world.set_network(online)
    cards = replace(shop.config.cards, cvm_limit="0.00", floor_limit="20.00")
    async with shop.run(cards=cards) as counter:
        await until(counter, lambda view: view.online is online)
        view = await shop.tap(counter, "12.50", card)
    assert view.result is not None
    assert view.result.detail.startswith(words)
    assert view.result.emphasis == (SIGNATURE if SIGNATURE in words else "")


async def test_a_locked_phone_is_told_to_be_unlocked(shop: Shop) -> None:
    seen: list[tuple[Phase, LightPattern]] = []
    async with shop.run() as counter:
        counter.subscribe(lambda view: seen.append((view.phase, view.lights)))
        await counter.charge(shop.config.money("12.50"))
        shop.world.hold_card("mastercard-wallet-locked")
        view = await until(counter, lambda view: "phone:" in view.prompt)
        assert view.prompt == "See the phone: unlock it, then tap again"
        # It was spoken to, and must come again: nothing says that it may go as read.
        assert Phase.CARD_READ not in {phase for phase, _ in seen}
        assert LightPattern.CARD_READ not in {lights for _, lights in seen}
        # It is not refused again and again while it stays.
        shop.world.take_card_away()
        view = await until(counter, lambda view: view.lights is LightPattern.READY)
        assert "phone:" in view.prompt
        shop.world.hold_card("mastercard-wallet")
        assert outcome(await until(counter, lambda view: view.result)) is Outcome.APPROVED


async def test_why_a_tap_was_refused_is_in_the_log(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with shop.run(cards=replace(shop.config.cards, floor_limit="20.00")) as counter:
        view = await shop.tap(counter, "12.50", "visa-expired")
    assert view.result is not None
    assert view.result.detail == "Not paid: the card has expired."
    assert any(
        re.fullmatch(r"tap: declined in \d+ ms \(the application has expired\)", it) for it in caplog.messages
    )


async def test_nothing_in_the_home_folder_holds_the_card_number(shop: Shop) -> None:
    async with shop.run() as counter:
        shop.world.set_network(False)
        await until(counter, lambda view: not view.online)
        await shop.tap(counter, "12.50")
        kept = b"".join(path.read_bytes() for path in shop.home.glob("*") if path.is_file())
    pan = "4761739001010119"
    assert pan.encode() not in kept
    assert bytes.fromhex(pan) not in kept


async def test_an_order_that_is_open_takes_no_second_amount(shop: Shop) -> None:
    async with shop.run() as counter:
        await counter.charge(shop.config.money("1.00"))
        with pytest.raises(CounterRefusal, match="present order"):
            await counter.charge(shop.config.money("2.00"))
        assert counter.view.amount == shop.config.money("1.00")


async def test_a_declined_order_can_be_tried_again_with_another_card(shop: Shop) -> None:
    async with shop.run() as counter:
        declined = await shop.tap(counter, "12.50", "visa-issuer-declines")
        assert outcome(declined) is Outcome.DECLINED
        await counter.retry()
        shop.world.hold_card("visa-approve")
        view = await until(counter, lambda view: view.result)
        assert outcome(view) is Outcome.APPROVED
        assert view.order == declined.order
        assert view.attempt != declined.attempt
        await counter.next_customer()
        with pytest.raises(CounterRefusal):
            await counter.retry()


async def test_a_card_that_stays_does_not_pay_the_next_order(shop: Shop) -> None:
    async with shop.run() as counter:
        await counter.charge(shop.config.money("1.00"))
        shop.world.hold_card("visa-approve")
        await until(counter, lambda view: view.result)
        await counter.charge(shop.config.money("2.00"))
        assert counter.view.prompt == "Take the last card off the reader"
        shop.world.take_card_away()
        await until(counter, lambda view: view.prompt.startswith("Tap"))
        shop.world.hold_card("visa-approve")
        view = await until(counter, lambda view: view.result)
        assert view.amount == shop.config.money("2.00")
    assert sorted(entry.amount_minor for entry in shop.world.booked().values()) == [100, 200]


async def test_require_online_declines_without_a_network(shop: Shop) -> None:
    shop.world.set_network(False)
    async with shop.run(offline=replace(shop.config.offline, mode=OfflineMode.REQUIRE_ONLINE)) as counter:
        view = await shop.tap(counter, "1.00")
        assert outcome(view) is Outcome.DECLINED
        assert view.result is not None
        assert "switched off" in view.result.detail


async def test_force_offline_does_not_ask_the_host(shop: Shop) -> None:
    async with shop.run(offline=replace(shop.config.offline, mode=OfflineMode.FORCE_OFFLINE)) as counter:
        view = await shop.tap(counter, "1.00")
        assert view.result is not None
        assert (view.result.outcome, view.result.deferred) == (Outcome.APPROVED_OFFLINE, True)
        await until(counter, lambda view: view.payments and view.payments[0].note == "host approved")
    assert [entry.amount_minor for entry in shop.world.booked().values()] == [100]


async def test_an_offline_payment_that_the_host_declines_later_becomes_a_notice(shop: Shop) -> None:
    shop.world.set_network(False)
    async with shop.run() as counter:
        view = await shop.tap(counter, "1.00", "visa-issuer-declines")
        assert outcome(view) is Outcome.APPROVED_OFFLINE
        shop.world.set_network(True)
        view = await until(counter, lambda view: view.notices)
        assert "declined the offline payment" in view.notices[0]
        await until(counter, lambda view: view.payments[0].note == "HOST DECLINED")
    assert shop.world.booked() == {}


async def test_offline_limits_add_up_over_payments(shop: Shop) -> None:
    shop.world.set_network(False)
    async with shop.run(offline=replace(shop.config.offline, limit_total="60.00")) as counter:
        assert outcome(await shop.tap(counter, "40.00")) is Outcome.APPROVED_OFFLINE
        await until(counter, lambda view: view.queue.deferred_total == shop.config.money("40.00"))
        assert outcome(await shop.tap(counter, "20.01")) is Outcome.DECLINED
        assert outcome(await shop.tap(counter, "20.00")) is Outcome.APPROVED_OFFLINE


@pytest.mark.parametrize("fault", list(certificates.Fault), ids=lambda fault: fault.name)
async def test_a_host_with_a_wrong_certificate_is_refused_and_said_so(
    shop: Shop, tmp_path: Path, fault: certificates.Fault
) -> None:
    async def never(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("a request reached the false host")

    wrong = certificates.create_wrong(tmp_path / "world", fault)
    with TlsServer(never, certificate=wrong.certificate, key=wrong.key) as server:
        host = HostConfig(server.url, wrong.ca)
        async with shop.run(host=host) as counter:
            assert not counter.view.online
            assert "certificate" in counter.view.network
            view = await shop.tap(counter, "1.00")
            assert outcome(view) is Outcome.APPROVED_OFFLINE
            assert outcome(await shop.tap(counter, "50.01")) is Outcome.DECLINED


async def test_a_lost_answer_is_unknown_until_it_is_resolved(shop: Shop) -> None:
    async with shop.run() as counter:
        shop.world.host.behaviour.always(Fault.LOSE_ANSWER)
        await counter.charge(shop.config.money("12.50"))
        shop.world.hold_card("visa-approve")
        await until(counter, lambda view: shop.world.booked())
        await counter.cancel()
        view = await until(counter, lambda view: view.result)
        assert outcome(view) is Outcome.UNKNOWN
        await counter.next_customer()
        assert counter.view.phase is Phase.IDLE
        shop.world.host.behaviour.behave()
        view = await until(counter, lambda view: view.notices)
        assert "declined" in view.notices[0]
    assert shop.world.booked() == {}


async def test_an_unsigned_answer_is_neither_yes_nor_no(shop: Shop) -> None:
    async with shop.run() as counter:
        shop.world.host.behaviour.next(Fault.UNSIGNED)
        view = await shop.tap(counter, "12.50")
        # It was asked again, and the signed answer was yes.
        assert outcome(view) is Outcome.APPROVED
    assert [entry.times for entry in shop.world.booked().values()] == [1]


async def test_a_code_paid_late_for_an_order_paid_otherwise_is_refunded(shop: Shop) -> None:
    assert shop.config.alipay is not None
    quick = replace(shop.config.alipay, qr_seconds=1)
    async with shop.run(alipay=quick) as counter:
        await counter.charge(shop.config.money("12.50"))
        await counter.show_qr()
        expired = await until(counter, lambda view: view.result)
        await counter.retry()
        shop.world.hold_card("visa-approve")
        view = await until(counter, lambda view: view.result)
        assert outcome(view) is Outcome.APPROVED
        shop.world.pay_late(expired.attempt)
        view = await until(counter, lambda view: view.notices)
        assert "refunded" in view.notices[0]
    assert list(shop.world.booked()) == [view.attempt]


async def test_a_reader_that_is_missing_has_its_line_and_the_rest_works(shop: Shop) -> None:
    code = shop.world.alipay.book.customer_code()
    devices = Devices(readers=(parse("pn532:/dev/no-such-reader"),), scanners=(parse(f"sim:{code}"),))
    async with shop.run(devices=devices) as counter:
        await until(counter, lambda view: view.devices[0].state == "unavailable")
        assert counter.view.devices[0].text == "not found"
        assert counter.view.devices[0].cure
        await counter.charge(shop.config.money("3.00"))
        assert outcome(await until(counter, lambda view: view.result)) is Outcome.APPROVED


async def test_a_code_that_is_none_of_ours_is_named_and_nothing_is_sent(shop: Shop) -> None:
    wechat = "134567890123456789"
    async with shop.run(devices=Devices(scanners=(parse(f"sim:{wechat}"),))) as counter:
        await counter.charge(shop.config.money("3.00"))
        view = await until(counter, lambda view: "WeChat" in view.prompt)
        assert view.phase is Phase.ARMED
        assert view.queue.unsent == 0
    assert shop.world.alipay.book.trades() == ()


def small_store(limit_bytes: int) -> Callable[[Path, Config, Enrolment], Store]:
    def open_small(home: Path, config: Config, pins: Enrolment) -> Store:
        return Store.open(
            home / QUEUE_FILE,
            terminal_id=config.terminal.id,
            signer=pins.key,
            sealer=pins.sealer,
            limit_bytes=limit_bytes,
        )

    return open_small


async def charge_and_cancel(counter: Counter, config: Config, *, times: int) -> None:
    for _ in range(times):
        await counter.charge(config.money("0.01"))
        await counter.cancel()
        await until(counter, lambda view: view.result)


async def test_a_full_queue_takes_no_payment_and_says_so(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counter_module, "open_store", small_store(1_380_000))
    shop.world.set_network(False)
    async with shop.run() as counter:
        with pytest.raises(CounterRefusal, match="full"):
            await charge_and_cancel(counter, shop.config, times=400)


async def test_a_store_that_can_t_be_opened_is_said_and_nothing_is_taken(shop: Shop) -> None:
    (shop.home / QUEUE_FILE).mkdir()
    async with shop.run() as counter:
        assert QUEUE_FILE in counter.view.queue.alarm
        with pytest.raises(CounterRefusal, match="can't record"):
            await counter.charge(shop.config.money("1.00"))


async def test_a_second_terminal_on_the_same_home_is_refused(shop: Shop) -> None:
    async with shop.run(), shop.run() as second:
        with pytest.raises(CounterRefusal, match="can't record"):
            await second.charge(shop.config.money("1.00"))


async def test_an_order_paid_late_is_shown_as_paid_and_can_t_be_charged_again(shop: Shop) -> None:
    assert shop.config.alipay is not None
    async with shop.run(alipay=replace(shop.config.alipay, qr_seconds=1)) as counter:
        await counter.charge(shop.config.money("12.50"))
        await counter.show_qr()
        expired = await until(counter, lambda view: view.result)
        await counter.retry()
        shop.world.hold_card("visa-issuer-declines")
        assert outcome(await until(counter, lambda view: view.result)) is Outcome.DECLINED
        await shop.take_away(counter)
        shop.world.pay_late(expired.attempt)
        view = await until(counter, lambda view: outcome(view) is Outcome.APPROVED)
        assert view.attempt == expired.attempt
        with pytest.raises(CounterRefusal):
            await counter.retry()
    assert list(shop.world.booked()) == [expired.attempt]


async def test_a_code_that_the_cashier_cancelled_is_refunded_when_it_is_paid_late(shop: Shop) -> None:
    async with shop.run() as counter:
        await counter.charge(shop.config.money("12.50"))
        await counter.show_qr()
        await until(counter, lambda view: view.qr)
        await counter.cancel()
        view = await until(counter, lambda view: view.result)
        assert view.result is not None
        assert view.result.headline == "CANCELLED"
        shop.world.pay_late(view.attempt)
        view = await until(counter, lambda view: view.notices)
        assert "refunded" in view.notices[0]
    assert shop.world.booked() == {}


async def test_a_payment_cancelled_while_the_host_approves_it_is_undone(shop: Shop) -> None:
    async with shop.run() as counter:
        shop.world.hold_host_answer()
        await counter.charge(shop.config.money("12.50"))
        shop.world.hold_card("visa-approve")
        await until(counter, lambda view: shop.world.booked())
        await counter.cancel()
        shop.world.release_host_answer()
        view = await until(counter, lambda view: view.result)
        assert view.result is not None
        assert (view.result.outcome, view.result.headline) == (Outcome.DECLINED, "CANCELLED")
    assert shop.world.booked() == {}


async def test_nothing_is_charged_before_what_was_left_open_is_known(shop: Shop) -> None:
    assert shop.pins is not None
    async with shop.run() as counter:
        assert outcome(await shop.tap(counter, "1.00")) is Outcome.APPROVED
    store = open_store(shop.home, shop.config, shop.pins)
    async with shop.run() as counter:
        assert "in use" in counter.view.queue.alarm
        with pytest.raises(CounterRefusal, match="can't record"):
            await counter.charge(shop.config.money("2.00"))
        store.close()
        await until(counter, lambda view: view.payments)
        assert outcome(await shop.tap(counter, "2.00")) is Outcome.APPROVED
        assert counter.view.order == "DEMO01-2"


async def test_a_screen_that_fails_takes_no_payment_with_it(shop: Shop) -> None:
    def broken(view: CounterView) -> None:
        raise RuntimeError("the screen is broken")

    async with shop.run() as counter:
        counter.subscribe(broken)
        assert outcome(await shop.tap(counter, "1.00")) is Outcome.APPROVED


async def test_a_damaged_record_is_named_and_the_counter_starts(shop: Shop) -> None:
    async with shop.run() as counter:
        await shop.tap(counter, "1.00")
        await until(counter, lambda view: delivered(view, Outcome.APPROVED))
    with closing(sqlite3.connect(shop.home / QUEUE_FILE)) as connection:
        connection.execute("DROP TRIGGER records_are_final_update")
        connection.execute("UPDATE records SET body = zeroblob(length(body)) WHERE sequence = 1")
        connection.commit()
    async with shop.run() as counter:
        view = await until(counter, lambda view: view.payments)
        assert view.payments[0].note == "RECORD DAMAGED"


async def test_two_charges_at_once_open_one_order(shop: Shop) -> None:
    async with shop.run() as counter:
        charges = [counter.charge(shop.config.money(amount)) for amount in ("1.00", "2.00")]
        results = await asyncio.gather(*charges, return_exceptions=True)
        assert [type(result) for result in results] == [type(None), CounterRefusal]
        assert counter.view.amount == shop.config.money("1.00")


async def test_the_offline_mode_changes_between_orders_only(shop: Shop) -> None:
    async with shop.run() as counter:
        await counter.charge(shop.config.money("1.00"))
        with pytest.raises(CounterRefusal, match="between orders"):
            await counter.cycle_offline_mode()


async def test_what_this_terminal_ends_itself_is_not_called_declined(shop: Shop) -> None:
    shop.world.set_network(False)
    async with shop.run() as counter:
        assert "at most" in counter.view.prompt or counter.view.phase is Phase.IDLE
        view = await shop.tap(counter, "50.01")
        assert view.result is not None
        assert view.result.headline == "NOT PAID"
        await counter.next_customer()
        await counter.charge(shop.config.money("1.00"))
        assert "OFFLINE" in counter.view.prompt


async def test_a_host_whose_words_look_like_a_card_number_is_still_heard(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = Answer(Verdict.DECLINED, "call 4761 7390 0101 0119", "4761739001010119")

    async def ask(channel: CardChannel, case: Case, intent: Record) -> Answer:
        return said

    monkeypatch.setattr(CardChannel, "ask", ask)
    async with shop.run() as counter:
        assert outcome(await shop.tap(counter, "1.00")) is Outcome.DECLINED
        await until(counter, lambda view: view.payments and view.payments[0].outcome is Outcome.DECLINED)


async def test_an_offline_yes_whose_commit_was_unknown_is_never_called_a_no(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record is there; then the disk can't even be read; then it can."""
    append, faults = Store.append, iter([CommitUnknownError("lost"), StoreUnavailableError("away")])

    def failing(store: Store, kind: RecordKind, **facts: Any) -> Record:
        if kind is not RecordKind.RESULT or (fault := next(faults, None)) is None:
            return append(store, kind, **facts)
        if isinstance(fault, CommitUnknownError):
            append(store, kind, **facts)
        raise fault

    shop.world.set_network(False)
    monkeypatch.setattr(Store, "append", failing)
    monkeypatch.setattr(Store, "records", away_once(Store.records))
    async with shop.run() as counter:
        view = await shop.tap(counter, "3.50")
        assert outcome(view) is Outcome.UNKNOWN
        view = await until(counter, lambda view: outcome(view) is not Outcome.UNKNOWN)
        assert outcome(view) is Outcome.APPROVED_OFFLINE
        shop.world.set_network(True)
        await until(counter, lambda view: view.payments and view.payments[0].note == "host approved")
    assert [entry.times for entry in shop.world.booked().values()] == [1]


def away_once(records: Callable[..., tuple[Record, ...]]) -> Callable[..., tuple[Record, ...]]:
    """Let the first reading back of an attempt's two records fail."""
    faults = iter([StoreUnavailableError("away")])

    def read(store: Store, attempt: str) -> tuple[Record, ...]:
        found = records(store, attempt)
        if len(found) > 1 and (fault := next(faults, None)) is not None:
            raise fault
        return found

    return read


async def test_what_was_left_open_is_gone_on_with_once(shop: Shop) -> None:
    assert shop.pins is not None
    store = open_store(shop.home, shop.config, shop.pins)
    store.open_order("DEMO01-1", 100, "CNY")
    key = store.begin_attempt("DEMO01-1", state="armed")
    store.append(
        RecordKind.INTENT,
        attempt=key,
        state="asking",
        closes=False,
        secret=b"x",
        summary={"channel": "card", "order": "DEMO01-1", "amount": 100, "currency": "CNY"},
        time_ms=1,
    )
    async with shop.run() as counter:
        store.close()
        await asyncio.gather(*(counter._queue_changed() for _ in range(5)))
        await until(counter, lambda view: any("declined" in notice for notice in view.notices))
    with closing(sqlite3.connect(shop.home / QUEUE_FILE)) as connection:
        kinds = connection.execute("SELECT kind FROM records ORDER BY sequence").fetchall()
    assert kinds == [("intent",), ("reversal",), ("result",)]


async def test_a_damaged_watched_attempt_does_not_stop_the_counter(shop: Shop) -> None:
    assert shop.config.alipay is not None
    async with shop.run(alipay=replace(shop.config.alipay, qr_seconds=1)) as counter:
        await counter.charge(shop.config.money("1.00"))
        await counter.show_qr()
        await until(counter, lambda view: delivered(view, Outcome.DECLINED))
    with closing(sqlite3.connect(shop.home / QUEUE_FILE)) as connection:
        connection.execute("DROP TRIGGER records_are_final_update")
        connection.execute("UPDATE records SET body = zeroblob(length(body)) WHERE sequence = 1")
        connection.commit()
    async with shop.run() as counter:
        assert outcome(await shop.tap(counter, "2.00")) is Outcome.APPROVED


async def test_a_code_paid_while_the_terminal_was_off_for_long_is_found(shop: Shop) -> None:
    assert shop.config.alipay is not None
    alipay = replace(shop.config.alipay, qr_seconds=1)
    async with shop.run(alipay=alipay) as counter:
        await counter.charge(shop.config.money("1.00"))
        await counter.show_qr()
        expired = await until(counter, lambda view: view.result)
    shop.world.pay_late(expired.attempt)
    async with shop.run(alipay=replace(alipay, late_watch_s=0)) as counter:
        view = await until(counter, lambda view: view.notices)
        assert "approved" in view.notices[0]
