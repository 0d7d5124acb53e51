"""`tillside demo`: a whole counter with simulated everything, for a person or by a script."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from drivers.address import AddressError, parse
from terminal.commands.errors import FINDING, FINE, FindingError, UsageError
from terminal.config import ConfigError
from terminal.demo.customer import NotReadyError
from terminal.demo.folder import FolderError, demo_folder
from terminal.demo.run import play, screen
from terminal.demo.script import ScriptError, Step, check, load
from terminal.demo.world import find
from terminal.http import NoAnswerError, NotSentError
from terminal.signals import Ending


def run(options: argparse.Namespace) -> int:
    """Check everything that was named, then bring the demo up. A signal ends all of it."""
    _check(options)
    try:
        with Ending() as ending:
            steps = None if options.script is None else _steps(options.script)
            with demo_folder(options.home) as folder:
                if steps is None:
                    return FINDING if ending.run(screen(folder, options.reader)) else FINE
                ok = ending.run(play(folder, options.reader, steps, as_json=options.json))
                return FINE if ok else FINDING
    except (ScriptError, FolderError) as error:
        raise UsageError(str(error)) from error
    except (ConfigError, NotSentError, NoAnswerError) as error:
        where = f"; try another folder than {options.home}" if options.home else ""
        raise FindingError(f"the demo did not come up: {error}{where}") from error
    except NotReadyError as error:
        raise FindingError(f"the demo did not come up: {error}") from error


def _check(options: argparse.Namespace) -> None:
    if options.script is None and options.json:
        raise UsageError("--json goes with --script")
    if options.script is None and not sys.stdout.isatty():
        raise UsageError("the screen needs a terminal; without one: tillside demo --script")
    try:
        parse(options.reader)
    except AddressError as error:
        raise UsageError(str(error)) from error


def _steps(named: str) -> tuple[Step, ...]:
    path = Path(named) if named else None
    steps = load(path)
    check(path, steps, find())
    return steps
