"""The issuer behind the simulated host: looks at a card's data record and says yes or no."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from simulators.cards import ber
from simulators.scheme import CryptogramKind, Verdict, verify_arqc
from simulators.scheme.cryptograms import issuer_authentication_data, issuer_response
from simulators.scheme.issuer import card_number

APPROVED = "00"
DO_NOT_HONOUR = "05"
INVALID_AMOUNT = "13"
SUSPECTED_FRAUD = "59"
CRYPTOGRAM_FAILURE = "88"

_CURRENCIES = {
    **{"AUD": "0036", "CAD": "0124", "CNY": "0156", "HKD": "0344", "JPY": "0392", "SGD": "0702"},
    **{"CHF": "0756", "GBP": "0826", "USD": "0840", "EUR": "0978"},
}
"""ISO 4217 codes of the currencies that shops of the simulation sell in, as tag 5F2A has them."""


@dataclass(frozen=True, slots=True)
class IssuerAnswer:
    """Yes or no, the response code of ISO 8583 DE39, and with a yes the approval code of DE38.

    `authentication_data` is tag 91, for the card; empty where the card asked nothing.
    """

    approved: bool
    code: str
    authorisation: str
    message: str
    authentication_data: bytes = b""


Issuer = Callable[[bytes, int], IssuerAnswer]
"""Takes the data record (BER-TLV) and the amount in minor units that the terminal states beside it."""

WRONG_CURRENCY = IssuerAnswer(False, INVALID_AMOUNT, "", "the card agreed to another currency")


def scheme_issuer(data_record: bytes, amount_minor: int) -> IssuerAnswer:
    """Decide under the test scheme: the cryptogram must be right, and over the amount that is asked for."""
    verdict = verify_arqc(data_record)
    if not verdict.genuine:
        return IssuerAnswer(False, CRYPTOGRAM_FAILURE, "", verdict.reason)
    if _amount(data_record) != amount_minor:
        return IssuerAnswer(False, INVALID_AMOUNT, "", "the card agreed to another amount")
    answer = _answer(verdict, data_record)
    return replace(answer, authentication_data=_authentication_data(data_record, answer))


class WatchfulIssuer:
    """The same, and no cryptogram is taken twice. What it has seen, it forgets when the host ends.

    The host asks once an attempt, so who asks again with the same cryptogram makes a second payment of it.
    """

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def __call__(self, data_record: bytes, amount_minor: int) -> IssuerAnswer:
        """Decide, as `Issuer`."""
        answer = scheme_issuer(data_record, amount_minor)
        if answer.code == CRYPTOGRAM_FAILURE:
            return answer
        values = dict(ber.objects(data_record))
        used = "".join(card_number(values)).encode() + values["9F36"] + values["9F26"]
        key = hashlib.sha256(used).digest()
        if key in self._seen:
            return IssuerAnswer(False, SUSPECTED_FRAUD, "", "this cryptogram was used before")
        self._seen.add(key)
        return answer


def approving_issuer(data_record: bytes, amount_minor: int) -> IssuerAnswer:
    """Approve everything, for tests that have no card."""
    return IssuerAnswer(True, APPROVED, _authorisation(data_record), "")


def currency_agrees(data_record: bytes, currency: str) -> bool:
    """Return whether the card was told the currency that the terminal states, an ISO 4217 code like EUR.

    True where there is nothing to compare: the record can't be read, or the currency is none of ours.
    """
    try:
        told = dict(ber.objects(data_record)).get("5F2A")
    except ValueError:
        return True
    stated = _CURRENCIES.get(currency)
    return told is None or stated is None or told.hex() == stated


def _answer(verdict: Verdict, data_record: bytes) -> IssuerAnswer:
    if not verdict.approved:
        return IssuerAnswer(False, DO_NOT_HONOUR, "", verdict.reason)
    return IssuerAnswer(True, APPROVED, _authorisation(data_record), "")


def _authentication_data(data_record: bytes, answer: IssuerAnswer) -> bytes:
    """Return tag 91 for a request. The record's cryptogram is known to be right."""
    values = dict(ber.objects(data_record))
    if values.get("9F27", b"\x80")[0] & 0xC0 != CryptogramKind.ARQC.value:
        return b""
    pan, sequence_number = card_number(values)
    response = issuer_response(pan, values, code=answer.code, approved=answer.approved)
    return issuer_authentication_data(pan, sequence_number, values, response)


def _authorisation(data_record: bytes) -> str:
    """Return an approval code of six digits, the same for the same transaction."""
    return f"{int.from_bytes(hashlib.sha256(data_record).digest()[:4], 'big') % 1_000_000:06d}"


def _amount(data_record: bytes) -> int:
    """Return 9F02, which verify_arqc has found to be there."""
    return int(dict(ber.objects(data_record))["9F02"].hex())
