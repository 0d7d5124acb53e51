"""A reader of the real PC/SC daemon whose card's line fails, and a daemon that goes away and comes back.

A card whose answer is cut off in its middle is not among them: the daemon's virtual reader takes the part
that came for the whole of it, and nobody behind it can tell.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from smartcard import scard  # type: ignore[import-untyped]

from drivers.address import parse
from drivers.readers import pcsc
from drivers.registry import open_reader
from simulators.cards import profile
from simulators.readers import virtual_card
from simulators.readers.field import Field
from simulators.readers.pcsc_daemon import PcscDaemon
from simulators.readers.virtual_card import PORT, VirtualCard
from simulators.wire_fault_script import Direction, Fault, What
from simulators.wire_fault_tcp import FaultyTcp
from terminal.devices import worker as module
from terminal.devices.worker import DeviceState
from tests.drivers.test_wire_faults_worker import PATIENCE_S, Watched, tap

ADDRESS = parse("pcsc:Virtual PCD 00 00")
FROM, TO = Direction.FROM_DEVICE, Direction.TO_DEVICE


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses of workers, shorter than a shop would have them."""
    monkeypatch.setattr(module, "REOPEN_S", 0.01)
    monkeypatch.setattr(module, "HEALTH_S", 0.01)


@contextlib.contextmanager
def card_behind(fault: Fault) -> Iterator[FaultyTcp]:
    """Hold a card to the daemon's first slot, over a faulty line, alone on this machine."""
    field = Field(profile.load("visa-approve"))
    with virtual_card._take_slot(PORT, PATIENCE_S), FaultyTcp(PORT, [fault], device_calls=True) as line:
        with VirtualCard(field, line.port):
            yield line


def wait_until_noticed() -> None:
    """Wait until the daemon has noticed that the card is away.

    It looks every 0.4 s, and never notices one that is away for less. A reader that fails is empty at once;
    counted as removed, in the upper half of its state, is the card later: insertions and removals, in turns.
    """
    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    try:
        state = scard.SCARD_STATE_UNAWARE
        while not state & scard.SCARD_STATE_EMPTY or state >> 16 & 1:
            code, states = scard.SCardGetStatusChange(context, 5000, [(ADDRESS.target, state)])
            assert code == scard.SCARD_S_SUCCESS
            state = states[0][1] & ~scard.SCARD_STATE_CHANGED
    finally:
        scard.SCardReleaseContext(context)


@contextlib.contextmanager
def worker() -> Iterator[Watched]:
    with contextlib.closing(_Closing()) as one:
        yield one


class _Closing(Watched):
    def __init__(self) -> None:
        super().__init__(ADDRESS, open_reader)

    def close(self) -> None:
        self.worker.close()
        self.worker.join(PATIENCE_S)
        assert self.states[-1] is DeviceState.CLOSED
        assert self.worker.status.faults == 0


@pytest.mark.parametrize(
    ("what", "way", "at"),
    [
        (What.UNPLUG, FROM, 0),
        (What.UNPLUG, FROM, 12),
        (What.UNPLUG, TO, 20),
        (What.TIME_OUT, FROM, 30),
        (What.STUCK, FROM, 30),
    ],
)
def test_a_tap_is_done_once_the_card_is_back(
    what: What, way: Direction, at: int, pcsc_daemon: PcscDaemon
) -> None:
    with card_behind(Fault(what, at, way)) as line, worker() as reader:
        job = reader.worker.submit(tap)
        assert line.wait_struck()
        if what is not What.UNPLUG:
            # The daemon waits for the card without any limit of its own: somebody takes it away.
            line.strike(Fault(What.UNPLUG))
        wait_until_noticed()
        line.cure()
        assert (job.future.result(PATIENCE_S) or b"")[-2:] == b"\x90\x00"


def test_a_tap_is_done_once_the_daemon_is_back(pcsc_daemon: PcscDaemon) -> None:
    with VirtualCard(field := Field()), worker() as reader:
        seen = reader.wait_for(DeviceState.READY)
        job = reader.worker.submit(tap)
        reader.wait_for(DeviceState.BUSY, seen)
        pcsc_daemon.stop()
        try:
            if pcsc.discover():
                pytest.skip("the daemon is not ours alone to stop")
            reader.wait_for(DeviceState.UNAVAILABLE, seen)
        finally:
            pcsc_daemon.start()
        field.place(profile.load("visa-approve"))
        assert (job.future.result(PATIENCE_S) or b"")[-2:] == b"\x90\x00"
