"""Settings of kernel 2 beyond Book A."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class C2Options:
    """Settings of kernel 2."""
