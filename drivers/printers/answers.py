"""What a printer answers, told apart by the bits that are fixed.

`DLE EOT n` is answered at once, even while the printer is offline; the answer has bits 1 and 4 set and
bits 0 and 7 clear. `GS r n` is answered when everything before it has been printed, and not at all while
the printer is offline; its answer has bits 4 and 7 clear. So the second tells the end of a page.

Sources: the command references of Epson (TM-T85, TM-L60II), Bixolon (SRP-350, SRP-330II) and Citizen
(iDP-3221), which agree on every bit used here.
"""

from __future__ import annotations

from drivers.protocols import PrinterStatus

PRINTER, OFFLINE_CAUSE, PAPER = 1, 2, 4
"""The numbers of `DLE EOT` that are asked for."""

END_OF_PAGE = b"\x1dr\x01"
"""`GS r 1`."""

NOTHING_UNASKED = b"\x1da\x00"
"""`GS a 0`: no automatic status, which another program may have left on and which looks like answers."""


def ask(number: int) -> bytes:
    """Return `DLE EOT n`."""
    return bytes((0x10, 0x04, number))


def identify(number: int) -> bytes:
    """Return `GS I n`: 65 firmware, 66 maker, 67 model, 68 serial number."""
    return bytes((0x1D, ord("I"), number))


def is_real_time(byte: int) -> bool:
    """Tell whether a byte answers `DLE EOT`."""
    return byte & 0x93 == 0x12


def is_end_of_page(byte: int) -> bool:
    """Tell whether a byte answers `GS r`."""
    return byte & 0x90 == 0x00


def drawer_pin_high(printer: int) -> bool:
    """Return the level of the drawer connector's pin 3; high where no drawer is attached."""
    return bool(printer & 0x04)


def status(
    printer: int | None, cause: int | None, paper: int | None, drawer_open_is_high: bool | None
) -> PrinterStatus:
    """Return what the three answers say; None for what was not answered.

    Which level means an open drawer is the drawer's affair: None if nobody has said.
    """
    low = out = cover = drawer = None
    if paper is not None:
        low, out = bool(paper & 0x0C), bool(paper & 0x60)
    if cause is not None:
        cover = bool(cause & 0x04)
        out = bool(out) or bool(cause & 0x20)
    if printer is not None and drawer_open_is_high is not None:
        drawer = drawer_pin_high(printer) == drawer_open_is_high
    return PrinterStatus(
        online=printer is None or not printer & 0x08,
        cover_open=cover,
        paper_low=low,
        paper_out=out,
        drawer_open=drawer,
    )
