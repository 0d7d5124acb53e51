"""The simulated Alipay open platform gateway: `/gateway.do`, RSA2, six methods of face-to-face payment.

| method | answers |
| --- | --- |
| alipay.trade.pay | 10000 paid, 10003 waits for the buyer, 20000 unknown, 40004 refused |
| alipay.trade.query | 10000 with trade_status, 40004 ACQ.TRADE_NOT_EXIST |
| alipay.trade.cancel | 10000 with action close or refund; without action where there is no trade |
| alipay.trade.close | 10000, 40004 ACQ.TRADE_NOT_EXIST or ACQ.TRADE_STATUS_ERROR |
| alipay.trade.precreate | 10000 with qr_code |
| alipay.trade.refund | 10000 with fund_change Y, or N for a repeat |

Common parameters may stand in the query or in the form, as the vendor's own clients send them. They
are checked before the business: 40001 isv.missing-..., 40002 isv.invalid-.... The clock check is
this simulator's own strictness (the vendor states only the format). An answer to an unknown app_id
can't be signed and comes as `error_response`.

    alipay = AlipayHost()
    alipay.register("2021000000000001", merchant_public_key_pem)
    with TlsServer(alipay.app, certificate=..., key=...) as server: ...
    code = alipay.book.customer_code(Behaviour.WAITS)

Spec: opendocs.alipay.com/common/02mse7 (signing), opendocs.alipay.com/common/02km9f (gateway codes).
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from enum import Enum
from threading import Condition
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.hosts import alipay_fields as fields
from simulators.hosts import alipay_signing as signing
from simulators.hosts.alipay_fields import Fields
from simulators.hosts.alipay_trades import BusinessError, Trade, TradeBook, TradeStatus
from simulators.hosts.server import drop_connection

BEIJING = timezone(timedelta(hours=8), "Beijing")
MAX_SKEW = timedelta(minutes=15)

_REQUIRED = (
    ("method", "isv.missing-method"),
    ("app_id", "isv.missing-app-id"),
    ("sign_type", "isv.missing-signature-type"),
    ("sign", "isv.missing-signature"),
    ("timestamp", "isv.missing-timestamp"),
    ("version", "isv.missing-version"),
)
_CHARSETS = {"utf-8": "utf-8", "gbk": "gbk", "gb2312": "gb2312"}
_AUTH_CODE = re.compile(r"(?:2[5-9]|30)\d{14,22}")


class Misbehaviour(Enum):
    """What the gateway does wrong once, after it has done what it was asked."""

    WRONG_SIGNATURE = "signs the answer with another key"
    NO_SIGNATURE = "leaves the signature out"
    LOSE_ANSWER = "cuts the connection instead of answering"
    HOLD_ANSWER = "holds the answer until `release` or until the client hangs up"
    SERVER_ERROR = "answers HTTP 500"
    RETRY_CANCEL = "answers a cancel with retry_flag Y, and has not done it"


class GatewayError(Exception):
    """A request that the gateway refuses before it looks at the business."""

    def __init__(self, code: str, sub_code: str) -> None:
        super().__init__(sub_code)
        self.code = code
        self.sub_code = sub_code


def beijing_now() -> datetime:
    """Return the time in Beijing."""
    return datetime.now(BEIJING)


class AlipayHost:
    """The gateway as an ASGI application, with the buyers' side for tests and demo.

    Args:
        key: What answers are signed with; a fresh one by default.
        now: The gateway's clock.
        max_skew: How far a request's timestamp may be off; None switches that check off.
    """

    def __init__(
        self,
        *,
        key: rsa.RSAPrivateKey | None = None,
        now: Callable[[], datetime] = beijing_now,
        max_skew: timedelta | None = MAX_SKEW,
    ) -> None:
        self.book = TradeBook(now)
        self._key = key or signing.new_key()
        self._now = now
        self._max_skew = max_skew
        self._apps: dict[str, rsa.RSAPublicKey] = {}
        self._faults: list[tuple[Misbehaviour, str]] = []
        self._lock = Condition()
        self._held: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self.app = Starlette(routes=[Route("/gateway.do", self._serve, methods=["GET", "POST"])])
        self._methods: Mapping[str, Callable[[Fields], Fields]] = {
            "alipay.trade.pay": self._pay,
            "alipay.trade.query": self._query,
            "alipay.trade.cancel": self._cancel,
            "alipay.trade.close": self._close,
            "alipay.trade.precreate": self._precreate,
            "alipay.trade.refund": self._refund,
        }

    @property
    def public_key_pem(self) -> str:
        """The key that a terminal verifies answers with."""
        return signing.public_pem(self._key)

    def register(self, app_id: str, public_key_pem: str) -> None:
        """Accept requests of that application, signed by that key."""
        self._apps[app_id] = signing.load_public(public_key_pem)

    def misbehave(self, fault: Misbehaviour, method: str = "") -> None:
        """Do *fault* once, at the next request, or at the next of *method*."""
        if fault is Misbehaviour.RETRY_CANCEL:
            method = "alipay.trade.cancel"
        with self._lock:
            self._faults.append((fault, method))

    def release(self) -> None:
        """Give the answers that are being held."""
        with self._lock:
            held, self._held = self._held, []
        for loop, event in held:
            loop.call_soon_threadsafe(event.set)

    def wait_held(self, *, timeout_s: float) -> bool:
        """Wait until an answer is being held; False on time-out."""
        with self._lock:
            return self._lock.wait_for(lambda: bool(self._held), timeout_s)

    # The wire.

    async def _serve(self, request: Request) -> Response:
        pairs = _pairs(request.scope["query_string"], await request.body())
        parameters = dict(pairs)
        method = parameters.get("method", "")
        fault = self._take_fault(method)
        try:
            if len(pairs) != len(parameters):
                raise GatewayError("40002", "isv.invalid-parameter")
            handler = self._check(parameters)
            retry = fault is Misbehaviour.RETRY_CANCEL
            answer = _success({"retry_flag": "Y"}) if retry else self._run(handler, parameters)
        except GatewayError as error:
            answer = {"code": error.code, "msg": _MESSAGES[error.code], "sub_code": error.sub_code}
        return await self._misbehave(request, fault, self._answer(method, answer, parameters, fault))

    def _take_fault(self, method: str) -> Misbehaviour | None:
        with self._lock:
            for at, (fault, only) in enumerate(self._faults):
                if only in ("", method):
                    del self._faults[at]
                    return fault
        return None

    async def _misbehave(self, request: Request, fault: Misbehaviour | None, answer: Response) -> Response:
        if fault is Misbehaviour.LOSE_ANSWER:
            drop_connection(request.scope)
        elif fault is Misbehaviour.SERVER_ERROR:
            return Response("<html>500 Internal Server Error</html>", 500, media_type="text/html")
        elif fault is Misbehaviour.HOLD_ANSWER:
            await self._hold(request)
        return answer

    async def _hold(self, request: Request) -> None:
        released = asyncio.Event()
        held = (asyncio.get_running_loop(), released)
        with self._lock:
            self._held.append(held)
            self._lock.notify_all()
        ends = [asyncio.ensure_future(released.wait()), asyncio.ensure_future(_hung_up(request))]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
            with self._lock:
                self._held = [other for other in self._held if other is not held]

    def _check(self, parameters: Mapping[str, str]) -> Callable[[Fields], Fields]:
        """Check what all methods have in common, and return the method."""
        for name, sub_code in _REQUIRED:
            if not parameters.get(name):
                raise GatewayError("40001", sub_code)
        key = self._apps.get(parameters["app_id"])
        charset = _CHARSETS.get(parameters.get("charset", "").lower())
        if key is None:
            raise GatewayError("40002", "isv.invalid-app-id")
        if parameters["sign_type"] != "RSA2":
            raise GatewayError("40002", "isv.invalid-signature-type")
        if charset is None:
            raise GatewayError("40002", "isv.invalid-charset")
        if not signing.verify(key, signing.signed_text(parameters), parameters["sign"], charset):
            raise GatewayError("40002", "isv.invalid-signature")
        if parameters.get("format", "JSON").upper() != "JSON":
            raise GatewayError("40002", "isv.invalid-format")
        if parameters["version"] != "1.0":
            raise GatewayError("40002", "isv.invalid-parameter")
        self._check_timestamp(parameters["timestamp"])
        if parameters["method"] not in self._methods:
            raise GatewayError("40002", "isv.invalid-method")
        return self._methods[parameters["method"]]

    def _check_timestamp(self, text: str) -> None:
        try:
            sent = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)
        except ValueError:
            raise GatewayError("40002", "isv.invalid-timestamp") from None
        if self._max_skew is not None and abs(sent - self._now()) > self._max_skew:
            raise GatewayError("40002", "isv.invalid-timestamp")

    def _run(self, handler: Callable[[Fields], Fields], parameters: Mapping[str, str]) -> Fields:
        try:
            content = json.loads(parameters.get("biz_content", ""))
        except ValueError:
            raise GatewayError("40002", "isv.invalid-parameter") from None
        if not isinstance(content, dict):
            raise GatewayError("40002", "isv.invalid-parameter")
        with self.book.changed:
            try:
                return handler(content)
            except BusinessError as error:
                return {
                    "code": error.code,
                    "msg": _MESSAGES[error.code],
                    "sub_code": error.sub_code,
                    "sub_msg": error.sub_msg,
                }

    def _answer(
        self, method: str, content: Fields, parameters: Mapping[str, str], fault: Misbehaviour | None
    ) -> Response:
        # The slash is written as JSON allows it: whoever verifies over a re-serialised object fails.
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/")
        known = method in self._methods and parameters.get("app_id", "") in self._apps
        name = f"{method.replace('.', '_')}_response" if known else "error_response"
        charset = _CHARSETS.get(parameters.get("charset", "").lower(), "utf-8")
        body = f'{{"{name}":{text}}}'
        if known and fault is not Misbehaviour.NO_SIGNATURE:
            key = signing.new_key() if fault is Misbehaviour.WRONG_SIGNATURE else self._key
            body = f'{body[:-1]},"sign":"{signing.sign(key, text, charset)}"}}'
        return Response(body.encode(charset), media_type=f"application/json;charset={charset}")

    # The methods. Each runs under the book's lock.

    def _pay(self, content: Fields) -> Fields:
        out_trade_no, amount_fen, subject = fields.order(content)
        auth_code = fields.text(content, "auth_code")
        if content.get("scene") != "bar_code":
            raise fields.invalid("scene")
        if not _AUTH_CODE.fullmatch(auth_code):
            raise BusinessError("ACQ.PAYMENT_AUTH_CODE_INVALID", "支付授权码无效")
        trade = self.book.pay(out_trade_no, auth_code, amount_fen, subject)
        if trade.status is TradeStatus.WAIT_BUYER_PAY:
            return {"code": "10003", "msg": "order success pay inprocess", **_numbers(trade), **_buyer(trade)}
        return _success({**_numbers(trade), **_buyer(trade), **_paid(trade)})

    def _query(self, content: Fields) -> Fields:
        trade = self._find(content)
        status = {"trade_status": trade.status.value, "total_amount": fields.yuan(trade.amount_fen)}
        paid = {} if trade.paid_at is None else {"send_pay_date": f"{trade.paid_at:%Y-%m-%d %H:%M:%S}"}
        return _success({**_numbers(trade), **_buyer(trade), **status, **paid})

    def _cancel(self, content: Fields) -> Fields:
        out_trade_no, trade_no = fields.either_number(content)
        trade = self.book.cancel(out_trade_no, trade_no)
        if trade is None:
            return _success({"out_trade_no": out_trade_no, "retry_flag": "N"})
        action = {"action": trade.cancel_action} if trade.cancel_action else {}
        return _success({**_numbers(trade), "retry_flag": "N", **action})

    def _close(self, content: Fields) -> Fields:
        return _success(_numbers(self.book.close(*fields.either_number(content))))

    def _precreate(self, content: Fields) -> Fields:
        out_trade_no, amount_fen, subject = fields.order(content)
        express = content.get("qr_code_timeout_express") or content.get("timeout_express")
        order = self.book.precreate(out_trade_no, amount_fen, subject, fields.duration(express))
        return _success({"out_trade_no": out_trade_no, "qr_code": order.qr_code})

    def _refund(self, content: Fields) -> Fields:
        amount_fen = fields.amount_fen(content, "refund_amount")
        trade = self._find(content)
        changed = self.book.refund(trade, amount_fen, str(content.get("out_request_no") or ""))
        return _success(
            {
                **_numbers(trade),
                **_buyer(trade),
                "fund_change": "Y" if changed else "N",
                "refund_fee": fields.yuan(trade.refunded_fen),
            }
        )

    def _find(self, content: Fields) -> Trade:
        return self.book.find(*fields.either_number(content))


_MESSAGES = {
    "20000": "Service Currently Unavailable",
    "40001": "Missing Required Arguments",
    "40002": "Invalid Arguments",
    "40004": "Business Failed",
}


def _pairs(*parts: bytes) -> list[tuple[str, str]]:
    """Read form-encoded parameters in the charset that they name themselves."""
    raw = "&".join(part.decode("ascii", "replace") for part in parts if part)
    named = dict(parse_qsl(raw, keep_blank_values=True, encoding="latin-1")).get("charset", "")
    return parse_qsl(raw, keep_blank_values=True, encoding=_CHARSETS.get(named.lower(), "utf-8"))


async def _hung_up(request: Request) -> bool:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return True


def _success(content: Fields) -> Fields:
    return {"code": "10000", "msg": "Success", **content}


def _numbers(trade: Trade) -> Fields:
    return {"trade_no": trade.trade_no, "out_trade_no": trade.out_trade_no}


def _buyer(trade: Trade) -> Fields:
    return {"buyer_logon_id": f"{trade.buyer[:3]}***@simulated.test", "buyer_user_id": "2088000000000001"}


def _paid(trade: Trade) -> Fields:
    amount = fields.yuan(trade.amount_fen)
    return {
        "total_amount": amount,
        "receipt_amount": amount,
        "buyer_pay_amount": amount,
        "gmt_payment": f"{trade.paid_at:%Y-%m-%d %H:%M:%S}",
        "fund_bill_list": [{"amount": amount, "fund_channel": "ALIPAYACCOUNT"}],
    }
