"""A row of keys with their labels, each clickable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import HorizontalGroup
from textual.content import Content

from terminal.tui.widgets.click_key import ClickKey


@dataclass(frozen=True, slots=True)
class StripKey:
    """One key of a strip."""

    id: str
    key: str
    """As shown to people: ``Enter``, ``q``."""
    label: str
    action: str
    tooltip: str


class KeyStrip(HorizontalGroup):
    """Keys side by side; an optional title in front keeps two strips apart."""

    def __init__(self, keys: Sequence[StripKey], *, title: str = "", id: str) -> None:
        super().__init__(id=id)
        self._keys = keys
        self._title = title

    def compose(self) -> ComposeResult:
        """Title, then keys."""
        if self._title:
            yield ClickKey(self._title, "nothing", "", classes="strip-title")
        for key in self._keys:
            yield ClickKey(
                self._content(key.key, key.label), key.action, key.tooltip, id=key.id, classes="strip-key"
            )

    def relabel(self, labels: Iterable[tuple[str, str]]) -> None:
        """Give keys another label, by id; unchanged labels cost nothing."""
        wanted = dict(labels)
        for key in self._keys:
            if key.id in wanted:
                self.query_one(f"#{key.id}", ClickKey).update(self._content(key.key, wanted[key.id]))

    @staticmethod
    def _content(key: str, label: str) -> Content:
        return Content.assemble((key, "bold $primary"), f" {label}")
