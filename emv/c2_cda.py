"""Combined DDA of kernel 2, the only way a contactless card of this kernel is authenticated offline.

Spec: EMV Contactless Book C-2, 6.4.4 (S3R1.17, S456.24 to S456.28), 6.10 (S910.1 to S910.7); EMV 4.4
Book 2, 6.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from emv import c2_dol, oda
from emv.c2_known import Known
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


def prepare(known: Known, static: StaticData) -> bool:
    """Say whether CDA is possible, and note what is missing for it.

    Raises:
        DecodeError: the tag list for static data (9F4A) is not just the AIP's. Without one, nothing is
            authenticated whatever the rest says, and the book ends the application too.

    Spec: S3R1.17 to S3R1.20, S456.24 to S456.28.
    """
    if not is_possible(known.aip, known.terminal):
        known.note(Tvr.ODA_NOT_PERFORMED)
        return False
    card, tvr = known.card, Tvr(0)
    if any(not card.get(tag) for tag in _NEEDED):
        tvr |= Tvr.ICC_DATA_MISSING | Tvr.CDA_FAILED
    index = card.get(Tag.CA_KEY_INDEX)
    if not index or known.activation.config.ca_keys.find(known.rid, index[0]) is None:
        tvr |= Tvr.CDA_FAILED
    if card.get(Tag.SDA_TAG_LIST) != bytes((Tag.AIP,)):
        raise DecodeError("the tag list for static authentication is not the AIP's tag", tag=Tag.SDA_TAG_LIST)
    if static.value(card) is None:
        tvr |= Tvr.CDA_FAILED
    known.note(tvr)
    if tvr & Tvr.CDA_FAILED:
        known.oda = _failed("data or the scheme's key for the card's certificates is missing")
    return True


def verify(known: Known, static: StaticData, answer: SensitiveBytes) -> OdaReport:
    """Return what the signature in the card's answer (9F4B) comes to.

    Beside itself it has to cover what both commands were sent with, the number that was sent, the answer as
    it was received, and the relay resistance exchange if there was one.

    Spec: S910.1 to S910.7.
    """
    card, relay = known.card, known.relay
    if not c2_dol.asks_for(card[Tag.CDOL1], Tag.UNPREDICTABLE_NUMBER):
        return _failed("the card did not ask for the unpredictable number that it has to sign")
    key = oda.recover_card_key(
        card,
        static.value(card),
        rid=known.rid,
        ca_keys=known.activation.config.ca_keys,
        date=known.transaction.date,
    )
    report = oda.authenticate_cda(
        key,
        card[Tag.SIGNED_DYNAMIC_DATA],
        unpredictable_number=known.terminal[Tag.UNPREDICTABLE_NUMBER],
        cid=card[Tag.CID][0],
        transaction_data=known.pdol_data + known.cdol1_data + oda.without_signature(answer.reveal()),
    )
    if report.succeeded and card.get(Tag.CRYPTOGRAM) not in (None, report.cryptogram):
        return _failed("the cryptogram is not the one that the card signed", report)
    if report.succeeded and relay and not relay.is_signed_in(report.dynamic_data):
        return _failed("the card did not sign the relay resistance data that was exchanged", report)
    return report


def _failed(reason: str, report: OdaReport | None = None) -> OdaReport:
    before = report or OdaReport(method=OdaMethod.CDA)
    return replace(before, result=OdaResult.FAILED, reason=reason)
