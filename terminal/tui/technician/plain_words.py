"""What a device's reason means and what comes after its cure, for somebody new to this screen."""

from __future__ import annotations

from drivers.errors import Reason

_MEANINGS = {
    Reason.DRIVER_MISSING.value: "A library that talks to this kind of device is not installed.",
    Reason.SERVICE_DOWN.value: "A program that stands between the till and the device is not running.",
    Reason.NO_PERMISSION.value: "The device is there, but this user is not allowed to open it.",
    Reason.BUSY.value: "Another program holds the device, and only one can have it at a time.",
    Reason.NOT_FOUND.value: "Nothing is there under this address: unplugged, without power, or another name.",
    Reason.NO_ANSWER.value: "The port or the host is there, but nothing on it answers.",
    Reason.REFUSED.value: "The device refuses the connection: it is off, busy, or listens on another port.",
    Reason.WRONG_DEVICE.value: "Something answers, but it is not the device that the address names.",
    Reason.WRONG_ADDRESS.value: "What the configuration says of this device can't be right.",
    Reason.STUCK.value: "The device was used, and has stopped answering.",
    Reason.OUT_OF_PAPER.value: "The printer has no paper. What was to be printed waits.",
    Reason.COVER_OPEN.value: "The printer's cover is open. What was to be printed waits.",
}
_FORESEEN_BY_NOBODY = (
    "The driver failed in a way that nobody foresaw. It is opened again, as often as needed."
)
_TRANSMISSION = "The device is there, but what it sends makes no sense: a cable, a hub, or the wrong device."
START_AGAIN = "leave (F10) and start again"
"""What makes a changed configuration count."""
_BY_ITSELF = "The till notices by itself when it is cured; r tries at once."


def meaning(text: str) -> str:
    """Return what a device's condition means; *text* is its reason as `DeviceStatus` has it."""
    if text.startswith("driver error"):
        return _FORESEEN_BY_NOBODY
    return _MEANINGS.get(text, _TRANSMISSION)


def is_edited(text: str, command: str) -> bool:
    """Tell whether the configuration is to be edited: *command* is what can be typed, if anything can."""
    return text == Reason.WRONG_ADDRESS.value or (text == Reason.DRIVER_MISSING.value and not command)


def next_step(text: str, cure: str, command: str) -> str:
    """Return what is to be done after the cure: the till does not notice every one by itself."""
    if is_edited(text, command):
        return f"Then {START_AGAIN}: the file is read at the start."
    if text == Reason.DRIVER_MISSING.value:
        return f"When it is installed, {START_AGAIN}."
    if "log in again" in cure:
        return "Then leave (F10), log out and in, and start again: groups count from the log-in on."
    if text == Reason.WRONG_DEVICE.value:
        return f"{_BY_ITSELF} A changed address counts from the next start on."
    return _BY_ITSELF
