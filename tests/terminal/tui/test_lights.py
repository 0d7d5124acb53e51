import pytest

from terminal.tui.widgets.lights import CAPTIONS, Lights
from terminal.view import LightPattern, Phase
from tests.terminal.tui import samples
from tests.terminal.tui.conftest import CountingApp
from tests.terminal.tui.fake_counter import FakeCounter
from tests.terminal.tui.screen_cells import words_of

NONE = (False, False, False, False)
FIRST = (True, False, False, False)
ALL = (True, True, True, True)

PATTERNS = [
    (LightPattern.OFF, NONE, NONE),
    (LightPattern.IDLE, FIRST, NONE),
    (LightPattern.READY, FIRST, FIRST),
    (LightPattern.CARD_READ, ALL, ALL),
    (LightPattern.ERROR, NONE, NONE),
]


def shown(app: CountingApp) -> tuple[bool, ...]:
    return tuple(app.screen.query_one(f"#light-{number}").has_class("-lit") for number in range(1, 5))


@pytest.mark.parametrize(("pattern", "one_turn", "other_turn"), PATTERNS)
async def test_patterns_are_those_of_the_specification(
    app: CountingApp,
    pattern: LightPattern,
    one_turn: tuple[bool, ...],
    other_turn: tuple[bool, ...],
) -> None:
    async with app.run_test() as pilot:
        lights = app.screen.query_one(Lights)
        lights.pattern = pattern
        await pilot.pause()
        assert shown(app) == lights.lit() == one_turn
        assert " ".join(CAPTIONS[pattern].split()) in words_of(app)
        lights.blink()
        await pilot.pause()
        assert shown(app) == lights.lit() == other_turn


def test_every_pattern_has_words() -> None:
    assert set(CAPTIONS) == set(LightPattern)


async def test_the_bell_rings_when_the_card_is_read_and_only_then(
    app: CountingApp, counter: FakeCounter
) -> None:
    async with app.run_test() as pilot:
        rung = []
        for phase in (Phase.ARMED, Phase.READING, Phase.CARD_READ, Phase.CARD_READ, Phase.ASKING):
            counter.show(samples.in_phase(phase))
            await pilot.pause()
            rung.append(app.bells)
        assert rung == [0, 0, 1, 1, 1]
        for name in samples.RESULT_NAMES:
            counter.show(samples.with_result(name))
            await pilot.pause()
        assert app.bells == 1


async def test_card_read_is_not_shown_as_an_approval(app: CountingApp, counter: FakeCounter) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        counter.show(samples.in_phase(Phase.CARD_READ))
        await pilot.pause()
        words = words_of(app)
    assert "not approved yet" in words
    assert "APPROVED" not in words
