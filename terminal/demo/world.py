"""What the demo needs of a simulated world. Simulators bring one by an entry point.

The group is ``tillside.demo_world``; the entry point's value is a class without arguments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol


class Pace(Enum):
    """How long the wallets' times are."""

    PERSON = "a person watches"
    SCRIPT = "a script plays"


@dataclass(frozen=True, slots=True)
class Booked:
    """What stands in the books of the host and the wallets for one attempt: how often, how much."""

    times: int
    amount_minor: int


class World(Protocol):
    """Hosts, wallets, cards, a camera, and a customer who uses them."""

    notes: tuple[str, ...]
    """What is not as asked for, in words, such as a daemon that can't be had."""

    currency: str
    """What its customers pay in: an ISO 4217 code."""

    def cards(self) -> Sequence[str]:
        """Return the names of the cards that can be held to the reader; known before `start`."""
        ...

    def codes(self) -> Sequence[str]:
        """Return the kinds of codes that can be shown; known before `start`."""
        ...

    def start(self, home: Path, reader: str, pace: Pace) -> str:
        """Start everything on loopback and return the terminal's configuration as TOML.

        Args:
            home: Where keys and books are kept.
            reader: A device address; a simulated card is held to a ``sim:`` reader, to the virtual
                reader of the PC/SC daemon (``pcsc:``), and to a simulated chip (``pn532:``). Any other
                is a real device, and taken as it is.
        """
        ...

    def stop(self) -> None:
        """End everything that was started."""
        ...

    def hold_card(self, name: str) -> None:
        """Hold the card of that name to the reader."""
        ...

    def take_card_away(self) -> None: ...

    def show_code(self, kind: str) -> None:
        """Show a code to the camera.

        ``pays``, ``waits``, ``poor``, ``foreign``; with a suffix ``-by-scanner``, to the serial scanner.
        """
        ...

    def hide_code(self) -> None: ...

    def confirm(self) -> None:
        """Confirm the newest waiting payment on the phone."""
        ...

    def scan_qr(self, text: str) -> None:
        """Scan the code that the terminal shows, and pay."""
        ...

    def pay_late(self, attempt: str) -> None:
        """Pay for a code that has expired: the payment was on its way."""
        ...

    def set_network(self, up: bool) -> None:
        """Cut the network, or bring it back."""
        ...

    def hold_host_answer(self) -> None:
        """Make the host keep back its next answer to an authorisation, after it has booked it."""
        ...

    def wait_until_held(self) -> bool:
        """Wait until such an answer is kept back; false if it was released before, or none came."""
        ...

    def release_host_answer(self) -> None: ...

    def booked(self) -> Mapping[str, Booked]:
        """Return what stands in all books, by the attempt's key."""
        ...


def find() -> World:
    """Return the world that is installed."""
    points = list(entry_points(group="tillside.demo_world"))
    if not points:
        raise RuntimeError("no simulated world is installed; install tillside whole")
    world: World = points[0].load()()
    return world
