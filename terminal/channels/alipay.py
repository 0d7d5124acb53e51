"""Alipay face to face: the customer shows a code, or scans the one that this terminal shows.

Signatures are RSA2: RSA PKCS#1 v1.5 with SHA-256 over the sorted ``key=value`` pairs joined with
``&``. An answer's signature covers the bytes of ``<method>_response`` as they arrived; an answer
without a valid one is neither yes nor no.

Spec: Alipay open platform, alipay.trade.pay, .query, .cancel, .precreate (opendocs.alipay.com/open).
"""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import cbor2
import httpx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from offline_queue.errors import RecordError
from offline_queue.record import Record
from offline_queue.signing import read_private_file
from terminal.channels.channel import Case
from terminal.config import AlipayConfig, ConfigError, LatePaid
from terminal.http import NoAnswerError, NotSentError, send
from terminal.money import MoneyError, parse
from terminal.payment.attempt_events import (
    Answer,
    Plan,
    Verdict,
)
from terminal.view import Phase

logger = logging.getLogger(__name__)

_BEIJING = timezone(timedelta(hours=8), "Beijing")

# Business codes that decide nothing: the trade may have been paid.
_UNDECIDED = {
    "ACQ.SYSTEM_ERROR",
    "ACQ.TRADE_HAS_SUCCESS",
    "ACQ.CONTEXT_INCONSISTENT",
    "ACQ.TRADE_BUYER_NOT_MATCH",
}
_WORDS = {
    "ACQ.PAYMENT_AUTH_CODE_INVALID": "the code is not valid any more: ask for a new one",
    "ACQ.BUYER_BALANCE_NOT_ENOUGH": "the customer's balance is too low",
    "ACQ.TRADE_HAS_CLOSE": "the payment was closed",
}
_PAID = {"TRADE_SUCCESS", "TRADE_FINISHED"}

Fields = Mapping[str, Any]


class AlipayGateway:
    """Signed calls to the gateway and back. Making one raises ConfigError where a key can't be used."""

    def __init__(self, config: AlipayConfig, http: httpx.AsyncClient, now: Callable[[], datetime]) -> None:
        self._config = config
        self._http = http
        self._now = now
        self._key = _private_key(config.key_file)
        self._alipay_key = _public_key(config.alipay_key_file)

    async def call(self, method: str, content: Fields) -> Fields:
        """Call a method. Raises NotSentError or NoAnswerError; a bad signature is no answer."""
        parameters = {
            "app_id": self._config.app_id,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": f"{self._now().astimezone(_BEIJING):%Y-%m-%d %H:%M:%S}",
            "version": "1.0",
            "biz_content": json.dumps(content, ensure_ascii=False, separators=(",", ":")),
        }
        parameters["sign"] = self._sign(parameters)
        response = await send(
            self._http,
            "POST",
            self._config.gateway,
            content=urlencode(parameters).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"},
        )
        if response.status_code != httpx.codes.OK:
            raise NoAnswerError(f"Alipay answered HTTP {response.status_code}")
        return self._verified(response.text, f"{method.replace('.', '_')}_response")

    def _sign(self, parameters: Mapping[str, str]) -> str:
        text = "&".join(f"{key}={value}" for key, value in sorted(parameters.items()) if value)
        return base64.b64encode(self._key.sign(text.encode(), padding.PKCS1v15(), SHA256())).decode()

    def _verified(self, text: str, name: str) -> Fields:
        try:
            signature = base64.b64decode(json.loads(text)["sign"], validate=True)
            raw = _raw_member(text, name)
            self._alipay_key.verify(signature, raw.encode(), padding.PKCS1v15(), SHA256())
            fields = json.loads(raw)
        except (ValueError, KeyError, TypeError, RecursionError, InvalidSignature) as error:
            raise NoAnswerError("Alipay's answer is not signed as it should be") from error
        if not isinstance(fields, dict):
            raise NoAnswerError("Alipay's answer makes no sense")
        return fields


def _raw_member(text: str, name: str) -> str:
    """Return a member's value exactly as it stands in the answer: that is what is signed."""
    mark = re.search(rf'"{re.escape(name)}"\s*:\s*', text)
    if mark is None:
        raise ValueError(f"no {name}")
    _, end = json.JSONDecoder().raw_decode(text, mark.end())
    return text[mark.end() : end]


class _Alipay:
    """What both ways have in common: query and cancel."""

    label = "Alipay"
    deferrable = False

    def __init__(self, gateway: AlipayGateway, shop: str) -> None:
        self._gateway = gateway
        self._shop = shop

    async def query(self, case: Case) -> Answer:
        """Ask what became of the trade."""
        return await self._answer(case, "alipay.trade.query", {}, _queried)

    async def reverse(self, case: Case, reversal: Record) -> Answer:
        """Cancel the trade: an unpaid one is closed, a paid one refunded."""
        return await self._answer(case, "alipay.trade.cancel", {}, _cancelled)

    async def _answer(
        self, case: Case, method: str, content: Fields, read: Callable[[Case, Fields], Answer]
    ) -> Answer:
        try:
            fields = await self._gateway.call(method, {"out_trade_no": _number(case), **content})
        except NotSentError as error:
            return Answer(Verdict.NOT_SENT, f"Alipay can't be reached: {error}")
        except NoAnswerError as error:
            return Answer(Verdict.UNKNOWN, str(error))
        # An answer about another trade decides nothing about this one.
        if fields.get("out_trade_no", _number(case)) != _number(case):
            return Answer(Verdict.UNKNOWN, "Alipay answered for another payment")
        answer = read(case, fields)
        if answer.verdict is Verdict.APPROVED and "out_trade_no" not in fields:
            return Answer(Verdict.UNKNOWN, "Alipay does not say for which payment it answered")
        logger.info("%s %s: %s %s", method, case.key, answer.verdict.value, answer.code)
        return answer

    def _order(self, case: Case) -> dict[str, str]:
        return {
            "subject": re.sub(r"[/=&]", " ", f"{self._shop} {case.order}")[:256],
            "total_amount": case.amount.plain(),
        }


class AlipayCode(_Alipay):
    """The customer shows a code, the terminal reads it."""

    name = "alipay-code"
    pending = Phase.CUSTOMER_CONFIRMS

    def __init__(self, gateway: AlipayGateway, config: AlipayConfig, shop: str) -> None:
        super().__init__(gateway, shop)
        self.plan = Plan(query_every_s=config.query_every_s, lifetime_s=config.query_for_s)

    def secret(self, case: Case) -> bytes:
        """Return the sealed part of the intent: the customer's code."""
        return cbor2.dumps({"type": "wallet", "wallet": "alipay", "auth_code": _code(case)}, canonical=True)

    async def ask(self, case: Case, intent: Record) -> Answer:
        """Pay with the customer's code (``alipay.trade.pay``)."""
        content = {"scene": "bar_code", "auth_code": _code(case), **self._order(case)}
        return await self._answer(case, "alipay.trade.pay", content, _paid)


class AlipayQr(_Alipay):
    """The terminal shows a code, the customer scans it.

    The wallet knows no trade before the scan, so "not found" means "not yet" here.
    """

    name = "alipay-qr"
    pending = Phase.SHOWING_QR

    def __init__(self, gateway: AlipayGateway, config: AlipayConfig, shop: str) -> None:
        super().__init__(gateway, shop)
        self._lifetime_s = config.qr_seconds
        self.plan = Plan(
            query_every_s=config.query_every_s,
            lifetime_s=config.qr_seconds,
            watch_every_s=config.query_every_s,
            watch_s=config.late_watch_s,
            accept_late=config.late_paid is LatePaid.ACCEPT,
        )

    def secret(self, case: Case) -> bytes:
        """Return the sealed part of the intent: nothing is secret in a code that we show."""
        return cbor2.dumps({"type": "wallet", "wallet": "alipay"}, canonical=True)

    async def ask(self, case: Case, intent: Record) -> Answer:
        """Order a code to show (``alipay.trade.precreate``).

        The wallet counts in whole minutes, so its code lives a little longer than the one shown.
        """
        minutes = -(-self._lifetime_s // 60)
        content = {**self._order(case), "qr_code_timeout_express": f"{minutes}m"}
        return await self._answer(case, "alipay.trade.precreate", content, _precreated)


def _number(case: Case) -> str:
    """Return the attempt's key as ``out_trade_no``: letters, digits and underscores, at most 64."""
    return case.key.replace("-", "_")


def _code(case: Case) -> str:
    if case.instrument is None:
        raise AssertionError("a code is paid only while its customer is there")
    return case.instrument.secret.reveal().decode("ascii")


def _paid(case: Case, fields: Fields) -> Answer:
    code = str(fields.get("code"))
    if code == "10000":
        return _approved(case, fields)
    if code == "10003":
        return Answer(Verdict.PENDING, "the customer is to confirm on the phone", code)
    return _refused(fields)


def _queried(case: Case, fields: Fields) -> Answer:
    if fields.get("code") != "10000":
        answer = _refused(fields)
        if fields.get("sub_code") == "ACQ.TRADE_NOT_EXIST":
            return Answer(Verdict.NOT_FOUND, answer.reason, answer.code)
        # That the query failed says nothing about the payment.
        return Answer(Verdict.UNKNOWN, answer.reason, answer.code)
    status = str(fields.get("trade_status"))
    if status in _PAID:
        return _approved(case, fields)
    if status == "TRADE_CLOSED":
        return Answer(Verdict.DECLINED, "the payment was closed", status)
    if status == "WAIT_BUYER_PAY":
        return Answer(Verdict.PENDING, "the customer is to confirm on the phone", status)
    return Answer(Verdict.UNKNOWN, "Alipay answered with a status that is not known", status)


def _cancelled(case: Case, fields: Fields) -> Answer:
    if fields.get("code") != "10000" or fields.get("retry_flag") == "Y":
        answer = _refused(fields)
        return Answer(Verdict.UNKNOWN, answer.reason, answer.code)
    action = fields.get("action")
    if action == "refund":
        return Answer(Verdict.REVERSED, "it had been paid, and the money was returned", "refund")
    if action == "close":
        return Answer(Verdict.REVERSED, "", "close")
    return Answer(Verdict.NOT_FOUND, "", "10000")


def _precreated(case: Case, fields: Fields) -> Answer:
    text = fields.get("qr_code")
    if fields.get("code") == "10000" and isinstance(text, str) and text:
        return Answer(Verdict.PENDING, "the customer is to scan the code", "10000", qr=text)
    return _refused(fields)


def _approved(case: Case, fields: Fields) -> Answer:
    """Return a yes, but only to the amount that was asked for."""
    try:
        right = parse(str(fields.get("total_amount")), case.amount.currency) == case.amount
    except MoneyError:
        right = False
    if not right:
        return Answer(Verdict.UNKNOWN, "Alipay answered with another amount", str(fields.get("code")))
    return Answer(Verdict.APPROVED, "", str(fields.get("code")), str(fields.get("trade_no", "")))


def _refused(fields: Fields) -> Answer:
    code = str(fields.get("code"))
    sub_code = str(fields.get("sub_code", ""))
    if code.startswith("4000") and sub_code not in _UNDECIDED:
        words = _WORDS.get(
            sub_code, f"Alipay refused it: {fields.get('sub_msg') or fields.get('msg') or code}"
        )
        return Answer(Verdict.DECLINED, words, sub_code or code)
    return Answer(Verdict.UNKNOWN, "Alipay does not know the result", sub_code or code)


def _private_key(path: Path) -> rsa.RSAPrivateKey:
    try:
        key = load_pem_private_key(read_private_file(path), None)
    except (OSError, ValueError, TypeError, RecordError) as error:
        raise ConfigError(f"{path}: the merchant's key can't be used ({error})") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ConfigError(f"{path}: not an RSA private key")
    return key


def _public_key(path: Path) -> rsa.RSAPublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: Alipay's key can't be used ({error})") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise ConfigError(f"{path}: not an RSA public key")
    return key
