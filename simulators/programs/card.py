"""``tillside sim card``: a card behind the real PC/SC daemon."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence

from simulators.programs import cards
from simulators.programs.program import Command, Program, Tell
from simulators.readers.field import Field
from simulators.readers.pcsc_daemon import READER, PcscDaemon, PcscDaemonError
from simulators.readers.virtual_card import PORT, SlotTakenError, VirtualCard


class CardProgram(Program):
    """The virtual reader's slots are numbered from 1; the daemon is started where none runs."""

    words = "a card behind the PC/SC daemon, as pcsc: and any other program see it"

    def __init__(self) -> None:
        super().__init__()
        self._field = Field()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--slot", type=int, choices=(1, 2), default=1, help="of the reader (default: 1)")
        cards.add_place(parser)

    def start(self, options: Namespace, tell: Tell) -> Sequence[str]:
        if options.place:
            self._field.place(cards.card(options.place))
        try:
            self._daemon = self.ends.enter_context(PcscDaemon())
            card = VirtualCard(self._field, PORT + options.slot - 1)
            self.ends.callback(card.stop)
            card.start(wait_s=0.0)
        except PcscDaemonError as error:
            raise RuntimeError(str(error)) from error
        except SlotTakenError as error:
            taken = f"slot {options.slot} is taken by another program"
            raise RuntimeError(f"{taken}: try --slot {3 - options.slot}") from error
        return [f"pcsc:{READER} 00 {options.slot - 1:02d}"]

    @property
    def commands(self) -> Mapping[str, Command]:
        return {
            **cards.commands(self._field),
            "daemon stop": Command(
                "daemon stop", "stop the daemon, if nobody else uses it", lambda _: self._daemon.stop()
            ),
            "daemon start": Command("daemon start", "start it again", lambda _: self._start_daemon()),
        }

    def _start_daemon(self) -> None:
        self._daemon.stop()
        try:
            self._daemon.start()
        except PcscDaemonError as error:
            raise ValueError(str(error)) from error
