"""Cards by name: one TOML file a profile, made into a card that works.

``python -m simulators.cards`` lists them; the first comment of a file says what its card is. A file of one's
own is named by its path, which ends in ``.toml``. Tables of a file, all but ``[card]`` optional:

``[card]``
    ``kind`` (visa, unionpay, mastercard, amex, jcb, discover; visa if absent), and the fields of that kind's
    personality. Bytes are in hex.
``[authentication]``
    The fields of `Authentication`: certificates, and what is wrong with them.
``[directory]``
    ``also``: profiles whose applications are on the same card. Or ``entries``, what the PPSE says instead of
    the truth (``aid``, ``label``, ``priority``, ``kernel``), and ``repeat``.
``[attack]``
    ``answers`` and ``commands`` (values that change on the way, by tag), ``drop`` (tags that are left out),
    ``replay``, ``delay_us``.
``[behaviour]``
    ``torn_after`` (answers before it leaves) and ``torn_times``, ``get_response``, ``wrong_length``,
    ``time_extensions``, ``shout`` (hex) and ``shout_after``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

from simulators.cards.attacks import DistantCard, ManInTheMiddle, ReplayingCard
from simulators.cards.ber import tlv
from simulators.cards.card import SimulatedCard
from simulators.cards.chip import Application, ChipCard, directory_entry
from simulators.cards.kinds import KINDS
from simulators.cards.misbehaving import GetResponseCard, ShoutingCard, SlowCard, TornCard, WrongLengthCard
from simulators.cards.personalisation import build
from simulators.cards.visa import VisaApplication, VisaCard

_PROFILES = files("simulators.cards") / "profiles"
_SUFFIX = ".toml"
_TABLES = {"card", "authentication", "directory", "attack", "behaviour"}


def profiles() -> tuple[str, ...]:
    """Return the names of all profiles."""
    names = (entry.name for entry in _PROFILES.iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


class ProfileError(ValueError):
    """A card can't be made of a profile; the message says which, and why."""


def load(name: str) -> SimulatedCard:
    """Return a new card of this profile, its transaction counter at zero.

    Args:
        name: One of `profiles`, or the path of a file of one's own, which ends in .toml.

    Raises:
        KeyError: there is none of that name.
        ProfileError: it describes no card.
    """
    with _of(name):
        return make(tomllib.loads(_text(name)))


def describe(name: str) -> str:
    """Return what a profile's first comment says of its card. Raises as `load` does."""
    with _of(name):
        text = _text(name)
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    return " ".join(lines)


def nearest(name: str) -> tuple[str, ...]:
    """Return the names that are most like one that there is not."""
    return tuple(get_close_matches(name, profiles(), n=3, cutoff=0.4))


@contextmanager
def _of(name: str) -> Iterator[None]:
    """Name the profile in whatever is wrong with it."""
    try:
        yield
    except ProfileError:
        raise  # of a profile within: it is named already
    except (ValueError, TypeError, AttributeError, OSError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise ProfileError(f"{name}: {why}") from error
    except KeyError as error:
        if name not in profiles() and not _is_file(name):
            raise
        raise ProfileError(f"{name}: {error.args[0]} is missing, or is no profile") from error


def _is_file(name: str) -> bool:
    return name.endswith(_SUFFIX) and Path(name).is_file()


def _text(name: str) -> str:
    if _is_file(name):
        return Path(name).read_text("utf-8")
    if name not in profiles():
        raise KeyError(name)
    return (_PROFILES / (name + _SUFFIX)).read_text("utf-8")


def make(tables: Mapping[str, Any]) -> SimulatedCard:
    """Return the card that the tables of a profile describe. Unknown keys are an error."""
    _refuse("tables", set(tables) - _TABLES)
    card = _attacked(_chip(tables), dict(tables.get("attack", {})))
    return _behave(card, dict(tables.get("behaviour", {})))


def _chip(tables: Mapping[str, Any]) -> SimulatedCard:
    application, personality = _application(tables)
    directory = dict(tables.get("directory", {}))
    others = [_application(tomllib.loads(_text(name)))[0] for name in directory.pop("also", ())]
    entries = directory.pop("entries", None)
    told = None if entries is None else b"".join(map(_entry, entries)) * directory.pop("repeat", 1)
    _refuse("directory", set(directory))
    if type(application) is VisaApplication and not others and told is None:
        return VisaCard(personality)
    return ChipCard([application, *others], ats=personality.ats, directory=told)


def _application(tables: Mapping[str, Any]) -> tuple[Application, Any]:
    if not isinstance(tables["card"], dict):
        raise TypeError("card must be a table")
    fields = dict(tables["card"])
    word = fields.pop("kind", "visa")
    if word not in KINDS:
        raise ValueError(f"no kind of card is called {word}; there are {', '.join(KINDS)}")
    kind = KINDS[word]
    values = {**kind.usual, **fields}
    if "authentication" in tables:
        values["authentication"] = tables["authentication"]
    personality = build(kind.personality, values)
    return kind.application(personality), personality


def _entry(fields: Mapping[str, Any]) -> bytes:
    _refuse("directory entries", set(fields) - {"aid", "label", "priority", "kernel"})
    return tlv(
        "61",
        directory_entry(
            bytes.fromhex(fields["aid"]),
            fields.get("label", "CARD"),
            fields.get("priority"),
            bytes.fromhex(fields.get("kernel", "")),
        ),
    )


def _attacked(card: SimulatedCard, wishes: dict[str, Any]) -> SimulatedCard:
    answers = {tag: bytes.fromhex(value) for tag, value in wishes.pop("answers", {}).items()}
    commands = {tag: bytes.fromhex(value) for tag, value in wishes.pop("commands", {}).items()}
    drop = wishes.pop("drop", ())
    if answers or commands or drop:
        card = ManInTheMiddle(card, answers=answers, commands=commands, drop=drop)
    if wishes.pop("replay", False):
        card = ReplayingCard(card)
    if "delay_us" in wishes:
        card = DistantCard(card, delay_us=wishes.pop("delay_us"))
    _refuse("attack", set(wishes))
    return card


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
    _refuse("behaviour", set(wishes))
    return card


def _refuse(where: str, unknown: set[str]) -> None:
    if unknown:
        raise ValueError(f"unknown {where}: {', '.join(sorted(unknown))}")
