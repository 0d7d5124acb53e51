"""Carries out a script's steps on a real counter in a simulated world."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from terminal.actions import CounterRefusal
from terminal.config import Config
from terminal.counter import Counter
from terminal.demo.customer import PATIENCE_S, NotReadyError, until, until_ready
from terminal.demo.script import Step
from terminal.demo.victim_process import VictimError, VictimProcess
from terminal.demo.world import World
from terminal.enrolment import Enrolment
from terminal.present_order import SIGN
from terminal.signals import to_the_end
from terminal.view import CounterView, Outcome, Phase

logger = logging.getLogger(__name__)

TRIES = 4
"""How often a customer shows a code that nothing takes notice of."""

_AT_REST = (Phase.IDLE, Phase.DONE)
_PAID = (Outcome.APPROVED, Outcome.APPROVED_OFFLINE)


@dataclass(frozen=True, slots=True)
class StepReport:
    """What came of a step."""

    step: str
    expected: str
    outcome: str
    ok: bool
    ms: int

    def text(self) -> str:
        """Return one line for a person."""
        mark = "ok  " if self.ok else "FAIL"
        wrong = "" if self.ok else f"   expected: {self.expected}"
        return f"{mark} {self.ms:6d} ms  {self.step:45s} {self.outcome}{wrong}"

    def json(self) -> str:
        """Return one line for a program."""
        fields = ("step", "expected", "outcome", "ok", "ms")
        return json.dumps({name: getattr(self, name) for name in fields}, ensure_ascii=False)


class Player:
    """Plays steps. The counter is a new one after each kill."""

    def __init__(self, config: Config, home: Path, enrolment: Enrolment, world: World, reader: str) -> None:
        self._config = config
        self._home = home
        self._enrolment = enrolment
        self._world = world
        self._reader = reader
        self._counter = Counter(config, home, enrolment)
        self._shown: dict[str, int] = {}
        """What was shown as paid: amounts by the attempt's key."""
        self._earlier: set[str] | None = None
        """The attempts that an earlier run in the same home has left in queue and books."""

    async def start(self) -> None:
        """Start the counter and wait for its devices and its host. Raises NotReadyError."""
        await self._counter.start()
        await until_ready(self._counter)
        if self._earlier is None:
            left = {line.attempt for line in self._counter.view.payments}
            self._earlier = left.union(self._world.booked())

    async def stop(self) -> None:
        """Stop the counter."""
        await self._counter.stop()

    async def play(self, step: Step) -> StepReport:
        """Carry out one step. Whatever goes wrong becomes its outcome."""
        began = time.perf_counter()
        outcome = await self._carry_out(step)
        if trouble := await self._make_ready():
            outcome = f"{outcome}, then {trouble}"
        ms = int((time.perf_counter() - began) * 1000)
        return StepReport(step.name, step.expect, outcome, outcome == step.expect, ms)

    async def _carry_out(self, step: Step) -> str:
        does: dict[str, Callable[[Step], Awaitable[str]]] = {
            "tap": self._tap,
            "code": self._code,
            "qr": self._qr,
            "network": self._network,
            "drain": self._drain,
            "kill": self._kill,
            "audit": self._audit,
        }
        try:
            return await does[step.do](step)
        except TimeoutError:
            view = self._counter.view
            return f"stuck in {view.phase.value}: {view.prompt}"
        except CounterRefusal as refusal:
            return f"refused: {refusal}"
        except NotReadyError as error:
            return f"not ready: {error}"
        except Exception as error:
            logger.exception("step %r", step.name)
            return f"failed: {type(error).__name__}"

    async def _make_ready(self) -> str:
        """Clear up for the next step; return what went wrong at it, or empty."""
        try:
            self._world.take_card_away()
            self._world.hide_code()
            await self._counter.cancel()
            with suppress(TimeoutError):
                await until(self._counter, lambda view: view.phase in _AT_REST)
            await self._counter.next_customer()
            # The next customer's card must not come before this one's is seen to have left.
            with suppress(TimeoutError):
                await until(self._counter, lambda view: all(d.state != "busy" for d in view.devices))
        except Exception as error:
            logger.exception("between two steps")
            return f"failed: {type(error).__name__}"
        return ""

    async def _tap(self, step: Step) -> str:
        await self._charge(step)
        self._world.hold_card(step.card)
        seen = []
        view = await until(self._counter, lambda view: view.result or _again(view))
        if view.result is None:
            seen.append("present card again")
            self._world.hold_card(step.card)
            view = await until(self._counter, lambda view: view.result)
        return self._told(seen, view)

    async def _code(self, step: Step) -> str:
        await self._charge(step)
        seen = []
        view = await self._show_code(step.code)
        if view.result is None and view.phase is Phase.ARMED:
            seen.append("no payment code")
            await self._counter.cancel()
            await until(self._counter, lambda view: view.result)
            return ", then ".join([*seen, "cancelled"])
        if view.phase is Phase.CUSTOMER_CONFIRMS:
            seen.append("customer confirms")
            if step.phone:
                self._world.confirm()
            view = await until(self._counter, lambda view: view.result)
        return self._told(seen, view)

    async def _show_code(self, code: str) -> CounterView:
        """Show a code until the terminal has taken notice of it: a person would show it again, too."""
        for _ in range(TRIES):
            self._world.show_code(code)
            with suppress(TimeoutError):
                return await until(
                    self._counter,
                    lambda view: (
                        view.result or view.phase is Phase.CUSTOMER_CONFIRMS or "no payment" in view.prompt
                    ),
                    PATIENCE_S / TRIES,
                )
        raise TimeoutError

    async def _qr(self, step: Step) -> str:
        await self._charge(step)
        await self._counter.show_qr()
        view = await until(self._counter, lambda view: view.qr)
        seen = ["showing QR"]
        if step.customer == "scans" and view.qr is not None:
            self._world.scan_qr(view.qr.text)
        view = await until(self._counter, lambda view: view.result)
        if step.customer == "pays late":
            seen.append(self._told([], view))
            self._world.pay_late(view.attempt)
            view = await until(self._counter, lambda view: view.result and view.result.outcome in _PAID)
            return f"{self._told(seen, view)} late"
        return self._told(seen, view)

    async def _network(self, step: Step) -> str:
        self._world.set_network(step.to == "back")
        view = await until(self._counter, lambda view: view.online == (step.to == "back"))
        return "online" if view.online else "offline"

    async def _drain(self, step: Step) -> str:
        await until(self._counter, lambda view: not view.queue.unsent and not view.queue.deferred_count)
        return "drained"

    async def _kill(self, step: Step) -> str:
        """Kill a terminal in a process of its own while the host has booked and not answered."""
        await self._counter.stop()
        trouble = await self._kill_victim(step)
        self._counter = Counter(self._config, self._home, self._enrolment)
        await self.start()
        if trouble:
            return trouble
        view = await until(self._counter, lambda view: view.notices and not _open(view))
        line = view.payments[0]
        if line.outcome in _PAID:
            self._shown[line.attempt] = line.amount.minor
        return f"killed, then resolved as {line.outcome.value}"

    async def _kill_victim(self, step: Step) -> str:
        """Let a terminal take a payment and kill it; return what went wrong, or empty."""
        # A reader that lives in one process can't be shared: the victim's own has the card on it.
        reader = f"sim:{step.card}" if self._reader.startswith("sim:") else self._reader
        loop = asyncio.get_running_loop()
        self._world.hold_host_answer()
        try:
            async with VictimProcess(self._home, reader, step.amount) as victim:
                await victim.until_armed()
                self._world.hold_card(step.card)
                held = await loop.run_in_executor(None, self._world.wait_until_held)
                return "" if held else "the terminal that was to be killed did not ask the host"
        except VictimError as error:
            return f"the terminal that was to be killed ended by itself: {error}"
        except OSError as error:
            return f"the terminal that was to be killed did not start: {error.strerror}"
        finally:
            self._world.release_host_answer()
            self._world.take_card_away()

    async def _audit(self, step: Step) -> str:
        await self._drain(step)
        earlier = self._earlier or set()
        booked = {
            key: entry for key, entry in self._world.booked().items() if entry.times and key not in earlier
        }
        wrong = [key for key, amount in self._shown.items() if key not in booked]
        wrong += [
            key
            for key, entry in booked.items()
            if (entry.times, entry.amount_minor) != (1, self._shown.get(key))
        ]
        return f"differs: {', '.join(sorted(set(wrong)))}" if wrong else step.expect

    async def _charge(self, step: Step) -> None:
        await self._counter.charge(self._config.money(step.amount))
        # A scanner takes what comes once it is armed: a customer is not that quick, a script is.
        await until(self._counter, lambda view: all(device.state == "busy" for device in view.devices))

    def _told(self, seen: list[str], view: CounterView) -> str:
        """Return what was seen and the outcome, and remember what was shown as paid."""
        result = view.result
        if result is None:
            raise AssertionError("no result")
        if result.outcome in _PAID:
            self._shown[view.attempt] = result.amount.minor
        deferred = " (deferred)" if result.deferred else ""
        signature = " (signature)" if result.emphasis == SIGN else ""
        return ", then ".join([*seen, f"{result.outcome.value}{deferred}{signature}"])


def _again(view: CounterView) -> bool:
    return "again" in view.prompt.lower()


def _open(view: CounterView) -> bool:
    return any(line.note == "being resolved" for line in view.payments)


async def play_all(player: Player, steps: tuple[Step, ...], tell: Callable[[StepReport], None]) -> bool:
    """Play all steps, telling of each, and return whether every one came out as the script says."""
    ok = True
    try:
        await player.start()
        for step in steps:
            report = await player.play(step)
            tell(report)
            ok = ok and report.ok
    finally:
        await to_the_end(player.stop())
    return ok
