"""``tillside sim faults``: a line between a device and its driver that fails as a script says."""

from __future__ import annotations

import re
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from drivers.address import AddressError, DeviceAddress, parse
from simulators.programs.program import Command, Program, Tell
from simulators.wire_fault_pty import FaultyPty
from simulators.wire_fault_script import Direction, Fault, Script, What, load
from simulators.wire_fault_tcp import FaultyTcp
from simulators.wire_faults import FaultyLine

_ON_LOOPBACK = re.compile(r"((?:[a-z]+://)?(?:127\.0\.0\.1|localhost):)(\d{1,5})((?:/.*)?)")


class FaultsProgram(Program):
    """The device keeps its own address; the driver gets another, behind the line."""

    words = "a line before any serial or TCP device on this machine, that fails as a script says"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "device",
            metavar="ADDRESS",
            help="the device: pn532:/dev/pts/5, escpos:127.0.0.1:9100, camera:http://127.0.0.1:8080/",
        )
        parser.add_argument(
            "script", nargs="?", type=Path, metavar="FILE", help="faults in TOML (default: none)"
        )

    def start(self, options: Namespace, tell: Tell) -> Sequence[str]:
        script = Script() if options.script is None else load(options.script)
        self._tell = tell
        try:
            self._line, self._address = line_before(parse(options.device), script)
        except AddressError as error:
            raise ValueError(str(error)) from error
        self._line.on_strike = lambda fault: tell("fault", f"{fault.what} ({fault.direction})")
        try:
            self.ends.enter_context(self._line)
        except OSError as error:
            raise RuntimeError(f"{options.device}: {error.strerror}") from error
        self._known = self._address()
        return [self._known]

    @property
    def commands(self) -> Mapping[str, Command]:
        found = {
            str(what): Command(
                f"{what} [DIRECTION]", f"let it strike now: {what}", partial(self._strike, what)
            )
            for what in What
            if what is not What.OTHER_DEVICE
        }
        return {**found, "cure": Command("cure", "make everything good again", lambda _: self._cure())}

    def _strike(self, what: What, way: str) -> None:
        if way not in ("", *Direction):
            raise ValueError(f"{what} {' or '.join(Direction)}, not {way!r}")
        # A device that enumerates again is soon back.
        back_after_s = 0.0 if what is What.RE_ENUMERATE else None
        direction = Direction(way) if way else Direction.FROM_DEVICE
        self._line.strike(Fault(what, direction=direction, back_after_s=back_after_s))

    def _cure(self) -> None:
        try:
            self._line.cure()
        except OSError as error:
            raise ValueError(f"the device itself is not there: {error.strerror}") from error
        if self._address() != self._known:
            self._known = self._address()
            self._tell("address", self._known)


def line_before(address: DeviceAddress, script: Script) -> tuple[FaultyLine, Callable[[], str]]:
    """Return a line before a device, and what gives the driver's address behind it once it has started."""
    target, mark, options = address.target.partition("#")
    if target.startswith("/"):
        pty = FaultyPty(target, script.faults, seed=script.seed)
        return pty, lambda: f"{address.scheme}:{pty.path}{mark}{options}"
    found = _ON_LOOPBACK.fullmatch(target)
    if found is None:
        raise ValueError(f"{address}: write a device with a path (/dev/...) or a port on 127.0.0.1")
    before, port, after = found.groups()
    tcp = FaultyTcp(int(port), script.faults, seed=script.seed)
    return tcp, lambda: f"{address.scheme}:{before}{tcp.port}{after}{mark}{options}"
