"""A receipt as lines of text. Everything on it is masked already."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from offline_queue.record import Record
from terminal.config import Config
from terminal.money import Money
from terminal.payment.attempt import Result
from terminal.view import Outcome

WIDTH = 32
"""Characters a line: what the narrowest receipt printers have."""

_TITLES = {
    Outcome.APPROVED: "APPROVED",
    Outcome.APPROVED_OFFLINE: "APPROVED OFFLINE",
    Outcome.DECLINED: "DECLINED",
    Outcome.UNKNOWN: "RESULT NOT KNOWN",
}


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
        _pair("Terminal", config.terminal.id),
        _pair("Order", order),
        _pair("Date", f"{when:%Y-%m-%d %H:%M:%S}"),
        "",
        _pair("TOTAL", amount.format(config.shop.locale)),
        _pair("Paid by", facts.get("scheme") or channel),
    ]
    for name, key in (("Card", "pan"), ("Application", "application"), ("Verified by", "cvm")):
        if facts.get(key):
            body.append(_pair(name, facts[key]))
    if result.authorisation:
        body.append(_pair("Authorisation", result.authorisation))
    body += ["", *_outcome(result)]
    if record is not None:
        body += ["", _pair("Record", str(record.sequence)), _pair("Head", record.head.hex()[:16])]
    head = [config.shop.name.center(WIDTH), *(line.center(WIDTH) for line in config.shop.address), ""]
    foot = ["", "SIMULATED, NO REAL MONEY".center(WIDTH)] if config.shop.simulated else []
    return tuple(line[:WIDTH].rstrip() for line in (*head, *body, *foot))


def _outcome(result: Result) -> list[str]:
    title = "TAKEN OFFLINE" if result.deferred else _TITLES[result.outcome]
    text = [f"*** {title} ***".center(WIDTH)]
    if result.deferred:
        text.append("not yet authorised".center(WIDTH))
    if result.late:
        text.append("paid after the code expired".center(WIDTH))
    return text


def _pair(name: str, value: str) -> str:
    """Return name left and value right; a value that is too long goes on under it."""
    if len(name) + 1 + len(value) <= WIDTH:
        return f"{name}{value:>{WIDTH - len(name)}}"
    return f"{name} {value}"
