"""What happened apart from the present order."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive

from terminal.tui.widgets.line import Line


class NoticesPanel(Line):
    """The newest notices; hidden when there are none."""

    notices: reactive[tuple[str, ...] | None] = reactive(None)

    def on_mount(self) -> None:
        """Name the panel."""
        self.border_title = "Notices"

    def watch_notices(self, notices: tuple[str, ...] | None) -> None:
        """Draw them."""
        self.display = bool(notices)
        self.update(
            Content("\n").join(Content.assemble(("• ", "bold $warning"), notice) for notice in notices or ())
        )
