"""`tillside operators`: who may do what at this terminal."""

from __future__ import annotations

import argparse
import getpass
import sys

from terminal.commands import place
from terminal.commands.errors import FINE, FindingError, UsageError
from terminal.commands.output import say, say_json
from terminal.operators import OperatorError, Operators, Role


def run(options: argparse.Namespace) -> int:
    """Do what the command names with the operators."""
    try:
        operators = Operators.load(place.folder(options))
        if options.what == "list":
            return _list(operators, as_json=options.json)
        _change(operators, options)
    except OperatorError as error:
        raise FindingError(str(error)) from error
    return FINE


def _list(operators: Operators, *, as_json: bool) -> int:
    if as_json:
        say_json([{"name": one.name, "role": one.role.value} for one in operators.all])
    elif not operators.all:
        say(f"nobody yet; add a technician: {operators.command}")
    else:
        for one in operators.all:
            say(f"{one.role.value:10s} {one.name}")
    return FINE


def _change(operators: Operators, options: argparse.Namespace) -> None:
    name = options.name
    if options.what == "add":
        role = operators.add(name, Role(options.role), _new_pin(name)).role
        done = f"added: {role.value} {name}"
    elif options.what == "remove":
        operators.remove(name)
        done = f"removed: {name}"
    else:
        operators.set_pin(name, _new_pin(name))
        done = f"changed: the PIN of {name}"
    if options.json:
        say_json({"done": done})
    else:
        say(done)


def _new_pin(name: str) -> str:
    """Ask for a PIN twice, without showing it; read one line where nobody types."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    pin = getpass.getpass(f"PIN for {name} (4 to 12 digits): ")
    if getpass.getpass("Once more: ") != pin:
        raise UsageError("the two PINs differ; nothing was changed")
    return pin
