"""Options of a device, in its address: ``camera:0#resolution=1280x720,exposure=-6``.

They follow the last ``#`` of the target as ``name=value``, joined by commas. A target that has a ``#``
itself ends with one: ``camera:/home/shot#1.png#``. Names and values have no comma, and names no ``=``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from drivers.address import DeviceAddress
from drivers.errors import DeviceUnavailableError, Reason


def split(address: DeviceAddress) -> tuple[str, Mapping[str, str]]:
    """Return the target without its options, and the options by name.

    Raises DeviceUnavailableError for what is no ``name=value``, and for a name that comes twice.
    """
    target, mark, written = address.target.rpartition("#")
    if not mark:
        return address.target, {}
    options: dict[str, str] = {}
    for part in written.split(",") if written else ():
        name, equals, value = part.partition("=")
        if not (name and equals and value) or name in options:
            raise DeviceUnavailableError(
                address,
                Reason.WRONG_ADDRESS,
                "write options at the end as #name=value,name=value, each once",
            )
        options[name] = value
    return target, options


class Options:
    """The target of an address, and its options as the driver understands them.

    Args:
        address: The whole address.
        allowed: What the driver knows: a value to write for each name, such as ``{"baud": "9600"}``.

    Raises DeviceUnavailableError, with what is allowed, for a name that the driver does not know; so
    do the methods below for a value that can't be.
    """

    def __init__(self, address: DeviceAddress, allowed: Mapping[str, str]) -> None:
        self.target, self._options = split(address)
        self._address = address
        self._allowed = allowed
        unknown = [name for name in self._options if name not in allowed]
        if unknown:
            known = ", ".join(f"{name}={value}" for name, value in allowed.items()) or "none"
            raise self._refusal(f"{unknown[0]} is no option of {address.scheme}:, options are {known}")

    def text(self, name: str, default: str = "") -> str:
        """Return an option as it is written."""
        return self._options.get(name, default)

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        """Return an option that is one of several words."""
        value = self.text(name, default)
        if value not in choices:
            raise self._refusal(f"{name}={value} can't be, write one of {', '.join(choices)}")
        return value

    def number(self, name: str, default: int, *, lowest: int, highest: int) -> int:
        """Return an option that is a whole number, both ends allowed."""
        return self._whole(name, self.text(name, str(default)), lowest, highest)

    def optional_number(self, name: str, *, lowest: int, highest: int) -> int | None:
        """Return an option that is a whole number, both ends allowed; None where it is not written."""
        return self.number(name, 0, lowest=lowest, highest=highest) if name in self._options else None

    def size(self, name: str, *, highest: int) -> tuple[int, int] | None:
        """Return an option that is WIDTHxHEIGHT, each from 1 to *highest*; None where it is not written."""
        if name not in self._options:
            return None
        width, _, height = self._options[name].partition("x")
        return self._whole(name, width, 1, highest), self._whole(name, height, 1, highest)

    def _whole(self, name: str, text: str, lowest: int, highest: int) -> int:
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= 12):
            raise self._refusal(f"{name}={self.text(name)} can't be, write it as {self._allowed[name]}")
        if not lowest <= int(text) <= highest:
            raise self._refusal(f"{name}={self.text(name)} can't be, write {lowest} to {highest}")
        return int(text)

    def _refusal(self, hint: str) -> DeviceUnavailableError:
        return DeviceUnavailableError(self._address, Reason.WRONG_ADDRESS, hint)
