"""Timing in turns: what is compared runs alternately, so that a busy moment hits both."""

import statistics
import time
from collections.abc import Callable

REPEAT = 200
"""How often a round does what is too short to be timed once."""


def in_turns(*runs: Callable[[], object], rounds: int) -> list[list[float]]:
    """Return the seconds that each run took in each round."""
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for run, taken in zip(runs, times, strict=True):
            began = time.perf_counter()
            run()
            taken.append(time.perf_counter() - began)
    return times


def p50(times: list[float]) -> float:
    """Return the median."""
    return statistics.median(times)


def line(name: str, figure: str, yardstick: str = "", ratio: str = "") -> None:
    """Print one figure beside its yardstick."""
    print(f"{name:44s} {figure:>14s}   {yardstick:34s} {ratio}")
