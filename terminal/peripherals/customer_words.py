"""What the customer reads, as rows of a display. Pure: from the counter's view to text."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from terminal.view import CounterView, LightPattern, Outcome, Phase, ResultView

_TAP = "Tap card or phone"
_WAIT = "Please wait"
_READ = "Card read, remove it"
_BELOW = {
    Phase.ARMED: _TAP,
    # Reading takes less time than a display needs to be read: it goes on asking.
    Phase.READING: _TAP,
    Phase.CARD_READ: _READ,
    Phase.ASKING: _WAIT,
    Phase.CUSTOMER_CONFIRMS: "Confirm on phone",
    Phase.SHOWING_QR: "Scan the code",
    Phase.REVERSING: _WAIT,
}
_RESULTS = {
    Outcome.APPROVED: "Approved",
    Outcome.APPROVED_OFFLINE: "Approved offline",
    Outcome.DECLINED: "Declined, not paid",
    Outcome.UNKNOWN: "Result not known",
}
_USUAL_PROMPTS = ("Tap card or phone, or show code", "Reading: hold the card still")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: text at its left, and at its right what must not be cut off."""

    left: str
    right: str = ""
    centred: bool = False

    def laid_out(self, columns: int) -> str:
        """Return the row in so many columns. The right part stays whole as long as it fits at all.

        A Chinese character takes two columns, on displays that have it.
        """
        if self.centred:
            margin = max(0, columns - cell_len(self.left)) // 2
            return set_cell_size(" " * margin + self.left, columns).rstrip()
        if not self.right:
            return set_cell_size(self.left, columns).rstrip()
        room = columns - cell_len(self.right) - 1
        return f"{set_cell_size(self.left, room)} {self.right}" if room > 0 else self.right[:columns]


def rows(view: CounterView, columns: int) -> tuple[Row, ...]:
    """Return two rows: the amount above, what to do below. Without an order: the shop's name."""
    if view.phase is Phase.STARTING:
        return Row(_WAIT, centred=True), Row("")
    if view.phase is Phase.IDLE:
        return Row(view.shop, centred=True), Row("Welcome", centred=True)
    amount = view.amount.format(view.locale)
    if view.phase is Phase.DONE and view.result is not None:
        return _result(view.result, view.locale, columns)
    below = _BELOW.get(view.phase, _WAIT)
    if view.phase is Phase.ARMED:
        below = _armed(view, columns)
    elif view.phase is Phase.ASKING and view.lights is LightPattern.CARD_READ:
        below = _READ
    return Row("Total", amount), Row(below)


def _result(result: ResultView, locale: str, columns: int) -> tuple[Row, ...]:
    # Nobody has approved a deferred payment: the customer is not told that somebody had.
    words = "Taken offline" if result.deferred else _RESULTS[result.outcome]
    below = _WAIT if result.outcome is Outcome.UNKNOWN else ""
    return Row(words), Row(below, result.amount.format(locale))


def _armed(view: CounterView, columns: int) -> str:
    """Return what the reader wants the customer to do, where the display has room for that."""
    if view.prompt in _USUAL_PROMPTS:
        return _TAP
    if cell_len(view.prompt) <= columns:
        return view.prompt
    return "Please try again" if view.lights is LightPattern.ERROR else _TAP


def lines(view: CounterView, columns: int, row_count: int) -> tuple[str, ...]:
    """Return what a display of that size shows. Of one row only, what to do is more than the amount."""
    both = tuple(row.laid_out(columns) for row in rows(view, columns))
    return both if row_count >= len(both) else both[-row_count:]
