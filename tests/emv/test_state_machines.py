"""Both machines: every transition of the tables is walked, every pair outside raises and changes nothing."""

import datetime
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv import entry_point, kernel_c3
from emv.apdu import ResponseApdu, StatusWord
from emv.config import CombinationConfig, EmvConfig
from emv.entry_point import EntryPoint, EntryPointState
from emv.errors import KernelMisuseError
from emv.fields import Ttq
from emv.kernel import (
    Actions,
    Activation,
    Begin,
    CardAnswered,
    CardFound,
    CardLost,
    Collision,
    Complete,
    Event,
    Indicators,
    Restart,
    SendCommand,
    ShowMessage,
    Transaction,
    WaitForCard,
)
from emv.kernel_c3 import KernelC3, KernelState
from emv.outcome import OutcomeKind, Start
from emv.sensitive import SensitiveBytes
from tests.emv import visa_card as visa

ROW = CombinationConfig(aid=bytes.fromhex(visa.AID), kernel_id=3, ttq=Ttq.EMV_MODE, floor_limit=0)
CONFIG = EmvConfig(country="276", currency="978", combinations=(ROW,))
PURCHASE = Transaction(
    amount_minor=1250,
    currency="978",
    date=datetime.date(2026, 5, 9),
    time=datetime.time(12),
    unpredictable_number=bytes(4),
)
OK, NO = ResponseApdu.decode(b"\x90\x00"), ResponseApdu.decode(b"\x6a\x82")


def answer(raw: str) -> CardAnswered:
    return CardAnswered(ResponseApdu.decode(bytes.fromhex(raw)))


BEGIN, POLL = Begin(PURCHASE), Begin(PURCHASE, polls=True)
PPSE, FCI = answer(visa.DIRECTORY), answer(visa.FCI)
RECORD = answer(visa.record())
GPO, GPO_WITH_RECORDS = answer(visa.options()), answer(visa.options(t94="08010200"))

Machine = EntryPoint | KernelC3
WAYS: list[tuple[type[Machine], list[Event]]] = [
    (EntryPoint, []),
    (EntryPoint, [POLL]),
    (EntryPoint, [POLL, Collision(), Collision(present=False)]),
    (EntryPoint, [POLL, CardFound(b"\1\2\3\4")]),
    (EntryPoint, [POLL, CardFound(), CardLost()]),
    (EntryPoint, [POLL, CardFound(), PPSE, CardLost()]),
    (EntryPoint, [POLL, CardFound(), PPSE, FCI, CardLost()]),
    (EntryPoint, [BEGIN]),
    (EntryPoint, [BEGIN, PPSE]),
    (EntryPoint, [BEGIN, PPSE, FCI]),
    (EntryPoint, [BEGIN, PPSE, FCI, GPO_WITH_RECORDS]),
    (EntryPoint, [BEGIN, PPSE, FCI, GPO]),
    (EntryPoint, [BEGIN, PPSE, FCI, CardLost()]),
    (EntryPoint, [BEGIN, PPSE, FCI, CardLost(), Restart()]),
    (KernelC3, []),
    (KernelC3, [BEGIN]),
    (KernelC3, [BEGIN, GPO_WITH_RECORDS]),
    (KernelC3, [BEGIN, GPO_WITH_RECORDS, RECORD]),
    (KernelC3, [BEGIN, GPO_WITH_RECORDS, CardLost()]),
    (KernelC3, [BEGIN, CardLost()]),
    (KernelC3, [BEGIN, GPO]),
]
EVERY: dict[type[Event], Event] = {
    Begin: BEGIN,
    CardFound: CardFound(),
    Collision: Collision(),
    CardAnswered: CardAnswered(OK),
    CardLost: CardLost(),
    Restart: Restart(),
}
TABLES: dict[type[Machine], Mapping[Any, Mapping[type, Callable[..., Any]]]] = {
    EntryPoint: entry_point.TRANSITIONS,
    KernelC3: kernel_c3.TRANSITIONS,
}


def make(kind: type[Machine]) -> Machine:
    if kind is EntryPoint:
        return EntryPoint(CONFIG)
    return KernelC3(
        Activation(
            config=CONFIG,
            combination=ROW,
            indicators=Indicators(ttq=ROW.ttq),
            aid=ROW.aid,
            fci=SensitiveBytes(FCI.rapdu.data),
        )
    )


def check(actions: Actions) -> None:
    """A tuple ends in exactly one action that awaits an answer, or in Complete."""
    assert all(isinstance(action, ShowMessage) for action in actions[:-1])
    assert isinstance(actions[-1], SendCommand | WaitForCard | Complete)


def walk(kind: type[Machine], way: list[Event]) -> Machine:
    machine = make(kind)
    for event in way:
        check(machine.handle(event))
    return machine


def snapshot(machine: Machine) -> dict[str, Any]:
    return {name: (id(value), repr(value)) for name, value in vars(machine).items()}


@pytest.mark.parametrize(("kind", "way"), WAYS)
def test_a_pair_outside_the_table_raises_and_changes_nothing(kind: type[Machine], way: list[Event]) -> None:
    machine = walk(kind, way)
    allowed = TABLES[kind][machine.state]
    for event_type, event in EVERY.items():
        if event_type in allowed:
            continue
        before = snapshot(machine)
        with pytest.raises(KernelMisuseError, match=f"{event_type.__name__} in {machine.state.name}"):
            machine.handle(event)
        assert snapshot(machine) == before


def test_every_state_and_every_transition_is_walked() -> None:
    for kind, table in TABLES.items():
        states: type[Enum] = EntryPointState if kind is EntryPoint else KernelState
        assert set(table) == set(states)
        walked = {
            (walk(kind, way[:length]).state, type(way[length]))
            for machine, way in WAYS
            if machine is kind
            for length in range(len(way))
        }
        reached = {walk(kind, way).state for machine, way in WAYS if machine is kind}
        assert reached == set(states)
        assert walked == {(state, event) for state, events in table.items() for event in events}


def test_the_card_torn_at_any_moment_is_to_be_presented_again() -> None:
    way: list[Event] = [BEGIN, PPSE, FCI, GPO_WITH_RECORDS, RECORD]
    for length in range(1, len(way) + 1):
        machine = walk(EntryPoint, way[:length])
        last = machine.handle(CardLost())[-1]
        assert isinstance(last, Complete)
        assert (last.outcome.kind, last.outcome.start) == (OutcomeKind.TRY_AGAIN, Start.B)
        assert machine.state is EntryPointState.RESTARTABLE
        assert last.outcome.data_record is None


def test_an_answer_without_status_word_is_a_torn_card() -> None:
    way: list[Event] = [BEGIN, PPSE, FCI, GPO_WITH_RECORDS, RECORD]
    kinds: tuple[type[Machine], ...] = (EntryPoint, KernelC3)
    for kind in kinds:
        events: list[Event] = way if kind is EntryPoint else [BEGIN, GPO_WITH_RECORDS, RECORD]
        for length in range(1, len(events)):
            machine = walk(kind, events[:length])
            last = machine.handle(CardAnswered(ResponseApdu(b"", StatusWord.MISSING)))[-1]
            assert isinstance(last, Complete)
            assert last.outcome.kind is OutcomeKind.TRY_AGAIN


answers = (
    st.sampled_from([PPSE, FCI, GPO, GPO_WITH_RECORDS, RECORD, CardAnswered(OK), CardAnswered(NO)])
    | st.sampled_from(["6984", "6985", "6986", "6283", "9000", "7000" + "9000"]).map(answer)
    | st.binary(max_size=60).map(lambda raw: CardAnswered(ResponseApdu.decode(raw + b"\x90\x00")))
    | st.binary(min_size=2, max_size=20).map(lambda raw: CardAnswered(ResponseApdu.decode(raw)))
    | st.just(CardLost())
)


def mutated(event: CardAnswered) -> st.SearchStrategy[CardAnswered]:
    """Return a right answer with one byte changed, or cut short."""
    raw = event.rapdu.data
    change = st.tuples(st.integers(0, len(raw) - 1), st.integers(0, 255)).map(
        lambda at: raw[: at[0]] + bytes((at[1],)) + raw[at[0] + 1 :]
    )
    cut = st.integers(0, len(raw)).map(lambda end: raw[:end])
    return (change | cut).map(lambda data: CardAnswered(ResponseApdu(data, OK.sw)))


almost = [
    st.just(event) | mutated(event)
    for event in (
        PPSE,
        FCI,
        GPO_WITH_RECORDS,
        answer(visa.record(visa.one("5A", visa.NUMBER), visa.one("5F24", "271231"))),
        answer(visa.record(visa.one("9F07", "FF00"))),
    )
]
FULL_GPO = answer(
    visa.options(t94="08010200", t9F27="40", t9F69="01AABBCCDD0080", t9F6C="A880", t9F5D="000000000100")
)
almost[2] |= mutated(FULL_GPO) | st.just(FULL_GPO)


def play(events: list[CardAnswered | CardLost], *, polls: bool) -> None:
    """Feed answers as long as the machine asks; it must never raise and always come to an end."""
    machine = EntryPoint(CONFIG)
    actions = machine.handle(Begin(PURCHASE, polls=polls))
    for event in events:
        check(actions)
        last = actions[-1]
        if isinstance(last, Complete):
            assert last.outcome.kind is not OutcomeKind.SELECT_NEXT
            assert last.outcome.kind is not OutcomeKind.APPROVED
            return
        actions = machine.handle(CardFound() if isinstance(last, WaitForCard) else event)
    check(actions)


@given(st.lists(answers, max_size=20), st.booleans())
@settings(max_examples=300)
def test_whatever_a_card_answers_there_is_a_next_step(
    events: list[CardAnswered | CardLost], polls: bool
) -> None:
    play(events, polls=polls)


@given(st.tuples(*almost))
@settings(max_examples=500)
def test_almost_right_answers_come_to_an_outcome(events: tuple[CardAnswered, ...]) -> None:
    play([*events, CardAnswered(NO), CardAnswered(NO)], polls=False)


def test_nothing_prints_the_card_at_any_moment() -> None:
    number, track = visa.NUMBER, visa.TRACK
    name = "TESTCARD/MADE UP"
    records = visa.one("5A", number), visa.one("5F20", name.encode().hex())
    way: list[Event] = [BEGIN, PPSE, FCI, GPO_WITH_RECORDS, answer(visa.record(*records)), RECORD]
    forbidden = [number, number.lower(), track.lower(), name]
    forbidden += [repr(bytes.fromhex(secret))[2:-1] for secret in (number, track)]
    machine = EntryPoint(CONFIG)
    for event in way:
        actions = machine.handle(event)
        kernel = vars(machine.kernel) if machine.kernel else None
        text = f"{event!r} {actions!r} {vars(machine)!r} {kernel!r}"
        assert not [secret for secret in forbidden if secret in text]
    assert isinstance(actions[-1], Complete)
    assert "476173******0119" in repr(actions[-1])


def test_a_card_that_never_ends_comes_to_an_end() -> None:
    machine = EntryPoint(CONFIG)
    actions = machine.handle(BEGIN)
    entries = visa.directory(*([visa.ENTRY] * 40))
    for count in range(1000):
        if isinstance(actions[-1], Complete):
            assert count < 100
            return
        actions = machine.handle(answer(entries if count == 0 else "6A82"))
    pytest.fail("no end")
