"""The line to a printer: a socket, a serial port, a printer's file, each of them a descriptor.

The library's own connections are not used: they wait for a minute where a quarter of a second is
allowed, know no IPv6, give a refused connection and an unknown host the same error, and take a USB printer
away from the kernel unasked.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import stat
import time
from collections.abc import Callable
from typing import Protocol

import serial

from drivers.address import DeviceAddress
from drivers.errors import DeviceUnavailableError, Reason
from drivers.gate import Gate
from drivers.port_fault import port_fault
from drivers.protocols import MAX_WAIT_S

CONNECT_S = 5.0
"""For how long a printer on the network may take to accept, in seconds."""
STALL_S = 10.0
"""For how long a printer may take no byte before it counts as stuck: longer than a cutter needs."""
_USUAL_PORT = 9100
_PLUG_IN = "plug the printer in: ls /dev/usb/lp* /dev/ttyUSB* /dev/ttyACM*"
_NO_PRINTER = "it is no printer's port"


class Wire(Protocol):
    """Bytes to and from a printer. Errors are DeviceUnavailableError."""

    @property
    def name(self) -> str:
        """What to call it on a screen."""
        ...

    def write(self, data: bytes) -> None:
        """Send all of it."""
        ...

    def read(self, timeout_s: float) -> bytes:
        """Return what has come, as soon as there is some; empty if there was nothing."""
        ...

    def close(self) -> None:
        """Give the line back. Closing twice is allowed."""
        ...


class DescriptorWire:
    """A line that the system knows as a file.

    Args:
        address: The printer, for errors.
        name: What to call it.
        descriptor: Opened without blocking.
        close: Gives it back.
        ends: Whether reading nothing means that the other side has gone. It does not on a printer's file.
        gone_hint: What brings a lost printer back.
    """

    def __init__(
        self,
        address: DeviceAddress,
        name: str,
        descriptor: int,
        close: Callable[[], None],
        *,
        ends: bool,
        gone_hint: str,
    ) -> None:
        self._address = address
        self._name = name
        self._descriptor = descriptor
        # A descriptor that was closed may be another file a moment later, and would take the receipt.
        self._gate = Gate(address, close)
        self._ends = ends
        self._gone_hint = gone_hint

    @property
    def name(self) -> str:
        return self._name

    def write(self, data: bytes) -> None:
        deadline = time.monotonic() + STALL_S
        while data:
            try:
                with self._gate.use():
                    _, writable, _ = select.select([], [self._descriptor], [], MAX_WAIT_S)
                    taken = os.write(self._descriptor, data) if writable else 0
            except BlockingIOError:
                taken = 0
            except OSError as error:
                raise self._gone() from error
            data = data[taken:]
            if taken:
                deadline = time.monotonic() + STALL_S
            elif time.monotonic() > deadline:
                raise DeviceUnavailableError(
                    self._address, Reason.STUCK, "look for paper, an open cover or a red light on the printer"
                )

    def read(self, timeout_s: float) -> bytes:
        try:
            with self._gate.use():
                readable, _, _ = select.select([self._descriptor], [], [], min(timeout_s, MAX_WAIT_S))
                if not readable:
                    return b""
                data = os.read(self._descriptor, 256)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._gone() from error
        if not data and self._ends:
            raise self._gone()
        if not data:
            # A file that is always readable and empty would make its reader spin.
            time.sleep(min(timeout_s, MAX_WAIT_S))
        return data

    def close(self) -> None:
        self._gate.close()

    def _gone(self) -> DeviceUnavailableError:
        return DeviceUnavailableError(self._address, Reason.NOT_FOUND, self._gone_hint)


def network(address: DeviceAddress, host: str, port: int) -> DescriptorWire:
    """Connect to a printer on the network."""
    try:
        connection = socket.create_connection((host, port), timeout=CONNECT_S)
    except OSError as error:
        raise _network_error(address, host, port, error) from error
    connection.setblocking(False)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return DescriptorWire(
        address,
        f"{host}:{port}",
        connection.fileno(),
        connection.close,
        ends=True,
        gone_hint=f"switch the printer on and look at its network cable: ping {host}",
    )


def _network_error(address: DeviceAddress, host: str, port: int, error: OSError) -> DeviceUnavailableError:
    if isinstance(error, socket.gaierror):
        return DeviceUnavailableError(
            address,
            Reason.NOT_FOUND,
            f"this name is not known, write the number: getent hosts {host}",
        )
    if isinstance(error, ConnectionRefusedError):
        return DeviceUnavailableError(
            address,
            Reason.REFUSED,
            "switch it on; if it is on, another program has it or the port is wrong "
            f"({_USUAL_PORT} is usual): nc -vz {host} {port}",
        )
    if isinstance(error, ConnectionResetError):
        # It took the call and hung up at once, as one does that serves somebody else.
        return DeviceUnavailableError(
            address, Reason.BUSY, "another program is connected to the printer: close it there"
        )
    if error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EHOSTDOWN):
        return DeviceUnavailableError(
            address,
            Reason.NOT_FOUND,
            f"there is no way to it, connect this machine to the printer's network: ip route get {host}",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return DeviceUnavailableError(
            address, Reason.NO_PERMISSION, "a firewall on this machine forbids it: sudo nft list ruleset"
        )
    return DeviceUnavailableError(
        address, Reason.NOT_FOUND, f"switch the printer on and look at its network cable: ping {host}"
    )


def path(address: DeviceAddress, name: str, baud: int) -> DescriptorWire:
    """Open a serial port, or a file that the kernel made for a printer, as is at *name*."""
    try:
        mode = os.stat(name).st_mode
        descriptor = os.open(name, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        raise port_fault(address, name, error, absent=_PLUG_IN, wrong=_NO_PRINTER) from error
    if not os.isatty(descriptor) and stat.S_ISCHR(mode):
        return DescriptorWire(
            address,
            name,
            descriptor,
            lambda: os.close(descriptor),
            ends=False,
            gone_hint="plug the printer in again: ls /dev/usb/lp*",
        )
    os.close(descriptor)
    return _serial(address, name, baud)


def _serial(address: DeviceAddress, name: str, baud: int) -> DescriptorWire:
    try:
        port = serial.Serial(name, baud, timeout=0, exclusive=True)
    except (OSError, ValueError) as error:
        raise port_fault(address, name, error, absent=_PLUG_IN, wrong=_NO_PRINTER) from error
    return DescriptorWire(
        address,
        name,
        port.fileno(),
        port.close,
        ends=True,
        gone_hint="plug the printer in again: ls /dev/ttyUSB* /dev/ttyACM*",
    )
