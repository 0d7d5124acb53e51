"""A tap, from the card's arrival to the kernel's outcome, all on the reader's thread.

Nothing is sent to a host here, so a card that leaves in the middle costs nothing: it is presented
again under the same attempt.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from drivers.abilities import Signal, Signals
from drivers.errors import (
    CardLostError,
    DeviceError,
    DeviceTimeoutError,
    SeveralCardsError,
    TransmissionError,
)
from drivers.protocols import MAX_WAIT_S, Card, ContactlessReader
from emv.apdu import CommandApdu, Exchange
from emv.background import Background
from emv.commands import Cryptogram
from emv.config import EmvConfig
from emv.entry_point import EntryPoint
from emv.errors import DecodeError
from emv.evidence import Evidence
from emv.fields import Cid, Tvr
from emv.kernel import Begin, CardAnswered, CardLost, Complete, Event, SendCommand, ShowMessage, Transaction
from emv.oda import NO_ODA, OdaMethod, OdaResult
from emv.outcome import CvmResult, MessageId, Outcome, OutcomeKind, UiRequest, UiStatus
from emv.sensitive import SensitiveBytes
from emv.tags import Tag
from emv.trace import render
from offline_queue.summary import looks_like_card_number
from terminal.devices.worker import Lease
from terminal.log import TRAFFIC
from terminal.payment.instrument import Instrument
from terminal.payment.tap_trace import TapLog, TapTrace, TracedCommand

logger = logging.getLogger(__name__)

APDU_TIMEOUT_S = 2.0
"""For how long a card may take for one command, in seconds."""

AGAIN_S = 0.25
"""The shortest time from one presentation to the next, in seconds."""

UNPROVED = "the card could not prove that it is genuine"
SEE_PHONE = "See the phone: unlock it, then tap again"
ONE_CARD = "Several cards: hold one alone to the reader"

_FINAL = {OutcomeKind.APPROVED, OutcomeKind.DECLINED, OutcomeKind.ONLINE_REQUEST}

_SIGNALS = {
    UiStatus.READY_TO_READ: Signal.READY,
    UiStatus.CARD_READ_OK: Signal.CARD_READ,
    UiStatus.ERROR: Signal.ERROR,
}
"""What a reader's own lights and buzzer show of Book A's statuses."""

_PROVE_THE_PAYMENT = {OdaMethod.CDA, OdaMethod.FDDA}
"""Methods by which a card signs something of this payment. Static data, which SDA signs, can be copied."""

_SCHEMES = {2: "Mastercard", 3: "Visa", 4: "American Express", 5: "JCB", 6: "Discover", 7: "UnionPay"}
"""The scheme by the kernel that decided, for receipts."""


@dataclass(frozen=True, slots=True)
class Tapped:
    """What a tap came to: the kernel's outcome and how the time was spent, in milliseconds."""

    outcome: Outcome
    card_ms: float
    total_ms: float


@dataclass(frozen=True, slots=True)
class _Exchange:
    """One command as it went over the wire."""

    capdu: SensitiveBytes
    rapdu: SensitiveBytes
    elapsed_ns: int


class Tap:
    """Waits for cards until one gives a final outcome or the lease ends.

    Args:
        config: What the terminal takes.
        transaction: Gives a new transaction, with a new unpredictable number, for each presentation.
        show: Called on the reader's thread with what lights, screen and sound are to do.
        background: What the terminal remembers of earlier taps; it lives longer than this one.
        taps: Is told of each presentation once it is over.
    """

    def __init__(
        self,
        config: EmvConfig,
        transaction: Callable[[], Transaction],
        show: Callable[[UiRequest, str], None],
        background: Background | None = None,
        taps: TapLog | None = None,
    ) -> None:
        self._config = config
        self._transaction = transaction
        self._show = show
        self._background = Background() if background is None else background
        self._taps = taps
        self._card_s = 0.0
        self._exchanges: list[_Exchange] = []
        self._reader: ContactlessReader | None = None
        self.began = False
        """Whether a reader has ever looked for a card for it."""
        self._signalled: Signal | None = None

    def run(self, reader: ContactlessReader, lease: Lease) -> Tapped | None:
        """Do the tap. Returns None where the lease ended before there was a final outcome."""
        self._reader = reader
        self.began = True
        try:
            return self._run(reader, lease)
        finally:
            self._signal(Signal.IDLE)

    def _run(self, reader: ContactlessReader, lease: Lease) -> Tapped | None:
        while not lease.stop.is_set():
            self._tell(UiRequest(MessageId.PRESENT_CARD, UiStatus.READY_TO_READ), "")
            card = self._wait_for_card(reader, lease)
            if card is None:
                return None
            began = time.perf_counter()
            outcome = self.present(card, lease.beat)
            self._remember(reader, card, outcome, time.perf_counter() - began)
            for found in outcome.findings:
                logger.warning("check %s (%s): %s", found.check, found.response.value, found.words)
            if outcome.kind in _FINAL:
                total_ms = (time.perf_counter() - began) * 1000
                return Tapped(outcome, self._card_s * 1000, total_ms)
            logger.info("tap ended without a payment: %s (%s)", outcome.kind.value, outcome.reason)
            if outcome.kind is OutcomeKind.TRY_AGAIN and not _see_phone(outcome):
                # A card that stays and fails each time must not be tried without a pause.
                lease.stop.wait(max(0.0, AGAIN_S - (time.perf_counter() - began)))
            else:
                # A phone is taken away to be unlocked; until then it would be refused again and again.
                wait_for_removal(reader, lease)
        return None

    def _tell(self, request: UiRequest, words: str) -> None:
        """Show it on the screen, and by the reader's own lights and buzzer."""
        self._show(request, words)
        if (signal := _SIGNALS.get(request.status)) is not None:
            self._signal(signal)

    def _signal(self, signal: Signal) -> None:
        """Set the reader's lights, once for each change. They are of use, but no payment fails for them."""
        if signal is self._signalled or not isinstance(self._reader, Signals):
            return
        self._signalled = signal
        try:
            self._reader.signal(signal)
        except DeviceError as error:
            logger.info("lights: %s", error)
        except Exception:
            logger.exception("the driver of %s failed to set its lights", self._reader.address)

    def _wait_for_card(self, reader: ContactlessReader, lease: Lease) -> Card | None:
        told = False
        while not lease.stop.is_set():
            lease.beat()
            try:
                card = reader.wait_for_card(lease.stop, timeout_s=MAX_WAIT_S)
            except SeveralCardsError:
                if not told:
                    self._tell(UiRequest(MessageId.PRESENT_ONE_CARD, UiStatus.READY_TO_READ), ONE_CARD)
                told = True
                lease.stop.wait(AGAIN_S)
                continue
            if card is not None:
                return card
        return None

    def _remember(self, reader: ContactlessReader, card: Card, outcome: Outcome, total_s: float) -> None:
        """Keep the tap for technicians. The card has answered: its outcome counts, whatever fails here."""
        if self._taps is not None:
            try:
                self._taps.add(self._trace(reader, card, outcome, total_s))
            except Exception:
                logger.exception("a tap could not be remembered")

    def _trace(self, reader: ContactlessReader, card: Card, outcome: Outcome, total_s: float) -> TapTrace:
        """Render the tap for technicians. Masking it takes longer than the tap: it is done afterwards."""
        return TapTrace(
            when=datetime.now().astimezone(),
            reader=str(reader.address),
            identification=card.identification.hex().upper(),
            commands=tuple(
                TracedCommand(render(each.capdu.reveal(), each.rapdu.reveal()), each.elapsed_ns / 1e6)
                for each in self._exchanges
            ),
            outcome=outcome.kind.value,
            reason=outcome.reason,
            card_ms=self._card_s * 1000,
            total_ms=total_s * 1000,
        )

    def present(self, card: Card, beat: Callable[[], None]) -> Outcome:
        """Do one presentation of a card, and give the card back to its reader."""
        self._card_s = 0.0
        self._exchanges = []

        def transceive(capdu: bytes) -> tuple[bytes, int]:
            beat()
            began_ns = time.perf_counter_ns()
            rapdu = SensitiveBytes(card.transceive(capdu, timeout_s=APDU_TIMEOUT_S))
            elapsed_ns = time.perf_counter_ns() - began_ns
            self._card_s += elapsed_ns / 1e9
            self._exchanges.append(_Exchange(SensitiveBytes(capdu), rapdu, elapsed_ns))
            if logger.isEnabledFor(TRAFFIC):
                logger.log(TRAFFIC, "%s", render(capdu, rapdu.reveal()))
            return rapdu.reveal(), elapsed_ns // 1000

        self._tell(UiRequest(MessageId.PROCESSING, UiStatus.PROCESSING), "")
        entry_point = EntryPoint(self._config, background=self._background)
        try:
            return converse(entry_point, Begin(self._transaction()), transceive, self._tell)
        finally:
            try:
                card.release()
            except Exception:
                # Promised not to happen; the card's answer counts all the same.
                logger.exception("the card could not be given back")


def converse(
    entry_point: EntryPoint,
    begin: Begin,
    transceive: Callable[[bytes], tuple[bytes, int | None]],
    show: Callable[[UiRequest, str], None],
) -> Outcome:
    """Take one card from `begin` to its outcome.

    Args:
        entry_point: A new one. It does not look for cards by itself.
        begin: The payment.
        transceive: Sends a command; gives the answer and how long it took, in microseconds, or None
            where nobody measured. Raises what a reader raises when the card is lost.
        show: Called with what lights, screen and sound are to do, and words where the standard has none.
    """
    event: Event = begin
    while True:
        actions = entry_point.handle(event)
        words = _words(actions[-1].outcome) if isinstance(actions[-1], Complete) else ""
        for action in actions:
            if isinstance(action, ShowMessage):
                show(action.request, words)
            elif isinstance(action, SendCommand):
                event = _send(transceive, action.command)
            elif isinstance(action, Complete):
                return action.outcome


def _send(
    transceive: Callable[[bytes], tuple[bytes, int | None]], command: CommandApdu
) -> CardAnswered | CardLost:
    """Send one command, with all that chaining and 61xx and 6Cxx make of it.

    The time is that of the card alone, summed up over all parts.
    """
    exchange = Exchange(command)
    capdu: bytes | None = exchange.first()
    elapsed_us: int | None = 0
    try:
        while capdu is not None:
            rapdu, took_us = transceive(capdu)
            elapsed_us = None if elapsed_us is None or took_us is None else elapsed_us + took_us
            capdu = exchange.next(rapdu)
        return CardAnswered(exchange.response, elapsed_us)
    except (CardLostError, DeviceTimeoutError, TransmissionError, DecodeError) as error:
        logger.info("card lost: %s", type(error).__name__)
        return CardLost()


def wait_for_removal(reader: ContactlessReader, lease: Lease) -> None:
    """Wait until the field is empty: a card that stays must not pay the next order."""
    while not lease.stop.is_set():
        lease.beat()
        if reader.wait_for_removal(lease.stop, timeout_s=MAX_WAIT_S):
            return


def _words(outcome: Outcome) -> str:
    """Return what goes with the last message of a tap that is no payment; empty for one that is."""
    if outcome.kind in _FINAL:
        return ""
    if outcome.kind is OutcomeKind.TRY_AGAIN:
        return SEE_PHONE if _see_phone(outcome) else "Present card again"
    if outcome.kind is OutcomeKind.TRY_ANOTHER_INTERFACE:
        return "Card needs its chip: try another card"
    return "Card can't be used here: try another"


def _see_phone(outcome: Outcome) -> bool:
    """Tell whether the phone wants its owner first."""
    requests = (outcome.ui_on_outcome, outcome.ui_on_restart)
    return any(request.message is MessageId.SEE_PHONE for request in requests if request)


def instrument(outcome: Outcome) -> Instrument:
    """Return what a final outcome means for the payment.

    An approval by the card alone is one only if the card has proved to be genuine over this very payment.
    """
    summary = {"scheme": _SCHEMES.get(outcome.kernel_id, "")}
    # The label is the card's own text: one that looks like a card number is not written down.
    if not looks_like_card_number(outcome.label):
        summary["application"] = outcome.label
    if outcome.pan is not None:
        summary["pan"] = outcome.pan.masked()
    if outcome.cvm is not CvmResult.NOT_APPLICABLE:
        summary["cvm"] = outcome.cvm.value
    if outcome.findings:
        summary["checks"] = ", ".join(found.check for found in outcome.findings)
    refusal = _refusal(outcome)
    if refusal or outcome.data_record is None:
        return Instrument(SensitiveBytes(b""), summary, refusal=refusal)
    return Instrument(outcome.data_record, summary, approved=outcome.kind is OutcomeKind.APPROVED)


def _refusal(outcome: Outcome) -> str:
    if outcome.scheme_kind is not None:
        return "this terminal does not trust the card"
    if outcome.kind not in (OutcomeKind.APPROVED, OutcomeKind.ONLINE_REQUEST):
        return _why_declined(outcome)
    if outcome.data_record is None:
        return "the card gave no data for its issuer"
    if outcome.kind is OutcomeKind.APPROVED:
        oda = outcome.evidence.oda if outcome.evidence else NO_ODA
        if not oda.succeeded or oda.method not in _PROVE_THE_PAYMENT:
            return "the card approved offline without proof that it is genuine"
    return ""


def _why_declined(outcome: Outcome) -> str:
    """Return what the cashier can say, by what the terminal has found of the card."""
    if outcome.evidence is not None:
        tvr = Tvr(int.from_bytes(outcome.evidence.terminal.get(Tag.TVR, b""), "big"))
        unproved = tvr & Tvr.ODA_NOT_PERFORMED and not _declined_itself(outcome.evidence)
        for found, words in (
            (outcome.evidence.oda.result is OdaResult.FAILED, UNPROVED),
            (tvr & Tvr.EXPIRED, "the card has expired"),
            (tvr & Tvr.CVM_FAILED, "the card's owner can't be verified here"),
            (unproved, UNPROVED),
        ):
            if found:
                return words
    return "the card declined"


def _declined_itself(evidence: Evidence) -> bool:
    """Tell whether the card's cryptogram says no, rather than approving or asking for the issuer."""
    value = evidence.card.get(Tag.CID)
    return value is not None and len(value) == 1 and Cid.decode(value).cryptogram is Cryptogram.AAC
