"""A Discover card (D-PAS): it decides in GET PROCESSING OPTIONS as Visa's does, and signs that answer.

What differs from Visa's: the Card Processing Requirements (9F71) stand in place of the CTQ, and a card that
proves itself does it by CDA. The signature (9F4B) is in the answer and covers it, with all that the terminal
sent for the list; the cryptogram is inside the signature and nowhere else, and track 2 comes as a record.

Byte 1 of 9F71 is of this payment: bit 8, online PIN; bit 7, signature; bit 5, done on the holder's device.
Byte 2 is the issuer's: bit 8, other interface if it can't go online; bit 7 and 6, go online or to the other
interface if CDA fails; bit 4 and 3, go online or decline if expired; bit 2 and 1, signature or nothing may
stand in for another way to check the holder.

Assumed from public code of terminals; no card was there to compare. Spec: EMV Contactless Book C-6; EMV 4.4
Book 2, 6.6.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from simulators.cards.authentication import Proof
from simulators.cards.ber import tlv
from simulators.cards.files import Files, file_locator
from simulators.cards.visa import Personality, VisaApplication
from simulators.scheme import CryptogramKind
from simulators.scheme.certificates import sign_combined

_PIN_OR_SIGNATURE, _ON_DEVICE = 0xC0, 0x10


@dataclass(frozen=True, slots=True)
class DiscoverPersonality(Personality):
    """What a profile says of a Discover card; `requirements` is what 9F71 says beside the payment's bits."""

    requirements: bytes = b"\x00\x00"


class DiscoverApplication(VisaApplication):
    """One Discover application."""

    def __init__(self, personality: DiscoverPersonality) -> None:
        super().__init__(personality)
        self._issuers = personality.requirements
        self._sent = b""

    def _decide(self, sent: Mapping[str, bytes], qualifiers: bytes) -> bytes:
        self._sent = b"".join(sent.values())
        return super()._decide(sent, qualifiers)

    def _profile(self) -> bytes:
        """Return the AIP: CDA or nothing."""
        return b"\x01\x00" if self._me.authentication else b"\x00\x00"

    def _static_record(self) -> bytes:
        return self._identity() + super()._static_record() + tlv("9F08", b"\x00\x01")

    def _identity(self) -> bytes:
        return tlv("57", self._me.track2) + tlv("5F34", bytes.fromhex(self._me.sequence_number))

    def _records(self, proof: Proof | None, dynamic: tuple[bytes, ...]) -> Files:
        found = super()._records(proof, dynamic)
        # Without a signature there is nothing behind the certificates.
        return {place: content for place, content in found.items() if content}

    def _sign(
        self, proof: Proof, values: Mapping[str, bytes], mine: bytes, kind: CryptogramKind
    ) -> tuple[bytes, ...]:
        """Return nothing yet: what is signed is the answer, which `_answer` makes."""
        return ()

    def _answer(
        self, values: Mapping[str, bytes], kind: CryptogramKind, mine: bytes, signed: tuple[bytes, ...]
    ) -> bytes:
        proof = self._proof() if (3, 1) in (self._files or {}) else None
        objects = [tlv("82", values["82"])]
        if self._files:
            objects.append(tlv("94", file_locator(self._files, self._signed_files())))
        if proof is None:
            objects += [self._identity(), tlv("9F26", self._cryptogram(values))]
        objects += [
            tlv("9F10", values["9F10"]),
            tlv("9F27", bytes([kind.value])),
            tlv("9F36", values["9F36"]),
            tlv("9F71", self._requirements(mine)),
        ]
        if proof is not None:
            objects.append(tlv("9F4B", self._signature(proof, values, kind, b"".join(objects))))
        return tlv("77", *objects)

    def _requirements(self, mine: bytes) -> bytes:
        """Return 9F71 for the choice that Visa's card would tell as CTQ."""
        device = _ON_DEVICE if mine[1] & 0x80 else 0
        always, issuers = self._issuers
        return bytes([mine[0] & _PIN_OR_SIGNATURE | device | always, issuers])

    def _signature(
        self, proof: Proof, values: Mapping[str, bytes], kind: CryptogramKind, answer: bytes
    ) -> bytes:
        number = hashlib.sha256(self._me.pan.encode() + values["9F36"]).digest()[:8]
        return sign_combined(
            proof.key,
            dynamic_number=number,
            cid=kind.value,
            cryptogram=self._cryptogram(values),
            transaction_data=self._sent + answer,
            unpredictable_number=proof.hashed(values["9F37"]),
        )
