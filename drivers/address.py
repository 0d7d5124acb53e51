"""Device addresses: ``scheme:target``, the one name a device has in configuration, logs and screens."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SCHEME = re.compile(r"[a-z][a-z0-9-]*")
_PASSWORD = re.compile(
    r"(?<=//)(?!\[[0-9A-Fa-f:.]+\])([^/?#@:]*):(?:[^/?#]*(?=@)|(?!\d*[/?])[^@]*(?=@))",
)
"""The password in the address of a network camera, ``rtsp://user:password@host/``. It goes up to the last @
before the path, or where it has a slash itself, up to the first @; a number and a slash are a port."""
_SECRET = re.compile(
    r"(?i)(?<=[?&;])((?:[^=&;]*(?:pas|pwd|psw|secret|token|key|auth|credential)[^=&;]*"
    r"|(?:[^=&;]*[_.-])?(?:pw|pin|sig|signature))=)[^&]*?(?=&|#(?:\w+=[^#]*)?$|$)"
)
"""A value in its query whose name says that it is a secret, ``?user=admin&pwd=...``, up to the options."""


class AddressError(ValueError):
    """A text that is no device address; the message names the right syntax."""


@dataclass(frozen=True, slots=True, repr=False)
class DeviceAddress:
    """A driver's scheme and the device that it should open.

    Only the first colon splits, so a target may hold more of them
    (``camera:http://127.0.0.1:8080/``). A target may be empty where the driver says so. A password
    in it is in `target` alone, before the host or in the query: as text, in errors, logs and on screens,
    an address has ``***`` for it.
    """

    scheme: str
    target: str

    def __post_init__(self) -> None:
        if not _SCHEME.fullmatch(self.scheme):
            raise AddressError(f"bad scheme {self.scheme!r}: lower-case letters, digits and '-' only")
        if not self.target.isprintable() or self.target != self.target.strip():
            raise AddressError(f"bad target {self.target!r}: printable text, no space at either end")

    def __str__(self) -> str:
        return f"{self.scheme}:{without_passwords(self.target)}"

    def __repr__(self) -> str:
        return f"DeviceAddress({str(self)!r})"


def without_passwords(target: str) -> str:
    """Return a target as it may be shown to anyone."""
    return _SECRET.sub(r"\1***", _PASSWORD.sub(r"\1:***", target))


def parse(text: str) -> DeviceAddress:
    """Return the address written in *text*; ``str(parse(text)) == text`` where it has no password."""
    scheme, colon, target = text.partition(":")
    if not colon:
        raise AddressError(
            f"{text!r} is no device address: write scheme:target, such as pcsc:ACS ACR122U, "
            "pn532:/dev/ttyUSB0, camera:0 or sim:visa-approve"
        )
    return DeviceAddress(scheme, target)
