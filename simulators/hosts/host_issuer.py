"""The issuer behind the simulated host: looks at a card's data record and says yes or no."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from simulators.cards import ber
from simulators.scheme import Verdict, verify_arqc

APPROVED = "00"
DO_NOT_HONOUR = "05"
INVALID_AMOUNT = "13"
CRYPTOGRAM_FAILURE = "88"


@dataclass(frozen=True, slots=True)
class IssuerAnswer:
    """Yes or no, the response code of ISO 8583 DE39, and with a yes the approval code of DE38."""

    approved: bool
    code: str
    authorisation: str
    message: str


Issuer = Callable[[bytes, int], IssuerAnswer]
"""Takes the data record (BER-TLV) and the amount in minor units that the terminal states beside it."""


def scheme_issuer(data_record: bytes, amount_minor: int) -> IssuerAnswer:
    """Decide under the test scheme: the cryptogram must be right, and over the amount that is asked for."""
    verdict = verify_arqc(data_record)
    if not verdict.genuine:
        return IssuerAnswer(False, CRYPTOGRAM_FAILURE, "", verdict.reason)
    if _amount(data_record) != amount_minor:
        return IssuerAnswer(False, INVALID_AMOUNT, "", "the card agreed to another amount")
    return _answer(verdict, data_record)


def approving_issuer(data_record: bytes, amount_minor: int) -> IssuerAnswer:
    """Approve everything, for tests that have no card."""
    return IssuerAnswer(True, APPROVED, _authorisation(data_record), "")


def _answer(verdict: Verdict, data_record: bytes) -> IssuerAnswer:
    if not verdict.approved:
        return IssuerAnswer(False, DO_NOT_HONOUR, "", verdict.reason)
    return IssuerAnswer(True, APPROVED, _authorisation(data_record), "")


def _authorisation(data_record: bytes) -> str:
    """Return an approval code of six digits, the same for the same transaction."""
    return f"{int.from_bytes(hashlib.sha256(data_record).digest()[:4], 'big') % 1_000_000:06d}"


def _amount(data_record: bytes) -> int:
    """Return 9F02, which verify_arqc has found to be there."""
    return int(dict(ber.objects(data_record))["9F02"].hex())
