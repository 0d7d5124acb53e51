"""Entry Point and every kernel: each transition is walked, each pair outside raises and changes nothing.

A new kernel is one row in `kernel_cases.CASES`.
"""

from enum import Enum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv import entry_point
from emv.apdu import ResponseApdu, StatusWord
from emv.entry_point import KERNELS, EntryPoint, EntryPointState
from emv.errors import KernelMisuseError
from emv.kernel import (
    Actions,
    Begin,
    CardAnswered,
    CardFound,
    CardLost,
    Collision,
    Complete,
    Event,
    Kernel,
    Restart,
    SendCommand,
    ShowMessage,
    WaitForCard,
)
from emv.outcome import OutcomeKind, Start
from tests.emv import visa_card as visa
from tests.emv.kernel_cases import CASES, PURCHASE, KernelCase, answer, transitions

OK, NO = ResponseApdu.decode(b"\x90\x00"), ResponseApdu.decode(b"\x6a\x82")
BEGIN, POLL = Begin(PURCHASE), Begin(PURCHASE, polls=True)
VISA = CASES[0]
PPSE, FCI = answer(VISA.directory), answer(VISA.fci)
RECORD = answer(visa.record())
GPO, GPO_WITH_RECORDS = answer(visa.options()), answer(visa.options(t94="08010200"))

EVERY: dict[type[Event], Event] = {
    Begin: BEGIN,
    CardFound: CardFound(),
    Collision: Collision(),
    CardAnswered: CardAnswered(OK),
    CardLost: CardLost(),
    Restart: Restart(),
}
ENTRY_POINT_WAYS: tuple[tuple[Event, ...], ...] = (
    (),
    (POLL, Collision(), Collision(present=False)),
    (POLL, CardFound(b"\1\2\3\4")),
    (POLL, CardFound(), CardLost()),
    (POLL, CardFound(), PPSE, CardLost()),
    (POLL, CardFound(), PPSE, FCI, CardLost()),
    (BEGIN, PPSE, FCI, GPO_WITH_RECORDS),
    (BEGIN, PPSE, FCI, GPO),
    (BEGIN, PPSE, FCI, CardLost(), Restart()),
)


def check(actions: Actions) -> None:
    """A tuple ends in exactly one action that awaits an answer, or in Complete."""
    assert all(isinstance(action, ShowMessage) for action in actions[:-1])
    assert isinstance(actions[-1], SendCommand | WaitForCard | Complete)


def walk(machine: Any, way: tuple[Event, ...]) -> Any:
    for event in way:
        check(machine.handle(event))
    return machine


def snapshot(machine: Any) -> dict[str, Any]:
    return {name: (id(value), repr(value)) for name, value in vars(machine).items()}


def kernel_ways(case: KernelCase) -> list[tuple[Event, ...]]:
    return [(), (BEGIN,), *((BEGIN, *way) for way in case.ways)]


def check_pairs_outside(make: Any, ways: Any, table: Any) -> None:
    """Check that every event that the table does not have raises in every state, and changes nothing."""
    for way in ways:
        for length in range(len(way) + 1):
            machine = walk(make(), way[:length])
            for event_type, event in EVERY.items():
                if event_type in table[machine.state]:
                    continue
                before = snapshot(machine)
                with pytest.raises(KernelMisuseError, match=f"{event_type.__name__} in {machine.state.name}"):
                    machine.handle(event)
                assert snapshot(machine) == before


def check_everything_is_walked(make: Any, ways: Any, table: Any) -> None:
    """Check that the ways reach every state and walk every transition of the table."""
    states: type[Enum] = type(make().state)
    assert set(table) == set(states)
    walked = {(walk(make(), way[:n]).state, type(way[n])) for way in ways for n in range(len(way))}
    reached = {walk(make(), way[:n]).state for way in ways for n in range(len(way) + 1)}
    assert reached == set(table)
    assert walked == {(state, event) for state, events in table.items() for event in events}


def entry() -> EntryPoint:
    return EntryPoint(VISA.config)


def by_number(case: KernelCase) -> str:
    return f"kernel {case.number}"


def test_there_is_a_row_for_every_kernel() -> None:
    assert {case.number for case in CASES} == set(KERNELS)


def test_entry_point_takes_what_its_table_has_and_nothing_else() -> None:
    check_pairs_outside(entry, ENTRY_POINT_WAYS, entry_point.TRANSITIONS)


def test_entry_point_is_walked_whole() -> None:
    check_everything_is_walked(entry, ENTRY_POINT_WAYS, entry_point.TRANSITIONS)


WALKED = [case for case in CASES if case.ways]


@pytest.mark.parametrize("case", WALKED, ids=by_number)
def test_a_kernel_takes_what_its_table_has_and_nothing_else(case: KernelCase) -> None:
    check_pairs_outside(case.make, kernel_ways(case), transitions(case.number))


@pytest.mark.parametrize("case", WALKED, ids=by_number)
def test_a_kernel_is_walked_whole(case: KernelCase) -> None:
    check_everything_is_walked(case.make, kernel_ways(case), transitions(case.number))


@pytest.mark.parametrize("case", CASES, ids=by_number)
def test_the_card_torn_at_any_moment_is_to_be_presented_again(case: KernelCase) -> None:
    way: list[Event] = [BEGIN, answer(case.directory), answer(case.fci), *map(answer, case.taps[0][:-1])]
    for torn in (CardLost(), CardAnswered(ResponseApdu(b"", StatusWord.MISSING))):
        for length in range(1, len(way) + 1):
            machine = walk(EntryPoint(case.config), tuple(way[:length]))
            last = machine.handle(torn)[-1]
            assert isinstance(last, Complete)
            assert (last.outcome.kind, last.outcome.start) == (OutcomeKind.TRY_AGAIN, Start.B)
            assert machine.state is EntryPointState.RESTARTABLE
            assert last.outcome.data_record is None


@pytest.mark.parametrize("case", CASES, ids=by_number)
def test_the_taps_of_the_rows_are_right(case: KernelCase) -> None:
    for tap in case.taps:
        outcome = play(case, tap)
        assert outcome.kind in (OutcomeKind.APPROVED, OutcomeKind.ONLINE_REQUEST), outcome.reason


def play(case: KernelCase, tap: Any, *, polls: bool = False) -> Any:
    """Feed answers as long as the machine asks; it must never raise and always come to an end.

    An approval must rest on a card that proved to be genuine; an outcome of a kernel has its evidence.
    """
    events: list[Event] = [event if not isinstance(event, str) else answer(event) for event in tap]
    if not polls:
        events = [answer(case.directory), answer(case.fci), *events]
    machine = EntryPoint(case.config)
    actions = machine.handle(Begin(PURCHASE, polls=polls))
    for event in [*events, *[CardAnswered(NO)] * 20]:
        check(actions)
        last = actions[-1]
        if isinstance(last, Complete):
            outcome = last.outcome
            assert outcome.kind is not OutcomeKind.SELECT_NEXT
            if outcome.kind is OutcomeKind.APPROVED:
                assert outcome.evidence is not None
                assert outcome.evidence.oda.succeeded
            assert (outcome.evidence is None) == (outcome.kernel_id == 0)
            return outcome
        actions = machine.handle(CardFound() if isinstance(last, WaitForCard) else event)
    check(actions)
    return None


def any_answers(case: KernelCase) -> st.SearchStrategy[list[Event]]:
    right = [case.directory, case.fci, *(line for tap in case.taps for line in tap)]
    one: st.SearchStrategy[Event] = (
        st.sampled_from(right).map(answer)
        | st.sampled_from(["6984", "6985", "6986", "6283", "9000", "7000" + "9000", "6A82"]).map(answer)
        | st.binary(max_size=60).map(lambda raw: CardAnswered(ResponseApdu.decode(raw + b"\x90\x00")))
        | st.binary(min_size=2, max_size=20).map(lambda raw: CardAnswered(ResponseApdu.decode(raw)))
        | st.just(CardLost())
    )
    return st.lists(one, max_size=20)


def mutated(raw: str) -> st.SearchStrategy[CardAnswered]:
    """Return a right answer with one byte changed, or cut short."""
    data = bytes.fromhex(raw)[:-2]
    change = st.tuples(st.integers(0, max(0, len(data) - 1)), st.integers(0, 255)).map(
        lambda at: data[: at[0]] + bytes((at[1],)) + data[at[0] + 1 :]
    )
    cut = st.integers(0, len(data)).map(lambda end: data[:end])
    return (change | cut).map(lambda bad: CardAnswered(ResponseApdu(bad, OK.sw)))


@pytest.mark.parametrize("case", CASES, ids=by_number)
@given(data=st.data())
@settings(max_examples=80)
def test_whatever_a_card_answers_there_is_a_next_step(case: KernelCase, data: st.DataObject) -> None:
    play(case, data.draw(any_answers(case)), polls=True)
    play(case, data.draw(any_answers(case)))


@pytest.mark.parametrize("case", CASES, ids=by_number)
@given(data=st.data())
@settings(max_examples=80)
def test_almost_right_answers_come_to_an_outcome(case: KernelCase, data: st.DataObject) -> None:
    tap = data.draw(st.sampled_from(case.taps))
    play(case, [data.draw(st.just(answer(line)) | mutated(line)) for line in tap])


@pytest.mark.parametrize("case", CASES, ids=by_number)
def test_nothing_prints_the_card_at_any_moment(case: KernelCase) -> None:
    name = "TESTCARD/MADE UP"
    holder = visa.record(visa.one("5F20", name.encode().hex()))
    secrets = [repr(bytes.fromhex(number + "F" * (len(number) % 2)))[2:-1] for number in case.numbers]
    forbidden = [name, *case.numbers, *secrets]
    for tap in case.taps:
        machine = EntryPoint(case.config)
        events: list[Event] = [BEGIN, *map(answer, (case.directory, case.fci, *tap, holder))]
        for event in events:
            actions = machine.handle(event)
            kernel: Kernel | None = machine.kernel
            text = f"{event!r} {actions!r} {vars(machine)!r} {vars(kernel) if kernel else None!r}"
            assert not [secret for secret in forbidden if secret.lower() in text.lower()]
            if isinstance(actions[-1], Complete):
                break


def test_a_card_that_never_ends_comes_to_an_end() -> None:
    machine = EntryPoint(VISA.config)
    actions = machine.handle(BEGIN)
    entries = visa.directory(*([visa.ENTRY] * 40))
    for count in range(1000):
        if isinstance(actions[-1], Complete):
            assert count < 100
            return
        actions = machine.handle(answer(entries if count == 0 else "6A82"))
    pytest.fail("no end")


def test_a_card_with_applications_without_end_is_given_up() -> None:
    machine = EntryPoint(VISA.config)
    actions, sent = machine.handle(BEGIN), 0
    answers = [answer(visa.directory(*([visa.ENTRY] * 300)))]
    while not isinstance(actions[-1], Complete):
        sent += 1
        actions = machine.handle(answers.pop())
        # The next application is selected, and refuses to say what it offers.
        answers += [] if answers else [answer("6985"), FCI]
    outcome = actions[-1].outcome
    assert (sent, outcome.kind) == (entry_point.MAX_COMMANDS, OutcomeKind.END_APPLICATION)
    assert outcome.reason == "the card takes more commands than any payment"
    assert machine.state is EntryPointState.COMPLETED
