"""Whole taps of every kernel as Hypothesis plays them: simulated cards, changed answers, events out of turn.

`test_state_machines` walks what the tables have; here the way is anybody's. The cards, the changes of their
answers and what must hold of every outcome are those of the fuzzer (`tests.fuzz`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as play

from emv import entry_point
from emv.apdu import ResponseApdu, StatusWord
from emv.background import Background
from emv.entry_point import KERNELS, MAX_COMMANDS, EntryPoint, EntryPointState
from emv.errors import KernelMisuseError
from emv.kernel import (
    Actions,
    Begin,
    CardAnswered,
    CardFound,
    CardLost,
    Collision,
    Complete,
    Event,
    Restart,
    SendCommand,
    ShowMessage,
    WaitForCard,
)
from emv.outcome import OutcomeKind, Start
from tests.emv.kernel_cases import transitions
from tests.fuzz.choices import Choices
from tests.fuzz.mutation import changed
from tests.fuzz.taps import Honest, check, check_nothing_is_forged
from tests.fuzz.terminals import PAYMENTS, TERMINALS

CARDS: Mapping[int, tuple[str, ...]] = {
    2: (
        *(
            "mastercard-approve",
            "mastercard-relay-resistance",
            "mastercard-recoverable",
            "mastercard-balance",
        ),
        *("mastercard-magstripe", "mastercard-wallet", "mastercard-online"),
    ),
    3: ("visa-offline", "visa-offline-long-key", "visa-wallet", "visa-online-signed", "visa-program"),
    4: ("amex-approve", "amex-wallet", "amex-online"),
    5: ("jcb-approve", "jcb-dda", "jcb-sda", "jcb-wallet"),
    6: ("discover-approve", "discover-online"),
    7: ("unionpay-approve", "unionpay-debit", "unionpay-online"),
}
"""Simulated cards of each kernel."""

ELAPSED_US = st.sampled_from([None, 0, 3_000, 100_000, 10**9])
EVENTS: tuple[Event, ...] = (
    Begin(PAYMENTS[0]),
    CardFound(),
    Collision(),
    CardAnswered(ResponseApdu(b"", StatusWord.OK)),
    CardLost(),
    Restart(),
)


class Taps(RuleBasedStateMachine):
    """A terminal and a card, and whatever may happen between them."""

    names: ClassVar[tuple[str, ...]]

    @initialize(
        card=st.integers(0, 63), terminal=st.sampled_from(TERMINALS), payment=st.sampled_from(PAYMENTS)
    )
    def bring(self, card: int, terminal: Any, payment: Any) -> None:
        self.card = Honest(self.names[card % len(self.names)])
        self.config, self.payment = terminal, payment
        self.background = Background()
        self.said: list[bytes] = []
        self.begin(polls=False, preprocess=True)

    def told(self, event: Event) -> None:
        self.actions: Actions = self.machine.handle(event)
        last = self.actions[-1]
        if isinstance(last, SendCommand):
            self.sent += 1
        elif isinstance(last, Complete):
            check(last.outcome, self.machine, self.config, self.payment)
            check_nothing_is_forged(last.outcome, self.said)

    @property
    def last(self) -> Any:
        return self.actions[-1]

    # --- what the terminal does

    @precondition(lambda self: not isinstance(self.last, SendCommand))
    @rule(polls=st.booleans(), preprocess=st.booleans())
    def begin(self, polls: bool, preprocess: bool) -> None:
        """The same card again, at a terminal that remembers it."""
        self.machine = EntryPoint(self.config, background=self.background)
        self.sent = 0
        self.card.power_on()
        self.told(Begin(self.payment, polls=polls, preprocess=preprocess))

    @precondition(lambda self: isinstance(self.last, WaitForCard))
    @rule(number=st.none() | st.binary(min_size=4, max_size=4))
    def find(self, number: bytes | None) -> None:
        self.sent = 0
        self.card.power_on()
        self.told(CardFound(number))

    @precondition(lambda self: isinstance(self.last, WaitForCard))
    @rule(present=st.booleans())
    def collide(self, present: bool) -> None:
        self.told(Collision(present))

    @precondition(lambda self: self.machine.state is EntryPointState.RESTARTABLE)
    @rule(answer=st.binary(max_size=30), number=st.none() | st.binary(min_size=4, max_size=4))
    def restart(self, answer: bytes, number: bytes | None) -> None:
        if self.last.outcome.start is Start.B:
            self.sent = 0
            self.card.power_on()
        self.told(Restart(answer, number))

    # --- what the card does

    def card_says(self) -> bytes | None:
        answer = self.card.transmit(self.last.command.encode())
        self.said += [] if answer is None else [answer]
        return answer

    @precondition(lambda self: isinstance(self.last, SendCommand))
    @rule(elapsed_us=ELAPSED_US)
    def answer(self, elapsed_us: int | None) -> None:
        said = self.card_says()
        self.told(CardLost() if said is None else CardAnswered(ResponseApdu.decode(said), elapsed_us))

    @precondition(lambda self: isinstance(self.last, SendCommand))
    @rule(elapsed_us=ELAPSED_US)
    def answer_all(self, elapsed_us: int | None) -> None:
        """So that the end is reached often enough."""
        while isinstance(self.last, SendCommand):
            self.answer(elapsed_us)

    @precondition(lambda self: isinstance(self.last, SendCommand))
    @rule(change=st.binary(max_size=40))
    def answer_changed(self, change: bytes) -> None:
        said = self.card_says()
        arrived = None if said is None else changed(said, Choices(change), self.said[:-1])
        whole = arrived is not None and len(arrived) >= 2
        self.told(CardAnswered(ResponseApdu.decode(arrived or b"")) if whole else CardLost())

    @precondition(lambda self: isinstance(self.last, SendCommand))
    @rule(raw=st.binary(max_size=30), sw=st.sampled_from([0x9000, 0x6985, 0x6986, 0x6984, 0x6A83, 0]))
    def answer_anything(self, raw: bytes, sw: int) -> None:
        self.told(CardAnswered(ResponseApdu(raw, StatusWord(sw))))

    @precondition(lambda self: isinstance(self.last, SendCommand))
    @rule()
    def leave(self) -> None:
        self.told(CardLost())

    # --- what nobody may do

    @rule(event=st.sampled_from(EVENTS))
    def misuse(self, event: Event) -> None:
        for machine, table in self.machines():
            if type(event) not in table[machine.state]:
                before = {name: (id(value), repr(value)) for name, value in vars(machine).items()}
                with pytest.raises(KernelMisuseError):
                    machine.handle(event)
                assert before == {name: (id(value), repr(value)) for name, value in vars(machine).items()}

    def machines(self) -> list[tuple[Any, Any]]:
        """Return the machines at work, and their tables."""
        found: list[tuple[Any, Any]] = [(self.machine, entry_point.TRANSITIONS)]
        kernel = self.machine.kernel
        number = next((its for its, kind in KERNELS.items() if type(kernel) is kind), None)
        return found if number is None else [*found, (kernel, transitions(number))]

    # --- what always holds

    @invariant()
    def there_is_one_thing_to_do(self) -> None:
        assert all(isinstance(action, ShowMessage) for action in self.actions[:-1])
        assert isinstance(self.last, SendCommand | WaitForCard | Complete)

    @invariant()
    def the_card_is_not_asked_without_end(self) -> None:
        assert self.sent <= MAX_COMMANDS


def machine_of(names: tuple[str, ...]) -> type[Taps]:
    return type("TapsOfOneKernel", (Taps,), {"names": names})


def test_there_are_cards_for_every_kernel() -> None:
    assert set(CARDS) == set(KERNELS)


@pytest.mark.parametrize("number", KERNELS)
def test_the_cards_of_a_kernel_come_to_a_payment(number: int) -> None:
    """Else nothing below is said of what happens late in a tap."""
    kinds = set()
    for name in CARDS[number]:
        taps = machine_of((name,))()
        taps.bring(0, TERMINALS[0], PAYMENTS[0])
        taps.answer_all(3_000)
        kinds.add(taps.last.outcome.kind)
        if taps.last.outcome.kind is OutcomeKind.APPROVED:
            assert taps.last.outcome.kernel_id == number
    assert OutcomeKind.ONLINE_REQUEST in kinds or OutcomeKind.APPROVED in kinds


@pytest.mark.timeout(300)  # It takes a second; a fault that was found is made as small as it can be.
@pytest.mark.parametrize("number", KERNELS)
def test_whatever_happens_the_machines_know_what_to_do(number: int) -> None:
    play(
        machine_of(CARDS[number]),
        settings=settings(max_examples=60, stateful_step_count=25, deadline=None),
    )
