"""Combined DDA of kernel 2, the only way a contactless card of this kernel is authenticated offline.

Spec: EMV Contactless Book C-2, 6.4.4 (S3R1.17, S456.24 to S456.28), 6.10 (S910.1 to S910.7); EMV 4.4
Book 2, 6.6.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace

from emv import c2_dol, oda
from emv.c2_relay import RelayExchange
from emv.capk import CaKeys
from emv.card_data import CardData
from emv.errors import DecodeError
from emv.fields import Aip, Tvr
from emv.oda import OdaMethod, OdaReport, OdaResult
from emv.sensitive import SensitiveBytes
from emv.static_data import StaticData
from emv.tags import Tag

CDA_CAPABLE = 0x08
"""Of byte 3 of the terminal's capabilities (9F33)."""

_NEEDED = (
    *(Tag.CA_KEY_INDEX, Tag.ISSUER_CERTIFICATE, Tag.ISSUER_EXPONENT),
    *(Tag.ICC_CERTIFICATE, Tag.ICC_EXPONENT, Tag.SDA_TAG_LIST),
)


def is_possible(aip: Aip, terminal: Mapping[int, bytes]) -> bool:
    """Say whether both sides can do CDA ("ODA status"). Spec: S3R1.17."""
    return bool(aip & Aip.CDA and terminal[Tag.TERMINAL_CAPABILITIES][2] & CDA_CAPABLE)


def check_data(card: CardData, static: StaticData, *, rid: bytes, ca_keys: CaKeys) -> Tvr:
    """Return the TVR bits of what is missing for CDA before the card is asked for it.

    Raises:
        DecodeError: the tag list for static data (9F4A) is not just the AIP's. Without one, nothing is
            authenticated whatever the rest says, and the book ends the application too.

    Spec: S456.25 to S456.28.
    """
    tvr = Tvr(0)
    if any(not card.get(tag) for tag in _NEEDED):
        tvr |= Tvr.ICC_DATA_MISSING | Tvr.CDA_FAILED
    index = card.get(Tag.CA_KEY_INDEX)
    if not index or ca_keys.find(rid, index[0]) is None:
        tvr |= Tvr.CDA_FAILED
    if card.get(Tag.SDA_TAG_LIST) != bytes((Tag.AIP,)):
        raise DecodeError("the tag list for static authentication is not the AIP's tag", tag=Tag.SDA_TAG_LIST)
    if static.value(card) is None:
        tvr |= Tvr.CDA_FAILED
    return tvr


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What the card's signature has to cover, beside itself.

    Args:
        pdol_data: The data of GET PROCESSING OPTIONS.
        cdol1_data: The data of GENERATE AC.
        answer: The data of the card's answer, as received.
        unpredictable_number: Tag 9F37 as it was sent.
        relay: The exchange that is to be inside, None if there was none.
    """

    pdol_data: bytes
    cdol1_data: bytes
    answer: SensitiveBytes
    unpredictable_number: bytes
    relay: RelayExchange | None


def verify(
    card: CardData,
    static: StaticData,
    signed: Signed,
    *,
    rid: bytes,
    ca_keys: CaKeys,
    date: datetime.date,
) -> OdaReport:
    """Return what the signature in the card's answer (9F4B) comes to. Spec: S910.1 to S910.7."""
    if not c2_dol.asks_for(card[Tag.CDOL1], Tag.UNPREDICTABLE_NUMBER):
        return _failed("the card did not ask for the unpredictable number that it has to sign")
    key = oda.recover_card_key(card, static.value(card), rid=rid, ca_keys=ca_keys, date=date)
    report = oda.authenticate_cda(
        key,
        card[Tag.SIGNED_DYNAMIC_DATA],
        unpredictable_number=signed.unpredictable_number,
        cid=card[Tag.CID][0],
        transaction_data=signed.pdol_data + signed.cdol1_data + oda.without_signature(signed.answer.reveal()),
    )
    if report.succeeded and card.get(Tag.CRYPTOGRAM) not in (None, report.cryptogram):
        return _failed("the cryptogram is not the one that the card signed", report)
    if report.succeeded and signed.relay and not signed.relay.is_signed_in(report.dynamic_data):
        return _failed("the card did not sign the relay resistance data that was exchanged", report)
    return report


def _failed(reason: str, report: OdaReport | None = None) -> OdaReport:
    before = report or OdaReport(method=OdaMethod.CDA)
    return replace(before, result=OdaResult.FAILED, reason=reason)
