"""Settings of kernel 6 beyond Book A."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class C6Options:
    """Settings of kernel 6.

    Args:
        ttq_as_configured: Send the TTQ with the functions that it names, also those that are not there.
            For replays of another terminal's taps only.
    """

    ttq_as_configured: bool = False
