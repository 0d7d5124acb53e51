"""`tillside sim`: one simulated device as a program, for developers.

The programs come by the entry-point group ``tillside.simulator``. Each runs until a signal ends it, tells the
device address to configure, and takes commands on standard input; when that is closed, it just goes on.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Protocol

from terminal.commands.errors import FINE, WRONG_USE, FindingError, UsageError
from terminal.commands.output import complain, say, say_json
from terminal.signals import Ending, Signalled

_MAX_LINE_BYTES = 65536


class Command(Protocol):
    """Something that can be typed."""

    usage: str
    words: str


class Program(Protocol):
    """A simulated device. ValueError: written wrongly; RuntimeError: not possible now."""

    words: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def start(self, options: argparse.Namespace, tell: Callable[[str, str], None]) -> Sequence[str]:
        """Start the device; returns the device addresses of it."""
        ...

    @property
    def commands(self) -> Mapping[str, Command]: ...

    def do(self, line: str) -> None:
        """Do what was typed."""
        ...

    def stop(self) -> None: ...


def describe() -> str:
    """Return the programs that are installed, each with what it simulates."""
    points = sorted(entry_points(group="tillside.simulator"), key=lambda point: point.name)
    lines = [f"  {point.name:10} {point.load().words}" for point in points]
    return "\n".join(
        (
            "usage: tillside sim NAME [...]",
            "",
            "Run one simulated device until Ctrl-C. It prints the address to put into tillside.toml,",
            "and takes commands on standard input: tillside sim NAME --help lists them.",
            "",
            "simulated devices:",
            *lines,
            "",
            "Exit codes: 0 ended, 1 it can't run here now, 2 wrong use.",
        )
    )


def run(options: argparse.Namespace) -> int:
    """Run the program that was named."""
    points = {point.name: point for point in entry_points(group="tillside.simulator")}
    if not options.name:
        say(describe())
        return WRONG_USE
    if options.name not in points:
        there = ", ".join(sorted(points)) or "none: install tillside whole"
        raise UsageError(f"no simulated device is called {options.name!r}; there are {there}")
    program: Program = points[options.name].load()()
    chosen = _parser(options.name, program).parse_args(options.rest)
    teller = _Teller(as_json=chosen.json)
    try:
        with Ending() as ending:
            try:
                for address in program.start(chosen, teller.tell):
                    teller.tell("address", address)
                ending.run(_serve(program))
            finally:
                program.stop()
    except Signalled:
        # How such a program ends: nothing has been cut short.
        return FINE
    except ValueError as error:
        raise UsageError(str(error)) from error
    except RuntimeError as error:
        raise FindingError(str(error)) from error
    return FINE


def _parser(name: str, program: Program) -> argparse.ArgumentParser:
    lines = "\n".join(f"  {command.usage:24} {command.words}" for command in _commands(program))
    parser = argparse.ArgumentParser(
        prog=f"tillside sim {name}",
        description=program.words,
        epilog=f"commands on standard input:\n{lines}" if lines else "It takes no commands.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    program.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print a JSON object for each line")
    return parser


def _commands(program: Program) -> Sequence[Command]:
    return tuple(program.commands.values())


class _Teller:
    """Prints what the program tells, from whatever thread, a line each at once."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._one = threading.Lock()

    def tell(self, kind: str, text: str) -> None:
        with self._one:
            if self._as_json:
                say_json({kind: text})
            else:
                say(text if kind == "address" else f"{kind}: {text}")
            sys.stdout.flush()


async def _serve(program: Program) -> None:
    """Do what is typed, until cancelled. What is typed wrongly changes nothing."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str] = asyncio.Queue()
    reader = threading.Thread(target=_read, args=(loop, lines), name="standard input", daemon=True)
    reader.start()
    while True:
        line = await lines.get()
        try:
            program.do(line)
        except ValueError as error:
            complain(str(error))


def _read(loop: asyncio.AbstractEventLoop, lines: asyncio.Queue[str]) -> None:
    """Read standard input to its end, by lines.

    Not through `sys.stdin`: the interpreter can't end while a thread waits in there.
    """
    waiting = b""
    while True:
        try:
            data = os.read(0, 4096)
        except OSError:
            return
        *whole, waiting = (waiting + data).split(b"\n")
        if not data and waiting:
            whole = [waiting]
        for line in whole:
            if text := line.decode("utf-8", "replace").strip():
                try:
                    loop.call_soon_threadsafe(lines.put_nowait, text)
                except RuntimeError:
                    return
        if not data or len(waiting) > _MAX_LINE_BYTES:
            return
