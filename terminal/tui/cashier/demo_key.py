"""Keys of the demo: what the simulated customer and the simulated world do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoKey:
    """One key of the strip "simulated customer"."""

    key: str
    """As Textual names it, such as ``t``."""
    id: str
    """Such as ``tap``; the binding's id is ``demo.tap``."""
    label: str
    """At most ten characters."""
    tooltip: str
    run: Callable[[], Awaitable[None]]
