"""The commands of ACS readers, byte for byte as their manuals have them."""

import pytest

from drivers.abilities import TestResult
from drivers.errors import DeviceError, TransmissionError
from drivers.readers import acs

ACR122 = "ACS ACR122U PICC Interface 00 00"
ACR1252 = "ACS ACR1252 Dual Reader [ACR1252 Dual Reader PICC] 00 00"
ACR1255 = "ACS ACR1255U-J1 00 00"


class Wire:
    """Answers each command as it is told to, and fails over any other."""

    def __init__(self, *script: tuple[str, str], card: bool = False) -> None:
        self.holds_card = card
        self._script = list(script)

    def pseudo(self, command: bytes) -> bytes:
        return self._answer("FF", command)

    def escape(self, command: bytes) -> bytes:
        return self._answer("E0", command)

    def _answer(self, kind: str, command: bytes) -> bytes:
        assert self._script, f"not expected: {command.hex(' ')}"
        wanted, answer = self._script.pop(0)
        assert command.hex(" ").upper() == wanted
        assert wanted.startswith(kind)
        return bytes.fromhex(answer)

    def done(self) -> bool:
        return not self._script


def family(name: str) -> acs.Family:
    found = acs.family(name)
    assert found is not None
    return found


class TestFamily:
    @pytest.mark.parametrize(
        ("name", "model"),
        [
            (ACR122, "ACR122U"),
            ("ACS ACR122 01 00", "ACR122U"),
            (ACR1252, "ACR1252U"),
            ("ACS ACR1252IMP Reader 00 00", "ACR1252U"),
            ("ACS ACM1252U-Y3 00 00", "ACR1252U"),
            ("ACS ACR1251 Dual Reader 00 00", "ACR1251U"),
            (ACR1255, "ACR1255U-J1"),
            ("ACS ACR1281U 00 00", "ACR1281U"),
        ],
    )
    def test_is_known_by_the_reader_s_name(self, name: str, model: str) -> None:
        assert family(name).model == model

    @pytest.mark.parametrize("name", ["Virtual PCD 00 00", "ACS ACR1222L 00 00", "ACS ACR38U-CCID 00 00"])
    def test_a_stranger_has_none(self, name: str) -> None:
        assert acs.family(name) is None


class TestAcr122:
    def test_tells_its_firmware_without_a_status_word(self) -> None:
        wire = Wire(("FF 00 48 00 00", "41 43 52 31 32 32 55 32 30 31"))
        assert family(ACR122).firmware(wire) == "ACR122U201"

    @pytest.mark.parametrize(
        ("lights", "command"),
        [
            ({"red": True}, "FF 00 40 05 04 00 00 00 00"),
            ({"green": True}, "FF 00 40 0A 04 00 00 00 00"),
            ({"red": False, "green": True}, "FF 00 40 0E 04 00 00 00 00"),
            ({"red": True, "green": False}, "FF 00 40 0D 04 00 00 00 00"),
        ],
    )
    def test_switches_lights(self, lights: dict[str, bool], command: str) -> None:
        # 0E and 0D are what nfcpy sends for green alone and for red alone.
        wire = Wire((command, "90 02"))
        family(ACR122).show(wire, lights)
        assert wire.done()

    @pytest.mark.parametrize(
        ("duration_s", "times", "data"),
        [
            (0.3, 1, "03 00 01 01"),
            (0.01, 1, "01 00 01 01"),
            (0.1, 2, "01 01 02 01"),
            (600.0, 1, "32 00 01 01"),
        ],
    )
    def test_sounds(self, duration_s: float, times: int, data: str) -> None:
        wire = Wire((f"FF 00 40 00 04 {data}", "90 00"))
        family(ACR122).beep(wire, duration_s, times)
        assert wire.done()

    def test_switches_the_chip_s_field(self) -> None:
        wire = Wire(
            ("FF 00 00 00 04 D4 32 01 00", "D5 33 90 00"), ("FF 00 00 00 04 D4 32 01 01", "D5 33 90 00")
        )
        family(ACR122).set_field(wire, False)
        family(ACR122).set_field(wire, True)
        assert wire.done()

    def test_reads_and_writes_its_settings(self) -> None:
        wire = Wire(
            ("FF 00 50 00 00", "90 FF"),
            ("FF 00 51 7F 00", "90 7F"),
            ("FF 00 52 00 00", "90 00"),
            ("FF 00 41 02 00", "90 00"),
        )
        reader = family(ACR122)
        assert reader.read_settings(wire) == {acs.PICC_PARAMETER: "FF"}
        reader.write_setting(wire, acs.PICC_PARAMETER, "7F")
        reader.write_setting(wire, acs.BUZZER_AT_CARD, "00")
        reader.write_setting(wire, acs.TIME_LIMIT, "02")
        assert wire.done()

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("volume", "00"),
            (acs.PICC_PARAMETER, "100"),
            (acs.PICC_PARAMETER, "xy"),
            (acs.PICC_PARAMETER, ""),
            (acs.BUZZER_AT_CARD, "01"),
        ],
    )
    def test_refuses_what_can_t_be_written(self, name: str, value: str) -> None:
        with pytest.raises(ValueError, match=name):
            family(ACR122).check_setting(name, value)

    def test_a_setting_that_is_not_kept_is_told(self) -> None:
        with pytest.raises(TransmissionError, match="at FF"):
            family(ACR122).write_setting(Wire(("FF 00 51 7F 00", "90 FF")), acs.PICC_PARAMETER, "7F")

    def test_tests_itself_and_goes_on_after_a_failure(self) -> None:
        line = bytes(range(0x40, 0x60)).hex(" ").upper()
        wire = Wire(
            ("FF 00 48 00 00", b"ACR122U203".hex()),
            ("FF 00 00 00 02 D4 02", "D5 03 32 01 06 07 90 00"),
            (f"FF 00 00 00 23 D4 00 00 {line}", f"D5 01 00 {line} 90 00"),
            ("FF 00 00 00 03 D4 00 01", "D5 01 00 90 00"),
            ("FF 00 00 00 03 D4 00 02", "63 00"),
            ("FF 00 00 00 04 D4 00 07 31", "D5 01 80 90 00"),
        )
        assert family(ACR122).self_test(wire) == (
            TestResult("reader", True, "ACR122U203"),
            TestResult("chip", True, "PN532 1.6"),
            TestResult("communication line", True),
            TestResult("ROM", True),
            TestResult("RAM", False, "the reader answered 6300"),
            TestResult("antenna", None, "80: too little current"),
        )
        assert wire.done()

    @pytest.mark.parametrize("answer", ["", "63 00", "90", "90 00 00"])
    def test_a_refusal_is_an_error(self, answer: str) -> None:
        with pytest.raises(TransmissionError):
            family(ACR122).show(Wire(("FF 00 40 0A 04 00 00 00 00", answer)), {"green": True})


class TestAcr1252:
    def test_tells_firmware_and_serial_number(self) -> None:
        # The first answer is the example of the manual.
        wire = Wire(
            ("E0 00 00 18 00", "E1 00 00 00 0F 41 43 52 31 32 35 32 55 5F 56 32 30 32 2E 32"),
            ("E0 00 00 33 00", "E1 00 00 00 06" + b"RR1234".hex()),
        )
        assert family(ACR1252).firmware(wire) == "ACR1252U_V202.2"
        assert family(ACR1252).serial_number(wire) == "RR1234"

    def test_leaves_the_other_light_as_it_is(self) -> None:
        wire = Wire(("E0 00 00 29 00", "E1 00 00 00 01 01"), ("E0 00 00 29 01 03", "E1 00 00 00 01 03"))
        family(ACR1252).show(wire, {"green": True})
        assert wire.done()

    def test_sounds_in_units_of_ten_milliseconds(self) -> None:
        wire = Wire(("E0 00 00 28 01 0A", "E1 00 00 00 01 00"), ("E0 00 00 28 01 FA", "E1 00 00 00 01 00"))
        family(ACR1252).beep(wire, 0.1)
        family(ACR1252).beep(wire, 60.0)
        assert wire.done()

    def test_takes_the_card_s_way_where_there_is_a_card(self) -> None:
        wire = Wire(
            ("FF 00 40 0A 04 00 00 00 00", "90 02"),
            ("FF 00 40 00 04 01 00 01 01", "90 02"),
            ("FF 00 48 00 00", b"ACR1252U_V206.4".hex()),
            card=True,
        )
        reader = family(ACR1252)
        reader.show(wire, {"green": True})
        reader.beep(wire, 0.1)
        assert reader.firmware(wire) == "ACR1252U_V206.4"

    def test_switches_the_field_by_a_transparent_session(self) -> None:
        done = "C0 03 00 90 00 90 00"
        wire = Wire(*((f"FF C2 00 00 02 {tag} 00", done) for tag in ("81", "83", "84", "82")))
        family(ACR1252).set_field(wire, False)
        family(ACR1252).set_field(wire, True)
        assert wire.done()

    def test_a_session_that_is_refused_is_told(self) -> None:
        wire = Wire(("FF C2 00 00 02 81 00", "C0 03 01 6A 81 90 00"))
        with pytest.raises(TransmissionError, match="6A81"):
            family(ACR1252).set_field(wire, False)

    def test_reads_and_writes_its_settings(self) -> None:
        wire = Wire(
            ("E0 00 00 20 00", "E1 00 00 00 01 1F"),
            ("E0 00 00 21 00", "E1 00 00 00 01 7F"),
            ("E0 00 00 23 00", "E1 00 00 00 01 8B"),
            ("E0 00 00 23 01 8F", "E1 00 00 00 01 8F"),
        )
        reader = family(ACR1252)
        assert reader.read_settings(wire) == {
            acs.PICC_PARAMETER: "1F",
            acs.BEHAVIOUR: "7F",
            acs.POLLING: "8B",
        }
        reader.write_setting(wire, acs.POLLING, "8f")
        assert wire.done()

    def test_polling_that_is_off_fails_the_self_test(self) -> None:
        wire = Wire(
            ("E0 00 00 18 00", "E1 00 00 00 01 41"),
            ("E0 00 00 29 00", "E1 00 00 00 01 00"),
            ("E0 00 00 23 00", "E1 00 00 00 01 8A"),
        )
        assert [result.passed for result in family(ACR1252).self_test(wire)] == [True, True, False]

    @pytest.mark.parametrize("answer", ["", "63 00", "E1 00 00 00 05 41", "E0 00 00 00 01 41"])
    def test_a_refusal_is_an_error(self, answer: str) -> None:
        with pytest.raises(DeviceError):
            family(ACR1252).firmware(Wire(("E0 00 00 18 00", answer)))


def test_the_bluetooth_reader_has_its_own_lights_field_and_serial_number() -> None:
    wire = Wire(
        ("E0 00 00 29 00", "E1 00 00 00 01 00"),
        ("E0 00 00 29 01 04", "E1 00 00 00 01 04"),
        ("E0 00 00 25 01 00", "E1 00 00 00 01 00"),
        ("E0 00 00 47 00", "E1 00 00 00 02 52 52"),
    )
    reader = family(ACR1255)
    assert reader.lights == ("green", "red", "blue", "second red")
    reader.show(wire, {"blue": True})
    reader.set_field(wire, False)
    assert reader.serial_number(wire) == "RR"
