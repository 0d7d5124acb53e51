"""Who may do what at this terminal: people with a role and a PIN.

A PIN is told to be right or wrong, never read back: the file holds a salted scrypt hash of it. That
slows guessing down and no more, as four digits are ten thousand guesses: the file is readable by its
owner alone, and after five wrong tries in a row the terminal waits, each time longer. A try counts
before it is checked, and is on disk then, so that switching the terminal off wins nothing. Only the PIN
of somebody with a wanted role ends the row: a cashier's own does not buy guesses at a technician's.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import fcntl
import hmac
import itertools
import json
import os
import re
import secrets
import shlex
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from terminal.home import default

OPERATORS_FILE = "operators.json"
FREE_TRIES = 5
FIRST_WAIT_S = 30
"""The wait after the fifth wrong try in a row; it doubles with each further one."""
LONGEST_WAIT_S = 3600
LOCK_S = 3.0
"""How long another program may be at the file. It hashes meanwhile, some 0.1 s for each operator."""
_LOOK_S = 0.05

_PIN = re.compile(r"[0-9]{4,12}")
_NAME = re.compile(r"[^\W_](?:[\w .'-]{0,30}[\w.])?")
_SALT_BYTES, _HASH_BYTES = 16, 32
_COST, _BLOCK, _PARALLEL = 2**15, 8, 1
"""scrypt's parameters: 32 MiB and some 0.1 s a try on a small machine. Each hash keeps its own cost."""


class Role(StrEnum):
    """What an operator is here for."""

    CASHIER = "cashier"
    SUPERVISOR = "supervisor"
    """Also what undoes, and the technician's screen."""
    TECHNICIAN = "technician"
    """The technician's screen."""


TECHNICAL = frozenset({Role.SUPERVISOR, Role.TECHNICIAN})
"""Who may open the technician's screen."""


class OperatorError(Exception):
    """What was asked for can't be. The message says why, for the person who asked, and has no PIN in it."""


class WrongPinError(OperatorError):
    """No operator has this PIN."""


class RoleError(OperatorError):
    """The PIN is right, and its operator is not who is asked for."""


class LockedOutError(OperatorError):
    """Too many wrong tries: nobody's PIN is looked at for a while."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"Too many wrong PINs: wait {_duration(wait_s)}")
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Operator:
    """A person at this terminal."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    role: Role
    salt: bytes
    hash: bytes
    cost: int

    def fits(self, pin: str) -> bool:
        return hmac.compare_digest(_hash(pin, self.salt, self.cost), self.hash)

    @property
    def operator(self) -> Operator:
        return Operator(self.name, self.role)


@dataclass(frozen=True, slots=True)
class _Book:
    """The file's whole content."""

    entries: tuple[_Entry, ...] = ()
    wrong: int = 0
    """Wrong tries in a row."""
    last_s: int = 0
    """When the last of them was, in seconds since 1970."""


class Operators:
    """The operators of one terminal. Every call reads the file anew: other programs change it too.

    Args:
        home: The terminal's home.
        now_s: The time of day, in seconds since 1970.
    """

    def __init__(self, home: Path, now_s: Callable[[], float] = time.time) -> None:
        self._path = home / OPERATORS_FILE
        self._now_s = now_s

    @classmethod
    def load(cls, home: Path, now_s: Callable[[], float] = time.time) -> Operators:
        """Return the operators of a home; none where there is no file. Raises OperatorError."""
        operators = cls(home, now_s)
        operators._read()
        return operators

    @property
    def all(self) -> tuple[Operator, ...]:
        """Everybody, in the order in which they were added."""
        return tuple(entry.operator for entry in self._read().entries)

    @property
    def roles(self) -> frozenset[Role]:
        """The roles that somebody has."""
        return frozenset(operator.role for operator in self.all)

    @property
    def command(self) -> str:
        """Return the command that adds a technician here."""
        folder = self._path.parent
        where = "" if folder == default() else f" --home {shlex.quote(str(folder))}"
        return f"tillside operators add NAME --role technician{where}"

    def check(self, pin: str, wanted: Collection[Role]) -> Operator:
        """Return whose PIN it is, if that operator has one of the wanted roles.

        Takes some 0.1 s for each operator. Raises WrongPinError, RoleError, LockedOutError or OperatorError.
        """
        with self._locked():
            book = self._read()
            now_s = self._now_s()
            if (wait_s := _wait_s(book, now_s)) > 0:
                raise LockedOutError(wait_s)
            self._write(dataclasses.replace(book, wrong=book.wrong + 1, last_s=int(now_s)))
            # Everybody's is compared, whoever fits: the time tells nothing.
            fitting = [entry.operator for entry in book.entries if entry.fits(pin)]
            for operator in fitting:
                if operator.role in wanted:
                    self._write(dataclasses.replace(book, wrong=0))
                    return operator
            if fitting:
                # Neither a wrong try nor the end of them.
                self._write(book)
                raise RoleError(_not_for(fitting[0], wanted))
            left = FREE_TRIES - book.wrong - 1
        if left <= 0:
            raise LockedOutError(_length_s(book.wrong + 1))
        raise WrongPinError(f"Wrong PIN: {left} more {'try' if left == 1 else 'tries'}")

    def add(self, name: str, role: Role, pin: str) -> Operator:
        """Add somebody. Raises OperatorError."""
        if not _NAME.fullmatch(name):
            raise OperatorError("a name has 1 to 32 letters, digits, spaces and . ' -")
        with self._locked():
            book = self._read()
            if any(entry.name.casefold() == name.casefold() for entry in book.entries):
                raise OperatorError(f"there is an operator called {name} already")
            entry = self._entry(book, name, role, pin)
            self._write(dataclasses.replace(book, entries=(*book.entries, entry)))
        return entry.operator

    def remove(self, name: str) -> None:
        """Take somebody off the list. Raises OperatorError."""
        with self._locked():
            book = self._read()
            _find(book, name)
            left = tuple(entry for entry in book.entries if entry.name != name)
            self._write(dataclasses.replace(book, entries=left))

    def set_pin(self, name: str, pin: str) -> None:
        """Give somebody another PIN, and end a lock-out. Raises OperatorError."""
        with self._locked():
            book = self._read()
            old = _find(book, name)
            others = dataclasses.replace(book, entries=tuple(e for e in book.entries if e is not old))
            new = self._entry(others, name, old.role, pin)
            entries = tuple(new if entry is old else entry for entry in book.entries)
            self._write(_Book(entries))

    def _entry(self, book: _Book, name: str, role: Role, pin: str) -> _Entry:
        if not _PIN.fullmatch(pin):
            raise OperatorError("a PIN has 4 to 12 digits")
        if _easily_guessed(pin):
            raise OperatorError(
                "that PIN is among the first that anybody tries: no row such as 1234, no 0000"
            )
        if any(entry.fits(pin) for entry in book.entries):
            # The screen asks for a PIN alone: it has to tell who it is.
            raise OperatorError("somebody has this PIN already: choose another")
        salt = secrets.token_bytes(_SALT_BYTES)
        return _Entry(name, role, salt, _hash(pin, salt, _COST), _COST)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other programs from changing the file meanwhile. Raises OperatorError."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._not_written(error) from error
        try:
            self._wait_for(lock)
            yield
        finally:
            os.close(lock)

    def _wait_for(self, lock: int) -> None:
        """Lock it as soon as it can be. Whoever waits for a PIN must not wait for ever."""
        given_up_s = time.monotonic() + LOCK_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError as error:
                if time.monotonic() >= given_up_s:
                    raise OperatorError("Another program is at the operators' file: try again") from error
            except OSError as error:
                raise self._not_written(error) from error
            time.sleep(_LOOK_S)

    def _read(self) -> _Book:
        try:
            return _book(json.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return _Book()
        except (OSError, ValueError, KeyError, TypeError) as error:
            why = f"can't be read ({type(error).__name__}); move it away and add the operators again"
            raise OperatorError(f"{self._path}: {why}") from error

    def _write(self, book: _Book) -> None:
        """Replace the file in one step: it is whole whenever the power fails, and stays replaced."""
        text = json.dumps(_fields(book), indent=2, ensure_ascii=False)
        written = self._path.with_suffix(".new")
        try:
            with contextlib.suppress(FileNotFoundError):
                written.unlink()
            file = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(file, "w", encoding="utf-8") as out:
                out.write(f"{text}\n")
                out.flush()
                os.fsync(out.fileno())
            written.replace(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise self._not_written(error) from error

    def _not_written(self, error: OSError) -> OperatorError:
        return OperatorError(f"{self._path}: can't be written ({error.strerror})")


def _find(book: _Book, name: str) -> _Entry:
    for entry in book.entries:
        if entry.name == name:
            return entry
    known = ", ".join(entry.name for entry in book.entries) or "there is none"
    raise OperatorError(f"no operator is called {name}; known: {known}")


def _not_for(operator: Operator, wanted: Collection[Role]) -> str:
    who = " and ".join(f"{role}s" for role in Role if role in wanted)
    return f"{operator.name} is a {operator.role}: this is for {who}"


def _length_s(wrong: int) -> int:
    """Return how long the terminal waits after so many wrong tries in a row."""
    over = wrong - FREE_TRIES
    return 0 if over < 0 else int(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(over, 16)))


def _wait_s(book: _Book, now_s: float) -> int:
    """Return how long is still to be waited. A clock that was put back makes it no longer than it was."""
    length_s = _length_s(book.wrong)
    return max(0, min(length_s, int(book.last_s + length_s - now_s + 0.999)))


def _hash(pin: str, salt: bytes, cost: int) -> bytes:
    return Scrypt(salt=salt, length=_HASH_BYTES, n=cost, r=_BLOCK, p=_PARALLEL).derive(pin.encode())


def _duration(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{-(-seconds // 60)} min"


def _fields(book: _Book) -> dict[str, Any]:
    return {
        "operators": [
            {
                "name": entry.name,
                "role": entry.role.value,
                "salt": base64.b64encode(entry.salt).decode(),
                "hash": base64.b64encode(entry.hash).decode(),
                "scrypt_n": entry.cost,
            }
            for entry in book.entries
        ],
        "wrong_tries": book.wrong,
        "last_wrong_try": book.last_s,
    }


def _book(fields: Mapping[str, Any]) -> _Book:
    entries = tuple(
        _Entry(
            str(each["name"]),
            Role(each["role"]),
            base64.b64decode(each["salt"], validate=True),
            base64.b64decode(each["hash"], validate=True),
            _cost(each["scrypt_n"]),
        )
        for each in fields["operators"]
    )
    return _Book(entries, int(fields["wrong_tries"]), int(fields["last_wrong_try"]))


def _cost(value: Any) -> int:
    """Return a cost that can be paid: a damaged file must not take all memory."""
    if value not in (2**13, 2**14, 2**15, 2**16, 2**17):
        raise ValueError("scrypt_n")
    return int(value)


def _easily_guessed(pin: str) -> bool:
    """Tell whether a PIN goes on by the same step from digit to digit: 0000, 1234, 9876."""
    steps = {int(after) - int(before) for before, after in itertools.pairwise(pin)}
    return len(steps) == 1 and abs(steps.pop()) <= 1
