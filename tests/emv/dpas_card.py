"""A made-up Discover card: its cryptogram comes with the processing options, signed by the test scheme."""

from collections.abc import Mapping

from simulators.scheme import certificates
from tests.emv.emv_card import CRYPTOGRAM, TC, EmvCard, one
from tests.emv.visa_card import PDOL

VERIFIED, FAILED = "0105 0002000000000000", "0105 0003000000000000"
"""Issuer application data: the device verified its owner; it tried, and that failed."""


class DpasCard(EmvCard):
    """Answers what a card of kernel 6 answers, changed as a test wants it.

    Args:
        kind: The kind of its cryptogram.
        requirements: Tag 9F71.
        signs: Whether the cryptogram is in a signature, and not in clear.
        given: Data objects to change in the answer with the processing options; None leaves one out.
        signed_apart: Whether the signature comes in a record instead.
        records: As the shared flow's card.
        pdol: Tag 9F38.
        forges: Whether its signature is over something else.
        lost_at: The instruction at which it leaves the field.
    """

    def __init__(
        self,
        *,
        kind: int = TC,
        requirements: str = "0000",
        signs: bool = True,
        given: Mapping[int, str | None] | None = None,
        signed_apart: bool = False,
        records: Mapping[int, str | None] | None = None,
        pdol: str = PDOL,
        forges: bool = False,
        lost_at: int | None = None,
    ) -> None:
        lists = {0x8C: None, 0x8D: None, 0x8E: None}
        changed = lists | dict(records or {})
        super().__init__("discover", pdol=pdol, records=changed, forges=forges, lost_at=lost_at)
        self._kind = kind
        self._requirements = requirements
        self._signs = signs
        self._given = given or {}
        self._signed_apart = signed_apart

    @property
    def told(self) -> bytes:
        """The TTQ that the card was sent."""
        sent = next(command for command in self.commands if command[1] == 0xA8)
        return sent[7:11]

    def _options_for(self, capdu: bytes) -> bytes:
        values: dict[int, str | None] = {
            0x82: self.aip.to_bytes(2, "big").hex(),
            0x94: "080101000802020110010300",
            0x9F10: "06010503A00000",
            0x9F27: f"{self._kind:02X}",
            0x9F36: "0007",
            0x9F71: self._requirements,
        }
        if not self._signs:
            values[0x9F26] = CRYPTOGRAM.hex()
        values |= self._given
        parts = [one(tag, value) for tag, value in values.items() if value is not None]
        if self._signs:
            # In the middle: what is signed is what is before and behind it.
            signature = one(0x9F4B, self._signature(capdu[7:-1], b"".join(parts)))
            if self._signed_apart:
                self._records[1, 1] = one(0x70, self._records[1, 1][2:] + signature)
            else:
                parts.insert(2, signature)
        return one(0x77, b"".join(parts)) + b"\x90\x00"

    def _signature(self, pdol_data: bytes, answer: bytes) -> bytes:
        return certificates.sign_combined(
            self._icc,
            dynamic_number=b"abc",
            cid=self._kind,
            cryptogram=CRYPTOGRAM,
            transaction_data=pdol_data + answer + (b"!" if self._forges else b""),
            unpredictable_number=bytes.fromhex("01020304"),
        )
