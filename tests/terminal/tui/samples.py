"""Views of a made-up counter: every phase and every outcome, for tests and pictures."""

from __future__ import annotations

from dataclasses import replace

from terminal.money import Money
from terminal.present_order import SIGN
from terminal.view import (
    CounterView,
    DeviceView,
    LightPattern,
    Outcome,
    PaymentLine,
    Phase,
    QrView,
    QueueView,
    ResultView,
)

ALIPAY_TEXT = "https://qr.alipay.com/bax03431ljhokirwl38f00a7"
MPM_TEXT = (
    "00020101021226580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-426655440000520400005303986540512.50"
    "5802BR5913Corner Market6008BRASILIA62070503***6304ABCD0000000000000"
)
"""As long as the merchant-presented codes measured: 165 bytes."""

EUR_ZERO = Money(0, "EUR")
AMOUNT = Money(1250, "EUR")

READY_DEVICES = (
    DeviceView("pcsc:ACS ACR122U", "reader", "ready", "ACS ACR122U PICC", ""),
    DeviceView("camera:0", "scanner", "ready", "HD Webcam", ""),
)
FAILED_DEVICES = (
    DeviceView("pcsc:ACS ACR122U", "reader", "ready", "ACS ACR122U PICC", ""),
    DeviceView(
        "serial-scanner:/dev/ttyACM0",
        "scanner",
        "unavailable",
        "no permission for /dev/ttyACM0",
        "sudo usermod -aG dialout till",
    ),
)

QUIET_QUEUE = QueueView(0, 0, 0, 0, EUR_ZERO, 0, EUR_ZERO, 20, Money(50000, "EUR"), Money(5000, "EUR"), "")
FULL_QUEUE = QueueView(
    unsent=9,
    oldest_s=47 * 60,
    quarantined=1,
    approved_count=0,
    approved_total=EUR_ZERO,
    deferred_count=17,
    deferred_total=Money(50000, "EUR"),
    limit_count=20,
    limit_total=Money(50000, "EUR"),
    limit_each=Money(5000, "EUR"),
    alarm="disk full: no offline approvals",
)
WAITING_QUEUE = replace(
    QUIET_QUEUE, unsent=3, oldest_s=260, deferred_count=2, deferred_total=Money(3750, "EUR")
)

PAYMENTS = (
    PaymentLine("1041", "18:58", Money(2390, "EUR"), "Card", Outcome.APPROVED, ""),
    PaymentLine("1040", "18:56", Money(875, "EUR"), "Alipay", Outcome.APPROVED, "late"),
    PaymentLine(
        *("1039", "18:55", Money(3100, "EUR"), "Card", Outcome.APPROVED_OFFLINE, "waits for host"),
        deferred=True,
    ),
    PaymentLine("1038", "18:51", Money(129900, "EUR"), "Card", Outcome.DECLINED, "HOST DECLINED"),
    PaymentLine("1037", "18:47", Money(640, "EUR"), "Card", Outcome.UNKNOWN, "being resolved"),
    PaymentLine("1036", "18:44", Money(1520, "EUR"), "Alipay", Outcome.APPROVED, ""),
)

IDLE = CounterView(
    phase=Phase.IDLE,
    shop="Corner Market",
    terminal_id="T-0001",
    training=True,
    amount=EUR_ZERO,
    order="",
    prompt="Type the amount",
    lights=LightPattern.IDLE,
    online=True,
    network="",
    offline_mode="prefer online",
    qr=None,
    result=None,
    devices=READY_DEVICES,
    queue=QUIET_QUEUE,
    payments=PAYMENTS,
    notices=(),
)

_PROMPTS: dict[Phase, tuple[str, LightPattern]] = {
    Phase.STARTING: ("Resolving what an earlier run left open", LightPattern.OFF),
    Phase.IDLE: ("Type the amount", LightPattern.IDLE),
    Phase.ARMED: ("Card, phone or code, please", LightPattern.READY),
    Phase.READING: ("Hold the card still", LightPattern.READY),
    Phase.CARD_READ: ("Card read, it may be removed", LightPattern.CARD_READ),
    Phase.ASKING: ("Asking the bank …", LightPattern.CARD_READ),
    Phase.CUSTOMER_CONFIRMS: ("The customer confirms on the phone", LightPattern.OFF),
    Phase.SHOWING_QR: ("The customer scans the code", LightPattern.OFF),
    Phase.REVERSING: ("Undoing the payment, please wait", LightPattern.OFF),
    Phase.DONE: ("", LightPattern.OFF),
}

_RESULTS: dict[str, tuple[Outcome, bool, str, str]] = {
    "approved": (Outcome.APPROVED, False, "APPROVED", "The bank has approved. Hand over the goods."),
    "signature": (Outcome.APPROVED, False, "APPROVED", "Paid. Ask for a signature."),
    "approved-offline": (
        Outcome.APPROVED_OFFLINE,
        False,
        "APPROVED OFFLINE",
        "Paid. Ask for a signature. The card itself has approved; the bank only books it.",
    ),
    "deferred": (
        Outcome.APPROVED_OFFLINE,
        True,
        "TAKEN OFFLINE",
        "Taken at the shop's risk: the bank is asked when the network is back, and may say no.",
    ),
    "declined": (Outcome.DECLINED, False, "DECLINED", "Not paid: the bank said no (51)."),
    "cancelled": (Outcome.DECLINED, False, "CANCELLED", "Not paid: cancelled at the terminal."),
    "not-paid": (Outcome.DECLINED, False, "NOT PAID", "Not paid: the code has expired."),
    "unknown": (
        Outcome.UNKNOWN,
        False,
        "DO NOT CHARGE AGAIN",
        "The money may have been taken. The terminal goes on asking; the answer comes as a notice.",
    ),
}
RESULT_NAMES = tuple(_RESULTS)


def in_phase(phase: Phase, amount: Money = AMOUNT) -> CounterView:
    """Return the counter in a phase without a result."""
    prompt, lights = _PROMPTS[phase]
    idle = phase in (Phase.IDLE, Phase.STARTING)
    return replace(
        IDLE,
        phase=phase,
        prompt=prompt,
        lights=lights,
        amount=Money(0, amount.currency) if idle else amount,
        order="" if idle else "RIV-1042",
    )


def with_result(name: str, amount: Money = AMOUNT) -> CounterView:
    """Return the counter with one of the results of `RESULT_NAMES`."""
    outcome, deferred, headline, detail = _RESULTS[name]
    receipt = (
        "         Corner Market",
        "      SIMULATED – NO MONEY",
        "--------------------------------",
        "Terminal T-0001   Order RIV-1042",
        "2025-11-21 18:59:04",
        "",
        f"TOTAL {amount.format('en_GB'):>26}",
        "Visa           ************0119",
        "AID            A0000000031010",
        f"{headline:^32}",
        "--------------------------------",
        "Record 87   head 4f1c9a02",
    )
    emphasis = SIGN if SIGN in detail else ""
    result = ResultView(outcome, amount, headline, detail, "RIV-1042", "Card", deferred, receipt, emphasis)
    return replace(in_phase(Phase.DONE, amount), result=result)


def showing_qr(text: str, seconds_left: int = 74, lifetime_s: int = 120) -> CounterView:
    """Return the counter while it shows a code."""
    return replace(in_phase(Phase.SHOWING_QR), qr=QrView(text, "Alipay", seconds_left, lifetime_s))


def offline(view: CounterView) -> CounterView:
    """Return the same view without a network."""
    return replace(
        view, online=False, network="host refuses the connection (127.0.0.1:8443)", queue=WAITING_QUEUE
    )
