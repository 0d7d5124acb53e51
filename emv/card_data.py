"""What the card has said in this transaction, by tag. It prints its tags, never a value."""

from __future__ import annotations

from collections.abc import Iterable

from emv import tlv
from emv.errors import DecodeError
from emv.tags import describe
from emv.tlv import Duplicates


class CardData:
    """The card's data objects."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: dict[int, bytes] = {}

    def add(self, objects: Iterable[tlv.Tlv], duplicates: Duplicates = Duplicates.REFUSE) -> None:
        """Take the primitive objects of a response; templates are opened.

        Raises:
            DecodeError: a tag came twice, and `duplicates` does not say which one counts.

        Spec: EMV 4.4 Book 3, 10.2; EMV Contactless Book C-3, 5.4.2.2.
        """
        for tag, value in tlv.walk(objects):
            if tag in self._values:
                if duplicates is Duplicates.REFUSE:
                    raise DecodeError("the card gave a data object twice", tag=tag)
                if duplicates is Duplicates.FIRST:
                    continue
            self._values[tag] = value

    def get(self, tag: int) -> bytes | None:
        """Return a value, or None."""
        return self._values.get(tag)

    def __getitem__(self, tag: int) -> bytes:
        return self._values[tag]

    def __contains__(self, tag: int) -> bool:
        return tag in self._values

    def check_lengths(self, tags: Iterable[int], kernel: int) -> None:
        """Refuse a value of these tags that is shorter or longer than its definition.

        Raises:
            DecodeError: one is.
        """
        for tag in tags:
            value, info = self._values.get(tag), describe(tag, kernel)
            if value is not None and info and not info.shortest <= len(value) <= info.longest:
                raise DecodeError(f"{len(value)} bytes are no length for it", tag=tag)

    def __repr__(self) -> str:
        return f"CardData({', '.join(f'{tag:02X}' for tag in self._values)})"
