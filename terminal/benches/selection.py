"""Which kernel a card would get: selection by Entry Point, stopped where the kernel would begin.

The card is asked for its directory and for the application that is chosen, and nothing else: no
amount, no number and no cryptogram.

Spec: EMV Contactless Book B, 3.3.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from drivers.protocols import Card
from emv.apdu import ResponseApdu
from emv.candidates import DirectoryEntry, directory
from emv.config import EmvConfig, default_config
from emv.entry_point import KERNELS, EntryPoint
from emv.errors import DecodeError
from emv.kernel import Actions, Activation, Begin, Complete, Event, Kernel
from emv.outcome import end_application
from offline_queue.summary import looks_like_card_number
from terminal.benches.console import Exchange, exchange_of
from terminal.config import Config, ConfigError
from terminal.money import Money, numeric_code
from terminal.payment.tap import APDU_TIMEOUT_S, converse
from terminal.payment.transaction import new_transaction
from terminal.payment.unpredictable import UnpredictableNumbers
from terminal.set_up import emv_config

SCHEMES = {2: "Mastercard", 3: "Visa", 4: "American Express", 5: "JCB", 6: "Discover", 7: "UnionPay"}
"""Whose cards a kernel is for."""
_COUNTRY, _CURRENCY = "276", "EUR"
"""Where there is no configuration that can be used."""
_AMOUNT_MINOR = 100


@dataclass(frozen=True, slots=True)
class Application:
    """One application of a card's directory."""

    aid: str
    label: str
    priority: int


@dataclass(frozen=True, slots=True)
class Selection:
    """What selection came to. `kernel` is None where the terminal can't take the card; `reason` says why."""

    kernel: int | None
    aid: str
    label: str
    reason: str
    directory: tuple[Application, ...]
    exchanges: tuple[Exchange, ...]

    @property
    def text(self) -> str:
        """The kernel and whose cards it is for."""
        if self.kernel is None:
            return f"none: {self.reason}"
        return f"{self.kernel} ({SCHEMES.get(self.kernel, 'no scheme')})"


class _Stop:
    """Stands for every kernel: it notes that it was chosen, and ends."""

    def __init__(self, activation: Activation, chosen: list[Activation]) -> None:
        chosen.append(activation)

    def handle(self, event: Event) -> Actions:
        """End at once."""
        return (Complete(end_application("selected")),)


def what_cards_are_told(config: Config | None) -> EmvConfig:
    """Return the terminal's EMV configuration, or the built-in one where it has none that can be used."""
    if config is not None:
        try:
            return emv_config(config)
        except ConfigError:
            pass
    return default_config(_COUNTRY, numeric_code(_CURRENCY))


def select(card: Card, config: EmvConfig, beat: Callable[[], None]) -> Selection:
    """Select as for a payment. Raises what a reader raises when it is lost, not when the card is."""
    chosen: list[Activation] = []
    exchanges: list[Exchange] = []
    found: list[Application] = []

    def transceive(capdu: bytes) -> tuple[bytes, int]:
        beat()
        began_ns = time.perf_counter_ns()
        rapdu = card.transceive(capdu, timeout_s=APDU_TIMEOUT_S)
        took_ns = time.perf_counter_ns() - began_ns
        if not exchanges:
            found.extend(_directory(rapdu))
        exchanges.append(exchange_of(capdu, rapdu, took_ns / 1e6))
        return rapdu, took_ns // 1000

    def kernel(activation: Activation) -> Kernel:
        return _Stop(activation, chosen)

    transaction = new_transaction(Money(_AMOUNT_MINOR, _CURRENCY), UnpredictableNumbers(), 1)
    entry_point = EntryPoint(config, dict.fromkeys(KERNELS, kernel))
    outcome = converse(entry_point, Begin(transaction), transceive, lambda request, words: None)
    if not chosen:
        return Selection(None, "", "", outcome.reason, tuple(found), tuple(exchanges))
    activation = chosen[-1]
    aid = activation.aid.hex().upper()
    label = next((each.label for each in found if aid.startswith(each.aid)), "")
    return Selection(activation.combination.kernel_id, aid, label, "", tuple(found), tuple(exchanges))


def _directory(rapdu: bytes) -> Sequence[Application]:
    try:
        response = ResponseApdu.decode(rapdu)
        return [_application(each) for each in directory(response.data)] if response.ok else ()
    except DecodeError:
        return ()


def _application(entry: DirectoryEntry) -> Application:
    # The label is the card's own text: one that looks like a card number is not shown.
    label = "" if looks_like_card_number(entry.label) else entry.label
    return Application(entry.name.hex().upper(), label, entry.priority)
