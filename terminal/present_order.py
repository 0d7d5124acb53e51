"""What is on the counter now: the order in hand, as the cashier's screen shows it."""

from __future__ import annotations

from emv.outcome import CvmResult, UiRequest, UiStatus
from terminal.money import Money
from terminal.payment.arming import Arming
from terminal.payment.attempt_events import (
    Result,
    State,
)
from terminal.payment.headline import headline
from terminal.payment.runner import AttemptRunner
from terminal.receipt.receipt import Receipt
from terminal.view import LightPattern, Outcome, Phase, QrView, ResultView

_LIGHTS = {
    UiStatus.NOT_READY: LightPattern.OFF,
    UiStatus.IDLE: LightPattern.IDLE,
    UiStatus.READY_TO_READ: LightPattern.READY,
    UiStatus.PROCESSING: LightPattern.READY,
    UiStatus.CARD_READ_OK: LightPattern.CARD_READ,
    UiStatus.ERROR: LightPattern.ERROR,
}
_READING = {UiStatus.PROCESSING: Phase.READING, UiStatus.CARD_READ_OK: Phase.CARD_READ}
_TAKEN = (Outcome.APPROVED, Outcome.APPROVED_OFFLINE)
_UNDOING = (State.SAVING_REVERSAL, State.REVERSING, State.RETRYING)
_WAITING = (State.WAITING, State.QUERYING)

SIGN = "Ask for a signature."

_PROMPTS = {
    Phase.STARTING: "Starting",
    Phase.IDLE: "Type the amount",
    Phase.ARMED: "Tap card or phone, or show code",
    Phase.READING: "Reading: hold the card still",
    Phase.CARD_READ: "Card read: it may be removed",
    Phase.ASKING: "Asking the host",
    Phase.CUSTOMER_CONFIRMS: "Customer confirms on the phone",
    Phase.SHOWING_QR: "Customer scans the code",
    Phase.REVERSING: "Undoing the payment",
    Phase.DONE: "Next customer",
}


class PresentOrder:
    """The order in hand. With no amount and no runner there is none.

    Attributes:
        runner: The attempt under way, or the one whose result is shown.
        arming: What waits for the customer, while something does.
        words: What replaces the usual prompt while the terminal waits, such as "Present card again".
    """

    def __init__(self, amount: Money) -> None:
        self.amount = amount
        self.runner: AttemptRunner | None = None
        self.arming: Arming | None = None
        self.result: ResultView | None = None
        self.lights = LightPattern.IDLE
        self.words = ""
        self.taken = False
        """Whether something has been presented to pay with: the next thing is not for this attempt."""
        self._reading: Phase | None = None

    @property
    def waits(self) -> bool:
        """Tell whether nothing has been presented yet and no card is being read."""
        return self.phase() is Phase.ARMED and not self.taken

    def reader_shows(self, request: UiRequest, words: str) -> None:
        """Take over what a reader asks lights and screen to show."""
        # A card that is to come again counts as not read, whatever its kernel has got of it.
        status = UiStatus.ERROR if words and request.status is UiStatus.CARD_READ_OK else request.status
        # The four lights stay while the host is asked: the card may still be removed.
        if status is not UiStatus.NOT_READY or self.lights is not LightPattern.CARD_READ:
            self.lights = _LIGHTS[status]
        # What went wrong stays on the screen while the card is waited for again.
        self.words = words or (self.words if status is UiStatus.READY_TO_READ else "")
        self._reading = _READING.get(status)

    def disarm(self) -> None:
        """Stop waiting for the customer."""
        if self.arming is not None:
            self.arming.stop()
            self.arming = None
        if self.lights is not LightPattern.CARD_READ:
            self.lights = LightPattern.OFF
        self._reading = None

    def finish(self, result: ResultView) -> None:
        """Show an outcome."""
        self.disarm()
        self.result = result
        self.lights = LightPattern.IDLE

    def phase(self) -> Phase:
        """Return where the order stands."""
        if self.result is not None:
            return Phase.DONE
        if self.runner is None:
            return Phase.IDLE
        state = self.runner.attempt.state
        if state is State.ARMED:
            return self._reading or Phase.ARMED
        if state in _UNDOING:
            return Phase.REVERSING
        if state in _WAITING:
            return self.runner.channel.pending
        return Phase.ASKING

    def prompt(self) -> str:
        """Return what cashier or customer is to do now."""
        phase = self.phase()
        if self.words and phase in (Phase.ARMED, Phase.READING, Phase.CARD_READ):
            return self.words
        return _PROMPTS[phase]

    def qr(self, now_s: float) -> QrView | None:
        """Return the code to show; *now_s* is on the event loop's clock."""
        runner = self.runner
        if runner is None or not runner.qr or self.result is not None or runner.attempt.state not in _WAITING:
            return None
        left = max(0, int(runner.expires_at - now_s + 0.999))
        return QrView(runner.qr, runner.channel.label, left, int(runner.channel.plan.lifetime_s))


def result_view(runner: AttemptRunner, result: Result, receipt: Receipt) -> ResultView:
    """Return an outcome as the screen shows it."""
    facts = runner.case.instrument.summary if runner.case.instrument else {}
    signature = facts.get("cvm") == CvmResult.SIGNATURE.value and result.outcome in _TAKEN
    return ResultView(
        outcome=result.outcome,
        amount=runner.case.amount,
        headline=headline(result),
        detail=_detail(result, f"{SIGN} " if signature else ""),
        order=runner.case.order,
        channel=runner.channel.label,
        deferred=result.deferred,
        receipt=receipt.lines(),
        emphasis=SIGN if signature else "",
        pages=receipt.pages(),
        reprint=receipt.pages(reprint=True),
    )


def _detail(result: Result, sign: str) -> str:
    """Return what to tell the cashier; `sign` asks for a signature where the customer has to give one."""
    if result.deferred:
        risk = "Taken at the shop's risk: the bank is asked when the network is back, and may say no."
        return f"{sign}{risk}"
    if result.by_card:
        return f"Paid. {sign}The card itself has approved; the bank only books it."
    if result.outcome is Outcome.UNKNOWN:
        return "The money may have been taken. The terminal goes on asking; the answer comes as a notice."
    if result.outcome is Outcome.APPROVED:
        return "Paid after the code had expired." if result.late else f"Paid. {sign}".rstrip()
    return f"Not paid: {result.reason or 'declined'}."
