"""A made-up card under the test scheme, whose certificates and signatures a test may bend before use."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from emv.capk import CaKeys, parse_ca_keys
from emv.card_data import CardData
from emv.oda import (
    CardKey,
    OdaReport,
    authenticate_cda,
    authenticate_dda,
    authenticate_fdda,
    authenticate_sda,
    recover_card_key,
)
from emv.sensitive import SensitiveBytes
from emv.tags import Tag
from simulators.scheme import ca_keys_json, certificates, keys
from simulators.scheme.rsa_key import RsaKey

PAN = "4761739001010119"
RID = bytes.fromhex("A000000003")
DATE = datetime.date(2026, 5, 9)
RECORDS = bytes.fromhex("5A0847617390010101195F3401005F24032712313C00")
UNPREDICTABLE = bytes.fromhex("0A0B0C0D")
TERMINAL = {
    0x9F37: UNPREDICTABLE,
    0x9F02: bytes.fromhex("000000001250"),
    0x5F2A: bytes.fromhex("0978"),
    0x9F66: bytes.fromhex("27000000"),
}
RELATED = bytes.fromhex("01112233440080")
"""Tag 9F69: version 01, the card's own number, CTQ."""
TRANSACTION_DATA = bytes(range(90))
CID = 0x40
CRYPTOGRAM = bytes.fromhex("1122334455667788")
DYNAMIC_NUMBER = bytes.fromhex("A1A2A3A4A5A6A7A8")
CA_KEYS = parse_ca_keys(ca_keys_json())


@dataclass
class OdaCard:
    """Values by tag, as a real card of the scheme would have them; change any before authenticating."""

    index: int = 0xE1
    issuer: RsaKey = field(default_factory=lambda: keys.issuer_key("visa", "large"))
    icc: RsaKey = field(default_factory=lambda: keys.icc_key("long"))
    pan: str = PAN
    bin_digits: str = "476173"
    issuer_expiry: str = "1239"
    icc_expiry: str = "1230"
    serial: bytes = b"\x00\x00\x01"
    static_data: bytes = RECORDS
    ca_keys: CaKeys = CA_KEYS
    date: datetime.date = DATE
    values: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ca = keys.ca_key("visa", self.index)
        under_ca = certificates.certify_issuer(
            self.ca, self.issuer, bin_digits=self.bin_digits, expiry=self.issuer_expiry, serial=self.serial
        )
        under_issuer = certificates.certify_icc(
            self.issuer,
            self.icc,
            pan=self.pan,
            expiry=self.icc_expiry,
            serial=b"\x00\x00\x02",
            static_data=self.static_data,
        )
        made = {
            Tag.PAN: bytes.fromhex(self.pan + "F" * (len(self.pan) % 2)),
            Tag.CA_KEY_INDEX: bytes((self.index,)),
            Tag.ISSUER_CERTIFICATE: under_ca.certificate,
            Tag.ISSUER_KEY_REMAINDER: under_ca.remainder,
            Tag.ISSUER_EXPONENT: under_ca.exponent,
            Tag.ICC_CERTIFICATE: under_issuer.certificate,
            Tag.ICC_REMAINDER: under_issuer.remainder,
            Tag.ICC_EXPONENT: under_issuer.exponent,
            Tag.SIGNED_STATIC_DATA: certificates.sign_static_data(self.issuer, self.static_data),
            Tag.CARD_AUTHENTICATION_DATA: RELATED,
        }
        self.values = {int(tag): value for tag, value in made.items() if value} | self.values

    def card(self) -> CardData:
        """Return what the terminal has of the card."""
        card = CardData()
        card.add(self.values.items())
        return card

    def sda(self) -> OdaReport:
        """Authenticate by SDA."""
        return authenticate_sda(self.card(), self._covered(), rid=RID, ca_keys=self.ca_keys, date=self.date)

    def key(self) -> CardKey:
        """Recover the card's key."""
        return recover_card_key(self.card(), self._covered(), rid=RID, ca_keys=self.ca_keys, date=self.date)

    def dda(self, signed: bytes | None = None, sent: bytes = UNPREDICTABLE) -> OdaReport:
        """Authenticate by DDA."""
        signed = self.signs_dda() if signed is None else signed
        return authenticate_dda(
            self.card(), self._covered(), signed, sent, rid=RID, ca_keys=self.ca_keys, date=self.date
        )

    def cda(
        self, signed: bytes | None = None, *, cid: int = CID, transaction_data: bytes = TRANSACTION_DATA
    ) -> OdaReport:
        """Authenticate by CDA."""
        return authenticate_cda(
            self.key(),
            self.signs_cda() if signed is None else signed,
            unpredictable_number=UNPREDICTABLE,
            cid=cid,
            transaction_data=transaction_data,
        )

    def fdda(
        self,
        signed: bytes | None = None,
        *,
        online: bool = False,
        terminal: Mapping[int, bytes] | None = None,
    ) -> OdaReport:
        """Authenticate by fast DDA."""
        values = {int(Tag.SIGNED_DYNAMIC_DATA): self.signs_fdda() if signed is None else signed}
        card = CardData()
        card.add((values | self.values).items())
        return authenticate_fdda(
            card,
            self._covered(),
            TERMINAL if terminal is None else terminal,
            rid=RID,
            ca_keys=self.ca_keys,
            date=self.date,
            online=online,
        )

    def signs_dda(self, hashed: bytes = UNPREDICTABLE) -> bytes:
        """Return the card's answer to INTERNAL AUTHENTICATE."""
        inside = bytes((len(DYNAMIC_NUMBER),)) + DYNAMIC_NUMBER
        return certificates.sign_dynamic_data(self.icc, inside, hashed)

    def signs_cda(self, more: bytes = b"") -> bytes:
        """Return the card's signature in the answer to GENERATE AC."""
        return certificates.sign_combined(
            self.icc,
            dynamic_number=DYNAMIC_NUMBER,
            cid=CID,
            cryptogram=CRYPTOGRAM,
            transaction_data=TRANSACTION_DATA,
            unpredictable_number=UNPREDICTABLE,
            more=more,
        )

    def signs_fdda(self, format_byte: int = 0x05, related: bytes = RELATED) -> bytes:
        """Return the card's signature in the answer to GET PROCESSING OPTIONS."""
        hashed = TERMINAL[0x9F37] + TERMINAL[0x9F02] + TERMINAL[0x5F2A] + related
        return certificates.sign_dynamic_data(self.icc, b"\x02\x00\x15", hashed, format_byte=format_byte)

    def bend(self, tag: int, changes: Mapping[int, int]) -> OdaCard:
        """Sign a certificate anew with these bytes of its block changed and the hash made to fit."""
        signer, beside = {
            int(Tag.ISSUER_CERTIFICATE): (self.ca, (Tag.ISSUER_KEY_REMAINDER, Tag.ISSUER_EXPONENT)),
            int(Tag.ICC_CERTIFICATE): (self.issuer, (Tag.ICC_REMAINDER, Tag.ICC_EXPONENT)),
            int(Tag.SIGNED_STATIC_DATA): (self.issuer, ()),
        }[tag]
        rest = b"".join(self.values.get(other, b"") for other in beside)
        if tag != Tag.ISSUER_CERTIFICATE:
            rest += self.static_data
        self.values[tag] = resigned(signer, self.values[tag], rest, changes)
        return self

    def _covered(self) -> SensitiveBytes:
        return SensitiveBytes(self.static_data)


def resigned(signer: RsaKey, signed: bytes, beside: bytes, changes: Mapping[int, int]) -> bytes:
    """Sign a block anew with these bytes changed, and the hash made to fit."""
    block = bytearray(opened(signer, signed))
    for at, value in changes.items():
        block[at] = value
    if not any(at % len(block) >= len(block) - 21 for at in changes):
        block[-21:-1] = hashlib.sha1(bytes(block[1:-21]) + beside, usedforsecurity=False).digest()
    return signer.sign(bytes(block))


def opened(signer: RsaKey, signed: bytes) -> bytes:
    """Return the block in a signature."""
    number = pow(int.from_bytes(signed, "big"), signer.exponent, signer.p * signer.q)
    return number.to_bytes(signer.length, "big")
