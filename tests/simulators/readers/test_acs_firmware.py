"""The simulated firmware of ACS readers, by the examples of their manuals."""

import pytest

from simulators.cards import profile
from simulators.readers.acs_firmware import Acr122Firmware, Acr1252Firmware

CARD = profile.load("visa-approve")
SELECT_PPSE = bytes.fromhex("00A404000E325041592E5359532E444446303100")


def test_commands_of_the_card_are_passed_on() -> None:
    assert Acr122Firmware().pseudo(SELECT_PPSE, CARD) is None
    assert Acr1252Firmware().pseudo(SELECT_PPSE, CARD) is None


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("FF 00 48 00 00", b"ACR122U203".hex()),
        ("FF 00 50 00 00", "90 FF"),
        ("FF 00 51 7F 00", "90 7F"),
        ("FF 00 52 00 00", "90 00"),
        ("FF 00 52 01 00", "63 00"),
        ("FF 00 41 02 00", "90 00"),
        ("FF 00 40 0E 04 00 00 00 00", "90 02"),
        ("FF 00 40 0E 01 00", "63 00"),
        ("FF 00 00 00 02 D4 02", "D5 03 32 01 06 07 90 00"),
        ("FF 00 00 00 04 D4 32 01 00", "D5 33 90 00"),
        ("FF 00 00 00 05 D4 00 00 61 62", "D5 01 00 61 62 90 00"),
        ("FF 00 00 00 02 D4 99", "63 00"),
        ("FF CA 00 00 00", "08 A1 B2 C3 90 00"),
        ("FF CA 02 00 00", "6A 81"),
        ("FF B0 00 00 10", "6A 81"),
        ("FF 00", "63 00"),
    ],
)
def test_the_acr122_answers(command: str, answer: str) -> None:
    assert Acr122Firmware().pseudo(bytes.fromhex(command), CARD) == bytes.fromhex(answer)


def test_the_acr122_gives_the_ats_of_a_card_that_is_there() -> None:
    command = bytes.fromhex("FFCA010000")
    assert Acr122Firmware().pseudo(command, CARD) == CARD.ats + b"\x90\x00"
    assert Acr122Firmware().pseudo(command, None) == b"\x63\x00"


def test_the_acr122_blinks_with_its_buzzer_and_shows_the_final_state() -> None:
    # The manual's example: red blinks three times with the buzzer, then green stays.
    reader = Acr122Firmware()
    reader.pseudo(bytes.fromhex("FF00400E0401020301"), CARD)
    assert reader.beeps == [0.1, 0.1, 0.1]
    assert reader.lights == {"red": False, "green": True}


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("E0 00 00 18 00", "E1 00 00 00 0F" + b"ACR1252U_V206.4".hex()),
        ("E0 00 00 29 00", "E1 00 00 00 01 00"),
        ("E0 00 00 29 01 02", "E1 00 00 00 01 02"),
        ("E0 00 00 28 01 05", "E1 00 00 00 01 05"),
        ("E0 00 00 20 00", "E1 00 00 00 01 1F"),
        ("E0 00 00 23 01 8A", "E1 00 00 00 01 8A"),
        ("E0 00 00 99 00", "63 00"),
        ("E0 00 00 29 02 02", "63 00"),
        ("FF C2 00 00 02 83 00", "C0 03 01 6A 81 90 00"),
        ("00 A4 04 00 00", "63 00"),
    ],
)
def test_the_acr1252_answers_escapes(command: str, answer: str) -> None:
    assert Acr1252Firmware().escape(bytes.fromhex(command)) == bytes.fromhex(answer)


def test_the_acr1252_switches_its_field_within_a_session() -> None:
    reader = Acr1252Firmware()
    seen: list[bool] = []
    end = reader.listen(lambda: seen.append(reader.field_on))
    for tag in (0x81, 0x83, 0x84, 0x82):
        assert reader.escape(bytes([0xFF, 0xC2, 0, 0, 2, tag, 0])).startswith(b"\xc0\x03\x00\x90\x00")
    end()
    reader.field_on = False
    assert seen == [False, True]
