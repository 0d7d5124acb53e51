"""Status bytes, told apart by their fixed bits."""

import pytest

from drivers.printers import answers
from drivers.protocols import PrinterStatus


@pytest.mark.parametrize("byte", [0x12, 0x16, 0x1A, 0x72, 0x7E])
def test_an_answer_in_real_time(byte: int) -> None:
    assert answers.is_real_time(byte)
    assert not answers.is_end_of_page(byte)


@pytest.mark.parametrize("byte", [0x00, 0x03, 0x0C, 0x60])
def test_an_answer_in_order(byte: int) -> None:
    assert answers.is_end_of_page(byte)
    assert not answers.is_real_time(byte)


@pytest.mark.parametrize("byte", [0x10, 0x14, 0x92, 0x11, 0x13])
def test_automatic_status_is_neither(byte: int) -> None:
    assert not answers.is_real_time(byte)
    assert not answers.is_end_of_page(byte)


@pytest.mark.parametrize(
    ("printer", "cause", "paper", "status"),
    [
        (0x12, 0x12, 0x12, PrinterStatus(True, False, False, False)),
        (0x1A, 0x16, 0x12, PrinterStatus(False, True, False, False)),
        (0x1A, 0x32, 0x7E, PrinterStatus(False, False, True, True)),
        (0x12, 0x12, 0x1E, PrinterStatus(True, False, True, False)),
        (0x1A, 0x32, None, PrinterStatus(False, False, None, True)),
        (0x12, None, 0x72, PrinterStatus(True, None, False, True)),
        (None, None, None, PrinterStatus()),
    ],
)
def test_what_they_say(
    printer: int | None, cause: int | None, paper: int | None, status: PrinterStatus
) -> None:
    assert answers.status(printer, cause, paper, None) == status


@pytest.mark.parametrize(("pin", "high_is_open", "is_open"), [(0x16, True, True), (0x16, False, False)])
def test_the_drawers_pin_means_what_somebody_said(pin: int, high_is_open: bool, is_open: bool) -> None:
    assert answers.status(pin, None, None, high_is_open).drawer_open is is_open
