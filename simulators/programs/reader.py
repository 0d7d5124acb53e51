"""``tillside sim reader``: a PN532 on a serial line."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence

from simulators.programs import cards
from simulators.programs.program import Command, Program, Tell
from simulators.readers.field import Field
from simulators.readers.pn532_chip import Pn532Chip


class ReaderProgram(Program):
    """One chip, one field."""

    words = "a PN532 reader on a serial line, with a card in its field or without"

    def __init__(self) -> None:
        super().__init__()
        self._field = Field()

    def add_arguments(self, parser: ArgumentParser) -> None:
        cards.add_place(parser)

    def start(self, options: Namespace, tell: Tell) -> Sequence[str]:
        if options.place:
            self._field.place(cards.card(options.place))
        chip = self.ends.enter_context(Pn532Chip(self._field))
        return [f"pn532:{chip.path}"]

    @property
    def commands(self) -> Mapping[str, Command]:
        return cards.commands(self._field)
