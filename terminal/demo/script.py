"""Plays a counter by a script: what the customer does, what must come of it, what came of it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any


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


def load(path: Path | None) -> tuple[Step, ...]:
    """Return the steps of a file, or of the built-in script."""
    name = str(path or "built-in script")
    try:
        text = path.read_text("utf-8") if path else (files(__package__) / "built_in.toml").read_text("utf-8")
        tables = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ScriptError(f"{name}: can't be read: {error}") from error
    steps = tables.get("step")
    if set(tables) != {"step"} or not isinstance(steps, list):
        raise ScriptError(f"{name}: a script is a list of [[step]] tables and nothing else")
    return tuple(_step(f"{name}: step {number}", table) for number, table in enumerate(steps, 1))


def _step(where: str, table: dict[str, Any]) -> Step:
    allowed = {f.name: f for f in fields(Step)}
    for key, value in table.items():
        if key not in allowed:
            raise ScriptError(f"{where}: unknown key {key!r}; allowed: {', '.join(sorted(allowed))}")
        if not isinstance(value, bool if key == "phone" else str):
            raise ScriptError(f"{where}: {key} must be {'true or false' if key == 'phone' else 'text'}")
    missing = {"name", "do", "expect"} - set(table)
    if not missing and table["do"] not in DOES:
        raise ScriptError(f"{where}: do is one of {', '.join(DOES)}, not {table['do']!r}")
    missing |= {need for need in _NEEDS.get(str(table.get("do")), ()) if not table.get(need)}
    if missing:
        raise ScriptError(f"{where}: missing {', '.join(sorted(missing))}")
    return Step(**table)
