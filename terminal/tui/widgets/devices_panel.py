"""The devices, each with its reason and cure when it fails."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive

from terminal.tui.widgets.line import Line
from terminal.view import DeviceView

_SIGNS = {"ready": ("✓", "$success"), "busy": ("●", "$primary"), "opening": ("…", "$warning")}
_FAILED = ("✗", "$error")


def device_lines(device: DeviceView) -> Content:
    """Return one line for a device that works, and reason and cure below for one that does not."""
    sign, style = _SIGNS.get(device.state, _FAILED)
    failed = device.state not in _SIGNS
    head = Content.assemble((sign, f"bold {style}"), f" {device.kind} ")
    if failed:
        head = Content.assemble(head, (f"{device.state}\n", f"bold {style}"), f"  {device.text}")
    else:
        head = Content.assemble(head, device.text or device.address)
        if device.state != "ready":
            head = Content.assemble(head, (f" ({device.state})", "dim"))
    if device.cure:
        head = Content.assemble(head, "\n  ", ("cure: ", "bold"), device.cure)
    return head


class DevicesPanel(Line):
    """All devices, failing ones first."""

    devices: reactive[tuple[DeviceView, ...] | None] = reactive(None)

    def on_mount(self) -> None:
        """Name the panel."""
        self.border_title = "Devices"

    def watch_devices(self, devices: tuple[DeviceView, ...] | None) -> None:
        """Draw them."""
        ordered = sorted(devices or (), key=lambda device: device.state in _SIGNS)
        self.set_class(any(device.state not in _SIGNS for device in ordered), "-failed")
        if ordered:
            self.update(Content("\n").join(device_lines(device) for device in ordered))
        else:
            self.update("none configured")
