from dataclasses import replace

import pytest

from terminal.money import Money
from terminal.tui.widgets.amount import amount_text
from terminal.tui.widgets.devices_panel import device_lines
from terminal.tui.widgets.line import Line
from terminal.tui.widgets.notices_panel import NoticesPanel, since
from terminal.tui.widgets.payments_panel import PaymentsPanel, payment_lines
from terminal.tui.widgets.queue_panel import queue_lines
from terminal.view import DeviceView, Outcome, PaymentLine, Phase
from tests.terminal.tui import samples
from tests.terminal.tui.conftest import CountingApp
from tests.terminal.tui.fake_counter import FakeCounter
from tests.terminal.tui.screen_cells import words_of

SIZES = [(80, 24), (120, 40)]
NOTES = (
    *("", "waits for host", "host approved", "HOST DECLINED", "HOST REFUSED"),
    *("being resolved", "late", "RECORD DAMAGED", "card approved", "host booked"),
)


def text_in(app: CountingApp, panel: type[Line]) -> str:
    widget = app.screen.query_one(panel)
    lines = [strip.text for strip in widget.render_lines(widget.outer_size.region)]
    return " ".join(" ".join(lines).replace("│", " ").split())


# Payments


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("note", NOTES)
@pytest.mark.parametrize("trouble", [False, True])
async def test_every_note_of_a_payment_can_be_read(
    app: CountingApp, counter: FakeCounter, size: tuple[int, int], note: str, trouble: bool
) -> None:
    payments = tuple(
        PaymentLine("RIV-1", "18:59", Money(minor, "EUR"), channel, Outcome.DECLINED, note)
        for minor, channel in ((129900, "Card"), (129900, "Alipay"), (5, "Card"))
    )
    devices = samples.FAILED_DEVICES if trouble else samples.READY_DEVICES
    async with app.run_test(size=size) as pilot:
        counter.show(replace(samples.IDLE, payments=payments, devices=devices))
        await pilot.pause()
        shown = text_in(app, PaymentsPanel)
    for amount, channel in (("€1,299.00", "Card"), ("€1,299.00", "Alipay"), ("€0.05", "Card")):
        assert f"18:59 {amount} ✗ {channel} {note}".strip() in shown
    assert "…" not in shown


@pytest.mark.parametrize(("deferred", "sign"), [(False, "☑"), (True, "↓")])
def test_what_a_card_approved_looks_unlike_what_waits_for_the_host(deferred: bool, sign: str) -> None:
    offline = Outcome.APPROVED_OFFLINE
    payment = PaymentLine("1", "18:59", Money(1250, "EUR"), "Card", offline, "", deferred=deferred)
    assert payment_lines(payment, "€12.50", 33).plain == f"18:59 €12.50 {sign} Card"


def test_a_note_goes_on_the_second_line_only_when_it_must() -> None:
    payment = PaymentLine("1", "18:59", Money(1250, "EUR"), "Card", Outcome.DECLINED, "HOST DECLINED")
    assert payment_lines(payment, "€12.50", 33).plain == "18:59 €12.50 ✗ Card HOST DECLINED"
    assert payment_lines(payment, "€12.50", 32).plain == "18:59 €12.50 ✗ Card\n      HOST DECLINED"


@pytest.mark.parametrize("note", [note for note in NOTES if note])
def test_what_went_wrong_is_a_warning(note: str) -> None:
    payment = PaymentLine("1", "18:59", Money(1250, "EUR"), "Card", Outcome.DECLINED, note)
    span = payment_lines(payment, "€12.50", 80).spans[-1]
    assert ("error" in str(span.style)) is (note in ("HOST DECLINED", "HOST REFUSED", "RECORD DAMAGED"))


def test_a_damaged_record_has_neither_time_nor_channel() -> None:
    payment = PaymentLine("1", "", Money(1250, "EUR"), "", Outcome.UNKNOWN, "RECORD DAMAGED")
    assert payment_lines(payment, "€12.50", 80).plain == "      €12.50 ? RECORD DAMAGED"


# Devices


@pytest.mark.parametrize("size", SIZES)
async def test_a_device_that_waits_for_the_customer_listens(
    app: CountingApp, counter: FakeCounter, size: tuple[int, int]
) -> None:
    busy = tuple(replace(device, state="busy") for device in samples.READY_DEVICES)
    async with app.run_test(size=size) as pilot:
        counter.show(replace(samples.in_phase(Phase.ARMED), devices=busy))
        await pilot.pause()
        words = words_of(app)
    assert "● reader listening" in words
    assert "● scanner listening" in words
    assert "busy" not in words


def test_a_device_that_works_takes_one_line() -> None:
    device = DeviceView("camera:0", "scanner", "busy", "http://127.0.0.1:38101/", "")
    assert device_lines(device, 40).plain == "● scanner listening http://127.0.0.1:38…"
    assert device_lines(device, 25).plain.rstrip() == "● scanner listening"
    assert device_lines(replace(device, state="ready"), 25).plain == "✓ scanner http://127.0.0…"


# Sending


async def test_sync_with_nothing_to_send_says_so(app: CountingApp, counter: FakeCounter) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("s")
        await app.cashier.runner.settle()
        assert "Nothing to send" in words_of(app)
        assert "Sending" not in words_of(app)
    assert counter.calls == []


async def test_sending_is_shown_until_it_is_sent(app: CountingApp, counter: FakeCounter) -> None:
    waiting = replace(samples.IDLE, queue=samples.WAITING_QUEUE)
    async with app.run_test(size=(80, 24)) as pilot:
        counter.show(waiting)
        await pilot.press("s")
        await app.cashier.runner.settle()
        assert "Sending 3 records …" in words_of(app)
        counter.show(replace(waiting, queue=replace(samples.WAITING_QUEUE, unsent=1)))
        await pilot.pause()
        assert "Sending 3 records …" in words_of(app)
        assert "1 record not sent" in words_of(app)
        counter.show(samples.IDLE)
        await pilot.pause()
        assert "Sending" not in words_of(app)
        # What another key said is not taken away by a queue that is empty.
        await pilot.press("r")
        counter.show(replace(samples.IDLE, notices=("Something else",)))
        await pilot.pause()
        assert "There is no receipt yet" in words_of(app)
    assert counter.calls == ["sync_now"]


def test_what_cards_approved_counts_against_the_limits_and_is_told_apart() -> None:
    queue = replace(samples.WAITING_QUEUE, approved_count=3, approved_total=Money(1250, "EUR"))
    words = queue_lines(queue, "en_GB", 30).plain
    assert "offline 5 of 20\n  €50.00 of €500.00\n  approved 3, deferred 2\n" in words
    assert "deferred 2 of 20\n" in queue_lines(samples.WAITING_QUEUE, "en_GB", 30).plain


async def test_without_a_network_sending_is_a_try(app: CountingApp, counter: FakeCounter) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        counter.show(samples.offline(samples.IDLE))
        await pilot.press("s")
        assert "Trying to send 3 records …" in words_of(app)


# Notices


@pytest.mark.parametrize(
    ("notices", "cleared", "new"),
    [
        ("", "", ""),
        ("a", "", "a"),
        ("a", "a", ""),
        ("ba", "a", "b"),
        ("aa", "a", "a"),
        ("cba", "a", "cb"),
        # The counter keeps a certain number: the oldest go.
        ("dcb", "cba", "d"),
        ("fed", "cba", "fed"),
    ],
)
def test_only_notices_that_came_later_are_new(notices: str, cleared: str, new: str) -> None:
    assert since(tuple(notices), tuple(cleared)) == tuple(new)


@pytest.mark.parametrize("key", ["x", "f9"])
@pytest.mark.parametrize("size", SIZES)
async def test_notices_can_be_put_away(
    app: CountingApp, counter: FakeCounter, size: tuple[int, int], key: str
) -> None:
    async with app.run_test(size=size) as pilot:
        await pilot.press(key)
        assert "There are no notices" in words_of(app)
        counter.show(replace(samples.IDLE, notices=("the second", "the first")))
        await pilot.pause()
        assert "Notices (x clears)" in words_of(app)
        assert "• the second • the first" in text_in(app, NoticesPanel)
        await pilot.press(key)
        await pilot.pause()
        assert not app.screen.query_one(NoticesPanel).display
        assert "There are no notices" not in words_of(app)
        counter.show(replace(counter.view, notices=("the third", "the second", "the first")))
        await pilot.pause()
        assert "• the third" in text_in(app, NoticesPanel)
        assert "the second" not in words_of(app)
        await pilot.press(key, key)
        assert "There are no notices" in words_of(app)
    assert counter.calls == []


# Amounts


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("locale", "shown", "limit"), [("en_GB", "€12.50", "€500.00"), ("de_DE", "12,50 €", "500,00 €")]
)
async def test_amounts_have_one_notation(
    app: CountingApp, counter: FakeCounter, size: tuple[int, int], locale: str, shown: str, limit: str
) -> None:
    async with app.run_test(size=size) as pilot:
        counter.show(replace(samples.in_phase(Phase.ARMED), locale=locale))
        await pilot.pause()
        assert f"{shown} " in words_of(app)
        assert f"of {limit}" in words_of(app)
        assert "EUR" not in words_of(app)
        counter.show(replace(samples.showing_qr(samples.ALIPAY_TEXT), locale=locale))
        await pilot.pause()
        assert f"to pay {shown}" in words_of(app)
        counter.show(replace(samples.with_result("approved"), locale=locale))
        await pilot.press("r", "r")
        counter.show(replace(samples.IDLE, locale=locale))
        await pilot.press("r")
        await pilot.pause()
        if size == (80, 24):
            assert f"Last receipt {shown}" in words_of(app)


def test_no_blank_of_an_amount_is_one_that_fonts_lack() -> None:
    assert amount_text(Money(129900, "EUR"), "fr_CH") == "1 299,00 €"
