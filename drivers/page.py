"""A page for a receipt printer, without a word about how a printer is told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class Align(Enum):
    """Where a line stands on the paper."""

    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; what is too long for the paper goes on in the next one. Any language."""

    text: str
    align: Align = Align.LEFT
    bold: bool = False
    large: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """A name at the left and its value at the right; a value that is too long stands under its name."""

    name: str
    value: str
    bold: bool = False
    large: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across the paper."""


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR code, centred."""

    text: str


Part: TypeAlias = Text | Pair | Rule | QrCode


@dataclass(frozen=True, slots=True)
class Page:
    """What is printed in one piece."""

    parts: tuple[Part, ...]
    cut: bool = True
