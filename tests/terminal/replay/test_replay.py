"""Replays of recordings that are not as ours would be: other order, other data, other cards."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv.outcome import OutcomeKind
from emv.sensitive import SensitiveBytes
from terminal.replay.replay import Replayed, replay
from terminal.replay.transcript import CONTACT, Exchange, Transcript, parse
from tests.terminal.replay.taps import config, payment, tap

PPSE = "00A404000E325041592E5359532E444446303100"


def numbered(exchanges: list[Exchange], **more: Any) -> Transcript:
    lines = tuple(replace(exchange, number=place) for place, exchange in enumerate(exchanges, 1))
    return Transcript(id="test", exchanges=lines, **more)


def exchange(command: str | None, answer: str) -> Exchange:
    raw = bytes.fromhex(answer)
    return Exchange(
        0, None if command is None else bytes.fromhex(command), SensitiveBytes(raw) if raw else None
    )


def recorded(name: str = "visa-approve", **how: Any) -> list[Exchange]:
    return list(tap(name, config(), payment(**how))[0].exchanges)


def whats(its: Replayed) -> list[str]:
    return [difference.what for difference in its.differences]


def test_what_the_recorder_read_more_is_not_asked_for() -> None:
    lines = recorded()
    more = exchange("80CA9F1700", "9F1701039000")
    its = replay(numbered([more, lines[0], more, *lines[1:], more]), config())
    assert its.outcome.kind is OutcomeKind.ONLINE_REQUEST
    assert its.differences == ()
    assert its.unused == (1, 3, len(lines) + 3)


def test_records_in_another_order() -> None:
    lines = recorded("mastercard-approve")
    records = [line for line in lines if line.command and line.command[1] == 0xB2]
    assert len(records) >= 3
    others = iter(records[::-1])
    mixed = [next(others) if line in records else line for line in lines]
    its = replay(numbered(mixed), config())
    assert its.outcome.kind is OutcomeKind.ONLINE_REQUEST
    assert (its.differences, its.unused) == ((), ())


def test_the_payment_is_the_recorded_one() -> None:
    for name in ("visa-approve", "mastercard-approve", "unionpay-approve", "amex-approve"):
        its = replay(numbered(recorded(name, amount_minor=4321)), config())
        assert its.differences == (), name
        assert its.as_json()["data_record"]["9F02"] == "000000004321"


def test_a_difference_is_named_by_its_data_object() -> None:
    lines = recorded("mastercard-approve")
    place = next(at for at, line in enumerate(lines) if line.command and line.command[1] == 0xAE)
    command = lines[place].command
    assert command is not None
    told = bytearray(command)
    told[5 + 6 + 6 + 2] ^= 0x10  # the first byte of the TVR
    lines[place] = replace(lines[place], command=bytes(told))
    its = replay(numbered(lines), config())
    (difference,) = its.differences
    assert difference.exchange == place + 1
    assert difference.what == "GENERATE AC: 95 Terminal Verification Results (TVR)"
    assert int(difference.recorded, 16) ^ int(difference.sent, 16) == 0x10 << 32


def test_another_kind_of_cryptogram_is_a_difference() -> None:
    lines = recorded("mastercard-approve")
    place = next(at for at, line in enumerate(lines) if line.command and line.command[1] == 0xAE)
    command = lines[place].command
    assert command is not None
    lines[place] = replace(lines[place], command=command[:2] + b"\x50" + command[3:])
    its = replay(numbered(lines), config())
    assert whats(its) == ["GENERATE AC: TC with CDA was asked for, ours asks for ARQC with CDA"]
    assert (its.differences[0].recorded, its.differences[0].sent) == ("80AE5000", "80AE9000")


def test_a_recording_without_ppse() -> None:
    its = replay(numbered(recorded()[1:]), config())
    assert its.outcome.kind is OutcomeKind.ONLINE_REQUEST
    assert its.outcome.aid == bytes.fromhex("A0000000031010")
    assert "the recording has no PPSE: one was made up that announces A0000000031010" in its.notes


def test_an_application_that_was_selected_by_the_beginning_of_its_name() -> None:
    lines = recorded()[1:]
    lines[0] = replace(lines[0], command=bytes.fromhex("00A4040005A00000000300"))
    its = replay(numbered(lines), config())
    assert its.outcome.kind is OutcomeKind.ONLINE_REQUEST
    assert whats(its) == ["SELECT: data of another length"]


def test_commands_that_were_not_captured_are_answered_in_turn() -> None:
    lines = [replace(line, command=None) for line in recorded()]
    its = replay(numbered(lines), config())
    assert its.outcome.kind is OutcomeKind.ONLINE_REQUEST
    assert all("not captured" in what for what in whats(its))
    assert its.unused == ()


def test_what_is_not_recorded_is_a_lost_card_with_a_reason() -> None:
    lines = recorded("mastercard-approve")[:-1]
    its = replay(numbered(lines), config())
    assert its.outcome.kind is OutcomeKind.TRY_AGAIN
    assert its.reason.endswith("GENERATE AC is not in the recording, so nobody knows what the card answers")
    assert its.differences[-1].exchange is None


@pytest.mark.parametrize("place", range(4))
def test_a_card_lost_in_the_recording_is_lost_again(place: int) -> None:
    lines = recorded()
    lines[place:] = [replace(lines[place], answer=None)] if place < len(lines) else []
    its = replay(numbered(lines), config())
    assert its.outcome.kind is OutcomeKind.TRY_AGAIN
    assert its.reason.endswith(f"the card was lost in the recording, at exchange {place + 1}")


def test_of_two_tries_the_one_with_more_in_it_counts() -> None:
    lines = recorded()
    torn = [*lines[:2], replace(lines[2], answer=None)]
    its = replay(numbered([*torn, *lines]), config())
    assert its.outcome.kind is OutcomeKind.ONLINE_REQUEST
    assert "A0000000031010 was selected 2 times: taken from exchange 5 on" in its.notes


def renamed(lines: list[Exchange], old: str, new: str) -> list[Exchange]:
    """Return the recording of a card with another application name of the same length."""

    def change(raw: bytes) -> bytes:
        return raw.replace(bytes.fromhex(old), bytes.fromhex(new))

    return [
        replace(
            line,
            command=change(line.command or b""),
            answer=None if line.answer is None else SensitiveBytes(change(line.answer.reveal())),
        )
        for line in lines
    ]


def test_an_application_that_is_not_configured() -> None:
    visa = renamed(recorded(), "A0000000031010", "A0000000421010")
    its = replay(numbered(visa), config())
    assert (its.outcome.kernel_id, its.outcome.kind) == (3, OutcomeKind.ONLINE_REQUEST)
    assert "A0000000421010 is not configured: taken with kernel 3, as it asks for the TTQ" in its.notes
    mastercard = renamed(recorded("mastercard-approve"), "A0000000041010", "A0000000421010")
    its = replay(numbered(mastercard), config())
    assert its.outcome.kernel_id == 2
    assert (
        "A0000000421010 is not configured: taken with kernel 2, as it does not ask for the TTQ" in its.notes
    )


def test_a_contact_card_is_taken_with_the_shared_flow() -> None:
    its = replay(numbered(recorded("jcb-dda")[1:], interface=CONTACT), config())
    assert its.outcome.kind is OutcomeKind.ONLINE_REQUEST
    assert any("contact card" in note for note in its.notes)


def test_without_keys_there_is_no_authentication() -> None:
    its = replay(numbered(recorded()), replace(config(with_keys=False)))
    assert its.as_json()["oda"] == {"method": "none", "result": "not performed", "reason": "no CA keys"}


def test_no_card_number_is_in_what_a_program_is_told() -> None:
    text = json.dumps(replay(numbered(recorded()), config()).as_json())
    assert "4761739001010119" not in text
    assert "476173******0119" in text


COMMANDS = st.one_of(st.none(), st.binary(min_size=1, max_size=12))
ANSWERS = ["6A82", "9000", "6985", "6100", "6C00", "77009000", "", "6F009000", "80020000009000"]


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_recording_comes_to_an_outcome(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["visa-approve", "mastercard-approve", "jcb-dda", "unionpay-approve"]))
    lines = recorded(name)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(lines) - 1))
        change = data.draw(st.sampled_from(["drop", "answer", "command", "bytes", "double", "cut"]))
        line = lines[place]
        command = line.command.hex() if line.command else None
        if change == "drop" and len(lines) > 1:
            del lines[place]
        elif change == "answer":
            lines[place] = exchange(command, data.draw(st.sampled_from(ANSWERS)))
        elif change == "command":
            lines[place] = replace(line, command=data.draw(COMMANDS))
        elif change == "double":
            lines.insert(data.draw(st.integers(0, len(lines))), line)
        elif line.answer is not None:
            raw = bytearray(line.answer.reveal())
            at = data.draw(st.integers(0, len(raw) - 1))
            raw[at] = data.draw(st.integers(0, 255))
            cut = raw[at:] if change == "cut" and len(raw) - at >= 2 else raw
            lines[place] = replace(line, answer=SensitiveBytes(bytes(cut)))
    interface = data.draw(st.sampled_from([CONTACT, "contactless"]))
    transcript = numbered(lines, interface=interface)
    (read,) = parse(json.dumps(transcript.as_json()))
    assert json.dumps(replay(read, config()).as_json())
