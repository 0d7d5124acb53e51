"""The cashier's keys: letters and function keys both, no Alt (unreliable over SSH), digits for the amount."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from textual.binding import Binding

from terminal.tui.cashier.demo_key import DemoKey
from terminal.tui.leave import LEAVE_BINDINGS
from terminal.tui.widgets.key_strip import StripKey

MODE_ID, CLEAR_ID = "queue.mode", "view.clear-notices"
"""Ids of bindings whose keys are named in sentences."""

KEYPAD_BINDINGS: list[Binding] = [
    *(
        Binding(
            str(digit),
            f"digits('{digit}')",
            str(digit),
            show=False,
            id=f"amount.digit-{digit}",
            tooltip=f"Add {digit} to the amount",
        )
        for digit in range(10)
    ),
    Binding("asterisk", "digits('00')", "00", show=False, id="amount.00", tooltip="Add 00 to the amount"),
    Binding(
        "backspace,delete",
        "backspace",
        "Back",
        show=False,
        id="amount.back",
        tooltip="Take the last digit away",
    ),
]

SALE_BINDINGS: list[Binding] = [
    Binding(
        "enter,f2",
        "charge",
        "Charge",
        id="sale.charge",
        tooltip="Charge the amount typed; next customer",
    ),
    Binding("q,f3", "show_qr", "QR", id="sale.qr", tooltip="Show a code for the customer to scan"),
    Binding(
        "escape,f4",
        "cancel",
        "Cancel",
        id="sale.cancel",
        tooltip="Clear the amount or cancel the order; next customer",
    ),
    # The result of a declined order names this key; on the strip it would take an 81st column.
    Binding("a,f8", "retry", "Again", show=False, id="sale.again", tooltip="Try the declined order again"),
    Binding("o,f5", "offline_mode", "Offline", id=MODE_ID, tooltip="Go to the next offline mode; asks first"),
    Binding("s,f6", "sync", "Sync", id="queue.sync", tooltip="Send the offline queue now"),
    Binding("r,f7", "receipt", "Receipt", id="view.receipt", tooltip="Show or hide the last receipt"),
    Binding(
        "i,f11",
        "print_receipt",
        "Print",
        show=False,
        id="view.print",
        tooltip="Print the last receipt; a second time marked REPRINT",
    ),
    Binding("up", "scroll_receipt(-3)", "Up", show=False, id="view.up", tooltip="Scroll the receipt up"),
    Binding(
        "down", "scroll_receipt(3)", "Down", show=False, id="view.down", tooltip="Scroll the receipt down"
    ),
    Binding(
        "x,f9",
        "clear_notices",
        "Clear notices",
        show=False,
        id=CLEAR_ID,
        tooltip="Put the notices away on this screen",
    ),
    Binding(
        "m,f12",
        "technician",
        "Technician",
        show=False,
        id="app.technician",
        tooltip="Open the technician's screen; asks for a PIN",
    ),
    Binding("f1,question_mark", "keys", "Keys", id="app.keys", tooltip="List all keys"),
    *LEAVE_BINDINGS,
]

_NAMES = {
    "enter": "Enter",
    "escape": "Esc",
    "backspace": "Backspace",
    "delete": "Del",
    "asterisk": "*",
    "question_mark": "?",
    "up": "Up",
    "down": "Down",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "plus": "+",
    "equals_sign": "=",
    "minus": "-",
}


class DemoKeyError(ValueError):
    """A demo key would take one of the cashier's keys."""


def demo_bindings(demo_keys: Iterable[DemoKey]) -> list[Binding]:
    """Return the bindings of the demo keys; refuse a key that the cashier has."""
    taken = {key for binding in (*KEYPAD_BINDINGS, *SALE_BINDINGS) for key in binding.key.split(",")}
    bindings = []
    for demo in demo_keys:
        if demo.key in taken:
            raise DemoKeyError(
                f"demo key {demo.key!r} ({demo.id}) is one of the cashier's keys or used twice"
            )
        taken.add(demo.key)
        bindings.append(
            Binding(demo.key, f"demo('{demo.id}')", demo.label, id=f"demo.{demo.id}", tooltip=demo.tooltip)
        )
    return bindings


def key_name(key: str) -> str:
    """Return a key as people read it: ``Enter``, ``F1``, ``Ctrl+Q``, ``q``."""
    if key.startswith("ctrl+"):
        return f"Ctrl+{key[5:].upper()}"
    return _NAMES.get(key, key.upper() if len(key) > 1 else key)


def keys_of(name: str, keymap: Mapping[str, str]) -> list[str]:
    """Return the keys of one of the sale's bindings, as Textual names them."""
    usual = next(binding.key for binding in SALE_BINDINGS if binding.id == name)
    return keymap.get(name, usual).split(",")


def strip_keys(bindings: Sequence[Binding], keymap: Mapping[str, str], *, all_keys: bool) -> list[StripKey]:
    """Return bindings as they are shown, with the keys that *keymap* (binding id to keys) gives them."""
    shown = []
    for binding in bindings:
        name = binding.id or binding.action
        keys = [key_name(key) for key in keymap.get(name, binding.key).split(",")]
        shown.append(
            StripKey(
                id=name.replace(".", "-"),
                key=" ".join(keys) if all_keys else keys[0],
                label=binding.description,
                action=binding.action,
                tooltip=binding.tooltip,
            )
        )
    return shown


def listed(keymap: Mapping[str, str], demo: Sequence[Binding]) -> list[tuple[str, list[StripKey]]]:
    """Return all keys in groups, for the list; the ten digits are one line."""
    digits = StripKey("digits", "0 … 9", "", "", "Type the amount in minor units: 1 2 5 0 is 12.50")
    amount = strip_keys(KEYPAD_BINDINGS[10:], keymap, all_keys=True)
    groups = [("Amount", [digits, *amount]), ("Sale", strip_keys(SALE_BINDINGS, keymap, all_keys=True))]
    if demo:
        groups.append(("Simulated customer", strip_keys(demo, keymap, all_keys=True)))
    return groups
