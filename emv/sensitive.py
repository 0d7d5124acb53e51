"""Types for card data. They print as a mask; only `reveal()` gives the value.

Plain slotted classes on purpose: not `str`, `bytes` or dataclasses, so that f-strings, `repr`,
`json`, `asdict`, `copy` and `pickle` show a mask or fail.
"""

from __future__ import annotations

from typing import NoReturn

from emv.errors import DecodeError
from emv.formats import decode_cn

_PAN_DIGITS = range(8, 20)


class SensitiveBytes:
    """Bytes that may hold card data."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = bytes(value)

    def reveal(self) -> bytes:
        """Return the bytes themselves."""
        return self._value

    def masked(self) -> str:
        """Return what may be shown."""
        return f"<{len(self._value)} bytes>"

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __str__(self) -> str:
        return self.masked()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.masked()})"

    def __format__(self, spec: str) -> str:
        return format(self.masked(), spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is never pickled or copied")


class Pan:
    """A primary account number: 8 to 19 decimal digits.

    Spec: ISO/IEC 7812-1; EMV 4.4 Book 3, Annex A, tag 5A.
    """

    __slots__ = ("_digits",)

    def __init__(self, digits: str) -> None:
        if len(digits) not in _PAN_DIGITS or not (digits.isascii() and digits.isdigit()):
            raise DecodeError("a card number has 8 to 19 digits", tag=0x5A)
        self._digits = digits

    @classmethod
    def decode(cls, value: bytes) -> Pan:
        """Return the number held in a tag 5A value: digits (format cn), F at the end as padding."""
        return cls(decode_cn(value))

    def reveal(self) -> str:
        """Return all digits."""
        return self._digits

    def masked(self) -> str:
        """Return the first six and the last four digits; of a short number the last four only."""
        digits = self._digits
        if len(digits) < 13:
            return "*" * (len(digits) - 4) + digits[-4:]
        return f"{digits[:6]}{'*' * (len(digits) - 10)}{digits[-4:]}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pan):
            return NotImplemented
        return self._digits == other._digits

    def __hash__(self) -> int:
        return hash(self._digits)

    def __str__(self) -> str:
        return self.masked()

    def __repr__(self) -> str:
        return f"Pan({self.masked()})"

    def __format__(self, spec: str) -> str:
        return format(self.masked(), spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("Pan is never pickled or copied")


class Track2:
    """Track 2 Equivalent Data: number, separator D, expiry YYMM, service code, discretionary data.

    Spec: EMV 4.4 Book 3, Annex A, tag 57; ISO/IEC 7813.
    """

    __slots__ = ("_pan", "_value", "expiry", "service_code")

    def __init__(self, value: bytes) -> None:
        digits = value.hex().upper()
        if len(value) > 19:
            raise DecodeError("track 2 data is longer than 19 bytes", tag=0x57)
        number, separator, rest = digits.partition("D")
        body = rest[:-1] if rest.endswith("F") else rest
        if not separator or len(body) < 7 or not body.isdecimal():
            raise DecodeError("track 2 data without separator, expiry and service code", tag=0x57)
        self._pan = Pan(number)
        self._value = bytes(value)
        self.expiry = body[:4]
        """Year and month, YYMM."""
        self.service_code = body[4:7]

    @property
    def pan(self) -> Pan:
        """The card number in front of the separator."""
        return self._pan

    def reveal(self) -> bytes:
        """Return the whole value as the card sent it."""
        return self._value

    def masked(self) -> str:
        """Return the masked number with everything behind the separator hidden."""
        return f"{self._pan.masked()}=****"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Track2):
            return NotImplemented
        return self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __str__(self) -> str:
        return self.masked()

    def __repr__(self) -> str:
        return f"Track2({self.masked()})"

    def __format__(self, spec: str) -> str:
        return format(self.masked(), spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("Track2 is never pickled or copied")
