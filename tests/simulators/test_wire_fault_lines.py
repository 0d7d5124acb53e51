"""The faulty lines themselves: what a host sees of each fault, on a pty and on TCP."""

import contextlib
import fcntl
import os
import select
import socket
import subprocess
import sys
import termios
import threading
import tty
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest

from simulators.wire_fault_pty import FaultyPty
from simulators.wire_fault_script import Direction, Fault, What
from simulators.wire_fault_tcp import FaultyTcp

TO, FROM = Direction.TO_DEVICE, Direction.FROM_DEVICE
PATIENCE_S = 10.0


class Device:
    """A device on a pty: what it hears it can be asked for, what it says goes to the host."""

    def __init__(self) -> None:
        self.end, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)

    def close(self) -> None:
        os.close(self.end)
        os.close(self._slave)

    @property
    def speed(self) -> int:
        speed: int = termios.tcgetattr(self._slave)[5]
        return speed


@pytest.fixture
def device() -> Iterator[Device]:
    with contextlib.closing(Device()) as device:
        yield device


def get(end: int, size: int) -> bytes:
    """Read so many bytes, or what there is until the line is hung up."""
    data = b""
    while len(data) < size and select.select([end], [], [], PATIENCE_S)[0]:
        try:
            more = os.read(end, size - len(data))
        except OSError:
            break
        if not more:
            break
        data += more
    return data


def fill(end: int) -> None:
    """Write until nothing more is taken."""
    for _ in range(1000):
        os.write(end, bytes(4096))


@contextlib.contextmanager
def port(path: str) -> Iterator[int]:
    end = os.open(path, os.O_RDWR | os.O_NOCTTY)
    try:
        yield end
    finally:
        os.close(end)


def test_a_line_without_faults_carries_both_ways_and_the_speed(device: Device) -> None:
    with FaultyPty(device.path) as line, port(line.path) as host:
        settings = termios.tcgetattr(host)
        settings[4:6] = [termios.B921600, termios.B921600]
        termios.tcsetattr(host, termios.TCSANOW, settings)
        os.write(host, bytes(range(256)))
        assert get(device.end, 256) == bytes(range(256))
        assert device.speed == termios.B921600
        os.write(device.end, b"answer")
        assert get(host, 6) == b"answer"
        assert (line.passed(TO), line.passed(FROM)) == (256, 6)
        assert line.struck == ()


def test_the_plug_is_pulled_behind_its_byte_and_put_back(device: Device) -> None:
    with FaultyPty(device.path, [Fault(What.UNPLUG, 4)]) as line:
        with port(line.path) as host:
            os.write(device.end, b"12345678")
            assert get(host, 8) == b"1234"
        assert line.state is What.UNPLUG
        assert not Path(line.path).exists()
        line.cure()
        with port(line.path) as host:
            os.write(device.end, b"again")
            assert get(host, 5) == b"again"
        assert [fault.what for fault in line.struck] == [What.UNPLUG]


def test_what_the_host_had_not_sent_yet_never_arrives(device: Device) -> None:
    with FaultyPty(device.path, [Fault(What.UNPLUG, 3, TO)]) as line, port(line.path) as host:
        os.write(host, b"abcdef")
        assert line.wait_struck()
        assert get(device.end, 3) == b"abc"
        assert not select.select([device.end], [], [], 0)[0]


def test_a_device_that_enumerates_again_is_found_by_its_stable_path_alone(device: Device) -> None:
    with FaultyPty(device.path) as line:
        first, first_tty = line.port, os.path.realpath(line.path)
        with port(line.path) as host:
            line.strike(Fault(What.RE_ENUMERATE, back_after_s=0.0))
            assert get(host, 1) == b""
            line.cure()
            assert line.port != first
            assert not os.path.lexists(first)
            assert os.path.realpath(line.path) == os.path.realpath(line.port) != first_tty
        with port(line.path) as host:
            os.write(device.end, b"here")
            assert get(host, 4) == b"here"


def test_a_busy_port_is_locked_until_it_is_cured(device: Device) -> None:
    with FaultyPty(device.path, [Fault(What.BUSY)]) as line:
        with port(line.path) as host, pytest.raises(BlockingIOError):
            fcntl.flock(host, fcntl.LOCK_EX | fcntl.LOCK_NB)
        line.cure()
        with port(line.path) as host:
            fcntl.flock(host, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_port_may_be_taken_before_it_is_back(device: Device) -> None:
    with FaultyPty(device.path, [Fault(What.UNPLUG)]) as line:
        line.strike(Fault(What.BUSY))
        with port(line.path) as host, pytest.raises(BlockingIOError):
            fcntl.flock(host, fcntl.LOCK_EX | fcntl.LOCK_NB)
        line.cure()
        with port(line.path) as host:
            os.write(device.end, b"free")
            assert get(host, 4) == b"free"


def test_a_port_without_permission_can_not_be_opened(device: Device) -> None:
    ask = [sys.executable, "-c", "import os, sys; os.open(sys.argv[1], os.O_RDWR)"]
    if os.geteuid() == 0:
        if which("setpriv") is None:
            pytest.skip("root may open everything, and there is no setpriv to be less")
        ask = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", *ask]
    with FaultyPty(device.path, [Fault(What.NO_PERMISSION)]) as line:
        told = subprocess.run([*ask, line.path], capture_output=True, text=True, check=False)
        assert "PermissionError" in told.stderr
        line.cure()
        subprocess.run([*ask, line.path], check=True)


def test_a_stuck_line_takes_nothing_more(device: Device) -> None:
    with FaultyPty(device.path, [Fault(What.STUCK, 2, TO)]) as line, port(line.path) as host:
        os.set_blocking(host, False)
        os.write(host, b"ab")
        assert line.wait_struck()
        with pytest.raises(BlockingIOError):
            fill(host)
        line.cure()
        assert select.select([], [host], [], PATIENCE_S)[1]


def test_what_was_held_back_comes_at_the_cure(device: Device) -> None:
    with FaultyPty(device.path, [Fault(What.SLOW_START)]) as line, port(line.path) as host:
        os.write(device.end, b"first")
        while line.passed(FROM) < 5:
            os.sched_yield()
        assert not select.select([host], [], [], 0)[0]
        line.cure()
        assert get(host, 5) == b"first"


def test_a_fault_may_cure_itself(device: Device) -> None:
    with FaultyPty(device.path, [Fault(What.TIME_OUT, back_after_s=0.0)]) as line, port(line.path) as host:
        while not select.select([host], [], [], 0)[0]:
            os.write(device.end, b".")
        assert line.struck[0].what is What.TIME_OUT


def test_a_device_that_goes_away_itself_takes_the_line_along() -> None:
    device = Device()
    with FaultyPty(device.path) as line:
        with port(line.path) as host:
            device.close()
            assert get(host, 1) == b""
        assert line.state is What.UNPLUG
        with pytest.raises(OSError, match="pts"):
            line.cure()
        assert line.state is What.UNPLUG


def test_nothing_is_left_of_a_line(device: Device) -> None:
    threads, files = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for fault in (None, What.UNPLUG, What.BUSY, What.STUCK, What.RE_ENUMERATE):
        line = FaultyPty(device.path, [Fault(fault)] if fault else [])
        line.start()
        place = Path(line.path).parent
        line.stop()
        line.stop()
        assert not place.exists()
    with pytest.raises(FileNotFoundError):
        FaultyPty("/nonexistent").start()
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == (threads, files)


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def call(line: FaultyTcp) -> socket.socket:
    return socket.create_connection(("127.0.0.1", line.port), PATIENCE_S)


def connected(server: socket.socket, line: FaultyTcp) -> tuple[socket.socket, socket.socket]:
    host = call(line)
    device, _ = server.accept()
    device.settimeout(PATIENCE_S)
    return host, device


def until_end(end: socket.socket) -> bytes:
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while more := end.recv(100):
            data += more
    return data


def test_a_tcp_line_carries_both_ways_and_each_end_apart(server: socket.socket) -> None:
    with FaultyTcp(server.getsockname()[1]) as line:
        host, device = connected(server, line)
        with host, device:
            host.sendall(b"question")
            host.shutdown(socket.SHUT_WR)
            assert until_end(device) == b"question"
            device.sendall(b"answer")
            device.close()
            assert until_end(host) == b"answer"


def test_a_tcp_device_may_be_taken_before_it_is_back(server: socket.socket) -> None:
    with FaultyTcp(server.getsockname()[1], [Fault(What.UNPLUG)]) as line:
        line.strike(Fault(What.BUSY))
        with pytest.raises(ConnectionResetError), call(line) as host:
            host.recv(1)


@pytest.mark.parametrize("way", [TO, FROM])
def test_a_tcp_line_is_cut_behind_its_byte(server: socket.socket, way: Direction) -> None:
    with FaultyTcp(server.getsockname()[1], [Fault(What.UNPLUG, 3, way)]) as line:
        host, device = connected(server, line)
        with host, device:
            sender, receiver = (host, device) if way is TO else (device, host)
            sender.sendall(b"abcdef")
            assert until_end(receiver) == b"abc"
        with pytest.raises(ConnectionRefusedError):
            call(line)
        before = line.port
        line.cure()
        assert line.port == before
        host, device = connected(server, line)
        host.close()
        device.close()


def test_a_busy_tcp_device_hangs_up(server: socket.socket) -> None:
    with FaultyTcp(server.getsockname()[1], [Fault(What.BUSY)]) as line:
        with pytest.raises(ConnectionResetError), call(line) as host:
            host.recv(1)
        line.cure()
        host, device = connected(server, line)
        host.close()
        device.close()


def test_a_stuck_tcp_device_takes_calls_and_says_nothing(server: socket.socket) -> None:
    with FaultyTcp(server.getsockname()[1], [Fault(What.STUCK)]) as line, call(line) as host:
        host.settimeout(0)
        with pytest.raises(BlockingIOError):
            host.recv(1)
        line.cure()
        device, _ = server.accept()
        device.close()


def test_a_network_device_comes_back_elsewhere(server: socket.socket) -> None:
    with FaultyTcp(server.getsockname()[1]) as line:
        before = line.port
        line.strike(Fault(What.RE_ENUMERATE))
        line.cure()
        assert line.port != before
        host, device = connected(server, line)
        host.close()
        device.close()


def test_what_was_held_back_goes_with_its_connection(server: socket.socket) -> None:
    with FaultyTcp(server.getsockname()[1], [Fault(What.SLOW_START)]) as line:
        host, device = connected(server, line)
        with device:
            device.sendall(b"late")
            while line.passed(FROM) < 4:
                os.sched_yield()
            host.close()
        while line._links:
            os.sched_yield()
        again, device = connected(server, line)
        with again, device:
            line.cure()
            device.sendall(b"new")
            assert again.recv(10) == b"new"


def test_a_device_that_calls(server: socket.socket) -> None:
    with FaultyTcp(server.getsockname()[1], [Fault(What.TIME_OUT, 2)], device_calls=True) as line:
        device, host = connected(server, line)
        with host, device:
            device.sendall(b"card")
            assert line.wait_struck()
            host.sendall(b"reader")
            assert device.recv(10) == b"reader"
            assert host.recv(10) == b"ca"


def test_a_device_that_is_not_there_yet(server: socket.socket) -> None:
    target = server.getsockname()[1]
    server.close()
    with FaultyTcp(target) as line:
        # Hung up on at once: the call may fail itself, or its first answer.
        with contextlib.suppress(ConnectionResetError), call(line) as host:
            assert until_end(host) == b""


def test_tcp_has_no_permissions() -> None:
    with pytest.raises(ValueError, match="no permissions"):
        FaultyTcp(1, [Fault(What.NO_PERMISSION)])


def test_nothing_is_left_of_a_tcp_line(server: socket.socket) -> None:
    threads, files = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for fault in (None, What.UNPLUG, What.BUSY, What.STUCK, What.RE_ENUMERATE):
        with FaultyTcp(server.getsockname()[1], [Fault(fault)] if fault else []) as line:
            with contextlib.suppress(OSError), call(line):
                line.strike(Fault(What.TIME_OUT))
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == (threads, files)


def test_a_line_that_was_not_started_says_so() -> None:
    line = FaultyTcp(1)
    with pytest.raises(RuntimeError, match=r"start\(\)"):
        line.cure()
