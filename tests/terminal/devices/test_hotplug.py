"""Plugs are watched: by the names of device files here, by udev where there is one."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from terminal.devices import hotplug
from terminal.devices.hotplug import PlugWatch

PATIENCE_S = 10.0


class Told:
    """Counts what the watch tells."""

    def __init__(self) -> None:
        self._told = threading.Semaphore(0)

    def __call__(self) -> None:
        self._told.release()

    def wait(self) -> None:
        assert self._told.acquire(timeout=PATIENCE_S), "nobody told"


@contextmanager
def watching(told: Callable[[], None], *places: Path) -> Iterator[None]:
    watch = PlugWatch(told, places=places)
    watch.start()
    try:
        yield
    finally:
        watch.stop()


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hotplug, "POLL_S", 0.001)


def test_a_device_that_comes_and_goes_is_told_each_time(tmp_path: Path) -> None:
    told = Told()
    device = tmp_path / "ttyUSB0"
    with watching(told, tmp_path, tmp_path / "by-id"):
        for _ in range(20):
            device.touch()
            told.wait()
            device.unlink()
            told.wait()


def test_a_lasting_name_that_leads_elsewhere_is_a_change(tmp_path: Path) -> None:
    told = Told()
    link = tmp_path / "usb-reader"
    link.symlink_to("ttyUSB0")
    moved = tmp_path / "elsewhere" / "link"
    moved.parent.mkdir()
    moved.symlink_to("ttyUSB1")
    with watching(told, tmp_path):
        moved.replace(link)
        told.wait()


def test_a_watch_that_fails_is_logged_and_holds_nothing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: PlugWatch) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(PlugWatch, "_compare", fail)
    with watching(lambda: None, tmp_path):
        pass
    assert "nobody watches the plugs" in caplog.text


def test_what_vanishes_during_a_look_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to("ttyUSB0")
    (tmp_path / "ttyUSB1").touch()

    def gone(path: str) -> str:
        raise FileNotFoundError(path)

    monkeypatch.setattr(os, "readlink", gone)
    told = Told()
    with watching(told, tmp_path):
        (tmp_path / "ttyUSB2").touch()
        told.wait()


def test_names_are_compared_once_udev_can_not_be_listened_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: PlugWatch) -> None:
        raise OSError("No buffer space available")

    monkeypatch.setattr(PlugWatch, "_listen", fail)
    monkeypatch.setattr(hotplug, "_UDEV_RUNS", tmp_path)
    monkeypatch.setattr(hotplug, "_PLACES", (tmp_path,))
    told = Told()
    with watching(told, *hotplug._PLACES):
        (tmp_path / "ttyUSB0").touch()
        told.wait()


def test_a_watch_that_never_began_can_be_ended() -> None:
    PlugWatch(lambda: None).stop()
