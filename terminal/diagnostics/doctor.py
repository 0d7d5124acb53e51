"""All probes, one after another: `tillside doctor`, the bundle and the technician's overview."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping

from terminal.diagnostics import devices, keys, network, queue, steps, system, udev
from terminal.diagnostics.finding import Finding, Mark
from terminal.diagnostics.workshop import Workshop
from terminal.home import option

logger = logging.getLogger(__name__)

WORDS: Mapping[Mark, str] = {
    Mark.OK: "ok  ",
    Mark.NOTE: "note",
    Mark.WARNING: "WARN",
    Mark.FAULT: "FAIL",
    Mark.SKIPPED: "skip",
}
"""What stands before a finding in text."""


async def probe(workshop: Workshop) -> AsyncIterator[Finding]:
    """Yield the findings of every area: system, configuration, udev, devices, keys, network, queue."""
    areas: Mapping[str, Callable[[Workshop], AsyncIterator[Finding]]] = {
        system.AREA: system.probe,
        "configuration": _configuration,
        udev.AREA: udev.probe,
        devices.AREA: devices.probe,
        keys.AREA: keys.probe,
        steps.AREA: network.probe,
        queue.AREA: queue.probe,
    }
    for area, look in areas.items():
        try:
            async for finding in look(workshop):
                yield finding
        except Exception as error:
            # One probe that fails must not hide what the others find.
            logger.exception("the probe of %s failed", area)
            text = f"this probe failed itself ({type(error).__name__})"
            yield Finding(area, "probe", Mark.FAULT, text, "send a support bundle: its log says where")


async def _configuration(workshop: Workshop) -> AsyncIterator[Finding]:
    area = "configuration"
    if workshop.config is None:
        yield Finding(area, "file", Mark.FAULT, workshop.config_fault, "edit that file as the message says")
        return
    shop = workshop.config.shop
    text = f"{shop.name}, terminal {workshop.config.terminal.id}, {shop.currency}"
    yield Finding(area, "file", Mark.OK, f"{text}{', simulated' if shop.simulated else ''}")
    if workshop.enrolment is None:
        enrol = f"tillside enrol{option(workshop.home)}"
        yield Finding(area, "enrolment", Mark.FAULT, workshop.enrolment_fault, enrol)


def is_fine(findings: Iterable[Finding]) -> bool:
    """Tell whether there is nothing to be cured."""
    return not any(finding.mark in (Mark.WARNING, Mark.FAULT) for finding in findings)


def text_line(finding: Finding) -> str:
    """Return a finding for a person, in a line or two."""
    took = f" ({finding.took_ms:g} ms)" if finding.took_ms is not None else ""
    colon = "" if finding.name.endswith(":") else ":"
    cure = f"\n       cure: {finding.cure}" if finding.cure and finding.mark is not Mark.OK else ""
    return f"{WORDS[finding.mark]} {finding.area:13s} {finding.name}{colon} {finding.text}{took}{cure}"
