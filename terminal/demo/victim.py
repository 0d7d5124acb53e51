"""A terminal in a process of its own that takes one payment, for the demo to kill in the middle."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import sys
from pathlib import Path

from drivers.address import parse
from terminal.config import Devices, load
from terminal.counter import Counter
from terminal.demo.customer import until, until_ready
from terminal.enrolment import load as load_enrolment
from terminal.home import CONFIG_FILE


async def run(home: Path, reader: str, amount: str) -> None:
    """Charge an amount and print each phase on a line, until killed."""
    config = load(home / CONFIG_FILE)
    config = dataclasses.replace(config, devices=Devices(readers=(parse(reader),)))
    counter = Counter(config, home, load_enrolment(home, config.terminal.id))
    counter.subscribe(lambda view: print(view.phase.value, flush=True))  # noqa: T201  what it is for
    try:
        await counter.start()
        await until_ready(counter)
        await counter.charge(config.money(amount))
        await until(counter, lambda view: view.result)
    finally:
        await counter.stop()


def main() -> int:
    """Run, and end with one line that says what went wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--reader", required=True)
    parser.add_argument("--amount", required=True)
    arguments = parser.parse_args()
    try:
        asyncio.run(run(arguments.home, arguments.reader, arguments.amount))
    except Exception as error:  # noqa: BLE001  whatever it is, the demo tells it as the step's outcome
        print(" ".join(str(error).split()) or type(error).__name__, flush=True)  # noqa: T201  as above
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
