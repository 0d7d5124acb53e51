"""A counter and an app on it."""

from __future__ import annotations

import pytest

from terminal.tui.cashier.app import CashierApp
from tests.terminal.tui.fake_counter import FakeCounter


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
def app(counter: FakeCounter) -> CountingApp:
    """The cashier's app on it."""
    return CountingApp(counter)
