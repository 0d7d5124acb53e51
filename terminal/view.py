"""What a screen shows: one frozen picture of the counter, made anew at every change.

The counter (`terminal.counter`) publishes it, screens draw it, the headless mode prints it.
Nothing here is secret: card numbers are masked before they arrive.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from drivers.page import Page
from terminal.money import Money


class Phase(StrEnum):
    """Where the counter stands with the present order."""

    STARTING = "starting"
    """Resolving what an earlier run left open; no order can be taken yet."""
    IDLE = "idle"
    """No order. Waiting for an amount."""
    ARMED = "armed"
    """An amount is set; readers and scanners wait for the customer."""
    READING = "reading"
    """A card is in the field and being read: it must stay."""
    CARD_READ = "card read"
    """The card may be removed. This is not an approval."""
    ASKING = "asking"
    """The host or wallet has been asked."""
    CUSTOMER_CONFIRMS = "customer confirms"
    """The wallet waits for its user, who types a password on the phone."""
    SHOWING_QR = "showing QR"
    """The customer is to scan the code that this terminal shows."""
    REVERSING = "reversing"
    """The attempt is being undone; its result is not known yet."""
    DONE = "done"
    """There is an outcome."""


class Outcome(StrEnum):
    """The four results that an attempt can have."""

    APPROVED = "approved"
    APPROVED_OFFLINE = "approved offline"
    DECLINED = "declined"
    UNKNOWN = "unknown"


class LightPattern(StrEnum):
    """The four contactless lights.

    Spec: EMV Contactless Book A 2.11, 9 (User Interface Requests).
    """

    OFF = "off"
    IDLE = "idle"
    """First light blinks: switched on, no payment."""
    READY = "ready"
    """First light steady: present the card."""
    CARD_READ = "card read"
    """All four steady and a beep: the card may be removed. Not an approval."""
    ERROR = "error"
    """All off and the error tone: the card was not read."""


@dataclass(frozen=True, slots=True)
class QrView:
    """The code that the customer is to scan, and how long it still counts."""

    text: str
    wallet: str
    seconds_left: int
    lifetime_s: int


@dataclass(frozen=True, slots=True)
class ResultView:
    """An outcome as it is shown, with its reason in words and the receipt's text."""

    outcome: Outcome
    amount: Money
    headline: str
    """At most 24 characters, such as ``APPROVED`` or ``DO NOT CHARGE AGAIN``."""
    detail: str
    """One sentence for the cashier: why, and what to do now."""
    order: str
    channel: str
    deferred: bool
    """Taken without an answer from the host, at the merchant's risk (only with APPROVED_OFFLINE)."""
    receipt: tuple[str, ...]
    """Lines of at most 32 characters."""
    emphasis: str = ""
    """The part of `detail` that must not be missed; may be empty."""
    pages: tuple[Page, ...] = ()
    """The receipt for a printer: the customer's copy, behind the merchant's where that has to be signed."""
    reprint: tuple[Page, ...] = ()
    """The same, marked as printed before."""


@dataclass(frozen=True, slots=True)
class DeviceView:
    """One device's line."""

    address: str
    kind: str
    """``reader``, ``scanner``, ``printer``, ``display`` or ``sounder``."""
    state: str
    """``ready``, ``busy``, ``opening``, ``unavailable`` or ``stuck``."""
    text: str
    """Its name when it works, else the reason."""
    cure: str
    """What cures it, empty when it works."""


@dataclass(frozen=True, slots=True)
class QueueView:
    """The offline queue in figures."""

    unsent: int
    oldest_s: int
    quarantined: int
    deferred_count: int
    """Payments that nobody has approved yet, and that wait for the host."""
    deferred_total: Money
    approved_count: int
    """Payments that their cards approved offline, and that wait for the host. The limits are for both."""
    approved_total: Money
    limit_count: int
    limit_total: Money
    limit_each: Money
    alarm: str
    """Why the queue can't be used or delivered, in words; empty when all is well."""


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """One line of today's list: an order and what became of it."""

    order: str
    time: str
    amount: Money
    channel: str
    outcome: Outcome
    note: str
    """Such as ``waits for host``, ``card approved``, ``late``, ``being resolved``; may be empty."""
    attempt: str = ""
    """The key of the attempt that decided it."""
    deferred: bool = False
    """Taken offline, and approved by nobody yet."""


@dataclass(frozen=True, slots=True)
class CounterView:
    """Everything a cashier's screen needs, at one moment."""

    phase: Phase
    shop: str
    terminal_id: str
    training: bool
    """Simulated or test hosts only: the screen says so."""
    amount: Money
    """The order's amount; zero in IDLE."""
    order: str
    prompt: str
    """What the cashier or customer is to do now, in at most 40 characters."""
    lights: LightPattern
    online: bool
    network: str
    """Why the host can't be reached, in words; empty when it can."""
    offline_mode: str
    """``prefer online``, ``require online`` or ``force offline``."""
    qr: QrView | None
    result: ResultView | None
    devices: tuple[DeviceView, ...]
    queue: QueueView
    payments: tuple[PaymentLine, ...]
    """Newest first, at most 20."""
    notices: tuple[str, ...]
    """Things that happened apart from the present order (late paid, resolved after restart), newest first."""
    attempt: str = ""
    """The key of the present attempt, for support; it names the payment at every host."""
    locale: str = "en_GB"
    """How amounts are written."""
