"""What printers, displays and sounders are tested with."""

from __future__ import annotations

from datetime import datetime

from drivers.page import Align, Page, Pair, QrCode, Rule, Text


def test_page(address: str, now: datetime) -> Page:
    """Return a page that shows at a glance what a printer can't: bold, large, columns, Chinese, a code."""
    return Page(
        (
            Text("TILLSIDE", Align.CENTRE, bold=True, large=True),
            Text("test page", Align.CENTRE),
            Rule(),
            Text(address),
            Text(f"{now:%Y-%m-%d %H:%M:%S}"),
            Rule(),
            Text("left"),
            Text("centre", Align.CENTRE),
            Text("right", Align.RIGHT),
            Text("bold", bold=True),
            Pair("total", "€12.50", bold=True),
            Text("äöüß éèç ñ £ ¥ €"),
            Text("微信支付 12元5角"),
            QrCode("https://example.com/tillside-test-page"),
            Text("Is all of it there, and cut?", Align.CENTRE),
        )
    )


test_page.__test__ = False  # type: ignore[attr-defined]  # it is no test of pytest's


def test_lines(columns: int, rows: int) -> tuple[str, ...]:
    """Return lines that fill a display to its last column and row."""
    ruler = "1234567890" * (columns // 10 + 1)
    lines = [f"{f'row {row + 1} ':-<{columns}}"[:columns] for row in range(rows)]
    return (ruler[:columns], *lines[1:]) if rows > 1 else (ruler[:columns],)


test_lines.__test__ = False  # type: ignore[attr-defined]
