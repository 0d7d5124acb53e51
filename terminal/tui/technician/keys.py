"""Keys and certificates, with their end dates."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import ClassVar

from textual.binding import BindingType

from terminal.diagnostics import keys
from terminal.diagnostics.finding import Finding
from terminal.tui.technician.probe_pane import ProbePane, probe_bindings


class KeysPane(ProbePane):
    """Which keys there are, and until when they hold. Only fingerprints are shown."""

    TITLE = "Keys"
    WHAT = "Keys and certificates"
    BINDINGS: ClassVar[list[BindingType]] = probe_bindings("Keys")

    def probe(self) -> AsyncIterator[Finding]:
        """Return them."""
        return keys.probe(self.workshop)
