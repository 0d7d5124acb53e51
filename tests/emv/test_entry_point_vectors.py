"""The Entry Point cases of the reference vectors, replayed command by command.

They were recorded with a reader around Entry Point. What that reader did by itself is left out of the
comparison: the welcome, its own invitation in autorun, the field, and waiting for a card's removal.
"""

import datetime
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from emv.apdu import ResponseApdu
from emv.config import CombinationConfig, EmvConfig
from emv.entry_point import EntryPoint
from emv.fields import Ttq
from emv.kernel import (
    Action,
    Activation,
    Begin,
    CardAnswered,
    CardFound,
    CardLost,
    Collision,
    Complete,
    Event,
    Restart,
    SendCommand,
    ShowMessage,
    Transaction,
    WaitForCard,
)
from emv.outcome import Outcome, UiRequest, UiStatus
from tests.emv.selection_kernel import CVMS, RESPONSES, SelectionKernel

TYPES = {"purchase": 0x00, "purchase with cashback": 0x09, "cash advance": 0x01, "refund": 0x20}
VARIES = {0x9F37: 4, 0x9F21: 3, 0x9A: 3, 0x9F41: 4}
"""What differs from run to run, and is masked on both sides."""


def settings(setting: dict[str, Any]) -> EmvConfig:
    rows = []
    for group in setting["sets"]:
        config = group["config"]
        for aid, kernel in group["combos"]:
            rows.append(
                CombinationConfig(
                    aid=bytes.fromhex(aid),
                    kernel_id=int(kernel, 16),
                    transaction_types=frozenset(TYPES[name] for name in group["txn_types"]),
                    ttq=Ttq(int(config["ttq"], 16)) if "ttq" in config else None,
                    transaction_limit=config.get("reader_ctls_txn_limit"),
                    floor_limit=config.get("reader_ctls_floor_limit"),
                    terminal_floor_limit=config.get("terminal_floor_limit"),
                    cvm_limit=config.get("reader_cvm_reqd_limit"),
                    status_check=config.get("status_check_support", False),
                    zero_amount_allowed=config.get("zero_amount_allowed", True),
                    extended_selection=config.get("ext_selection_support", False),
                )
            )
    return EmvConfig(
        country="0276",
        currency="0000",
        combinations=tuple(rows),
        terminal_type=0x25,
        capabilities=bytes.fromhex("DEAD22"),
        additional_capabilities=bytes.fromhex("0200000000"),
        merchant_category="3008",
        merchant_id="ACME, Inc.\t",
        merchant_name="ACME Rocket-Powered Products, Inc., Fairfield, New Jersey, US",
        acquirer_id="123456789",
        terminal_id="COUNTER3",
        serial_number="0000FE16",
        pos_entry_mode=0x05,
        extra={0x9F09: bytes.fromhex("0203")},
    )


Item = tuple[Any, ...]


def shown(request: UiRequest) -> Item:
    """Return a request for the screen as one item of a protocol."""
    balance = request.balance_minor is not None
    status = {
        UiStatus.NOT_READY: "Not Ready",
        UiStatus.IDLE: "Idle",
        UiStatus.READY_TO_READ: "Ready to Read",
        UiStatus.PROCESSING: "Processing",
        UiStatus.CARD_READ_OK: "Card Read Successfully",
        UiStatus.ERROR: "Processing Error",
    }[request.status]
    value = (request.balance_minor, request.currency) if balance else None
    return ("ui", f"{int(request.message):02X}", status, request.hold_ms, request.language, value)


def recorded_request(ui: dict[str, Any] | None) -> Item | None:
    """Return a recorded request in the same form."""
    if ui is None:
        return None
    value = (int(ui["value"]), ui["currency"]) if ui["value_qualifier"] != "none" else None
    return ("ui", ui["message"], ui["status"], ui["hold_time"] * 100, ui["language"], value)


def activated(activation: Activation, transaction: Transaction) -> Item:
    """Return a kernel's activation as one item."""
    found = activation.indicators
    kernel = activation.combination.kernel_id
    return (
        "kernel",
        f"{kernel:02X}",
        activation.aid.hex().upper(),
        activation.restart,
        activation.start.value,
        f"{found.ttq or 0:08X}",
        found.status_check_requested,
        found.not_allowed,
        found.zero_amount,
        found.cvm_limit_exceeded,
        found.floor_limit_exceeded,
        transaction.amount_minor,
        transaction.amount_other_minor,
        activation.online_response.hex().upper(),
    )


def recorded_activation(event: dict[str, Any]) -> Item:
    """Return a recorded activation in the same form."""
    names = (
        *("kernel_id", "aid", "restart", "start", "ttq", "status_check_requested"),
        *("contactless_not_allowed", "zero_amount", "cvm_limit_exceeded", "floor_limit_exceeded"),
        *("amount", "other", "online_response"),
    )
    return ("kernel", *(event[name] for name in names))


def finished(outcome: Outcome) -> Item:
    """Return an outcome as one item."""
    codes = {cvm: code for code, cvm in CVMS.items()}
    responses = {response: code for code, response in RESPONSES.items()}
    return (
        "outcome",
        outcome.kind.value.title(),
        outcome.start.value,
        codes[outcome.cvm],
        responses[outcome.online_response],
        outcome.field_off_ms,
        outcome.ui_on_outcome and shown(outcome.ui_on_outcome),
        outcome.ui_on_restart and shown(outcome.ui_on_restart),
    )


def recorded_outcome(event: dict[str, Any]) -> Item:
    """Return a recorded outcome in the same form."""
    return (
        *("outcome", event["outcome"], event["start"], event["cvm"], event["online_response_type"]),
        event["field_off"],
        recorded_request(event.get("ui_outcome")),
        recorded_request(event.get("ui_restart")),
    )


def masked(command: str, kernel: SelectionKernel | None) -> str:
    """Return a command with what varies from run to run as zeros."""
    if kernel is None or not command.startswith("80A8"):
        return command
    data, at = bytearray.fromhex(command), 5
    for entry in kernel.pdol():
        if entry.tag in VARIES:
            data[at : at + entry.length] = bytes(entry.length)
        at += entry.length
    return data.hex().upper()


class Replay:
    """Plays one recorded case; `did` is what Entry Point did, `expected` what was recorded."""

    def __init__(self, case: dict[str, Any], setting: dict[str, Any]) -> None:
        self.autorun: bool = setting["autorun"]["enabled"]
        self.expected: list[Item] = []
        self.did: list[Item] = []
        self.kernel: SelectionKernel | None = None
        self.activations: list[Item] = []
        events: list[dict[str, Any]] = case["events"]
        self.lines = [event for event in events if "c" in event]
        # The recording keeps the answer that was spoilt; that it was shows in the field going on again.
        self.lost = [
            event
            for event, following in pairwise(events)
            if "field_on" in following and event.get("c", "").startswith("00A4")
        ]
        self.restarts = sum("restart" in event for event in events)
        self.collisions = [
            event["ui"]["status"] == "Processing Error"
            for event in events
            if event.get("ui", {}).get("message") == "19"
        ]
        self.transaction = first_transaction(events)
        self.record(events)
        kernels = {int(row[1], 16) for group in setting["sets"] for row in group["combos"]}
        self.entry_point = EntryPoint(settings(setting), dict.fromkeys(kernels, self.activate))

    def record(self, events: list[dict[str, Any]]) -> None:
        """Fill `expected`, without what the reader around Entry Point did."""
        own_invitation, completed = self.autorun, False
        for event in events:
            if "ui" in event:
                message = event["ui"]["message"]
                if message == "15" and own_invitation:
                    own_invitation = False
                elif message != "14" and not (completed and message == "17"):
                    self.expected.append(recorded_request(event["ui"]) or ())
            elif "c" in event:
                self.expected.append(("send", event["c"]))
            elif "kernel_activated" in event:
                self.expected.append(recorded_activation(event["kernel_activated"]))
            elif "final_outcome" in event:
                self.expected.append(recorded_outcome(event["final_outcome"]))
            completed = "final_outcome" in event or (completed and "restart" not in event)

    def activate(self, activation: Activation) -> SelectionKernel:
        self.kernel = SelectionKernel(activation)
        self.activations.append(activated(activation, self.transaction))
        return self.kernel

    def play(self) -> None:
        """Run the case; stops where a command comes that the recording does not have."""
        event: Event | None = Begin(self.transaction, polls=True, preprocess=not self.autorun)
        while event is not None:
            actions = self.entry_point.handle(event)
            self.did += [shown(action.request) for action in actions if isinstance(action, ShowMessage)]
            self.did += self.activations
            self.activations.clear()
            event = self.follow(actions[-1])

    def follow(self, action: Action) -> Event | None:
        if isinstance(action, WaitForCard):
            return Collision(self.collisions.pop(0)) if self.collisions else CardFound()
        if isinstance(action, SendCommand):
            return self.answer(action.command.encode().hex().upper())
        assert isinstance(action, Complete)
        self.did.append(finished(action.outcome))
        if not self.restarts:
            return None
        self.restarts -= 1
        issuer = action.outcome.discretionary_data
        return Restart(issuer.reveal() if issuer else b"")

    def answer(self, command: str) -> Event | None:
        line = self.lines.pop(0) if self.lines else {"c": "", "r": ""}
        self.did.append(("send", masked(command, self.kernel)))
        for at, item in enumerate(self.expected):
            if item == ("send", line["c"]):
                self.expected[at] = ("send", masked(line["c"], self.kernel))
                break
        if any(line is lost for lost in self.lost):
            return CardLost()
        if not line["r"]:
            return None
        return CardAnswered(ResponseApdu.decode(bytes.fromhex(line["r"])))


def first_transaction(events: list[dict[str, Any]]) -> Transaction:
    """Return the payment that was made: as the kernel was told, or as it was typed."""
    start = next((event["kernel_activated"] for event in events if "kernel_activated" in event), None)
    start = start or events[0]["terminal_starts"]
    return Transaction(
        type=TYPES[start["type"]] if "type" in start else 0x00,
        amount_minor=start.get("amount", 10),
        amount_other_minor=start.get("other", 0),
        currency="0000",
        currency_exponent=0,
        date=datetime.date(2026, 11, 21),
        time=datetime.time(0),
        unpredictable_number=bytes(4),
    )


def test_every_recorded_case(vectors: Callable[[str], Any]) -> None:
    data = vectors("entry_point.json")
    wrong = {}
    for case in data["cases"]:
        replay = Replay(case, data["terminal_settings"][case["terminal_setting"]])
        replay.play()
        if replay.did != replay.expected:
            wrong[case["id"]] = (replay.did, replay.expected)
    assert not wrong
    assert len(data["cases"]) >= 160
