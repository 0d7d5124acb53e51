"""One row a kernel: how its machine is walked, and what a whole tap of it looks like.

The tests of all machines take their kernels from here. A new kernel adds one row to `CASES`.
"""

from __future__ import annotations

import datetime
import importlib
from dataclasses import dataclass, replace
from typing import Protocol

from emv.apdu import ResponseApdu
from emv.c7_options import C7Options
from emv.capk import CaKeys
from emv.config import CombinationConfig, EmvConfig
from emv.entry_point import KERNELS
from emv.fields import Ttq
from emv.kernel import (
    Activation,
    Begin,
    CardAnswered,
    CardLost,
    Event,
    Kernel,
    SendCommand,
    Transaction,
    Transitions,
)
from emv.preprocessing import preprocess
from emv.sensitive import SensitiveBytes
from tests.emv import emv_card
from tests.emv import mastercard_card as mastercard
from tests.emv import visa_card as visa
from tests.emv.dpas_card import DpasCard
from tests.emv.genuine_card import GenuineCard, ca_keys
from tests.emv.visa_card import one

PURCHASE = Transaction(
    amount_minor=1250,
    currency="978",
    date=datetime.date(2026, 5, 9),
    time=datetime.time(12),
    unpredictable_number=bytes.fromhex("01020304"),
)
LOST = CardLost()


def answer(raw: str) -> CardAnswered:
    """Return what a card answers, from hex with status word."""
    return CardAnswered(ResponseApdu.decode(bytes.fromhex(raw)))


@dataclass(frozen=True, kw_only=True)
class KernelCase:
    """One kernel under test.

    Args:
        row: Its row of the terminal's configuration; the number names the kernel.
        fci: The card's answer to SELECT, in hex with status word.
        ca_keys: The scheme keys of the terminal.
        taps: Right answers of whole taps, after SELECT, in hex with status word.
        numbers: The card numbers in them.
        ways: Events after `Begin` that together reach every state and walk every transition. Empty
            where the kernel's own test walks its table.
    """

    row: CombinationConfig
    fci: str
    ca_keys: CaKeys
    taps: tuple[tuple[str, ...], ...] = ()
    numbers: tuple[str, ...]
    ways: tuple[tuple[Event, ...], ...] = ()

    @property
    def number(self) -> int:
        return self.row.kernel_id

    @property
    def config(self) -> EmvConfig:
        return EmvConfig(country="276", currency="978", combinations=(self.row,), ca_keys=self.ca_keys)

    @property
    def directory(self) -> str:
        return visa.directory(one("4F", self.row.aid.hex()) + one("50", b"TEST".hex()) + one("87", "01"))

    def make(self) -> Kernel:
        """Return a fresh activation."""
        return KERNELS[self.number](
            Activation(
                config=self.config,
                combination=self.row,
                indicators=preprocess(self.config, self.row, PURCHASE),
                aid=self.row.aid,
                fci=SensitiveBytes(bytes.fromhex(self.fci)[:-2]),
            )
        )

    def with_taps(self, *cards: Card) -> KernelCase:
        """Return the case with the answers that these cards give to the kernel."""
        return replace(self, taps=tuple(self._recorded(card) for card in cards))

    def _recorded(self, card: Card) -> tuple[str, ...]:
        kernel, answers = self.make(), []
        last = kernel.handle(Begin(PURCHASE))[-1]
        while isinstance(last, SendCommand):
            said = card.transmit(last.command.encode())
            assert said is not None
            answers.append(said.hex())
            last = kernel.handle(CardAnswered(ResponseApdu.decode(said)))[-1]
        return tuple(answers)


class Card(Protocol):
    """A card that a kernel can be run against."""

    def transmit(self, capdu: bytes) -> bytes | None:
        """Answer one raw command."""
        ...


def transitions(number: int) -> Transitions:
    """Return the table of a kernel: that of the module its factory is in."""
    table: Transitions = importlib.import_module(KERNELS[number].__module__).TRANSITIONS
    return table


def _quick(
    kernel_id: int, scheme: str, aid: str, number: str, options: C7Options | None = None
) -> KernelCase:
    """Return the case of a kernel with the quick flow; the floor limit lets a card approve."""
    row = CombinationConfig(
        aid=bytes.fromhex(aid),
        kernel_id=kernel_id,
        ttq=Ttq.EMV_MODE | Ttq.ODA_FOR_ONLINE,
        floor_limit=10**6,
        options=options,
    )
    card = GenuineCard(scheme=scheme, number=number)
    device = GenuineCard(scheme=scheme, number=number, ctq="A880", cid="80", signed_format=0x95)
    with_records, record = answer(visa.options(t94="08010200")), answer(visa.record())
    inside = one("A5", one("50", b"TEST".hex()), one("9F38", visa.PDOL))
    return KernelCase(
        row=row,
        fci=one("6F", one("84", aid), inside) + "9000",
        ca_keys=ca_keys(scheme),
        numbers=(number,),
        taps=(
            (card.options(PURCHASE), *(line for _, line in card.records)),
            (device.options(PURCHASE, t9F5D="000000000100"), *(line for _, line in device.records)),
        ),
        ways=(
            (LOST,),
            (answer(visa.options()),),
            (with_records, record, LOST),
            (with_records, record, record),
        ),
    )


def _mastercard() -> KernelCase:
    row = CombinationConfig(aid=bytes.fromhex(mastercard.AID), kernel_id=2, floor_limit=10**6)
    card = mastercard.MastercardCard()
    return KernelCase(
        row=row,
        fci=card.selected.reveal().hex() + "9000",
        ca_keys=mastercard.ca_keys(),
        numbers=(mastercard.NUMBER,),
    ).with_taps(card)


def _emv(kernel_id: int, scheme: str, generated: dict[int, str | None] | None = None) -> KernelCase:
    """Return the case of a kernel with the shared EMV flow."""
    row = CombinationConfig(aid=bytes.fromhex(emv_card.AIDS[scheme]), kernel_id=kernel_id, floor_limit=10**6)
    card = emv_card.EmvCard(scheme, generated=generated)
    signs_apart = emv_card.EmvCard(scheme, aip=_DDA, generated=generated)
    return KernelCase(
        row=row,
        fci=card.fci.reveal().hex() + "9000",
        ca_keys=emv_card.ca_keys(scheme),
        numbers=(emv_card.PANS[scheme],),
    ).with_taps(card, signs_apart)


def _dpas() -> KernelCase:
    row = CombinationConfig(
        aid=bytes.fromhex(emv_card.AIDS["discover"]),
        kernel_id=6,
        ttq=Ttq.EMV_MODE | Ttq.ODA_FOR_ONLINE,
        floor_limit=10**6,
    )
    card = DpasCard()
    with_records, record = answer(visa.options(t94="08010200", t9F71="0000")), answer(visa.record())
    return KernelCase(
        row=row,
        fci=card.fci.reveal().hex() + "9000",
        ca_keys=emv_card.ca_keys("discover"),
        numbers=(emv_card.PANS["discover"],),
        ways=(
            (LOST,),
            (answer(visa.options(t9F71="0000")),),
            (with_records, record, LOST),
            (with_records, record, record),
        ),
    ).with_taps(card, DpasCard(kind=emv_card.ARQC, requirements="1003"))


_DDA = emv_card.EMV_CARD | emv_card.DDA

CASES = (
    _quick(3, "visa", visa.AID, visa.NUMBER),
    _quick(7, "unionpay", "A000000333010101", "6250947000000014", C7Options(online_needs_oda=False)),
    _mastercard(),
    _emv(4, "amex"),
    _emv(5, "jcb", {0x9F50: "10"}),
    _dpas(),
)
