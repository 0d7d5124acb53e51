"""One thread uses a device, another closes it."""

import os
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock

import pytest

from drivers.address import DeviceAddress
from drivers.errors import DeviceUnavailableError
from drivers.gate import Gate


class Device:
    def __init__(self) -> None:
        self.ended: list[str] = []
        self.gate = Gate(DeviceAddress("test", ""), lambda: self.ended.append("ended"))


@pytest.fixture
def device() -> Device:
    return Device()


def test_an_idle_device_is_closed_at_once_and_once(device: Device) -> None:
    assert device.gate.close()
    assert device.gate.close()
    assert device.ended == ["ended"]


def test_a_closed_device_is_refused(device: Device) -> None:
    device.gate.close()
    with pytest.raises(DeviceUnavailableError), device.gate.use():
        pytest.fail("used")


def test_a_device_in_use_is_closed_by_its_user(device: Device) -> None:
    inside, go_on = Event(), Event()

    def use() -> list[str]:
        with device.gate.use():
            inside.set()
            assert go_on.wait(15)
            return list(device.ended)

    with ThreadPoolExecutor(1) as pool:
        using = pool.submit(use)
        assert inside.wait(15)
        assert not device.gate.close()
        assert device.ended == []
        go_on.set()
        assert using.result() == []
    assert device.ended == ["ended"]
    assert device.gate.close()
    assert device.ended == ["ended"]


def test_one_that_closes_as_its_user_leaves_is_not_forgotten(device: Device) -> None:
    class Late:
        """A lock under which somebody closes in the last moment."""

        def __init__(self) -> None:
            self._lock = Lock()

        def acquire(self, blocking: bool = True) -> bool:
            return self._lock.acquire(blocking)

        def release(self) -> None:
            self._lock.release()

        def __enter__(self) -> None:
            self._lock.acquire()

        def __exit__(self, *error: object) -> None:
            assert not device.gate.close()
            self._lock.release()

    device.gate._busy = Late()  # type: ignore[assignment]
    with device.gate.use():
        pass
    assert device.ended == ["ended"]


def test_what_can_not_be_given_back_is_no_fault() -> None:
    gate = Gate(DeviceAddress("test", ""), lambda: os.close(-1))
    assert gate.close()


def test_a_user_that_fails_closes_too(device: Device) -> None:
    def fail() -> None:
        with device.gate.use():
            device.gate.close()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert device.ended == ["ended"]
