"""Commands as a card sees them, and the status words that it answers with.

Spec: ISO/IEC 7816-4, 5.1 (short length fields) and 5.6.
"""

from __future__ import annotations

from dataclasses import dataclass

OK = b"\x90\x00"
WRONG_LENGTH = b"\x67\x00"
NOT_SATISFIED = b"\x69\x85"
WRONG_DATA = b"\x6a\x80"
FILE_NOT_FOUND = b"\x6a\x82"
RECORD_NOT_FOUND = b"\x6a\x83"
WRONG_P1_P2 = b"\x6a\x86"
DATA_NOT_FOUND = b"\x6a\x88"
WRONG_INS = b"\x6d\x00"
WRONG_CLA = b"\x6e\x00"

SELECT = (0x00, 0xA4)
GET_PROCESSING_OPTIONS = (0x80, 0xA8)
READ_RECORD = (0x00, 0xB2)
GENERATE_AC = (0x80, 0xAE)
INTERNAL_AUTHENTICATE = (0x00, 0x88)
GET_DATA = (0x80, 0xCA)
EXCHANGE_RELAY_RESISTANCE_DATA = (0x80, 0xEA)
RECOVER_AC = (0x80, 0xD0)
COMPUTE_CRYPTOGRAPHIC_CHECKSUM = (0x80, 0x2A)


@dataclass(frozen=True, slots=True)
class Command:
    """A command, taken apart."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes

    @property
    def name(self) -> tuple[int, int]:
        """Class and instruction: what says which command it is."""
        return self.cla, self.ins

    @property
    def parameters(self) -> tuple[int, int]:
        """P1 and P2."""
        return self.p1, self.p2


def split(capdu: bytes) -> Command | None:
    """Take a short C-APDU apart; None if its length and Lc contradict each other."""
    if len(capdu) < 4:
        return None
    cla, ins, p1, p2 = capdu[:4]
    if len(capdu) <= 5:
        return Command(cla, ins, p1, p2, b"")
    lc = capdu[4]
    if lc == 0 or len(capdu) not in (5 + lc, 6 + lc):
        return None
    return Command(cla, ins, p1, p2, capdu[5 : 5 + lc])
