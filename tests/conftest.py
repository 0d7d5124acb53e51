"""Fixtures and options for every folder: the field of the simulated readers and the real PC/SC daemon."""

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulators.readers.field import Field
from simulators.readers.pcsc_daemon import PcscDaemon
from simulators.readers.virtual_card import VirtualCard

ROOT = Path(__file__).parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--reader",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="run the reader conformance suite on this device, such as pcsc:ACS ACR122U; may be repeated",
    )
    parser.addoption(
        "--scanner",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="run the scanner conformance suite on this device, such as camera:0; may be repeated",
    )
    parser.addoption(
        "--printer",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="run the printer conformance suite on this device, such as escpos:192.0.2.7; may be repeated",
    )
    parser.addoption(
        "--display",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="run the display conformance suite on this device, such as serial-display:/dev/ttyUSB1",
    )
    parser.addoption(
        "--sounder",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="run the sounder conformance suite on this device, such as sound-card:; it plays aloud",
    )
    parser.addoption(
        "--every-byte",
        action="store_true",
        help="let drivers meet faults at every byte of a conversation, not at a few (an hour)",
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share the tests out one by one, but leave all that need the PC/SC daemon to one process.

    There is one such daemon on a machine. (Groups marked for `--dist loadgroup` have no effect under
    pytest 9.2: a node's name can't be changed any more.)
    """
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

    class OneForTheDaemon(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return "pcsc" if needs_daemon(nodeid) else nodeid

    return OneForTheDaemon(config, log)


@functools.cache
def uses_daemon(path: str) -> bool:
    """Tell whether a file of tests says that it uses the daemon."""
    return bool(re.search(r"pcsc_daemon|virtual_card\b|PcscDaemon\(", (ROOT / path).read_text("utf-8")))


def needs_daemon(nodeid: str) -> bool:
    """Tell whether a test uses the PC/SC daemon, by its own name or by its file."""
    return "pcsc" in nodeid.lower() or uses_daemon(nodeid.partition("::")[0])


@pytest.fixture
def field() -> Field:
    """An empty field of its own for each test."""
    return Field()


@pytest.fixture(scope="session")
def pcsc_daemon() -> Iterator[PcscDaemon]:
    """The real PC/SC daemon with a virtual reader; skipped, with the cure, where it can't run."""
    if missing := PcscDaemon.missing():
        pytest.skip(f"no PC/SC daemon with a virtual reader: {missing}")
    with PcscDaemon() as daemon:
        yield daemon


@pytest.fixture
def virtual_card(field: Field, pcsc_daemon: PcscDaemon) -> Iterator[VirtualCard]:
    """Whatever is in `field` is held to the daemon's reader ``Virtual PCD 00 00``."""
    with VirtualCard(field) as card:
        yield card
