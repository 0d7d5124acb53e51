"""Traces show what happened and nothing of the card's owner."""

from hypothesis import given
from hypothesis import strategies as st

from emv.trace import render

H = bytes.fromhex


def test_an_exchange_is_shown_with_its_secrets_masked() -> None:
    fields = "5710 4761739001010119D27122011234567F 5F340101 9F0702FF00 DF7701AA"
    body = H(fields.replace(" ", ""))
    text = render(H("00B2010C00"), b"\x70" + bytes((len(body),)) + body + b"\x90\x00")
    assert "READ RECORD" in text
    assert "57 Track 2 Equivalent Data: <16 bytes>" in text
    assert "9F07 Application Usage Control: FF00" in text
    assert "DF77 unknown: <1 bytes>" in text
    assert "476173" not in text


def test_what_does_not_parse_is_a_length() -> None:
    secret = H("4761739001010119")
    text = render(b"\x00\xb2", secret + b"\x90\x00") + render(H("00B2010C00"), b"\x90")
    assert "4761739001010119" not in text
    assert "no command" in text
    assert "not TLV" in text
    assert "no status word" in text


def test_names_are_shown_and_other_command_data_is_not() -> None:
    assert "SELECT 2PAY.SYS.DDF01" in render(H("00A404000E325041592E5359532E444446303100"), H("6A82"))
    assert "SELECT A0000000031010" in render(H("00A4040007A000000003101000"), H("9000"))
    assert "GET PROCESSING OPTIONS (3 bytes)" in render(H("80A8000003830101"), H("6985"))


@given(st.binary(max_size=40), st.binary(max_size=80))
def test_any_bytes_can_be_shown(capdu: bytes, rapdu: bytes) -> None:
    assert render(capdu, rapdu).startswith("> ")
