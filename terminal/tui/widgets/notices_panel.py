"""What happened apart from the present order."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive

from terminal.tui.widgets.line import Line

Notices = tuple[str, ...]
"""Newest first."""


def since(notices: Notices, cleared: Notices) -> Notices:
    """Return those of *notices* that came after *cleared* was all there was; old ones may have gone."""
    for new in range(len(notices)):
        rest = notices[new:]
        if rest == cleared[: len(rest)]:
            return notices[:new]
    return notices


class NoticesPanel(Line):
    """The newest notices; hidden when there are none."""

    notices: reactive[Notices | None] = reactive(None)
    _cleared: Notices = ()

    def entitle(self, key: str) -> None:
        """Name the panel, and the key that clears it."""
        self.border_title = f"Notices ({key} clears)"

    def clear(self) -> bool:
        """Put the notices shown away, on this screen only; False when there is none."""
        cleared, self._cleared = self._cleared, self.notices or ()
        self._show()
        return bool(since(self._cleared, cleared))

    def watch_notices(self) -> None:
        """Draw them."""
        self._show()

    def _show(self) -> None:
        shown = since(self.notices or (), self._cleared)
        self.display = bool(shown)
        self.update(Content("\n").join(Content.assemble(("• ", "bold $warning"), each) for each in shown))
