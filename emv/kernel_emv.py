"""The flow that kernels 4 and 5 share: EMV over contactless, with one GENERATE AC.

The way through:

    GET PROCESSING OPTIONS with the PDOL's data
    READ RECORD for each record of the file locator
    GET DATA for the transaction counters, if the card has limits for offline payments in a row
    INTERNAL AUTHENTICATE, if the card is authenticated by DDA
    offline data authentication, processing restrictions, cardholder verification, risk management,
    action analysis: all into the TVR, and out of it the cryptogram to ask for
    GENERATE AC, asking for a signature with it (CDA) if card and terminal have that
    outcome

The card may leave after GENERATE AC: an online answer does not come back to it (partial online). There
is no second GENERATE AC, no issuer authentication and no script; delayed authorisation, torn transaction
recovery, magnetic stripe mode and the transaction certificate hash (97, 98) are not there.

Nothing is approved offline without CDA: SDA is passed by a copy of a card, and DDA signs neither amount nor
cryptogram. For such cards an online cryptogram is asked for in place of an approval; EMV itself leaves that
to the action codes. The PIN try counter (9F17) is not asked for: a contactless card is never sent a PIN.

A kernel on top is a subclass: a number, and the few methods that its book has otherwise.

Spec: EMV 4.4 Book 3, 10; Book 4, 6.3; EMV Contactless Book A, 6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum, auto
from typing import Any, ClassVar

from emv import card_texts, commands, cryptogram, cvm, dol, emv_outcome, oda, tlv
from emv.action_analysis import (
    ActionCodes,
    analyse,
    issuer_action_codes,
    offline_capable,
    online_capable,
)
from emv.card_data import CardData
from emv.commands import Cryptogram
from emv.cvm import CvmDecision, CvmMethods
from emv.emv_options import EmvOptions
from emv.errors import DecodeError
from emv.evidence import Evidence
from emv.fields import Aip, Cid, Tsi, Tvr, take
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
from emv.oda import NO_ODA, CardKey, OdaMethod, OdaReport, OdaResult
from emv.outcome import CvmResult, Outcome, OutcomeKind, end_application, refused, try_again
from emv.records import RecordReader, processing_options
from emv.restrictions import check_restrictions
from emv.risk import RandomSelection, manage_risk, wants_counters
from emv.tags import Tag
from emv.terminal_data import terminal_data

_CHECKED = (
    *(Tag.AIP, Tag.PAN, Tag.TRACK_2, Tag.EXPIRATION_DATE, Tag.EFFECTIVE_DATE, Tag.PAN_SEQUENCE),
    *(Tag.CID, Tag.ATC, Tag.CRYPTOGRAM, Tag.ISSUER_APPLICATION_DATA, Tag.ISSUER_COUNTRY, Tag.CA_KEY_INDEX),
)
"""What is used here, and so must have a possible length."""

_RANK = {Cryptogram.AAC: 0, Cryptogram.ARQC: 1, Cryptogram.TC: 2}
"""A card may answer with less than it was asked for, never with more. Spec: EMV 4.4 Book 3, 6.5.5.4."""

_ODA_FAILED = {
    OdaMethod.SDA: Tvr.SDA_FAILED,
    OdaMethod.DDA: Tvr.DDA_FAILED,
    OdaMethod.CDA: Tvr.CDA_FAILED,
}


class EmvState(Enum):
    """Where the kernel is."""

    IDLE = auto()
    WAITING_FOR_OPTIONS = auto()
    """GET PROCESSING OPTIONS is out."""
    READING_RECORDS = auto()
    READING_COUNTERS = auto()
    """GET DATA is out, for one of the transaction counters."""
    AUTHENTICATING = auto()
    """INTERNAL AUTHENTICATE is out."""
    WAITING_FOR_CRYPTOGRAM = auto()
    """GENERATE AC is out."""
    COMPLETED = auto()


_Step = tuple[EmvState, Actions]


class KernelEmv:
    """One activation of a kernel with the shared flow."""

    NUMBER: ClassVar[int] = 0
    VERIFIED: ClassVar[bool] = False
    """Whether the kernel's own rules were checked against its book or against cards."""
    UNVERIFIED_BECAUSE: ClassVar[str] = "it is EMV's common flow without the rules of any scheme"
    """Why not, in words for a screen or trace."""

    MANDATORY: ClassVar[tuple[Tag, ...]] = (Tag.PAN, Tag.EXPIRATION_DATE, Tag.CDOL1, Tag.CDOL2)
    """What the records must have given. Spec: EMV 4.4 Book 3, 7.2."""
    TAC: ClassVar[ActionCodes] = ActionCodes(
        denial=Tvr.SERVICE_NOT_ALLOWED, online=Tvr(0xFFFFFFFFFF), default=Tvr(0xFFFFFFFFFF)
    )
    """Terminal action codes where the configuration has none."""

    def __init__(self, activation: Activation) -> None:
        self.state = EmvState.IDLE
        self._activation = activation
        self._options = activation.options(EmvOptions)
        self._capabilities = self._options.capabilities or activation.config.capabilities
        self._card = CardData()
        self._terminal: dict[int, bytes] = {}
        self._records = RecordReader(b"", self._card)
        self._counters: dict[int, bytes | None] = {}
        self._aip = Aip(0)
        self._tvr, self._tsi = Tvr(0), Tsi(0)
        self._pdol_data = self._ddol_data = self._cdol_data = b""
        self._oda = NO_ODA
        self._method = OdaMethod.NONE
        self._card_key = CardKey(None, NO_ODA)
        self._cvm = CvmDecision(results=cvm.NOT_PERFORMED, cvm=CvmResult.NOT_APPLICABLE)
        self._asked = Cryptogram.AAC
        self._transaction: Transaction

    def handle(self, event: Event) -> Actions:
        """Consume one event and return what the caller must do next, in order.

        Raises:
            KernelMisuseError: the event has no place in this state. Nothing has changed.
        """
        return advance(self, TRANSITIONS, event)

    # What a kernel's book may have otherwise

    def prepare(self) -> None:
        """Add the kernel's own data to the terminal's, before the PDOL is filled."""

    def check_mode(self) -> Outcome | None:
        """Return an outcome if the card's profile (AIP) does not serve this kernel."""
        return None

    def check_card(self) -> Outcome | None:
        """Return an outcome if what the records say ends the transaction here."""
        return None

    def verify_cardholder(self) -> CvmDecision:
        """Return how the cardholder is verified, before GENERATE AC.

        An amount below the combination's limit needs no verification, and the list is not looked at. A
        combination without a limit always looks.
        """
        if not self.cvm_required:
            return NO_CVM
        return cvm.select_cvm(
            self._card,
            self._terminal,
            transaction=self._transaction,
            supported=CvmMethods.of_capabilities(self._capabilities),
        )

    def verified_cardholder(self) -> CvmDecision | None:
        """Return the same after GENERATE AC, or None if verification is required and there is none."""
        return self._cvm

    def options_refused(self, sw: int) -> Outcome:
        """Return the outcome of a status word other than 9000 to GET PROCESSING OPTIONS."""
        return refused("GET PROCESSING OPTIONS", sw)

    def record_refused(self, position: str, sw: int) -> Outcome:
        """Return the outcome of a status word other than 9000 to READ RECORD."""
        return end_application(f"READ RECORD, {position}: {sw:04X}")

    def cryptogram_refused(self, sw: int) -> Outcome:
        """Return the outcome of a status word other than 9000 to GENERATE AC."""
        return refused("GENERATE AC", sw)

    @property
    def cvm_required(self) -> bool:
        """Whether the amount reaches the limit for cardholder verification, or there is no limit."""
        return (
            self._activation.indicators.cvm_limit_exceeded or self._activation.combination.cvm_limit is None
        )

    @property
    def floor_limit(self) -> int | None:
        """The limit that risk management compares with, in minor units."""
        row = self._activation.combination
        return row.terminal_floor_limit if row.floor_limit is None else row.floor_limit

    # The steps

    def _begin(self, event: Begin) -> _Step:
        """Ask the card for its processing options. Spec: EMV 4.4 Book 3, 10.1."""
        self._transaction = event.transaction
        activation = self._activation
        self._terminal = terminal_data(
            activation.config, event.transaction, aid=activation.aid, ttq=activation.indicators.ttq
        )
        self._terminal[Tag.TERMINAL_CAPABILITIES] = self._capabilities
        self._terminal[Tag.VERSION_TERMINAL] = self._options.application_version
        self._terminal[Tag.CVM_RESULTS] = self._cvm.results
        self.prepare()
        self._card.add(tlv.decode(activation.fci.reveal()), tlv.Duplicates.FIRST)
        pdol = dol.decode(self._card.get(Tag.PDOL) or b"")
        self._pdol_data = dol.fill(pdol, self.told())
        command = commands.get_processing_options(self._pdol_data)
        return EmvState.WAITING_FOR_OPTIONS, (SendCommand(command),)

    def told(self) -> Mapping[int, bytes]:
        """Return the terminal's data as a DOL of the card gets it."""
        return self._terminal

    def _options_came(self, event: CardAnswered) -> _Step:
        if not event.rapdu.ok:
            return self.end(self.options_refused(int(event.rapdu.sw)))
        self._card.add(processing_options(event.rapdu.data))
        self._aip = take(Aip, self._card.get(Tag.AIP) or b"", 2, Tag.AIP)
        stopped = self.check_mode()
        if stopped:
            return self.end(stopped)
        self._records = RecordReader(self._card.get(Tag.AFL) or b"", self._card)
        return self._read_next()

    def _read_next(self) -> _Step:
        command = self._records.command()
        if command:
            return EmvState.READING_RECORDS, (SendCommand(command),)
        missing = [tag for tag in self.MANDATORY if tag not in self._card]
        if missing:
            names = ", ".join(f"{tag:02X}" for tag in missing)
            return self.end(end_application(f"the card did not give {names}"))
        self._card.check_lengths(_CHECKED, self.NUMBER)
        stopped = self.check_card()
        if stopped:
            return self.end(stopped)
        if wants_counters(self._card.get(Tag.LOWER_OFFLINE_LIMIT), self._card.get(Tag.UPPER_OFFLINE_LIMIT)):
            return self._read_counter(Tag.ATC)
        return self._authenticate()

    def _record_came(self, event: CardAnswered) -> _Step:
        if not event.rapdu.ok:
            return self.end(self.record_refused(self._records.position, int(event.rapdu.sw)))
        self._records.answered(event.rapdu.data)
        return self._read_next()

    def _read_counter(self, tag: Tag) -> _Step:
        self._counters[tag] = None
        return EmvState.READING_COUNTERS, (SendCommand(commands.get_data(tag)),)

    def _counter_came(self, event: CardAnswered) -> _Step:
        """Take a counter; a card that does not give it goes on without. Spec: EMV 4.4 Book 3, 10.6.3."""
        asked = Tag.LAST_ONLINE_ATC if Tag.LAST_ONLINE_ATC in self._counters else Tag.ATC
        if event.rapdu.ok:
            self._counters[asked] = tlv.find_bytes(tlv.decode(event.rapdu.data), asked)
        return self._read_counter(Tag.LAST_ONLINE_ATC) if asked is Tag.ATC else self._authenticate()

    def _authenticate(self) -> _Step:
        """Begin offline data authentication. Spec: EMV 4.4 Book 3, 10.3."""
        keys = self._activation.config.ca_keys
        self._method = oda.supported_method(self._aip, self._capabilities[2], ca_keys=keys)
        static = self._records.static.value(self._card)
        if self._method is OdaMethod.CDA:
            self._card_key = oda.recover_card_key(self._card, static, **self._chain())
            if self._card_key.key is None:
                self._authenticated(self._card_key.report)
        elif self._method is OdaMethod.SDA:
            self._authenticated(oda.authenticate_sda(self._card, static, **self._chain()))
        elif self._method is OdaMethod.DDA:
            return self._challenge()
        else:
            why = "card and terminal have no method in common" if keys else "the terminal has no scheme keys"
            self._oda = OdaReport(reason=why)
            self._tvr |= Tvr.ODA_NOT_PERFORMED
        return self._generate()

    def _chain(self) -> dict[str, Any]:
        activation = self._activation
        return {
            "rid": activation.aid[:5],
            "ca_keys": activation.config.ca_keys,
            "date": self._transaction.date,
        }

    def _challenge(self) -> _Step:
        """Ask the card to sign the DDOL's data. Spec: EMV 4.4 Book 2, 6.5.1."""
        entries = dol.decode(self._card.get(Tag.DDOL) or self._options.default_ddol)
        if not any(entry.tag == Tag.UNPREDICTABLE_NUMBER for entry in entries):
            reason = "the list of what the card signs has no unpredictable number"
            self._authenticated(OdaReport(method=OdaMethod.DDA, result=OdaResult.FAILED, reason=reason))
            return self._generate()
        self._ddol_data = dol.fill(entries, self.told())
        command = commands.internal_authenticate(self._ddol_data)
        return EmvState.AUTHENTICATING, (SendCommand(command),)

    def _signature_came(self, event: CardAnswered) -> _Step:
        """Take the answer to INTERNAL AUTHENTICATE. Spec: EMV 4.4 Book 3, 6.5.9.4."""
        signed = _dynamic_signature(event.rapdu.data) if event.rapdu.ok else None
        if signed is None:
            reason = f"INTERNAL AUTHENTICATE: {event.rapdu.sw}, or no signature in it"
            report = OdaReport(method=OdaMethod.DDA, result=OdaResult.FAILED, reason=reason)
        else:
            static = self._records.static.value(self._card)
            report = oda.authenticate_dda(self._card, static, signed, self._ddol_data, **self._chain())
        self._authenticated(report)
        return self._generate()

    def _authenticated(self, report: OdaReport) -> None:
        """Put the result of authentication into TVR, TSI and the data for the card."""
        self._oda = report
        self._tsi |= Tsi.ODA_PERFORMED
        if report.method is OdaMethod.SDA:
            self._tvr |= Tvr.SDA_SELECTED
        if not report.succeeded:
            self._tvr |= _ODA_FAILED[report.method]
        if report.missing:
            self._tvr |= Tvr.ICC_DATA_MISSING
        if report.data_authentication_code:
            self._terminal[Tag.DATA_AUTHENTICATION_CODE] = report.data_authentication_code
        if report.dynamic_number:
            self._terminal[Tag.ICC_DYNAMIC_NUMBER] = report.dynamic_number

    def _generate(self) -> _Step:
        """Decide, and ask for the cryptogram that it comes to. Spec: EMV 4.4 Book 3, 10.4 to 10.8."""
        self._tvr |= check_restrictions(self._card, self._terminal, self._transaction)
        self._cvm = self.verify_cardholder()
        self._tvr |= self._cvm.tvr | self._manage_risk()
        self._tsi |= self._cvm.tsi | Tsi.TERMINAL_RISK_MANAGEMENT_PERFORMED
        self._asked = self.analyse()
        self._note()
        self._cdol_data = dol.fill(dol.decode(self._card[Tag.CDOL1]), self.told())
        command = commands.generate_ac(self._asked, self._cdol_data, cda=self._wants_signature)
        return EmvState.WAITING_FOR_CRYPTOGRAM, (SendCommand(command),)

    def _manage_risk(self) -> Tvr:
        options, background = self._options, self._activation.background
        tvr = manage_risk(
            self._card,
            amount_minor=self._transaction.amount_minor,
            limit_minor=self.floor_limit,
            selection=RandomSelection(
                target_percent=options.random_target_percent,
                maximum_percent=options.random_maximum_percent,
                threshold_minor=options.random_threshold,
            ),
            random_percent=self._transaction.random_percent,
            atc=self._counters.get(Tag.ATC),
            last_online_atc=self._counters.get(Tag.LAST_ONLINE_ATC),
            exceptions=background.exceptions,
            payments=background.payments,
        )
        # Of a foreign currency only pre-processing knows that no limit can be compared with it.
        return tvr | Tvr.FLOOR_LIMIT_EXCEEDED if self._activation.indicators.floor_limit_exceeded else tvr

    def analyse(self) -> Cryptogram:
        """Return the cryptogram to ask for.

        Our rule beside the action codes: a payment of nothing, a status check and a card on the exception
        file are the issuer's to approve.

        Spec: EMV 4.4 Book 3, 10.7.
        """
        terminal_type, indicators = self._activation.config.terminal_type, self._activation.indicators
        for_issuer = (
            indicators.status_check_requested
            or indicators.zero_amount
            or bool(self._tvr & Tvr.ON_EXCEPTION_FILE)
        )
        return analyse(
            self._tvr,
            tac=self._action_codes(),
            iac=issuer_action_codes(self._card),
            online_capable=online_capable(terminal_type),
            offline_capable=offline_capable(terminal_type)
            and self._can_be_genuine
            and not for_issuer
            and self._cvm.cvm is not CvmResult.ONLINE_PIN,
        )

    def _action_codes(self) -> ActionCodes:
        options = self._options

        def code(value: bytes, default: Tvr) -> Tvr:
            return Tvr.from_bytes(value, "big") if value else default

        return ActionCodes(
            denial=code(options.tac_denial, self.TAC.denial),
            online=code(options.tac_online, self.TAC.online),
            default=code(options.tac_default, self.TAC.default),
        )

    @property
    def _can_be_genuine(self) -> bool:
        """Whether the card can still prove, with its cryptogram, that it is genuine and agrees."""
        return self._method is OdaMethod.CDA and self._card_key.key is not None

    @property
    def _wants_signature(self) -> bool:
        return self._card_key.key is not None and self._asked is not Cryptogram.AAC

    def _cryptogram_came(self, event: CardAnswered) -> _Step:
        """Take the cryptogram. Spec: EMV 4.4 Book 3, 6.5.5.4 and 10.8; Book 2, 6.6."""
        if not event.rapdu.ok:
            return self.end(self.cryptogram_refused(int(event.rapdu.sw)))
        self._card.add(cryptogram.generated(event.rapdu.data))
        missing = [tag for tag in (Tag.CID, Tag.ATC) if tag not in self._card]
        if missing:
            names = ", ".join(f"{tag:02X}" for tag in missing)
            return self.end(end_application(f"the card's cryptogram came without {names}"))
        self._card.check_lengths(_CHECKED, self.NUMBER)
        kind = Cid.decode(self._card[Tag.CID]).cryptogram
        self._tsi |= Tsi.CARD_RISK_MANAGEMENT_PERFORMED
        outcome = self._conclude(kind, event.rapdu.data)
        if outcome.kind is OutcomeKind.END_APPLICATION:
            return self.end(outcome)
        state, actions = self.end(outcome)
        return state, (ShowMessage(emv_outcome.card_read(self._card)), *actions)

    def _conclude(self, kind: Cryptogram | None, answer: bytes) -> Outcome:
        """Return what the cryptogram comes to. Spec: EMV 4.4 Book 3, 10.8; Book 4, 6.3.7."""
        card = self._card
        if kind is None or _RANK[kind] > _RANK[self._asked]:
            return emv_outcome.declined("the card answered with more than it was asked for", card)
        if kind is Cryptogram.AAC:
            return emv_outcome.declined("the card declined", card)
        if self._wants_signature:
            self._check_signature(answer)
            if not self._oda.succeeded:
                return emv_outcome.declined(f"offline data authentication failed: {self._oda.reason}", card)
        if Tag.CRYPTOGRAM not in card:
            return end_application("the card gave no cryptogram")
        decision = self.verified_cardholder()
        if decision is None:
            return emv_outcome.declined("cardholder verification is required, and no method is common", card)
        self._cvm = decision
        self._note()
        if kind is Cryptogram.ARQC:
            if not online_capable(self._activation.config.terminal_type):
                return emv_outcome.declined(
                    "the card asks for the issuer, and the terminal is offline only", card
                )
            return emv_outcome.online("the issuer decides", card, self._terminal, decision.cvm)
        if not self._oda.succeeded or self._oda.method is not OdaMethod.CDA:
            return emv_outcome.declined("the card did not prove that it is genuine", card)
        if decision.cvm is CvmResult.ONLINE_PIN:
            return emv_outcome.declined(
                "the card approved, but its owner's PIN is the issuer's to verify", card
            )
        reason = "approved by the card, which proved to be genuine"
        return emv_outcome.approved(reason, card, self._terminal, decision.cvm)

    def _check_signature(self, answer: bytes) -> None:
        """Check the signature with the cryptogram, and take the cryptogram out of it."""
        signed = self._card.get(Tag.SIGNED_DYNAMIC_DATA)
        if signed is None:
            reason = "the card gave no signature with its cryptogram"
            report = OdaReport(method=OdaMethod.CDA, result=OdaResult.FAILED, reason=reason)
        else:
            report = oda.authenticate_cda(
                self._card_key,
                signed,
                unpredictable_number=self._terminal[Tag.UNPREDICTABLE_NUMBER],
                cid=self._card[Tag.CID][0],
                transaction_data=self._pdol_data + self._cdol_data + oda.without_signature(answer),
            )
        self._authenticated(report)
        if report.succeeded:
            # A second, unsigned cryptogram beside the signed one is refused as a repeated data object.
            self._card.add(((int(Tag.CRYPTOGRAM), report.cryptogram),))

    def _note(self) -> None:
        """Write what was found out into the data for the card and the host."""
        self._terminal[Tag.TVR] = self._tvr.to_bytes(5, "big")
        self._terminal[Tag.TSI] = self._tsi.to_bytes(2, "big")
        self._terminal[Tag.CVM_RESULTS] = self._cvm.results

    def _lost(self, event: CardLost) -> _Step:
        return self.end(try_again("the card left the field before it was read"))

    def end(self, outcome: Outcome) -> _Step:
        """Return the step to the last state, with what the outcome rests on."""
        self._note()
        evidence = Evidence(card=self._card, terminal=dict(self._terminal), oda=self._oda)
        try:
            pan = emv_outcome.number(self._card)
        except DecodeError:
            pan = None
        label = card_texts.label(self._card)
        return EmvState.COMPLETED, (Complete(replace(outcome, pan=pan, label=label, evidence=evidence)),)


NO_CVM = CvmDecision(results=bytes.fromhex("1F0002"), cvm=CvmResult.NONE)
"""No verification is needed. Public sources of C-3 and C-5 report it to the host as 1F0002."""


def _dynamic_signature(data: bytes) -> bytes | None:
    """Return the signature in the answer to INTERNAL AUTHENTICATE, format 1 or 2, or None.

    Spec: EMV 4.4 Book 3, 6.5.9.4.
    """
    objects = tlv.decode(data)
    if len(objects) != 1:
        return None
    tag, value = objects[0]
    if tag == Tag.RESPONSE_FORMAT_1 and isinstance(value, bytes):
        return value
    return tlv.find_bytes(objects, Tag.RESPONSE_FORMAT_2, Tag.SIGNED_DYNAMIC_DATA)


TRANSITIONS: Mapping[EmvState, Mapping[type, Callable[[KernelEmv, Any], _Step]]] = {
    EmvState.IDLE: {Begin: KernelEmv._begin},
    EmvState.WAITING_FOR_OPTIONS: {CardAnswered: KernelEmv._options_came, CardLost: KernelEmv._lost},
    EmvState.READING_RECORDS: {CardAnswered: KernelEmv._record_came, CardLost: KernelEmv._lost},
    EmvState.READING_COUNTERS: {CardAnswered: KernelEmv._counter_came, CardLost: KernelEmv._lost},
    EmvState.AUTHENTICATING: {CardAnswered: KernelEmv._signature_came, CardLost: KernelEmv._lost},
    EmvState.WAITING_FOR_CRYPTOGRAM: {
        CardAnswered: KernelEmv._cryptogram_came,
        CardLost: KernelEmv._lost,
    },
    EmvState.COMPLETED: {},
}
"""What each state takes, and what it does."""
