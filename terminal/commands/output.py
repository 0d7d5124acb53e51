"""What the commands print."""

from __future__ import annotations

import json
import sys
from typing import Any


def say(text: str) -> None:
    """Print a line of the result."""
    print(text)  # noqa: T201  the output


def say_json(value: Any, *, indent: int | None = None) -> None:
    """Print the result for a program."""
    say(json.dumps(value, ensure_ascii=False, indent=indent))


def complain(text: str) -> None:
    """Print a line beside the result."""
    print(f"tillside: {text}", file=sys.stderr)  # noqa: T201  the output


def fault(text: str) -> dict[str, Any]:
    """Return what a program is told in place of a result, or beside it."""
    return {"error": {"message": text}}
