"""ACS readers behind the real daemon: a card on hand carries their commands, without one the driver must."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Event

import pytest

from drivers import abilities
from drivers.abilities import Signal
from drivers.address import DeviceAddress
from drivers.errors import Reason
from drivers.readers import pcsc
from drivers.readers.pcsc_acs import AcsReader
from drivers.readers.pcsc_context import EscapeRefusedError
from drivers.readers.pcsc_reader import PcscCard, PcscReader
from simulators.cards import profile
from simulators.cards.card import SimulatedCard
from simulators.readers.acs_firmware import Acr122Firmware, Acr1252Firmware
from simulators.readers.field import Field
from simulators.readers.pcsc_daemon import PcscDaemon, PcscDaemonError, VirtualReader
from simulators.readers.virtual_card import VirtualCard

SELECT_PPSE = bytes.fromhex("00A404000E325041592E5359532E444446303100")
ABILITIES = tuple(
    getattr(abilities, name)
    for name in ("Signals", "HasLights", "HasBuzzer", "HasField", "HasSettings", "TestsItself")
)


@dataclass
class Shop:
    """A daemon with an ACR122U and an ACR1252U."""

    acr122: VirtualReader
    acr1252: VirtualReader


@pytest.fixture(scope="module")
def shop(pcsc_daemon: PcscDaemon) -> Iterator[Shop]:
    shop = Shop(*map(VirtualReader.on_free_ports, (Acr122Firmware.NAME, Acr1252Firmware.NAME)))
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(pcsc_daemon.replaced_by(shop.acr122, shop.acr1252, wait_s=5.0))
        except PcscDaemonError as error:
            pytest.skip(str(error))
        yield shop


@pytest.fixture
def opened(shop: Shop) -> Iterator[Callable[[str], AcsReader]]:
    with contextlib.ExitStack() as stack:

        def open_reader(target: str) -> AcsReader:
            reader = pcsc.open(DeviceAddress("pcsc", target))
            assert isinstance(reader, AcsReader)
            return stack.enter_context(contextlib.closing(reader))

        yield open_reader


@pytest.fixture
def acr1252(field: Field, shop: Shop) -> Iterator[Acr1252Firmware]:
    firmware = Acr1252Firmware()
    with VirtualCard(field, shop.acr1252.port, firmware):
        yield firmware


@dataclass
class Tap:
    """A card that lies on the ACR122U and is held, and what is in front of it."""

    reader: AcsReader
    card: PcscCard
    placed: SimulatedCard
    firmware: Acr122Firmware


@pytest.fixture(scope="module")
def tap(shop: Shop) -> Iterator[Tap]:
    placed, firmware = profile.load("visa-approve"), Acr122Firmware()
    with VirtualCard(Field(placed), shop.acr122.port, firmware):
        reader = pcsc.open(DeviceAddress("pcsc", "ACR122U"))
        assert isinstance(reader, AcsReader)
        with contextlib.closing(reader):
            card = reader.wait_for_card(Event(), timeout_s=10)
            assert card
            yield Tap(reader, card, placed, firmware)


class TestWithACard:
    def test_only_a_known_reader_has_abilities(self, tap: Tap) -> None:
        assert all(isinstance(tap.reader, ability) for ability in ABILITIES)
        assert not any(isinstance(PcscReader, ability) for ability in ABILITIES)

    def test_the_acr122_shows_a_tap(self, tap: Tap) -> None:
        tap.firmware.beeps.clear()
        tap.reader.signal(Signal.READY)
        assert tap.firmware.lights == {"red": False, "green": True}
        assert not tap.firmware.beeps
        assert tap.card.transceive(SELECT_PPSE, timeout_s=1).endswith(b"\x90\x00")
        tap.reader.signal(Signal.CARD_READ)
        assert tap.firmware.beeps == [0.1]
        tap.reader.signal(Signal.ERROR)
        assert tap.firmware.lights == {"red": True, "green": False}
        assert tap.firmware.beeps == [0.1, 0.1, 0.1]
        tap.reader.signal(Signal.IDLE)
        assert not any(tap.firmware.lights.values())
        tap.reader.set_light("red", True)
        tap.reader.beep(0.5)
        assert tap.firmware.lights == {"red": True, "green": False}
        assert tap.firmware.beeps[-1] == 0.5

    def test_settings_are_written_and_read_back(self, tap: Tap) -> None:
        before = tap.reader.read_settings()
        assert before == {"picc-operating-parameter": "FF"}
        with pytest.raises(ValueError, match="volume"):
            tap.reader.write_settings({"picc-operating-parameter": "EF", "volume": "11"})
        assert tap.firmware.picc_parameter == 0xFF
        tap.reader.write_settings({"picc-operating-parameter": "EF", "buzzer-at-card": "00"})
        assert tap.reader.read_settings() == {"picc-operating-parameter": "EF"}
        assert not tap.firmware.buzzer_at_card
        tap.reader.write_settings(before)
        assert tap.firmware.picc_parameter == 0xFF

    @pytest.mark.parametrize(
        ("broken", "passed", "antenna"),
        [
            ("", [True] * 5 + [None], "00: connected"),
            ("RAM", [True, True, True, True, False, None], "00: connected"),
            ("antenna", [True] * 5 + [None], "80: too little current"),
        ],
    )
    def test_the_acr122_tests_itself(
        self, tap: Tap, broken: str, passed: list[bool | None], antenna: str
    ) -> None:
        tap.firmware.broken = {broken}
        results = tap.reader.self_test()
        assert [result.passed for result in results] == passed
        assert results[-1].text == antenna

    def test_a_card_is_described(self, tap: Tap) -> None:
        assert isinstance(tap.card, abilities.DescribesItself)
        seen = tap.card.describe()
        assert seen.protocol == "ISO/IEC 14443-4 type A"
        assert seen.details["ATS"] == tap.placed.ats.hex(" ").upper()
        assert seen.details["ATR"] == tap.placed.atr.hex(" ").upper()
        assert seen.details["UID"] == "08 A1 B2 C3"


def test_the_field_goes_off_and_takes_the_card_with_it(
    field: Field, acr1252: Acr1252Firmware, opened: Callable[[str], AcsReader]
) -> None:
    field.place(profile.load("visa-approve"))
    reader = opened("ACR1252")
    card = reader.wait_for_card(Event(), timeout_s=10)
    assert card
    reader.signal(Signal.CARD_READ)
    assert acr1252.lights == {"red": False, "green": True}
    assert acr1252.beeps == [0.1]
    reader.set_field(False)
    assert not acr1252.field_on
    card.release()
    assert reader.wait_for_removal(Event(), timeout_s=10)
    # Now there is no card to go with, and the way around it is shut.
    with pytest.raises(EscapeRefusedError):
        reader.wait_for_card(Event(), timeout_s=10)


class TestWithoutACard:
    def test_a_driver_that_lets_nothing_through_is_told_with_its_cure(
        self, shop: Shop, opened: Callable[[str], AcsReader]
    ) -> None:
        reader = opened("ACR1252")
        uses: list[Callable[[], object]] = [
            lambda: reader.beep(0.1),
            lambda: reader.set_light("red", True),
            lambda: reader.set_field(False),
            reader.read_settings,
            reader.self_test,
        ]
        for use in uses:
            with pytest.raises(EscapeRefusedError) as caught:
                use()
            assert caught.value.reason is Reason.NO_PERMISSION
            assert "ifdDriverOptions" in caught.value.hint
            assert caught.value.hint in str(caught.value)

    def test_a_sale_does_not_fail_over_a_light(self, shop: Shop, opened: Callable[[str], AcsReader]) -> None:
        reader = opened("ACR1252")
        for signal in Signal:
            reader.signal(signal)

    def test_the_reader_is_there_and_says_that_it_can_t_be_asked(
        self, shop: Shop, opened: Callable[[str], AcsReader]
    ) -> None:
        info = opened("ACR1252").info()
        assert info.name == f"{Acr1252Firmware.NAME} 00 00"
        assert info.model == "ACR1252U"
        assert info.firmware == ""
        assert "ifdDriverOptions" in info.details["commands to the reader"]

    def test_lights_that_are_not_there_are_refused(
        self, shop: Shop, opened: Callable[[str], AcsReader]
    ) -> None:
        with pytest.raises(ValueError, match="red, green"):
            opened("ACR1252").set_light("blue", True)


def test_both_slots_have_cards_of_their_own(shop: Shop, opened: Callable[[str], AcsReader]) -> None:
    fields = Field(), Field()
    cards = profile.load("visa-approve"), profile.load("amex-approve")
    with VirtualCard(fields[0], shop.acr1252.ports[0]), VirtualCard(fields[1], shop.acr1252.ports[1]):
        readers = [opened(f"{Acr1252Firmware.NAME} 00 0{slot}") for slot in (0, 1)]
        for _ in range(2):
            for field, card, reader in zip(fields, cards, readers, strict=True):
                field.place(card)
                found = reader.wait_for_card(Event(), timeout_s=10)
                assert found
                assert found.identification == card.atr
                found.release()
            for field, reader in zip(fields, readers, strict=True):
                field.take_away()
                assert reader.wait_for_removal(Event(), timeout_s=10)
