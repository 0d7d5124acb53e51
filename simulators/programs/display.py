"""``tillside sim display``: a pole display on a serial line."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from simulators.display import PoleDisplay
from simulators.programs.program import Program, Tell


class DisplayProgram(Program):
    """Its rows are printed as they change."""

    words = "a customer display on a serial line; its rows are printed as they change"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--protocol", choices=("cd5220", "escpos"), default="cd5220", help="(default: cd5220)"
        )

    def start(self, options: Namespace, tell: Tell) -> Sequence[str]:
        self._tell = tell
        self._shown: tuple[str, ...] = ()
        self._display = PoleDisplay(options.protocol, on_change=self._changed)
        self.ends.enter_context(self._display)
        return [self._display.address]

    def _changed(self) -> None:
        lines = self._display.lines
        if lines != self._shown and any(line.strip() for line in (*lines, *self._shown)):
            self._tell("display", " | ".join(lines))
        self._shown = lines

    def do(self, line: str) -> None:
        raise ValueError("a display takes no commands")
