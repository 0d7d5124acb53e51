"""What is remembered of a tap, and what the reader's own lights and buzzer do meanwhile."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from drivers.abilities import Signal
from drivers.errors import SeveralCardsError, TransmissionError
from emv.outcome import MessageId, UiStatus
from simulators.cards import profile
from simulators.readers.field import Field
from simulators.readers.in_process import InProcessCard
from terminal.payment import tap
from terminal.payment.tap import ONE_CARD, Tap, Tapped
from terminal.payment.tap_trace import KEPT, TapLog, TapTrace
from tests.terminal.payment.taps import CONFIG, Counter, Reader


class LitReader(Reader):
    """A reader with lights of its own."""

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        self.signals: list[Signal] = []

    def signal(self, signal: Signal) -> None:
        self.signals.append(signal)


class CrowdedReader(Reader):
    """Two cards at the first looks; then the customer holds one."""

    crowded = 3

    def wait_for_card(self, stop: threading.Event, *, timeout_s: float) -> InProcessCard | None:
        if self.crowded:
            self.crowded -= 1
            raise SeveralCardsError("two cards")
        return super().wait_for_card(stop, timeout_s=timeout_s)


def run(reader: Reader, counter: Counter, taps: TapLog) -> Tapped | None:
    return Tap(CONFIG, counter._transaction, counter._show, taps=taps).run(reader, counter.lease)


def test_a_tap_is_remembered_with_the_time_of_each_command_and_no_card_number(field: Field) -> None:
    taps, counter = TapLog(), Counter()
    field.place(profile.load("visa-approve"))
    tapped = run(Reader(field), counter, taps)
    (trace,) = taps.newest_first()
    assert tapped is not None
    assert trace.outcome == tapped.outcome.kind.value
    assert trace.reader == "sim:"
    assert trace.identification
    assert [line.text.split("\n")[0].split()[5] for line in trace.commands[:3]] == [
        "SELECT",
        "SELECT",
        "GET",
    ]
    assert all(line.card_ms > 0 for line in trace.commands)
    assert sum(line.card_ms for line in trace.commands) == pytest.approx(trace.card_ms)
    assert trace.total_ms >= trace.card_ms
    assert tapped.outcome.pan is not None
    assert tapped.outcome.pan.reveal() not in repr(trace).replace(" ", "")


def test_the_last_taps_are_kept_and_told() -> None:
    taps, told = TapLog(), list[TapTrace]()
    end = taps.listen(told.append)
    for number in range(KEPT + 5):
        taps.add(
            TapTrace(datetime(2026, 7, 1, tzinfo=UTC), "sim:", "", (), "approved", f"{number}", 1.0, 2.0)
        )
    end()
    taps.add(told[0])
    assert len(told) == KEPT + 5
    assert [trace.reason for trace in taps.newest_first()][:2] == ["0", f"{KEPT + 4}"]
    assert len(taps.newest_first()) == KEPT


def test_the_readers_own_lights_follow_the_tap(field: Field) -> None:
    reader = LitReader(field)
    field.place(profile.load("visa-approve"))
    run(reader, Counter(), TapLog())
    assert reader.signals == [Signal.READY, Signal.CARD_READ, Signal.IDLE]


@pytest.mark.parametrize("error", [TransmissionError("no lights"), OSError("no lights"), KeyError("x")])
def test_lights_that_fail_fail_no_payment(
    field: Field, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(self: LitReader, signal: Signal) -> None:
        raise error

    monkeypatch.setattr(LitReader, "signal", fail)
    field.place(profile.load("visa-approve"))
    counter = Counter()
    assert run(LitReader(field), counter, TapLog()) is not None
    assert len(counter.transactions) == 1


@pytest.mark.parametrize("broken", ["listener", "release"])
def test_what_fails_after_the_cards_answer_does_not_ask_the_card_again(
    field: Field, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    taps, counter = TapLog(), Counter()
    if broken == "listener":
        taps.listen(fail)
    else:
        monkeypatch.setattr(InProcessCard, "release", fail)
    field.place(profile.load("visa-approve"))
    assert run(Reader(field), counter, taps) is not None
    assert len(counter.transactions) == 1


def test_of_several_cards_one_is_asked_for_once(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tap, "AGAIN_S", 0.001)
    counter = Counter()
    field.place(profile.load("visa-approve"))
    assert run(CrowdedReader(field), counter, TapLog()) is not None
    assert counter.shown.count((MessageId.PRESENT_ONE_CARD, UiStatus.READY_TO_READ)) == 1
    assert counter.words == [ONE_CARD]
