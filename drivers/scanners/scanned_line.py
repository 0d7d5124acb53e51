"""What a scanner's line says: its text, and the symbology where the scanner names it.

A scanner may put three characters of ISO/IEC 15424 (AIM) before the text: ``]``, a letter for the
symbology, and a modifier. They are taken off and become the name of the symbology. A ``]`` with a
letter that means nothing stays, as text.

GS1 codes separate their fields with FNC1, which scanners send as GS (0x1D); it stays in the text. One
at the very front, which many scanners send for the FNC1 that says "GS1", goes.

Text is UTF-8, or GB18030 as Chinese scanners send it. Bytes of most other encodings can be taken for
GB18030 too, and would be a false text: so it has to have nothing but Han characters and their
punctuation beside ASCII, and at least one of the 3755 common characters (GB/T 2312, level 1). That
refuses Western European text and most Japanese; Big5 and Cyrillic in KOI8-R can still be mistaken.

Whatever is left over is a `TransmissionError` that says what to set up; it never has the text in it.
"""

from __future__ import annotations

import re
import unicodedata

from drivers.errors import TransmissionError
from drivers.protocols import Code

GS = "\x1d"
_IDENTIFIER = re.compile(r"\]([A-Za-z])([0-9A-Z])")
_SYMBOLOGIES = {
    "A": "Code 39",
    "C": "Code 128",
    "E": "EAN/UPC",
    "F": "Codabar",
    "G": "Code 93",
    "H": "Code 11",
    "I": "Interleaved 2 of 5",
    "J": "DotCode",
    "L": "PDF417",
    "M": "MSI",
    "Q": "QR Code",
    "S": "2 of 5",
    "U": "MaxiCode",
    "X": "other",
    "d": "Data Matrix",
    "e": "GS1 DataBar",
    "h": "Han Xin Code",
    "z": "Aztec Code",
}
_GS1 = {
    "C1": "GS1-128",
    "J1": "GS1 DotCode",
    "Q3": "GS1 QR Code",
    "Q4": "GS1 QR Code",
    "d2": "GS1 Data Matrix",
    "d5": "GS1 Data Matrix",
    "z1": "GS1 Aztec Code",
    "z4": "GS1 Aztec Code",
}
# With these the text has backslashes doubled, and the character set of what follows as \NNNNNN.
_EXTENDED = {"L1", "Q2", "Q4", "Q6", "d4", "d5", "d6", "z3", "z4", "z5"}
_CHARACTER_SETS = {3: "iso8859-1", 26: "utf-8", 27: "ascii", 29: "gb18030", 32: "gb18030"}
_COMMON = range(0xB0, 0xD8)
_HAN = ((0x3000, 0x303F), (0x3400, 0x9FFF), (0xFF00, 0xFFEF), (0x2010, 0x2026), (0x20000, 0x3FFFF))


def read_line(line: bytes) -> Code:
    """Return the code that a line of bytes is. Raises TransmissionError where it is none."""
    _refuse_control(line, len(line))
    head = _IDENTIFIER.match(line[:3].decode("ascii", "replace"))
    if head and head[1] + head[2] in _EXTENDED:
        return _code(line[:3].decode("ascii") + _extended(line[3:]))
    return _code(_decode(line))


def read_text(text: str) -> Code:
    """Return the code that a line of text is. Raises TransmissionError where it is none."""
    _refuse_control(text.encode("utf-8", "surrogatepass"), len(text))
    return _code(text)


def _code(text: str) -> Code:
    symbology = ""
    head = _IDENTIFIER.match(text)
    if head and head[1] in _SYMBOLOGIES:
        symbology = _GS1.get(head[1] + head[2], _SYMBOLOGIES[head[1]])
        text = text[head.end() :]
    if text.startswith(GS):
        text, symbology = text[1:], symbology or "GS1"
    if not text:
        raise TransmissionError("the scanner sent a line with no text in it")
    if any(unicodedata.category(letter) in ("Cc", "Cn", "Co", "Cs") and letter != GS for letter in text):
        raise TransmissionError(f"the scanner sent {len(text)} characters, some of which are no text")
    return Code(text, symbology)


def _refuse_control(line: bytes, length: int) -> None:
    wrong = next((byte for byte in line if (byte < 0x20 and byte != ord(GS)) or byte == 0x7F), None)
    if wrong is not None:
        raise TransmissionError(
            f"the scanner sent control character 0x{wrong:02X} in a line of {length} characters: "
            "set it up without control characters in prefix and suffix, and check its baud rate"
        )


def _decode(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        text = line.decode("gb18030")
    except UnicodeDecodeError as error:
        raise _no_text(line) from error
    foreign = [letter for letter in text if not letter.isascii()]
    if not all(_is_han(letter) for letter in foreign) or not any(_is_common(letter) for letter in foreign):
        raise _no_text(line)
    return text


def _no_text(line: bytes) -> TransmissionError:
    return TransmissionError(
        f"the scanner sent a line of {len(line)} bytes that is neither UTF-8 nor GB18030: "
        "check its baud rate, and set its output to UTF-8"
    )


def _is_han(letter: str) -> bool:
    return any(first <= ord(letter) <= last for first, last in _HAN)


def _is_common(letter: str) -> bool:
    pair = letter.encode("gb18030")
    return len(pair) == 2 and pair[0] in _COMMON and pair[1] >= 0xA1


def _extended(line: bytes) -> str:
    r"""Return a text that names its character sets as \NNNNNN, each for what follows it.

    Spec: ISO/IEC 15424, 4.3; AIM ITS/04-023 (character set numbers).
    """
    text, rest = "", line
    character_set: int | None = None
    for part in re.split(rb"(\\[0-9]{6}|\\\\)", rest):
        if re.fullmatch(rb"\\[0-9]{6}", part):
            character_set = int(part[1:])
            if character_set not in _CHARACTER_SETS:
                raise TransmissionError(f"the scanner sent text of character set {character_set}, not known")
        elif part == rb"\\":
            text += "\\"
        elif b"\\" in part:
            raise TransmissionError("the scanner sent a broken character set mark")
        elif character_set is None:
            text += _decode(part)
        else:
            try:
                text += part.decode(_CHARACTER_SETS[character_set])
            except UnicodeDecodeError as error:
                raise _no_text(line) from error
    return text
