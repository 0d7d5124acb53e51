"""What every pane has: keys of its own, its turn on the screen, and errands to devices."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message

from drivers.errors import DeviceError
from offline_queue.errors import QueueError
from terminal.benches.errand import Failed, errand
from terminal.devices.worker import DeviceWorker, Job, Lease
from terminal.diagnostics.asking import NotAskedError
from terminal.diagnostics.finding import Finding
from terminal.diagnostics.workshop import Workshop
from terminal.tui.cashier.bindings import strip_keys
from terminal.tui.technician.bindings import COMMON_BINDINGS
from terminal.tui.technician.pane_keys import PaneKeys
from terminal.tui.widgets.click_key import ClickKey
from terminal.tui.widgets.key_strip import StripKey
from terminal.tui.widgets.message_line import MessageKind

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Pane(Vertical, can_focus=True, inherit_bindings=False):
    """One pane. It has the keyboard while it is open; what it holds it gives back when it is left."""

    TITLE: ClassVar[str] = ""

    class Said(Message):
        """One sentence for the message line."""

        def __init__(self, text: str, kind: MessageKind = MessageKind.INFO) -> None:
            super().__init__()
            self.text = text
            self.kind = kind

    class Arrived(Message):
        """Something came from another thread; `then` draws it."""

        def __init__(self, then: Callable[[], object]) -> None:
            super().__init__()
            self.then = then

    class Found(Message):
        """The pane has looked at its whole area."""

        def __init__(self, title: str, findings: Sequence[Finding]) -> None:
            super().__init__()
            self.title = title
            self.findings = findings

    def __init__(self, workshop: Workshop) -> None:
        super().__init__(id=f"pane-{self.TITLE.lower()}")
        self.workshop = workshop
        self.is_open = False
        self._errands: list[Job[Any]] = []
        self._tasks: dict[str, asyncio.Task[None]] = {}

    # Its turn on the screen

    def compose(self) -> ComposeResult:
        """The pane's own part, and its keys."""
        with Vertical(classes="pane-body"):
            yield from self.body()
        yield PaneKeys(self.strip(), id="pane-keys")

    def body(self) -> ComposeResult:
        """Return what the pane is made of."""
        yield from ()

    def opened(self) -> None:
        """The pane is on the screen now."""

    def left(self) -> None:
        """The pane is not on the screen any more."""

    def tick(self) -> None:
        """Draw what may have changed. Called four times a second while the pane is open."""

    def enter(self) -> None:
        """Take its turn."""
        self.is_open = True
        self.opened()
        self.tick()

    def leave(self) -> None:
        """Give everything back."""
        self.is_open = False
        for job in self._errands:
            job.cancel()
        self._errands.clear()
        for task in self._tasks.values():
            task.cancel()
        self.left()

    def on_unmount(self) -> None:
        """Give everything back when the screen goes away."""
        if self.is_open:
            self.leave()

    # Keys

    @classmethod
    def own_bindings(cls) -> Iterator[Binding]:
        """Yield the keys that work on this pane alone."""
        for each in cls.__dict__.get("BINDINGS", ()):
            if isinstance(each, Binding):
                yield each

    def idle_keys(self) -> Collection[str]:
        """Return the ids of bindings that would do nothing now: the strip leaves them out."""
        return ()

    def strip(self) -> list[StripKey]:
        """Return the keys of the pane's strip: its own that do something now, then those of the screen."""
        idle = self.idle_keys()
        shown = [
            each for each in (*self.own_bindings(), *COMMON_BINDINGS) if each.show and each.id not in idle
        ]
        return as_strip(shown)

    def show_keys(self) -> None:
        """Draw the strip as it is now."""
        self.query_one(PaneKeys).show(self.strip())

    def on_click_key_pressed(self, message: ClickKey.Pressed) -> None:
        """Do what the key of that name does."""
        message.stop()
        self.call_later(self.run_action, message.action)

    # Other threads

    def say(self, text: str, kind: MessageKind = MessageKind.INFO) -> None:
        """Show one sentence until the next."""
        self.post_message(self.Said(text, kind))

    def refuse(self, text: str) -> None:
        """Say why a key does nothing now."""
        self.say(text, MessageKind.REFUSAL)

    def tell(self, findings: Sequence[Finding]) -> None:
        """Tell the screen what the pane has found out about its area."""
        self.post_message(self.Found(self.TITLE, findings))

    def later(self, then: Callable[[], object]) -> None:
        """Have *then* called on the screen's thread. May be called from any thread."""
        self.post_message(self.Arrived(then))

    def on_pane_arrived(self, message: Arrived) -> None:
        """Draw what has come, unless the pane has been left."""
        message.stop()
        if self.is_open:
            message.then()

    def ask(
        self,
        worker: DeviceWorker[Any],
        work: Callable[[Any, Lease], T],
        then: Callable[[T | Failed], object],
    ) -> Job[None]:
        """Have a device do some work once, in its own thread, and *then* draw what came of it."""
        job = worker.submit(errand(work, lambda found: self.later(lambda: then(found))))
        self._errands = [each for each in self._errands if not each.future.done()]
        self._errands.append(job)
        return job

    def begin(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """Do some work beside the screen; False, and nothing begun, while work of that name goes on.

        What it raises becomes one sentence. It ends when the pane is left.
        """
        if name in self._tasks:
            return False

        async def guarded() -> None:
            try:
                await work()
            except (DeviceError, NotAskedError, QueueError, OSError) as error:
                self.say(f"{name}: {error}", MessageKind.ERROR)
            except Exception as error:
                # The screen goes on. Its message may hold what it failed on.
                logger.exception("%s failed", name)
                self.say(f"{name} failed ({type(error).__name__}); the log has the place", MessageKind.ERROR)

        task = asyncio.get_running_loop().create_task(guarded(), name=name)
        self._tasks[name] = task
        task.add_done_callback(lambda _: self._tasks.pop(name, None))
        return True

    def stop_work(self, name: str) -> bool:
        """End the work of that name; False where there is none."""
        task = self._tasks.get(name)
        return task.cancel() if task is not None else False


def as_strip(bindings: Sequence[Binding]) -> list[StripKey]:
    """Return keys for a strip, under names of their own: style sheets name widgets by similar ones."""
    return [replace(key, id=f"key-{key.id}") for key in strip_keys(bindings, {}, all_keys=False)]
