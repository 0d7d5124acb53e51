"""The demo's end of `terminal.demo.victim`: a process that is there to be killed."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT
from types import TracebackType

from terminal.view import Phase


class VictimError(Exception):
    """The terminal ended by itself; the message has its last words."""


class VictimProcess:
    """The process, from its start until it is killed: ``async with VictimProcess(...) as victim:``."""

    def __init__(self, home: Path, reader: str, amount: str) -> None:
        self._arguments = ("--home", str(home), "--reader", reader, "--amount", amount)
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> VictimProcess:
        # In a session of its own: a Ctrl-C is for the demo, which ends it.
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "terminal.demo.victim", *self._arguments),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            start_new_session=True,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def until_armed(self) -> None:
        """Wait until it waits for a card. Raises VictimError."""
        if self._process is None or self._process.stdout is None:
            raise AssertionError("not started")
        last = "it said nothing"
        while line := await self._process.stdout.readline():
            last = line.decode(errors="replace").strip() or last
            if last == Phase.ARMED.value:
                return
        raise VictimError(last)
