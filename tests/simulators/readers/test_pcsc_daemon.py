"""The PC/SC daemon is ended by whoever started it, also where it came up without the virtual reader."""

import pytest

from drivers.readers import pcsc
from simulators.readers import pcsc_daemon
from simulators.readers.pcsc_daemon import PcscDaemon, PcscDaemonError


@pytest.fixture(autouse=True)
def daemon_is_ours_to_start() -> None:
    if missing := PcscDaemon.missing():
        pytest.skip(f"no PC/SC daemon with a virtual reader: {missing}")
    if pcsc.discover():
        pytest.skip("a PC/SC daemon runs already, started by somebody else")


def test_a_daemon_without_the_virtual_reader_is_not_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcsc_daemon, "READER", "No Such Reader")
    with pytest.raises(PcscDaemonError, match="without the virtual reader"):
        PcscDaemon().start(wait_s=1.0)
    assert not pcsc.discover()


def test_a_daemon_that_was_started_is_ended() -> None:
    with PcscDaemon():
        assert pcsc.discover()
    assert not pcsc.discover()
