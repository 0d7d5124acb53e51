"""What a scanner's line says, beside what zxing-cpp (an independent reader) would send for the same code."""

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import TransmissionError
from drivers.scanners.scanned_line import read_line, read_text

HAN = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5)
ASCII = st.characters(min_codepoint=0x20, max_codepoint=0x7E)


def test_text_without_identifier_is_as_it_came() -> None:
    assert read_line(b"281234567890123456").text == "281234567890123456"
    assert read_line(b"281234567890123456").symbology == ""


@pytest.mark.parametrize(
    ("kind", "text", "symbology"),
    [
        ("QRCode", "281234567890123456", "QR Code"),
        ("Code128", "281234567890123456", "Code 128"),
        ("DataMatrix", "281234567890123456", "Data Matrix"),
        ("EAN13", "1234567890128", "EAN/UPC"),
        ("Code39", "281234", "Code 39"),
        ("Code93", "281234", "Code 93"),
        ("ITF", "281234", "Interleaved 2 of 5"),
        ("PDF417", "281234", "PDF417"),
        ("Aztec", "281234", "Aztec Code"),
    ],
)
def test_identifiers_mean_what_zxing_means_by_them(kind: str, text: str, symbology: str) -> None:
    identifier = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, kind)).symbology_identifier
    code = read_line(identifier.encode() + text.encode())
    assert (code.text, code.symbology) == (text, symbology)


@pytest.mark.parametrize(
    ("kind", "symbology"),
    [
        ("QRCode", "GS1 QR Code"),
        ("Code128", "GS1-128"),
        ("DataMatrix", "GS1 Data Matrix"),
        ("Aztec", "GS1 Aztec Code"),
        ("DataBarExpanded", "GS1 DataBar"),
    ],
)
@pytest.mark.parametrize("front", [b"", b"\x1d"])
def test_gs1_codes_keep_their_separators_and_lose_the_first(kind: str, symbology: str, front: bytes) -> None:
    drawn = zxingcpp.create_barcode("(10)ABC123(21)77", getattr(zxingcpp.BarcodeFormat, kind), gs1=True)
    code = read_line(drawn.symbology_identifier.encode() + front + drawn.bytes)
    assert (code.text, code.symbology) == ("10ABC123\x1d2177", symbology)


def test_a_separator_in_front_is_the_mark_of_gs1() -> None:
    code = read_line(b"\x1d0104012345123456")
    assert (code.text, code.symbology) == ("0104012345123456", "GS1")


@pytest.mark.parametrize("text", ["]", "]Q", "]?1abc", "]k1abc", "a]Q1", "[Q1abc"])
def test_what_is_no_identifier_is_text(text: str) -> None:
    assert read_line(text.encode()).text == text
    assert read_text(text).symbology == ""


@given(st.text(ASCII | HAN, min_size=1).filter(lambda text: not text.startswith("]")))
def test_utf_8_comes_back(text: str) -> None:
    assert read_line(text.encode()).text == text


@given(st.text(ASCII | HAN).filter(lambda text: not text.startswith("]")))
def test_gb18030_comes_back(text: str) -> None:
    line = ("付" + text).encode("gb18030")
    assert read_line(line).text == "付" + text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Müller", "iso8859-1"),
        ("Größe", "iso8859-1"),
        ("café", "cp1252"),
        ("付款", "shift_jis"),
    ],
)
def test_other_encodings_are_refused(text: str, encoding: str) -> None:
    with pytest.raises(TransmissionError, match="neither UTF-8 nor GB18030") as raised:
        read_line(text.encode(encoding))
    assert text not in str(raised.value)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_clean_text_or_refused(line: bytes) -> None:
    try:
        code = read_line(line)
    except TransmissionError:
        return
    assert code.text
    assert all(letter.isprintable() or letter == "\x1d" or letter.isspace() for letter in code.text)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"]Q2\\000026\xe4\xbb\x98", "付"),
        (b"]Q2ab\\000029\xb8\xb6\\000003\xe9", "ab付é"),
        (rb"]Q2a\\b\000026c", "a\\bc"),
        (rb"]Q1a\\b", r"a\\b"),
        (rb"]d4\000027ab", "ab"),
    ],
)
def test_character_sets_named_in_the_text_are_followed(line: bytes, text: str) -> None:
    assert read_line(line).text == text


@pytest.mark.parametrize(
    "line", [rb"]Q2\000899a", rb"]Q2\0000", rb"]Q2a\b", b"]Q2\\000026\xe4", b"]Q2\\000027\xe4"]
)
def test_broken_or_unknown_character_sets_are_refused(line: bytes) -> None:
    with pytest.raises(TransmissionError, match=r"character set|UTF-8"):
        read_line(line)


@pytest.mark.parametrize("line", [b"]Q1", b"\x1d", b"]C1\x1d"])
def test_a_line_without_text_is_refused(line: bytes) -> None:
    with pytest.raises(TransmissionError, match="no text"):
        read_line(line)
