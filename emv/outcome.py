"""What a tap comes to, and what the reader shows.

Spec: EMV Contactless Book A 2.5, 6 (Outcomes) and 9 (User Interface Requests).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from emv.evidence import Evidence
from emv.finding import Finding
from emv.sensitive import Pan, SensitiveBytes


class OutcomeKind(Enum):
    """Book A, table 6-1. The value is for logs."""

    SELECT_NEXT = "select next"
    """Between kernel and Entry Point only: another application of the card is to be tried."""
    TRY_AGAIN = "try again"
    """The card is to be presented again."""
    APPROVED = "approved"
    """Approved offline, after offline data authentication."""
    DECLINED = "declined"
    ONLINE_REQUEST = "online request"
    """The issuer decides: `data_record` goes to the host."""
    TRY_ANOTHER_INTERFACE = "try another interface"
    END_APPLICATION = "end application"
    """No application of this card can be used here: try another card."""


class Start(Enum):
    """Where Entry Point goes on after an outcome."""

    A = "A"
    """Pre-processing."""
    B = "B"
    """Protocol activation: the card is presented anew."""
    C = "C"
    """Combination selection."""
    D = "D"
    """Kernel activation."""
    NOT_APPLICABLE = "N/A"


class CvmResult(Enum):
    """How the cardholder is verified."""

    NONE = "no CVM"
    SIGNATURE = "signature"
    ONLINE_PIN = "online PIN"
    CONFIRMED_BY_DEVICE = "confirmed by the device"
    """Confirmation Code Verified: the phone or watch has verified its owner."""
    NOT_APPLICABLE = "N/A"


class Interface(Enum):
    """Which other interface the card asks for."""

    CONTACT_CHIP = "contact chip"
    MAGNETIC_STRIPE = "magnetic stripe"
    NOT_APPLICABLE = "N/A"


class OnlineResponse(Enum):
    """Which response of the issuer makes Entry Point start again."""

    EMV_DATA = "EMV data"
    """Only one with issuer authentication data or a script (91, 71, 72)."""
    ANY = "any"
    NOT_APPLICABLE = "N/A"


class MessageId(IntEnum):
    """Book A, table 9-3: what the display says. Texts are the display's business."""

    APPROVED = 0x03
    DECLINED = 0x07
    ENTER_PIN = 0x09
    PROCESSING_ERROR = 0x0F
    REMOVE_CARD = 0x10
    WELCOME = 0x14
    PRESENT_CARD = 0x15
    PROCESSING = 0x16
    CARD_READ_OK = 0x17
    INSERT_OR_SWIPE_CARD = 0x18
    PRESENT_ONE_CARD = 0x19
    APPROVED_SIGN = 0x1A
    AUTHORISING = 0x1B
    TRY_ANOTHER_CARD = 0x1C
    INSERT_CARD = 0x1D
    CLEAR_DISPLAY = 0x1E
    SEE_PHONE = 0x20
    TRY_AGAIN = 0x21
    """Present the card again."""


class UiStatus(Enum):
    """Book A, table 9-4: what lights and sounds say."""

    NOT_READY = "not ready"
    IDLE = "idle"
    READY_TO_READ = "ready to read"
    PROCESSING = "processing"
    CARD_READ_OK = "card read successfully"
    ERROR = "processing error"


@dataclass(frozen=True, slots=True)
class UiRequest:
    """One request to display, lights and sounder.

    Args:
        message: What to say.
        status: What lights and sounder do.
        hold_ms: How long it stays at least, in milliseconds.
        language: The card's language preference (5F2D, such as "deen"), empty if it has none.
        balance_minor: An offline balance to show, in minor units, or None.
        currency: Numeric currency code of the balance.
    """

    message: MessageId
    status: UiStatus
    hold_ms: int = 0
    language: str = ""
    balance_minor: int | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of a kernel's or of Entry Point's work.

    Args:
        kind: What was decided.
        reason: Why, in words for the technician, without card data.
        start: Where Entry Point starts again, after an online response or a card presented again.
        online_response: Which online response leads back to `start`.
        cvm: How the cardholder is verified.
        ui_on_outcome: What is shown now. Entry Point has asked for it when the outcome is complete.
        ui_on_restart: What is shown when Entry Point starts again.
        alternate_interface: Which interface to use instead, for TRY_ANOTHER_INTERFACE.
        receipt: Whether a receipt is to be given.
        field_off_ms: How long the field goes off, or None to leave it on.
        removal_timeout_ms: How long to wait for the card's removal before going on; 0 not to wait. One of
            Book A's outcome parameters, which Entry Point hands on; no kernel here sets it.
        kernel_id: The kernel that decided, 0 if it was Entry Point.
        aid: The application selected, empty before that. It is no secret.
        label: The application's name for the receipt.
        pan: The card number, when the card gave it.
        data_record: BER-TLV for the host: what DE55 needs, and 57, 5A and 5F34.
        discretionary_data: BER-TLV that is not part of the authorisation.
        evidence: What the decision rests on; None where no kernel was reached.
        findings: What our own checks found, beside the scheme's rules.
        scheme_kind: The scheme's verdict where ours is stricter, else None.
    """

    kind: OutcomeKind
    reason: str
    start: Start = Start.NOT_APPLICABLE
    online_response: OnlineResponse = OnlineResponse.NOT_APPLICABLE
    cvm: CvmResult = CvmResult.NOT_APPLICABLE
    ui_on_outcome: UiRequest | None = None
    ui_on_restart: UiRequest | None = None
    alternate_interface: Interface = Interface.NOT_APPLICABLE
    receipt: bool = False
    field_off_ms: int | None = None
    removal_timeout_ms: int = 0
    kernel_id: int = 0
    aid: bytes = b""
    label: str = ""
    pan: Pan | None = None
    data_record: SensitiveBytes | None = None
    discretionary_data: SensitiveBytes | None = None
    evidence: Evidence | None = None
    findings: tuple[Finding, ...] = ()
    scheme_kind: OutcomeKind | None = None


def try_again(reason: str) -> Outcome:
    """Return the outcome for a card that left the field or broke the protocol: present it again.

    Spec: EMV Contactless Book B, 3.3.3.7; Book A, 6.2.
    """
    again = UiRequest(MessageId.TRY_AGAIN, UiStatus.READY_TO_READ)
    return Outcome(
        kind=OutcomeKind.TRY_AGAIN,
        reason=reason,
        start=Start.B,
        ui_on_outcome=UiRequest(MessageId.TRY_AGAIN, UiStatus.ERROR),
        ui_on_restart=again,
    )


def end_application(reason: str) -> Outcome:
    """Return the outcome for a card whose answer can't be used: insert, swipe or try another card.

    Spec: EMV Contactless Book C-3, 5.2.2.2 and 5.4.2.
    """
    return Outcome(
        kind=OutcomeKind.END_APPLICATION,
        reason=reason,
        ui_on_outcome=UiRequest(MessageId.TRY_ANOTHER_CARD, UiStatus.ERROR),
    )


def select_next(reason: str) -> Outcome:
    """Return the outcome that lets Entry Point try the card's next application. Nothing is shown."""
    return Outcome(kind=OutcomeKind.SELECT_NEXT, reason=reason, start=Start.C)


def try_contact(reason: str) -> Outcome:
    """Return the outcome that asks for the card to be inserted."""
    return Outcome(
        kind=OutcomeKind.TRY_ANOTHER_INTERFACE,
        reason=reason,
        ui_on_outcome=UiRequest(MessageId.INSERT_CARD, UiStatus.ERROR),
        alternate_interface=Interface.CONTACT_CHIP,
    )


def refused(command: str, sw: int) -> Outcome:
    """Return what a status word other than 9000 leads to, where the kernel's book has no other way.

    6984 sends the card to its chip, 6985 to its next application, and 6986 means that the phone wants its
    owner first. Public sources agree on 6984 and 6985 and differ on 6986; we take the outcome with "See
    phone" that C-3 and C-5 have for consumer devices. One public kernel 7 sends every other status word to
    the contact chip; we end the application as C-3 does.

    Spec: EMV Contactless Book C-3, 5.2.2.2; Book C-5, 5.8.1.5 and 5.8.1.6.
    """
    reason = f"{command}: {sw:04X}"
    if sw == 0x6984:
        return try_contact(reason)
    if sw == 0x6985:
        return select_next(reason)
    if sw == 0x6986:
        return Outcome(
            kind=OutcomeKind.TRY_AGAIN,
            reason=reason,
            start=Start.B,
            ui_on_outcome=UiRequest(MessageId.SEE_PHONE, UiStatus.ERROR, hold_ms=_SEE_PHONE_MS),
            ui_on_restart=UiRequest(MessageId.TRY_AGAIN, UiStatus.READY_TO_READ),
            field_off_ms=_SEE_PHONE_MS,
        )
    return end_application(reason)


_SEE_PHONE_MS = 1300
"""How long the field is off while the customer looks at the phone."""
