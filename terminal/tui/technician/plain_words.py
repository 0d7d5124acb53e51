"""What a device's reason means, in words for somebody who has never seen this screen."""

from __future__ import annotations

from drivers.errors import Reason

_MEANINGS = {
    Reason.DRIVER_MISSING.value: "A library that talks to this kind of device is not installed.",
    Reason.SERVICE_DOWN.value: "A program that stands between the till and the device is not running.",
    Reason.NO_PERMISSION.value: "The device is there, but this user is not allowed to open it.",
    Reason.BUSY.value: "Another program holds the device, and only one can have it at a time.",
    Reason.NOT_FOUND.value: "Nothing is there under this address: unplugged, without power, or another name.",
    Reason.STUCK.value: "The device is attached but has stopped answering.",
    Reason.OUT_OF_PAPER.value: "The printer has no paper. What was to be printed waits.",
    Reason.COVER_OPEN.value: "The printer's cover is open. What was to be printed waits.",
}
_FORESEEN_BY_NOBODY = (
    "The driver failed in a way that nobody foresaw. It is opened again, as often as needed."
)
_TRANSMISSION = "The device is there, but what it sends makes no sense: a cable, a hub, or the wrong device."


def meaning(text: str) -> str:
    """Return what a device's condition means; *text* is its reason as `DeviceStatus` has it."""
    if text.startswith("driver error"):
        return _FORESEEN_BY_NOBODY
    return _MEANINGS.get(text, _TRANSMISSION)
