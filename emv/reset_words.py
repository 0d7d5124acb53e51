"""An answer to reset (ATR) or to select (ATS) as nodes that say in words what each byte means."""

from __future__ import annotations

from collections.abc import Iterator

from emv.atr import BAUD_ADJUSTMENT, CLOCK_CONVERSION, DIRECT, Atr, Interface
from emv.ats import Ats
from emv.explain import Node
from emv.field_words import Lines

_DEFAULT_RATE = 0x11
_OF_CONTACTLESS = b"\x80\x01"
_COMPACT_TLV = {
    0x1: "country code and national data",
    0x2: "issuer identification number",
    0x3: "card service data",
    0x4: "initial access data",
    0x5: "card issuer's data",
    0x6: "pre-issuing data",
    0x7: "card capabilities",
    0x8: "status indicator",
    0xF: "application identifier",
}
"""Spec: ISO/IEC 7816-4, 12.1.1."""
_CLOCK_STOP = ("not supported", "state low", "state high", "no preference")
_CLASSES = ((0x01, "A (5 V)"), (0x02, "B (3 V)"), (0x04, "C (1.8 V)"))


def explain_atr(raw: bytes) -> tuple[Node, ...]:
    """Return the bytes of an answer to reset, and whether EMV allows them.

    Raises:
        DecodeError: the answer is cut off.
    """
    atr = Atr.decode(raw)
    nodes = [
        _byte("TS", atr.ts, "Direct convention" if atr.ts == DIRECT else "Inverse convention"),
        _byte("T0", raw[1], f"{_present(raw[1], 1)}; {len(atr.historical)} historical bytes"),
    ]
    nodes.extend(node for group in atr.interface for node in _interface(group, atr))
    if atr.historical:
        nodes.append(
            Node(None, "Historical", len(atr.historical), _hex(atr.historical), _historical(atr.historical))
        )
    if atr.rest:
        correct = atr.check is not None and atr.rest[0] == atr.check
        nodes.append(_byte("TCK", atr.rest[0], "Correct" if correct else "Wrong"))
    if len(atr.rest) > 1:
        nodes.append(Node(None, "Surplus", len(atr.rest) - 1, _hex(atr.rest[1:])))
    if _is_contactless(raw):
        words = (
            "Made by the PC/SC reader for a contactless card: what EMV says of contact cards does not matter"
        )
        nodes.append(Node(None, "PC/SC", 0, "", (words,)))
    nodes.append(_verdict(atr.reasons()))
    return tuple(nodes)


def _is_contactless(raw: bytes) -> bool:
    """Say whether a reader has made this answer up: TD1 says T=0, TD2 T=1, and nothing else is there.

    Spec: PC/SC part 3, 3.1.3.2.3.
    """
    return raw[0] == DIRECT and raw[1] & 0xF0 == 0x80 and raw[2:4] == _OF_CONTACTLESS


def explain_ats(raw: bytes) -> tuple[Node, ...]:
    """Return the bytes of an answer to select, and whether EMV allows them.

    Raises:
        DecodeError: the answer is cut off, or its length is wrong.
    """
    ats = Ats.decode(raw)
    nodes = [_byte("TL", raw[0], f"{raw[0]} bytes with this one")]
    if ats.t0 is not None:
        nodes.append(_byte("T0", ats.t0, f"Frames of up to {ats.frame_bytes} bytes"))
    if ats.ta is not None:
        nodes.append(_byte("TA", ats.ta, _rates(ats.ta)))
    if ats.tb is not None:
        guard = (256 * 16 << (ats.tb & 0x0F)) * 1000 / 13_560_000
        nodes.append(
            _byte("TB", ats.tb, f"Answers within {ats.frame_waiting_ms:.1f} ms, ready after {guard:.1f} ms")
        )
    if ats.tc is not None:
        nodes.append(_byte("TC", ats.tc, _supports(ats.tc)))
    if ats.historical:
        nodes.append(
            Node(None, "Historical", len(ats.historical), _hex(ats.historical), _historical(ats.historical))
        )
    nodes.append(_verdict(ats.reasons()))
    return tuple(nodes)


def _verdict(reasons: Lines) -> Node:
    lines = tuple(f"Not EMV compliant: {reason}" for reason in reasons)
    return Node(None, "EMV", 0, "", lines or ("EMV compliant",))


def _byte(name: str, octet: int, meaning: str) -> Node:
    return Node(None, name, 1, f"{octet:02X}", (meaning,))


def _hex(value: bytes) -> str:
    return value.hex().upper()


def _present(octet: int, index: int) -> str:
    there = [
        f"{name}{index}" for name, bit in (("TA", 16), ("TB", 32), ("TC", 64), ("TD", 128)) if octet & bit
    ]
    return f"{', '.join(there)} follow" if there else "no interface bytes follow"


def _interface(group: Interface, atr: Atr) -> Iterator[Node]:
    words = {"TA": _ta, "TB": _tb, "TC": _tc, "TD": _td}
    for name, octet in group.bytes_:
        yield _byte(f"{name}{group.index}", octet, words[name](group, octet, atr))


def _ta(group: Interface, octet: int, atr: Atr) -> str:
    if group.index == 1:
        return _rate(octet)
    if group.index == 2:
        changes = "can't change" if octet & 0x80 else "can change"
        rate = "implicit parameters" if octet & 0x10 else "parameters of TA1"
        return f"Specific mode, T={octet & 0x0F}, {rate}, {changes}"
    if group.protocol == 1:
        return f"Information field size {octet}"
    if group.protocol == 15:
        classes = ", ".join(text for bit, text in _CLASSES if octet & bit) or "none"
        return f"Clock stop {_CLOCK_STOP[octet >> 6]}; classes {classes}"
    return "Specific to the protocol"


def _rate(octet: int) -> str:
    clock, factor = CLOCK_CONVERSION.get(octet >> 4), BAUD_ADJUSTMENT.get(octet & 0x0F)
    if clock is None or factor is None:
        return "reserved"
    rate = clock[1] * 1e6 * factor / clock[0]
    return f"Fi={clock[0]}, Di={factor}, up to {clock[1]:g} MHz and {rate:.0f} bit/s"


def _tb(group: Interface, octet: int, atr: Atr) -> str:
    if group.index == 1:
        return "No programming voltage" if not octet else f"Programming voltage {octet & 0x1F} V"
    if group.index == 2:
        return f"Programming voltage {octet / 10:g} V"
    if group.protocol == 1:
        clock, factor = CLOCK_CONVERSION.get((atr.byte("TA1") or _DEFAULT_RATE) >> 4), _factor(atr)
        block = f", BWT {11 + (960 * 372 * factor << (octet >> 4)) // clock[0]} etu" if clock else ""
        return f"BWI={octet >> 4}, CWI={octet & 0x0F}: CWT {11 + (1 << (octet & 0x0F))} etu{block}"
    if group.protocol == 15:
        return "SPU not used" if not octet else f"SPU in {'proprietary' if octet & 0x80 else 'standard'} use"
    return "Specific to the protocol"


def _factor(atr: Atr) -> int:
    return BAUD_ADJUSTMENT.get((atr.byte("TA1") or _DEFAULT_RATE) & 0x0F, 1)


def _tc(group: Interface, octet: int, atr: Atr) -> str:
    if group.index == 1:
        if octet == 0xFF:
            return f"N=255: guard time {12 if atr.protocols[0] == 0 else 11} etu"
        return f"N={octet}: guard time {12 + octet} etu"
    if group.index == 2:
        return f"WI={octet}: waiting time {octet * 960 * _factor(atr)} etu"
    if group.protocol == 1:
        return "CRC" if octet & 0x01 else "LRC"
    return "Specific to the protocol"


def _td(group: Interface, octet: int, atr: Atr) -> str:
    protocol = octet & 0x0F
    what = "Global bytes (T=15)" if protocol == 15 else f"T={protocol}"
    return f"{what}; {_present(octet, group.index + 1)}"


def _rates(octet: int) -> str:
    def rates(bits: int) -> str:
        return ", ".join(str(106 << place) for place in range(4) if place == 0 or bits >> (place - 1) & 1)

    same = ", the same both ways" if octet & 0x80 else ""
    return f"To the card {rates(octet & 0x07)} kbit/s, from it {rates(octet >> 4 & 0x07)} kbit/s{same}"


def _supports(octet: int) -> str:
    there = [name for bit, name in ((0x01, "NAD"), (0x02, "CID")) if octet & bit]
    return f"{' and '.join(there)} supported" if there else "Neither NAD nor CID supported"


def _historical(value: bytes) -> Lines:
    """Return what historical bytes say. Spec: ISO/IEC 7816-4, 12.1.1."""
    if value[0] not in (0x00, 0x80):
        text = value.decode("latin-1")
        return (f'"{text}"',) if text.isascii() and text.isprintable() else ("Proprietary",)
    end = len(value) - 3 if value[0] == 0x00 else len(value)
    lines, position = ["COMPACT-TLV"], 1
    while position < end:
        tag, length = value[position] >> 4, value[position] & 0x0F
        if position + 1 + length > end:
            return ("Proprietary",)
        data = value[position + 1 : position + 1 + length]
        lines.append(f"{_COMPACT_TLV.get(tag, f'tag {tag:X}')}: {_hex(data)}")
        position += 1 + length
    if value[0] == 0x00 and len(value) >= 4:
        lines.append(f"status: life cycle {value[-3]:02X}, SW {_hex(value[-2:])}")
    return tuple(lines)
