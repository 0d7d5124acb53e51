"""The benches: readers with cards, commands and stress; cameras with pictures and codes."""

import logging
from pathlib import Path
from threading import Event

import pytest

from drivers.abilities import Picture
from drivers.address import DeviceAddress
from drivers.errors import DeviceUnavailableError, Reason
from drivers.protocols import Code, DeviceInfo
from simulators.cards import profile
from simulators.readers import in_process
from simulators.readers.field import Field, Placement
from simulators.readers.in_process import InProcessReader
from terminal.benches.camera_bench import masked
from terminal.benches.console import SELECT_PPSE, ApduError, parse_apdu
from terminal.benches.latency import NO_TIMES, latency_of
from terminal.devices.worker import DeviceState
from terminal.tui.technician.app import TechnicianApp
from terminal.tui.technician.command_input import CommandInput
from terminal.tui.technician.console_lines import ConsoleLines
from tests.terminal.tui.screen_cells import cells_of, text_of, words_of
from tests.terminal.tui.workshops import devices, told, until, until_shown, worker_of, workshop_of

PAY_CODE = "281234567890123456"
READ_RECORD = "00B2011400"


class Bench(InProcessReader):
    """A simulated reader with lights, a buzzer and a field; notes what it is told."""

    def __init__(self, address: DeviceAddress, field: Field) -> None:
        super().__init__(address, field)
        self.told: list[str] = []

    @property
    def lights(self) -> tuple[str, ...]:
        return ("red", "green")

    def set_light(self, name: str, on: bool) -> None:
        self.told.append(f"{name} {'on' if on else 'off'}")

    def beep(self, duration_s: float) -> None:
        self.told.append("beep")

    def set_field(self, on: bool) -> None:
        self.told.append(f"field {'on' if on else 'off'}")


# Reader


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_card_in_the_field_is_told_with_the_kernel_it_would_get(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    field = Field()
    opened = lambda address: InProcessReader(address, field)  # noqa: E731
    with workshop_of(tmp_path, readers=(worker_of("sim:", opened),)) as workshop:
        async with TechnicianApp(workshop).run_test(size=size) as pilot:
            await pilot.press("2")
            await until_shown(pilot, "hold a card to the reader")
            field.place(profile.load("mastercard-approve"))
            await until_shown(pilot, "card in the field", "2 (Mastercard)", "ATS: 08 78")
            field.take_away()
            await until_shown(pilot, "hold a card to the reader")
            field.place(profile.load("malicious-ppse-empty"))
            await until_shown(pilot, "none: no application that card and terminal have in common")


async def test_commands_by_hand_are_answered_masked_and_remembered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "terminal.technician")
    card = profile.load("mastercard-approve")
    with workshop_of(
        tmp_path, readers=(worker_of("sim:", lambda address: InProcessReader(address, Field(card))),)
    ) as workshop:
        app = TechnicianApp(workshop)
        async with app.run_test(size=(120, 60)) as pilot:
            await pilot.press("2")
            await until_shown(pilot, "card in the field")
            await pilot.press("i", "enter")
            await until_shown(pilot, "SELECT 2PAY.SYS.DDF01", "9000 fine", "held, g lets go")
            line = app.screen.query_one(CommandInput)
            for typed in (
                "00a4040007a0000000041010",
                "80a8000002830000",
                "00B2010C00",
                "00B2011400",
                "00B2011C00",
            ):
                line.value = typed
                await pilot.press("enter")
            await until_shown(pilot, "00 B2 01 1C READ RECORD")
            shown = told(app).replace(" ", "").upper()
            assert "541333******0011" in shown or "0011" in shown
            # Neither the card number nor its digits as the card's track 1 has them, in hexadecimal.
            assert "5413330089020011" not in shown
            assert b"5413330089".hex() not in shown
            await pilot.press("up", "up")
            assert line.value == "00B2011400"
            await pilot.press("down", "down")
            assert line.value == ""
            await pilot.press(*"xyz", "enter")
            await until_shown(pilot, "A command is hexadecimal")
            # While somebody types, the strip has the keys of the line and no others.
            await until_shown(pilot, "Enter Send Up Earlier Down Later Esc Leave")
            assert "s Stress" not in words_of(app)
            await pilot.press("escape", "g")
            await until(pilot, lambda: "held, g lets go" not in words_of(app))
            await until(pilot, lambda: "s Stress f Field PgUp Up PgDn Down" in words_of(app))
            # The log has that it was done, and nothing of what was sent.
            assert caplog.text.count("a command sent to a card by hand") == 6
            assert "2PAY" not in caplog.text
            assert "00B2" not in caplog.text.upper().replace(" ", "")


async def test_the_newest_answers_status_is_seen_on_a_small_screen(tmp_path: Path) -> None:
    field = Field()
    opened = lambda address: InProcessReader(address, field)  # noqa: E731
    with workshop_of(tmp_path, readers=(worker_of("sim:", opened),)) as workshop:
        app = TechnicianApp(workshop)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("2")
            await until_shown(pilot, "hold a card to the reader")
            await pilot.press("g")
            await until_shown(pilot, "There is no card to let go of")
            await pilot.press("i", "enter")
            await until_shown(pilot, "There is no card in the field")
            field.place(profile.load("mastercard-approve"))
            line = app.screen.query_one(CommandInput)
            box = app.screen.query_one("#reader-lines-box")
            lines = app.screen.query_one(ConsoleLines)
            # The last answer is longer than the box.
            for typed in ("00a4040007a0000000041010", "80a8000002830000", ""):
                line.value = typed
                await pilot.press("enter")
            await until(pilot, lambda: "2PAY" in str(lines.content))
            await until(pilot, lambda: box.scroll_y == lines.newest_top() > 0)
            assert box.max_scroll_y > lines.newest_top()
            await until(pilot, lambda: "2PAY.SYS.DDF01" in words_of(app) and "‹ 9000 fine" in words_of(app))


async def test_a_stress_loop_has_percentiles_and_a_key_that_ends_it(tmp_path: Path) -> None:
    class Slow(Field):
        """Answers as slowly as a card does."""

        def transmit(self, placement: Placement, capdu: bytes) -> bytes | None:
            Event().wait(0.002)
            return super().transmit(placement, capdu)

    field = Slow(profile.load("visa-approve"))
    opened = lambda address: InProcessReader(address, field)  # noqa: E731
    with workshop_of(tmp_path, readers=(worker_of("sim:", opened),)) as workshop:
        async with TechnicianApp(workshop).run_test() as pilot:
            await pilot.press("2")
            await until_shown(pilot, "card in the field")
            await pilot.press("minus", "s")
            await until_shown(pilot, "10 of 10, done", "median", "p90", "p99", "a second")
            await pilot.press("plus", "plus", "plus", "plus", "s")
            await until_shown(pilot, "of 10000, running")
            await pilot.press("x")
            shown = await until_shown(pilot, "of 10000, done")
            assert "10000 of 10000" not in shown
            await pilot.press("x")
            await until_shown(pilot, "No stress loop is running", "of 10000, done")
            await pilot.press("s")
            await until_shown(pilot, "of 10000, running")
            field.take_away()
            await until_shown(pilot, "of 10000, failed")


async def test_lights_buzzer_and_field_are_switched_where_the_reader_has_them(tmp_path: Path) -> None:
    field = Field(profile.load("visa-approve"))
    readers: list[Bench] = []

    def opened(address: DeviceAddress) -> Bench:
        readers.append(Bench(address, field))
        return readers[-1]

    with workshop_of(tmp_path, readers=(worker_of("sim:", opened),)) as workshop:
        async with TechnicianApp(workshop).run_test() as pilot:
            await pilot.press("2")
            await until_shown(pilot, "card in the field")
            await pilot.press("l", "l", "l", "z", "f")
            await until_shown(pilot, "the field is off", "light: off")
            assert readers[0].told == [
                *("red on", "green off", "red off", "green on", "red off", "green off"),
                *("beep", "field off"),
            ]
            await pilot.press("f")
            await until_shown(pilot, "card in the field")


async def test_a_reader_without_lights_says_so(tmp_path: Path) -> None:
    with workshop_of(tmp_path, devices(readers="sim:visa-approve")) as workshop:
        async with TechnicianApp(workshop).run_test() as pilot:
            await pilot.press("2")
            await until_shown(pilot, "card in the field")
            await pilot.press("z")
            await until_shown(pilot, "This reader has no buzzer")


async def test_the_bench_goes_on_when_the_reader_is_back_and_gives_it_back_when_left(tmp_path: Path) -> None:
    field = Field(profile.load("visa-approve"))
    unplugged = Event()

    class Pulled(InProcessReader):
        def wait_for_removal(self, stop: Event, *, timeout_s: float) -> bool:
            if unplugged.is_set():
                raise DeviceUnavailableError(self.address, Reason.NOT_FOUND, "plug it in")
            return super().wait_for_removal(stop, timeout_s=timeout_s)

    def opened(address: DeviceAddress) -> Pulled:
        if unplugged.is_set():
            raise DeviceUnavailableError(address, Reason.NOT_FOUND, "plug it in")
        return Pulled(address, field)

    with workshop_of(tmp_path, readers=(worker_of("sim:", opened),)) as workshop:
        worker = workshop.pool.readers[0]
        async with TechnicianApp(workshop).run_test() as pilot:
            await pilot.press("2")
            await until_shown(pilot, "card in the field")
            unplugged.set()
            await until_shown(pilot, "not found", "Pane 1 has the cure")
            unplugged.clear()
            worker.nudge()
            await until_shown(pilot, "card in the field")
            await pilot.press("9")
            await until(pilot, lambda: worker.status.state is DeviceState.READY)


@pytest.mark.parametrize("text", ["", "0", "zz", "00A4", "00A40400051122"])
def test_what_is_no_command_is_refused(text: str) -> None:
    with pytest.raises(ApduError):
        parse_apdu(text)


def test_a_command_may_be_written_with_blanks_and_colons() -> None:
    assert parse_apdu("0x00 A4:04:00 0E 325041592E5359532E444446303100") == SELECT_PPSE


def test_percentiles_are_times_that_were_measured() -> None:
    assert latency_of(()) is NO_TIMES
    found = latency_of([float(ms) for ms in range(100, 0, -1)])
    assert (found.least, found.p50, found.p90, found.p99, found.most) == (1, 50, 90, 99, 100)
    assert latency_of((2.0,)).p99 == 2.0
    assert latency_of((2.0, 2.0)).per_second == 500


# Camera


class Camera:
    """A camera with one code in view: half of its picture red, half blue."""

    def __init__(self, address: DeviceAddress) -> None:
        self.address = address

    def info(self) -> DeviceInfo:
        return DeviceInfo("made-up camera")

    def close(self) -> None:
        pass

    def next_code(self, stop: Event, *, timeout_s: float) -> Code | None:
        stop.wait(0.02)
        return Code(PAY_CODE, "QR Code", decode_ms=4.2, age_ms=31.0)

    def picture(self, width: int, height: int) -> Picture | None:
        half = height // 2
        return Picture(width, half * 2, b"\xf8\0\0" * width * half + b"\0\0\xf8" * width * half, 12.0)


async def test_a_camera_is_seen_and_its_codes_are_told_masked(tmp_path: Path) -> None:
    with workshop_of(tmp_path) as workshop:
        worker = worker_of("camera:made-up", Camera)
        workshop.pool.scanners = (worker,)
        worker.start()
        app = TechnicianApp(workshop)
        async with app.run_test() as pilot:
            await pilot.press("3")
            shown = await until_shown(
                pilot,
                "Alipay",
                "2812••••••••••••••",
                "QR Code",
                "18 characters",
                "4.20 ms",
                "31.0 ms",
                "a second",
            )
            assert PAY_CODE not in shown
            await until(pilot, lambda: "▀" in text_of(app))
            colours = {
                style.color.triplet
                for row in cells_of(app)
                for character, style in row
                if character == "▀" and style.color is not None
            }
            assert colours == {(0xF8, 0, 0), (0, 0, 0xF8)}
            await pilot.press("p")
            await until(pilot, lambda: "▀" not in text_of(app))
            await pilot.press("1")
            await until(pilot, lambda: worker.status.state is DeviceState.READY)


async def test_a_scanner_without_a_picture_is_listened_to(tmp_path: Path) -> None:
    with workshop_of(tmp_path, devices(scanners=f"sim:{PAY_CODE} | sim:A bus ticket")) as workshop:
        async with TechnicianApp(workshop).run_test() as pilot:
            await pilot.press("3")
            await until_shown(pilot, "This scanner has no picture", "Alipay")
            await pilot.press("n")
            shown = await until_shown(pilot, "not a payment code", "A bu•")
            assert "ticket" not in shown.replace("sim:A bus ticket", "")


@pytest.mark.parametrize(
    ("text", "shown"), [("", ""), ("12345678901", "•" * 11), ("123456789012", "1234••••••••")]
)
def test_a_short_code_is_hidden_whole(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_the_shared_field_is_left_as_it_was() -> None:
    assert in_process.FIELD.card is None
