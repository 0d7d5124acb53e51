"""How long many commands took: percentiles, and a course for a graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

KEPT = 2000
"""How many of the last times are kept for the graph."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Times of one command, in milliseconds. Of no command all are zero."""

    count: int
    least: float
    p50: float
    p90: float
    p99: float
    most: float
    per_second: float
    course: tuple[float, ...]
    """The last times in their order."""


NO_TIMES = Latency(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, ())


def latency_of(times_ms: Sequence[float]) -> Latency:
    """Sum up times. A percentile is the smallest time that so many per cent do not exceed."""
    if not times_ms:
        return NO_TIMES
    ordered = sorted(times_ms)

    def percentile(per_cent: int) -> float:
        return ordered[max(0, -(-len(ordered) * per_cent // 100) - 1)]

    total_s = sum(ordered) / 1000
    return Latency(
        len(ordered),
        ordered[0],
        percentile(50),
        percentile(90),
        percentile(99),
        ordered[-1],
        len(ordered) / total_s if total_s else 0.0,
        tuple(times_ms[-KEPT:]),
    )
