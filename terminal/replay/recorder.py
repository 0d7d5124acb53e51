"""Keeps what a card and the terminal say to each other in a tap."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from drivers.protocols import Card
from emv.background import Background
from emv.config import EmvConfig
from emv.kernel import Transaction
from emv.outcome import Outcome, UiRequest
from emv.sensitive import SensitiveBytes
from emv.tags import Tag
from emv.terminal_data import terminal_data
from terminal.payment.tap import Tap
from terminal.replay.transcript import Exchange, Transcript
from terminal.replay.verdict import verdict

_NOT_YET = {Tag.TVR, Tag.TSI, Tag.AID_TERMINAL}
"""What a terminal finds out in the tap."""


class RecordingCard:
    """A card in the field with someone who writes along."""

    def __init__(self, card: Card) -> None:
        self._card = card
        self.exchanges: list[Exchange] = []

    @property
    def identification(self) -> bytes:
        """The card's."""
        return self._card.identification

    def transceive(self, capdu: bytes, *, timeout_s: float) -> bytes:
        """Send one command, and keep it with the answer; without one if the card is lost."""
        began = time.perf_counter()
        rapdu: bytes | None = None
        try:
            rapdu = self._card.transceive(capdu, timeout_s=timeout_s)
            return rapdu
        finally:
            ms = round((time.perf_counter() - began) * 1000, 3)
            answer = None if rapdu is None else SensitiveBytes(rapdu)
            self.exchanges.append(Exchange(len(self.exchanges) + 1, capdu, answer, ms))

    def release(self) -> None:
        """Let the card go."""
        self._card.release()


@dataclass(frozen=True, slots=True)
class Terminal:
    """The terminal that records.

    Args:
        config: What it takes.
        emv: The text of its EMV configuration.
        shop: What stands for "shop" in it.
        reader: The reader's address.
    """

    config: EmvConfig
    emv: str
    shop: Mapping[str, Any]
    reader: str


def record(
    card: Card, terminal: Terminal, transaction: Transaction, now: datetime
) -> tuple[Transcript, Outcome]:
    """Do one tap with a card in the field; return the recording, with all card data, and the outcome."""
    recording = RecordingCard(card)
    tap = Tap(terminal.config, lambda: transaction, _show, Background())
    outcome = tap.present(recording, lambda: None)
    told = terminal_data(terminal.config, transaction, aid=b"")
    transcript = Transcript(
        id=now.strftime("tap-%Y%m%d-%H%M%S"),
        exchanges=tuple(recording.exchanges),
        recorded=now.isoformat(timespec="milliseconds"),
        reader=terminal.reader,
        data={tag: value for tag, value in told.items() if tag not in _NOT_YET},
        emv=terminal.emv,
        shop=terminal.shop,
        outcome=verdict(outcome),
    )
    return transcript, outcome


def _show(request: UiRequest, words: str) -> None:
    """The command says itself what came of it."""
