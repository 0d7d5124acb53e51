"""The real daemon with the real CCID driver, and an ACS reader on its wire: escapes, and a cable to pull."""

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from drivers.abilities import Signal
from drivers.address import DeviceAddress
from drivers.errors import CardLostError, DeviceError, DeviceUnavailableError, Reason
from drivers.readers import pcsc
from drivers.readers.pcsc_acs import AcsReader
from drivers.readers.pcsc_context import EscapeRefusedError
from simulators.cards import profile
from simulators.readers.acs_ccid import CcidReader
from simulators.readers.acs_firmware import Acr122Firmware, Acr1252Firmware
from simulators.readers.field import Field
from simulators.readers.pcsc_daemon import PcscDaemon, PcscDaemonError, SerialReader

SELECT_PPSE = bytes.fromhex("00A404000E325041592E5359532E444446303100")


@contextlib.contextmanager
def attached(daemon: PcscDaemon, wire: CcidReader, name: str, *, escapes: bool = True) -> Iterator[AcsReader]:
    """Open a reader that the daemon drives by CCID."""
    with wire, contextlib.ExitStack() as stack:
        try:
            stack.enter_context(
                daemon.replaced_by(SerialReader(name, wire.path), escapes=escapes, wait_s=5.0)
            )
        except PcscDaemonError as error:
            pytest.skip(str(error))
        reader = pcsc.open(DeviceAddress("pcsc", name))
        assert isinstance(reader, AcsReader)
        yield stack.enter_context(contextlib.closing(reader))


@pytest.fixture
def firmware() -> Acr122Firmware:
    return Acr122Firmware()


@pytest.fixture
def wire(field: Field, firmware: Acr122Firmware) -> CcidReader:
    return CcidReader(field, firmware)


@pytest.fixture
def acr122(wire: CcidReader, pcsc_daemon: PcscDaemon) -> Iterator[AcsReader]:
    with attached(pcsc_daemon, wire, Acr122Firmware.NAME) as reader:
        yield reader


def test_the_acr122_is_asked_and_switched_without_a_card(acr122: AcsReader, firmware: Acr122Firmware) -> None:
    info = acr122.info()
    assert (info.model, info.firmware) == ("ACR122U", "ACR122U203")
    acr122.signal(Signal.CARD_READ)
    assert firmware.lights == {"red": False, "green": True}
    assert firmware.beeps == [0.1]
    acr122.write_settings({"picc-operating-parameter": "EF"})
    assert acr122.read_settings() == {"picc-operating-parameter": "EF"}
    assert [result.passed for result in acr122.self_test()] == [True] * 5 + [None]


def test_the_next_wait_switches_the_field_on(
    acr122: AcsReader, firmware: Acr122Firmware, field: Field
) -> None:
    field.place(profile.load("visa-approve"))
    acr122.set_field(False)
    assert not firmware.field_on
    assert acr122.wait_for_removal(Event(), timeout_s=10)
    card = acr122.wait_for_card(Event(), timeout_s=10)
    assert card
    assert firmware.field_on
    assert card.transceive(SELECT_PPSE, timeout_s=1).endswith(b"\x90\x00")
    acr122.beep(0.2)
    assert firmware.beeps == [0.2]


def test_a_card_that_is_taken_away_is_lost_and_the_next_is_found(acr122: AcsReader, field: Field) -> None:
    field.place(profile.load("visa-approve"))
    card = acr122.wait_for_card(Event(), timeout_s=10)
    assert card
    field.take_away()
    with pytest.raises(CardLostError):
        card.transceive(SELECT_PPSE, timeout_s=1)
    card.release()
    assert acr122.wait_for_removal(Event(), timeout_s=10)
    amex = profile.load("amex-approve")
    field.place(amex)
    again = acr122.wait_for_card(Event(), timeout_s=10)
    assert again
    assert again.identification == amex.atr


def test_the_acr1252_takes_escape_commands(field: Field, pcsc_daemon: PcscDaemon) -> None:
    firmware = Acr1252Firmware()
    with attached(pcsc_daemon, CcidReader(field, firmware), Acr1252Firmware.NAME) as reader:
        info = reader.info()
        assert info.model == "ACR1252U"
        assert info.firmware == "ACR1252U_V206.4"
        assert info.serial_number == "RR123-456789"
        reader.signal(Signal.CARD_READ)
        assert firmware.lights == {"red": False, "green": True}
        assert firmware.beeps == [0.1]
        before = reader.read_settings()
        reader.write_settings({"automatic-polling": "8A"})
        assert [result.passed for result in reader.self_test()] == [True, True, False]
        reader.write_settings(before)
        assert firmware.settings == {0x20: 0x1F, 0x21: 0x7F, 0x23: 0x8B}
        reader.set_field(False)
        assert not firmware.field_on
        reader.set_field(True)
        assert firmware.field_on


def test_the_driver_as_installed_refuses_and_the_cure_is_its_option(
    wire: CcidReader, pcsc_daemon: PcscDaemon
) -> None:
    with attached(pcsc_daemon, wire, Acr122Firmware.NAME, escapes=False) as reader:
        assert "ifdDriverOptions" in reader.info().details["commands to the reader"]
        with pytest.raises(EscapeRefusedError) as caught:
            reader.beep(0.1)
        assert caught.value.reason is Reason.NO_PERMISSION
        assert "ifdDriverOptions" in caught.value.hint


class TestUnplugged:
    def test_while_it_waits_for_a_card(self, acr122: AcsReader, wire: CcidReader) -> None:
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(acr122.wait_for_card, Event(), timeout_s=60)
            wire.stop()
            self.is_told(waiting.result)

    def test_while_it_is_idle(self, acr122: AcsReader, wire: CcidReader) -> None:
        assert acr122.info()
        wire.stop()
        # The daemon notices at its next look: until then all is well.
        error = None
        while error is None:
            Event().wait(0.02)
            try:
                acr122.info()
            except DeviceUnavailableError as gone:
                error = gone
        assert error.reason is Reason.NOT_FOUND

    def test_in_the_middle_of_an_exchange(self, acr122: AcsReader, wire: CcidReader, field: Field) -> None:
        field.place(profile.load("visa-approve"))
        card = acr122.wait_for_card(Event(), timeout_s=10)
        assert card
        wire.stop()
        with pytest.raises(DeviceError):
            card.transceive(SELECT_PPSE, timeout_s=1)
        card.release()
        self.is_told(lambda: acr122.wait_for_card(Event(), timeout_s=60))

    @staticmethod
    def is_told(use: Callable[[], object]) -> None:
        with pytest.raises(DeviceUnavailableError) as caught:
            use()
        assert caught.value.reason is Reason.NOT_FOUND
        assert caught.value.hint

    def test_it_is_opened_again_once_it_is_back_under_another_path(
        self, field: Field, firmware: Acr122Firmware, pcsc_daemon: PcscDaemon
    ) -> None:
        for _ in range(2):
            with attached(pcsc_daemon, CcidReader(field, firmware), Acr122Firmware.NAME) as reader:
                assert reader.info().firmware == "ACR122U203"
