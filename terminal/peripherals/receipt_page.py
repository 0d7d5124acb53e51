"""A result's receipt as a page for a printer."""

from __future__ import annotations

from drivers.page import Align, Page, Text
from terminal.view import ResultView

REPRINT = "*** REPRINT ***"


def receipt_page(result: ResultView, reprint: bool) -> Page:
    """Return the receipt's lines as they stand on the screen; a reprint says so above them."""
    mark = (Text(REPRINT, Align.CENTRE, bold=True), Text("")) if reprint else ()
    return Page((*mark, *(Text(line) for line in result.receipt)))
