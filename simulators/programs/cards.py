"""What the programs with a card in a field share: placing it and taking it away."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping

from simulators.cards import profile
from simulators.cards.card import SimulatedCard
from simulators.programs.program import Command
from simulators.readers.field import Field

_ALL = "python -m simulators.cards lists them all"


def add_place(parser: ArgumentParser) -> None:
    """Let a card be placed from the start."""
    parser.add_argument("--place", metavar="CARD", help=f"place this card at the start; {_ALL}")


def card(name: str) -> SimulatedCard:
    """Return the card of that name, or of that file. Raises ValueError with those that are like it."""
    try:
        return profile.load(name)
    except KeyError:
        near = ", ".join(profile.nearest(name))
        guess = f" did you mean {near}?" if near else ""
        raise ValueError(f"there is no card {name!r};{guess} {_ALL}") from None
    except profile.ProfileError as error:
        raise ValueError(str(error)) from error


def commands(field: Field) -> Mapping[str, Command]:
    """Return what a person can do with a field."""
    return {
        "place": Command(
            "place CARD", f"hold a card to it, such as visa-approve; {_ALL}", lambda name: _place(field, name)
        ),
        "take": Command("take", "take the card away", lambda _: field.take_away()),
    }


def _place(field: Field, name: str) -> None:
    if not name:
        raise ValueError(f"place CARD, such as visa-approve; {_ALL}")
    field.place(card(name))
