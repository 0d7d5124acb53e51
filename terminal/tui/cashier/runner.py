"""Runs the counter's actions beside the screen and turns what they raise into a line of text."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable

from terminal.actions import CounterRefusal
from terminal.tui.widgets.message_line import MessageKind

_log = logging.getLogger(__name__)

Say = Callable[[str, MessageKind], None]


class ActionRunner:
    """One task an action; the same action does not run twice at a time.

    The tasks are not the screen's workers: they must outlive it, because a charge that has begun
    must not be cut off by a closing window.
    """

    def __init__(self, say: Say) -> None:
        self._say = say
        self._running: dict[str, asyncio.Task[None]] = {}

    def run(self, name: str, action: Callable[[], Awaitable[None]]) -> bool:
        """Start *action* unless one of that *name* still runs; tell whether it was started."""
        if name in self._running:
            return False
        task = asyncio.get_running_loop().create_task(self._guarded(name, action), name=name)
        self._running[name] = task
        task.add_done_callback(lambda _: self._running.pop(name, None))
        return True

    async def settle(self) -> None:
        """Wait until no action runs."""
        while self._running:
            await asyncio.wait(self._running.values())

    async def _guarded(self, name: str, action: Callable[[], Awaitable[None]]) -> None:
        try:
            await action()
        except CounterRefusal as refusal:
            self._say(str(refusal), MessageKind.REFUSAL)
        except Exception as error:  # noqa: BLE001 - the till must go on whatever a part of it does
            # Neither the screen nor the log gets the message: it may hold what it failed on.
            places = "".join(traceback.format_tb(error.__traceback__))
            _log.error("%s failed: %s\n%s", name, type(error).__name__, places)
            self._say(f"{name} failed ({type(error).__name__}); the log has the place", MessageKind.ERROR)
