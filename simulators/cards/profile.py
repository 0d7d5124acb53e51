"""Cards by name: one TOML file a profile, made into a card that works.

A file has a table ``[card]`` whose keys are the fields of `Personality` (bytes in hex), and may
have a table ``[behaviour]``: ``torn_after`` (answers before it leaves) and ``torn_times``,
``get_response``, ``wrong_length``, ``time_extensions``, ``shout`` (hex) and ``shout_after``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from simulators.cards.card import SimulatedCard
from simulators.cards.misbehaving import GetResponseCard, ShoutingCard, SlowCard, TornCard, WrongLengthCard
from simulators.cards.visa import Cvm, Personality, VisaCard

_PROFILES = files("simulators.cards") / "profiles"
_HEX = {"aid", "pdol", "ats", "form_factor"}
_SUFFIX = ".toml"


def profiles() -> tuple[str, ...]:
    """Return the names of all profiles."""
    names = (entry.name for entry in _PROFILES.iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


def load(name: str) -> SimulatedCard:
    """Return a new card of this profile, its transaction counter at zero. KeyError if there is none."""
    if name not in profiles():
        raise KeyError(name)
    return make(tomllib.loads((_PROFILES / (name + _SUFFIX)).read_text("utf-8")))


def make(tables: Mapping[str, Any]) -> SimulatedCard:
    """Return the card that the tables of a profile describe. Unknown keys are an error."""
    unknown = set(tables) - {"card", "behaviour"}
    if unknown:
        raise ValueError(f"unknown tables: {', '.join(sorted(unknown))}")
    card = VisaCard(_personality(tables["card"]))
    return _behave(card, dict(tables.get("behaviour", {})))


def _personality(fields: Mapping[str, Any]) -> Personality:
    values: dict[str, Any] = {
        key: bytes.fromhex(value) if key in _HEX else value for key, value in fields.items()
    }
    if "cvm" in values:
        values["cvm"] = tuple(Cvm(word) for word in values["cvm"])
    return Personality(**values)


def _behave(card: SimulatedCard, wishes: dict[str, Any]) -> SimulatedCard:
    if "shout" in wishes:
        card = ShoutingCard(
            card, answer=bytes.fromhex(wishes.pop("shout")), after=wishes.pop("shout_after", 1)
        )
    if wishes.pop("get_response", False):
        card = GetResponseCard(card)
    if wishes.pop("wrong_length", False):
        card = WrongLengthCard(card)
    if "torn_after" in wishes:
        card = TornCard(card, after=wishes.pop("torn_after"), times=wishes.pop("torn_times", 1))
    if "time_extensions" in wishes:
        card = SlowCard(card, extensions=wishes.pop("time_extensions"))
    if wishes:
        raise ValueError(f"unknown behaviour: {', '.join(sorted(wishes))}")
    return card
