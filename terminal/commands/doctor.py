"""`tillside doctor`: everything that a technician would look at, with what cures it."""

from __future__ import annotations

import argparse
import sys

from terminal import log
from terminal.commands import place
from terminal.commands.errors import FINDING, FINE, FindingError, UsageError
from terminal.commands.output import say, say_json
from terminal.diagnostics import bundle, doctor
from terminal.diagnostics.bundle import Bundle, BundleError
from terminal.diagnostics.finding import Finding
from terminal.diagnostics.open_workshop import open_workshop, settled
from terminal.signals import Ending


def run(options: argparse.Namespace) -> int:
    """Run every probe, and write a bundle or check one as asked."""
    if options.check is not None:
        return _check(options)
    if options.bundle is not None and options.bundle.exists():
        raise UsageError(f"{options.bundle} is there already; name a new file")
    findings: list[Finding] = []

    async def looking() -> Bundle | None:
        # Its own log stays in memory: the file is the cashier's, whose program may be at work.
        logs = log.start_in_memory("INFO")
        async with open_workshop(place.folder(options), logs=logs, deliver=False) as workshop:
            await settled(workshop)
            async for finding in doctor.probe(workshop):
                findings.append(finding)
                if not options.json:
                    say(doctor.text_line(finding))
                    sys.stdout.flush()
            if options.bundle is None:
                return None
            return await bundle.write(workshop, options.bundle, findings)

    try:
        with Ending() as ending:
            written = ending.run(looking())
    except BundleError as error:
        raise FindingError(str(error)) from error
    _tell(options, findings, written)
    return FINE if doctor.is_fine(findings) else FINDING


def _tell(options: argparse.Namespace, findings: list[Finding], written: Bundle | None) -> None:
    if options.json:
        told = {"fine": doctor.is_fine(findings), "findings": [finding.fields() for finding in findings]}
        if written is not None:
            told["bundle"] = {
                "file": str(written.file),
                "signed_by": written.signed_by,
                "masked": written.masked,
            }
        say_json(told, indent=2)
    elif written is not None:
        signed = f"signed by key {written.signed_by}" if written.signed_by else "not signed: there is no key"
        say(f"The support bundle is {written.file}, {signed}. Card numbers masked in it: {written.masked}.")


def _check(options: argparse.Namespace) -> int:
    """Check a bundle. Whose key signed it only its terminal and the host can know: the key is told."""
    try:
        findings = bundle.check(options.check)
    except BundleError as error:
        raise FindingError(str(error)) from error
    if options.json:
        _tell(options, list(findings), None)
    else:
        for finding in findings:
            say(doctor.text_line(finding))
    return FINE if doctor.is_fine(findings) else FINDING
