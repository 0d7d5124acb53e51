"""Settings of the kernels with the shared EMV flow (4, 5, 6) beyond Book A."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EmvOptions:
    """Settings of the kernels with the shared EMV flow (4, 5, 6)."""
