"""``tillside sim keyboard``: a scanner that types, as an input device of this machine."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence

from simulators.keyboard import KeyboardScanner
from simulators.programs.program import Command, Program, Tell

_ENDS = {"enter": "ENTER", "tab": "TAB", "none": ""}


class KeyboardProgram(Program):
    """Needs uinput. Whoever has not grabbed it gets what it types: start the terminal first."""

    words = "a code scanner that types like a keyboard: each line that you type is scanned"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--end", choices=tuple(_ENDS), default="enter", help="the key after a code (enter)"
        )

    def start(self, options: Namespace, tell: Tell) -> Sequence[str]:
        self._end = _ENDS[options.end]
        if missing := KeyboardScanner.missing():
            raise RuntimeError(f"this machine simulates no keyboard: {missing}")
        self._scanner = self.ends.enter_context(KeyboardScanner())
        return [self._scanner.address]

    @property
    def commands(self) -> Mapping[str, Command]:
        return {"": Command("TEXT", "type a code that says TEXT", self.do)}

    def do(self, line: str) -> None:
        try:
            self._scanner.scan(line, self._end)
        except KeyError as error:
            raise ValueError(f"a keyboard does not type {error}") from None
