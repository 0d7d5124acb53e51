"""A terminal that takes one payment and kills itself with SIGKILL at a given moment of it.

A moment is ``entering STATE`` (the machine has just come there and nothing of it is done yet) or
``after ACTION`` (the action has had its effect and nobody has heard of it); with ``late`` before it,
only once a code has been paid after it expired. The attempt's key is printed with its first result.
"""

import asyncio
import dataclasses
import os
import signal
import sys
from pathlib import Path

from drivers.address import parse
from terminal import counter as counter_module
from terminal.config import Devices, load
from terminal.counter import Counter
from terminal.demo.customer import until
from terminal.enrolment import load as load_enrolment
from terminal.home import CONFIG_FILE
from terminal.payment import runner as runner_module
from terminal.payment.attempt import Attempt
from terminal.payment.attempt_events import (
    Action,
    Event,
)
from terminal.payment.runner import AttemptRunner


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(moment: str) -> None:
    late = moment.startswith("late ")
    when, _, what = moment.removeprefix("late ").partition(" ")

    class DyingAttempt(Attempt):
        def handle(self, event: Event) -> tuple[Action, ...]:
            actions = super().handle(event)
            if when == "entering" and self.state.name == what and self.late >= late:
                die()
            return actions

    class DyingRunner(AttemptRunner):
        async def _do(self, action: Action) -> Event:
            event = await super()._do(action)
            if when == "after" and type(action).__name__ == what and self.attempt.late >= late:
                die()
            return event

    vars(counter_module).update(Attempt=DyingAttempt, AttemptRunner=DyingRunner)
    vars(runner_module).update(AttemptRunner=DyingRunner)


async def take_a_payment(home: Path, reader: str, scanner: str, amount: str) -> None:
    config = load(home / CONFIG_FILE)
    devices = Devices(
        readers=(parse(reader),) if reader else (), scanners=(parse(scanner),) if scanner else ()
    )
    config = dataclasses.replace(config, devices=devices)
    counter = Counter(config, home, load_enrolment(home, config.terminal.id))
    await counter.start()
    await until(counter, lambda view: view.network != "not reached yet")
    await counter.charge(config.money(amount))
    if not reader and not scanner:
        await counter.show_qr()
    view = await until(counter, lambda view: view.result)
    print(view.attempt, flush=True)  # noqa: T201  the test that started it reads this
    await asyncio.sleep(5)  # an expired code is watched behind its result
    await counter.stop()


if __name__ == "__main__":
    home, moment, reader, scanner, amount = sys.argv[1:]
    arm(moment)
    asyncio.run(take_a_payment(Path(home), reader, scanner, amount))
