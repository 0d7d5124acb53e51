"""What every sounder must do. With ``--sounder ADDRESS`` a real one plays aloud: three short tones."""

from collections.abc import Iterator
from contextlib import closing
from threading import Event, Thread

import pytest

from drivers import registry
from drivers.address import parse
from drivers.errors import DeviceUnavailableError
from drivers.protocols import Sound, Sounder
from simulators.sounder import EARS
from terminal.voice.tones import Tone, sound

SIMULATED = ("sim:", "sound-card:null")
LONG_S = 60


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "sounder" in metafunc.fixturenames:
        addresses = metafunc.config.getoption("--sounder") or SIMULATED
        metafunc.parametrize("sounder", addresses, indirect=True)


@pytest.fixture
def sounder(request: pytest.FixtureRequest) -> Iterator[Sounder]:
    EARS.clear()
    with closing(registry.open_sounder(parse(request.param))) as device:
        yield device


def test_says_what_it_is(sounder: Sounder) -> None:
    assert sounder.info().name


def test_plays_one_sound_after_another(sounder: Sounder) -> None:
    short = Sound(sound(Tone.APPROVED).samples[: 2 * 4800])
    for _ in range(3):
        sounder.play(short, Event())
    assert sounder.info().name
    assert EARS.heard in ((), (short,) * 3)


def test_a_sound_ends_soon_after_stop(sounder: Sounder) -> None:
    stop = Event()
    playing = Thread(target=sounder.play, args=(Sound(bytes(2 * 8000 * LONG_S), 8000), stop))
    playing.start()
    stop.set()
    playing.join(LONG_S / 6)
    assert not playing.is_alive()


def test_stopped_before_it_begins_nothing_is_played(sounder: Sounder) -> None:
    stop = Event()
    stop.set()
    sounder.play(Sound(bytes(2 * 8000 * LONG_S), 8000), stop)
    assert EARS.heard == ()


def test_opened_again_it_goes_on(sounder: Sounder) -> None:
    sounder.close()
    sounder.close()
    with pytest.raises(DeviceUnavailableError) as caught:
        sounder.info()
    assert caught.value.hint
    with closing(registry.open_sounder(sounder.address)) as again:
        again.play(Sound(bytes(200)), Event())
