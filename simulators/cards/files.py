"""What applications have in common: records and their locator, lists that the terminal fills, card numbers.

Spec: EMV 4.4 Book 3, 5.4 (data object lists), 7 (files), 10.2 (file locator).
"""

from __future__ import annotations

import calendar

from simulators.cards import ber
from simulators.cards.ber import tlv
from simulators.cards.commands import FILE_NOT_FOUND, OK, RECORD_NOT_FOUND, WRONG_P1_P2, Command

Files = dict[tuple[int, int], bytes]
"""Contents of records, by short file identifier and number."""


def last_day(expiry: str) -> str:
    """Return YYMMDD of the last day of a month YYMM (tag 5F24)."""
    return f"{expiry}{calendar.monthrange(2000 + int(expiry[:2]), int(expiry[2:]))[1]:02d}"


def track2(pan: str, expiry: str, service_code: str) -> bytes:
    """Return tag 57 with eleven zeroes at the issuer's discretion."""
    digits = f"{pan}D{expiry}{service_code}00000000000"
    return bytes.fromhex(digits + "F" * (len(digits) % 2))


def compressed(digits: str) -> bytes:
    """Return digits two a byte, F at the end if they are odd: tag 5A."""
    return bytes.fromhex(digits + "F" * (len(digits) % 2))


def sent_by_terminal(dol: bytes, data: bytes) -> dict[str, bytes] | None:
    """Return what a command template (83) holds for the tags of a list; None if it is not as asked."""
    try:
        [(tag, value)] = ber.objects(data)
        return ber.split_by_dol(dol, value) if tag == "83" else None
    except ValueError:
        return None


def file_locator(files: Files, signed: frozenset[int]) -> bytes:
    """Return the AFL (94) of these records, in their order; files in `signed` take part in ODA whole."""
    numbers: dict[int, list[int]] = {}
    for sfi, record in files:
        numbers.setdefault(sfi, []).append(record)
    return b"".join(
        bytes([sfi << 3, min(held), max(held), len(held) if sfi in signed else 0])
        for sfi, held in numbers.items()
    )


def read_record(files: Files, command: Command) -> bytes:
    """Answer READ RECORD. Spec: EMV 4.4 Book 1, 11.2."""
    if command.p2 & 0x07 != 0x04:
        return WRONG_P1_P2
    sfi = command.p2 >> 3
    if not any(sfi == held for held, _ in files):
        return FILE_NOT_FOUND
    content = files.get((sfi, command.p1))
    return RECORD_NOT_FOUND if content is None else tlv("70", content) + OK
