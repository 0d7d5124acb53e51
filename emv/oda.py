"""Offline data authentication: is the card genuine, and did it sign this transaction?

Spec: EMV 4.4 Book 2, 5 and 6; EMV Contactless Book C-3, Annex C (fDDA).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from hashlib import sha1

from emv import tlv
from emv.capk import CaKeys
from emv.card_data import CardData
from emv.certificates import SHA_1, check_hash, missing, recover_icc_key, recover_issuer_key
from emv.errors import AuthenticationError, DecodeError
from emv.fields import Aip
from emv.formats import encode_cn
from emv.roca import is_roca
from emv.rsa import PublicKey
from emv.sensitive import SensitiveBytes, Track2
from emv.tags import Tag


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


@dataclass(slots=True, kw_only=True, unsafe_hash=True)
class OdaReport:
    """What was tried and what it came to. Nobody changes one; frozen, it takes three times as long to make.

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


@dataclass(slots=True, unsafe_hash=True)
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
    try:
        number, covered = _card_number(card), _given(static_data)
        issuer_key = recover_issuer_key(card, number, rid, ca_keys, date)
        key = recover_icc_key(card, number, issuer_key, covered, date)
    except (AuthenticationError, DecodeError) as error:
        return CardKey(None, _failed(method, error, card, _FOR_CARD_KEY))
    if is_roca(key.number) or is_roca(issuer_key.number):
        return CardKey(key, OdaReport(method=method, weak_key=True))
    return CardKey(key, _CDA_BEGUN if method is _CDA else OdaReport(method=method))


def authenticate_sda(
    card: CardData, static_data: SensitiveBytes | None, *, rid: bytes, ca_keys: CaKeys, date: datetime.date
) -> OdaReport:
    """Check the issuer's signature over the static data (93).

    The kernel stores `report.data_authentication_code` as 9F45.

    Spec: EMV 4.4 Book 2, 5.4.
    """
    try:
        number, covered = _card_number(card), _given(static_data)
        issuer_key = recover_issuer_key(card, number, rid, ca_keys, date)
        block = _check_static(issuer_key, card.get(Tag.SIGNED_STATIC_DATA) or b"", covered)
    except (AuthenticationError, DecodeError) as error:
        return _failed(OdaMethod.SDA, error, card, _FOR_SDA)
    return OdaReport(
        method=OdaMethod.SDA,
        result=_SUCCEEDED,
        data_authentication_code=block[3:5],
        weak_key=is_roca(issuer_key.number),
    )


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
    method = OdaMethod.DDA
    card_key = recover_card_key(card, static_data, rid=rid, ca_keys=ca_keys, date=date, method=method)
    return _authenticate_dynamic(card_key, signed, ddol_data, _DDA_FORMATS)


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

    Spec: EMV 4.4 Book 2, 6.6.2.
    """
    key, report = card_key.key, card_key.report
    if key is None:
        return report
    try:
        block, number_end, end = _open_dynamic(key, signed, _DDA_FORMATS)
        rest = number_end + 29
        if rest > end:
            raise AuthenticationError("no cryptogram in it")
        if block[number_end] != cid:
            raise AuthenticationError("it is for another kind of cryptogram")
        check_hash(block, unpredictable_number)
        if sha1(transaction_data, usedforsecurity=False).digest() != block[number_end + 9 : rest]:
            raise AuthenticationError("hash of the transaction data differs")
    except AuthenticationError as error:
        return replace(report, result=_FAILED, reason=error.of(_DYNAMIC).reason)
    return OdaReport(
        method=report.method,
        result=_SUCCEEDED,
        dynamic_number=block[5:number_end],
        cryptogram=block[number_end + 1 : number_end + 9],
        dynamic_data=block[rest:end],
        weak_key=report.weak_key,
    )


def without_signature(answer: bytes) -> bytes:
    """Return the data objects of a GENERATE AC answer (template 77) as received, without 9F4B.

    Empty if the answer is not one template 77.

    Spec: EMV 4.4 Book 2, 6.6.1.
    """
    try:
        ((template, content),) = tlv.split(answer)
        objects = tlv.spans(content)
    except ValueError:
        return b""
    if template != Tag.RESPONSE_FORMAT_2:
        return b""
    return b"".join(content[at:end] for tag, at, end in objects if tag != Tag.SIGNED_DYNAMIC_DATA)


def authenticate_fdda(
    card: CardData,
    static_data: SensitiveBytes | None,
    terminal: Mapping[int, bytes],
    *,
    rid: bytes,
    ca_keys: CaKeys,
    date: datetime.date,
    online: bool = False,
) -> OdaReport:
    """Check the card's signature (9F4B) of fast DDA, which came with its other data.

    The card signs 9F37, 9F02, 5F2A and its 9F69: version, a number of its own, and a copy of the CTQ.
    Only version 01 is taken: version 00 signed neither amount nor currency. Whether 9F6C is the copy
    in 9F69 is for the kernel to say.

    A card that was asked for authentication of a payment that goes online (TTQ, byte 1, bit 1) signs in
    format 95, so that nobody can make an offline approval of it.

    Args:
        card: What the card has said, 9F4B and 9F69 among it.
        static_data: `StaticData.value`.
        terminal: The terminal's data as sent: 9F37, 9F02 and 5F2A.
        rid: The first five bytes of the selected AID.
        ca_keys: The terminal's scheme keys.
        date: Of the transaction.
        online: Whether the issuer will decide. Then, and only then, format 95 is taken beside 05.

    Spec: EMV Contactless Book C-3, Annex C.
    """
    method = OdaMethod.FDDA
    related = card.get(Tag.CARD_AUTHENTICATION_DATA) or b""
    signed = card.get(Tag.SIGNED_DYNAMIC_DATA) or b""
    if related[:1] != _FDDA_VERSION or not signed:
        error = AuthenticationError("the version of fast DDA is not taken")
        return _failed(method, error, card, _FOR_FDDA)
    card_key = recover_card_key(card, static_data, rid=rid, ca_keys=ca_keys, date=date, method=method)
    sent = b"".join(terminal[tag] for tag in _FDDA_DATA)
    return _authenticate_dynamic(
        card_key, signed, sent + related, _ONLINE_FORMATS if online else _DDA_FORMATS
    )


# Looking up an enumeration's member takes as long as looking up the card's value.
_CDA, _FAILED, _SUCCEEDED = OdaMethod.CDA, OdaResult.FAILED, OdaResult.SUCCEEDED
_CDA_BEGUN = OdaReport(method=_CDA)
_DYNAMIC = "signed dynamic data"
_DDA_FORMATS, _ONLINE_FORMATS = (0x05,), (0x05, 0x95)
_FOR_ISSUER_KEY = tuple(int(tag) for tag in (Tag.CA_KEY_INDEX, Tag.ISSUER_CERTIFICATE, Tag.ISSUER_EXPONENT))
_FOR_SDA = (*_FOR_ISSUER_KEY, int(Tag.SIGNED_STATIC_DATA))
_FOR_CARD_KEY = (*_FOR_ISSUER_KEY, int(Tag.ICC_CERTIFICATE), int(Tag.ICC_EXPONENT))
_FOR_FDDA = (*_FOR_CARD_KEY, int(Tag.SIGNED_DYNAMIC_DATA), int(Tag.CARD_AUTHENTICATION_DATA))
_PAN, _TRACK_2 = int(Tag.PAN), int(Tag.TRACK_2)
_FDDA_VERSION = b"\x01"
_FDDA_DATA = (Tag.UNPREDICTABLE_NUMBER, Tag.AMOUNT_AUTHORISED, Tag.TRANSACTION_CURRENCY)


def _authenticate_dynamic(
    card_key: CardKey, signed: bytes, beside: bytes, formats: tuple[int, ...]
) -> OdaReport:
    """Check a signature of DDA or fast DDA; `beside` is what the terminal sent for it."""
    key, report = card_key.key, card_key.report
    if key is None:
        return report
    try:
        block, number_end, end = _open_dynamic(key, signed, formats)
        check_hash(block, beside)
    except AuthenticationError as error:
        return replace(report, result=_FAILED, reason=error.of(_DYNAMIC).reason)
    return OdaReport(
        method=report.method,
        result=_SUCCEEDED,
        dynamic_number=block[5:number_end],
        dynamic_data=block[number_end:end],
        weak_key=report.weak_key,
    )


def _open_dynamic(key: PublicKey, signed: bytes, formats: tuple[int, ...]) -> tuple[bytes, int, int]:
    """Return a block that the card signed, where its dynamic number ends, and where its dynamic data.

    Byte 3 is the length of the dynamic data, byte 4 that of the number, which has two to eight bytes.

    Spec: EMV 4.4 Book 2, 6.5.2, table 17.
    """
    block = key.recover(signed)
    if block[1] not in formats:
        raise AuthenticationError(f"format {block[1]:02X} is none for it")
    if block[2] != SHA_1:
        raise AuthenticationError(f"hash algorithm {block[2]:02X} is unknown")
    number_end, end = 5 + block[4], 4 + block[3]
    if not (7 <= number_end <= 13 and number_end <= end <= len(block) - 21):
        raise AuthenticationError("its lengths are impossible")
    return block, number_end, end


def _check_static(issuer_key: PublicKey, signed: bytes, static_data: SensitiveBytes) -> bytes:
    """Return the block that the issuer signed over the static data. Spec: EMV 4.4 Book 2, 5.4."""
    try:
        block = issuer_key.recover(signed)
        if block[1] != 0x03:
            raise AuthenticationError(f"format {block[1]:02X} instead of 03")
        if block[2] != SHA_1:
            raise AuthenticationError(f"hash algorithm {block[2]:02X} is unknown")
        check_hash(block, static_data.reveal())
    except AuthenticationError as error:
        raise error.of("signed static data") from None
    return block


def _given(static_data: SensitiveBytes | None) -> SensitiveBytes:
    if static_data is None:
        raise AuthenticationError("the static data can't be authenticated")
    return static_data


def _card_number(card: CardData) -> bytes:
    """Return the card number (5A), or that of track 2 (57) in the same form if there is none."""
    value = card.get(_PAN)
    if value:
        return value
    track = card.get(_TRACK_2)
    if track:
        return encode_cn(Track2(track).pan.reveal(), 10)
    raise missing(_PAN)


def _failed(
    method: OdaMethod, error: AuthenticationError | DecodeError, card: CardData, needed: tuple[int, ...]
) -> OdaReport:
    """Return the report of a failure. What was needed and is not there, or empty, comes before `error`."""
    absent = tuple(tag for tag in needed if not card.get(tag))
    if absent:
        error = missing(*absent)
    found = error.missing if isinstance(error, AuthenticationError) else ()
    return OdaReport(method=method, result=_FAILED, reason=error.reason, missing=found)
