"""Entry Point after an outcome that has a start: where it goes on, and with what."""

from dataclasses import replace

import pytest

from emv.config import EmvConfig, default_config
from emv.entry_point import PRESENT_CARD, EntryPoint, EntryPointState
from emv.kernel import (
    Action,
    Actions,
    Activation,
    Begin,
    CardFound,
    Complete,
    Event,
    Restart,
    SendCommand,
    ShowMessage,
    Transaction,
    WaitForCard,
)
from emv.outcome import MessageId, Outcome, OutcomeKind, Start, UiRequest, UiStatus
from tests.emv import visa_card as visa
from tests.emv.kernel_cases import answer

AGAIN = UiRequest(MessageId.TRY_AGAIN, UiStatus.READY_TO_READ)
ISSUER = bytes.fromhex("910A00112233445566773030")


class OneOutcome:
    """A kernel that comes to an outcome at once."""

    outcome: Outcome
    activations: list[Activation]

    def __init__(self, activation: Activation) -> None:
        self.activations.append(activation)

    def handle(self, event: Event) -> Actions:
        assert isinstance(event, Begin)
        return (Complete(self.outcome),)


def kernel(start: Start, kind: OutcomeKind = OutcomeKind.ONLINE_REQUEST) -> type[OneOutcome]:
    said = Outcome(kind=kind, reason="the test says so", start=start, ui_on_restart=AGAIN)
    return type("Once", (OneOutcome,), {"outcome": said, "activations": []})


def config() -> EmvConfig:
    return default_config("276", "978", transaction_limit=10**6)


def completed(made: type[OneOutcome], purchase: Transaction, *, polls: bool = False) -> EntryPoint:
    machine = EntryPoint(config(), dict.fromkeys(range(1, 8), made))
    machine.handle(Begin(purchase, polls=polls))
    if polls:
        machine.handle(CardFound())
    machine.handle(answer(visa.DIRECTORY))
    assert isinstance(machine.handle(answer(visa.FCI))[-1], Complete)
    assert machine.state is EntryPointState.RESTARTABLE
    return machine


def sent(action: Action) -> str:
    assert isinstance(action, SendCommand)
    return action.command.encode().hex().upper()


@pytest.mark.parametrize("start", [Start.A, Start.B])
def test_the_card_is_presented_again(start: Start, purchase: Transaction) -> None:
    made = kernel(start)
    machine = completed(made, purchase, polls=True)
    shown, wait = machine.handle(Restart(b""))
    assert (shown, wait) == (ShowMessage(AGAIN), WaitForCard())
    (send,) = machine.handle(CardFound(b"\1\2\3\4"))
    assert sent(send) == visa.PPSE
    machine.handle(answer(visa.DIRECTORY))
    machine.handle(answer(visa.FCI))
    assert [(its.restart, its.start) for its in made.activations] == [(False, Start.A), (True, start)]


def test_selection_goes_on_with_what_is_left(purchase: Transaction) -> None:
    """Start C: the application of before is still the first."""
    made = kernel(Start.C)
    shown, send = completed(made, purchase).handle(Restart(ISSUER))
    assert (shown, sent(send)) == (ShowMessage(AGAIN), visa.SELECT)


def test_the_kernel_is_activated_anew(purchase: Transaction) -> None:
    """Start D: with the answer of the issuer, and a fresh number."""
    made = kernel(Start.D)
    machine = completed(made, purchase)
    shown, complete = machine.handle(Restart(ISSUER, b"\1\2\3\4"))
    assert (shown, type(complete)) == (ShowMessage(AGAIN), Complete)
    first, second = made.activations
    assert (first.restart, first.online_response) == (False, b"")
    assert (second.restart, second.online_response, second.start) == (True, ISSUER, Start.D)


def test_without_a_message_of_the_kernel_the_card_is_invited(purchase: Transaction) -> None:
    made = kernel(Start.D)
    made.outcome = replace(made.outcome, ui_on_restart=None)
    assert completed(made, purchase).handle(Restart())[0] == ShowMessage(PRESENT_CARD)


def test_the_issuers_answer_is_for_the_application_that_asked(purchase: Transaction) -> None:
    """Start B with an answer: the same application is selected, not the directory; no other one gets it."""
    made = kernel(Start.B)
    machine = completed(made, purchase)
    (send,) = machine.handle(Restart(ISSUER))
    assert sent(send) == visa.SELECT
    last = machine.handle(answer("6A82"))[-1]
    assert isinstance(last, Complete)
    assert last.outcome.kind is OutcomeKind.END_APPLICATION
    assert len(made.activations) == 1


def test_a_card_that_was_lost_is_no_restart(purchase: Transaction) -> None:
    made = kernel(Start.D, OutcomeKind.TRY_AGAIN)
    completed(made, purchase).handle(Restart(ISSUER))
    assert [(its.restart, its.online_response) for its in made.activations] == [(False, b"")] * 2


def test_an_older_visa_application_is_for_kernel_1(purchase: Transaction) -> None:
    made = kernel(Start.NOT_APPLICABLE)
    machine = EntryPoint(config(), dict.fromkeys(range(1, 8), made))
    for event in (Begin(purchase), answer(visa.DIRECTORY)):
        machine.handle(event)
    last = machine.handle(answer(visa.fci(pdol="9F0206")))[-1]
    assert isinstance(last, Complete)
    assert (last.outcome.kernel_id, made.activations[0].combination.kernel_id) == (1, 1)
    assert machine.state is EntryPointState.COMPLETED
