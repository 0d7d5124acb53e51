"""Text that is drawn again only when it has changed."""

from __future__ import annotations

from textual.visual import VisualType
from textual.widgets import Static


class Line(Static):
    """A `Static` without markup whose `update` costs nothing when the text is the same.

    No markup: names of readers, reasons and notices come from outside and may hold brackets.
    """

    def __init__(
        self, content: VisualType = "", *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(content, id=id, classes=classes, markup=False)

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        """Show *content* unless it is shown already."""
        if content != self.content:
            super().update(content, layout=layout)
