"""What customers see and hear, on real workers; the till never waits for it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Event, Thread

import pytest

from drivers.displays.serial_display import SerialDisplay
from drivers.errors import DeviceUnavailableError, Reason
from drivers.protocols import CustomerDisplay, Sound
from simulators.sounder import EARS
from terminal.benches.test_page import test_lines
from terminal.devices.worker import DeviceWorker
from terminal.peripherals.sounds import STALE_S, Sounds, heard
from terminal.view import LightPattern, Phase
from terminal.voice.tones import Tone, sound
from tests.terminal.peripherals.conftest import Around, result
from tests.terminal.tui.samples import IDLE, in_phase

ARMED, READ, ASKING = (in_phase(phase) for phase in (Phase.ARMED, Phase.CARD_READ, Phase.ASKING))


def reads(*words: str) -> Callable[[tuple[str, ...]], bool]:
    return lambda lines: all(word in line for word, line in zip(words, lines, strict=False))


def settled(worker: DeviceWorker[CustomerDisplay]) -> None:
    """Wait until the display has nothing left to do."""
    worker.submit(lambda *_: True).future.result(10)


def tones() -> list[Tone]:
    return [next(tone for tone in Tone if sound(tone) == each) for each in EARS.heard]


def test_a_sale_as_the_customer_reads_it(till: Around) -> None:
    for view, words in [
        (IDLE, ("Corner Market", "Welcome")),
        (ARMED, ("EUR12.50", "")),
        (READ, ("Total", "remove it")),
        (ASKING, ("Total", "remove it")),
        (result("approved", "T1-1"), ("Approved", "EUR12.50")),
        (IDLE, ("Corner Market", "Welcome")),
    ]:
        till.show(view)
        assert till.pole.wait_for(reads(*words)), till.pole.lines
    assert till.pole.unknown == ()


def test_a_sale_as_it_sounds(till: Around) -> None:
    for view in (IDLE, ARMED, READ, ASKING, result("approved", "T1-1"), result("approved", "T1-1"), IDLE):
        till.show(view)
    assert EARS.wait_for(lambda played: len(played) == 2)
    till.show(result("unknown", "T1-2"))
    assert EARS.wait_for(lambda played: len(played) == 3)
    assert tones() == [Tone.CARD_READ, Tone.APPROVED, Tone.UNKNOWN]


@pytest.mark.parametrize(
    ("name", "tone"),
    [
        ("approved", Tone.APPROVED),
        ("approved-offline", Tone.APPROVED_OFFLINE),
        ("deferred", Tone.APPROVED_OFFLINE),
        ("declined", Tone.DECLINED),
        ("unknown", Tone.UNKNOWN),
    ],
)
def test_each_result_is_heard_once(name: str, tone: Tone) -> None:
    done = result(name, "T1-1")
    assert heard(ASKING, done) is tone
    assert heard(done, replace(done, online=False)) is None
    assert heard(done, IDLE) is None


def test_a_result_that_follows_a_result_is_heard() -> None:
    declined, late = result("declined", "T1-1"), result("approved", "T1-1")
    assert heard(declined, late) is Tone.APPROVED
    assert heard(declined, result("declined", "T1-2")) is Tone.DECLINED


def test_the_reader_alerts_and_beeps_once_each() -> None:
    error = replace(ARMED, lights=LightPattern.ERROR)
    assert heard(ARMED, error) is Tone.ALERT
    assert heard(error, ARMED) is None
    assert heard(ARMED, READ) is Tone.CARD_READ
    assert heard(READ, ASKING) is None


def test_what_an_earlier_run_left_on_the_screen_is_silent(till: Around) -> None:
    till.show(result("approved", "T1-1"))
    till.show(IDLE)
    till.show(result("declined", "T1-2"))
    assert EARS.wait_for(lambda played: len(played) == 1)
    assert tones() == [Tone.DECLINED]


def test_a_display_that_was_plugged_in_again_shows_what_it_showed(till: Around) -> None:
    till.show(ARMED)
    assert till.pole.wait_for(reads("Total"))
    till.unplug()
    till.wait(lambda: till.state("display") == "not found")
    till.show(ARMED)  # the counter publishes a view when a device changes, here
    till.plug_in()
    till.wait(lambda: till.state("display").startswith("pole display"))
    till.show(ARMED)  # and here
    assert till.pole.wait_for(reads("Total")), till.pole.lines


def test_a_display_that_was_restarted_shows_what_it_showed(till: Around) -> None:
    till.show(ARMED)
    assert till.pole.wait_for(reads("Total"))
    worker = till.pool.displays[0]
    settled(worker)  # what it is at would be done again
    worker.restart()
    till.wait(lambda: worker.opened == 2)
    assert till.pole.wait_for(lambda lines: not any(line.strip() for line in lines)), "it was emptied"
    till.show(ARMED)  # the counter publishes a view when a device changes
    assert till.pole.wait_for(reads("Total")), till.pole.lines


def test_a_view_without_news_is_not_drawn_again_and_a_technicians_test_is_drawn_over(till: Around) -> None:
    till.show(ARMED)
    assert till.pole.wait_for(reads("Total"))
    settled(till.pool.displays[0])
    test = till.pool.displays[0].submit(lambda display, _: display.show(test_lines(*display.size)))
    test.future.result(10)
    till.show(replace(ARMED, online=False))
    settled(till.pool.displays[0])
    assert till.pole.wait_for(reads("1234567890"))
    till.display.redraw()
    assert till.pole.wait_for(reads("Total")), till.pole.lines


def test_what_changed_while_a_display_was_away_is_shown_at_once(till: Around) -> None:
    till.show(ARMED)
    assert till.pole.wait_for(reads("Total"))
    till.unplug()
    till.wait(lambda: till.state("display") == "not found")
    till.show(READ)
    till.show(IDLE)
    till.plug_in()
    assert till.pole.wait_for(reads("Corner Market", "Welcome")), till.pole.lines


def test_a_slow_display_is_given_the_newest_words_alone_and_holds_up_nobody(till: Around) -> None:
    begun, go_on, shown = Event(), Event(), []

    class Slow:
        size = (20, 2)

        def show(self, lines: tuple[str, ...]) -> None:
            begun.set()
            go_on.wait(5)
            shown.append(lines[0].strip())

    slow: CustomerDisplay = Slow()  # type: ignore[assignment]  # as much of one as is needed
    lease: object = type("Lease", (), {"beat": lambda *_: None})()
    till.display._view = ARMED
    till.display._waits = True
    drawing = Thread(target=till.display._draw, args=(slow, lease))
    drawing.start()
    assert begun.wait(5)
    for view in (READ, ASKING, result("approved", "T1-1"), IDLE):
        till.show(view)
    go_on.set()
    drawing.join(5)
    assert shown == ["Total         €12.50", "Corner Market"]


def test_lines_that_got_half_out_are_drawn_with_the_next_view(
    till: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    show, faults = SerialDisplay.show, [Reason.NOT_FOUND]

    def cut(self: SerialDisplay, lines: Sequence[str]) -> None:
        if faults:
            raise DeviceUnavailableError(self.address, faults.pop(), "plug it in", started=True)
        show(self, lines)

    monkeypatch.setattr(SerialDisplay, "show", cut)
    till.show(ARMED)
    till.wait(lambda: till.pool.displays[0].opened == 2)
    till.show(ARMED)
    assert till.pole.wait_for(reads("Total")), till.pole.lines


def test_a_sound_that_is_late_is_left_out(till: Around) -> None:
    now_s = [100.0]
    sounds = Sounds(till.pool.sounders, lambda: now_s[0])
    held = Event()
    blocker = till.pool.sounders[0].submit(lambda _, lease: held.wait(5))
    till.wait(lambda: till.pool.views()[-1].state == "busy")
    sounds.play(Tone.APPROVED)
    now_s[0] += STALE_S + 0.1
    held.set()
    blocker.future.result(5)
    sounds.play(Tone.DECLINED)
    assert EARS.wait_for(lambda played: len(played) == 1)
    assert tones() == [Tone.DECLINED]


def test_nothing_is_kept_for_a_sounder_that_is_away(around: Around) -> None:
    around.show(ARMED)
    around.show(READ)
    around.start()
    around.sounds.play(Tone.ALERT)
    assert EARS.wait_for(lambda played: len(played) == 1)
    assert tones() == [Tone.ALERT]


def test_tones_are_made_before_they_are_needed(till: Around) -> None:
    sound.cache_clear()
    till.sounds.prepare()
    done = till.pool.sounders[0].submit(lambda *_: sound.cache_info().currsize)
    assert done.future.result(10) == len(Tone)
    assert isinstance(sound(Tone.ALERT), Sound)
