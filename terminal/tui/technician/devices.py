"""Devices: how each stands, why it fails, and the command that cures it. This pane opens first."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content

from drivers.abilities import TestResult, TestsItself
from terminal.benches.errand import Failed
from terminal.devices.inventory import DeviceReport
from terminal.devices.worker import DeviceState, DeviceWorker, Job, Lease
from terminal.diagnostics import devices as probes
from terminal.diagnostics.finding import Finding, Mark
from terminal.diagnostics.firmware import about
from terminal.diagnostics.workshop import Workshop
from terminal.home import option
from terminal.tui.technician.colours import MUTED
from terminal.tui.technician.device_list import DeviceList, ShownDevice, devices_of, worker_of
from terminal.tui.technician.facts import Facts
from terminal.tui.technician.findings import FindingsList
from terminal.tui.technician.headline import Headline
from terminal.tui.technician.journal import journal
from terminal.tui.technician.pane import Pane
from terminal.tui.technician.place import example, place_of
from terminal.tui.technician.plain_words import is_edited, meaning, next_step
from terminal.tui.technician.typed import command_in
from terminal.tui.widgets.line import Line

_DEVICES = "tillside devices"
_STUCK_TICKS = 12
"""A device that can't even be closed is given up after so many ticks: three seconds."""
_VERDICTS = {"good": Mark.OK, "fault": Mark.FAULT, "note": Mark.NOTE}


class DevicesPane(Pane):
    """A list of devices on the left; on the right why the chosen one fails, its cure, and what it is."""

    TITLE = "Devices"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", "Up", show=False, id="devices.up", tooltip="Choose the device above"),
        Binding("down", "choose(1)", "Next", id="devices.down", tooltip="Choose the device below"),
        Binding("c", "copy", "Copy", id="devices.copy", tooltip="Copy the cure's command to the clipboard"),
        Binding(
            "r", "restart", "Restart", id="devices.restart", tooltip="Close this device and open it again"
        ),
        Binding("t", "self_test", "Test", id="devices.test", tooltip="Have the device test itself"),
        Binding(
            "pageup", "scroll(-8)", "Back", show=False, id="devices.back", tooltip="Scroll the right side up"
        ),
        Binding(
            "pagedown", "scroll(8)", "On", show=False, id="devices.on", tooltip="Scroll the right side down"
        ),
    ]

    def __init__(self, workshop: Workshop) -> None:
        super().__init__(workshop)
        self._devices: tuple[ShownDevice, ...] = ()
        self._chosen = 0
        self._by_hand = False
        """Whether somebody has chosen; until then it is the first that fails."""
        self._reports: Mapping[tuple[str, str], DeviceReport] = {}
        self._tests: dict[tuple[str, str], tuple[Finding, ...]] = {}
        self._testing: tuple[ShownDevice, Job[None]] | None = None
        self._attempts: list[_Attempt] = []

    def body(self) -> ComposeResult:
        """List and detail."""
        with Horizontal():
            with VerticalScroll(id="devices-side", can_focus=False):
                yield DeviceList(id="devices-list")
            with VerticalScroll(id="device", can_focus=False):
                yield Line(id="device-name")
                yield Headline(id="device-headline")
                yield Line(id="device-reason")
                yield Line(id="device-meaning")
                yield Line(id="device-cure")
                yield Line(id="device-next")
                yield Facts(id="device-facts")
                yield FindingsList(id="device-findings")

    def on_mount(self) -> None:
        """Name the box of the cure."""
        self.query_one("#device-cure").border_title = "What cures it"

    def opened(self) -> None:
        """Look anew."""
        self._ask_for_reports()

    def left(self) -> None:
        """Wait for nothing any more."""
        self._testing = None
        self._attempts.clear()

    def tick(self) -> None:
        """Draw the devices as they stand now."""
        self._tell_of_attempts()
        self._end_lost_test()
        before, self._devices = self._devices, devices_of(self.workshop)
        if self._devices == before:
            return
        self._tell_of_cured(before)
        if any(
            each.state != old for each, old in zip(self._devices, [b.state for b in before], strict=False)
        ):
            self._ask_for_reports()
        failing = [number for number, each in enumerate(self._devices) if each.fails]
        if not self._by_hand:
            self._chosen = failing[0] if failing else self._chosen
        self._chosen = min(self._chosen, max(0, len(self._devices) - 1))
        self._draw()

    def _tell_of_cured(self, before: tuple[ShownDevice, ...]) -> None:
        # What was tried by hand is told when the attempt has ended.
        failed = {each.key for each in before if each.fails} - {each.device.key for each in self._attempts}
        for each in self._devices:
            if each.key in failed and not each.fails and each.state.value in ("ready", "busy"):
                self.say(f"{each.kind} {each.name} works again")

    def _tell_of_attempts(self) -> None:
        """Tell what came of opening devices again, as soon as it is known."""
        for attempt in tuple(self._attempts):
            attempt.ticks += 1
            status = attempt.worker.status
            stuck = status.state is DeviceState.STUCK and attempt.ticks >= _STUCK_TICKS
            if attempt.worker.tried == attempt.before and not stuck:
                continue
            self._attempts.remove(attempt)
            name = f"{attempt.device.kind} {attempt.device.name}"
            if status.state in (DeviceState.READY, DeviceState.BUSY, DeviceState.OPENING):
                self.say(
                    f"{name} works again" if attempt.device.fails else f"{name} was opened again, and works"
                )
            else:
                self.refuse(f"{name}, tried again: still {status.text or status.state.value}")

    def _end_lost_test(self) -> None:
        """Give up a test of a device that failed before it began: it would wait without end."""
        if self._testing is None:
            return
        device, job = self._testing
        now = next((each for each in devices_of(self.workshop) if each.key == device.key), None)
        if job.future.done() or now is None or now.fails:
            self._testing = None
            if not job.future.done():
                job.cancel()
                self.refuse(f"can't be tested: {now.reason if now is not None else 'it is gone'}")

    # Drawing

    @property
    def chosen(self) -> ShownDevice | None:
        """The device on the right."""
        return self._devices[self._chosen] if self._chosen < len(self._devices) else None

    def _draw(self) -> None:
        self.query_one(DeviceList).show(self._devices, self._chosen)
        device = self.chosen
        detail = self.query_one("#device")
        detail.set_class(device is None or device.fails, "-fails")
        detail.set_class(device is not None and device.is_device, "-device")
        if device is None:
            self._draw_nothing()
            return
        self.query_one("#device-name", Line).update(
            Content.assemble((f"{device.kind}  ", MUTED), (device.name, "bold"))
        )
        if not device.is_device:
            self._draw_reason(f"{device.kind} {device.word}", device.text, device.cure)
        elif device.fails:
            self._draw_fault(device)
        else:
            self._draw_reason(device.reason, device.text, "")
        self._draw_facts(device)
        self.show_keys()

    def _draw_fault(self, device: ShownDevice) -> None:
        command = command_in(device.cure)
        place = place_of(self.workshop, device.kind, device.name)
        edits = place and is_edited(device.reason, command)
        cure = f"{place}:\n{device.cure}" if edits else device.cure
        self._draw_reason(
            device.reason, meaning(device.reason), cure, next_step(device.reason, device.cure, command)
        )

    def _draw_nothing(self) -> None:
        self.query_one("#device-name", Line).update("")
        # Without a configuration that can be used it would be false, and its own row says so.
        self._draw_reason(
            "no device",
            "The configuration names no device to use, and none is attached that can be found.",
            f"{_DEVICES}{option(self.workshop.home)}",
            example(self.workshop, "reader"),
        )
        self.query_one(Facts).show({})
        self.query_one(FindingsList).show(())
        self.show_keys()

    def _draw_reason(self, reason: str, meaning_of_it: str, cure: str, then: str = "") -> None:
        self.query_one(Headline).show(reason)
        self.query_one("#device-reason", Line).update(reason.upper())
        self.query_one("#device-meaning", Line).update(meaning_of_it)
        box = self.query_one("#device-cure", Line)
        box.update(cure)
        box.border_subtitle = "c copies the command" if command_in(cure) else ""
        self.query_one("#device").set_class(bool(cure), "-cure")
        self.query_one("#device-next", Line).update(then)
        self.query_one("#device-next").display = bool(then)

    def _draw_facts(self, device: ShownDevice) -> None:
        report = self._reports.get(device.key)
        facts = {}
        if report is not None:
            facts = {"driver": report.driver, "path": report.path, **_told(report, alive=not device.fails)}
        if device.is_device:
            facts["configured"] = place_of(self.workshop, device.kind, device.name)
            facts["faults"] = f"{device.faults} unforeseen since the start" if device.faults else ""
        self.query_one(Facts).show({name: text for name, text in facts.items() if text})
        found = () if device.fails else (*_firmware(report), *self._tests.get(device.key, ()))
        self.query_one(FindingsList).show(found)

    # Questions

    def _ask_for_reports(self) -> None:
        async def work() -> None:
            found = await probes.reports(self.workshop)
            # A device that is in use now is not asked: what it said before still holds.
            before = self._reports
            self._reports = {
                key: each if each.name else before.get(key, each)
                for key, each in (((each.kind, each.address), each) for each in found)
            }
            self._draw()

        self.begin("Asking the devices", work)

    # Keys

    def idle_keys(self) -> Collection[str]:
        """Leave out what does nothing for the chosen device."""
        device = self.chosen
        idle = set()
        if device is None or not device.is_device:
            idle |= {"devices.restart"}
        if device is None or device.fails or not self._tests_itself(device):
            idle |= {"devices.test"}
        if not self._command():
            idle |= {"devices.copy"}
        if len(self._devices) < 2:
            idle |= {"devices.down"}
        return idle

    def _tests_itself(self, device: ShownDevice) -> bool | None:
        """Tell whether a device has a test of its own; None while it has not said what it can do."""
        report = self._reports.get(device.key)
        return "self-test" in report.capabilities if report is not None and report.name else None

    def _command(self) -> str:
        """Return what can be typed to cure what is chosen."""
        device = self.chosen
        if device is None:
            return f"{_DEVICES}{option(self.workshop.home)}"
        return command_in(device.cure) if device.fails else ""

    def action_choose(self, step: int) -> None:
        """Go up or down the list."""
        self._choose(self._chosen + step)

    def on_device_list_chosen(self, message: DeviceList.Chosen) -> None:
        """Choose what was clicked."""
        message.stop()
        self._choose(message.number)

    def _choose(self, number: int) -> None:
        if 0 <= number < len(self._devices):
            self._chosen, self._by_hand = number, True
            self.say("")
            self._draw()
            self.query_one("#device", VerticalScroll).scroll_home(animate=False)
            self.query_one("#devices-side", VerticalScroll).scroll_to(y=max(0, 2 * number - 8), animate=False)

    def action_scroll(self, lines: int) -> None:
        """Scroll the right side."""
        self.query_one("#device").scroll_relative(y=lines, animate=False)

    def action_copy(self) -> None:
        """Copy the cure's command; over SSH too, where the terminal window allows it."""
        command = self._command()
        if not command:
            self.refuse("Not copied: there is no command to type here")
        elif os.environ.get("TERM") == "linux":
            self.refuse("Not copied: a console without windows has no clipboard; the command is to be typed")
        else:
            self.app.copy_to_clipboard(command)
            self.say(f"Copied: {command} (if nothing can be pasted, this window forbids it to programs)")

    def action_restart(self) -> None:
        """Close the device and open it again."""
        device = self.chosen
        if device is None or not device.is_device:
            self.refuse("This is no device")
            return
        worker = worker_of(self.workshop, device)
        self._attempts = [each for each in self._attempts if each.device.key != device.key]
        self._attempts.append(_Attempt(device, worker, worker.tried))
        journal.info("%s %s: restarted by hand", device.kind, device.name)
        worker.restart()
        self.say(f"{device.kind} {device.name} is tried again …")

    def action_self_test(self) -> None:
        """Have the device test itself."""
        device = self.chosen
        if device is None or not device.is_device:
            self.refuse("This is no device")
            return
        if device.fails:
            self.refuse(f"can't be tested: {device.reason}")
            return
        if self._tests_itself(device) is False:
            self.refuse(f"This {device.kind} has no test of its own")
            return

        def work(tested: Any, lease: Lease) -> Sequence[TestResult] | None:
            return tested.self_test() if isinstance(tested, TestsItself) else None

        def then(results: Sequence[TestResult] | Failed | None) -> None:
            if results is None:
                self.refuse(f"This {device.kind} has no test of its own")
            elif isinstance(results, Failed):
                self.refuse(f"No test: {results.text}")
            else:
                self._tests[device.key] = tuple(map(_test_finding, results))
                failed = sum(each.passed is False for each in results)
                count = len(results)
                self.say(f"{failed} of {count} tests failed" if failed else f"{count} tests, none failed")
                self._draw()

        busy = device.state is DeviceState.BUSY
        self.say("Testing as soon as the device is free …" if busy else "Testing …")
        journal.info("%s %s: self-test", device.kind, device.name)
        self._testing = (device, self.ask(worker_of(self.workshop, device), work, then))


@dataclass(slots=True)
class _Attempt:
    """A device that was opened again by hand, until it is known what came of it."""

    device: ShownDevice
    """As it stood before."""
    worker: DeviceWorker[Any]
    before: int
    """How often it had been tried before."""
    ticks: int = 0


def _told(report: DeviceReport, *, alive: bool) -> dict[str, str]:
    """Return what a device says of itself. Of a dead one only what it is holds still, and is headed so."""
    if alive:
        return {
            "model": report.model,
            "firmware": report.firmware,
            "serial": report.serial_number,
            "can": ", ".join(report.capabilities),
            **report.details,
        }
    seen = (
        report.model or report.name,
        f"firmware {report.firmware}" if report.firmware else "",
        f"serial {report.serial_number}" if report.serial_number else "",
    )
    return {"when last seen": ", ".join(part for part in seen if part)}


def _firmware(report: DeviceReport | None) -> tuple[Finding, ...]:
    if report is None or not report.model:
        return ()
    return tuple(
        Finding(
            "devices",
            "firmware",
            _VERDICTS.get(each.verdict, Mark.NOTE),
            f"{each.text} ({each.source})" if each.source else each.text,
            each.cure,
        )
        for each in about(report.model, report.firmware)
    )


def _test_finding(result: TestResult) -> Finding:
    mark = Mark.NOTE if result.passed is None else Mark.OK if result.passed else Mark.FAULT
    return Finding("devices", result.name, mark, result.text or ("passed" if result.passed else "failed"))
