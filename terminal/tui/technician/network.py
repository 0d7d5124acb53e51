"""Network: the way to the host step by step, and to each other gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import ClassVar

from textual.binding import BindingType

from terminal.diagnostics import network
from terminal.diagnostics.finding import Finding
from terminal.tui.technician.probe_pane import ProbePane, probe_bindings


class NetworkPane(ProbePane):
    """Name, TCP, TLS, certificate, clock, echo, sync; each with its mark and its time."""

    TITLE = "Network"
    WHAT = "The way to the host"
    BINDINGS: ClassVar[list[BindingType]] = probe_bindings("Network")

    def probe(self) -> AsyncIterator[Finding]:
        """Return the steps."""
        return network.probe(self.workshop)
