"""The keys of the open pane, as many as do something now."""

from __future__ import annotations

from collections.abc import Sequence

from terminal.tui.widgets.key_strip import KeyStrip, StripKey, rows_of


class PaneKeys(KeyStrip):
    """A strip whose keys change with what they would work on."""

    def show(self, keys: Sequence[StripKey]) -> None:
        """Draw these; the same ones cost nothing."""
        if list(keys) == list(self._keys):
            return
        self._keys = list(keys)
        self._rows = rows_of(self._keys, self._title, self.size.width) if self.size.width else [self._keys]
        self.refresh(recompose=True)
