"""Findings of probes as lines: a mark, what was looked at, what was found, and the cure below it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from terminal.diagnostics.finding import Finding, Mark
from terminal.tui.technician.colours import MUTED
from terminal.tui.widgets.line import FittedLines

SIGNS: dict[Mark, tuple[str, str]] = {
    Mark.OK: ("✓", "$success"),
    Mark.NOTE: ("·", MUTED),
    Mark.WARNING: ("!", "$warning"),
    Mark.FAULT: ("✗", "$error"),
    Mark.SKIPPED: ("–", MUTED),
}
_NAMES = 26
"""The widest column of names."""
_TIME = 9
"""Columns of the time that a probe took."""


def took(ms: float | None) -> str:
    """Return a time as it stands at the end of a line; empty where none was measured."""
    if ms is None:
        return ""
    if ms < 10:
        return f"{ms:.2f} ms"
    return f"{ms:.1f} ms" if ms < 100 else f"{ms:.0f} ms" if ms < 10_000 else f"{ms / 1000:.1f} s"


def finding_lines(finding: Finding, width: int, names: int, label: str = "") -> list[Content]:
    """Return one finding in *width* columns; names take *names* of them."""
    sign, style = SIGNS[finding.mark]
    name = (label or finding.name)[:names]
    time = took(finding.took_ms)
    room = max(10, width - names - 4 - (_TIME if time else 0))
    wrapped = wrap(finding.text, room)
    quiet = MUTED if finding.mark is Mark.SKIPPED else ""
    lines = []
    for index, part in enumerate(wrapped or [""]):
        if index:
            lines.append(Content.assemble(" " * (names + 4), (part, quiet)))
            continue
        head = Content.assemble((sign, f"bold {style}"), f" {name:<{names}}  ", (part, quiet))
        if time:
            gap = max(1, width - head.cell_length - len(time))
            head = Content.assemble(head, " " * gap, (time, MUTED))
        lines.append(head)
    if finding.cure:
        for index, part in enumerate(wrap(finding.cure, max(10, width - names - 10))):
            lead = "cure: " if index == 0 else "      "
            lines.append(Content.assemble(" " * (names + 4), (lead, "bold $success"), (part, "bold")))
    return lines


def wrap(text: str, width: int) -> list[str]:
    """Break *text* between words; a word that is too long is cut where the line ends."""
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        line = ""
        for word in paragraph.split(" "):
            while len(word) > width:
                if line:
                    lines.append(line)
                    line = ""
                lines.append(word[:width])
                word = word[width:]
            longer = f"{line} {word}" if line else word
            if len(longer) > width:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    return lines


class FindingsList(FittedLines):
    """Findings one below the other; those of one way (``host: TCP``) under its name."""

    _findings: tuple[Finding, ...] = ()
    _empty = ""
    _details = False

    def show(self, findings: Sequence[Finding], empty: str = "", *, details: bool = False) -> None:
        """Draw these; *empty* where there are none; with their details on demand."""
        self._findings = tuple(findings)
        self._empty = empty
        self._details = details
        self.redraw()

    def lines(self, width: int) -> Content:
        """Return them, names in one column."""
        if not self._findings:
            return Content.styled(self._empty, MUTED)
        names = min(_NAMES, max(len(_parts(each.name)[1]) for each in self._findings))
        lines: list[Content] = []
        group = ""
        for each in self._findings:
            way, label = _parts(each.name)
            if way != group:
                group = way
                lines += [Content("")] if lines else []
                lines += [Content.styled(way, "bold $primary")] if way else []
            lines += finding_lines(each, width, names, label)
            if self._details:
                lines += [
                    Content.styled(f"{' ' * (names + 4)}{part}", MUTED)
                    for name, value in each.details.items()
                    for part in wrap(f"{name}: {value}", max(10, width - names - 4))
                ]
        return Content("\n").join(lines)


def _parts(name: str) -> tuple[str, str]:
    """Return the way that a step belongs to, and the step; no way where there is none."""
    way, colon, step = name.partition(": ")
    return (way, step) if colon else ("", name)
