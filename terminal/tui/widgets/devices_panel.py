"""The devices, each with its reason and cure when it fails."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive

from terminal.tui.widgets.line import FittedLines
from terminal.view import DeviceView

_SIGNS = {"ready": ("✓", "$success"), "busy": ("●", "$primary"), "opening": ("…", "$warning")}
_FAILED = ("✗", "$error")
_WORDS = {"ready": "", "busy": "listening ", "opening": "opening "}
"""What stands before a working device's name. A busy one waits for the customer, which is no fault."""
_MOMENTARY = ("display", "sounder")
"""Kinds whose work takes a moment. Nothing is said of it: it would flicker."""
_NAME = 12
"""Columns from which on a part of a name says more than none."""


def device_lines(device: DeviceView, width: int) -> Content:
    """Return one line for a device that works, and reason and cure below for one that does not."""
    state = "ready" if device.state == "busy" and device.kind in _MOMENTARY else device.state
    sign, style = _SIGNS.get(state, _FAILED)
    head = Content.assemble((sign, f"bold {style}"), f" {device.kind} ")
    if state in _SIGNS:
        words = "printing " if (device.kind, state) == ("printer", "busy") else _WORDS[state]
        head = Content.assemble(head, (words, style))
        name = Content(device.text or device.address)
        room = width - head.cell_length
        if name.cell_length <= room or room >= _NAME:
            head = Content.assemble(head, name.truncate(room, ellipsis=True))
    else:
        head = Content.assemble(head, (f"{device.state}\n", f"bold {style}"), f"  {device.text}")
    if device.cure:
        head = Content.assemble(head, "\n  ", ("cure: ", "bold"), device.cure)
    return head


class DevicesPanel(FittedLines):
    """All devices, failing ones first."""

    devices: reactive[tuple[DeviceView, ...] | None] = reactive(None)

    def on_mount(self) -> None:
        """Name the panel."""
        self.border_title = "Devices"

    def watch_devices(self, devices: tuple[DeviceView, ...] | None) -> None:
        """Draw them."""
        self.set_class(any(device.state not in _SIGNS for device in devices or ()), "-failed")
        self.redraw()

    def lines(self, width: int) -> Content:
        """Return them, failing ones first."""
        ordered = sorted(self.devices or (), key=lambda device: device.state in _SIGNS)
        if not ordered:
            return Content("none configured")
        return Content("\n").join(device_lines(device, width) for device in ordered)
