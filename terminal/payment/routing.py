"""Which channel a customer's code belongs to: a table of data, `customer_codes.toml`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class CodeRule:
    """Codes of one wallet: how they look and which channel takes them (none where it is empty)."""

    wallet: str
    pattern: re.Pattern[str]
    channel: str


@cache
def rules() -> tuple[CodeRule, ...]:
    """Return the rules in their order of precedence."""
    text = (files("terminal.payment") / "customer_codes.toml").read_text("utf-8")
    return tuple(
        CodeRule(rule["wallet"], re.compile(rule["pattern"], re.ASCII), rule["channel"])
        for rule in tomllib.loads(text)["code"]
    )


def route(text: str) -> CodeRule | None:
    """Return the rule that a code falls under, or None for a code that is none of ours."""
    return next((rule for rule in rules() if rule.pattern.fullmatch(text.strip())), None)
