"""Runs taps of kernel 3 with changed answers and settings."""

from collections.abc import Mapping
from typing import Any

from emv.c3_options import C3Options
from emv.card_data import CardData
from emv.config import CombinationConfig, EmvConfig
from emv.entry_point import EntryPoint
from emv.fields import Ttq
from emv.kernel import Activation, Kernel, Transaction
from emv.kernel_c3 import KernelC3
from emv.oda import OdaResult
from emv.outcome import Outcome
from emv.sensitive import SensitiveBytes
from tests.emv import visa_card as visa
from tests.emv.scripted_card import ScriptedCard, Tap

READER = Ttq.EMV_MODE | Ttq.SIGNATURE | Ttq.CONSUMER_DEVICE_CVM


def config(
    *, ttq: Ttq = READER, cvm_limit: int | None = None, floor_limit: int = 0, **more: bool
) -> EmvConfig:
    row = CombinationConfig(
        aid=bytes.fromhex(visa.AID),
        kernel_id=3,
        ttq=ttq,
        cvm_limit=cvm_limit,
        floor_limit=floor_limit,
        options=C3Options(**more),
    )
    return EmvConfig(country="276", currency="978", combinations=(row,))


def with_oda(result: OdaResult) -> Any:
    """Return kernels whose offline data authentication comes to this."""

    def authenticate(
        card: CardData, static: SensitiveBytes | None, terminal: Mapping[int, bytes]
    ) -> OdaResult:
        return result

    def make(activation: Activation) -> Kernel:
        return KernelC3(activation, authenticate)

    return {3: make}


def run(
    transaction: Transaction, answer: str, *records: tuple[str, str], kernels: Any = None, **settings: Any
) -> Outcome:
    """Tap a card that answers GET PROCESSING OPTIONS so; its command is not looked at here."""
    script = visa.start(answer)
    machine = EntryPoint(config(**settings), kernels) if kernels else EntryPoint(config(**settings))
    return Tap(machine, AnyOptions([*script, *records])).run(transaction)


class AnyOptions(ScriptedCard):
    """A scripted card that takes any GET PROCESSING OPTIONS."""

    def transmit(self, capdu: bytes) -> bytes | None:
        if capdu[:2] == b"\x80\xa8":
            capdu = bytes.fromhex(visa.GPO)
        return super().transmit(capdu)
