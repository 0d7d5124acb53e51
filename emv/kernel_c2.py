"""Kernel 2, for Mastercard's cards and phones: EMV mode, and magstripe mode behind a switch that is off.

The way through, in EMV mode:

    GET PROCESSING OPTIONS with the PDOL's data
    EXCHANGE RELAY RESISTANCE DATA, up to three times, if card and terminal both do that
    READ RECORD for each record of the file locator
    limits, mandatory data, what is needed for CDA
    GET DATA for the balance, if both sides want it
    processing restrictions, cardholder verification, terminal action analysis
    RECOVER AC, if this card was torn away from this payment before
    GENERATE AC, with CDA where both sides can
    GET DATA for the balance again; the card may leave the field
    the signature, and what was exchanged before inside it; outcome

In magstripe mode: READ RECORD, COMPUTE CRYPTOGRAPHIC CHECKSUM, outcome.

Each step is in a file of its own, `c2_*.py`; the machine only orders them.

What is left out: integrated data storage (IDS). No terminal data for it is sent (DSVN, DF810D, stays
absent), PUT DATA is never sent, and the summaries in a card's signature are not looked at. Data exchange
with the terminal during the tap (DEK and DET) is not needed here: all data is there from the start.
C-2 keeps no transaction status information; tag 9B stays zero.

Where public sources of C-2 differ, the choice is named at the function that makes it.

Spec: EMV Contactless Book C-2 2.10, 6 and 7.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any

from emv import (
    c2_action,
    c2_balance,
    c2_card,
    c2_cda,
    c2_conclusion,
    c2_cryptogram,
    c2_decision,
    c2_magstripe,
    c2_magstripe_mode,
    c2_outcome,
    c2_relay,
    c2_relay_attempts,
    c2_terminal,
    c2_torn,
    c2_track2,
    commands,
    cryptogram,
    tlv,
)
from emv.c2_error import L1, L2, NO_ERROR, ErrorIndication
from emv.c2_known import Known
from emv.c2_relay import RelayVerdict
from emv.cvm import CvmDecision
from emv.errors import DecodeError
from emv.fields import Aip, Tvr, take
from emv.kernel import (
    Actions,
    Activation,
    Begin,
    CardAnswered,
    CardLost,
    Complete,
    Event,
    SendCommand,
    ShowMessage,
    advance,
)
from emv.outcome import MessageId, Outcome, UiRequest, select_next
from emv.records import RecordReader, processing_options
from emv.sensitive import SensitiveBytes
from emv.tags import Tag
from emv.torn import TornRecord

_CHECKED_ANSWER = (Tag.CID, Tag.ATC, Tag.CRYPTOGRAM, Tag.ISSUER_APPLICATION_DATA, Tag.SIGNED_DYNAMIC_DATA)
"""What is used of the card's cryptogram, and so must have a possible length."""


class KernelState(Enum):
    """Where the kernel is; the book's state is in brackets."""

    IDLE = auto()
    """[1]"""
    WAITING_FOR_OPTIONS = auto()
    """GET PROCESSING OPTIONS is out. [3]"""
    EXCHANGING_RELAY_DATA = auto()
    """[R1]"""
    READING_RECORDS = auto()
    """[4, 7]"""
    COMPUTING_CHECKSUM = auto()
    """COMPUTE CRYPTOGRAPHIC CHECKSUM is out. [13, 14]"""
    READING_BALANCE_BEFORE = auto()
    """[16]"""
    RECOVERING_AC = auto()
    """[10]"""
    GENERATING_AC = auto()
    """[9, 11]"""
    READING_BALANCE_AFTER = auto()
    """[17]"""
    COMPLETED = auto()


_State = KernelState
_Step = tuple[KernelState, Actions]


class KernelC2:
    """One activation of kernel 2."""

    def __init__(self, activation: Activation) -> None:
        self.state = KernelState.IDLE
        self._known = Known(activation)
        self._records: RecordReader
        self._entropies: list[bytes] = []
        self._cda = False
        self._cvm: CvmDecision
        self._request: c2_action.CryptogramRequest
        self._recovering: TornRecord | None = None
        self._answer = SensitiveBytes(b"")

    def handle(self, event: Event) -> Actions:
        """Consume one event and return what the caller must do next, in order.

        Raises:
            KernelMisuseError: the event has no place in this state. Nothing has changed.
        """
        return advance(self, TRANSITIONS, event)

    # The application is selected: what does it offer?

    def _begin(self, event: Begin) -> _Step:
        """Ask the card for its processing options. Spec: S1.7 to S1.14."""
        known, activation, options = self._known, self._known.activation, self._known.options
        known.transaction = event.transaction
        known.terminal = c2_terminal.initial(activation, options, event.transaction)
        activation.background.torn.expire(c2_torn.presented_at(event.transaction), options.torn_lifetime_s)
        try:
            known.card.add(tlv.decode(activation.fci.reveal()), tlv.Duplicates.FIRST)
            known.pdol_data = known.related_data(Tag.PDOL)
        except DecodeError as error:
            return self._select_next(f"the card's data is in error: {error}", L2.PARSING)
        if not known.card.get(Tag.DF_NAME):
            return self._select_next("the card did not give 84", L2.CARD_DATA_MISSING)
        command = commands.get_processing_options(known.pdol_data)
        return _State.WAITING_FOR_OPTIONS, (SendCommand(command),)

    def _options_came(self, event: CardAnswered) -> _Step:
        """Take the answer to GET PROCESSING OPTIONS, and choose the mode. Spec: S3.8 to S3.18."""
        known = self._known
        if not event.rapdu.ok:
            sw = event.rapdu.sw
            return self._select_next(f"GET PROCESSING OPTIONS: {sw}", L2.STATUS_BYTES, sw)
        known.card.add(processing_options(event.rapdu.data))
        if not known.card.get(Tag.AIP) or not known.card.get(Tag.AFL):
            return self._refuse("the card gave no profile or no file locator", L2.CARD_DATA_MISSING)
        known.aip = take(Aip, known.card[Tag.AIP], 2, Tag.AIP)
        locator = known.card[Tag.AFL]
        if known.aip & Aip.EMV_MODE:
            return self._emv_mode(locator)
        if not known.options.magstripe_mode:
            return self._refuse("the card has magstripe mode only", L2.MAGSTRIPE_NOT_SUPPORTED)
        self._records = RecordReader(c2_magstripe_mode.locator(locator), known.card)
        return self._read_next()

    def _emv_mode(self, locator: bytes) -> _Step:
        """Read the records of EMV mode; the other mode's one is read by terminals without that mode.

        Spec: S3.30 to S3.32, S3.60 to S3.65.
        """
        known = self._known
        if known.options.magstripe_mode:
            locator = locator.removeprefix(c2_magstripe.TRACK_1_RECORD)
        if not locator:
            return self._refuse("the card has no records for EMV mode", L2.CARD_DATA)
        self._records = RecordReader(locator, known.card)
        if known.options.relay_resistance and known.aip & Aip.RELAY_RESISTANCE:
            self._entropies = c2_relay_attempts.entropies(known.transaction, known.card.get(Tag.PDOL))
            return self._exchange_relay_data()
        known.note(c2_relay.NOT_PERFORMED)
        return self._read_next()

    def _exchange_relay_data(self) -> _Step:
        """Send the next number, which is the unpredictable number from now on. Spec: S3.61, SR1.23."""
        entropy = self._entropies.pop(0)
        self._known.terminal[Tag.UNPREDICTABLE_NUMBER] = entropy
        command = commands.exchange_relay_resistance_data(entropy)
        return _State.EXCHANGING_RELAY_DATA, (SendCommand(command),)

    def _relay_data_came(self, event: CardAnswered) -> _Step:
        """Judge the card's time, and ask again if it seems too slow. Spec: SR1.10 to SR1.32."""
        known = self._known
        if not event.rapdu.ok:
            return self._bad_status("EXCHANGE RELAY RESISTANCE DATA", event)
        entropy = known.terminal[Tag.UNPREDICTABLE_NUMBER]
        known.relay = c2_relay_attempts.attempted(event, entropy, known.relay, known.options)
        verdict = c2_relay.judge(known.relay, known.options)
        if verdict is RelayVerdict.TOO_FAST:
            return self._refuse("the card answered faster than it says it can", L2.CARD_DATA)
        if verdict is RelayVerdict.TOO_SLOW and self._entropies:
            return self._exchange_relay_data()
        known.note(c2_relay.verification_results(known.relay, known.options))
        return self._read_next()

    # Records

    def _read_next(self) -> _Step:
        command = self._records.command()
        if command is None:
            return self._check_data() if self._known.aip & Aip.EMV_MODE else self._compute_checksum()
        return _State.READING_RECORDS, (SendCommand(command),)

    def _record_came(self, event: CardAnswered) -> _Step:
        """Take one record. Spec: S4.9 to S4.35."""
        if not event.rapdu.ok:
            return self._bad_status(f"READ RECORD, {self._records.position}", event)
        self._records.answered(event.rapdu.data)
        return self._read_next()

    def _check_data(self) -> _Step:
        """Compare the amount with the limits, and see whether all data is there. Spec: S456.12 to S456.34."""
        known = self._known
        if known.too_much:
            return self._select_next("the amount is above the transaction limit", L2.MAX_LIMIT_EXCEEDED)
        missing = c2_card.missing(known.card)
        if missing:
            return self._refuse(f"the card did not give {missing}", L2.CARD_DATA_MISSING)
        c2_card.check(known.card)
        self._cda = c2_cda.prepare(known, self._records.static)
        known.terminal[Tag.TERMINAL_CAPABILITIES] = c2_terminal.capabilities_for(
            known.terminal[Tag.TERMINAL_CAPABILITIES],
            known.activation.config.capabilities,
            known.options,
            cvm_required=known.cvm_required,
        )
        if c2_balance.wanted(known.card, known.options.read_balance_before):
            return _State.READING_BALANCE_BEFORE, (SendCommand(c2_balance.command()),)
        return self._decide()

    def _balance_before_came(self, event: CardAnswered) -> _Step:
        self._keep_balance(c2_balance.BEFORE, event)
        return self._decide()

    def _keep_balance(self, tag: int, event: CardAnswered) -> None:
        balance = c2_balance.balance(event.rapdu)
        if balance is not None:
            self._known.balances[tag] = balance

    # Magstripe mode

    def _compute_checksum(self) -> _Step:
        """Ask for the checksum of the tracks. Spec: S7.20, S78.8 to S78.22."""
        known = self._known
        try:
            known.stripe = c2_magstripe_mode.tracks(known)
        except c2_magstripe.InconsistentError as error:
            return self._refuse(error.reason, error.l2)
        if known.too_much:
            return self._select_next("the amount is above the transaction limit", L2.MAX_LIMIT_EXCEEDED)
        command = c2_magstripe_mode.command(known, known.stripe)
        return _State.COMPUTING_CHECKSUM, (SendCommand(command),)

    def _checksum_came(self, event: CardAnswered) -> _Step:
        """Take the checksum, or what a phone waits for. Spec: S13.9 to S13.45, S14.9 to S14.34."""
        known = self._known
        if not event.rapdu.ok or known.stripe is None:
            return self._bad_status("COMPUTE CRYPTOGRAPHIC CHECKSUM", event)
        try:
            outcome, shown = c2_magstripe_mode.conclude(known, known.stripe, event.rapdu.data)
        except c2_magstripe.InconsistentError as error:
            return self._refuse(error.reason, error.l2)
        return self._complete(outcome, shown=(c2_outcome.card_read(known.card), *shown))

    # What is the card to be asked for?

    def _decide(self) -> _Step:
        """Decide, and ask for the cryptogram of before or for a new one. Spec: S456.35 to S456.49."""
        known = self._known
        self._cvm, self._request = c2_decision.decide(known, cda=self._cda)
        if self._is_recoverable:
            torn = c2_torn.find(known.activation.background.torn, known.card, known.terminal, self._request)
            if torn is not None:
                self._recovering = torn
                command = commands.recover_ac(c2_torn.drdol_data(torn))
                return _State.RECOVERING_AC, (SendCommand(command),)
        return self._generate()

    @property
    def _is_recoverable(self) -> bool:
        return c2_torn.is_recoverable(self._known.card, self._known.options.torn_records)

    def _generate(self) -> _Step:
        """Ask for a cryptogram. Spec: GAC.29."""
        data = self._known.cdol1_data = self._known.related_data(Tag.CDOL1)
        command = commands.generate_ac(self._request.kind, data, cda=self._request.cda)
        return _State.GENERATING_AC, (SendCommand(command),)

    def _generating_lost(self, event: CardLost) -> _Step:
        """Remember the payment, if the card can tell later what it did. Spec: S9.5 to S9.15, S11.11."""
        known = self._known
        if self._is_recoverable:
            self._forget_torn()
            record = c2_torn.record(known, self._request)
            known.dropped = known.activation.background.torn.add(record, known.options.torn_records)
        return self._lost(event)

    def _forget_torn(self) -> None:
        if self._recovering is not None:
            self._known.activation.background.torn.remove(self._recovering)
            self._recovering = None

    def _recovered_came(self, event: CardAnswered) -> _Step:
        """Take the cryptogram of before, or ask for a new one. Spec: S10.7 to S10.18."""
        known = self._known
        if not event.rapdu.ok or self._recovering is None:
            return self._generate()
        self._request = c2_torn.restore(self._recovering, known)
        self._forget_torn()
        return self._take(cryptogram.format_2(event.rapdu.data), event)

    def _cryptogram_came(self, event: CardAnswered) -> _Step:
        """Take the card's cryptogram. Spec: S9.16 to S9.24, S11.5 to S11.21."""
        self._forget_torn()
        if not event.rapdu.ok:
            return self._bad_status("GENERATE AC", event)
        return self._take(cryptogram.generated(event.rapdu.data), event)

    def _take(self, objects: tuple[tlv.Tlv, ...], event: CardAnswered) -> _Step:
        card = self._known.card
        self._answer = SensitiveBytes(event.rapdu.data)
        card.add(objects)
        card.check_lengths(_CHECKED_ANSWER, c2_terminal.KERNEL)
        wrong, reason = c2_cryptogram.check(card, self._request)
        if wrong:
            return self._refuse(reason, wrong)
        if c2_balance.wanted(card, self._known.options.read_balance_after):
            return _State.READING_BALANCE_AFTER, (SendCommand(c2_balance.command()),)
        return self._finish()

    def _balance_after_came(self, event: CardAnswered) -> _Step:
        self._keep_balance(c2_balance.AFTER, event)
        return self._finish()

    def _balance_after_lost(self, event: CardLost) -> _Step:
        """Go on without: the payment itself is done. Spec: S17.1."""
        return self._finish()

    # The card may go: what comes of it?

    def _finish(self) -> _Step:
        """Say that the card may go, and check the signature, or whether there had to be one.

        Spec: S910.1 to S910.39.
        """
        known = self._known
        shown = c2_outcome.card_read(known.card)
        if known.card.get(Tag.SIGNED_DYNAMIC_DATA):
            known.oda = c2_cda.verify(known, self._records.static, self._answer)
            if not known.oda.succeeded:
                known.note(Tvr.CDA_FAILED)
                reason = f"the card is not authenticated: {known.oda.reason}"
                return self._refuse(reason, L2.CAM_FAILED, shown=(shown,))
            changed = {int(Tag.CRYPTOGRAM): known.oda.cryptogram}
        else:
            wrong, reason = c2_cryptogram.check_unsigned(known.card, self._request)
            if wrong:
                return self._refuse(reason, wrong, shown=(shown,))
            changed = c2_track2.for_issuer(known.card, known.relay, known.tvr)
        outcome, more = c2_conclusion.conclude(known, self._cvm.cvm, changed)
        return self._complete(outcome, shown=(shown, *more))

    # Ends

    def end(self, outcome: Outcome) -> _Step:
        """Return the step to the end for card data that can't be decoded, as `advance` found."""
        return self._refuse(outcome.reason, L2.PARSING)

    def _lost(self, event: CardLost) -> _Step:
        error = ErrorIndication(l1=L1.TIME_OUT, message=MessageId.TRY_AGAIN)
        outcome = c2_outcome.lost(self._known.card, "the card left the field before it was read")
        return self._complete(outcome, error)

    def _bad_status(self, command: str, event: CardAnswered) -> _Step:
        return self._refuse(f"{command}: {event.rapdu.sw}", L2.STATUS_BYTES, event.rapdu.sw)

    def _refuse(self, reason: str, l2: L2, sw: int = 0, *, shown: tuple[UiRequest, ...] = ()) -> _Step:
        error = ErrorIndication(l2=l2, sw=sw, message=MessageId.TRY_ANOTHER_CARD)
        outcome = c2_outcome.refused(self._known.card, self._known.options, reason)
        return self._complete(outcome, error, shown=shown)

    def _select_next(self, reason: str, l2: L2, sw: int = 0) -> _Step:
        return self._complete(select_next(reason), ErrorIndication(l2=l2, sw=sw))

    def _complete(
        self, outcome: Outcome, error: ErrorIndication = NO_ERROR, *, shown: tuple[UiRequest, ...] = ()
    ) -> _Step:
        """Return the step to the end, and what is shown before it."""
        messages = tuple(ShowMessage(request) for request in shown)
        return _State.COMPLETED, (*messages, Complete(self._known.told(outcome, error)))


TRANSITIONS: Mapping[KernelState, Mapping[type, Callable[[KernelC2, Any], _Step]]] = {
    _State.IDLE: {Begin: KernelC2._begin},
    _State.WAITING_FOR_OPTIONS: {CardAnswered: KernelC2._options_came, CardLost: KernelC2._lost},
    _State.EXCHANGING_RELAY_DATA: {CardAnswered: KernelC2._relay_data_came, CardLost: KernelC2._lost},
    _State.READING_RECORDS: {CardAnswered: KernelC2._record_came, CardLost: KernelC2._lost},
    _State.COMPUTING_CHECKSUM: {CardAnswered: KernelC2._checksum_came, CardLost: KernelC2._lost},
    _State.READING_BALANCE_BEFORE: {
        CardAnswered: KernelC2._balance_before_came,
        CardLost: KernelC2._lost,
    },
    _State.RECOVERING_AC: {CardAnswered: KernelC2._recovered_came, CardLost: KernelC2._lost},
    _State.GENERATING_AC: {CardAnswered: KernelC2._cryptogram_came, CardLost: KernelC2._generating_lost},
    _State.READING_BALANCE_AFTER: {
        CardAnswered: KernelC2._balance_after_came,
        CardLost: KernelC2._balance_after_lost,
    },
    _State.COMPLETED: {},
}
"""What each state takes, and what it does."""
