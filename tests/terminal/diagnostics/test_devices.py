"""Devices as a technician sees them: identity, abilities, self-test, settings, and what is expected."""

from __future__ import annotations

import json
import threading
import tomllib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.abilities import TestResult
from drivers.errors import DeviceTimeoutError, DeviceUnavailableError, Reason
from drivers.protocols import DeviceInfo
from terminal.devices.inventory import look
from terminal.diagnostics import devices as module
from terminal.diagnostics.apart import apart
from terminal.diagnostics.asking import NotAskedError, ask
from terminal.diagnostics.devices import Difference, SettingsError
from terminal.diagnostics.finding import Mark
from terminal.diagnostics.open_workshop import open_device, open_workshop, settled
from terminal.diagnostics.workshop import Workshop
from terminal.enrolment import Enrolment
from tests.terminal.diagnostics.bench import ADDRESS, Bench, bench

__all__ = ["bench"]


@pytest.fixture
async def one(bench: Bench, tmp_path: Path) -> AsyncIterator[Workshop]:
    """A workshop with the bench's reader alone."""
    async with open_device(tmp_path, None, ADDRESS) as workshop:
        yield workshop


async def test_a_device_tells_all_of_itself(one: Workshop, bench: Bench) -> None:
    (report,) = await module.reports(one)
    assert (report.kind, report.address, report.state, report.works) == (
        "reader",
        "bench:reader",
        "ready",
        True,
    )
    assert (report.driver, report.distribution) == ("bench (bench-drivers)", "bench-drivers")
    assert (report.model, report.firmware, report.serial_number) == ("ACR122U", "ACR122U216", "S-17")
    assert report.capabilities == ("buzzer", "self-test", "settings")
    assert report.details == {"antenna": "A5"}
    assert json.loads(json.dumps(report.fields()))["works"] is True


async def test_known_firmware_is_told_with_its_source(one: Workshop) -> None:
    found = [finding async for finding in module.probe(one)]
    assert found[0].name == "bench:reader"
    (pcscd,) = [finding for finding in found if "Through pcscd it works" in finding.text]
    assert pcscd.mark is Mark.NOTE
    assert "issue" in pcscd.details["source"]


async def test_firmware_that_nobody_knows_is_called_so(one: Workshop, bench: Bench) -> None:
    bench.info = replace(bench.info, model="Reader 3000")
    (finding,) = [finding async for finding in module.probe(one)]
    assert finding.details["known of its firmware"] == "nothing"


async def test_what_is_attached_beside_is_looked_at_and_noted(bench: Bench, tmp_path: Path) -> None:
    bench.attached = ["bench:reader", "bench:second"]
    async with open_device(tmp_path, None, ADDRESS) as workshop:
        reports = await module.reports(workshop)
        alone = await module.reports(workshop, others=False)
    assert [(report.address, report.works) for report in reports] == [
        ("bench:reader", True),
        ("bench:second", True),
    ]
    assert [report.address for report in alone] == ["bench:reader"]


async def test_without_configured_devices_the_attached_ones_are_taken(
    bench: Bench, home: Path, enrolled: Enrolment
) -> None:
    bench.attached = ["bench:second"]
    async with open_workshop(home, deliver=False) as workshop:
        await settled(workshop)
        (report,) = await module.reports(workshop)
        findings = [finding async for finding in module.probe(workshop)]
    assert (report.address, report.configured, report.state) == ("bench:second", False, "ready")
    assert findings[0].mark is Mark.NOTE


async def test_a_device_that_is_gone_says_what_cures_it(bench: Bench, tmp_path: Path) -> None:
    bench.gone = True
    async with open_device(tmp_path, None, ADDRESS) as workshop:
        (report,) = await module.reports(workshop)
        with pytest.raises(NotAskedError, match="not found"):
            await module.self_test(workshop, ADDRESS)
    assert (report.state, report.text, report.cure) == ("unavailable", "not found", "plug it in")


async def test_a_driver_that_fails_is_counted(bench: Bench, tmp_path: Path) -> None:
    bench.fault = ZeroDivisionError()
    async with open_device(tmp_path, None, ADDRESS) as workshop:
        (report,) = await module.reports(workshop)
    assert report.faults >= 1
    marks = [(finding.mark, finding.text) for finding in module.findings(report)]
    assert any(mark is Mark.WARNING and "unforeseen" in text for mark, text in marks)


async def test_no_device_at_all_is_told(home: Path, enrolled: Enrolment) -> None:
    async with open_workshop(home, deliver=False) as workshop:
        (finding,) = [finding async for finding in module.probe(workshop)]
    assert finding.mark is Mark.NOTE
    assert "[devices]" in finding.cure


async def test_a_question_is_answered_once_also_with_a_fault(one: Workshop) -> None:
    asked: list[int] = []

    def fail(device: object, lease: object) -> None:
        asked.append(1)
        raise DeviceUnavailableError(ADDRESS, Reason.BUSY, "close it")

    with pytest.raises(DeviceUnavailableError, match="in use"):
        await ask(one, ADDRESS, fail)
    assert asked == [1]


async def test_a_device_that_does_not_answer_is_given_up(one: Workshop) -> None:
    going_on = threading.Event()
    with pytest.raises(DeviceTimeoutError, match="does not answer"):
        await ask(one, ADDRESS, lambda device, lease: going_on.wait(10), timeout_s=0.05)
    going_on.set()


async def test_work_apart_that_takes_too_long_is_left_behind() -> None:
    going_on = threading.Event()
    assert await apart(lambda: going_on.wait(10), timeout_s=0.05, otherwise=False) is False
    going_on.set()
    with pytest.raises(ZeroDivisionError):
        await apart(lambda: 1 // 0, timeout_s=5.0, otherwise=0)


# --- self-test and settings


async def test_a_device_tests_itself(one: Workshop) -> None:
    results = await module.self_test(one, ADDRESS)
    assert results[1] == TestResult("RAM", False, "bit 3")


async def test_settings_go_to_a_file_and_back(one: Workshop, bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "kept.toml"
    await module.backup(one, ADDRESS, file)
    kept = tomllib.loads(file.read_text())
    assert kept["settings"] == {"polling": "FF", "led": "03"}
    assert kept["device"]["serial_number"] == "S-17"
    bench.settings["led"] = "00"
    before = await module.restore(one, ADDRESS, file)
    assert bench.settings == {"polling": "FF", "led": "03"}
    assert tomllib.loads(before.read_text())["settings"]["led"] == "00"
    with pytest.raises(FileExistsError):
        await module.backup(one, ADDRESS, file)


async def test_a_device_that_keeps_something_else_is_told_of(
    one: Workshop, bench: Bench, tmp_path: Path
) -> None:
    file = tmp_path / "kept.toml"
    await module.backup(one, ADDRESS, file)
    bench.settings["led"], bench.stubborn = "00", True
    with pytest.raises(SettingsError, match=r"led is 00, not 03\. What it had before is in"):
        await module.restore(one, ADDRESS, file)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("rubbish", "no file of settings"),
        ("[settings]\n", "no file of settings"),
        ('[device]\nmodel = "PN532"\n[settings]\nled = "03"\n', "of another model: PN532"),
        ('[device]\nmodel = "ACR122U"\n[settings]\nvolume = "03"\n', "no setting volume"),
        ('[device]\nmodel = "ACR122U"\n[settings]\nled = 3\n', "no text"),
        ('[device]\nmodel = "ACR122U"\n[settings]\nled = "zz"\n', "hexadecimal"),
    ],
)
async def test_a_file_that_does_not_fit_writes_nothing(
    one: Workshop, bench: Bench, tmp_path: Path, text: str, fault: str
) -> None:
    file = tmp_path / "kept.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=fault):
        await module.restore(one, ADDRESS, file)
    assert bench.settings == {"polling": "FF", "led": "03"}


# --- what is expected


async def test_what_is_there_now_is_as_expected(one: Workshop) -> None:
    found = await module.reports(one)
    assert module.compare(found, module.expect(found)) == ()


async def test_each_difference_is_named(one: Workshop, bench: Bench) -> None:
    expected = module.expect(await module.reports(one))
    bench.info = DeviceInfo("Bench reader", model="ACR122U", firmware="ACR122U215", serial_number="S-18")
    found = await module.reports(one)
    assert [(one.what, one.expected, one.found) for one in module.compare(found, expected)] == [
        ("other firmware", "ACR122U216", "ACR122U215"),
        ("other serial number", "S-17", "S-18"),
    ]
    assert [one.what for one in module.compare((), expected)] == ["missing"]
    assert [one.what for one in module.compare(found, "")] == ["extra"]
    broken = replace(found[0], state="unavailable", text="not found", cure="plug it in")
    (difference,) = module.compare((broken,), expected)
    assert (difference.what, difference.found, difference.cure) == (
        "does not work",
        "not found",
        "plug it in",
    )
    moved = replace(found[0], address="bench:elsewhere", serial_number="S-17", firmware="ACR122U216")
    (difference,) = module.compare((moved,), expected)
    assert difference.what == "other address"
    assert "bench:elsewhere" in difference.cure


def test_what_is_left_empty_may_be_any(bench: Bench) -> None:
    text = '[[device]]\naddress = "bench:reader"\nkind = "reader"\n'
    assert module.compare([look("reader", ADDRESS, configured=True)], text) == ()


@pytest.mark.parametrize("text", ["rubbish", "device = 3", '[[device]]\nkind = "toaster"\n', "device = [1]"])
def test_a_file_of_what_is_expected_that_is_none(text: str) -> None:
    with pytest.raises(SettingsError):
        module.compare((), text)


def test_a_difference_in_words() -> None:
    line = Difference("pcsc:ACS", "reader", "other firmware", "2.15", "2.16", "send it in").text_line()
    assert line == ("reader   pcsc:ACS other firmware: expected 2.15, found 2.16\n       cure: send it in")


async def test_a_driver_that_tells_rubbish_hides_no_other_device(one: Workshop, bench: Bench) -> None:
    bench.info = replace(bench.info, details=None)  # type: ignore[arg-type]
    (report,) = await module.reports(one)
    assert report.text == "driver error (AttributeError)"
