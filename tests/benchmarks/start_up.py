"""From the program's start to the cashier's first screen, and its memory, beside an empty Textual app."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from simulators.world import SimulatedWorld
from terminal.demo.world import Pace
from terminal.home import CONFIG_FILE
from tests.benchmarks.measure import line

_ROUNDS = 5
_REPORT = """
import json, re, sys, time
def report(began):
    # VmHWM begins anew with each program; getrusage would show what the parent held at the fork.
    memory_kib = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
    print(json.dumps({"s": time.time() - began, "mib": memory_kib / 1024}), flush=True)
"""
_EMPTY = (
    _REPORT
    + """
from textual.app import App
class Empty(App[None]):
    def on_mount(self):
        self.call_after_refresh(self.exit)
Empty().run(headless=True)
report(float(sys.argv[1]))
"""
)
_CASHIER = (
    _REPORT
    + """
import asyncio
from pathlib import Path
from terminal import enrolment, home
from terminal.config import load
from terminal.counter import Counter
from terminal.tui.cashier.app import CashierApp
folder = Path(sys.argv[2])
config = load(folder / home.CONFIG_FILE)
class Measured(CashierApp):
    def on_mount(self):
        self.call_after_refresh(self.exit)
async def main():
    counter = Counter(config, folder, enrolment.load(folder, config.terminal.id))
    await counter.start()
    await Measured(counter).run_async(headless=True)
    report(float(sys.argv[1]))
    await counter.stop()
asyncio.run(main())
"""
)


def run() -> None:
    """Print both, with peak memory."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        world = SimulatedWorld()
        try:
            (home / CONFIG_FILE).write_text(world.start(home, "sim:", Pace.SCRIPT))
            _run(
                "import sys; from terminal.cli import main; sys.exit(main(['enrol', '--home', sys.argv[2]]))",
                home,
            )
            empty = [_program(_EMPTY, home) for _ in range(_ROUNDS)]
            ours = [_program(_CASHIER, home) for _ in range(_ROUNDS)]
        finally:
            world.stop()
    _line("start to first screen", ours, empty, "s", lambda value: f"{value * 1e3:.0f} ms")
    _line("peak memory at the first screen", ours, empty, "mib", lambda value: f"{value:.0f} MiB")


def _line(
    name: str,
    ours: list[dict[str, float]],
    empty: list[dict[str, float]],
    key: str,
    show: Callable[[float], str],
) -> None:
    mine, theirs = (statistics.median(run[key] for run in runs) for runs in (ours, empty))
    line(name, show(mine), f"empty Textual app {show(theirs)}", f"{mine / theirs:.2f} times")


def _program(text: str, home: Path) -> dict[str, float]:
    """Run a program and return what it reports last."""
    report: dict[str, float] = json.loads(_run(text, home).strip().splitlines()[-1])
    return report


def _run(text: str, home: Path) -> str:
    """Run a program that is told when it was started and where its home is; return what it printed."""
    arguments = [sys.executable, "-c", text, str(time.time()), str(home)]
    return subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
