"""`tillside emv decode`: what the bytes of a card or a terminal mean, in words."""

from __future__ import annotations

import argparse

from terminal.commands.errors import UsageError


def run(options: argparse.Namespace) -> int:
    """Decode what was given."""
    raise UsageError("decoding is not there yet")
