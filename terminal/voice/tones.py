"""The tones of the terminal, as samples. Pure.

Two come from EMV: a card that was read sounds at 1500 Hz for half a second, and the alert is 750 Hz
twice. **Read is not approved**: no result has these tones.

The four results are told apart by rhythm and direction, not by pitch alone, and stay below 800 Hz,
where people keep their hearing longest: approved is two notes that rise, approved offline goes up and
comes back, declined is two long low notes that fall, and unknown is an alarm that goes to and fro.
Overtones make them heard from a loudspeaker that is too small for their lowest notes.

Spec: EMV Contactless Book A, audio indications: success tone about 1500 Hz for 500 ms, alert tone
750 Hz for 200 ms twice, 200 ms apart.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from enum import Enum
from functools import cache

from drivers.protocols import Sound
from terminal.view import Outcome

RATE_HZ = 48000
RAMP_S = 0.008
"""How long each note takes to swell and to fade: one that begins or ends at once clicks."""
LOUDNESS = 0.7
"""The highest sample, as a part of the largest that there is: room for what mixes it with other sound."""

_PURE = (1.0,)
_FULL = (1.0, 0.4, 0.25)
"""Strengths of a note and its overtones at two and three times its frequency."""


@dataclass(frozen=True, slots=True)
class Note:
    """One note; 0 Hz is silence."""

    frequency_hz: float
    duration_s: float


class Tone(Enum):
    """What there is to be heard."""

    CARD_READ = "card read"
    ALERT = "alert"
    APPROVED = "approved"
    APPROVED_OFFLINE = "approved offline"
    DECLINED = "declined"
    UNKNOWN = "unknown"


_C4, _E4, _G4, _A4, _C5, _G5 = 261.6, 329.6, 392.0, 440.0, 523.3, 784.0

NOTES: dict[Tone, tuple[Note, ...]] = {
    Tone.CARD_READ: (Note(1500, 0.5),),
    Tone.ALERT: (Note(750, 0.2), Note(0, 0.2), Note(750, 0.2)),
    Tone.APPROVED: (Note(_C5, 0.14), Note(_G5, 0.36)),
    Tone.APPROVED_OFFLINE: (Note(_C5, 0.14), Note(_G5, 0.14), Note(0, 0.08), Note(_C5, 0.36)),
    Tone.DECLINED: (Note(_G4, 0.3), Note(_C4, 0.6)),
    Tone.UNKNOWN: (
        *(Note(_A4, 0.13), Note(_E4, 0.13)) * 3,
        Note(0, 0.12),
        *(Note(_A4, 0.13), Note(_E4, 0.13)),
    ),
}
_BY_OUTCOME = {
    Outcome.APPROVED: Tone.APPROVED,
    Outcome.APPROVED_OFFLINE: Tone.APPROVED_OFFLINE,
    Outcome.DECLINED: Tone.DECLINED,
    Outcome.UNKNOWN: Tone.UNKNOWN,
}


def tone_of(outcome: Outcome) -> Tone:
    """Return what a result sounds like."""
    return _BY_OUTCOME[outcome]


@cache
def sound(tone: Tone) -> Sound:
    """Return a tone's samples: made once, which takes some 30 ms."""
    strengths = _PURE if tone in (Tone.CARD_READ, Tone.ALERT) else _FULL
    samples = array("h")
    for note in NOTES[tone]:
        samples.extend(_samples(note, strengths))
    return Sound(samples.tobytes(), RATE_HZ)


def _samples(note: Note, strengths: tuple[float, ...]) -> list[int]:
    count = round(note.duration_s * RATE_HZ)
    if not note.frequency_hz:
        return [0] * count
    ramp = round(RAMP_S * RATE_HZ)
    peak = LOUDNESS * 32767 / sum(strengths)
    turn = 2 * math.pi * note.frequency_hz / RATE_HZ
    samples = []
    for at in range(count):
        wave = sum(part * math.sin(turn * number * at) for number, part in enumerate(strengths, 1))
        edge = min(at, count - 1 - at)
        swell = 0.5 - 0.5 * math.cos(math.pi * edge / ramp) if edge < ramp else 1.0
        samples.append(round(peak * swell * wave))
    return samples
