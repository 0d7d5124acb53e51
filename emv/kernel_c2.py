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
from dataclasses import replace
from enum import Enum, auto
from typing import Any

from emv import (
    c2_action,
    c2_balance,
    c2_cda,
    c2_cryptogram,
    c2_dol,
    c2_limits,
    c2_magstripe,
    c2_outcome,
    c2_records,
    c2_relay,
    c2_terminal,
    c2_torn,
    c2_track2,
    commands,
    cryptogram,
    risk,
    tlv,
)
from emv.c2_cvm import select_cvm
from emv.c2_error import L1, L2, NO_ERROR, ErrorIndication
from emv.c2_options import C2Options, PhoneMessage
from emv.c2_relay import RelayAnswer, RelayExchange, RelayVerdict
from emv.c2_restrictions import restrictions
from emv.card_data import CardData
from emv.card_texts import label
from emv.cvm import CvmDecision
from emv.errors import DecodeError
from emv.evidence import Evidence
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
    Transaction,
    advance,
)
from emv.oda import NO_ODA, OdaMethod, OdaResult
from emv.outcome import CvmResult, MessageId, Outcome, OutcomeKind, select_next
from emv.records import RecordReader, processing_options
from emv.sensitive import Pan, SensitiveBytes, Track2
from emv.tags import Tag
from emv.torn import TornRecord

KERNEL = c2_terminal.KERNEL
_MANDATORY = (Tag.EXPIRATION_DATE, Tag.PAN, Tag.CDOL1)
"""What the records must have given. Spec: S456.16."""
_CHECKED = (
    *(Tag.PAN, Tag.PAN_SEQUENCE, Tag.EXPIRATION_DATE, Tag.EFFECTIVE_DATE, Tag.USAGE_CONTROL),
    *(Tag.ISSUER_COUNTRY, Tag.VERSION_CARD, Tag.APPLICATION_CURRENCY, Tag.CA_KEY_INDEX),
    *(Tag.ISSUER_EXPONENT, Tag.ICC_EXPONENT, Tag.FORM_FACTOR, Tag.TRACK_2, Tag.CDOL1, Tag.DRDOL),
)
_CHECKED_STRIPE = (
    *(Tag.TRACK_1, Tag.TRACK_2_MAGSTRIPE, Tag.PCVC3_TRACK_1, Tag.PUNATC_TRACK_1, Tag.NATC_TRACK_1),
    *(Tag.PCVC3_TRACK_2, Tag.NATC_TRACK_2),
)
_CHECKED_ANSWER = (Tag.CID, Tag.ATC, Tag.CRYPTOGRAM, Tag.ISSUER_APPLICATION_DATA, Tag.SIGNED_DYNAMIC_DATA)
"""What is used here, and so must have a possible length."""
_CHECKED_CHECKSUM = (Tag.ATC, Tag.CVC3_TRACK_1, Tag.CVC3_TRACK_2)


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
        self._activation = activation
        self._options = activation.options(C2Options)
        self._card = CardData()
        self._terminal: dict[int, bytes] = {}
        self._oda = NO_ODA
        self._transaction: Transaction
        self._aip = Aip(0)
        self._pdol_data = b""
        self._entropies: list[bytes] = []
        self._relay: RelayExchange | None = None
        self._records: RecordReader
        self._stripe: c2_magstripe.Stripe | None = None
        self._cda = False
        self._cvm: CvmDecision
        self._balances: dict[int, bytes] = {}
        self._request: c2_action.CryptogramRequest
        self._cdol1_data = b""
        self._recovering: TornRecord | None = None
        self._dropped: TornRecord | None = None
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
        self._transaction = event.transaction
        activation, transaction = self._activation, event.transaction
        self._terminal = c2_terminal.initial(activation, self._options, transaction)
        activation.background.torn.expire(c2_torn.presented_at(transaction), self._options.torn_lifetime_s)
        try:
            self._card.add(tlv.decode(activation.fci.reveal()), tlv.Duplicates.FIRST)
            self._pdol_data = self._related_data(Tag.PDOL)
        except DecodeError as error:
            return self._select_next(f"the card's data is in error: {error}", L2.PARSING)
        if not self._card.get(Tag.DF_NAME):
            return self._select_next("the card did not give 84", L2.CARD_DATA_MISSING)
        command = commands.get_processing_options(self._pdol_data)
        return _State.WAITING_FOR_OPTIONS, (SendCommand(command),)

    def _options_came(self, event: CardAnswered) -> _Step:
        """Take the answer to GET PROCESSING OPTIONS. Spec: S3.8 to S3.18."""
        if not event.rapdu.ok:
            sw = event.rapdu.sw
            return self._select_next(f"GET PROCESSING OPTIONS: {sw}", L2.STATUS_BYTES, sw)
        self._card.add(processing_options(event.rapdu.data))
        if not self._card.get(Tag.AIP) or not self._card.get(Tag.AFL):
            return self._refuse("the card gave no profile or no file locator", L2.CARD_DATA_MISSING)
        self._aip = take(Aip, self._card[Tag.AIP], 2, Tag.AIP)
        if self._aip & Aip.EMV_MODE:
            return self._emv_mode(self._card[Tag.AFL])
        if self._options.magstripe_mode:
            return self._magstripe_mode(self._card[Tag.AFL])
        return self._refuse("the card has magstripe mode only", L2.MAGSTRIPE_NOT_SUPPORTED)

    def _emv_mode(self, locator: bytes) -> _Step:
        """Read the records of EMV mode; the other mode's one is read by terminals without that mode.

        Spec: S3.30 to S3.32, S3.60 to S3.65.
        """
        if self._options.magstripe_mode:
            locator = locator.removeprefix(c2_magstripe.TRACK_1_RECORD)
        if not locator:
            return self._refuse("the card has no records for EMV mode", L2.CARD_DATA)
        self._records = RecordReader(locator, self._card)
        if self._options.relay_resistance and self._aip & Aip.RELAY_RESISTANCE:
            self._entropies = self._fresh_numbers()
            return self._exchange_relay_data()
        self._note(c2_relay.NOT_PERFORMED)
        return self._read_next()

    # Relay resistance

    def _fresh_numbers(self) -> list[bytes]:
        """Return what can be sent as entropy, first to last.

        The transaction's own number is not fresh any more if the card was sent it by its PDOL: a relay
        could have the answer ready.
        """
        transaction = self._transaction
        spare = list(transaction.spare_unpredictable_numbers)
        if spare and c2_dol.asks_for(self._card.get(Tag.PDOL), Tag.UNPREDICTABLE_NUMBER):
            return spare
        return [transaction.unpredictable_number, *spare]

    def _exchange_relay_data(self) -> _Step:
        """Send the next number, which is the unpredictable number from now on. Spec: S3.61, SR1.23."""
        entropy = self._entropies.pop(0)
        self._terminal[Tag.UNPREDICTABLE_NUMBER] = entropy
        command = commands.exchange_relay_resistance_data(entropy)
        return _State.EXCHANGING_RELAY_DATA, (SendCommand(command),)

    def _relay_data_came(self, event: CardAnswered) -> _Step:
        """Judge the card's time, and ask again if it seems too slow. Spec: SR1.10 to SR1.32."""
        if not event.rapdu.ok:
            return self._bad_status("EXCHANGE RELAY RESISTANCE DATA", event)
        answer = RelayAnswer.decode(event.rapdu.data)
        measured = None
        if event.elapsed_us is not None:
            measured = c2_relay.measured_100us(event.elapsed_us, answer, self._options)
        retries = 0 if self._relay is None else self._relay.retries + 1
        self._relay = RelayExchange(
            entropy=self._terminal[Tag.UNPREDICTABLE_NUMBER],
            answer=answer,
            retries=retries,
            measured_100us=measured,
        )
        if measured is not None:
            verdict = c2_relay.judge(measured, answer, self._options)
            if verdict is RelayVerdict.TOO_FAST:
                return self._refuse("the card answered faster than it says it can", L2.CARD_DATA)
            again = retries + 1 < c2_relay.MAX_ATTEMPTS and self._entropies
            if verdict is RelayVerdict.TOO_SLOW and again:
                return self._exchange_relay_data()
        self._note(c2_relay.verification_results(self._relay, self._options))
        return self._read_next()

    # Records

    def _read_next(self) -> _Step:
        command = self._records.command()
        if command is None:
            return self._check_data() if self._aip & Aip.EMV_MODE else self._compute_checksum()
        return _State.READING_RECORDS, (SendCommand(command),)

    def _record_came(self, event: CardAnswered) -> _Step:
        """Take one record. Spec: S4.9 to S4.35."""
        if not event.rapdu.ok:
            return self._bad_status(f"READ RECORD, {self._records.position}", event)
        self._records.answered(event.rapdu.data)
        return self._read_next()

    def _check_data(self) -> _Step:
        """Compare the amount with the limits, and see whether all data is there. Spec: S456.12 to S456.34."""
        card, config, transaction = self._card, self._activation.config, self._transaction
        limit = c2_limits.transaction_limit(self._aip, self._options)
        if c2_limits.exceeds(limit, config, transaction):
            return self._select_next("the amount is above the transaction limit", L2.MAX_LIMIT_EXCEEDED)
        missing = [tag for tag in _MANDATORY if not card.get(tag)]
        if missing:
            names = ", ".join(f"{tag:02X}" for tag in missing)
            return self._refuse(f"the card did not give {names}", L2.CARD_DATA_MISSING)
        card.check_lengths(_CHECKED, KERNEL)
        self._check_numbers()
        self._prepare_authentication()
        self._terminal[Tag.TERMINAL_CAPABILITIES] = c2_terminal.capabilities_for(
            self._terminal[Tag.TERMINAL_CAPABILITIES],
            config.capabilities,
            self._options,
            cvm_required=self._cvm_required,
        )
        if c2_balance.wanted(card, self._options.read_balance_before):
            return _State.READING_BALANCE_BEFORE, (SendCommand(c2_balance.command()),)
        return self._decide()

    def _check_numbers(self) -> None:
        """Refuse a card with two numbers: what is authenticated must be what is charged. Our rule."""
        pan, track2 = Pan.decode(self._card[Tag.PAN]), self._card.get(Tag.TRACK_2)
        if track2 and Track2(track2).pan != pan:
            raise DecodeError("the card's two numbers differ", tag=Tag.PAN)

    def _prepare_authentication(self) -> None:
        """See whether CDA is possible, and what is missing for it. Spec: S3R1.17 to S3R1.20, S456.24."""
        self._cda = c2_cda.is_possible(self._aip, self._terminal)
        if not self._cda:
            self._note(Tvr.ODA_NOT_PERFORMED)
            return
        found = c2_cda.check_data(
            self._card, self._records.static, rid=self._rid, ca_keys=self._activation.config.ca_keys
        )
        self._note(found)
        if found & Tvr.CDA_FAILED:
            reason = "data or the scheme's key for the card's certificates is missing"
            self._oda = replace(NO_ODA, method=OdaMethod.CDA, result=OdaResult.FAILED, reason=reason)

    def _balance_before_came(self, event: CardAnswered) -> _Step:
        self._keep_balance(c2_balance.BEFORE, event)
        return self._decide()

    def _keep_balance(self, tag: int, event: CardAnswered) -> None:
        balance = c2_balance.balance(event.rapdu)
        if balance is not None:
            self._balances[tag] = balance

    # Magstripe mode

    def _magstripe_mode(self, locator: bytes) -> _Step:
        """Read the record of this mode. Spec: S3.70 to S3.72."""
        if locator.startswith(c2_magstripe.TRACK_1_RECORD):
            locator = c2_magstripe.TRACK_1_RECORD
        self._records = RecordReader(locator, self._card)
        return self._read_next()

    def _compute_checksum(self) -> _Step:
        """Ask for the checksum over a number of as many digits as fit. Spec: S7.20, S78.8 to S78.22."""
        card, terminal, options = self._card, self._terminal, self._options
        card.check_lengths(_CHECKED_STRIPE, KERNEL)
        try:
            self._stripe = c2_magstripe.read(card)
        except c2_magstripe.InconsistentError as error:
            return self._refuse(error.reason, error.l2)
        limit = c2_limits.transaction_limit(self._aip, options)
        if c2_limits.exceeds(limit, self._activation.config, self._transaction):
            return self._select_next("the amount is above the transaction limit", L2.MAX_LIMIT_EXCEEDED)
        terminal[Tag.UNPREDICTABLE_NUMBER_NUMERIC] = c2_magstripe.unpredictable_number(
            self._transaction.unpredictable_number, self._stripe.digits
        )
        if self._on_device and self._cvm_required:
            terminal[Tag.MOBILE_SUPPORT] = c2_terminal.device_cvm_required(terminal[Tag.MOBILE_SUPPORT])
        data = c2_magstripe.udol_data(card, terminal, options)
        command = commands.compute_cryptographic_checksum(data)
        return _State.COMPUTING_CHECKSUM, (SendCommand(command),)

    def _checksum_came(self, event: CardAnswered) -> _Step:
        """Take the checksum, or what a phone waits for. Spec: S13.9 to S13.45, S14.9 to S14.34."""
        card, stripe = self._card, self._stripe
        if not event.rapdu.ok or stripe is None:
            return self._bad_status("COMPUTE CRYPTOGRAPHIC CHECKSUM", event)
        card.add(cryptogram.format_2(event.rapdu.data))
        card.check_lengths(_CHECKED_CHECKSUM, KERNEL)
        missing = c2_magstripe.check_answer(stripe, card, on_device=self._on_device)
        if missing:
            return self._refuse("the card gave no counter or no checksum", missing)
        if not card.get(Tag.CVC3_TRACK_2):
            return self._shown_read(self._phone_asks())
        verified = c2_magstripe.pin_verified(card)
        if self._on_device and self._cvm_required and not verified:
            return self._refuse("the phone did not verify its owner", L2.CARD_DATA)
        return self._shown_read(self._stripe_outcome(stripe, verified))

    def _phone_asks(self) -> _Step:
        """Return the end for a phone that gave no checksum. Spec: S13.41 to S13.45."""
        record = c2_records.magstripe_data_record(self._card, self._terminal, {})
        information = self._card.get(c2_magstripe.PHONE_INFORMATION)
        phone = c2_outcome.phone_message(information, self._options)
        if phone is None:
            declined = c2_outcome.declined(self._card, self._options)
            return self._complete(replace(declined, data_record=record))
        return self._see_phone(phone, record)

    def _stripe_outcome(self, stripe: c2_magstripe.Stripe, verified: bool) -> _Step:
        """Return the online request. Spec: S13.24 to S13.26, S14.32 to S14.34."""
        card, options, number = self._card, self._options, self._terminal[Tag.UNPREDICTABLE_NUMBER_NUMERIC]
        tracks = c2_magstripe.filled(stripe, card, number)
        changed = {tag: track.reveal() for tag, track in tracks.items()}
        record = c2_records.magstripe_data_record(card, self._terminal, changed)
        if self._on_device:
            cvm = CvmResult.CONFIRMED_BY_DEVICE if verified else CvmResult.NONE
        elif self._cvm_required:
            cvm = options.magstripe_cvm_required
        else:
            cvm = options.magstripe_cvm_not_required
        outcome = c2_outcome.magstripe(cvm, receipt=self._cvm_required)
        return self._complete(replace(outcome, data_record=record))

    # What is the card to be asked for?

    def _decide(self) -> _Step:
        """Decide, and ask for the cryptogram of before or for a new one. Spec: S456.35 to S456.49."""
        card, terminal, transaction = self._card, self._terminal, self._transaction
        activation, on_device = self._activation, self._on_device
        self._note(restrictions(card, terminal, transaction))
        self._cvm = select_cvm(
            card,
            terminal,
            transaction=transaction,
            aip=self._aip,
            on_device=on_device,
            required=self._cvm_required,
        )
        terminal[Tag.CVM_RESULTS] = self._cvm.results
        self._note(self._cvm.tvr)
        pan = Pan.decode(card[Tag.PAN])
        self._note(risk.exception_file(pan, activation.background.exceptions))
        if c2_limits.exceeds(c2_limits.floor_limit(activation.combination), activation.config, transaction):
            self._note(Tvr.FLOOR_LIMIT_EXCEEDED)
        self._request = c2_action.request(
            card,
            self._tvr,
            self._options,
            terminal_type=activation.config.terminal_type,
            indicators=activation.indicators,
            cda=self._cda,
            on_device=on_device,
        )
        if c2_torn.is_recoverable(card, self._options.torn_records):
            torn = activation.background.torn.find(pan, c2_torn.sequence(card))
            same = torn is not None and c2_torn.is_same_payment(torn, terminal)
            if torn is not None and same and c2_torn.is_enough(torn, self._request):
                self._recovering = torn
                command = commands.recover_ac(c2_torn.drdol_data(torn))
                return _State.RECOVERING_AC, (SendCommand(command),)
        return self._generate()

    def _generate(self) -> _Step:
        """Ask for a cryptogram. Spec: GAC.29."""
        self._cdol1_data = self._related_data(Tag.CDOL1)
        command = commands.generate_ac(self._request.kind, self._cdol1_data, cda=self._request.cda)
        return _State.GENERATING_AC, (SendCommand(command),)

    def _generating_lost(self, event: CardLost) -> _Step:
        """Remember the payment, if the card can tell later what it did. Spec: S9.5 to S9.15, S11.11."""
        if c2_torn.is_recoverable(self._card, self._options.torn_records):
            self._forget_torn()
            record = c2_torn.record(self._card, self._interrupted(), c2_torn.presented_at(self._transaction))
            torn = self._activation.background.torn
            self._dropped = torn.add(record, self._options.torn_records)
        return self._lost(event)

    def _interrupted(self) -> c2_torn.Interrupted:
        return c2_torn.Interrupted(
            terminal=self._terminal,
            pdol_data=self._pdol_data,
            cdol1_data=self._cdol1_data,
            request=self._request,
            balances=self._balances,
            relay=self._relay,
        )

    def _forget_torn(self) -> None:
        if self._recovering is not None:
            self._activation.background.torn.remove(self._recovering)
            self._recovering = None

    def _recovered_came(self, event: CardAnswered) -> _Step:
        """Take the cryptogram of before, or ask for a new one. Spec: S10.7 to S10.18."""
        if not event.rapdu.ok or self._recovering is None:
            return self._generate()
        then = c2_torn.restore(self._recovering, self._terminal)
        self._forget_torn()
        self._terminal = dict(then.terminal)
        self._pdol_data, self._cdol1_data = then.pdol_data, then.cdol1_data
        self._request, self._relay = then.request, then.relay
        self._balances = dict(then.balances)
        return self._take(cryptogram.format_2(event.rapdu.data), event)

    def _cryptogram_came(self, event: CardAnswered) -> _Step:
        """Take the card's cryptogram. Spec: S9.16 to S9.24, S11.5 to S11.21."""
        self._forget_torn()
        if not event.rapdu.ok:
            return self._bad_status("GENERATE AC", event)
        return self._take(cryptogram.generated(event.rapdu.data), event)

    def _take(self, objects: tuple[tlv.Tlv, ...], event: CardAnswered) -> _Step:
        self._answer = SensitiveBytes(event.rapdu.data)
        self._card.add(objects)
        self._card.check_lengths(_CHECKED_ANSWER, KERNEL)
        wrong, reason = c2_cryptogram.check(self._card, self._request)
        if wrong:
            return self._refuse(reason, wrong)
        if c2_balance.wanted(self._card, self._options.read_balance_after):
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
        return self._shown_read(self._authenticate())

    def _shown_read(self, step: _Step) -> _Step:
        """Return a step that says first that the card may go."""
        state, actions = step
        return state, (ShowMessage(c2_outcome.card_read(self._card)), *actions)

    def _authenticate(self) -> _Step:
        """Check the signature, or whether there had to be one. Spec: S910.1 to S910.39."""
        changed: dict[int, bytes] = {}
        if self._card.get(Tag.SIGNED_DYNAMIC_DATA):
            self._oda = c2_cda.verify(
                self._card,
                self._records.static,
                self._signed(),
                rid=self._rid,
                ca_keys=self._activation.config.ca_keys,
                date=self._transaction.date,
            )
            if not self._oda.succeeded:
                self._note(Tvr.CDA_FAILED)
                reason = f"the card is not authenticated: {self._oda.reason}"
                return self._refuse(reason, L2.CAM_FAILED)
            changed[Tag.CRYPTOGRAM] = self._oda.cryptogram
        else:
            wrong, reason = c2_cryptogram.check_unsigned(self._card, self._request)
            if wrong:
                return self._refuse(reason, wrong)
            changed |= self._relay_for_issuer()
        return self._outcome(changed)

    def _signed(self) -> c2_cda.Signed:
        return c2_cda.Signed(
            pdol_data=self._pdol_data,
            cdol1_data=self._cdol1_data,
            answer=self._answer,
            unpredictable_number=self._terminal[Tag.UNPREDICTABLE_NUMBER],
            relay=self._relay,
        )

    def _relay_for_issuer(self) -> dict[int, bytes]:
        """Return track 2 with relay resistance data in it, if there is that. Spec: S910.38."""
        track2 = self._card.get(Tag.TRACK_2)
        if not track2 or self._relay is None or not self._tvr & c2_relay.PERFORMED:
            return {}
        index = self._card.get(Tag.CA_KEY_INDEX)
        return {int(Tag.TRACK_2): c2_track2.with_relay_data(track2, self._relay, index)}

    def _outcome(self, changed: Mapping[int, bytes]) -> _Step:
        """Return the outcome with its parameters. Spec: S910.70 to S910.81."""
        card, options = self._card, self._options
        record = c2_records.data_record(card, self._terminal, changed)
        phone = c2_outcome.phone_message(card.get(c2_magstripe.PHONE_INFORMATION), options)
        if phone is not None:
            return self._see_phone(phone, record)
        decided = c2_outcome.Decided(
            cryptogram=c2_cryptogram.kind(card),
            transaction_type=self._transaction.type,
            cvm=self._cvm.cvm,
            contacts=c2_outcome.has_contacts(self._terminal[Tag.TERMINAL_CAPABILITIES]),
            receipt=self._cvm_required,
            balance=self._balances.get(c2_balance.AFTER),
        )
        return self._complete(replace(c2_outcome.final(card, options, decided), data_record=record))

    # Ends

    def _see_phone(self, phone: PhoneMessage, record: SensitiveBytes) -> _Step:
        now, outcome = c2_outcome.see_phone(self._card, self._options, phone)
        state, actions = self._complete(replace(outcome, data_record=record))
        return state, (ShowMessage(now), *actions)

    def end(self, outcome: Outcome) -> _Step:
        """Return the step to the end for card data that can't be decoded, as `advance` found."""
        return self._refuse(outcome.reason, L2.PARSING)

    def _lost(self, event: CardLost) -> _Step:
        error = ErrorIndication(l1=L1.TIME_OUT, message=MessageId.TRY_AGAIN)
        outcome = c2_outcome.lost(self._card, "the card left the field before it was read")
        return self._complete(outcome, error)

    def _bad_status(self, command: str, event: CardAnswered) -> _Step:
        return self._refuse(f"{command}: {event.rapdu.sw}", L2.STATUS_BYTES, event.rapdu.sw)

    def _refuse(self, reason: str, l2: L2, sw: int = 0) -> _Step:
        error = ErrorIndication(l2=l2, sw=sw, message=MessageId.TRY_ANOTHER_CARD)
        return self._complete(c2_outcome.refused(self._card, self._options, reason), error)

    def _select_next(self, reason: str, l2: L2, sw: int = 0) -> _Step:
        return self._complete(select_next(reason), ErrorIndication(l2=l2, sw=sw))

    def _complete(self, outcome: Outcome, error: ErrorIndication = NO_ERROR) -> _Step:
        """Return the step to the end, with what every outcome has."""
        card, dropped = self._card, self._dropped
        tracks = {} if self._stripe is None else self._stripe.discretionary()
        field_off_ms = None
        if outcome.kind is not OutcomeKind.SELECT_NEXT:
            field_off_ms = c2_outcome.field_off_ms(card, self._options)
        complete = replace(
            outcome,
            field_off_ms=field_off_ms,
            label=label(card),
            pan=self._pan(),
            discretionary_data=c2_records.discretionary_data(
                card, self._balances | tracks, error, None if dropped is None else dropped.data
            ),
            evidence=Evidence(
                card=card,
                terminal=dict(self._terminal),
                oda=self._oda,
                relay_ms=None if self._relay is None else self._relay.relay_ms,
            ),
        )
        return _State.COMPLETED, (Complete(complete),)

    def _pan(self) -> Pan | None:
        """Return the card's number, if it gave a possible one."""
        track2 = self._card.get(Tag.TRACK_2_MAGSTRIPE)
        try:
            if Tag.PAN in self._card:
                return Pan.decode(self._card[Tag.PAN])
            return Track2(track2).pan if track2 else None
        except DecodeError:
            return None

    # Small words

    @property
    def _rid(self) -> bytes:
        return self._activation.aid[:5]

    @property
    def _tvr(self) -> Tvr:
        return Tvr.from_bytes(self._terminal[Tag.TVR], "big")

    def _note(self, found: Tvr) -> None:
        """Set TVR bits."""
        if not self._options.relay_bits:
            found &= ~(c2_relay.NOT_PERFORMED | c2_relay.PERFORMED)
        self._terminal[Tag.TVR] = (self._tvr | found).to_bytes(5, "big")

    @property
    def _on_device(self) -> bool:
        return c2_limits.device_verifies(self._aip, self._options)

    @property
    def _cvm_required(self) -> bool:
        limit = self._activation.combination.cvm_limit
        return c2_limits.exceeds(limit, self._activation.config, self._transaction)

    def _related_data(self, list_tag: Tag) -> bytes:
        """Return the data that one of the card's lists asks for."""
        return c2_dol.related_data(self._card.get(list_tag) or b"", self._card, self._terminal)


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
