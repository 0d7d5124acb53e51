"""A receipt as lines of text. Everything on it is masked already."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from rich.cells import cell_len, chop_cells

from emv.outcome import CvmResult
from offline_queue.record import Record
from terminal.config import Config
from terminal.money import Money
from terminal.payment.attempt_events import (
    Result,
)
from terminal.payment.headline import headline
from terminal.view import Outcome

WIDTH = 32
"""Columns a line: what the narrowest receipt printers have. A Chinese character takes two."""


_TAKEN = (Outcome.APPROVED, Outcome.APPROVED_OFFLINE)


def lines(
    config: Config,
    *,
    order: str,
    amount: Money,
    channel: str,
    result: Result,
    facts: Mapping[str, str],
    record: Record | None,
    when: datetime,
) -> tuple[str, ...]:
    """Return the receipt of one attempt.

    Sequence and chain head are printed so that a record that disappears later can be missed.
    """
    body = [
        *_pair("Terminal", config.terminal.id),
        *_pair("Order", order),
        *_pair("Date", f"{when:%Y-%m-%d %H:%M:%S}"),
        "",
        *_pair("TOTAL", amount.format(config.shop.locale)),
        *_pair("Paid by", facts.get("scheme") or channel),
    ]
    for name, key in (("Card", "pan"), ("Application", "application"), ("Verified by", "cvm")):
        if facts.get(key):
            body += _pair(name, facts[key])
    if result.authorisation:
        body += _pair("Authorisation", result.authorisation)
    body += ["", *_outcome(result)]
    if facts.get("cvm") == CvmResult.SIGNATURE.value and result.outcome in _TAKEN:
        body += ["", "", "_" * WIDTH, *_centred("Signature")]
    if record is not None:
        body += ["", *_pair("Record", str(record.sequence)), *_pair("Head", record.head.hex()[:16])]
    head = [line for text in (config.shop.name, *config.shop.address) for line in _centred(text)]
    foot = ["", *_centred("SIMULATED, NO REAL MONEY")] if config.shop.simulated else []
    return tuple(line.rstrip() for line in (*head, "", *body, *foot))


def _outcome(result: Result) -> list[str]:
    title = "RESULT NOT KNOWN" if result.outcome is Outcome.UNKNOWN else headline(result)
    text = _centred(f"*** {title} ***")
    if result.deferred:
        text += _centred("not yet authorised")
    if result.late:
        text += _centred("paid after the code expired")
    return text


def _pair(name: str, value: str) -> list[str]:
    """Return name left and value right; a value that is too long goes on under it."""
    room = WIDTH - cell_len(name) - 1
    if cell_len(value) <= room:
        return [f"{name} {_right(value, room)}"]
    return [name, *(_right(line, WIDTH) for line in _wrapped(value))]


def _right(text: str, columns: int) -> str:
    return " " * (columns - cell_len(text)) + text


def _centred(text: str) -> list[str]:
    return [" " * ((WIDTH - cell_len(line)) // 2) + line for line in _wrapped(text)]


def _wrapped(text: str) -> list[str]:
    """Return a text in lines that fit, broken at spaces where that is possible."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if cell_len(joined) <= WIDTH:
            lines[-1] = joined
        else:
            lines += chop_cells(word, WIDTH)
    return [line for line in lines if line]
