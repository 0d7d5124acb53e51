"""What only the serial chip has: the port, its speed, broken answers, an endless card."""

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from drivers.address import DeviceAddress
from drivers.errors import DeviceError, DeviceTimeoutError, DeviceUnavailableError, Reason, TransmissionError
from drivers.readers import pn532
from simulators.cards import profile
from simulators.cards.misbehaving import SlowCard
from simulators.readers.field import Field
from simulators.readers.pn532_chip import Pn532Chip

SELECT_PPSE = bytes.fromhex("00A404000E325041592E5359532E444446303100")


@pytest.fixture
def chip(field: Field) -> Iterator[Pn532Chip]:
    with Pn532Chip(field) as chip:
        yield chip


@pytest.fixture
def reader(chip: Pn532Chip) -> Iterator[pn532.Pn532Reader]:
    with contextlib.closing(pn532.open(DeviceAddress("pn532", chip.path))) as reader:
        yield reader


def refused(target: str) -> DeviceUnavailableError:
    with pytest.raises(DeviceUnavailableError) as caught:
        pn532.open(DeviceAddress("pn532", target))
    return caught.value


class TestOpen:
    def test_asks_the_chip_who_it_is(self, reader: pn532.Pn532Reader) -> None:
        info = reader.info()
        assert info.firmware == "1.6"
        assert info.name.startswith("PN532")

    def test_runs_fast_while_open_and_slow_after(self, chip: Pn532Chip) -> None:
        reader = pn532.open(DeviceAddress("pn532", chip.path))
        assert chip.speed == 921600
        reader.close()
        with contextlib.closing(pn532.open(DeviceAddress("pn532", chip.path))) as again:
            assert again.info().name

    def test_finds_a_chip_that_a_killed_terminal_left_fast(self, chip: Pn532Chip) -> None:
        address = DeviceAddress("pn532", chip.path)
        pid = os.fork()
        if pid == 0:
            pn532.open(address)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert chip.speed == 921600
        with contextlib.closing(pn532.open(address)) as reader:
            assert reader.info().name

    def test_a_port_that_is_not_there(self) -> None:
        error = refused("/dev/ttyUSB250")
        assert (error.reason, error.hint[:6]) == (Reason.NOT_FOUND, "attach")

    def test_a_port_that_is_in_use(self, reader: pn532.Pn532Reader) -> None:
        error = refused(reader.address.target)
        assert error.reason is Reason.BUSY
        assert reader.address.target in error.hint

    def test_a_port_with_nothing_behind_it(self) -> None:
        master, slave = os.openpty()
        try:
            assert refused(os.ttyname(slave)).reason is Reason.NOT_FOUND
        finally:
            os.close(master)
            os.close(slave)

    def test_a_file_that_is_no_port(self, tmp_path: Path) -> None:
        file = tmp_path / "port"
        file.touch()
        assert refused(str(file)).reason is Reason.NOT_FOUND

    @pytest.mark.parametrize("target", ["", "ttyUSB0", "/dev/x; true", "/dev/$(true)", "/dev/a b"])
    def test_a_target_that_is_no_plain_path_never_reaches_a_shell(self, target: str) -> None:
        assert "/dev/ttyUSB0" in refused(target).hint

    def test_discovers_nothing(self) -> None:
        assert pn532.discover() == ()


class TestPulledCable:
    def test_is_told_wherever_it_is_noticed(self, chip: Pn532Chip, field: Field) -> None:
        field.place(profile.load("visa-approve"))
        reader = pn532.open(DeviceAddress("pn532", chip.path))
        card = reader.wait_for_card(Event(), timeout_s=5)
        assert card
        chip.stop()
        with pytest.raises(DeviceUnavailableError) as caught:
            card.transceive(SELECT_PPSE, timeout_s=1)
        assert caught.value.reason is Reason.NOT_FOUND
        card.release()
        for use in (reader.info, lambda: reader.wait_for_card(Event(), timeout_s=1)):
            with pytest.raises(DeviceUnavailableError):
                use()
        reader.close()


class TestCards:
    def test_an_endless_request_for_time_ends_at_the_limit(
        self, reader: pn532.Pn532Reader, field: Field
    ) -> None:
        field.place(SlowCard(profile.load("visa-approve"), extensions=10**9))
        card = reader.wait_for_card(Event(), timeout_s=5)
        assert card
        with pytest.raises(DeviceTimeoutError):
            card.transceive(SELECT_PPSE, timeout_s=0.05)

    def test_a_card_of_another_kind_is_passed_over(self, reader: pn532.Pn532Reader, field: Field) -> None:
        field.place(profile.make({"card": {"pan": "4761739001010119", "ats": "05788070"}}))
        assert reader.wait_for_card(Event(), timeout_s=0.0) is None

    @pytest.mark.parametrize("ats", ["01", "0320FF", "067577810280", "0578807002"])
    def test_any_lawful_ats_will_do(self, reader: pn532.Pn532Reader, field: Field, ats: str) -> None:
        field.place(profile.make({"card": {"pan": "4761739001010119", "ats": ats}}))
        card = reader.wait_for_card(Event(), timeout_s=5)
        assert card
        assert card.identification == bytes.fromhex(ats)
        assert card.transceive(SELECT_PPSE, timeout_s=5)[-2:] == b"\x90\x00"

    def test_nothing_of_a_card_reaches_a_log(
        self, reader: pn532.Pn532Reader, field: Field, caplog: pytest.LogCaptureFixture
    ) -> None:
        field.place(profile.load("visa-approve"))
        with caplog.at_level(1):
            logging.getLogger("tillside.test").debug("heard")
            card = reader.wait_for_card(Event(), timeout_s=5)
            assert card
            card.transceive(SELECT_PPSE, timeout_s=5)
        assert "heard" in caplog.text
        assert not logging.getLogger("nfc.clf.transport").isEnabledFor(logging.INFO)
        assert SELECT_PPSE[5:19].hex() not in caplog.text.lower()


class TestBrokenChip:
    @pytest.mark.parametrize(
        "spoil", [b"", b"\x00", b"\x00\x00\xff", b"\xff" * 9, bytes.fromhex("0000FF03FDD5030028")]
    )
    def test_a_broken_answer_is_a_device_error(
        self, chip: Pn532Chip, reader: pn532.Pn532Reader, monkeypatch: pytest.MonkeyPatch, spoil: bytes
    ) -> None:
        send = chip.send
        monkeypatch.setattr(chip, "send", lambda frame: send(spoil))
        with pytest.raises(DeviceError):
            reader.wait_for_card(Event(), timeout_s=1)
        with pytest.raises(DeviceUnavailableError):
            reader.info()

    def test_an_unknown_status_is_told(
        self, chip: Pn532Chip, reader: pn532.Pn532Reader, field: Field
    ) -> None:
        field.place(profile.load("visa-approve"))
        card = reader.wait_for_card(Event(), timeout_s=5)
        assert card
        chip.answer_to(0x42, lambda data: b"\x0d")
        with pytest.raises(TransmissionError):
            card.transceive(SELECT_PPSE, timeout_s=5)
