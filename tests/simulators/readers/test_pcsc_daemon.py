"""The PC/SC daemon is ended by whoever started it, also where it came up without the virtual reader."""

from collections.abc import Iterator

import pytest

from drivers.readers import pcsc
from simulators.readers import pcsc_daemon as module
from simulators.readers.pcsc_daemon import PcscDaemon, PcscDaemonError


@pytest.fixture(autouse=True)
def no_daemon(pcsc_daemon: PcscDaemon) -> Iterator[None]:
    """End the daemon that the other tests share, for one test."""
    pcsc_daemon.stop()
    if pcsc.discover():
        pcsc_daemon.start()
        pytest.skip("a PC/SC daemon of somebody else runs")
    yield
    pcsc_daemon.start()


def test_a_daemon_without_the_virtual_reader_is_not_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READER", "No Such Reader")
    with pytest.raises(PcscDaemonError, match="without the virtual reader"):
        PcscDaemon().start(wait_s=1.0)
    monkeypatch.undo()
    assert not pcsc.discover()


def test_a_daemon_that_was_started_is_ended() -> None:
    with PcscDaemon():
        assert pcsc.discover()
    assert not pcsc.discover()
