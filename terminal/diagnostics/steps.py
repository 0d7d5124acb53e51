"""What the steps on a way through the network have in common: where it leads, and how a step is told."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from terminal.diagnostics.finding import Finding, Mark

AREA = "network"
"""The area of all findings on the way."""
CABLE = "is the cable in, the Wi-Fi on? nmcli device status"
PORTAL = "open any page in a browser: does this network want a log-in first (captive portal)?"


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where a way leads. `path` is what is asked for at its end."""

    label: str
    url: str
    ca_file: Path | None
    table: str
    path: str

    @property
    def host(self) -> str:
        """Its name or address."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Its TCP port."""
        return urlsplit(self.url).port or 443


class StepFailed(Exception):
    """A step has failed; its finding is what there is to say."""

    def __init__(self, text: str, cure: str, details: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.text, self.cure, self.details = text, cure, details or {}


def ms(started: float) -> float:
    """Return the milliseconds since a reading of `time.perf_counter`."""
    return round((time.perf_counter() - started) * 1000, 1)


def ok(
    gateway: Gateway, step: str, text: str, started: float, details: Mapping[str, str] | None = None
) -> Finding:
    """Return the finding of a step that went well."""
    name = f"{gateway.label}: {step}"
    return Finding(AREA, name, Mark.OK, text, took_ms=ms(started), details=details or {})


def fault(gateway: Gateway, step: str, error: StepFailed, started: float) -> Finding:
    """Return the finding of a step that failed."""
    name = f"{gateway.label}: {step}"
    return Finding(AREA, name, Mark.FAULT, error.text, error.cure, ms(started), error.details)


def skipped(gateway: Gateway, step: str, failed: str) -> Finding:
    """Return the finding of a step that was not taken, since another one failed."""
    return Finding(AREA, f"{gateway.label}: {step}", Mark.SKIPPED, f"{failed} failed")
