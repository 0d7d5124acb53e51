"""The sound card driver on the real miniaudio; its null backend plays in real time to nobody."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace

import miniaudio  # type: ignore[import-untyped]
import pytest

from drivers.address import DeviceAddress
from drivers.errors import DeviceUnavailableError, Reason
from drivers.protocols import Sound
from drivers.sounders import sound_card
from drivers.sounders.sound_card import SoundCard

NULL = DeviceAddress("sound-card", "null")
DEFAULT = DeviceAddress("sound-card", "")
LOUD = (30000).to_bytes(2, "little", signed=True)


@pytest.fixture
def card() -> Iterator[SoundCard]:
    with closing(sound_card.open(NULL)) as device:
        yield device


class Handed:
    """What was handed to the real device, as its thread asked for it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.samples = b""
        self.enough = Event()
        take = sound_card._Playing._take

        def noted(playing: sound_card._Playing, frames: int) -> bytes:
            data = take(playing, frames)
            assert len(data) == 2 * frames
            self.samples += data
            self.enough.set()
            return data

        monkeypatch.setattr(sound_card._Playing, "_take", noted)


def test_every_sample_reaches_the_device_and_silence_follows(
    card: SoundCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed = Handed(monkeypatch)
    samples = bytes(range(256)) * 20
    card.play(Sound(samples), Event())
    assert handed.samples.startswith(samples)
    assert set(handed.samples[len(samples) :]) == {0}
    card.play(Sound(LOUD * 100), Event())
    assert handed.samples.count(LOUD * 100) == 1


def test_a_sound_that_is_stopped_fades_out(card: SoundCard, monkeypatch: pytest.MonkeyPatch) -> None:
    handed, stop = Handed(monkeypatch), Event()
    thread = Thread(target=card.play, args=(Sound(LOUD * 48000 * 30), stop))
    thread.start()
    assert handed.enough.wait(5)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    values = memoryview(handed.samples).cast("h").tolist()
    assert values[0] == 30000
    steps = [abs(after - before) for before, after in pairwise(values)]
    assert max(steps) < 30000 // 20
    assert values[-1] == 0


def test_a_sound_that_was_stopped_before_is_not_played(
    card: SoundCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed, stop = Handed(monkeypatch), Event()
    stop.set()
    card.play(Sound(LOUD * 100), stop)
    card.play(Sound(b""), Event())
    assert handed.samples == b""


def test_the_device_is_opened_once_and_anew_for_another_rate_alone(
    card: SoundCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates: list[int] = []
    device = sound_card._Device

    def opened(**how: int) -> sound_card._Device:
        rates.append(how["sample_rate"])
        return device(**how)

    monkeypatch.setattr(sound_card, "_Device", opened)
    for rate in (48000, 48000, 8000, 8000, 48000):
        card.play(Sound(LOUD * 10, rate), Event())
    assert rates == [8000, 48000]
    assert card.info().details["backend"] == "Null"


def test_closing_from_another_thread_ends_a_sound_with_a_reason(
    card: SoundCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed = Handed(monkeypatch)

    def close() -> None:
        handed.enough.wait(5)
        card.close()

    closer = Thread(target=close)
    closer.start()
    with pytest.raises(DeviceUnavailableError):
        card.play(Sound(LOUD * 48000 * 30), Event())
    closer.join()
    card.close()
    with pytest.raises(DeviceUnavailableError):
        card.info()


def test_a_device_that_takes_no_more_samples_is_given_up(
    card: SoundCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound_card, "_LATE_S", 0.1)
    monkeypatch.setattr(miniaudio.PlaybackDevice, "start", lambda *_: None)
    with pytest.raises(DeviceUnavailableError) as caught:
        card.play(Sound(LOUD * 10), Event())
    assert caught.value.reason is Reason.NOT_FOUND
    with pytest.raises(DeviceUnavailableError):
        card.info()


class TestWithoutSound:
    """Lists of sound devices as miniaudio gives them, which a build machine has none of."""

    @pytest.fixture
    def listed(self, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
        listed: list[dict[str, object]] = [{"name": "Discard all samples (playback)", "id": None}]
        there = SimpleNamespace(backend="ALSA", get_playbacks=lambda: listed)
        monkeypatch.setattr(miniaudio, "Devices", lambda: there)
        return listed

    def test_no_device_is_said_with_the_way_round_it(self, listed: list[dict[str, object]]) -> None:
        with pytest.raises(DeviceUnavailableError) as caught:
            sound_card.open(DEFAULT)
        assert caught.value.reason in (Reason.NOT_FOUND, Reason.NO_PERMISSION)
        where = 'sounders = ["sound-card:null"] under [devices] in tillside.toml'
        assert where in caught.value.hint or "usermod" in caught.value.hint
        assert sound_card.discover() == ()

    def test_another_name_lists_what_is_there(self, listed: list[dict[str, object]]) -> None:
        listed += [{"name": "HDA Intel", "id": None}, {"name": "USB Audio", "id": None}]
        with pytest.raises(DeviceUnavailableError) as caught:
            sound_card.open(DeviceAddress("sound-card", "Bluetooth"))
        assert caught.value.hint.endswith("HDA Intel, USB Audio")
        found = [str(address) for address in sound_card.discover()]
        assert found == ["sound-card:HDA Intel", "sound-card:USB Audio"]

    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            (miniaudio.lib.MA_BUSY, Reason.BUSY),
            (miniaudio.lib.MA_ACCESS_DENIED, Reason.NO_PERMISSION),
        ],
    )
    def test_what_the_library_says_becomes_a_reason(
        self,
        listed: list[dict[str, object]],
        monkeypatch: pytest.MonkeyPatch,
        code: int,
        reason: Reason,
    ) -> None:
        def refuses(**_: object) -> None:
            raise miniaudio.MiniaudioError("failed to init device", code)

        listed.append({"name": "USB Audio", "id": None})
        monkeypatch.setattr(sound_card, "_Device", refuses)
        with pytest.raises(DeviceUnavailableError) as caught:
            sound_card.open(DEFAULT)
        assert caught.value.reason is reason
        assert caught.value.hint

    def test_a_card_that_comes_or_goes_asks_for_a_new_opening(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        cards = tmp_path / "cards"
        cards.write_text(" 0 [Device]: USB-Audio\n")
        monkeypatch.setattr(sound_card, "_CARDS", cards)
        real = sound_card._started(NULL, None, 48000)
        with closing(SoundCard(DEFAULT, "default sound device", None, real)) as card:
            assert card.info().name == "default sound device"
            cards.write_text("--- no soundcards ---\n")
            with pytest.raises(DeviceUnavailableError) as caught:
                card.info()
            assert "aplay -l" in caught.value.hint


def test_looking_for_sound_writes_nothing_over_the_screen() -> None:
    code = (
        "from drivers.address import DeviceAddress as A\n"
        "from drivers.errors import DeviceUnavailableError\n"
        "from drivers.sounders import sound_card as s\n"
        "s.discover()\n"
        "try: s.open(A('sound-card', '')).close()\n"
        "except DeviceUnavailableError: pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=os.environ)
    assert done.stderr == b""
    assert done.stdout == b""
