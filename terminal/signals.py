"""Ends a command at a signal as tidily as a key would end it, and only then tells which signal it was.

Theory of operation: the first of SIGHUP (the window is closed), SIGINT and SIGTERM begins the end.
Before an event loop runs it raises `Signalled` where it comes; on the loop it cancels the main task;
afterwards, while things are being put away, it is only noted. Further signals change nothing.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, TypeVar

logger = logging.getLogger(__name__)

ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
SIGNALLED = 128
"""Added to a signal's number it is the exit code, as shells have it."""

T = TypeVar("T")


class Signalled(BaseException):
    """A signal has ended the command. No Exception, so that nobody takes it for a fault on the way."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.code = SIGNALLED + number


class Ending:
    """A block that a signal ends tidily: ``with Ending() as ending: ending.run(work())``.

    Raises Signalled when the block has been left, if there was a signal. Signals that were ignored
    before (`nohup`) stay ignored.
    """

    def __init__(self) -> None:
        self._number: int | None = None
        self._begin_end: Callable[[], object] | None = None
        self._before: dict[signal.Signals, Any] = {}
        self._terminals = [fd for fd in (0, 1, 2) if os.isatty(fd)]

    def __enter__(self) -> Ending:
        for number in ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._number is None or isinstance(error, Signalled):
            return
        if isinstance(error, Exception):
            logger.warning("at the end", exc_info=error)
        raise Signalled(self._number) from error

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run *work* on an event loop. A signal cancels it; it may then end everything at its leisure."""

        async def cancellable() -> T:
            task, loop = asyncio.current_task(), asyncio.get_running_loop()
            if task is not None:
                self._begin_end = lambda: loop.call_soon_threadsafe(task.cancel)
            try:
                return await work
            finally:
                self._begin_end = _wait

        return asyncio.run(cancellable())

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        if self._number is not None:
            return
        self._number = number
        self._let_go_of_dead_terminals()
        if self._begin_end is None:
            raise Signalled(number)
        self._begin_end()

    def _let_go_of_dead_terminals(self) -> None:
        """Write to nowhere from now on if the window is gone: a failed write would stop the end half way."""
        for fd in self._terminals:
            if not os.isatty(fd):
                write_nowhere(fd)


def _wait() -> None:
    """The work has ended already."""


def write_nowhere(fd: int) -> None:
    """Let a file descriptor lead to nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, fd)
    os.close(nowhere)


async def to_the_end(work: Coroutine[Any, Any, None] | asyncio.Task[None]) -> None:
    """Wait until *work* has ended, also when the waiting task is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    task.result()
