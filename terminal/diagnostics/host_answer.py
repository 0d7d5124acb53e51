"""The last steps to a host: whose answer it is, and how its clock stands to ours."""

from __future__ import annotations

import base64
import email.utils
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx

from offline_queue.errors import SignatureError
from offline_queue.host import NotSentReason
from offline_queue.signing import answer_message, request_message
from terminal.config import ConfigError
from terminal.diagnostics.certificates import SET_CLOCK
from terminal.diagnostics.finding import Finding, Mark
from terminal.diagnostics.steps import AREA, CABLE, PORTAL, Gateway, StepFailed, fault, ms, ok, skipped
from terminal.enrolment import Enrolment
from terminal.http import NoAnswerError, NotSentError, client, send

SKEW_NOTED_S = 5.0
"""A clock that is off by more is told of, in seconds. A host's time may be cut to whole seconds."""
SKEW_WRONG_S = 60.0
"""A clock that is off by more is a fault, in seconds: wallets refuse requests, receipts are wrong."""


async def ask(
    gateway: Gateway, pins: Enrolment | None, wall_s: Callable[[], float], enrol: str
) -> tuple[Finding, ...]:
    """Ask the other end for a sign of life; return the findings on clock and echo.

    *enrol* is the command that makes this terminal known there; empty where it is known by other means.
    """
    started, at = time.perf_counter(), wall_s()
    parts = urlsplit(gateway.url)
    headers, signature = _signed(gateway, pins, at)
    try:
        async with client(gateway.ca_file) as http:
            url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/') if enrol else ''}{gateway.path}"
            response = await send(http, "GET", url, content=b"", headers=headers)
    except (NotSentError, NoAnswerError, ConfigError) as error:
        went = error.reason is NotSentReason.NO_ANSWER if isinstance(error, NotSentError) else True
        silence = StepFailed(
            f"no answer: {error}", "try once more; if it stays, tell the host's operator" if went else CABLE
        )
        return skipped(gateway, "clock", "echo"), fault(gateway, "echo", silence, started)
    took_s = time.perf_counter() - started
    echo, is_host = _echo(gateway, pins, response, signature, started, enrol)
    return _clock(gateway, response, at + took_s / 2, signed=is_host), echo


def _signed(gateway: Gateway, pins: Enrolment | None, at: float) -> tuple[dict[str, str], bytes]:
    """Return the headers of a request that the terminal signs, where it can."""
    if pins is None:
        return {}, b""
    stamp = str(int(at * 1e9))
    signature = pins.key.sign(request_message("GET", gateway.path, stamp, b""))
    return {
        "Tillside-Terminal": pins.terminal_id,
        "Tillside-Time": stamp,
        "Tillside-Signature": base64.b64encode(signature).decode(),
    }, signature


def _echo(
    gateway: Gateway,
    pins: Enrolment | None,
    response: httpx.Response,
    signature: bytes,
    started: float,
    enrol: str,
) -> tuple[Finding, bool]:
    """Return the finding, and whether the answer is the host's own for certain."""
    details = {"status": str(response.status_code)}
    if not enrol:
        return ok(gateway, "echo", f"answers (status {response.status_code})", started, details), False
    if _is_page(response):
        text = "a web page answers in the host's place: a captive portal, most likely"
        return fault(gateway, "echo", StepFailed(text, PORTAL, details), started), False
    told = response.headers.get("Tillside-Signature", "")
    if pins is None:
        text = "something answers; without keys it can't be told whether it is the host"
        return (
            Finding(
                AREA,
                f"{gateway.label}: echo",
                Mark.WARNING,
                text,
                enrol,
                ms(started),
                details,
            ),
            False,
        )
    if not told:
        text = f"the answer (status {response.status_code}) is not signed: it is not from the host"
        cure = f"is the url under {gateway.table} right? If it is: {PORTAL}"
        return fault(gateway, "echo", StepFailed(text, cure, details), started), False
    try:
        message = answer_message(signature, response.content)
        pins.host_key.verify(base64.b64decode(told, validate=True), message)
    except (ValueError, SignatureError):
        text = f"the answer is signed, but not by the host's key that is pinned here ({pins.host_key.key_id})"
        cure = "was the host replaced? Ask its operator for its key's id before enrolling anew"
        return fault(gateway, "echo", StepFailed(text, cure, details), started), False
    if response.status_code != httpx.codes.OK:
        text = f"the host refuses: {_fields(response).get('error', response.status_code)}"
        cure = "tell the host's operator"
        return fault(gateway, "echo", StepFailed(text, cure, details), started), True
    return ok(gateway, "echo", "the host answers, signed by its key", started, details), True


def _is_page(response: httpx.Response) -> bool:
    kind = response.headers.get("Content-Type", "").lower()
    return response.is_redirect or "html" in kind or response.content.lstrip()[:1] == b"<"


def _clock(gateway: Gateway, response: httpx.Response, middle_s: float, *, signed: bool) -> Finding:
    name = f"{gateway.label}: clock"
    host_s, from_where = _time_of(response, signed=signed)
    if host_s is None:
        return Finding(AREA, name, Mark.NOTE, "the answer tells no time to compare with", details={})
    skew = middle_s - host_s
    way = "ahead of" if skew > 0 else "behind"
    text = f"this clock is {abs(skew):.1f} s {way} the other end's ({from_where})"
    details = {"skew in seconds": f"{skew:.1f}", "time from": from_where}
    if abs(skew) > SKEW_NOTED_S:
        mark = Mark.FAULT if abs(skew) > SKEW_WRONG_S else Mark.WARNING
        return Finding(AREA, name, mark, text, SET_CLOCK, details=details)
    return Finding(AREA, name, Mark.OK, text, details=details)


def _time_of(response: httpx.Response, *, signed: bool) -> tuple[float | None, str]:
    """Return what time the other end has, and whether its signature covers it."""
    told = _fields(response).get("time_ms")
    if isinstance(told, int):
        return told / 1000, "signed by the host" if signed else "in the answer, not signed"
    try:
        date = email.utils.parsedate_to_datetime(response.headers.get("Date", ""))
        # The header is cut to whole seconds; on the average half a second is missing.
        return date.timestamp() + 0.5, "header Date, not signed"
    except (ValueError, OverflowError):
        return None, ""


def _fields(response: httpx.Response) -> dict[str, Any]:
    try:
        fields = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}
