"""What only the serial chip has: the port, its speed, broken answers, an endless card."""

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from drivers.address import DeviceAddress
from drivers.errors import (
    DeviceError,
    DeviceTimeoutError,
    DeviceUnavailableError,
    Reason,
    SeveralCardsError,
    TransmissionError,
)
from drivers.readers import pn532
from simulators.cards import profile
from simulators.cards.misbehaving import SlowCard
from simulators.readers.field import Field
from simulators.readers.pn532_chip import Pn532Chip, Trouble
from simulators.readers.radio import TypeBCard

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
        assert (info.model, info.firmware) == ("PN532", "1.6")
        assert info.details["speed"] == "921600 bit/s"

    def test_calls_a_chip_that_is_slow_to_start_once_more(self, chip: Pn532Chip) -> None:
        chip.start_slowly(1)
        with contextlib.closing(pn532.open(chip.address)) as reader:
            assert reader.info().model == "PN532"

    def test_follows_a_link_and_keeps_its_name(self, chip: Pn532Chip, tmp_path: Path) -> None:
        link = tmp_path / "usb-1a86_USB2.0-Serial-if00-port0"
        link.symlink_to(chip.path)
        with contextlib.closing(pn532.open(DeviceAddress("pn532", str(link)))) as reader:
            assert reader.address.target == str(link)
            assert refused(chip.path).reason is Reason.BUSY

    def test_names_the_links_that_are_there_now(
        self, chip: Pn532Chip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pn532, "_BY_ID", tmp_path)
        link = tmp_path / "usb-1a86_USB2.0-Serial-if00-port0"
        link.symlink_to(chip.path)
        error = refused("/dev/ttyUSB250")
        assert error.reason is Reason.NOT_FOUND
        assert f"pn532:{link}" in error.hint

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
            error = refused(os.ttyname(slave))
            assert error.reason is Reason.NO_ANSWER
            assert error.hint == "check power, cable, and that the module is switched to HSU (serial)"
        finally:
            os.close(master)
            os.close(slave)

    def test_a_file_that_is_no_port(self, tmp_path: Path) -> None:
        file = tmp_path / "port"
        file.touch()
        error = refused(str(file))
        assert (error.reason, error.hint) == (Reason.WRONG_DEVICE, f"it is no serial port: ls -l {file}")

    @pytest.mark.parametrize("target", ["", "ttyUSB0", "/dev/x; true", "/dev/$(true)", "/dev/a b"])
    def test_a_target_that_is_no_plain_path_never_reaches_a_shell(self, target: str) -> None:
        assert "/dev/ttyUSB0" in refused(target).hint

    def test_discovers_nothing(self) -> None:
        assert pn532.discover() == ()


class TestLooking:
    def test_asks_for_both_types_in_turns(self, chip: Pn532Chip, reader: pn532.Pn532Reader) -> None:
        asked = bytearray()

        def nobody(data: bytes) -> bytes:
            asked.append(data[1])
            return b"\x00"

        chip.answer_to(0x4A, nobody)
        assert reader.wait_for_card(Event(), timeout_s=0.0) is None
        assert asked == b"\x03\x00"

    def test_does_not_take_noise_for_a_card(self, chip: Pn532Chip, reader: pn532.Pn532Reader) -> None:
        chip.trouble(Trouble.ERROR_FRAME, times=2)
        assert reader.wait_for_card(Event(), timeout_s=0.0) is None

    def test_lists_more_cards_than_the_chip_can_hold(self, reader: pn532.Pn532Reader, field: Field) -> None:
        for card in [profile.load("visa-approve")] * 3 + [TypeBCard(profile.load("visa-approve"))] * 3:
            field.add(card)
        found = reader.cards_in_field()
        assert [card.protocol[-1] for card in found] == ["A", "A", "A", "B", "B", "B"]
        assert len({tuple(card.details.items()) for card in found}) == 6

    def test_a_card_without_payment_beside_one_with_it_is_two(
        self, reader: pn532.Pn532Reader, field: Field
    ) -> None:
        field.place(profile.load("visa-approve"))
        field.add(profile.make({"card": {"pan": "4761739001010119", "ats": "05788070"}}))
        with pytest.raises(SeveralCardsError):
            reader.wait_for_card(Event(), timeout_s=1.0)

    def test_two_of_type_b_are_told(self, reader: pn532.Pn532Reader, field: Field) -> None:
        for _ in range(2):
            field.add(TypeBCard(profile.load("visa-approve")))
        with pytest.raises(SeveralCardsError):
            reader.wait_for_card(Event(), timeout_s=0.0)

    def test_a_second_card_goes_and_the_first_is_read(self, reader: pn532.Pn532Reader, field: Field) -> None:
        field.place(profile.load("visa-approve"))
        second = field.add(profile.load("mastercard-approve"))
        with pytest.raises(SeveralCardsError):
            reader.wait_for_card(Event(), timeout_s=1.0)
        field.take_away(second)
        card = reader.wait_for_card(Event(), timeout_s=5.0)
        assert card
        assert card.transceive(SELECT_PPSE, timeout_s=5)[-2:] == b"\x90\x00"


class TestDescription:
    def test_of_type_a(self, reader: pn532.Pn532Reader, field: Field) -> None:
        field.place(profile.make({"card": {"pan": "4761739001010119", "ats": "0575778102"}}))
        card = reader.wait_for_card(Event(), timeout_s=5)
        assert card
        told = card.describe()
        assert told.protocol == "ISO/IEC 14443-4 type A"
        assert told.details == {
            "ATQA": "0004",
            "SAK": "20",
            "UID": "08A1B2C3",
            "UID is": "random, another one each time",
            "ATS": "0575778102",
            "FSD": "256 bytes",
            "FSC": "64 bytes",
            "FWI": "8 (77.3 ms)",
            "SFGI": "1 (0.6 ms)",
            "Bit rates": "106 kbit/s; the card offers 212/424/848 to the card and 212/424/848 from the card",
        }

    def test_of_type_b(self, reader: pn532.Pn532Reader, field: Field) -> None:
        data, info = bytes.fromhex("11223344"), bytes.fromhex("337191")
        field.place(TypeBCard(profile.load("visa-approve"), application_data=data, protocol_info=info))
        card = reader.wait_for_card(Event(), timeout_s=5)
        assert card
        told = card.describe()
        assert told.protocol == "ISO/IEC 14443-4 type B"
        assert told.details["ATQB"] == card.identification.hex().upper() == "505000000111223344337191"
        assert (told.details["PUPI"], told.details["Application data"]) == ("50000001", "11223344")
        assert (told.details["FSC"], told.details["FWI"]) == ("128 bytes", "9 (154.7 ms)")
        assert told.details["Bit rates"].endswith("212/424 to the card and 212/424 from the card")


class TestSelfTest:
    def test_tells_wire_memories_and_antenna(self, reader: pn532.Pn532Reader) -> None:
        results = {result.name: result for result in reader.self_test()}
        assert [results[name].passed for name in ("Communication", "ROM", "RAM")] == [True] * 3
        assert results["Antenna"].passed is None
        assert "register 00001111" in results["Antenna"].text
        assert "3.3 V" in results["Antenna"].text

    def test_a_test_that_fails_is_a_result(self, chip: Pn532Chip, reader: pn532.Pn532Reader) -> None:
        def diagnose(data: bytes) -> bytes:
            return {0x00: data[:-1], 0x01: b"\x00", 0x02: b"\xff"}.get(data[0], b"\x80")

        chip.answer_to(0x00, diagnose)
        results = {result.name: result.passed for result in reader.self_test()}
        assert results == {"Communication": False, "ROM": True, "RAM": False, "Antenna": None}

    def test_a_chip_that_does_not_answer_fails_and_raises_nothing(
        self, chip: Pn532Chip, reader: pn532.Pn532Reader
    ) -> None:
        chip.trouble(Trouble.SILENT, times=20)
        assert [result.passed for result in reader.self_test()] == [False, False, False, None]


class TestSettings:
    def test_hold_for_the_next_card_and_not_after_opening_again(
        self, chip: Pn532Chip, reader: pn532.Pn532Reader, field: Field
    ) -> None:
        before = reader.read_settings()
        assert before["CIU_GsNOn"] == "F4"
        reader.write_settings({"CIU_GsNOn": "a0"})
        assert reader.read_settings() == {**before, "CIU_GsNOn": "A0"}
        field.place(profile.load("visa-approve"))
        card = reader.wait_for_card(Event(), timeout_s=5)
        assert card
        assert chip.register(0x6317) == 0xA0
        reader.close()
        with contextlib.closing(pn532.open(chip.address)) as again:
            assert again.read_settings() == before

    @pytest.mark.parametrize(
        "wrong", [{"CIU_Command": "00"}, {"": "00"}, {"CIU_GsNOn": "100"}, {"CIU_GsNOn": "0x"}]
    )
    def test_nothing_is_written_where_one_is_wrong(
        self, reader: pn532.Pn532Reader, wrong: dict[str, str]
    ) -> None:
        before = reader.read_settings()
        with pytest.raises(ValueError, match="CIU_"):
            reader.write_settings({"CIU_ModGsP": "22", **wrong})
        assert reader.read_settings() == before


class TestField:
    def test_goes_on_and_off(self, chip: Pn532Chip, reader: pn532.Pn532Reader) -> None:
        reader.set_field(True)
        assert chip.field_on
        reader.set_field(False)
        assert not chip.field_on

    def test_a_stopped_wait_turns_it_off(self, chip: Pn532Chip, reader: pn532.Pn532Reader) -> None:
        reader.set_field(True)
        stop = Event()
        stop.set()
        assert reader.wait_for_card(stop, timeout_s=1.0) is None
        assert not chip.field_on


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

    @pytest.mark.parametrize("trouble", [Trouble.WRONG_CHECKSUM, Trouble.ERROR_FRAME])
    def test_one_broken_frame_in_an_exchange_is_told_and_the_reader_goes_on(
        self, chip: Pn532Chip, reader: pn532.Pn532Reader, field: Field, trouble: Trouble
    ) -> None:
        field.place(profile.load("visa-approve"))
        card = reader.wait_for_card(Event(), timeout_s=5)
        assert card
        chip.trouble(trouble)
        with pytest.raises(TransmissionError):
            card.transceive(SELECT_PPSE, timeout_s=5)
        card.release()
        again = reader.wait_for_card(Event(), timeout_s=5)
        assert again
        assert again.transceive(SELECT_PPSE, timeout_s=5)[-2:] == b"\x90\x00"

    @pytest.mark.parametrize("trouble", [Trouble.SILENT, Trouble.NO_ANSWER])
    def test_a_chip_that_falls_silent_is_stuck(
        self, chip: Pn532Chip, reader: pn532.Pn532Reader, trouble: Trouble
    ) -> None:
        chip.trouble(trouble)
        with pytest.raises(DeviceUnavailableError) as caught:
            reader.info()
        assert caught.value.reason is Reason.STUCK
        assert reader.info().model == "PN532"

    def test_an_answer_without_an_acknowledgement_is_taken(
        self, chip: Pn532Chip, reader: pn532.Pn532Reader
    ) -> None:
        chip.trouble(Trouble.NO_ACK)
        assert reader.info().firmware == "1.6"

    def test_an_unknown_status_is_told(
        self, chip: Pn532Chip, reader: pn532.Pn532Reader, field: Field
    ) -> None:
        field.place(profile.load("visa-approve"))
        card = reader.wait_for_card(Event(), timeout_s=5)
        assert card
        chip.answer_to(0x42, lambda data: b"\x0d")
        with pytest.raises(TransmissionError):
            card.transceive(SELECT_PPSE, timeout_s=5)
