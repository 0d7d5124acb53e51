"""Fixtures and options for every folder: the field of the simulated readers and the real PC/SC daemon."""

from collections.abc import Iterator

import pytest

from simulators.readers.field import Field
from simulators.readers.pcsc_daemon import PcscDaemon
from simulators.readers.virtual_card import VirtualCard


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


@pytest.hookimpl(tryfirst=True)  # xdist looks at the groups in the same hook.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # There is one PC/SC daemon on a machine: of several processes that test, one has it.
    for item in items:
        if "pcsc_daemon" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("pcsc"))


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
