"""Entry Point: what the recorded cases do not have."""

from dataclasses import replace

import pytest

from emv.apdu import ResponseApdu
from emv.background import Background
from emv.config import CombinationConfig, EmvConfig, default_config
from emv.entry_point import KERNELS, EntryPoint, EntryPointState
from emv.fields import Ttq
from emv.kernel import (
    Activation,
    Begin,
    CardAnswered,
    CardFound,
    CardLost,
    Complete,
    Kernel,
    Restart,
    SendCommand,
    ShowMessage,
    Transaction,
    WaitForCard,
)
from emv.kernel_c3 import KernelC3
from emv.outcome import MessageId, OutcomeKind, Start, UiStatus
from tests.emv import visa_card as visa
from tests.emv.scripted_card import ScriptedCard, Tap

DEBIT = "A0000000032010"
AMOUNT_TOO_HIGH = 10**6


def counter() -> EmvConfig:
    config = default_config("276", "978", transaction_limit=AMOUNT_TOO_HIGH)
    return replace(config, capabilities=bytes.fromhex("0068C8"))


def answered(raw: str) -> CardAnswered:
    return CardAnswered(ResponseApdu.decode(bytes.fromhex(raw)))


def test_an_amount_over_the_limit_needs_another_interface(purchase: Transaction) -> None:
    tap = Tap(EntryPoint(counter()), ScriptedCard([]))
    outcome = tap.run(replace(purchase, amount_minor=AMOUNT_TOO_HIGH))
    assert outcome.kind is OutcomeKind.TRY_ANOTHER_INTERFACE
    assert [request.message for request in tap.shown] == [MessageId.INSERT_OR_SWIPE_CARD]


def test_a_type_that_no_row_serves_needs_another_interface(purchase: Transaction) -> None:
    outcome = Tap(EntryPoint(counter()), ScriptedCard([])).run(replace(purchase, type=0x30))
    assert outcome.kind is OutcomeKind.TRY_ANOTHER_INTERFACE


@pytest.mark.parametrize("answer", ["6A82", "9000", "6F009000", "6FFF9000", visa.directory()])
def test_a_card_without_a_directory_is_the_wrong_card(purchase: Transaction, answer: str) -> None:
    tap = Tap(EntryPoint(counter()), ScriptedCard([(visa.PPSE, answer)]))
    outcome = tap.run(purchase)
    assert (outcome.kind, outcome.start) == (OutcomeKind.END_APPLICATION, Start.NOT_APPLICABLE)
    assert [(request.message, request.status) for request in tap.shown] == [
        (MessageId.TRY_ANOTHER_CARD, UiStatus.READY_TO_READ)
    ]


def test_the_next_application_is_tried_where_the_card_asks_for_it(purchase: Transaction) -> None:
    second = visa.one("4F", DEBIT) + visa.one("50", b"DEBIT".hex()) + visa.one("87", "02")
    script = [
        (visa.PPSE, visa.directory(second, visa.ENTRY)),
        (visa.SELECT, visa.FCI),
        (visa.GPO, "6985"),
        (f"00A4040007{DEBIT}00", visa.one("6F", visa.one("84", DEBIT), visa.FCI[22:-4]) + "9000"),
        (visa.GPO, visa.options()),
    ]
    config = counter()
    rows = tuple(replace(row, ttq=Ttq(0x22004000), cvm_limit=None) for row in config.combinations)
    outcome = Tap(EntryPoint(replace(config, combinations=rows)), ScriptedCard(script)).run(purchase)
    assert outcome.kind is OutcomeKind.ONLINE_REQUEST
    assert (outcome.aid.hex().upper(), outcome.label) == (DEBIT, "VISA")


def test_an_older_visa_application_is_left_out_without_kernel_1(purchase: Transaction) -> None:
    script = [(visa.PPSE, visa.DIRECTORY), (visa.SELECT, visa.fci(pdol="9F0206"))]
    outcome = Tap(EntryPoint(counter()), ScriptedCard(script)).run(purchase)
    assert outcome.kind is OutcomeKind.END_APPLICATION


@pytest.mark.parametrize("pdol", ["", "9F66", "FF" * 4])
def test_a_broken_pdol_counts_as_none(purchase: Transaction, pdol: str) -> None:
    script = [(visa.PPSE, visa.DIRECTORY), (visa.SELECT, visa.fci(pdol=pdol))]
    outcome = Tap(EntryPoint(counter()), ScriptedCard(script)).run(purchase)
    assert outcome.kind is OutcomeKind.END_APPLICATION


def test_a_kernel_that_is_not_there_is_refused_at_once() -> None:
    row = CombinationConfig(aid=bytes.fromhex("A0000000041010"), kernel_id=9)
    with pytest.raises(ValueError, match="no kernel 9"):
        EntryPoint(EmvConfig(country="276", currency="978", combinations=(row,)))


def test_a_torn_card_may_be_presented_again_with_a_fresh_number(purchase: Transaction) -> None:
    machine = EntryPoint(counter())
    for event in (Begin(purchase), answered(visa.DIRECTORY), answered(visa.FCI)):
        machine.handle(event)
    shown, complete = machine.handle(CardLost())
    assert isinstance(shown, ShowMessage)
    assert shown.request.message is MessageId.TRY_AGAIN
    assert isinstance(complete, Complete)
    assert complete.outcome.ui_on_restart is not None
    assert complete.outcome.ui_on_restart.message is MessageId.TRY_AGAIN
    assert complete.outcome.ui_on_restart.status is UiStatus.READY_TO_READ

    (send,) = machine.handle(Restart(unpredictable_number=b"\xaa\xbb\xcc\xdd"))
    assert isinstance(send, SendCommand)
    assert send.command.encode().hex().upper() == visa.PPSE
    machine.handle(answered(visa.DIRECTORY))
    (send,) = machine.handle(answered(visa.FCI))
    assert isinstance(send, SendCommand)
    assert send.command.data.endswith(b"\xaa\xbb\xcc\xdd")


def test_a_polling_entry_point_tries_again_by_itself(purchase: Transaction) -> None:
    machine = EntryPoint(counter())
    shown, wait = machine.handle(Begin(purchase, polls=True))
    assert isinstance(shown, ShowMessage)
    assert shown.request.message is MessageId.PRESENT_CARD
    assert isinstance(wait, WaitForCard)
    for event in (CardFound(b"\1\1\1\1"), answered(visa.DIRECTORY), answered(visa.FCI)):
        machine.handle(event)
    see_phone, again, wait = machine.handle(answered("6986"))
    assert isinstance(see_phone, ShowMessage)
    assert isinstance(again, ShowMessage)
    assert (see_phone.request.message, again.request.message) == (MessageId.SEE_PHONE, MessageId.TRY_AGAIN)
    assert wait == WaitForCard(1300)
    assert machine.state is EntryPointState.WAITING_FOR_CARD


def test_the_kernel_is_named_while_it_works(purchase: Transaction) -> None:
    made: list[Activation] = []

    def make(activation: Activation) -> Kernel:
        made.append(activation)
        return KernelC3(activation)

    memory = Background()
    machine = EntryPoint(counter(), {**KERNELS, 3: make}, memory)
    for event in (Begin(purchase), answered(visa.DIRECTORY)):
        machine.handle(event)
        assert machine.kernel is None
    machine.handle(answered(visa.FCI))
    assert isinstance(machine.kernel, KernelC3)
    assert made[0].start is Start.A
    assert made[0].background is memory
    assert visa.AID not in repr(made[0].fci)
