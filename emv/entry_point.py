"""Entry Point: from the amount to the kernel and from its outcome to the end or the next try.

The way of a tap, as this machine goes it (Book B, 3):

    Start A  pre-processing: is the amount taken contactless, and with which TTQ
    Start B  protocol activation: a card is found (`WaitForCard`, if the caller lets Entry Point poll)
    Start C  combination selection: SELECT PPSE, candidate list, SELECT the application
    Start D  kernel activation
             outcome processing: select next → C, try again → B, or `Complete`

`KERNELS` is the registry: a new kernel is a new file and one row. A configuration that names a kernel
without a row is refused when the machine is made.

Spec: EMV Contactless Book B 2.5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum, auto
from typing import Any

from emv import candidates, commands
from emv.background import Background
from emv.candidates import Candidate
from emv.config import VISA_AIDS, CombinationConfig, EmvConfig
from emv.errors import DecodeError, KernelMisuseError
from emv.guard import guarded
from emv.kernel import (
    Actions,
    Activation,
    Begin,
    CardAnswered,
    CardFound,
    CardLost,
    Collision,
    Complete,
    Event,
    Indicators,
    Kernel,
    KernelFactory,
    Restart,
    SendCommand,
    ShowMessage,
    Transaction,
    WaitForCard,
    understood,
)
from emv.kernel_c2 import KernelC2
from emv.kernel_c3 import KernelC3
from emv.kernel_c4 import KernelC4
from emv.kernel_c5 import KernelC5
from emv.kernel_c6 import KernelC6
from emv.kernel_c7 import KernelC7
from emv.outcome import (
    MessageId,
    Outcome,
    OutcomeKind,
    Start,
    UiRequest,
    UiStatus,
    end_application,
    try_again,
)
from emv.preprocessing import preprocess, without_preprocessing
from emv.sensitive import SensitiveBytes

KERNELS: Mapping[int, KernelFactory] = {
    2: KernelC2,
    3: KernelC3,
    4: KernelC4,
    5: KernelC5,
    6: KernelC6,
    7: KernelC7,
}
"""The kernels there are, by kernel identifier."""

PRESENT_CARD = UiRequest(MessageId.PRESENT_CARD, UiStatus.READY_TO_READ)
MAX_COMMANDS = 256
"""How many commands one presentation of a card may take. A card needs a dozen, and a locator names 64 records
at most; a card that asks for more, with a directory without end, would keep the terminal for hours. Our rule.
"""
_VISA_RID = bytes.fromhex(VISA_AIDS[0])[:5]


class EntryPointState(Enum):
    """Where the machine is."""

    IDLE = auto()
    WAITING_FOR_CARD = auto()
    SELECTING_ENVIRONMENT = auto()
    SELECTING_APPLICATION = auto()
    IN_KERNEL = auto()
    RESTARTABLE = auto()
    """Complete, with an outcome that has a start: `Restart` goes on there."""
    COMPLETED = auto()


_State = EntryPointState
_Step = tuple[EntryPointState, Actions]


class EntryPoint:
    """One transaction, from `Begin` to `Complete`, and on from there by `Restart`.

    Args:
        config: The terminal. Each of its rows names a kernel that there is.
        kernels: The kernels there are.
        background: What the terminal remembers from one transaction to the next; it is the caller's.
            Without one the kernels start with an empty memory.
    """

    def __init__(
        self,
        config: EmvConfig,
        kernels: Mapping[int, KernelFactory] = KERNELS,
        background: Background | None = None,
    ) -> None:
        unknown = sorted({row.kernel_id for row in config.combinations} - set(kernels))
        if unknown:
            raise ValueError(f"no kernel {', '.join(f'{kernel:X}' for kernel in unknown)}")
        self.state = EntryPointState.IDLE
        self._config = config
        self._kernels = kernels
        self._background = Background() if background is None else background
        self._combinations: tuple[tuple[CombinationConfig, Indicators], ...] = ()
        self._candidates: tuple[Candidate, ...] = ()
        self._start = Start.A
        self._restart = False
        self._online_response = b""
        self._outcome: Outcome
        self._begin: Begin
        self._transaction: Transaction
        self._selected: Candidate
        self._name = b""
        self._fci = SensitiveBytes(b"")
        self._kernel: Kernel
        self._card_us: int | None = None
        """What the card has taken for its answers, as far as it was measured."""
        self._commands = 0
        """How many were sent in this presentation of the card."""

    def handle(self, event: Event) -> Actions:
        """Consume one event and return what the caller must do next, in order.

        Raises:
            KernelMisuseError: the event has no place in this state. Nothing has changed.
        """
        event = understood(event)
        try:
            step = TRANSITIONS[self.state][type(event)]
        except KeyError:
            raise KernelMisuseError(f"{type(event).__name__} in {self.state.name}") from None
        if isinstance(event, CardAnswered) and event.elapsed_us is not None:
            self._card_us = (self._card_us or 0) + event.elapsed_us
        self.state, actions = step(self, event)
        if isinstance(actions[-1], SendCommand):
            self._commands += 1
            if self._commands > MAX_COMMANDS:
                self.state, actions = self._end(
                    end_application("the card takes more commands than any payment")
                )
        return actions

    @property
    def kernel(self) -> Kernel | None:
        """The kernel at work, for a trace of its state."""
        return self._kernel if self.state is EntryPointState.IN_KERNEL else None

    # Start A and Start B

    def _started(self, event: Begin) -> _Step:
        self._begin = event
        self._transaction = event.transaction
        self._start = Start.A if event.preprocess else Start.B
        return self._preprocess(PRESENT_CARD)

    def _preprocess(self, message: UiRequest | None) -> _Step:
        rows = [row for row in self._config.combinations if self._transaction.type in row.transaction_types]
        if self._begin.preprocess:
            self._combinations = tuple(
                (row, preprocess(self._config, row, self._transaction)) for row in rows
            )
        else:
            self._combinations = tuple((row, without_preprocessing(row)) for row in rows)
        if all(indicators.not_allowed for _, indicators in self._combinations):
            insert = UiRequest(MessageId.INSERT_OR_SWIPE_CARD, UiStatus.ERROR)
            return self._end(
                Outcome(
                    kind=OutcomeKind.TRY_ANOTHER_INTERFACE,
                    reason="the amount is not taken contactless by any application",
                    ui_on_outcome=insert,
                )
            )
        return self._activate_protocol(message)

    def _activate_protocol(self, message: UiRequest | None, *, field_off_ms: int | None = None) -> _Step:
        if not self._begin.polls:
            return self._select(())
        shown = (ShowMessage(message),) if message else ()
        return _State.WAITING_FOR_CARD, (*shown, WaitForCard(field_off_ms or 0))

    def _collided(self, event: Collision) -> _Step:
        # Book B, 3.2.1.4 and 3.2.1.5.
        status = UiStatus.ERROR if event.present else UiStatus.READY_TO_READ
        request = UiRequest(MessageId.PRESENT_ONE_CARD, status)
        return _State.WAITING_FOR_CARD, (ShowMessage(request), WaitForCard())

    def _found(self, event: CardFound) -> _Step:
        if event.unpredictable_number is not None:
            self._transaction = replace(self._transaction, unpredictable_number=event.unpredictable_number)
        return self._select(())

    # Start C

    def _select(self, shown: Actions) -> _Step:
        """Begin combination selection; with data of the issuer, by the application it is for.

        Spec: Book B, 3.3.2.1 and 3.3.2.2.
        """
        self._card_us, self._commands = None, 0
        if self._restart and self._start is Start.B and self._online_response:
            return self._select_application(shown)
        self._candidates = ()
        return _State.SELECTING_ENVIRONMENT, (*shown, SendCommand(commands.select(commands.PPSE)))

    def _environment_selected(self, event: CardAnswered) -> _Step:
        try:
            entries = candidates.directory(event.rapdu.data) if event.rapdu.ok else ()
        except DecodeError:
            entries = ()
        self._candidates = candidates.candidate_list(entries, self._combinations)
        return self._select_application(())

    def _select_application(self, shown: Actions) -> _Step:
        if not self._candidates:
            return self._end(
                Outcome(
                    kind=OutcomeKind.END_APPLICATION,
                    reason="no application that card and terminal have in common is left",
                    ui_on_outcome=UiRequest(MessageId.TRY_ANOTHER_CARD, UiStatus.READY_TO_READ),
                )
            )
        self._selected = self._candidates[0]
        entry = self._selected.entry
        name = entry.name
        if self._selected.combination.extended_selection:
            name += entry.extended_selection
        self._name = name
        return _State.SELECTING_APPLICATION, (*shown, SendCommand(commands.select(name)))

    def _application_selected(self, event: CardAnswered) -> _Step:
        if not event.rapdu.ok:
            return self._select_next()
        self._fci = SensitiveBytes(event.rapdu.data)
        combination = self._selected.combination
        if (
            combination.kernel_id == 3
            and combination.aid.startswith(_VISA_RID)
            and not candidates.asks_for_ttq(event.rapdu.data)
        ):
            # Book B, 3.3.3.6: an application of the older kind, which kernel 1 serves.
            if 1 not in self._kernels:
                return self._select_next()
            self._selected = replace(self._selected, combination=replace(combination, kernel_id=1))
        return self._activate_kernel(())

    def _select_next(self) -> _Step:
        if self._restart and self._online_response:
            # The issuer's data is for the application that refused; no other may get it.
            self._candidates = ()
        self._candidates = self._candidates[1:]
        return self._select_application(())

    # Start D

    def _activate_kernel(self, shown: Actions) -> _Step:
        combination = self._selected.combination
        self._kernel = self._kernels[combination.kernel_id](
            Activation(
                config=self._config,
                combination=combination,
                indicators=self._selected.indicators,
                aid=self._name,
                fci=self._fci,
                start=self._start,
                restart=self._restart,
                online_response=self._online_response,
                background=self._background,
            )
        )
        begin = Begin(self._transaction, polls=self._begin.polls, preprocess=self._begin.preprocess)
        return self._kernel_did(self._kernel.handle(begin), shown)

    def _to_kernel(self, event: CardAnswered | CardLost) -> _Step:
        return self._kernel_did(self._kernel.handle(event), ())

    def _kernel_did(self, actions: Actions, shown: Actions) -> _Step:
        last = actions[-1]
        if not isinstance(last, Complete):
            return _State.IN_KERNEL, (*shown, *actions)
        return self._process(last.outcome, (*shown, *actions[:-1]))

    # Outcome processing

    def _lost(self, event: CardLost) -> _Step:
        # Book B, 3.3.3.7: back to Start B. The reader's invitation still stands.
        if self._begin.polls:
            return self._activate_protocol(None)
        return self._end(try_again("the card left the field while its applications were selected"))

    def _process(self, outcome: Outcome, shown: Actions) -> _Step:
        """Go where a kernel's outcome leads. Spec: Book B, 3.5.1."""
        if outcome.kind is OutcomeKind.SELECT_NEXT:
            state, actions = self._select_next()
            return state, (*shown, *actions)
        if outcome.kind is OutcomeKind.TRY_AGAIN and self._begin.polls:
            now = (ShowMessage(outcome.ui_on_outcome),) if outcome.ui_on_outcome else ()
            message = outcome.ui_on_restart or (None if now else PRESENT_CARD)
            state, actions = self._activate_protocol(message, field_off_ms=outcome.field_off_ms)
            return state, (*shown, *now, *actions)
        named = replace(
            outcome,
            kernel_id=self._selected.combination.kernel_id,
            aid=self._name,
            label=outcome.label or self._selected.entry.label,
        )
        card_ms = None if self._card_us is None else self._card_us / 1000
        state, actions = self._end(guarded(named, self._config, card_ms))
        return state, (*shown, *actions)

    def _end(self, outcome: Outcome) -> _Step:
        self._outcome = outcome
        ends = outcome.start is Start.NOT_APPLICABLE
        shown = (ShowMessage(outcome.ui_on_outcome),) if outcome.ui_on_outcome else ()
        return _State.COMPLETED if ends else _State.RESTARTABLE, (*shown, Complete(outcome))

    def _restarted(self, event: Restart) -> _Step:
        """Start again where the outcome says. After an online request the restart flag is set.

        Spec: Book A, 5.9; Book B, 3.2.1.
        """
        outcome = self._outcome
        if outcome.kind is not OutcomeKind.TRY_AGAIN:
            self._restart = True
            self._start = outcome.start
            self._online_response = event.online_response
        if event.unpredictable_number is not None:
            self._transaction = replace(self._transaction, unpredictable_number=event.unpredictable_number)
        message = outcome.ui_on_restart or PRESENT_CARD
        if outcome.start is Start.A:
            return self._preprocess(message)
        if outcome.start is Start.B:
            return self._activate_protocol(message)
        shown = (ShowMessage(message),)
        return self._select_application(shown) if outcome.start is Start.C else self._activate_kernel(shown)


TRANSITIONS: Mapping[EntryPointState, Mapping[type, Callable[[EntryPoint, Any], _Step]]] = {
    _State.IDLE: {Begin: EntryPoint._started},
    _State.WAITING_FOR_CARD: {CardFound: EntryPoint._found, Collision: EntryPoint._collided},
    _State.SELECTING_ENVIRONMENT: {
        CardAnswered: EntryPoint._environment_selected,
        CardLost: EntryPoint._lost,
    },
    _State.SELECTING_APPLICATION: {
        CardAnswered: EntryPoint._application_selected,
        CardLost: EntryPoint._lost,
    },
    _State.IN_KERNEL: {CardAnswered: EntryPoint._to_kernel, CardLost: EntryPoint._to_kernel},
    _State.RESTARTABLE: {Restart: EntryPoint._restarted},
    _State.COMPLETED: {},
}
"""What each state takes, and what it does."""
