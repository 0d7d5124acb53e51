"""The EMV commands, as `CommandApdu`.

Spec: EMV 4.4 Book 3, 6.5; Book 1, 11.3; EMV Contactless Book B, 3.3.
"""

from __future__ import annotations

from enum import IntEnum

from emv import tlv
from emv.apdu import CommandApdu

PPSE = b"2PAY.SYS.DDF01"
"""The name of the Proximity Payment System Environment."""

_COMMAND_TEMPLATE = 0x83


class Cryptogram(IntEnum):
    """Kinds of application cryptogram: bits 8 and 7 of P1 of GENERATE AC and of the CID."""

    AAC = 0x00
    """Application Authentication Cryptogram: declined."""
    TC = 0x40
    """Transaction Certificate: approved offline."""
    ARQC = 0x80
    """Authorisation Request Cryptogram: online requested."""


def select(name: bytes) -> CommandApdu:
    """Return SELECT by name, first occurrence. Le is always there: some cards insist on it."""
    return CommandApdu(0x00, 0xA4, 0x04, 0x00, name, 0x00)


def get_processing_options(pdol_data: bytes) -> CommandApdu:
    """Return GET PROCESSING OPTIONS. Without PDOL data the template is sent empty (83 00)."""
    return CommandApdu(0x80, 0xA8, 0x00, 0x00, tlv.encode_one(_COMMAND_TEMPLATE, pdol_data), 0x00)


def read_record(sfi: int, record: int) -> CommandApdu:
    """Return READ RECORD for one record of the file with a short file identifier of 1 to 30."""
    return CommandApdu(0x00, 0xB2, record, sfi << 3 | 0x04, b"", 0x00)


def generate_ac(kind: Cryptogram, data: bytes, *, cda: bool = False) -> CommandApdu:
    """Return GENERATE AC for a cryptogram over `data`; `cda` asks for a signature with it."""
    return CommandApdu(0x80, 0xAE, kind | (0x10 if cda else 0x00), 0x00, data, 0x00)


def get_data(tag: int) -> CommandApdu:
    """Return GET DATA for a data object with a tag of one or two bytes."""
    return CommandApdu(0x80, 0xCA, tag >> 8, tag & 0xFF, b"", 0x00)


def internal_authenticate(data: bytes) -> CommandApdu:
    """Return INTERNAL AUTHENTICATE over the data of the DDOL."""
    return CommandApdu(0x00, 0x88, 0x00, 0x00, data, 0x00)


def exchange_relay_resistance_data(entropy: bytes) -> CommandApdu:
    """Return EXCHANGE RELAY RESISTANCE DATA with four unpredictable bytes. Spec: Book C-2, 5.3."""
    return CommandApdu(0x80, 0xEA, 0x00, 0x00, entropy, 0x00)


def recover_ac(data: bytes) -> CommandApdu:
    """Return RECOVER AC with the data of the DRDOL, for a torn transaction. Spec: Book C-2, 5.8."""
    return CommandApdu(0x80, 0xD0, 0x00, 0x00, data, 0x00)


def compute_cryptographic_checksum(data: bytes) -> CommandApdu:
    """Return COMPUTE CRYPTOGRAPHIC CHECKSUM with the data of the UDOL. Spec: Book C-2, 5.2."""
    return CommandApdu(0x80, 0x2A, 0x8E, 0x80, data, 0x00)
