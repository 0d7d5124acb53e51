"""What every program has: arguments, a device while it runs, and commands that a person types.

`tillside sim` makes one object of the class, adds its arguments, calls `start`, hands it each line of
standard input by `do`, and calls `stop` at the end. ValueError means that something was written wrongly,
RuntimeError that the machine can't do it now; their texts are for the person.
"""

from __future__ import annotations

import math
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

Tell = Callable[[str, str], None]
"""Tells the person something: what kind of thing, in a word or two, and the thing. From any thread."""


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that a person can type: how it is written, what it does."""

    usage: str
    words: str
    run: Callable[[str], None]


class Program:
    """A simulated device. The classes made of it say what it is."""

    words = ""
    """What it simulates, in a line."""

    def __init__(self) -> None:
        self.ends = ExitStack()
        """What is started goes in here, and is ended by `stop`, last first."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say what may stand on the command line."""

    def start(self, options: Namespace, tell: Tell) -> Sequence[str]:
        """Start the device and return the device addresses to put into the terminal's configuration."""
        raise NotImplementedError

    def stop(self) -> None:
        """End the device."""
        self.ends.close()

    @property
    def commands(self) -> Mapping[str, Command]:
        """What a person can type, by its first words."""
        return {}

    def do(self, line: str) -> None:
        """Do what a line says. Raises ValueError that lists what can be written."""
        for name, command in self.commands.items():
            if line == name or line.startswith(f"{name} "):
                command.run(line[len(name) :].strip())
                return
        raise ValueError(f"write {', '.join(command.usage for command in self.commands.values())}")


def number(text: str, low: float, high: float) -> float:
    """Read a number that a person wrote. Raises ValueError with what is allowed."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise ValueError(f"write a number from {low:g} to {high:g}, not {text!r}")
    return value


def folder(text: str) -> Path:
    """Return a folder that is there, made if need be. Raises ValueError."""
    path = Path(text)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"{text} can't be a folder: {error}") from error
    return path
