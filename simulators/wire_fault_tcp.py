"""A TCP line that misbehaves: a port on loopback in front of a device's own, or of the host's.

Printers and cameras listen, and the host calls them. The virtual card calls the PC/SC daemon: there
the device is who calls (`device_calls`).

Unplugged, the port refuses; busy, it hangs up on whoever calls; stuck, it takes calls and reads
nothing. A device that re-enumerates comes back on another port, as with a new network address.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Callable, Sequence

from simulators.wire_fault_script import Fault, What
from simulators.wire_faults import FaultyLine, Flow, Link

HOST = "127.0.0.1"
_CONNECT_S = 1.0


class FaultyTcp(FaultyLine):
    """A line in front of what listens on a TCP port. Raises ValueError for a fault that TCP does not have.

    Args:
        target_port: Where that listens.
        faults: What strikes, each once.
        seed: Of what noise does.
        port: The line's own port; 0 takes a free one.
        device_calls: Whether the device is who calls, not who is called.
    """

    def __init__(
        self,
        target_port: int,
        faults: Sequence[Fault] = (),
        *,
        seed: int = 0,
        port: int = 0,
        device_calls: bool = False,
    ) -> None:
        for fault in faults:
            self._check(fault)
        super().__init__(faults, seed=seed)
        self._target_port = target_port
        self._port = port
        self._device_calls = device_calls
        self._listener: socket.socket | None = None
        self._sockets: dict[int, socket.socket] = {}

    @property
    def port(self) -> int:
        """The port to call, once started; another one after the device has re-enumerated."""
        return self._port

    def _check(self, fault: Fault) -> None:
        if fault.what is What.NO_PERMISSION:
            raise ValueError("a TCP line has no file and no permissions")

    def _begin(self) -> None:
        """Nothing lasts but the number of the port."""

    def _plug_in(self, *, elsewhere: bool = False) -> None:
        if self._listener is None or elsewhere:
            before, self._listener = (
                self._listener,
                socket.create_server((HOST, 0 if elsewhere else self._port)),
            )
            if before is not None:
                before.close()
        self._listener.setblocking(False)
        self._port = self._listener.getsockname()[1]

    def _hang_up(self, *, there: bool) -> None:
        if there:
            self._plug_in()
        elif self._listener is not None:
            self._listener.close()
            self._listener = None
        # Last: whoever is hung up on may call again at once.
        for link in list(self._links):
            self._over(link)

    def _keep_out(self, what: What) -> None:
        """Nothing to do: `_call` hangs up."""

    def _end(self) -> None:
        self._hang_up(there=False)

    def _listeners(self) -> dict[int, Callable[[], None]]:
        return {} if self._listener is None else {self._listener.fileno(): self._call}

    def _call(self) -> None:
        """Take a call, and call whoever it is for."""
        if self._listener is None:
            return
        with contextlib.suppress(OSError):
            caller, _ = self._listener.accept()
            try:
                if self._now is What.BUSY:
                    raise ConnectionRefusedError
                called = socket.create_connection((HOST, self._target_port), _CONNECT_S)
            except OSError:
                _reset(caller)
                return
            for end in (caller, called):
                end.setblocking(False)
                # Without it each answer in two pieces waits 40 ms for a delayed acknowledgement.
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sockets[end.fileno()] = end
            host, device = (called, caller) if self._device_calls else (caller, called)
            self._links.append(Link(host.fileno(), device.fileno(), self._ways))

    def _before_device(self, link: Link) -> None:
        """There is nothing to set on TCP."""

    def _delivered(self) -> None:
        """What was sent before a reset can still be read."""

    def _over(self, link: Link) -> None:
        self._links.remove(link)
        tidy = all(flow.told for flow in link.flows)
        for flow in link.flows:
            end = self._sockets.pop(flow.source)
            flow.way.lose_held()
            if tidy:
                end.close()
            else:
                _reset(end)

    def _tell_end(self, flow: Flow) -> None:
        with contextlib.suppress(OSError):
            self._sockets[flow.sink].shutdown(socket.SHUT_WR)


def _reset(end: socket.socket) -> None:
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()
