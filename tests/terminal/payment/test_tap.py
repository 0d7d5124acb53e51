"""A tap on the simulated reader: from the card's arrival to the kernel's outcome, and what is shown."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import cast

import pytest

from drivers.errors import (
    CardLostError,
    DeviceTimeoutError,
    DeviceUnavailableError,
    Reason,
    TransmissionError,
)
from drivers.protocols import MAX_WAIT_S
from emv.apdu import CommandApdu
from emv.background import Background
from emv.capk import parse_ca_keys
from emv.card_data import CardData
from emv.config import default_config
from emv.entry_point import EntryPoint
from emv.evidence import Evidence
from emv.guard_policy import GuardPolicy, Response
from emv.kernel import Actions, Begin, CardAnswered, Complete, Event, SendCommand
from emv.oda import OdaMethod, OdaReport, OdaResult
from emv.outcome import MessageId, Outcome, OutcomeKind, UiStatus
from emv.sensitive import SensitiveBytes
from simulators import scheme
from simulators.cards import profile
from simulators.cards.visa import Cvm, Personality, VisaCard
from simulators.readers.field import Field
from simulators.readers.in_process import InProcessCard
from terminal.devices.worker import Lease
from terminal.payment import tap
from terminal.payment.tap import AGAIN_S, Tap, Tapped, converse, instrument
from tests.terminal.payment.taps import AGAIN, AUTHORISING, CONFIG, PROCESSING, READ, READY, Counter, Reader

PAN = "4761739001010119"


@pytest.fixture
def reader(field: Field) -> Reader:
    return Reader(field)


@pytest.fixture
def counter() -> Counter:
    return Counter()


def tapped(counter: Counter, reader: Reader) -> Tapped:
    result = counter.tap.run(reader, counter.lease)
    assert result is not None
    return result


def test_a_card_that_is_to_be_authorised(counter: Counter, reader: Reader) -> None:
    reader.field.place(profile.load("visa-approve"))
    result = tapped(counter, reader)
    assert result.outcome.kind is OutcomeKind.ONLINE_REQUEST
    assert counter.shown == [READY, PROCESSING, READ, AUTHORISING]
    assert 0 < result.card_ms < result.total_ms
    assert reader.removals == 0
    assert counter.beats >= 4


CONFIG_WITH_CLAIMS = default_config("156", "156", cvm_limit=0)
GENUINE = [
    *("visa-approve", "visa-approve-cvn18", "visa-issuer-declines", "visa-no-afl", "visa-small-pdol"),
    *("visa-get-response", "visa-wrong-length", "visa-program", "visa-kernel-id", "visa-online-signed"),
]


@pytest.mark.parametrize("name", GENUINE)
def test_every_kind_of_card_brings_a_cryptogram_that_its_issuer_takes(
    name: str, counter: Counter, reader: Reader
) -> None:
    reader.field.place(profile.load(name))
    paying = instrument(tapped(counter, reader).outcome)
    assert scheme.verify_arqc(paying.secret.reveal()).genuine
    assert paying.refusal == ""
    assert paying.summary["scheme"] == "Visa"


def test_what_is_told_in_plain_names_no_card(counter: Counter, reader: Reader) -> None:
    reader.field.place(profile.load("visa-approve"))
    paying = instrument(tapped(counter, reader).outcome)
    assert paying.summary == {
        "scheme": "Visa",
        "application": "VISA CREDIT",
        "pan": "476173******0119",
        "cvm": "no CVM",
    }
    assert PAN.encode().hex() not in repr(paying)
    assert PAN not in repr(paying)
    assert bytes.fromhex(PAN) in paying.secret.reveal()


def test_a_phone_says_how_its_owner_was_checked(counter: Counter, reader: Reader) -> None:
    counter = Counter(replace(CONFIG_WITH_CLAIMS, guard=GuardPolicy(device_claim=Response.REPORT)))
    reader.field.place(profile.load("visa-phone"))
    assert instrument(tapped(counter, reader).outcome).summary["cvm"] == "confirmed by the device"


def test_a_phone_that_does_not_prove_its_claim_is_refused(counter: Counter, reader: Reader) -> None:
    counter = Counter(CONFIG_WITH_CLAIMS)
    reader.field.place(profile.load("visa-phone"))
    outcome = tapped(counter, reader).outcome
    assert (outcome.kind, outcome.scheme_kind) == (OutcomeKind.DECLINED, OutcomeKind.ONLINE_REQUEST)
    assert "no valid fDDA" in outcome.reason
    paying = instrument(outcome)
    assert paying.refusal == "this terminal does not trust the card"
    assert paying.summary["checks"] == "device_claim"


def test_a_card_that_declines(counter: Counter, reader: Reader) -> None:
    reader.field.place(profile.load("visa-decline"))
    result = tapped(counter, reader)
    assert result.outcome.kind is OutcomeKind.DECLINED
    paying = instrument(result.outcome)
    assert paying.refusal == "the card declined"
    assert paying.secret.reveal() == b""
    assert paying.summary["pan"] == "401288******1881"


@pytest.mark.parametrize(
    ("name", "keys", "cvm_limit", "refusal"),
    [
        ("visa-expired", True, 30000, "the card has expired"),
        ("visa-bad-signature-hash", True, 30000, tap.UNPROVED),
        ("malicious-forged", True, 30000, tap.UNPROVED),
        ("malicious-forged-unsigned", True, 30000, tap.UNPROVED),
        ("malicious-forged-unsigned", False, 30000, tap.UNPROVED),
        ("amex-bad-signature-hash", True, 30000, tap.UNPROVED),
        ("malicious-transit-relay-high", True, 0, "the card's owner can't be verified here"),
        ("malicious-weak-key", True, 30000, "this terminal does not trust the card"),
        *(
            (f"{brand}-decline", keys, 30000, "the card declined")
            for brand in ("visa", "mastercard", "amex", "unionpay", "jcb", "discover")
            for keys in (True, False)
        ),
    ],
)
def test_who_refused_the_payment_and_why(
    name: str, keys: bool, cvm_limit: int, refusal: str, reader: Reader
) -> None:
    config = default_config("156", "156", cvm_limit=cvm_limit, floor_limit=5000)
    if keys:
        config = replace(config, ca_keys=parse_ca_keys(scheme.ca_keys_json()))
    reader.field.place(profile.load(name))
    assert instrument(tapped(Counter(config), reader).outcome).refusal == refusal


@pytest.mark.parametrize("kind", [OutcomeKind.APPROVED, OutcomeKind.ONLINE_REQUEST])
def test_an_outcome_without_data_for_the_issuer_pays_nothing(kind: OutcomeKind) -> None:
    oda = OdaReport(method=OdaMethod.CDA, result=OdaResult.SUCCEEDED)
    bare = Outcome(kind=kind, reason="", evidence=Evidence(card=CardData(), terminal={}, oda=oda))
    assert instrument(bare).refusal == "the card gave no data for its issuer"


@pytest.mark.parametrize("result", list(OdaResult))
@pytest.mark.parametrize("method", list(OdaMethod))
def test_an_approval_by_the_card_takes_proof_over_this_payment(method: OdaMethod, result: OdaResult) -> None:
    oda = OdaReport(method=method, result=result)
    outcome = Outcome(
        kind=OutcomeKind.APPROVED,
        reason="",
        data_record=SensitiveBytes(b"x"),
        evidence=Evidence(card=CardData(), terminal={}, oda=oda),
    )
    paying = instrument(outcome)
    proved = result is OdaResult.SUCCEEDED and method in (OdaMethod.CDA, OdaMethod.FDDA)
    assert paying.approved is proved
    assert bool(paying.refusal) is not proved
    assert paying.secret.reveal() == (b"x" if proved else b"")
    assert instrument(replace(outcome, evidence=None)).refusal


def test_a_card_that_is_torn_away_is_presented_again(counter: Counter, reader: Reader) -> None:
    card = profile.load("visa-torn")

    def present_again(shown: tuple[MessageId, UiStatus]) -> None:
        if shown == AGAIN:
            reader.field.place(card)

    counter.on_show = present_again
    reader.field.place(card)
    assert tapped(counter, reader).outcome.kind is OutcomeKind.ONLINE_REQUEST
    assert counter.shown == [READY, PROCESSING, AGAIN, READY, PROCESSING, READ, AUTHORISING]
    assert counter.words == ["Present card again"]
    assert reader.removals == 0
    # Each presentation is a transaction of its own.
    assert len({one.unpredictable_number for one in counter.transactions}) == 2


@pytest.mark.parametrize("after", range(4))
def test_wherever_it_is_torn_nothing_comes_of_it(after: int, counter: Counter, reader: Reader) -> None:
    tables = {"card": {"pan": PAN}, "behaviour": {"torn_after": after}}
    card = profile.make(tables)

    def go(shown: tuple[MessageId, UiStatus]) -> None:
        if shown == AGAIN:
            counter.stop.set()

    counter.on_show = go
    reader.field.place(card)
    assert counter.tap.run(reader, counter.lease) is None
    assert counter.shown == [READY, PROCESSING, AGAIN]


def test_a_card_of_an_unknown_application_must_leave_before_the_next_is_read(
    counter: Counter, reader: Reader
) -> None:
    stranger = VisaCard(Personality(pan=PAN, aid=bytes.fromhex("A0000009999999")))
    reader.on_removal = lambda: reader.field.place(profile.load("visa-approve"))
    reader.field.place(stranger)
    assert tapped(counter, reader).outcome.kind is OutcomeKind.ONLINE_REQUEST
    assert reader.removals == 1
    assert counter.words == ["Card can't be used here: try another"]
    another = (MessageId.TRY_ANOTHER_CARD, UiStatus.READY_TO_READ)
    assert counter.shown == [READY, PROCESSING, another, READY, PROCESSING, READ, AUTHORISING]


def test_garbage_is_no_payment(counter: Counter, reader: Reader) -> None:
    reader.on_removal = counter.stop.set
    reader.field.place(profile.load("malicious-garbage"))
    assert counter.tap.run(reader, counter.lease) is None
    assert reader.removals == 1
    assert MessageId.CARD_READ_OK not in [message for message, _ in counter.shown]


def test_an_amount_that_is_too_high_for_a_tap(reader: Reader) -> None:
    counter = Counter(default_config("156", "156", transaction_limit=1000))
    reader.on_removal = counter.stop.set
    reader.field.place(profile.load("visa-approve"))
    assert counter.tap.run(reader, counter.lease) is None
    assert counter.words == ["Card needs its chip: try another card"]


def test_a_card_that_wants_a_pin_that_there_is_no_pad_for_declines(reader: Reader) -> None:
    counter = Counter(default_config("156", "156", cvm_limit=0))
    reader.field.place(VisaCard(Personality(pan=PAN, cvm=(Cvm.ONLINE_PIN,))))
    assert instrument(tapped(counter, reader).outcome).refusal


class Spoilt(InProcessCard):
    """A card whose second command fails in the reader."""

    error: Exception
    released = 0

    def __init__(self, card: InProcessCard, error: Exception) -> None:
        self._card = card
        self._left = 1
        self.error = error

    def transceive(self, capdu: bytes, *, timeout_s: float) -> bytes:
        if not self._left:
            raise self.error
        self._left -= 1
        return self._card.transceive(capdu, timeout_s=timeout_s)

    def release(self) -> None:
        Spoilt.released += 1


class SpoiltReader(Reader):
    def __init__(self, field: Field, error: Exception) -> None:
        super().__init__(field)
        self.error: Exception | None = error

    def wait_for_card(self, stop: threading.Event, *, timeout_s: float) -> InProcessCard | None:
        card = super().wait_for_card(stop, timeout_s=timeout_s)
        return Spoilt(card, self.error) if card is not None and self.error is not None else card


class Stop(threading.Event):
    """Says for how long it was waited for, and does not wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(-1.0 if timeout is None else timeout)
        return self.is_set()


@pytest.mark.parametrize(
    "error",
    [CardLostError("x"), DeviceTimeoutError("x"), TransmissionError("x")],
    ids=lambda e: type(e).__name__,
)
def test_a_card_that_fails_in_the_reader_is_tried_again_after_a_pause(
    error: Exception, field: Field, counter: Counter
) -> None:
    reader = SpoiltReader(field, error)
    stop = Stop()

    def heal(shown: tuple[MessageId, UiStatus]) -> None:
        if counter.shown.count(AGAIN) == 2:
            reader.error = None

    counter.on_show = heal
    field.place(profile.load("visa-approve"))
    Spoilt.released = 0
    result = counter.tap.run(reader, Lease(stop, lambda: None, lambda: None))
    assert result is not None
    assert result.outcome.kind is OutcomeKind.ONLINE_REQUEST
    # The card stayed in the field: without a pause it would be tried hundreds of times a second.
    assert len(stop.waits) == 2
    assert all(0 < wait <= AGAIN_S for wait in stop.waits)
    assert Spoilt.released == 2


def test_a_reader_that_goes_away_is_the_workers_business(field: Field, counter: Counter) -> None:
    reader = SpoiltReader(
        field, DeviceUnavailableError(Reader(field).address, Reason.NOT_FOUND, "plug it in")
    )
    field.place(profile.load("visa-approve"))
    Spoilt.released = 0
    with pytest.raises(DeviceUnavailableError):
        counter.tap.run(reader, counter.lease)
    assert Spoilt.released == 1


def test_waiting_for_a_card_is_a_sign_of_life(field: Field, counter: Counter) -> None:
    class Patient(Reader):
        waits = 0

        def wait_for_card(self, stop: threading.Event, *, timeout_s: float) -> InProcessCard | None:
            assert timeout_s <= MAX_WAIT_S
            self.waits += 1
            if self.waits == 5:
                stop.set()
            return None

    assert counter.tap.run(Patient(field), counter.lease) is None
    assert counter.beats == 5


def test_a_tap_ends_when_it_is_told_to(counter: Counter, reader: Reader) -> None:
    counter.on_show = lambda shown: counter.stop.set()
    assert counter.tap.run(reader, counter.lease) is None
    assert counter.shown == [READY]
    assert counter.tap.run(reader, counter.lease) is None
    assert counter.shown == [READY]


class OneCommand:
    """Takes the place of Entry Point: one command, and the end at whatever comes of it."""

    def __init__(self, config: object = None, background: Background | None = None) -> None:
        self.background = background
        self.events: list[Event] = []

    def handle(self, event: Event) -> Actions:
        self.events.append(event)
        if isinstance(event, Begin):
            return (SendCommand(CommandApdu(0x80, 0xEA, 0, 0, b"\1\2\3\4", 0)),)
        return (Complete(Outcome(kind=OutcomeKind.END_APPLICATION, reason="")),)


@pytest.mark.parametrize(("times", "elapsed"), [([700], 700), ([300, 400], 700), ([300, None], None)])
def test_the_kernel_is_told_how_long_the_card_took(times: list[int | None], elapsed: int | None) -> None:
    answers = [bytes.fromhex("6101")] * (len(times) - 1) + [bytes.fromhex("AA9000")]
    left = list(zip(answers, times, strict=True))
    machine = OneCommand()
    begin = Begin(Counter()._transaction())
    converse(cast(EntryPoint, machine), begin, lambda capdu: left.pop(0), lambda request, words: None)
    (answered,) = machine.events[1:]
    assert isinstance(answered, CardAnswered)
    assert answered.elapsed_us == elapsed
    assert not left


def test_the_time_is_measured_round_the_card_alone(
    counter: Counter, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines: list[OneCommand] = []

    def make(*of: object, background: Background) -> OneCommand:
        machines.append(OneCommand(background=background))
        return machines[-1]

    ticks = iter(range(0, 10_000_000, 1_500_000))
    monkeypatch.setattr(tap, "EntryPoint", make)
    monkeypatch.setattr("time.perf_counter_ns", lambda: next(ticks))
    counter.on_show = lambda shown: counter.stop.set() if shown == READY and machines else None
    reader.on_removal = counter.stop.set
    reader.field.place(profile.load("visa-approve"))
    counter.tap.run(reader, counter.lease)
    (answered,) = machines[0].events[1:]
    assert isinstance(answered, CardAnswered)
    assert answered.elapsed_us == 1500


def test_the_terminal_remembers_from_tap_to_tap(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[Background] = []

    def make(*of: object, background: Background) -> OneCommand:
        handed.append(background)
        return OneCommand()

    monkeypatch.setattr(tap, "EntryPoint", make)
    memory = Background()
    for _ in range(2):
        counter = Counter()
        reader.on_removal = counter.stop.set
        reader.field.place(profile.load("visa-approve"))
        Tap(CONFIG, counter._transaction, counter._show, memory).run(reader, counter.lease)
    assert [its is memory for its in handed] == [True, True]
