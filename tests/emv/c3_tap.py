"""Runs taps of kernel 3 with changed answers and settings."""

from typing import Any

from emv import preprocessing
from emv.background import Background
from emv.c3_options import C3Options
from emv.capk import NO_CA_KEYS, CaKeys
from emv.config import CombinationConfig, EmvConfig
from emv.fields import Ttq
from emv.guard_policy import GuardPolicy, Response
from emv.kernel import Activation, Begin, Transaction
from emv.kernel_c3 import KernelC3
from emv.outcome import Outcome
from emv.sensitive import Pan, SensitiveBytes
from tests.emv import visa_card as visa
from tests.emv.genuine_card import GenuineCard, ca_keys
from tests.emv.scripted_card import ScriptedCard, Tap

READER = Ttq.EMV_MODE | Ttq.SIGNATURE | Ttq.CONSUMER_DEVICE_CVM
ROOMY = 10**6
"""A floor limit that no test reaches: the card may approve."""


def config(
    *,
    ttq: Ttq | None = READER,
    cvm_limit: int | None = None,
    floor_limit: int = 0,
    keys: CaKeys = NO_CA_KEYS,
    **more: Any,
) -> EmvConfig:
    row = CombinationConfig(
        aid=bytes.fromhex(visa.AID),
        kernel_id=3,
        ttq=ttq,
        cvm_limit=cvm_limit,
        floor_limit=floor_limit,
        options=C3Options(**more),
    )
    # What the scheme says is tested here; what our own checks add has its tests in test_guard.
    guard = GuardPolicy(device_claim=Response.REPORT)
    return EmvConfig(country="276", currency="978", combinations=(row,), ca_keys=keys, guard=guard)


def run(
    payment: Transaction,
    answer: str,
    *records: tuple[str, str],
    selected: str = visa.FCI,
    preprocess: bool = True,
    exceptions: frozenset[Pan] = frozenset(),
    **settings: Any,
) -> Outcome:
    """Return what the kernel itself comes to with a card that answers GET PROCESSING OPTIONS so.

    That is the scheme's verdict, before Entry Point has processed it and before our own checks.
    """
    terminal = config(**settings)
    row = terminal.combinations[0]
    kernel = KernelC3(
        Activation(
            config=terminal,
            combination=row,
            indicators=preprocessing.preprocess(terminal, row, payment),
            aid=row.aid,
            fci=SensitiveBytes(bytes.fromhex(selected[:-4])),
            background=Background(exceptions=exceptions),
        )
    )
    return Tap(kernel, AnyOptions([(visa.GPO, answer), *records])).send(Begin(payment, preprocess=preprocess))


def run_genuine(
    payment: Transaction,
    card: GenuineCard,
    *,
    changed: dict[str, str | None] | None = None,
    **settings: Any,
) -> Outcome:
    """Tap a card with certificates under the test scheme, at a terminal that has the scheme's key."""
    answer = card.options(payment, **(changed or {}))
    return run(payment, answer, *card.records, **({"keys": ca_keys(card.scheme)} | settings))


class AnyOptions(ScriptedCard):
    """A scripted card that takes any GET PROCESSING OPTIONS."""

    def transmit(self, capdu: bytes) -> bytes | None:
        if capdu[:2] == b"\x80\xa8":
            capdu = bytes.fromhex(visa.GPO)
        return super().transmit(capdu)
