"""Rows of keys with their labels, each clickable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import HorizontalGroup, ItemGrid, VerticalGroup
from textual.content import Content
from textual.events import Resize

from terminal.tui.widgets.click_key import ClickKey
from terminal.tui.widgets.line import Line

GAP = 2
"""Columns between two keys."""
_NARROW = 60
"""Below this width the title has a row of its own."""


@dataclass(frozen=True, slots=True)
class StripKey:
    """One key of a strip."""

    id: str
    key: str
    """As shown to people: ``Enter``, ``q``."""
    label: str
    action: str
    tooltip: str


def rows_of(keys: Sequence[StripKey], title: str, width: int) -> list[list[StripKey]]:
    """Return the keys in as many rows as they need; the first row begins with the title."""
    used = len(title) + 2 + GAP if title else 0
    rows: list[list[StripKey]] = [[]]
    if title and width < _NARROW:
        rows, used = [[], []], 0
    for key in keys:
        needed = len(key.key) + 1 + len(key.label)
        if rows[-1] and used + needed > width:
            rows.append([])
            used = 0
        rows[-1].append(key)
        used += needed + GAP
    return rows


def key_text(key: StripKey, label: str) -> Content:
    """Return a key and its label as they are drawn."""
    return Content.assemble((key.key, "bold $primary"), f" {label}")


class KeyTable(VerticalGroup):
    """Keys in columns under a title, as many columns as fit: for narrow places."""

    def __init__(self, keys: Sequence[StripKey], *, title: str, column: int, id: str) -> None:
        super().__init__(id=id)
        self._keys = keys
        self._title = title
        self._column = column

    def compose(self) -> ComposeResult:
        """Title, then keys."""
        yield Line(self._title, classes="strip-title")
        with ItemGrid(min_column_width=self._column):
            for key in self._keys:
                text = key_text(key, key.label)
                yield ClickKey(text, key.action, key.tooltip, id=key.id, classes="strip-key")


class KeyStrip(VerticalGroup):
    """Keys side by side; an optional title in front keeps two strips apart."""

    def __init__(self, keys: Sequence[StripKey], *, title: str = "", id: str) -> None:
        super().__init__(id=id)
        self._keys = keys
        self._title = title
        self._labels: dict[str, str] = {}
        self._rows: list[list[StripKey]] = [list(keys)]

    def compose(self) -> ComposeResult:
        """Title, then keys."""
        for index, row in enumerate(self._rows):
            with HorizontalGroup(classes="strip-row"):
                if self._title and index == 0:
                    yield Line(self._title, classes="strip-title")
                for key in row:
                    yield ClickKey(
                        self._content(key, self._labels),
                        key.action,
                        key.tooltip,
                        id=key.id,
                        classes="strip-key",
                    )

    async def on_resize(self, event: Resize) -> None:
        """Break the rows anew."""
        rows = rows_of(self._keys, self._title, self.size.width)
        if rows != self._rows:
            self._rows = rows
            await self.recompose()

    def relabel(self, labels: Iterable[tuple[str, str]]) -> None:
        """Give keys another label, by id; unchanged labels cost nothing."""
        self._labels.update(labels)
        for key in self._keys:
            if key.id in self._labels:
                for shown in self.query(f"#{key.id}").results(ClickKey):
                    shown.update(self._content(key, self._labels))

    @staticmethod
    def _content(key: StripKey, labels: Mapping[str, str]) -> Content:
        return key_text(key, labels.get(key.id, key.label))
