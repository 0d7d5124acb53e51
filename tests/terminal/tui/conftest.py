"""A counter and an app on it."""

from __future__ import annotations

import pytest

from terminal.tui.cashier.app import CashierApp
from tests.terminal.tui.fake_counter import FakeCounter


class HandClock:
    """A clock that stands until a test turns it."""

    now_s = 1000.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now_s

    def turn(self, seconds: float) -> None:
        """Let time pass."""
        self.now_s += seconds


class CountingApp(CashierApp):
    """Counts its bells."""

    bells = 0

    def bell(self) -> None:
        """Count instead of ringing."""
        self.bells += 1


@pytest.fixture
def counter() -> FakeCounter:
    """An idle counter."""
    return FakeCounter()


@pytest.fixture
def clock() -> HandClock:
    """The clock of the app."""
    return HandClock()


@pytest.fixture
def app(counter: FakeCounter, clock: HandClock) -> CountingApp:
    """The cashier's app on both."""
    return CountingApp(counter, clock_s=clock)
