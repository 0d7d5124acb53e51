"""The log: levels, and that no card is in it whatever the level."""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Iterator
from datetime import date, time
from pathlib import Path

import pytest

from drivers.address import DeviceAddress
from drivers.registry import open_reader
from emv.config import default_config
from emv.kernel import Transaction
from emv.outcome import UiRequest
from simulators.cards import profile
from simulators.readers.field import Field
from simulators.readers.in_process import InProcessReader
from simulators.readers.pn532_chip import Pn532Chip
from terminal import log
from terminal.devices.worker import DeviceWorker
from terminal.payment.tap import Tap

PATIENCE_S = 10.0


@pytest.fixture(autouse=True)
def _other_loggers() -> Iterator[None]:
    """Give the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in log.OURS:
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tillside.log"


@pytest.mark.parametrize(
    ("level", "written"),
    [
        ("TRAFFIC", ["TRAFFIC", "DEBUG", "INFO", "WARNING", "ERROR"]),
        ("DEBUG", ["DEBUG", "INFO", "WARNING", "ERROR"]),
        ("INFO", ["INFO", "WARNING", "ERROR"]),
        ("WARNING", ["WARNING", "ERROR"]),
        ("ERROR", ["ERROR"]),
    ],
)
def test_a_level_and_what_is_above_it_are_written(file: Path, level: str, written: list[str]) -> None:
    log.start(file, level)
    ours = logging.getLogger("terminal.somewhere")
    for number in (log.TRAFFIC, logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        ours.log(number, "it was %s", number)
    lines = [line for line in file.read_text().splitlines() if "terminal.somewhere" in line]
    assert [line.split()[2] for line in lines] == written
    assert all(
        re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ terminal\.somewhere: it was", line)
        for line in lines
    )


def test_traffic_is_announced_and_nothing_else_is(file: Path) -> None:
    log.start(file, "TRAFFIC")
    assert "TRAFFIC is on" in file.read_text()
    log.start(file, "DEBUG")
    assert file.read_text().count("is on") == 1


def test_starting_again_goes_on_in_the_same_file_once(file: Path) -> None:
    log.start(file, "INFO")
    log.start(file, "INFO")
    logging.getLogger("terminal").info("one line")
    assert file.read_text().count("one line") == 1


def test_a_full_file_is_put_away_and_only_so_many_are_kept(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "FILE_BYTES", 200)
    log.start(file, "INFO")
    for number in range(100):
        logging.getLogger("terminal").info("line %s of card %s", number, pan_of("visa-approve"))
    names = [f"{file.name}{end}" for end in ("", ".1", ".2", ".3")]
    assert sorted(os.listdir(file.parent)) == names
    newest_last = "".join((file.parent / name).read_text() for name in reversed(names))
    numbers = [int(found) for found in re.findall(r"line (\d+) of", newest_last)]
    assert numbers == list(range(numbers[0], 100))
    assert all((file.parent / name).stat().st_mode & 0o777 == 0o600 for name in names)
    assert all((file.parent / name).stat().st_size < 300 for name in names)
    assert_no_card(newest_last, pan_of("visa-approve"))


def test_a_file_of_before_is_closed_to_others(file: Path) -> None:
    file.write_text("before\n")
    file.chmod(0o644)
    log.start(file, "INFO")
    logging.getLogger("terminal").info("after")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text().startswith("before\n")
    assert "after" in file.read_text()


def test_a_file_that_another_program_put_away_is_begun_anew(file: Path) -> None:
    log.start(file, "INFO")
    logging.getLogger("terminal").info("one")
    file.rename(f"{file}.1")
    logging.getLogger("terminal").info("two")
    assert "two" in file.read_text()
    assert "one" not in file.read_text()


def test_what_others_write_in_detail_is_left_out(file: Path) -> None:
    """Request lines of the HTTP library, raw frames of a reader's: only our own parts know what to mask."""
    log.start(file, "TRAFFIC")
    for name in ("httpx", "httpcore.connection", "nfc.clf.transport", "smartcard", "serial", "somebody.else"):
        logging.getLogger(name).log(logging.DEBUG - 1, "secret %s", name)
        logging.getLogger(name).info("secret %s", name)
        logging.getLogger(name).warning("trouble %s", name)
    text = file.read_text()
    assert "secret" not in text
    assert text.count("trouble") == 6


def transaction() -> Transaction:
    return Transaction(
        amount_minor=1250,
        currency="156",
        currency_exponent=2,
        date=date(2026, 7, 1),
        time=time(12, 0),
        unpredictable_number=b"\x01\x02\x03\x04",
        sequence_counter=1,
    )


def pan_of(name: str) -> str:
    found = re.search(
        r'pan = "(\d+)"', (Path(profile.__file__).parent / "profiles" / f"{name}.toml").read_text()
    )
    assert found is not None
    return found[1]


def assert_no_card(text: str, pan: str) -> None:
    """Look for a card number and track 2, as digits, as BCD in hex, and as ASCII in hex, however spaced."""
    dense = re.sub(r"[\s:,'\"x\\-]", "", text).lower()
    assert pan not in dense
    assert pan.encode().hex() not in dense
    assert f"{pan}d" not in dense
    hidden = pan[6:-4]
    # Not even what the mask hides; but a row of zeroes may be anything.
    assert hidden not in dense or len(set(hidden)) < 3


@pytest.mark.parametrize("name", profile.profiles())
def test_no_card_is_in_the_log_of_a_tap(file: Path, name: str) -> None:
    log.start(file, "TRAFFIC")
    field = Field(profile.load(name))
    worker = DeviceWorker(
        DeviceAddress("sim", ""), lambda address: InProcessReader(address, field), lambda: None
    )
    ended = threading.Event()

    def show(request: UiRequest, words: str) -> None:
        # Garbage and a torn card end in words; the tap goes on.
        if words:
            ended.set()

    worker.start()
    job = worker.submit(Tap(default_config("156", "156"), transaction, show).run)
    job.future.add_done_callback(lambda future: ended.set())
    assert ended.wait(PATIENCE_S)
    job.cancel()
    worker.close()
    worker.join(PATIENCE_S)
    text = file.read_text()
    assert "TRAFFIC terminal.payment.tap: > 00 A4 04 00 SELECT 2PAY.SYS.DDF01" in text
    assert_no_card(text, pan_of(name))


def test_no_card_is_in_the_log_of_a_tap_on_a_serial_line(file: Path, field: Field) -> None:
    """The library under this driver logs every frame, if it is let."""
    log.start(file, "TRAFFIC")
    with Pn532Chip(field) as chip:
        worker = DeviceWorker(DeviceAddress("pn532", str(chip.path)), open_reader, lambda: None)
        worker.start()
        field.place(profile.load("visa-approve"))
        tap = Tap(default_config("156", "156"), transaction, lambda request, words: None)
        tapped = worker.submit(tap.run).future.result(PATIENCE_S)
        worker.close()
        worker.join(PATIENCE_S)
    assert tapped is not None
    assert tapped.outcome.pan is not None
    text = file.read_text()
    assert "GET PROCESSING OPTIONS" in text
    assert_no_card(text, pan_of("visa-approve"))


def test_the_search_would_find_a_card() -> None:
    pan = "4761739001010119"
    for text in (f"x {pan} y", f"57 {bytes.fromhex(pan).hex(' ')} d2", f"{pan.encode().hex(' ')}", repr(pan)):
        with pytest.raises(AssertionError):
            assert_no_card(text, pan)


# --- in memory, levels, and what is masked on the way out


def test_the_last_lines_are_remembered_newest_first(file: Path) -> None:
    ring = log.start(file, "INFO")
    told: list[str] = []
    end = ring.listen(lambda line: told.append(line.text))
    logger = logging.getLogger("terminal.somewhere")
    logger.info("one")
    logger.warning("two")
    end()
    logger.error("three")
    assert [line.text for line in ring.newest_first()] == ["three", "two", "one"]
    assert [line.text for line in ring.newest_first(level="WARNING")] == ["three", "two"]
    assert ring.newest_first(name="drivers") == ()
    assert told == ["one", "two"]
    assert re.fullmatch(r"[\d-]+ [\d:]+ INFO terminal.somewhere: one", str(ring.newest_first()[-1]))


def test_only_so_many_lines_are_remembered() -> None:
    ring = log.start_in_memory("INFO")
    for number in range(log.KEPT + 5):
        logging.getLogger("terminal").info("line %s", number)
    assert len(ring.newest_first()) == log.KEPT
    assert ring.newest_first()[0].text == f"line {log.KEPT + 4}"


def test_one_driver_has_a_level_of_its_own(file: Path) -> None:
    ring = log.start(file, "INFO")
    pcsc, pn532 = (logging.getLogger(f"drivers.readers.{name}") for name in ("pcsc", "pn532"))
    log.set_level("drivers.readers.pcsc", "DEBUG")
    for logger in (pcsc, pn532):
        logger.debug("in detail")
    assert [line.name for line in ring.newest_first()] == ["drivers.readers.pcsc"]
    assert log.levels()["drivers.readers.pcsc"] == "DEBUG"
    assert log.levels()["drivers.readers.pn532"] == "INFO"
    log.set_level("drivers.readers.pcsc", "")
    assert log.levels()["drivers.readers.pcsc"] == "INFO"


def test_a_new_start_forgets_the_levels_of_before(file: Path) -> None:
    log.start(file, "INFO")
    log.set_level("drivers.readers.pcsc", "DEBUG")
    log.start(file, "WARNING")
    assert log.levels()["drivers.readers.pcsc"] == "WARNING"


@pytest.mark.parametrize(
    ("name", "level"), [("nfc.clf", "DEBUG"), ("", "DEBUG"), ("drivers", "LOUD"), ("drivers", "")]
)
def test_levels_that_can_not_be(file: Path, name: str, level: str) -> None:
    log.start(file, "INFO")
    with pytest.raises(ValueError, match="none of"):
        log.set_level(name, level)


def test_a_card_number_in_an_exception_of_a_library_is_masked_in_file_and_memory(file: Path) -> None:
    ring = log.start(file, "INFO")
    pan = pan_of("visa-approve")
    try:
        raise ValueError(f"unexpected track {pan}D2512 and {bytes.fromhex(pan).hex(' ')}")
    except ValueError:
        logging.getLogger("smartcard").exception("it failed with %s", bytes.fromhex(pan))
    line = ring.newest_first()[0]
    assert "Traceback" in line.text
    assert "it failed with [masked]" in line.text
    for text in (str(line), file.read_text()):
        assert_no_card(text, pan)


def test_whoever_asks_later_gets_the_lines_of_the_log_that_runs(tmp_path: Path) -> None:
    started = log.start(tmp_path / "till.log", "INFO")
    assert log.ring() is started
    logging.getLogger("terminal.x").info("before anyone looked")
    assert [line.text for line in log.ring().newest_first()] == ["before anyone looked"]
