"""Scripts of faults on a wire: TOML in, `Fault` out. What is wrong is told by line and field.

    seed = 7                      # of what noise does; 0 where it is left out

    [[fault]]
    at_byte = 120                 # how many bytes have gone that way when it strikes
    direction = "to device"       # or "from device"
    what = "unplug"
    back_after_s = 2.0            # leave it out: until somebody cures it

| what | what happens | further fields |
| --- | --- | --- |
| unplug | the line is hung up | back_after_s |
| re-enumerate | the line is hung up and comes back under another path | back_after_s (0) |
| busy | the line is hung up; another program has the port | back_after_s |
| no permission | the line is hung up; the port's file mode is 000 (not on TCP) | back_after_s |
| stuck | neither way takes anything more: what writes enough never returns | back_after_s |
| time-out | this way swallows everything | back_after_s |
| slow start | this way holds everything back, and delivers it at the end | back_after_s |
| noise | the next bytes are flipped, or others are put in, by the seed | bytes (1) |
| wrong checksum | the next data checksum of a PN532 frame is wrong | |
| other device | this way carries another device's bytes in place of its own | text or hex, back_after_s |

A fault at byte 0 strikes as soon as the line is there: a device that is not plugged in, busy, ...
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

MAX_SCRIPT_BYTES = 65536
MAX_FAULTS = 100
MAX_BYTE = 10**9
MAX_BACK_S = 3600.0
MAX_NOISY_BYTES = 4096
MAX_OTHER_BYTES = 4096

_HEADER = re.compile(r"\s*\[\[\s*fault\s*\]\]")
_KEY = re.compile(r"\s*([\w-]+)\s*=")


class ScriptError(ValueError):
    """A fault in a script; the message says in which line and field, and what is allowed."""


class Direction(StrEnum):
    """Which way the bytes go that a fault counts."""

    TO_DEVICE = "to device"
    FROM_DEVICE = "from device"


class What(StrEnum):
    """What goes wrong."""

    UNPLUG = "unplug"
    RE_ENUMERATE = "re-enumerate"
    BUSY = "busy"
    NO_PERMISSION = "no permission"
    STUCK = "stuck"
    TIME_OUT = "time-out"
    SLOW_START = "slow start"
    NOISE = "noise"
    WRONG_CHECKSUM = "wrong checksum"
    OTHER_DEVICE = "other device"


ON_BYTES = frozenset(
    {What.TIME_OUT, What.SLOW_START, What.NOISE, What.WRONG_CHECKSUM, What.OTHER_DEVICE},
)
"""What strikes the bytes of one direction; everything else strikes the whole line."""

_NEVER_BACK = frozenset({What.NOISE, What.WRONG_CHECKSUM})
_FIELDS = {
    What.NOISE: {"bytes"},
    What.OTHER_DEVICE: {"text", "hex"},
}
_EVERYWHERE = {"at_byte", "direction", "what"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Args:
        what: What goes wrong.
        at_byte: How many bytes have gone in its direction when it strikes.
        direction: Whose bytes count, and are hit where it hits bytes.
        noisy_bytes: How many bytes noise hits.
        other: Another device's bytes, again and again.
        back_after_s: When it cures itself, in seconds; None: never.
    """

    what: What
    at_byte: int = 0
    direction: Direction = Direction.FROM_DEVICE
    noisy_bytes: int = 1
    other: bytes = b""
    back_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """Faults, and the seed of what chance decides."""

    faults: tuple[Fault, ...] = ()
    seed: int = 0


def load(path: Path) -> Script:
    """Read a script from a file. Raises ScriptError."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_SCRIPT_BYTES + 1)
        return parse(raw.decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ScriptError(f"{path}: can't be read: {error}") from error
    except ScriptError as error:
        raise ScriptError(f"{path}: {error}") from error


def parse(text: str) -> Script:
    """Read a script. Raises ScriptError with line and field."""
    if len(text.encode()) > MAX_SCRIPT_BYTES:
        raise ScriptError(f"longer than {MAX_SCRIPT_BYTES} bytes")
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScriptError(str(error)) from error
    seed, found = tables.pop("seed", 0), tables.pop("fault", [])
    if tables:
        raise ScriptError(f"{next(iter(tables))}: a script has seed and [[fault]] tables, nothing else")
    if type(seed) is not int or not 0 <= seed < 2**63:
        raise ScriptError(f"seed: a whole number from 0 up, not {seed!r}")
    if not isinstance(found, list) or not all(isinstance(table, dict) for table in found):
        raise ScriptError("fault: write [[fault]] above each fault")
    if len(found) > MAX_FAULTS:
        raise ScriptError(f"fault: at most {MAX_FAULTS} of them, not {len(found)}")
    lines = _lines(text)
    return Script(tuple(_Table(number, table, lines).fault() for number, table in enumerate(found)), seed)


def _lines(text: str) -> list[dict[str, int]]:
    """Return in which line each fault's fields stand, its header under the empty name."""
    found: list[dict[str, int]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if _HEADER.match(line):
            found.append({"": number})
        elif found and (key := _KEY.match(line)):
            found[-1].setdefault(key[1], number)
    return found


class _Table:
    """One table of a script, and where it stands."""

    def __init__(self, number: int, table: Mapping[str, Any], lines: list[dict[str, int]]) -> None:
        self._number = number
        self._table = table
        self._lines = lines[number] if number < len(lines) else {}

    def fault(self) -> Fault:
        what = self._choice("what", What)
        allowed = _EVERYWHERE | _FIELDS.get(what, set())
        if what not in _NEVER_BACK:
            allowed = allowed | {"back_after_s"}
        for name in self._table:
            if name not in allowed:
                raise self._wrong(name, f"{what} has {', '.join(sorted(allowed))}, no other field")
        return Fault(
            what,
            self._number_in("at_byte", 0, MAX_BYTE),
            self._choice("direction", Direction),
            self._number_in("bytes", 1, MAX_NOISY_BYTES) if "bytes" in self._table else 1,
            self._other() if what is What.OTHER_DEVICE else b"",
            self._back(what),
        )

    def _choice(self, name: str, choices: type[Any]) -> Any:
        allowed = ", ".join(f'"{choice}"' for choice in choices)
        value = self._needed(name, f"one of {allowed}")
        if not isinstance(value, str) or value not in [str(choice) for choice in choices]:
            raise self._wrong(name, f"one of {allowed}, not {value!r}")
        return choices(value)

    def _number_in(self, name: str, low: int, high: int) -> int:
        value = self._needed(name, f"a whole number from {low} to {high}")
        if type(value) is not int or not low <= value <= high:
            raise self._wrong(name, f"a whole number from {low} to {high}, not {value!r}")
        return value

    def _back(self, what: What) -> float | None:
        value = self._table.get("back_after_s", 0.0 if what is What.RE_ENUMERATE else None)
        if value is None:
            return None
        if type(value) not in (int, float) or not 0 <= value <= MAX_BACK_S:
            raise self._wrong("back_after_s", f"seconds from 0 to {MAX_BACK_S:.0f}, not {value!r}")
        return float(value)

    def _other(self) -> bytes:
        given = [name for name in ("text", "hex") if name in self._table]
        if len(given) != 1:
            raise self._wrong(given[-1] if given else "text", "other device needs either text or hex")
        name, value = given[0], self._table[given[0]]
        try:
            other = bytes.fromhex(value) if name == "hex" else value.encode()
        except (ValueError, TypeError, AttributeError):
            raise self._wrong(
                name, f"a text of {'hexadecimal digits' if name == 'hex' else 'its bytes'}"
            ) from None
        if not 0 < len(other) <= MAX_OTHER_BYTES:
            raise self._wrong(name, f"1 to {MAX_OTHER_BYTES} bytes, not {len(other)}")
        return bytes(other)

    def _needed(self, name: str, allowed: str) -> Any:
        if name not in self._table:
            raise self._wrong(name, f"is missing: {allowed}")
        return self._table[name]

    def _wrong(self, name: str, words: str) -> ScriptError:
        line = self._lines.get(name) or self._lines.get("")
        where = f"line {line}" if line else f"fault {self._number + 1}"
        return ScriptError(f"{where}: {name}: {words}")
