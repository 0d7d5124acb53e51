"""What a probe found out: one line with a mark, and what cures it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Mark(StrEnum):
    """How it stands."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing; nothing is wrong."""
    WARNING = "warning"
    """It works, and soon or in some case it will not."""
    FAULT = "fault"
    SKIPPED = "skipped"
    """Not looked at, since something before it failed or is missing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a diagnosis. Never holds card data or keys.

    `area` is devices, network, queue, keys, system or the like; `took_ms` is how long the probe took.
    """

    area: str
    name: str
    mark: Mark
    text: str
    cure: str = ""
    took_ms: float | None = None
    details: Mapping[str, str] = field(default_factory=dict)

    def fields(self) -> dict[str, Any]:
        """Return the finding for a program."""
        return asdict(self)
