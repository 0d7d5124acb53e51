"""One row a kernel: how its machine is walked, and what a whole tap of it looks like.

The tests of all machines take their kernels from here. A new kernel adds one row to `CASES`.
"""

import datetime
import importlib
from dataclasses import dataclass
from typing import Any

from emv.apdu import ResponseApdu
from emv.c7_options import C7Options
from emv.capk import CaKeys
from emv.config import CombinationConfig, EmvConfig
from emv.entry_point import KERNELS
from emv.fields import Ttq
from emv.kernel import Activation, CardAnswered, CardLost, Event, Kernel, Transaction, Transitions
from emv.preprocessing import preprocess
from emv.sensitive import SensitiveBytes
from tests.emv import visa_card as visa
from tests.emv.genuine_card import GenuineCard, ca_keys
from tests.emv.visa_card import one

PURCHASE = Transaction(
    amount_minor=1250,
    currency="978",
    date=datetime.date(2026, 5, 9),
    time=datetime.time(12),
    unpredictable_number=bytes(4),
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
        pdol: What its application asks for, in hex.
        ca_keys: The scheme keys of the terminal.
        ways: Events after `Begin` that together reach every state and walk every transition.
        taps: Right answers of whole taps, after SELECT, in hex with status word.
        more: Further data objects of the answer to SELECT, in hex.
        terminal: Settings of `EmvConfig` that are not the usual ones.
    """

    row: CombinationConfig
    pdol: str
    ca_keys: CaKeys
    ways: tuple[tuple[Event, ...], ...]
    taps: tuple[tuple[str, ...], ...]
    more: str = ""
    terminal: tuple[tuple[str, Any], ...] = ()

    @property
    def number(self) -> int:
        return self.row.kernel_id

    @property
    def config(self) -> EmvConfig:
        more = dict(self.terminal)
        return EmvConfig(
            country="276", currency="978", combinations=(self.row,), ca_keys=self.ca_keys, **more
        )

    @property
    def directory(self) -> str:
        return visa.directory(one("4F", self.row.aid.hex()) + one("50", b"TEST".hex()) + one("87", "01"))

    @property
    def fci(self) -> str:
        inside = one("A5", one("50", b"TEST".hex()), one("9F38", self.pdol), self.more)
        return one("6F", one("84", self.row.aid.hex()), inside) + "9000"

    def make(self) -> Kernel:
        """Return a fresh activation."""
        return KERNELS[self.number](
            Activation(
                config=self.config,
                combination=self.row,
                indicators=preprocess(self.config, self.row, PURCHASE),
                aid=self.row.aid,
                fci=SensitiveBytes(bytes.fromhex(self.fci[:-4])),
            )
        )


def transitions(number: int) -> Transitions:
    """Return the table of a kernel: that of the module its factory is in."""
    table: Transitions = importlib.import_module(KERNELS[number].__module__).TRANSITIONS
    return table


def _quick(scheme: str, aid: str, kernel_id: int, options: C7Options | None = None) -> KernelCase:
    """Return the case of a kernel with the quick flow; the floor limit lets a card approve."""
    row = CombinationConfig(
        aid=bytes.fromhex(aid),
        kernel_id=kernel_id,
        ttq=Ttq.EMV_MODE | Ttq.ODA_FOR_ONLINE,
        floor_limit=10**6,
        options=options,
    )
    number = visa.NUMBER if scheme == "visa" else "6250947000000014"
    card = GenuineCard(scheme=scheme, number=number)
    records = tuple(line for _, line in card.records)
    with_records = answer(visa.options(t94="08010200"))
    record = answer(visa.record())
    device = GenuineCard(scheme=scheme, number=number, ctq="A880", cid="80", signed_format=0x95)
    return KernelCase(
        row=row,
        pdol=visa.PDOL,
        ca_keys=ca_keys(scheme),
        ways=(
            (LOST,),
            (answer(visa.options()),),
            (with_records, record, LOST),
            (with_records, record, record),
        ),
        taps=(
            (card.options(PURCHASE), *records),
            (device.options(PURCHASE, t9F5D="000000000100"), *(line for _, line in device.records)),
        ),
    )


CASES = (
    _quick("visa", visa.AID, 3),
    _quick("unionpay", "A000000333010101", 7, C7Options(online_needs_oda=False)),
)
