"""The quick flow: the card decides in its answer to GET PROCESSING OPTIONS. Kernels 3, 6 and 7 go this way.

    GET PROCESSING OPTIONS with the PDOL's data (TTQ, amount, unpredictable number...)
    READ RECORD for each record of the file locator, if there is one
    the card may leave the field
    mandatory data, then what the kernel decides, outcome

Visa's qVSDC and UnionPay's qPBOC come from one design, and Discover's D-PAS is made like them. What
differs is in their kernels: which data must be there, which limits hold, how a card is authenticated, what
is decided, and what the host is told.

Every outcome carries its evidence. The TVR in it says what was found; the one in the data record is the
one that the card was told, five zero bytes, because the issuer needs just that to check the cryptogram.

Spec: EMV Contactless Book C-3 2.5, 5; Book C-7 2.5.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from enum import Enum, auto
from typing import ClassVar, TypeAlias

from emv import commands, dol, tlv
from emv.card_data import CardData
from emv.card_texts import label, language
from emv.evidence import Evidence
from emv.fields import Aip, Tsi, Ttq, Tvr, take
from emv.formats import decode_n
from emv.kernel import (
    Actions,
    Activation,
    Begin,
    CardAnswered,
    CardLost,
    Complete,
    Event,
    Indicators,
    SendCommand,
    ShowMessage,
    Transaction,
    Transitions,
    advance,
)
from emv.oda import OdaMethod, OdaReport, authenticate_fdda
from emv.outcome import (
    CvmResult,
    Interface,
    MessageId,
    Outcome,
    OutcomeKind,
    UiRequest,
    UiStatus,
    end_application,
    refused,
    select_next,
    try_again,
    try_contact,
)
from emv.quick_decision import CVM_RESULTS, Authenticate, Decision, Facts, Verdict, check_number
from emv.records import RecordReader, processing_options
from emv.sensitive import Pan, SensitiveBytes, Track2
from emv.tags import Tag
from emv.terminal_data import terminal_data

_USED = (
    *(Tag.AIP, Tag.ATC, Tag.ISSUER_APPLICATION_DATA, Tag.CRYPTOGRAM, Tag.TRACK_2, Tag.DF_NAME, Tag.PAN),
    *(Tag.CID, Tag.CTQ, Tag.EXPIRATION_DATE, Tag.PAN_SEQUENCE, Tag.USAGE_CONTROL, Tag.ISSUER_COUNTRY),
    *(Tag.FORM_FACTOR, Tag.MERCHANT_CUSTOM_DATA, Tag.AVAILABLE_OFFLINE_SPENDING),
)
"""What is used here, and so must have a possible length."""
_RECORD_FROM_CARD = (
    *(Tag.AIP, Tag.DF_NAME, Tag.ISSUER_APPLICATION_DATA, Tag.CRYPTOGRAM, Tag.CID, Tag.ATC),
    *(Tag.FORM_FACTOR, Tag.MERCHANT_CUSTOM_DATA, Tag.PAN_SEQUENCE, Tag.TRACK_2, Tag.PAN),
)
_RECORD_FROM_TERMINAL = (
    *(Tag.TRANSACTION_CURRENCY, Tag.TVR, Tag.TRANSACTION_DATE, Tag.TRANSACTION_TYPE),
    *(Tag.AMOUNT_AUTHORISED, Tag.AMOUNT_OTHER, Tag.TERMINAL_COUNTRY, Tag.TERMINAL_CAPABILITIES),
    *(Tag.TERMINAL_TYPE, Tag.UNPREDICTABLE_NUMBER, Tag.POS_ENTRY_MODE, Tag.SEQUENCE_COUNTER),
)
"""The data record for the host: DE55, and 57, 5A, 5F34. Spec: C-3, Annex A.2 (Data Record)."""
_CVM_FAILED = bytes.fromhex("3F0001")


class KernelState(Enum):
    """Where the kernel is."""

    IDLE = auto()
    WAITING_FOR_OPTIONS = auto()
    """GET PROCESSING OPTIONS is out."""
    READING_RECORDS = auto()
    COMPLETED = auto()


_Step: TypeAlias = tuple[KernelState, Actions]


class QuickKernel(ABC):
    """One activation of a kernel with the quick flow."""

    NUMBER: ClassVar[int]
    NEEDS_TTQ: ClassVar[bool] = False
    """Whether an application that does not ask for the TTQ is not for this kernel."""
    RECORD_FROM_CARD: ClassVar[tuple[int, ...]] = ()
    """What the scheme's host is told besides."""
    show_offline_balance = False

    def __init__(self, activation: Activation) -> None:
        self.state = KernelState.IDLE
        self._activation = activation
        self._indicators = activation.indicators
        self._card = CardData()
        self._terminal: dict[int, bytes] = {}
        self._records: RecordReader
        self._transaction: Transaction
        self._pdol_data = b""
        self._options_answer = SensitiveBytes(b"")
        self._decision = Decision(Verdict.DECLINE, "")

    def handle(self, event: Event) -> Actions:
        """Consume one event and return what the caller must do next, in order.

        Raises:
            KernelMisuseError: the event has no place in this state. Nothing has changed.
        """
        return advance(self, TRANSITIONS, event)

    # What each kernel has of its own

    @abstractmethod
    def _limits(self) -> Indicators:
        """Return the pre-processing indicators that hold for this card, by its answer to SELECT."""

    @abstractmethod
    def _announced(self, ttq: Ttq) -> Ttq:
        """Return the TTQ with the functions that are there, as the card is sent it."""

    @abstractmethod
    def _missing(self) -> tuple[int, ...]:
        """Return the tags of mandatory data that the card did not give."""

    @abstractmethod
    def _decide(self, facts: Facts, authenticate: Authenticate) -> Decision:
        """Return what becomes of the transaction."""

    @abstractmethod
    def _authenticate(self, online: bool) -> OdaReport:
        """Authenticate the card, for a transaction that goes online or stays offline."""

    # The way

    def _begin(self, event: Begin) -> _Step:
        """Ask the card for its processing options. Spec: C-3, 5.1 and 5.2.1."""
        self._transaction = event.transaction
        activation = self._activation
        self._terminal = terminal_data(activation.config, event.transaction, aid=activation.aid)
        fci = activation.fci.reveal()
        self._card.add(tlv.decode(fci), tlv.Duplicates.FIRST)
        pdol = dol.decode(self._card.get(Tag.PDOL) or b"")
        if event.preprocess:
            self._indicators = self._limits()
        if self._indicators.not_allowed:
            return self.end(select_next("the amount is not taken contactless with this card"))
        if self.NEEDS_TTQ and not any(entry.tag == Tag.TTQ for entry in pdol):
            return self.end(select_next("the application does not ask for the TTQ"))
        self._terminal[Tag.TTQ] = self._ttq.to_bytes(4, "big")
        self._pdol_data = dol.fill(pdol, self._terminal)
        command = commands.get_processing_options(self._pdol_data)
        return KernelState.WAITING_FOR_OPTIONS, (SendCommand(command),)

    @property
    def _ttq(self) -> Ttq:
        """The TTQ as the card is sent it; without a configured one, EMV mode and what the limits require."""
        found = self._indicators
        if found.ttq is not None:
            return self._announced(found.ttq)
        ttq = Ttq.EMV_MODE
        if found.floor_limit_exceeded or found.status_check_requested or found.zero_amount:
            ttq |= Ttq.ONLINE_CRYPTOGRAM_REQUIRED
        if found.cvm_limit_exceeded:
            ttq |= Ttq.CVM_REQUIRED
        return self._announced(ttq)

    def _options_came(self, event: CardAnswered) -> _Step:
        """Take the answer to GET PROCESSING OPTIONS. Spec: C-3, 5.2.2."""
        if not event.rapdu.ok:
            return self.end(refused("GET PROCESSING OPTIONS", int(event.rapdu.sw)))
        self._options_answer = SensitiveBytes(event.rapdu.data)
        self._card.add(processing_options(event.rapdu.data))
        self._records = RecordReader(self._card.get(Tag.AFL) or b"", self._card)
        return self._read_next()

    def _read_next(self) -> _Step:
        command = self._records.command()
        if command is None:
            return self._read()
        return KernelState.READING_RECORDS, (SendCommand(command),)

    def _record_came(self, event: CardAnswered) -> _Step:
        """Take one record. Spec: C-3, 5.3."""
        if not event.rapdu.ok:
            return self.end(end_application(f"{self._records.position}: {event.rapdu.sw}"))
        self._records.answered(event.rapdu.data)
        return self._read_next()

    def _lost(self, event: CardLost) -> _Step:
        return self.end(try_again("the card left the field before it was read"))

    # The card is read: what comes of it?

    def _read(self) -> _Step:
        card = self._card
        missing = self._missing()
        if missing:
            names = ", ".join(f"{tag:02X}" for tag in missing)
            return self.end(end_application(f"the card did not give {names}"))
        card.check_lengths(_USED, self.NUMBER)
        number = self._number()
        check_number(card, number)
        facts = Facts(
            card=card,
            number=number,
            transaction=self._transaction,
            terminal=self._terminal,
            ttq=self._ttq,
            exceptions=self._activation.background.exceptions,
        )
        self._decision = self._decide(facts, self._authenticate)
        outcome = replace(self._outcome(), pan=number, label=label(self._card))
        read = UiRequest(MessageId.CARD_READ_OK, UiStatus.CARD_READ_OK, language=language(self._card))
        state, actions = self.end(outcome)
        return state, (ShowMessage(read), *actions)

    def _number(self) -> Pan:
        track2 = self._card.get(Tag.TRACK_2)
        return Pan.decode(self._card[Tag.PAN]) if track2 is None else Track2(track2).pan

    def _fast_dda(self, online: bool) -> OdaReport:
        """Check the signature that came with the other data, if card and terminal can."""
        if not self._activation.config.ca_keys:
            return OdaReport(reason="the terminal has no scheme keys")
        if not take(Aip, self._card[Tag.AIP], 2, Tag.AIP) & Aip.DDA:
            return OdaReport(reason="the card's profile has no dynamic data authentication")
        return authenticate_fdda(
            self._card,
            self._records.static.value(self._card),
            self._terminal,
            rid=self._activation.aid[:5],
            ca_keys=self._activation.config.ca_keys,
            date=self._transaction.date,
            online=online,
        )

    def _outcome(self) -> Outcome:
        """Return the outcome with its parameters. Spec: C-3, 5.8 and 5.9."""
        decision = self._decision
        verdict, cvm = decision.verdict, decision.cvm
        if verdict is Verdict.SWITCH_INTERFACE:
            return _other_interface(decision)
        if verdict is Verdict.DECLINE:
            shown = self._shows(MessageId.DECLINED, UiStatus.READY_TO_READ)
            return Outcome(kind=OutcomeKind.DECLINED, reason=decision.reason, ui_on_outcome=shown)
        if verdict is Verdict.ONLINE:
            shown = self._shows(MessageId.AUTHORISING, UiStatus.NOT_READY)
            kind = OutcomeKind.ONLINE_REQUEST
        else:
            signs = cvm is CvmResult.SIGNATURE
            message = MessageId.APPROVED_SIGN if signs else MessageId.APPROVED
            shown = self._shows(message, UiStatus.READY_TO_READ)
            kind = OutcomeKind.APPROVED
        return Outcome(
            kind=kind,
            reason=decision.reason,
            cvm=cvm,
            ui_on_outcome=shown,
            receipt=cvm is CvmResult.SIGNATURE,
            data_record=self._data_record(),
        )

    def _shows(self, message: MessageId, status: UiStatus) -> UiRequest:
        """Return a request in the cardholder's language, with the balance where that is wanted.

        Spec: C-3, 4.3.1.1.
        """
        request = UiRequest(message, status, language=language(self._card))
        balance = self._card.get(Tag.AVAILABLE_OFFLINE_SPENDING)
        if balance is None or not self.show_offline_balance:
            return request
        return replace(request, balance_minor=decode_n(balance), currency=self._transaction.currency)

    def _data_record(self) -> SensitiveBytes:
        from_card = (*_RECORD_FROM_CARD, *self.RECORD_FROM_CARD)
        values = {int(tag): self._card[tag] for tag in from_card if tag in self._card}
        values |= {int(tag): self._terminal[tag] for tag in _RECORD_FROM_TERMINAL if tag in self._terminal}
        form_factor = values.get(Tag.FORM_FACTOR)
        if form_factor is not None and len(form_factor) == 4:
            # C-3, 4.1.1.1: the payment technology in the last four bits is not passed on.
            values[Tag.FORM_FACTOR] = form_factor[:3] + bytes((form_factor[3] & 0xF0,))
        results = CVM_RESULTS.get(self._decision.cvm)
        if results:
            values[Tag.CVM_RESULTS] = results
        return SensitiveBytes(tlv.encode(values.items()))

    def end(self, outcome: Outcome) -> _Step:
        """Return the step to the last state with this outcome and what it rests on."""
        terminal = self._terminal | self._found()
        evidence = Evidence(card=self._card, terminal=terminal, oda=self._decision.oda)
        return KernelState.COMPLETED, (Complete(replace(outcome, evidence=evidence)),)

    def _found(self) -> dict[int, bytes]:
        """Return what the terminal found out: TVR, TSI, CVM results, and what a signature held."""
        decision, tvr, tsi = self._decision, self._decision.tvr, Tsi(0)
        if self._indicators.floor_limit_exceeded:
            tvr |= Tvr.FLOOR_LIMIT_EXCEEDED
        if decision.oda.method is not OdaMethod.NONE:
            tsi |= Tsi.ODA_PERFORMED
        results = _CVM_FAILED if tvr & Tvr.CVM_FAILED else CVM_RESULTS.get(decision.cvm)
        if results or decision.cvm is CvmResult.CONFIRMED_BY_DEVICE:
            tsi |= Tsi.CARDHOLDER_VERIFICATION_PERFORMED
        if Tag.CRYPTOGRAM in self._card:
            tsi |= Tsi.CARD_RISK_MANAGEMENT_PERFORMED
        values = {
            Tag.TVR: tvr.to_bytes(5, "big"),
            Tag.TSI: tsi.to_bytes(2, "big"),
            Tag.CVM_RESULTS: results,
            Tag.ICC_DYNAMIC_NUMBER: decision.oda.dynamic_number,
            Tag.DATA_AUTHENTICATION_CODE: decision.oda.data_authentication_code,
        }
        return {int(tag): value for tag, value in values.items() if value}


def _other_interface(decision: Decision) -> Outcome:
    inserted = try_contact(decision.reason)
    if decision.message is MessageId.INSERT_CARD:
        return inserted
    shown = UiRequest(decision.message, UiStatus.ERROR)
    return replace(inserted, ui_on_outcome=shown, alternate_interface=Interface.NOT_APPLICABLE)


TRANSITIONS: Transitions = {
    KernelState.IDLE: {Begin: QuickKernel._begin},
    KernelState.WAITING_FOR_OPTIONS: {CardAnswered: QuickKernel._options_came, CardLost: QuickKernel._lost},
    KernelState.READING_RECORDS: {CardAnswered: QuickKernel._record_came, CardLost: QuickKernel._lost},
    KernelState.COMPLETED: {},
}
"""What each state takes, and what it does."""
