"""The tones, measured: frequencies by FFT, and whether people could take one for another."""

from itertools import combinations, groupby, pairwise
from pathlib import Path

import numpy as np
import pytest

from drivers.protocols import Sound
from simulators.sounder import write_wave
from terminal.view import Outcome
from terminal.voice.tones import LOUDNESS, NOTES, Tone, sound, tone_of

WINDOW_S = 0.02
HEARD_WELL_HZ = 800


def samples(sound: Sound) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.frombuffer(sound.samples, "<i2").astype(np.float64)


def strongest_hz(part: "np.ndarray[tuple[int], np.dtype[np.float64]]", rate_hz: int) -> float:
    """Return the strongest frequency, to a hertz; 0 where there is silence."""
    if np.abs(part).max(initial=0) < 300:
        return 0.0
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), rate_hz))
    return float(spectrum.argmax())


def measured(tone: Tone) -> list[tuple[float, float]]:
    """Return frequency and duration of each note, as a listener with a stopwatch would."""
    played = sound(tone)
    wave, rate = samples(played), played.rate_hz
    size = round(WINDOW_S * rate)
    windows = [strongest_hz(wave[at : at + size], rate) for at in range(0, len(wave) - size + 1, size)]
    notes = [(hz, WINDOW_S * len(list(same))) for hz, same in groupby(windows, lambda hz: round(hz / 40))]
    return [(hz * 40, duration) for hz, duration in notes if duration > 2 * WINDOW_S]


def test_the_card_read_tone_is_emvs() -> None:
    played = sound(Tone.CARD_READ)
    assert strongest_hz(samples(played), played.rate_hz) == pytest.approx(1500, abs=1)
    assert played.duration_s == pytest.approx(0.5)


def test_the_alert_is_emvs_two_beeps() -> None:
    assert [round(hz / 40) for hz, _ in measured(Tone.ALERT)] == [19, 0, 19]
    played = sound(Tone.ALERT)
    wave, beep = samples(played), round(0.2 * played.rate_hz)
    assert strongest_hz(wave[:beep], played.rate_hz) == pytest.approx(750, abs=3)
    assert not wave[beep : 2 * beep].any()
    assert strongest_hz(wave[2 * beep :], played.rate_hz) == pytest.approx(750, abs=3)


@pytest.mark.parametrize("tone", Tone)
def test_each_note_has_its_frequency(tone: Tone) -> None:
    played, at = sound(tone), 0
    wave = samples(played)
    for note in NOTES[tone]:
        size = round(note.duration_s * played.rate_hz)
        heard = strongest_hz(wave[at : at + size], played.rate_hz)
        assert heard == pytest.approx(note.frequency_hz, abs=4)
        at += size
    assert at == len(wave)


@pytest.mark.parametrize("tone", Tone)
def test_nothing_clips_and_nothing_clicks(tone: Tone) -> None:
    wave = samples(sound(tone))
    assert np.abs(wave).max() <= LOUDNESS * 32767 + 1
    assert abs(wave[0]) < 50
    assert abs(wave[-1]) < 50
    # Where a note begins and ends the wave moves no further than within notes, but slowly.
    at = 0
    for note in NOTES[tone]:
        size = round(note.duration_s * 48000)
        assert np.abs(wave[at : at + 10]).max() < 700
        assert np.abs(wave[at + size - 10 : at + size]).max() < 700
        at += size


@pytest.mark.parametrize("tone", Tone)
def test_each_is_loud_enough_to_be_heard(tone: Tone) -> None:
    wave = samples(sound(tone))
    assert np.sqrt(np.mean(wave[np.abs(wave) > 0] ** 2)) > 0.15 * 32767


def direction(tone: Tone) -> tuple[int, ...]:
    """Return where the notes go: up, down or the same; what is left to somebody without an ear for pitch."""
    heard = [hz for hz, _ in measured(tone) if hz]
    return tuple(int(np.sign(after - before)) for before, after in pairwise(heard))


@pytest.mark.parametrize(("one", "other"), list(combinations(Tone, 2)))
def test_no_two_are_alike(one: Tone, other: Tone) -> None:
    rhythm = [[round(duration, 1) for _, duration in measured(tone)] for tone in (one, other)]
    assert rhythm[0] != rhythm[1]
    assert direction(one) != direction(other) or {one, other} & {Tone.CARD_READ, Tone.ALERT}


@pytest.mark.parametrize("outcome", Outcome)
def test_results_are_in_the_range_that_people_keep(outcome: Outcome) -> None:
    notes = NOTES[tone_of(outcome)]
    assert 250 < max(note.frequency_hz for note in notes) < HEARD_WELL_HZ
    assert len(notes) > 1


def test_each_result_has_a_tone_of_its_own_and_none_is_that_of_a_card_read() -> None:
    tones = {tone_of(outcome) for outcome in Outcome}
    assert len(tones) == 4
    assert not tones & {Tone.CARD_READ, Tone.ALERT}


def test_a_tone_can_be_written_for_people_to_hear(tmp_path: Path) -> None:
    write_wave(tmp_path / "approved.wav", sound(Tone.APPROVED))
    assert (tmp_path / "approved.wav").stat().st_size == len(sound(Tone.APPROVED).samples) + 44
