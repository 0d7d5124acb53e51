"""``tillside sim scanner``: a code scanner on a serial line."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence

from simulators.programs.program import Command, Program, Tell
from simulators.serial_scanner import SerialScanner

_ENDS = {"cr": "\r", "lf": "\n", "crlf": "\r\n"}


class ScannerProgram(Program):
    """Whatever is typed is scanned."""

    words = "a code scanner on a serial line: each line that you type is scanned"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--end", choices=tuple(_ENDS), default="cr", help="what it sends after a code (cr)"
        )

    def start(self, options: Namespace, tell: Tell) -> Sequence[str]:
        self._end = _ENDS[options.end]
        self._scanner = self.ends.enter_context(SerialScanner())
        return [self._scanner.address]

    @property
    def commands(self) -> Mapping[str, Command]:
        return {"": Command("TEXT", "scan a code that says TEXT", self.do)}

    def do(self, line: str) -> None:
        try:
            self._scanner.scan(line, self._end)
        except BlockingIOError:
            raise ValueError("nobody reads what was scanned: start the terminal") from None
