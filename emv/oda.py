"""Offline data authentication: is the card genuine, and did it sign this transaction?

Spec: EMV 4.4 Book 2, 5 and 6; EMV Contactless Book C-3, Annex C (fDDA).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from emv.capk import CaKeys
from emv.card_data import CardData
from emv.fields import Aip
from emv.rsa import PublicKey
from emv.sensitive import SensitiveBytes


class OdaMethod(Enum):
    """How a card is authenticated offline."""

    NONE = "none"
    SDA = "SDA"
    DDA = "DDA"
    CDA = "CDA"
    FDDA = "fDDA"


class OdaResult(Enum):
    """What offline data authentication came to."""

    NOT_PERFORMED = "not performed"
    FAILED = "failed"
    SUCCEEDED = "succeeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class OdaReport:
    """What was tried and what it came to.

    Args:
        method: What was tried.
        result: What it came to.
        reason: Why it failed or was not performed, in words, without card data.
        dynamic_number: The ICC Dynamic Number (9F4C) that the card signed.
        cryptogram: With CDA, the application cryptogram (9F26) inside the signature.
        dynamic_data: What follows in the signed dynamic data: relay resistance data, for C-2.
        data_authentication_code: With SDA, the code (9F45) inside the signature.
        missing: Tags of data that the card had to give and did not: TVR "ICC data missing".
        weak_key: Whether the card's or the issuer's modulus has the fingerprint of ROCA. That is our
            finding beside the scheme's verdict, not part of it.
    """

    method: OdaMethod = OdaMethod.NONE
    result: OdaResult = OdaResult.NOT_PERFORMED
    reason: str = ""
    dynamic_number: bytes = b""
    cryptogram: bytes = b""
    dynamic_data: bytes = b""
    data_authentication_code: bytes = b""
    missing: tuple[int, ...] = ()
    weak_key: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether the card is authenticated."""
        return self.result is OdaResult.SUCCEEDED


NO_ODA = OdaReport()
"""What there is before anything was tried."""


@dataclass(frozen=True, slots=True)
class CardKey:
    """The card's public key, or why there is none: then the report is the one of the failed method.

    With a key the report says "not performed" and carries `weak_key`.
    """

    key: PublicKey | None
    report: OdaReport


def supported_method(aip: Aip, security: int, *, ca_keys: CaKeys) -> OdaMethod:
    """Return the best method that card and terminal both have: CDA, DDA, SDA or none.

    Args:
        aip: The card's profile (82).
        security: Byte 3 of the terminal's capabilities (9F33).
        ca_keys: Without any there is no method.

    Spec: EMV 4.4 Book 3, 10.3.
    """
    if ca_keys:
        for method, card, terminal in _METHODS:
            if aip & card and security & terminal:
                return method
    return OdaMethod.NONE


_METHODS = ((OdaMethod.CDA, Aip.CDA, 0x08), (OdaMethod.DDA, Aip.DDA, 0x40), (OdaMethod.SDA, Aip.SDA, 0x80))


def recover_card_key(
    card: CardData,
    static_data: SensitiveBytes | None,
    *,
    rid: bytes,
    ca_keys: CaKeys,
    date: datetime.date,
    method: OdaMethod = OdaMethod.CDA,
) -> CardKey:
    """Return the card's key out of its certificates.

    Args:
        card: What the card has said.
        static_data: `StaticData.value`; None fails.
        rid: The first five bytes of the selected AID.
        ca_keys: The terminal's scheme keys.
        date: Of the transaction.
        method: What the report of a failure names.

    Spec: EMV 4.4 Book 2, 6.2 to 6.4.
    """
    return CardKey(None, OdaReport(method=method, result=OdaResult.FAILED, reason="not written yet"))


def authenticate_sda(
    card: CardData, static_data: SensitiveBytes | None, *, rid: bytes, ca_keys: CaKeys, date: datetime.date
) -> OdaReport:
    """Check the issuer's signature over the static data (93).

    The kernel stores `report.data_authentication_code` as 9F45.

    Spec: EMV 4.4 Book 2, 5.
    """
    return OdaReport(method=OdaMethod.SDA, result=OdaResult.FAILED, reason="not written yet")


def authenticate_dda(
    card: CardData,
    static_data: SensitiveBytes | None,
    signed: bytes,
    ddol_data: bytes,
    *,
    rid: bytes,
    ca_keys: CaKeys,
    date: datetime.date,
) -> OdaReport:
    """Check the card's signature (9F4B) in the answer to INTERNAL AUTHENTICATE.

    Args:
        card: What the card has said.
        static_data: `StaticData.value`.
        signed: The signature.
        ddol_data: The data of INTERNAL AUTHENTICATE as sent.
        rid: The first five bytes of the selected AID.
        ca_keys: The terminal's scheme keys.
        date: Of the transaction.

    Spec: EMV 4.4 Book 2, 6.5.
    """
    return OdaReport(method=OdaMethod.DDA, result=OdaResult.FAILED, reason="not written yet")


def authenticate_cda(
    card_key: CardKey, signed: bytes, *, unpredictable_number: bytes, cid: int, transaction_data: bytes
) -> OdaReport:
    """Check the card's signature (9F4B) in the answer to GENERATE AC.

    Args:
        card_key: From `recover_card_key`; without a key its report is returned.
        signed: The signature.
        unpredictable_number: Tag 9F37 as the card was sent it.
        cid: Tag 9F27 of the answer.
        transaction_data: PDOL data, CDOL1 data (with a second GENERATE AC CDOL2 data too), and
            `without_signature` of the answer.

    Spec: EMV 4.4 Book 2, 6.6.
    """
    return OdaReport(method=OdaMethod.CDA, result=OdaResult.FAILED, reason="not written yet")


def without_signature(answer: bytes) -> bytes:
    """Return the data objects of a GENERATE AC answer (template 77) as received, without 9F4B.

    Empty if the answer is not one template 77.

    Spec: EMV 4.4 Book 2, 6.6.1.
    """
    return b""


def authenticate_fdda(
    card: CardData,
    static_data: SensitiveBytes | None,
    terminal: Mapping[int, bytes],
    *,
    rid: bytes,
    ca_keys: CaKeys,
    date: datetime.date,
) -> OdaReport:
    """Check the card's signature (9F4B) of fast DDA, which came with its other data.

    Args:
        card: What the card has said, 9F4B and 9F69 among it.
        static_data: `StaticData.value`.
        terminal: The terminal's data as sent: 9F37, 9F02 and 5F2A.
        rid: The first five bytes of the selected AID.
        ca_keys: The terminal's scheme keys.
        date: Of the transaction.

    Spec: EMV Contactless Book C-3, Annex C.
    """
    return OdaReport(method=OdaMethod.FDDA, result=OdaResult.FAILED, reason="not written yet")
