"""On which line of a TOML text a key stands, for messages about it."""

from __future__ import annotations

import tomllib
from typing import Any

Path = tuple[str | int, ...]
"""Keys, and places in lists (from 0), from the top of a file down to one value."""


def line_of(text: str, path: Path) -> int:
    """Return the line on which a key, or else the table that it is missing from, begins; or 1.

    The parser does not tell lines. But a file is readable up to the end of each statement, so the one
    that brings a key begins after the last readable part that lacks it.
    """
    lines = text.split("\n")
    found, depth, begin = 1, 0, 0
    for end in range(1, len(lines) + 1):
        try:
            values = tomllib.loads("\n".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue
        if (here := _depth(values, path)) > depth:
            found, depth = begin + 1, here
        begin = end
    return found


def _depth(values: Any, path: Path) -> int:
    """Return how many steps of a path lead to something."""
    for depth, key in enumerate(path):
        if isinstance(values, list) and isinstance(key, int) and key < len(values):
            values = values[key]
        elif isinstance(values, dict) and key in values:
            values = values[key]
        else:
            return depth
    return len(path)
