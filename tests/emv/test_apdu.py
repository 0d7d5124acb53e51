"""Commands, responses, and an exchange with all that the transport may ask for."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv.apdu import MAX_GET_RESPONSES, CommandApdu, Exchange, ResponseApdu, StatusWord
from emv.commands import (
    Cryptogram,
    generate_ac,
    get_data,
    get_processing_options,
    internal_authenticate,
    read_record,
    select,
)
from emv.errors import DecodeError

octet = st.integers(0, 255)
commands = st.builds(CommandApdu, octet, octet, octet, octet, st.binary(max_size=255), st.none() | octet)


@given(commands)
def test_a_command_comes_back(command: CommandApdu) -> None:
    assert CommandApdu.decode(command.encode()) == command


@given(st.binary(max_size=12))
def test_any_bytes_decode_or_raise_decode_error(raw: bytes) -> None:
    try:
        assert CommandApdu.decode(raw).encode() == raw
    except DecodeError:
        pass
    try:
        assert ResponseApdu.decode(raw).encode() == raw
    except DecodeError:
        assert len(raw) < 2


def test_commands_are_coded_as_emv_has_them() -> None:
    sent = {
        select(b"2PAY.SYS.DDF01"): "00A404000E325041592E5359532E444446303100",
        get_processing_options(b""): "80A8000002830000",
        get_processing_options(bytes(130)): "80A8000085" + "838182" + "00" * 130 + "00",
        read_record(1, 2): "00B2020C00",
        generate_ac(Cryptogram.ARQC, b"\1", cda=True): "80AE9000010100",
        generate_ac(Cryptogram.TC, b"\1"): "80AE4000010100",
        get_data(0x9F36): "80CA9F3600",
        internal_authenticate(b"\1\2"): "0088000002010200",
    }
    for command, raw in sent.items():
        assert command.encode().hex().upper() == raw


def test_neither_prints_its_data() -> None:
    assert repr(CommandApdu(0x80, 0xA8, 0, 0, b"Q" * 9, 0)) == "CommandApdu(80 A8 00 00, 9 bytes, Le=0)"
    assert repr(ResponseApdu(b"Q" * 9, StatusWord.OK)) == "ResponseApdu(9 bytes, 9000)"


def test_a_status_word_has_two_halves() -> None:
    sw = StatusWord(0x6C1A)
    assert (sw.sw1, sw.sw2, str(sw)) == (0x6C, 0x1A, "6C1A")


def exchange(command: CommandApdu, script: list[tuple[str, str]]) -> ResponseApdu:
    """Play an exchange against the lines a card expects and answers."""
    running = Exchange(command)
    raw: bytes | None = running.first()
    for expected, answer in script:
        assert raw is not None
        assert raw.hex().upper() == expected.replace(" ", "")
        raw = running.next(bytes.fromhex(answer))
    assert raw is None
    return running.response


def test_the_rest_is_fetched_and_the_length_corrected() -> None:
    script = [
        ("00B2010C00", "6C1C"),
        ("00B2010C1C", "61 03"),
        ("00C0000003", "0102 6102"),
        ("00C0000002", "6C01"),
        ("00C0000001", "03 9000"),
    ]
    assert exchange(read_record(1, 1), script) == ResponseApdu(b"\1\2\3", StatusWord.OK)


def test_a_wrong_length_again_is_the_answer() -> None:
    response = exchange(read_record(1, 1), [("00B2010C00", "6C1C"), ("00B2010C1C", "6C1B")])
    assert response == ResponseApdu(b"", StatusWord(0x6C1B))


def test_a_long_command_is_chained() -> None:
    command = CommandApdu(0x80, 0xA8, 0, 0, b"\xaa" * 300, 0)
    first, second = "AA" * 255, "AA" * 45
    script = [(f"90A80000FF{first}", "9000"), (f"80A800002D{second}00", "0102 9000")]
    assert exchange(command, script) == ResponseApdu(b"\1\2", StatusWord.OK)


def test_a_refused_part_ends_the_chain() -> None:
    response = exchange(CommandApdu(0x80, 0xA8, 0, 0, bytes(300), 0), [("90A80000FF" + "00" * 255, "6883")])
    assert response.sw == StatusWord(0x6883)


def test_no_status_word_is_no_status_word() -> None:
    assert exchange(read_record(1, 1), [("00B2010C00", "90")]).sw == StatusWord.MISSING


def test_the_response_is_there_only_at_the_end() -> None:
    running = Exchange(read_record(1, 1))
    running.first()
    with pytest.raises(ValueError, match="not finished"):
        running.response  # noqa: B018


@given(st.lists(st.binary(max_size=258), min_size=1, max_size=8), commands)
def test_an_exchange_ends_whatever_the_card_answers(answers: list[bytes], command: CommandApdu) -> None:
    running = Exchange(command)
    raw: bytes | None = running.first()
    rounds = 0
    while raw is not None:
        assert len(raw) <= 261
        raw = running.next(answers[rounds % len(answers)])
        rounds += 1
        assert rounds <= 2 * MAX_GET_RESPONSES + 4
    assert isinstance(running.response, ResponseApdu)


def test_an_endless_card_comes_to_an_end() -> None:
    running = Exchange(read_record(1, 1))
    raw: bytes | None = running.first()
    while raw is not None:
        raw = running.next(bytes(200) + b"\x61\xff")
    assert running.response == ResponseApdu(b"", StatusWord.WRONG_LENGTH)
    running = Exchange(read_record(1, 1))
    raw = running.first()
    while raw is not None:
        raw = running.next(b"\x61\xff")
    assert running.response == ResponseApdu(b"", StatusWord(0x61FF))


def test_a_command_too_long_for_one_apdu_says_so() -> None:
    with pytest.raises(ValueError, match="chain"):
        CommandApdu(0, 0, 0, 0, bytes(256)).encode()


def test_reference_vectors(vectors: Callable[[str], Any]) -> None:
    for case in vectors("terminal_logic.json")["cases"]:
        if case["kind"] == "apdu_transport_pcsc":
            lines = [(line["c"], line["r"]) for line in case["exchanges"]]
            response = exchange(CommandApdu.decode(bytes.fromhex(lines[0][0])), lines)
            expected = case["expected"]
            data = response.data or response.encode()
            assert data.hex().upper() == expected["response_data_or_sw"], case["id"]
            assert str(response.sw) == expected["last_sw"]
