"""Logging: to a file in the terminal's home and into memory; a level below DEBUG has masked card traffic.

Card traffic is masked by `emv.trace` before it arrives here. What looks like a card number all the same,
in an exception's text of a library or a device's name, is masked once more on its way out.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from threading import Lock

from terminal.card_numbers import mask

TRAFFIC = 5
"""The level of card commands and answers. They are masked by `emv.trace` before they arrive here."""
KEPT = 1000
"""How many lines are remembered."""
FILE_BYTES = 4_000_000
"""How long the file gets before it is put away."""
OLD_FILES = 3
"""How many are kept of those."""
LEVELS = ("TRAFFIC", "DEBUG", "INFO", "WARNING", "ERROR")
"""The levels by name, as the configuration has them."""

logger = logging.getLogger(__name__)


OURS = ("terminal", "drivers", "emv", "offline_queue", "simulators")
"""The packages that know what to mask. Others are heard from WARNING on: libraries log raw frames."""
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _Masking(logging.Formatter):
    """Masks the whole line, the traceback of an exception included."""

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))


class _LogFile(RotatingFileHandler):
    """The log's file, for its owner alone. That of an earlier `start` is known by its class.

    A full one becomes ``.1``, the one before ``.2``, and so on; the oldest goes.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=FILE_BYTES, backupCount=OLD_FILES, encoding="utf-8")

    def _open(self) -> TextIOWrapper:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self.baseFilename, flags, 0o600)
        # One of before may be open to others; one that is somebody else's stays as it is.
        with suppress(PermissionError):
            os.fchmod(descriptor, 0o600)
        return open(descriptor, "a", encoding=self.encoding)

    def shouldRollover(self, record: logging.LogRecord) -> int:
        """Tell whether the file is full, without putting the record into words: masking takes its time."""
        if self.stream is not None and not self._is_here(self.stream):
            # Another program on this home, such as the technician's, has put the file away.
            self.stream.close()
            self.stream = None
        if self.stream is None:
            self.stream = self._open()
        return os.fstat(self.stream.fileno()).st_size >= self.maxBytes

    def _is_here(self, stream: TextIOWrapper) -> bool:
        try:
            return os.path.samestat(os.stat(self.baseFilename), os.fstat(stream.fileno()))
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class LogLine:
    """One record, masked. `text` has the message, and the traceback where there is one."""

    when: datetime
    level: str
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.when.astimezone():%Y-%m-%d %H:%M:%S} {self.level} {self.name}: {self.text}"


class LogRing(logging.Handler):
    """The last lines of the log. May be used from any thread."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(_Masking("%(message)s"))
        self._lines: deque[LogLine] = deque(maxlen=KEPT)
        self._listeners: list[Callable[[LogLine], None]] = []
        self._guard = Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """Remember a record, and tell of it on this thread."""
        try:
            text = self.format(record)
        except Exception:  # noqa: BLE001  as in logging's own handlers: a bad log call ends nothing
            self.handleError(record)
            return
        when = datetime.fromtimestamp(record.created, UTC)
        line = LogLine(when, record.levelname, mask(record.name), text)
        with self._guard:
            self._lines.append(line)
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener(line)

    def newest_first(self, *, level: str = "TRAFFIC", name: str = "") -> tuple[LogLine, ...]:
        """Return the lines of a level or above whose logger's name begins with *name*."""
        least = logging.getLevelNamesMapping().get(level, TRAFFIC)
        with self._guard:
            lines = tuple(self._lines)
        return tuple(
            line
            for line in reversed(lines)
            if line.name.startswith(name) and logging.getLevelNamesMapping().get(line.level, 0) >= least
        )

    def listen(self, listener: Callable[[LogLine], None]) -> Callable[[], None]:
        """Call *listener* with each new line, on the thread that logs; call what is returned to end that."""
        with self._guard:
            self._listeners.append(listener)

        def end() -> None:
            with self._guard:
                self._listeners.remove(listener)

        return end


def start(path: Path, level: str) -> LogRing:
    """Write the log of every part to a file and its older ones, at a level name of the configuration.

    Returns what remembers the last lines. Raises OSError where the file can't be written.
    """
    handler = _LogFile(path)
    handler.setFormatter(_Masking(_FORMAT))
    return _begin([handler], level, f"written to {path}")


def ring() -> LogRing:
    """Return what remembers the last lines of the log that was started; one that stays empty if none was."""
    running = (handler for handler in logging.getLogger().handlers if isinstance(handler, LogRing))
    return next(running, None) or LogRing()


def start_in_memory(level: str) -> LogRing:
    """Remember the last lines only: for a command that looks on, or a home that can't be written."""
    return _begin([], level, "remembered")


def _begin(handlers: list[logging.Handler], level: str, where: str) -> LogRing:
    logging.addLevelName(TRAFFIC, "TRAFFIC")
    ring = LogRing()
    root = logging.getLogger()
    for earlier in root.handlers:
        if isinstance(earlier, _LogFile):
            earlier.close()
    root.handlers[:] = [*handlers, ring]
    number = logging.getLevelNamesMapping()[level]
    root.setLevel(max(number, logging.WARNING))
    for name in _set_apart:
        logging.getLogger(name).setLevel(logging.NOTSET)
    _set_apart.clear()
    for name in OURS:
        logging.getLogger(name).setLevel(number)
    if number == TRAFFIC:
        logger.warning("TRAFFIC is on: card commands are %s, masked", where)
    return ring


_set_apart: set[str] = set()
"""The loggers that `set_level` gave a level of their own."""


def set_level(name: str, level: str) -> None:
    """Let one part of ours be heard from a level on, such as ``drivers.readers.pcsc`` from ``DEBUG`` on.

    An empty level takes it back to that of the part above. Raises ValueError for a part that is not ours or a
    level that there is not: what libraries say in detail has raw frames in it.
    """
    if name.partition(".")[0] not in OURS:
        raise ValueError(f"{name!r} is none of our parts; they begin with {', '.join(OURS)}")
    if level not in LEVELS and not (level == "" and name in _set_apart):
        raise ValueError(f"{level!r} is none of {', '.join(LEVELS)}")
    logging.addLevelName(TRAFFIC, "TRAFFIC")
    logging.getLogger(name).setLevel(level or logging.NOTSET)
    if level and name not in OURS:
        _set_apart.add(name)
    else:
        _set_apart.discard(name)


def levels() -> Mapping[str, str]:
    """Return the level of each part of ours that has logged or was set, by its logger's name."""
    names = [name for name in logging.Logger.manager.loggerDict if name.partition(".")[0] in OURS]
    return {name: logging.getLevelName(logging.getLogger(name).getEffectiveLevel()) for name in sorted(names)}
