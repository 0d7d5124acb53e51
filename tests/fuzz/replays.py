"""Replays of recorded taps in which something is missing, or was written down wrong."""

from __future__ import annotations

import json
from functools import cache

from emv.apdu import Exchange as Apdus
from emv.entry_point import EntryPoint
from emv.kernel import Begin, CardAnswered, CardLost, SendCommand
from emv.sensitive import SensitiveBytes
from emv.tags import Source, Tag
from terminal.replay.replay import replay
from terminal.replay.transcript import CONTACT, CONTACTLESS, Exchange, Transcript, parse
from tests.fuzz.choices import Choices
from tests.fuzz.mutation import Way
from tests.fuzz.taps import CARDS, Honest, no_numbers
from tests.fuzz.terminals import PAYMENTS, TERMINALS

_TOLD = sorted(int(tag) for tag in Tag if tag.info.source is not Source.CARD)
"""What a recording may say of its terminal."""


@cache
def recorded(name: str) -> tuple[tuple[bytes, bytes | None], ...]:
    """Return what was said in an honest tap of a simulated card."""
    card, lines = Honest(name), []
    card.power_on()
    machine = EntryPoint(TERMINALS[0])
    last = machine.handle(Begin(PAYMENTS[0]))[-1]
    while isinstance(last, SendCommand):
        exchange = Apdus(last.command)
        raw: bytes | None = exchange.first()
        answer: bytes | None = b""
        while raw is not None and answer is not None:
            answer = card.transmit(raw)
            lines.append((raw, answer))
            raw = None if answer is None else exchange.next(answer)
        last = machine.handle(CardLost() if answer is None else CardAnswered(exchange.response))[-1]
    return tuple(lines)


def run(data: bytes) -> None:
    """Replay a recording: it comes to an outcome with a reason, and tells no card number."""
    choices = Choices(data)
    lines = recorded(choices.pick(CARDS))
    flags = choices.byte()
    exchanges = tuple(_exchanges(lines, choices))
    told = {choices.pick(_TOLD): choices.value() for _ in range(choices.byte() & 0x03)}
    one = Transcript(
        id="made up",
        exchanges=exchanges,
        interface=CONTACT if flags & 1 else CONTACTLESS,
        masked=bool(flags & 2),
        data=told,
    )
    assert parse(json.dumps(one.as_json()))[0].exchanges == one.exchanges
    found = replay(one, TERMINALS[(flags >> 2) % len(TERMINALS)])
    assert found.reason
    text = json.dumps(found.as_json(), ensure_ascii=False)
    if found.outcome.pan is not None and not found.outcome.label:
        no_numbers(text, [found.outcome.pan.reveal()])


def _exchanges(lines: tuple[tuple[bytes, bytes | None], ...], choices: Choices) -> list[Exchange]:
    found: list[Exchange] = []
    way = Way(choices)
    before = [answer for _, answer in lines if answer is not None]
    for command, answer in lines:
        what = choices.byte()
        if what & 0x0F == 0x0F:
            continue
        if what & 0x0F == 0x0E:
            command = choices.take(choices.byte() & 0x3F) if what & 0x10 else b""
        arrived = None if answer is None else way.arrives(answer, before)
        found.append(
            Exchange(
                number=len(found) + 1,
                command=command or None,
                answer=None if arrived is None or len(arrived) < 2 else SensitiveBytes(arrived),
                ms=choices.pick((None, 0.0, 12.5, 1e7)) if what & 0x80 else None,
            )
        )
    return found or [Exchange(1, b"\x00\xa4\x04\x00\x00", None)]
