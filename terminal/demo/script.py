"""A script: what customers do, and what must come of it. It is checked whole before anything is played."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from terminal.demo.world import World
from terminal.money import MoneyError, parse


class ScriptError(Exception):
    """A fault in a script; the message says which step and what is allowed."""


DOES = ("tap", "code", "qr", "network", "drain", "kill", "audit")


@dataclass(frozen=True, slots=True)
class Step:
    """One step. Which fields it needs depends on `do`; `built_in.toml` explains them."""

    name: str
    do: str
    expect: str
    amount: str = ""
    card: str = ""
    code: str = ""
    phone: bool = False
    customer: str = ""
    to: str = ""


_NEEDS = {
    "tap": ("card", "amount"),
    "code": ("code", "amount"),
    "qr": ("customer", "amount"),
    "network": ("to",),
    "kill": ("card", "amount"),
}
_CHOICES = {"customer": ("scans", "ignores", "pays late"), "to": ("cut", "back")}


def load(path: Path | None) -> tuple[Step, ...]:
    """Return the steps of a file, or of the built-in script. Raises ScriptError."""
    name = _name(path)
    try:
        text = path.read_text("utf-8") if path else (files(__package__) / "built_in.toml").read_text("utf-8")
        tables = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ScriptError(f"{name}: can't be read: {error}") from error
    steps = tables.get("step")
    if set(tables) != {"step"} or not isinstance(steps, list):
        raise ScriptError(f"{name}: a script is a list of [[step]] tables and nothing else")
    if not steps:
        raise ScriptError(f"{name}: has no steps")
    return tuple(_step(name, number, table) for number, table in enumerate(steps, 1))


def check(path: Path | None, steps: tuple[Step, ...], world: World) -> None:
    """Check that a world has what the steps name, and that their amounts are some. Raises ScriptError."""
    choices = {**_CHOICES, "card": tuple(world.cards()), "code": tuple(world.codes())}
    for number, step in enumerate(steps, 1):
        where = _where(_name(path), number, step.name)
        for key, allowed in choices.items():
            value = getattr(step, key)
            if value and value not in allowed:
                raise ScriptError(f"{where}: {key} is one of {', '.join(allowed)}, not {value!r}")
        if step.amount:
            _check_amount(where, step.amount, world.currency)


def _check_amount(where: str, amount: str, currency: str) -> None:
    try:
        minor = parse(amount, currency).minor
    except MoneyError as error:
        raise ScriptError(f"{where}: amount: {error}") from error
    if minor <= 0:
        raise ScriptError(f"{where}: amount must be more than 0, not {amount!r}")


def _name(path: Path | None) -> str:
    return str(path or "built-in script")


def _where(name: str, number: int, step_name: object) -> str:
    called = f" ({step_name})" if isinstance(step_name, str) and step_name else ""
    return f"{name}: step {number}{called}"


def _step(name: str, number: int, table: Any) -> Step:
    if not isinstance(table, dict):
        raise ScriptError(f"{_where(name, number, '')}: a step is a table: [[step]]")
    where = _where(name, number, table.get("name"))
    allowed = {f.name: f for f in fields(Step)}
    for key, value in table.items():
        if key not in allowed:
            raise ScriptError(f"{where}: unknown key {key!r}; allowed: {', '.join(sorted(allowed))}")
        if not isinstance(value, bool if key == "phone" else str):
            raise ScriptError(f"{where}: {key} must be {'true or false' if key == 'phone' else 'text'}")
    missing = {"name", "do", "expect"} - set(table)
    if not missing and table["do"] not in DOES:
        raise ScriptError(f"{where}: do is one of {', '.join(DOES)}, not {table['do']!r}")
    if not missing and not table["name"].strip():
        raise ScriptError(f"{where}: name must not be empty")
    missing |= {need for need in _NEEDS.get(str(table.get("do")), ()) if not table.get(need)}
    if missing:
        raise ScriptError(f"{where}: missing {', '.join(sorted(missing))}")
    return Step(**table)
