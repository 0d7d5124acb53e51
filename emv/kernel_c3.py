"""Kernel 3, for Visa's qVSDC: the card decides in its answer to GET PROCESSING OPTIONS.

The way through:

    GET PROCESSING OPTIONS with the PDOL's data (TTQ, amount, unpredictable number...)
    READ RECORD for each record of the file locator, if there is one
    the card may leave the field
    mandatory data, kind of cryptogram, processing restrictions, offline data authentication,
    cardholder verification by the CTQ, outcome

Offline data authentication (fDDA) comes in by the `authenticator` argument. Without one it counts as
not performed, and nothing is approved offline: a transaction certificate goes online if the CTQ says
so for failed authentication and the reader can, to the contact chip if both say so, else it is
declined. The TTQ then does not announce it either. Issuer update processing (5.10) and magnetic stripe
mode are not there and not announced.

Where the public sources of C-3 differ, the choice is named at the function that makes it.

Spec: EMV Contactless Book C-3 2.5, 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from enum import Enum, auto
from typing import Any, Protocol

from emv import c3_decision, commands, dol, tlv
from emv.c3_decision import Decision, Verdict
from emv.c3_options import C3Options
from emv.candidates import printable
from emv.card_data import CardData
from emv.errors import DecodeError, KernelMisuseError
from emv.fields import Afl, AflRecord, Ttq
from emv.formats import decode_n
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
    understood,
)
from emv.oda import OdaResult
from emv.outcome import (
    CvmResult,
    Interface,
    MessageId,
    Outcome,
    OutcomeKind,
    Start,
    UiRequest,
    UiStatus,
    end_application,
    try_again,
)
from emv.sensitive import SensitiveBytes, Track2
from emv.tags import Tag
from emv.terminal_data import terminal_data

KERNEL = 3

_MANDATORY = (Tag.AIP, Tag.ATC, Tag.ISSUER_APPLICATION_DATA, Tag.CRYPTOGRAM, Tag.TRACK_2, Tag.DF_NAME)
"""What the card must have given. Spec: C-3, 5.4.2.1."""
_CHECKED = (
    *(*_MANDATORY, Tag.PAN, Tag.CID, Tag.CTQ, Tag.EXPIRATION_DATE, Tag.PAN_SEQUENCE, Tag.USAGE_CONTROL),
    *(Tag.ISSUER_COUNTRY, Tag.FORM_FACTOR, Tag.MERCHANT_CUSTOM_DATA, Tag.AVAILABLE_OFFLINE_SPENDING),
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


class Authenticator(Protocol):
    """Offline data authentication, as the kernel asks for it.

    `static_data` is the content of the records that the file locator marks, one after another, or None
    if one of them can't take part.
    """

    def __call__(
        self, card: CardData, static_data: SensitiveBytes | None, terminal: Mapping[int, bytes], /
    ) -> OdaResult:
        """Say what authentication comes to. It must not raise."""
        ...


class KernelState(Enum):
    """Where the kernel is."""

    IDLE = auto()
    WAITING_FOR_OPTIONS = auto()
    """GET PROCESSING OPTIONS is out."""
    READING_RECORDS = auto()
    COMPLETED = auto()


_Step = tuple[KernelState, Actions]


class KernelC3:
    """One activation of kernel 3."""

    def __init__(self, activation: Activation, authenticator: Authenticator | None = None) -> None:
        self.state = KernelState.IDLE
        self._activation = activation
        self._authenticator = authenticator
        self._options = activation.options(C3Options)
        self._ttq = activation.indicators.ttq or Ttq.EMV_MODE
        self._ttq &= ~(Ttq.ISSUER_UPDATE | Ttq.MAGSTRIPE_MODE)
        if authenticator is None:
            self._ttq &= ~Ttq.ODA_FOR_ONLINE
        self._card = CardData()
        self._terminal: dict[int, bytes] = {}
        self._static_data: list[SensitiveBytes] | None = []
        self._records: Iterator[AflRecord] = iter(())
        self._reading: AflRecord
        self._transaction: Transaction

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
        try:
            self.state, actions = step(self, event)
        except DecodeError as error:
            self.state, actions = self._complete(end_application(f"the card's data is in error: {error}"))
        return actions

    def _begin(self, event: Begin) -> _Step:
        """Ask the card for its processing options. Spec: C-3, 5.2.1."""
        self._transaction = event.transaction
        activation = self._activation
        self._terminal = terminal_data(
            activation.config, event.transaction, aid=activation.aid, ttq=self._ttq
        )
        self._card.add(tlv.decode(activation.fci.reveal()), tlv.Duplicates.FIRST)
        pdol = dol.decode(self._card.get(Tag.PDOL) or b"")
        command = commands.get_processing_options(dol.fill(pdol, self._terminal))
        return KernelState.WAITING_FOR_OPTIONS, (SendCommand(command),)

    def _options_came(self, event: CardAnswered) -> _Step:
        """Take the answer to GET PROCESSING OPTIONS. Spec: C-3, 5.2.2."""
        if not event.rapdu.ok:
            return self._complete(_refused(int(event.rapdu.sw)))
        self._card.add(_options(event.rapdu.data))
        self._records = Afl.decode(self._card.get(Tag.AFL) or b"").records()
        return self._read_next()

    def _read_next(self) -> _Step:
        record = next(self._records, None)
        if record is None:
            return self._decide()
        self._reading = record
        command = commands.read_record(record.sfi, record.record)
        return KernelState.READING_RECORDS, (SendCommand(command),)

    def _record_came(self, event: CardAnswered) -> _Step:
        """Take one record. Files 11 to 30 are the card's own and only part of ODA. Spec: C-3, 5.3."""
        if not event.rapdu.ok:
            reason = f"READ RECORD {self._reading.record} of file {self._reading.sfi}: {event.rapdu.sw}"
            return self._complete(end_application(reason))
        if self._reading.sfi <= 10:
            record = tlv.decode(event.rapdu.data)
            if len(record) != 1 or record[0][0] != Tag.RECORD_TEMPLATE:
                raise DecodeError("a record is not one template 70")
            self._card.add(record)
        self._collect(event.rapdu.data)
        return self._read_next()

    def _collect(self, record: bytes) -> None:
        """Keep a record for offline data authentication. Spec: EMV 4.4 Book 3, 10.3."""
        if not self._reading.signed or self._static_data is None:
            return
        if self._reading.sfi <= 10:
            _, start = tlv.read_tag(record, 0)
            start += 1 if record[start] < 0x80 else record[start] - 0x7F
            self._static_data.append(SensitiveBytes(record[start:]))
        elif record[:1] == b"\x70":
            self._static_data.append(SensitiveBytes(record))
        else:
            self._static_data = None

    def _lost(self, event: CardLost) -> _Step:
        return self._complete(try_again("the card left the field before it was read"))

    # The card is read: what comes of it?

    def _decide(self) -> _Step:
        card = self._card
        missing = [tag for tag in _MANDATORY if tag not in card]
        if missing:
            names = ", ".join(f"{tag:02X}" for tag in missing)
            return self._complete(end_application(f"the card did not give {names}"))
        card.check_lengths(_CHECKED, KERNEL)
        track2 = Track2(card[Tag.TRACK_2])
        c3_decision.check_pan(card, track2)
        decision = c3_decision.decide(
            card=card,
            transaction=self._transaction,
            terminal=self._terminal,
            ttq=self._ttq,
            options=self._options,
            authenticate=self._authenticate,
        )
        outcome = replace(self._outcome(decision), pan=track2.pan, label=self._label())
        read = UiRequest(MessageId.CARD_READ_OK, UiStatus.CARD_READ_OK, language=self._language())
        state, actions = self._complete(outcome)
        return state, (ShowMessage(read), *actions)

    def _authenticate(self) -> OdaResult:
        if self._authenticator is None:
            return OdaResult.NOT_PERFORMED
        kept = self._static_data
        joined = None if kept is None else SensitiveBytes(b"".join(part.reveal() for part in kept))
        return self._authenticator(self._card, joined, self._terminal)

    def _outcome(self, decision: Decision) -> Outcome:
        """Return the outcome with its parameters. Spec: C-3, 5.8 and 5.9."""
        verdict, cvm = decision.verdict, decision.cvm
        if verdict is Verdict.SWITCH_INTERFACE:
            return _try_contact(decision.reason, decision.message)
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
            data_record=self._data_record(cvm),
        )

    def _shows(self, message: MessageId, status: UiStatus) -> UiRequest:
        """Return a request in the cardholder's language, with the balance where that is wanted.

        Spec: C-3, 4.3.1.1.
        """
        request = UiRequest(message, status, language=self._language())
        balance = self._card.get(Tag.AVAILABLE_OFFLINE_SPENDING)
        if balance is None or not self._options.show_offline_balance:
            return request
        return replace(request, balance_minor=decode_n(balance), currency=self._transaction.currency)

    def _data_record(self, cvm: CvmResult) -> SensitiveBytes:
        values = {int(tag): self._card[tag] for tag in _RECORD_FROM_CARD if tag in self._card}
        values |= {int(tag): self._terminal[tag] for tag in _RECORD_FROM_TERMINAL if tag in self._terminal}
        form_factor = values.get(Tag.FORM_FACTOR)
        if form_factor is not None and len(form_factor) == 4:
            # C-3, 4.1.1.1: the payment technology in the last four bits is not passed on.
            values[Tag.FORM_FACTOR] = form_factor[:3] + bytes((form_factor[3] & 0xF0,))
        results = c3_decision.CVM_RESULTS.get(cvm)
        if results:
            values[Tag.CVM_RESULTS] = results
        return SensitiveBytes(tlv.encode(values.items()))

    def _language(self) -> str:
        value = self._card.get(Tag.LANGUAGE_PREFERENCE) or b""
        text = printable(value).lower()
        return text if text.isascii() and text.isalpha() and len(text) % 2 == 0 else ""

    def _label(self) -> str:
        """Return the application's name: the preferred one if its alphabet is ours.

        Spec: EMV 4.4 Book 1, 12.4.
        """
        preferred = self._card.get(Tag.PREFERRED_NAME)
        if preferred and self._card.get(Tag.ISSUER_CODE_TABLE) == b"\x01":
            return printable(preferred)
        return printable(self._card.get(Tag.APPLICATION_LABEL) or b"")

    def _complete(self, outcome: Outcome) -> _Step:
        return KernelState.COMPLETED, (Complete(outcome),)


def _options(data: bytes) -> tuple[tlv.Tlv, ...]:
    """Return the data objects in the answer to GET PROCESSING OPTIONS, format 1 or 2.

    Spec: EMV 4.4 Book 3, 6.5.8.4.
    """
    objects = tlv.decode(data)
    if len(objects) != 1:
        raise DecodeError("processing options are not one template")
    tag, value = objects[0]
    if tag == Tag.RESPONSE_FORMAT_2 and isinstance(value, tuple):
        return value
    if tag != Tag.RESPONSE_FORMAT_1 or not isinstance(value, bytes) or len(value) < 2:
        raise DecodeError("processing options in an unknown format", tag=tag)
    return (int(Tag.AIP), value[:2]), (int(Tag.AFL), value[2:])


def _refused(sw: int) -> Outcome:
    """Return what a status word other than 9000 to GET PROCESSING OPTIONS leads to.

    6986 means that the phone wants its owner first. Public sources agree on 6984 and 6985 and differ on
    6986; we take the outcome with "See phone" that C-3 has for consumer devices.

    Spec: C-3, 5.2.2.2.
    """
    reason = f"GET PROCESSING OPTIONS: {sw:04X}"
    if sw == 0x6984:
        return _try_contact(reason, MessageId.INSERT_CARD)
    if sw == 0x6985:
        return Outcome(kind=OutcomeKind.SELECT_NEXT, reason=reason, start=Start.C)
    if sw == 0x6986:
        return Outcome(
            kind=OutcomeKind.TRY_AGAIN,
            reason=reason,
            start=Start.B,
            ui_on_outcome=UiRequest(MessageId.SEE_PHONE, UiStatus.ERROR, hold_ms=1300),
            ui_on_restart=UiRequest(MessageId.TRY_AGAIN, UiStatus.READY_TO_READ),
            field_off_ms=1300,
        )
    return end_application(reason)


def _try_contact(reason: str, message: MessageId) -> Outcome:
    return Outcome(
        kind=OutcomeKind.TRY_ANOTHER_INTERFACE,
        reason=reason,
        ui_on_outcome=UiRequest(message, UiStatus.ERROR),
        alternate_interface=Interface.CONTACT_CHIP
        if message is MessageId.INSERT_CARD
        else Interface.NOT_APPLICABLE,
    )


TRANSITIONS: Mapping[KernelState, Mapping[type, Callable[[KernelC3, Any], _Step]]] = {
    KernelState.IDLE: {Begin: KernelC3._begin},
    KernelState.WAITING_FOR_OPTIONS: {CardAnswered: KernelC3._options_came, CardLost: KernelC3._lost},
    KernelState.READING_RECORDS: {CardAnswered: KernelC3._record_came, CardLost: KernelC3._lost},
    KernelState.COMPLETED: {},
}
"""What each state takes, and what it does."""
