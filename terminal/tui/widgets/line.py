"""Text that is drawn again only when it has changed."""

from __future__ import annotations

from textual.content import Content
from textual.visual import VisualType
from textual.widgets import Static

UNLIMITED = 999
"""The width of what has none yet."""


class Line(Static):
    """A `Static` without markup whose `update` costs nothing when text and styles are the same.

    No markup: names of readers, reasons and notices come from outside and may hold brackets.
    """

    def __init__(
        self, content: VisualType = "", *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(content, id=id, classes=classes, markup=False)

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        """Show *content* unless it is shown already."""
        if not _looks_same(content, self.content):
            super().update(content, layout=layout)


class FittedLines(Line):
    """Lines that are composed for the width that there is, and anew when it changes."""

    def lines(self, width: int) -> Content:
        """Return what is shown in *width* columns. Each kind of lines has its own."""
        return Content("")

    def redraw(self) -> None:
        """Show the lines as they are now."""
        self.update(self.lines(self.size.width or UNLIMITED))

    def on_resize(self) -> None:
        """Fit them to the width."""
        self.redraw()


def _looks_same(one: VisualType, other: VisualType) -> bool:
    # `Content` compares its text only. Large letters and shapes are blanks that differ in style alone.
    if isinstance(one, Content) and isinstance(other, Content):
        return one.is_same(other)
    return isinstance(one, str) and isinstance(other, str) and one == other
