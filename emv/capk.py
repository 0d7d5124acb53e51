"""Certification authority public keys and the certificates that were revoked under them.

A key file is JSON: a list of keys, or an object with a list under "keys" (or "cases") and perhaps one of
revoked issuer certificates under "revoked". Values are hexadecimal, upper or lower case:

    {"keys": [{"rid": "A000000003", "index": "94", "modulus": "...", "exponent": "03",
               "checksum": "...", "expiry": "2031-12-31"}],
     "revoked": [{"rid": "A000000003", "index": "94", "serial": "01A2B3"}]}

"checksum" may also be called "sha1_published" or "sha1_computed"; each that is there must be the SHA-1 of
RID, index, modulus and exponent. It and "expiry" may be absent or null; other fields are notes.

Of entries that the file itself marks "ambiguous", because its sources disagree, one counts: the one that
alone was published with a check sum, or else with one and by the most "sources". If none stands out,
none counts. Those, and keys that EMV no longer has (exponent 2), are left out and told, not refused.

Spec: EMV 4.4 Book 2, 5.1, 5.2 and 11.2.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha1
from typing import Any

from emv.errors import AuthenticationError
from emv.rsa import PublicKey

_FORM = 'give a list of keys, each an object with "rid", "index", "modulus" and "exponent"'
_GET_ANEW = "copy the entry anew from where it is published, or take it out"
_KEEP_ONE = "keep the one that the scheme publishes"
"""What whoever has the file can do."""


class CaKeyError(ValueError):
    """A key file that can't be used. The message names the entry."""


@dataclass(frozen=True, slots=True)
class CaKey:
    """One key of a scheme.

    Args:
        rid: Registered application provider identifier, five bytes.
        index: Which of the scheme's keys, tag 8F.
        key: The key.
        expiry: The last day on which it is used; None if the scheme has set none.
    """

    rid: bytes
    index: int
    key: PublicKey
    expiry: datetime.date | None = None

    @property
    def name(self) -> str:
        """RID and index, such as A000000003/94."""
        return f"{self.rid.hex().upper()}/{self.index:02X}"


@dataclass(frozen=True, slots=True)
class Revoked:
    """An issuer certificate that is not to be taken any more: its serial number has three bytes."""

    rid: bytes
    index: int
    serial: bytes


class CaKeys:
    """The scheme keys that a terminal holds, and the certificates revoked under them.

    Raises:
        CaKeyError: two different keys have one RID and index.
    """

    __slots__ = ("_keys", "_revoked", "left_out")

    def __init__(
        self,
        keys: Iterable[CaKey] = (),
        revoked: Iterable[Revoked] = (),
        left_out: Iterable[str] = (),
    ) -> None:
        self._keys: dict[tuple[bytes, int], CaKey] = {}
        for key in keys:
            if self._keys.setdefault((key.rid, key.index), key) != key:
                raise CaKeyError(f"CA key {key.name} comes twice, and differs: {_KEEP_ONE}")
        self._revoked = frozenset((entry.rid, entry.index, entry.serial) for entry in revoked)
        self.left_out = tuple(left_out)
        """What a file had that is not taken, one line each."""

    def __bool__(self) -> bool:
        """Whether there is any key."""
        return bool(self._keys)

    def __iter__(self) -> Iterator[CaKey]:
        return iter(self._keys.values())

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, rid: bytes, index: int) -> CaKey | None:
        """Return a key, or None."""
        return self._keys.get((rid, index))

    def is_revoked(self, rid: bytes, index: int, serial: bytes) -> bool:
        """Say whether an issuer certificate is revoked."""
        return (rid, index, serial) in self._revoked


NO_CA_KEYS = CaKeys()
"""What a terminal has that can't authenticate cards."""


def parse_ca_keys(text: str) -> CaKeys:
    """Return the keys in a JSON text.

    Raises:
        CaKeyError: the text is no key file, a check sum is wrong, or two keys contradict each other.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CaKeyError(f"the CA key file is not JSON: {error}; {_FORM}") from None
    if isinstance(content, list):
        content = {"keys": content}
    if not isinstance(content, dict):
        raise CaKeyError(f"the CA key file is neither a list nor an object: {_FORM}")
    entries = [_Entry(entry) for entry in _listed(content, "keys") + _listed(content, "cases")]
    left_out: list[str] = []
    chosen = [entry for entry in entries if _counts(entry, entries, left_out)]
    keys = [key for entry in chosen if (key := entry.key(left_out)) is not None]
    return CaKeys(keys, [_revoked(entry) for entry in _listed(content, "revoked")], left_out)


class _Entry:
    """One key of a file, its check sums verified."""

    def __init__(self, fields: object) -> None:
        name = _name(fields)
        self.name = f"CA key {'/'.join(name)}"
        self._fields = _object(fields, self.name)
        self.rid, self.index = _identity(self._fields, self.name)
        self.modulus = _bytes(self._fields, "modulus", self.name)
        self.exponent = _bytes(self._fields, "exponent", self.name)
        covered = self.rid + bytes((self.index,)) + self.modulus + self.exponent
        for field in ("checksum", "sha1_published", "sha1_computed"):
            if self._fields.get(field) is not None:
                told = _bytes(self._fields, field, self.name)
                if told != sha1(covered, usedforsecurity=False).digest():
                    raise CaKeyError(
                        f"{self.name}: its check sum ({field}) is not that of the key: {_GET_ANEW}"
                    )

    @property
    def ambiguous(self) -> bool:
        return self._fields.get("ambiguous") is True

    @property
    def rank(self) -> tuple[bool, int]:
        """How well the file vouches for an ambiguous key: with a published check sum, by how many."""
        sources = self._fields.get("sources")
        published = self._fields.get("sha1_published") is not None
        return published, len(sources) if isinstance(sources, list) else 0

    def key(self, left_out: list[str]) -> CaKey | None:
        """Return the key, or None with a line in `left_out` if EMV has no such keys."""
        try:
            key = PublicKey(self.modulus, int.from_bytes(self.exponent, "big"))
        except AuthenticationError as error:
            left_out.append(f"{self.name}: {error.reason}")
            return None
        return CaKey(self.rid, self.index, key, _expiry(self._fields, self.name))


def _counts(entry: _Entry, entries: list[_Entry], left_out: list[str]) -> bool:
    """Say whether an entry is to be taken as far as the file's own doubts go."""
    if not entry.ambiguous:
        return True
    others = [
        other
        for other in entries
        if other is not entry and (other.rid, other.index) == (entry.rid, entry.index)
    ]
    if entry.rank[0] and all(entry.rank > other.rank for other in others):
        return True
    length = 8 * len(entry.modulus)
    left_out.append(f"{entry.name}: ambiguous, the one of {length} bits with exponent {entry.exponent.hex()}")
    return False


def _listed(content: dict[str, Any], field: str) -> list[object]:
    found = content.get(field, [])
    if not isinstance(found, list):
        raise CaKeyError(f'the CA key file has no list under "{field}"')
    return found


def _name(fields: object) -> tuple[str, str]:
    """Return what a message may call an entry, whatever it holds."""
    if not isinstance(fields, dict):
        return "?", "?"
    return str(fields.get("rid", "?"))[:10].upper(), str(fields.get("index", "?"))[:2].upper()


def _object(fields: object, name: str) -> dict[str, Any]:
    if not isinstance(fields, dict):
        raise CaKeyError(f"{name}: the entry is no object")
    return fields


def _identity(fields: dict[str, Any], name: str) -> tuple[bytes, int]:
    rid, index = _bytes(fields, "rid", name), _bytes(fields, "index", name)
    if len(rid) != 5 or len(index) != 1:
        raise CaKeyError(f"{name}: a RID has five bytes, an index has one")
    return rid, index[0]


def _bytes(fields: dict[str, Any], field: str, name: str) -> bytes:
    try:
        return bytes.fromhex(fields[field])
    except (KeyError, TypeError, ValueError):
        raise CaKeyError(f'{name}: "{field}" is not there or not hexadecimal: {_GET_ANEW}') from None


def _expiry(fields: dict[str, Any], name: str) -> datetime.date | None:
    expiry = fields.get("expiry")
    if expiry is None:
        return None
    try:
        return datetime.date.fromisoformat(expiry)
    except (TypeError, ValueError):
        raise CaKeyError(f'{name}: "expiry" is not a day such as 2031-12-31') from None


def _revoked(fields: object) -> Revoked:
    name = f"revoked certificate under {'/'.join(_name(fields))}"
    found = _object(fields, name)
    rid, index = _identity(found, name)
    serial = _bytes(found, "serial", name)
    if len(serial) != 3:
        raise CaKeyError(f"{name}: a serial number has three bytes")
    return Revoked(rid, index, serial)
