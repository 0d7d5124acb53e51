"""The two errors of this package: bad data from outside, and misuse by our own caller."""

from __future__ import annotations


class DecodeError(ValueError):
    """Bytes that do not follow their format. The message holds no value, so no card data.

    Args:
        reason: What is wrong, in words.
        tag: The tag being read, as far as it was read; None outside TLV.
        offset: Bytes from the start of the decoded data to the part that is missing or wrong.
    """

    def __init__(self, reason: str, *, tag: int | None = None, offset: int = 0) -> None:
        where = f"at byte {offset}" if tag is None else f"tag {tag:02X}, at byte {offset}"
        super().__init__(f"{reason} ({where})")
        self.reason = reason
        self.tag = tag
        self.offset = offset


class KernelMisuseError(Exception):
    """An event that the machine does not take in its state: a bug of the caller, never of the card."""


class AuthenticationError(ValueError):
    """A key, certificate or signature that does not hold. The message holds no card data.

    Args:
        reason: What is wrong, in words.
        missing: Tags of data that the card did not give.
    """

    def __init__(self, reason: str, *, missing: tuple[int, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.missing = missing

    def of(self, step: str) -> AuthenticationError:
        """Return the same error with the step in front of its reason: "issuer certificate: ..."."""
        return AuthenticationError(f"{step}: {self.reason}", missing=self.missing)
