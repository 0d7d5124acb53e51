"""What is masked in a recording, and that nothing else changes."""

from __future__ import annotations

import json

import pytest

from emv import tlv
from emv.errors import DecodeError
from emv.outcome import OutcomeKind
from emv.sensitive import SensitiveBytes
from simulators.cards import profile
from terminal.replay.masking import masked
from terminal.replay.replay import CANT_BE_JUDGED, replay
from terminal.replay.transcript import Exchange, Transcript, parse
from tests.terminal.replay.taps import config, payment, tap, written

PAN = "4761739001010119"
NUMBERS = (PAN, "5413330089020011", "5204740000001002", "6250947000000014", "374245455400126")


def answered(data: str, command: str = "00B2010C00") -> bytes:
    """Return what becomes of an answer with status 9000."""
    answer = SensitiveBytes(bytes.fromhex(data + "9000"))
    exchange = Exchange(1, bytes.fromhex(command), answer)
    (found,) = masked(Transcript(id="x", exchanges=(exchange,))).exchanges
    assert found.answer is not None
    return found.answer.reveal()


@pytest.mark.parametrize(
    ("data", "left"),
    [
        ("5A084761739001010119", "5A08476173FFFFFF0119"),
        ("5A0A630455000800003111FF", "5A0A630455FFFFFFFF3111FF"),
        ("5A05123456789F", "5A05FFFFF6789F"),
        ("57104761739001010119D27122019999999F", "5710476173FFFFFF0119D2712201FFFFFFFF"),
        ("5F20084A414E452F444F45", "5F2008" + "00" * 8),
        ("5F24032712315F30020201", "5F24032712315F30020201"),
        ("9F46020102", "9F46020000"),
        ("9F2608A1A2A3A4A5A6A7A8", "9F2608A1A2A3A4A5A6A7A8"),
        ("DF1F020102", "DF1F020000"),
        ("80021C00", "80021C00"),
        ("1234567890", "FFFFFFFFFF"),
    ],
)
def test_each_data_object(data: str, left: str) -> None:
    assert answered(data).hex().upper() == left + "9000"
    inside = tlv.encode_one(0x70, bytes.fromhex(data)).hex()
    try:
        tlv.decode(bytes.fromhex(data))
    except DecodeError:
        return
    assert answered(inside).hex().upper() == inside[:4].upper() + left + "9000"


def test_long_lengths_and_padding_stay_as_they_are() -> None:
    assert answered("00 70 81 0A 5A 81 07 12345678901234".replace(" ", "")).hex().upper() == (
        "0070810A5A8107123456FFFF12349000"
    )


def test_an_answer_that_still_has_the_number_is_masked_as_a_whole() -> None:
    number = tlv.encode_one(0x5A, bytes.fromhex(PAN))
    text = tlv.encode_one(0x50, PAN.encode())
    assert answered((number + text).hex()) == b"\xff" * (len(number) + len(text)) + b"\x90\x00"


def test_a_number_between_two_bytes_is_found() -> None:
    number = tlv.encode_one(0x5A, bytes.fromhex(PAN))
    shifted = tlv.encode_one(0x9F10, bytes.fromhex(f"0{PAN}0"))
    assert answered((number + shifted).hex())[:-2] == b"\xff" * (len(number) + len(shifted))


def test_commands_with_more_than_the_terminals_data() -> None:
    verify = Exchange(1, bytes.fromhex("0020008008241234FFFFFFFFFF"), None)
    odd = Exchange(2, bytes.fromhex("84240000AABBCC"), None)
    select = Exchange(3, bytes.fromhex("00A4040007A000000003101000"), None)
    found = masked(Transcript(id="x", exchanges=(verify, odd, select))).exchanges
    assert [its.command.hex().upper() for its in found if its.command] == [
        "00200080080000000000000000",
        "84240000000000",
        "00A4040007A000000003101000",
    ]


@pytest.mark.parametrize("name", profile.profiles())
def test_no_recording_of_a_card_has_its_number_and_every_answer_its_length(name: str) -> None:
    transcript, outcome = tap(name, config(with_keys=False))
    result = masked(transcript)
    assert result.masked
    text = json.dumps(result.as_json())
    for number in NUMBERS + ((outcome.pan.reveal(),) if outcome.pan else ()):
        assert number not in text
        assert number.encode().hex().upper() not in text
    for before, after in zip(transcript.exchanges, result.exchanges, strict=True):
        assert (before.number, before.ms) == (after.number, after.ms)
        if before.answer is None:
            assert after.answer is None
            continue
        assert after.answer is not None
        assert len(before.answer) == len(after.answer)
        assert before.answer.reveal()[-2:] == after.answer.reveal()[-2:]


def test_the_outcome_of_the_tap_is_kept_and_another_one_is_a_difference() -> None:
    terminal = config(floor_limit=5000)
    transcript, outcome = tap("mastercard-approve", terminal)
    assert outcome.kind is OutcomeKind.APPROVED
    kept = written(masked(transcript)).outcome
    assert (kept["kind"], kept["oda"]["result"], kept["findings"]) == ("approved", "succeeded", [])
    assert (len(kept["tvr"]), kept["cvm"]) == (10, "no CVM")
    its = replay(written(masked(transcript)), terminal)
    assert its.outcome.kind is not OutcomeKind.APPROVED
    assert its.differences[-1].what == f"outcome: approved was recorded, ours is {its.outcome.kind.value}"
    found = its.as_json()
    assert (found["masked"], found["recorded"]["kind"], found["oda"]["reason"]) == (
        *(True, "approved", CANT_BE_JUDGED),
    )
    assert replay(written(transcript), terminal).as_json()["differences"] == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("visa-wallet", "did not prove"),
        ("mastercard-wallet", "so another key signed it"),
        ("unionpay-wallet", "so another key signed it"),
    ],
)
def test_masked_data_makes_no_forger_of_a_phone(name: str, words: str) -> None:
    terminal = config()
    transcript, outcome = tap(name, terminal, payment(25_000))
    assert (outcome.kind, outcome.findings) == (OutcomeKind.ONLINE_REQUEST, ())
    its = replay(written(masked(transcript)), terminal)
    assert words in its.outcome.reason  # what a terminal would say of a card with such data
    assert words not in json.dumps(its.as_json())
    assert its.reason == its.oda.reason == CANT_BE_JUDGED


def test_what_is_no_outcome_is_somebody_elses() -> None:
    transcript, _ = tap("visa-approve")
    for value in (None, 5, "approved", {"kind": "splendid"}, {"kind": ["approved"]}):
        (found,) = parse(json.dumps(transcript.as_json() | {"outcome": value}))
        assert found.outcome == {}
    (found,) = parse(json.dumps(transcript.as_json() | {"outcome": {"kind": "approved", "oda": 5}}))
    assert replay(found, config()).differences[-1].recorded == "approved"
