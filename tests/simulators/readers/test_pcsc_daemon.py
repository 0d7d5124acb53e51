"""The PC/SC daemon is ended by whoever started it, and is to be had with readers of any name."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drivers.readers import pcsc
from simulators.readers import pcsc_daemon as module
from simulators.readers.pcsc_daemon import PcscDaemon, PcscDaemonError, VirtualReader

ROOT = Path(module.__file__).parent.parent.parent
NAME = "ACS ACR122U PICC Interface"


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


@contextmanager
def another_process(own: VirtualReader | None) -> Iterator[subprocess.Popen[str]]:
    """Use the daemon in a process that ends when its input does."""
    readers = f"[VirtualReader({own.name!r}, {own.port})]" if own else "[]"
    script = (
        "import sys\n"
        "from simulators.readers.pcsc_daemon import PcscDaemon, VirtualReader\n"
        f"with PcscDaemon({readers}):\n    print('ready', flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            if process.poll() is None:
                process.communicate()


def names() -> list[str]:
    return [address.target for address in pcsc.discover()]


def test_readers_have_the_names_they_are_given_and_two_slots() -> None:
    readers = [VirtualReader.on_free_ports(name) for name in (NAME, "Second Reader")]
    with PcscDaemon(readers):
        assert names() == [
            f"{NAME} 00 00",
            f"{NAME} 00 01",
            "Second Reader 00 00",
            "Second Reader 00 01",
        ]
    assert not names()


def test_a_daemon_of_one_s_own_waits_for_those_who_use_the_ordinary_one() -> None:
    own = VirtualReader.on_free_ports(NAME)
    with another_process(None), pytest.raises(PcscDaemonError, match="another process"):
        PcscDaemon([own]).start(wait_s=0.1)
    with PcscDaemon([own]):
        assert names()[0].startswith(NAME)


def test_the_ordinary_one_waits_for_a_daemon_of_one_s_own() -> None:
    with another_process(VirtualReader.on_free_ports(NAME)):
        assert names()[0].startswith(NAME)
        with pytest.raises(PcscDaemonError, match="another process"):
            PcscDaemon().start(wait_s=0.1)
    with PcscDaemon():
        assert names()[0].startswith("Virtual PCD")


def test_two_processes_share_the_ordinary_one_and_the_last_ends_it() -> None:
    with another_process(None):
        with PcscDaemon():
            assert names()
        assert names()
    assert not names()


def test_a_daemon_whose_user_was_killed_is_not_taken_for_the_ordinary_one() -> None:
    with another_process(VirtualReader.on_free_ports(NAME)) as process:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    assert names()[0].startswith(NAME)
    with PcscDaemon():
        assert names()[0].startswith("Virtual PCD")
    assert not names()


def test_the_ordinary_daemon_gives_way_and_comes_back() -> None:
    with PcscDaemon() as daemon:
        with daemon.replaced_by(VirtualReader.on_free_ports(NAME)):
            assert names()[0].startswith(NAME)
        assert names()[0].startswith("Virtual PCD")
