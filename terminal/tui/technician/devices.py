"""Devices: how each stands, why it fails, and the command that cures it. This pane opens first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content

from drivers.abilities import TestResult, TestsItself
from terminal.benches.errand import Failed
from terminal.devices.inventory import DeviceReport
from terminal.devices.worker import Lease
from terminal.diagnostics import devices as probes
from terminal.diagnostics.finding import Finding, Mark
from terminal.diagnostics.firmware import about
from terminal.diagnostics.workshop import Workshop
from terminal.tui.technician.colours import MUTED
from terminal.tui.technician.device_list import DeviceList, ShownDevice, devices_of, worker_of
from terminal.tui.technician.facts import Facts
from terminal.tui.technician.findings import FindingsList
from terminal.tui.technician.headline import Headline
from terminal.tui.technician.pane import Pane
from terminal.tui.technician.plain_words import meaning
from terminal.tui.widgets.line import Line

_NO_DEVICE = "tillside devices"
_VERDICTS = {"good": Mark.OK, "fault": Mark.FAULT, "note": Mark.NOTE}


class DevicesPane(Pane):
    """A list of devices on the left; on the right why the chosen one fails, its cure, and what it is."""

    TITLE = "Devices"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", "Up", show=False, id="devices.up", tooltip="Choose the device above"),
        Binding("down", "choose(1)", "Next", id="devices.down", tooltip="Choose the device below"),
        Binding("c", "copy", "Copy cure", id="devices.copy", tooltip="Copy the cure to the clipboard"),
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
        cure = self.query_one("#device-cure")
        cure.border_title = "What cures it"
        cure.border_subtitle = "c copies it"

    def opened(self) -> None:
        """Look anew."""
        self._ask_for_reports()

    def tick(self) -> None:
        """Draw the devices as they stand now."""
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
        failed = {each.key for each in before if each.fails}
        for each in self._devices:
            if each.key in failed and not each.fails and each.state.value in ("ready", "busy"):
                self.say(f"{each.kind} {each.name} works again")

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
        reason = device.reason if device.is_device else f"{device.kind} missing"
        self._draw_reason(reason, meaning(device.reason) if device.is_device else device.text, device.cure)
        if not device.fails:
            self.query_one("#device-meaning", Line).update(device.text)
        self._draw_facts(device)

    def _draw_nothing(self) -> None:
        self.query_one("#device-name", Line).update("")
        self._draw_reason("no device", "The configuration names no device to use.", _NO_DEVICE)
        self.query_one(Facts).show({})
        self.query_one(FindingsList).show(())

    def _draw_reason(self, reason: str, meaning_of_it: str, cure: str) -> None:
        self.query_one(Headline).show(reason)
        self.query_one("#device-reason", Line).update(reason.upper())
        self.query_one("#device-meaning", Line).update(meaning_of_it)
        self.query_one("#device-cure", Line).update(cure)
        self.query_one("#device").set_class(bool(cure), "-cure")
        self.query_one("#device-next", Line).update(
            "The till notices by itself when it is cured; r tries at once."
        )

    def _draw_facts(self, device: ShownDevice) -> None:
        report = self._reports.get(device.key)
        facts = {}
        if report is not None:
            facts = {
                "driver": report.driver,
                "path": report.path,
                "model": report.model,
                "firmware": report.firmware,
                "serial": report.serial_number,
                "can": ", ".join(report.capabilities),
                **report.details,
            }
        if device.is_device:
            facts["faults"] = f"{device.faults} unforeseen since the start" if device.faults else ""
        self.query_one(Facts).show({name: text for name, text in facts.items() if text})
        self.query_one(FindingsList).show((*_firmware(report), *self._tests.get(device.key, ())))

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
            self._draw()
            self.query_one("#device", VerticalScroll).scroll_home(animate=False)
            self.query_one("#devices-side", VerticalScroll).scroll_to(y=max(0, 2 * number - 8), animate=False)

    def action_scroll(self, lines: int) -> None:
        """Scroll the right side."""
        self.query_one("#device").scroll_relative(y=lines, animate=False)

    def action_copy(self) -> None:
        """Copy the cure; over SSH too, where the terminal window allows it."""
        device = self.chosen
        if device is None or not device.cure:
            self.refuse("There is nothing to cure")
            return
        self.app.copy_to_clipboard(device.cure)
        self.say("Copied, if this window lets programs copy")

    def action_restart(self) -> None:
        """Close the device and open it again."""
        device = self.chosen
        if device is None or not device.is_device:
            self.refuse("This is no device")
            return
        worker_of(self.workshop, device).restart()
        self.say(f"{device.name} is opened again")

    def action_self_test(self) -> None:
        """Have the device test itself."""
        device = self.chosen
        if device is None or not device.is_device:
            self.refuse("This is no device")
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

        self.say("Testing …")
        self.ask(worker_of(self.workshop, device), work, then)


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
