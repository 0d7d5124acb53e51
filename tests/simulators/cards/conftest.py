"""A terminal's hand for cards: raw commands, written out."""

from collections.abc import Callable, Mapping

import pytest

from simulators.cards import ber
from simulators.cards.card import SimulatedCard

VISA = bytes.fromhex("A0000000031010")
TERMINAL = {
    "9F66": "26000000",
    "9F02": "000000001250",
    "9F03": "000000000000",
    "9F1A": "0276",
    "95": "0000000000",
    "5F2A": "0978",
    "9A": "260131",
    "9C": "00",
    "9F37": "0BADCAFE",
}


def transact(card: SimulatedCard, **changes: str) -> tuple[bytes | None, bytes]:
    """Select, send the options that the card asks for, and return its answer and the data record."""
    values = {tag: bytes.fromhex(value) for tag, value in (TERMINAL | changes).items()}
    card.power_on()
    fci = card.transmit(bytes.fromhex("00A4040007") + VISA + b"\x00")
    assert fci
    pdol = dict(ber.objects(fci[:-2]))["9F38"]
    asked = ber.tlv("83", b"".join(values[tag] for tag in tags_of(pdol)))
    answer = card.transmit(bytes.fromhex("80A80000") + bytes([len(asked)]) + asked + b"\x00")
    sent = b"".join(ber.tlv(tag, value) for tag, value in values.items())
    return answer, sent + (answer or b"  ")[:-2]


def tags_of(dol: bytes) -> list[str]:
    """Return the tags of a list whose lengths are all below 128."""
    tags = []
    while dol:
        size = 2 if dol[0] & 0x1F == 0x1F else 1
        tags.append(dol[:size].hex().upper())
        dol = dol[size + 1 :]
    return tags


@pytest.fixture
def purchase() -> Callable[..., tuple[bytes | None, bytes]]:
    """One transaction with a card; keyword arguments change what the terminal sends, by tag."""
    return transact


@pytest.fixture
def parsed() -> Callable[[bytes], Mapping[str, bytes]]:
    """The data objects of an answer that ends in 9000."""

    def parse(answer: bytes) -> Mapping[str, bytes]:
        assert answer[-2:] == b"\x90\x00"
        return dict(ber.objects(answer[:-2]))

    return parse
