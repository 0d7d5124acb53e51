"""Kernel 5: what JCB's flow has of its own."""

from dataclasses import replace
from typing import Any

import pytest

from emv.emv_options import EmvOptions
from emv.kernel import Transaction
from emv.kernel_c5 import KernelC5
from emv.outcome import CvmResult, Outcome, OutcomeKind, Start
from tests.emv.emv_card import ARQC, CDA, EMV_CARD, EmvCard, activation, found, tap

APPROVED, DECLINED, ONLINE = OutcomeKind.APPROVED, OutcomeKind.DECLINED, OutcomeKind.ONLINE_REQUEST
LAX = {0x9F0D: "0000000000", 0x9F0F: "0000000000", 0x8D: None, 0x8E: None}


def run(transaction: Transaction, chooses: str | None = "00", **settings: Any) -> tuple[EmvCard, Outcome]:
    changed = {name: settings.pop(name) for name in ("answers", "refuses", "aip", "pdol") if name in settings}
    card = EmvCard("jcb", records=LAX, generated={0x9F50: chooses}, **changed)
    given = activation(card, transaction, scheme="jcb", keys_of="jcb", **settings)
    return card, tap(KernelC5(given), card, transaction)


@pytest.mark.parametrize(
    ("settings", "profile"),
    [
        ({}, "700000"),
        ({"cvm_limit": 1250}, "F00000"),
        ({"options": EmvOptions(capabilities=b"\0\x20\x08", on_device=False)}, "400000"),
        ({"options": EmvOptions(capabilities=b"\0\x40\x08", contact_chip=True)}, "320000"),
    ],
)
def test_the_card_is_told_how_this_terminal_verifies(
    purchase: Transaction, settings: dict[str, Any], profile: str
) -> None:
    card, _ = run(purchase, pdol="9F53039F5201", **settings)
    assert card.commands[0][7:-1].hex().upper() == profile + "02"


@pytest.mark.parametrize(
    ("chooses", "settings", "kind", "method", "results"),
    [
        ("00", {}, APPROVED, CvmResult.NONE, "1F0002"),
        ("00", {"cvm_limit": 0}, DECLINED, CvmResult.NOT_APPLICABLE, "3F0000"),
        ("10", {"cvm_limit": 0}, APPROVED, CvmResult.SIGNATURE, "1E0000"),
        ("30", {"cvm_limit": 0}, APPROVED, CvmResult.CONFIRMED_BY_DEVICE, "010002"),
        ("3F", {"cvm_limit": 0}, APPROVED, CvmResult.CONFIRMED_BY_DEVICE, "010002"),
        ("40", {"cvm_limit": 0}, DECLINED, CvmResult.NOT_APPLICABLE, "3F0000"),
        ("20", {"cvm_limit": 0, "answers": ARQC}, ONLINE, CvmResult.ONLINE_PIN, "020000"),
        # An online PIN can't be verified by an offline approval.
        ("20", {"cvm_limit": 0}, DECLINED, CvmResult.NOT_APPLICABLE, "020000"),
        *(
            (
                code,
                {"options": EmvOptions(capabilities=b"\0\0\x08", on_device=False)},
                DECLINED,
                None,
                "3F0000",
            )
            for code in ("10", "20", "30")
        ),
    ],
)
def test_the_card_chooses_the_verification(
    purchase: Transaction,
    chooses: str,
    settings: dict[str, Any],
    kind: OutcomeKind,
    method: CvmResult | None,
    results: str,
) -> None:
    _, outcome = run(purchase, chooses, **settings)
    assert (outcome.kind, outcome.cvm) == (kind, method or CvmResult.NOT_APPLICABLE), outcome.reason
    assert found(outcome)[2] == results


@pytest.mark.parametrize("chooses", [None, "0000"])
def test_a_card_that_chooses_nothing_ends(purchase: Transaction, chooses: str | None) -> None:
    assert run(purchase, chooses)[1].kind is OutcomeKind.END_APPLICATION


def test_a_refund_asks_for_a_decline(purchase: Transaction) -> None:
    card, outcome = run(replace(purchase, type=0x20), cvm_limit=0, pdol="9F5303")
    assert card.generated[2] == 0x00
    assert card.commands[0][7:-1].hex().upper() == "700000"
    assert outcome.kind is DECLINED


@pytest.mark.parametrize(
    ("instruction", "sw", "kind"),
    [
        (0xA8, "6984", OutcomeKind.SELECT_NEXT),
        (0xA8, "6A80", OutcomeKind.SELECT_NEXT),
        (0xB2, "6A83", OutcomeKind.SELECT_NEXT),
        (0xAE, "6A80", OutcomeKind.SELECT_NEXT),
        (0xAE, "6985", OutcomeKind.SELECT_NEXT),
        (0xAE, "6984", OutcomeKind.TRY_ANOTHER_INTERFACE),
        (0xAE, "6986", OutcomeKind.TRY_AGAIN),
    ],
)
def test_refusals_lead_to_the_next_application(
    purchase: Transaction, instruction: int, sw: str, kind: OutcomeKind
) -> None:
    _, outcome = run(purchase, refuses={instruction: sw})
    assert outcome.kind is kind
    assert (outcome.start is Start.C) == (kind is OutcomeKind.SELECT_NEXT)


def test_a_card_that_is_not_genuine_is_declined_or_asked_for_the_issuer(purchase: Transaction) -> None:
    card, outcome = run(purchase, aip=EMV_CARD | CDA, answers=ARQC)
    assert (card.generated[2], outcome.kind) == (0x50, ONLINE)
    card, outcome = run(purchase, aip=EMV_CARD)
    assert (card.generated[2], outcome.kind) == (0x80, ONLINE)
