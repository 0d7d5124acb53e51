"""The exit codes of the command, and how a command ends without a result."""

from __future__ import annotations

FINE, FINDING, WRONG_USE = 0, 1, 2


class CommandError(Exception):
    """Nothing came of it; the message says why, and what to do."""

    code: int


class FindingError(CommandError):
    """Something is wrong with the terminal, its queue, its devices or its host."""

    code = FINDING


class UsageError(CommandError):
    """The command or the configuration is written wrongly."""

    code = WRONG_USE
