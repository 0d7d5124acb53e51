"""A counter for each address under test: where a card is placed and taken away.

Simulators run by default. With ``--reader ADDRESS`` a person stands at the counter, and each card
is read once before a test may have it: one outside the test ranges is refused, and the run ends.
"""

import contextlib
from collections.abc import Callable, Iterator
from threading import Event

import nfc.clf.transport  # type: ignore[import-untyped]
import pytest

from drivers import address, registry
from drivers.address import DeviceAddress
from drivers.errors import DeviceError
from drivers.protocols import Card, ContactlessReader
from simulators import scheme
from simulators.cards import ber, profile
from simulators.cards.card import SimulatedCard
from simulators.readers import in_process, rcs380
from simulators.readers.field import Field
from simulators.readers.nfcpy_udp import NfcpyUdp
from simulators.readers.pcsc_daemon import PcscDaemon
from simulators.readers.pn532_chip import Pn532Chip
from simulators.readers.pn533_usb import attached
from simulators.readers.virtual_card import VirtualCard

RCS380, UDP = "nfcpy:usb:054c:06c3", "nfcpy:udp"
SIMULATED = ("sim:", "pn532:", RCS380, UDP, "pcsc:Virtual PCD 00 00")
# Beside the published numbers: ranges that the schemes give out for test cards only.
TEST_RANGES = ("476173", "541333", "679999", "374245")
PERSON_S = 30.0


def is_test_card(pan: str) -> bool:
    """Tell whether a card number belongs to no one."""
    return pan in scheme.TEST_PANS or pan.startswith(TEST_RANGES)


def send(card: Card, head: str, data: bytes = b"") -> bytes:
    """Send a command with data and Le."""
    length = bytes([len(data)]) if data else b""
    return card.transceive(bytes.fromhex(head) + length + data + b"\x00", timeout_s=5)


def find(answer: bytes, tag: str) -> bytes:
    """Return a data object of an answer."""
    assert answer[-2:] == b"\x90\x00", f"status word {answer[-2:].hex()}"
    return dict(ber.objects(answer[:-2]))[tag]


def options(pdol: bytes) -> bytes:
    """Return GET PROCESSING OPTIONS data for one euro: zeroes but for what a card insists on."""
    values = {"9F66": "26000000", "9F02": "000000000100", "9F1A": "0276", "5F2A": "0978", "9A": "260101"}
    values["9F37"] = "01020304"
    body, rest = b"", pdol
    while rest:
        tag_size = 1 + (rest[0] & 0x1F == 0x1F)
        tag, size, rest = rest[:tag_size].hex().upper(), rest[tag_size], rest[tag_size + 1 :]
        body += bytes.fromhex(values.get(tag, "00" * size)).rjust(size, b"\x00")[-size:]
    return ber.tlv("83", body)


def read_card_number(card: Card) -> str:
    """Do what a tap does, as far as the card number, and return that."""
    aid = find(send(card, "00A40400", b"2PAY.SYS.DDF01"), "4F")
    fci = dict(ber.objects(send(card, "00A40400", aid)[:-2]))
    answer = send(card, "80A80000", options(fci.get("9F38", b"")))
    return find(answer, "57").hex().upper().partition("D")[0]


class SimulatedCounter:
    """Cards come and go by themselves."""

    def __init__(self, device: DeviceAddress, field: Field) -> None:
        self.address = device
        self._field = field

    def place(self, card: str | SimulatedCard) -> SimulatedCard:
        card = profile.load(card) if isinstance(card, str) else card
        self._field.place(card)
        return card

    def add(self, card: SimulatedCard) -> None:
        """Hold one more card beside what is there."""
        self._field.add(card)

    def take_away(self) -> None:
        self._field.take_away()


class PersonAtCounter:
    """Asks a person, and checks what card came."""

    def __init__(self, device: DeviceAddress, say: pytest.CaptureFixture[str]) -> None:
        self.address = device
        self._say = say

    def _ask(self, text: str) -> ContactlessReader:
        with self._say.disabled():
            print(f"\n{self.address}: {text}", flush=True)  # noqa: T201 - a person reads it
        return registry.open_reader(self.address)

    def place(self, card: str | SimulatedCard) -> None:
        if card != "visa-approve":
            pytest.skip("needs a simulated card")
        reader = self._ask("hold a test card to the reader and leave it there")
        with contextlib.closing(reader):
            found = reader.wait_for_card(Event(), timeout_s=PERSON_S)
            assert found is not None, "no card came"
            refuse_other_than_test_cards(found)
            found.release()

    def add(self, card: SimulatedCard) -> None:
        pytest.skip("needs simulated cards")

    def take_away(self) -> None:
        with contextlib.closing(self._ask("take the card away")) as reader:
            assert reader.wait_for_removal(Event(), timeout_s=PERSON_S), "the card is still there"


def refuse_other_than_test_cards(card: Card) -> None:
    """End the run over a card that is, or may be, somebody's."""
    try:
        known = is_test_card(read_card_number(card))
    except (DeviceError, AssertionError, KeyError, ValueError):
        known = False
    if not known:
        card.release()
        pytest.exit("refused: this card is outside the test ranges", returncode=2)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "counter" in metafunc.fixturenames:
        addresses = metafunc.config.getoption("--reader") or SIMULATED
        metafunc.parametrize("counter", addresses, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--reader"):
        for item in items:
            if "counter" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.hardware)
                item.add_marker(pytest.mark.timeout(4 * PERSON_S))


@pytest.fixture
def counter(
    request: pytest.FixtureRequest, field: Field, capsys: pytest.CaptureFixture[str]
) -> Iterator[SimulatedCounter | PersonAtCounter]:
    """The counter at the address under test."""
    device = address.parse(request.param)
    if request.param == "sim:":
        yield SimulatedCounter(device, in_process.FIELD)
        in_process.FIELD.take_away()
    elif request.param == "pn532:":
        with Pn532Chip(field) as chip:
            yield SimulatedCounter(chip.address, field)
    elif request.param == UDP:
        with NfcpyUdp(field) as link:
            yield SimulatedCounter(link.address, field)
    elif request.param == RCS380 and RCS380 not in request.config.getoption("--reader"):
        with attached(nfc.clf.transport, rcs380.USB_IDS, lambda: rcs380.rcs380(field)):
            yield SimulatedCounter(device, field)
    elif device.target.startswith("Virtual PCD"):
        daemon: PcscDaemon = request.getfixturevalue("pcsc_daemon")
        virtual_card: VirtualCard = request.getfixturevalue("virtual_card")
        assert daemon
        assert virtual_card
        yield SimulatedCounter(device, field)
    else:
        yield PersonAtCounter(device, capsys)


@pytest.fixture
def reader(counter: SimulatedCounter | PersonAtCounter) -> Iterator[ContactlessReader]:
    """The reader under test, open."""
    with contextlib.closing(registry.open_reader(counter.address)) as device:
        yield device


@pytest.fixture
def guard() -> Callable[[Card], None]:
    """What looks at a card before a hardware test may have it."""
    return refuse_other_than_test_cards
