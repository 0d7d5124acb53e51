"""What the simulated Alipay keeps: customers' codes, precreated orders and trades.

    no trade ──pay, or scan of a precreated QR──► WAIT_BUYER_PAY ──buyer pays──► TRADE_SUCCESS
                                                       │                             │
                                     close, cancel, time-out              cancel, whole refund
                                                       └────────► TRADE_CLOSED ◄─────┘

A precreated order is no trade: query and close answer ACQ.TRADE_NOT_EXIST until a buyer scans it.
Closing or cancelling it before the scan still bars its QR, as merchants have found. `late=True`
lets a buyer's payment win against a close that was already answered, which is the one race that a
terminal can't see coming.

Sources of codes: docs.open.alipay.com/api_1/alipay.trade.{pay,query,cancel,close,precreate,refund};
open.alitrip.com/docs/doc.htm?articleId=104632 (pay); zhifubao.apifox.cn/api-126371943 (close);
apifox.cn/apidoc/docs-site/3618910/api-126370346 (cancel); developer.aliyun.com/article/707486
(refund and its out_request_no); news.fishai.com.cn/news/4471614 (close before the scan).
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from threading import Condition


class Behaviour(Enum):
    """What happens when a customer's code is charged."""

    PAYS = "pays at once"
    WAITS = "is asked on the phone (10003); pays when `buyer_confirms` is called, or never"
    BALANCE_TOO_LOW = "40004 ACQ.BUYER_BALANCE_NOT_ENOUGH, and no trade"
    UNKNOWN_BUT_PAID = "20000, and the money was taken"
    UNKNOWN_AND_UNPAID = "20000, and nothing happened"


class TradeStatus(StrEnum):
    """The states that alipay.trade.query names."""

    WAIT_BUYER_PAY = "WAIT_BUYER_PAY"
    TRADE_SUCCESS = "TRADE_SUCCESS"
    TRADE_CLOSED = "TRADE_CLOSED"


class BuyerRefusedError(Exception):
    """The buyer's phone says no: unknown, barred or expired code, nothing to pay."""


class BusinessError(Exception):
    """A business failure: code 40004 with a sub-code, or 20000."""

    def __init__(self, sub_code: str, sub_msg: str, code: str = "40004") -> None:
        super().__init__(sub_code)
        self.code = code
        self.sub_code = sub_code
        self.sub_msg = sub_msg


@dataclass(frozen=True, slots=True)
class Customer:
    """Who a code belongs to, and what charging it does."""

    name: str
    behaviour: Behaviour


@dataclass(slots=True)
class Precreated:
    """An order with a QR that nobody has to scan."""

    out_trade_no: str
    amount_fen: int
    subject: str
    qr_code: str
    expires_at: datetime
    barred: bool = False


@dataclass(slots=True)
class Trade:
    """One trade. Amounts are in fen."""

    out_trade_no: str
    trade_no: str
    amount_fen: int
    subject: str
    buyer: str
    auth_code: str = ""
    status: TradeStatus = TradeStatus.WAIT_BUYER_PAY
    expires_at: datetime | None = None
    paid_at: datetime | None = None
    late: bool = False
    cancel_action: str = ""
    refunds: dict[str, int] = field(default_factory=dict)

    @property
    def refunded_fen(self) -> int:
        """What has gone back to the buyer."""
        return sum(self.refunds.values())


@dataclass(frozen=True, slots=True)
class TradeView:
    """A trade as tests look at it."""

    out_trade_no: str
    trade_no: str
    status: TradeStatus
    amount_minor: int
    buyer: str
    refunded_minor: int
    late: bool


NOT_EXIST = BusinessError("ACQ.TRADE_NOT_EXIST", "交易不存在")
_QR_LIFE = timedelta(hours=2)


class TradeBook:
    """All orders and trades of one merchant, and what buyers do to them. Thread-safe.

    Args:
        now: The gateway's clock.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.changed = Condition()
        self._customers: dict[str, Customer] = {}
        self._used_codes: set[str] = set()
        self._precreated: dict[str, Precreated] = {}
        self._trades: dict[str, Trade] = {}
        self._numbers = itertools.count(1)

    # What buyers do.

    def customer_code(self, behaviour: Behaviour = Behaviour.PAYS, buyer: str = "") -> str:
        """Return a fresh code that a customer shows: 18 digits, of which the first two are 25 to 30."""
        with self.changed:
            number = next(self._numbers)
            code = f"{25 + number % 6}{number:06d}{secrets.randbelow(10**10):010d}"
            self._customers[code] = Customer(buyer or f"buyer-{number}", behaviour)
            return code

    def buyer_confirms(self, out_trade_no: str) -> None:
        """Let the buyer of a waiting trade confirm on the phone."""
        self.buyer_pays(out_trade_no)

    def scan_qr(self, qr_code: str, buyer: str = "buyer-scan") -> str:
        """Let a buyer scan a precreated QR; the trade exists from here. Returns its out_trade_no."""
        with self.changed:
            order = next((each for each in self._precreated.values() if each.qr_code == qr_code), None)
            if order is None:
                raise BuyerRefusedError("this QR is not known")
            if order.barred:
                raise BuyerRefusedError("this order was closed, ask the cashier for a new one")
            if self.now() >= order.expires_at:
                raise BuyerRefusedError("this QR has expired")
            if order.out_trade_no not in self._trades:
                trade = self._new_trade(order.out_trade_no, order.amount_fen, order.subject, buyer)
                trade.expires_at = order.expires_at
            return order.out_trade_no

    def buyer_pays(self, out_trade_no: str, *, late: bool = False) -> None:
        """Let the buyer pay a waiting trade.

        With *late* the payment is booked although the QR has expired or the trade is closed: the
        payment was on its way when the close was answered. It makes the trade of an order that
        was never seen to be scanned.
        """
        with self.changed:
            trade = self._trades.get(out_trade_no)
            if trade is None and late and out_trade_no in self._precreated:
                order = self._precreated[out_trade_no]
                trade = self._new_trade(out_trade_no, order.amount_fen, order.subject, "buyer-scan")
            if trade is None:
                raise BuyerRefusedError(f"there is no trade {out_trade_no}")
            self._expire(trade)
            if trade.paid_at is not None:
                raise BuyerRefusedError(f"{out_trade_no} is paid already")
            if trade.status is not TradeStatus.WAIT_BUYER_PAY and not late:
                raise BuyerRefusedError(f"{out_trade_no} is closed")
            trade.late = late
            self._book_payment(trade)

    # What tests look at.

    def trades(self) -> tuple[TradeView, ...]:
        """Return every trade, in the order of their making."""
        with self.changed:
            for trade in self._trades.values():
                self._expire(trade)
            return tuple(self._view(trade) for trade in self._trades.values())

    def wait_for_trade(self, out_trade_no: str, *, timeout_s: float) -> TradeView | None:
        """Wait until a trade of that number exists; None on time-out."""
        with self.changed:
            self.changed.wait_for(lambda: out_trade_no in self._trades, timeout_s)
            trade = self._trades.get(out_trade_no)
            return None if trade is None else self._view(trade)

    # What the gateway's methods do. The caller holds `changed`.

    def find(self, out_trade_no: str, trade_no: str) -> Trade:
        """Return a trade by Alipay's number, which outranks the merchant's."""
        trade = (
            next((each for each in self._trades.values() if each.trade_no == trade_no), None)
            if trade_no
            else self._trades.get(out_trade_no)
        )
        if trade is None:
            raise NOT_EXIST
        self._expire(trade)
        return trade

    def pay(self, out_trade_no: str, auth_code: str, amount_fen: int, subject: str) -> Trade:
        """Charge a customer's code, once for each out_trade_no."""
        trade = self._trades.get(out_trade_no)
        if trade is not None:
            return self._pay_again(trade, auth_code, amount_fen)
        customer = self._customers.get(auth_code)
        if customer is None or auth_code in self._used_codes:
            raise BusinessError("ACQ.PAYMENT_AUTH_CODE_INVALID", "支付失败,请顾客刷新付款码")
        if customer.behaviour is Behaviour.BALANCE_TOO_LOW:
            raise BusinessError("ACQ.BUYER_BALANCE_NOT_ENOUGH", "买家余额不足")
        unknown = BusinessError("isp.unknow-error", "系统繁忙", code="20000")
        if customer.behaviour is Behaviour.UNKNOWN_AND_UNPAID:
            raise unknown
        self._used_codes.add(auth_code)
        trade = self._new_trade(out_trade_no, amount_fen, subject, customer.name)
        trade.auth_code = auth_code
        if customer.behaviour is not Behaviour.WAITS:
            self._book_payment(trade)
        if customer.behaviour is Behaviour.UNKNOWN_BUT_PAID:
            raise unknown
        return trade

    def _pay_again(self, trade: Trade, auth_code: str, amount_fen: int) -> Trade:
        self._expire(trade)
        if trade.amount_fen != amount_fen:
            raise BusinessError("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")
        if trade.status is TradeStatus.TRADE_SUCCESS:
            raise BusinessError("ACQ.TRADE_HAS_SUCCESS", "交易已被支付")
        if trade.status is TradeStatus.TRADE_CLOSED:
            raise BusinessError("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
        if trade.auth_code != auth_code:
            raise BusinessError("ACQ.TRADE_BUYER_NOT_MATCH", "交易买家不匹配")
        return trade

    def precreate(
        self, out_trade_no: str, amount_fen: int, subject: str, expires_in: timedelta | None
    ) -> Precreated:
        """Make an order with a QR; the same order again gives the same QR."""
        order = self._precreated.get(out_trade_no)
        trade = self._trades.get(out_trade_no)
        if trade is not None and trade.status is TradeStatus.TRADE_SUCCESS:
            raise BusinessError("ACQ.TRADE_HAS_SUCCESS", "交易已被支付")
        if (trade is not None and trade.status is TradeStatus.TRADE_CLOSED) or (order and order.barred):
            raise BusinessError("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
        if order is not None:
            if (order.amount_fen, order.subject) != (amount_fen, subject):
                raise BusinessError("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")
            return order
        qr_code = f"https://qr.alipay.com/bax{secrets.token_hex(8)}"
        expires_at = self.now() + (expires_in or _QR_LIFE)
        order = Precreated(out_trade_no, amount_fen, subject, qr_code, expires_at)
        self._precreated[out_trade_no] = order
        return order

    def cancel(self, out_trade_no: str, trade_no: str) -> Trade | None:
        """Close an unpaid trade or refund a paid one; None where there is no trade to act on."""
        self._bar(out_trade_no)
        try:
            trade = self.find(out_trade_no, trade_no)
        except BusinessError:
            return None
        if trade.status is TradeStatus.WAIT_BUYER_PAY:
            trade.status, trade.cancel_action = TradeStatus.TRADE_CLOSED, "close"
        elif trade.status is TradeStatus.TRADE_SUCCESS:
            if trade.refunds:
                raise BusinessError("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效")
            trade.refunds["cancel"] = trade.amount_fen
            trade.status, trade.cancel_action = TradeStatus.TRADE_CLOSED, "refund"
        self.changed.notify_all()
        return trade

    def close(self, out_trade_no: str, trade_no: str) -> Trade:
        """Close a trade that waits for its buyer."""
        self._bar(out_trade_no)
        trade = self.find(out_trade_no, trade_no)
        if trade.status is not TradeStatus.WAIT_BUYER_PAY:
            raise BusinessError("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
        trade.status, trade.cancel_action = TradeStatus.TRADE_CLOSED, "close"
        self.changed.notify_all()
        return trade

    def refund(self, trade: Trade, amount_fen: int, out_request_no: str) -> bool:
        """Give money back; tells whether this call moved any. The request number makes it idempotent."""
        key = out_request_no or trade.out_trade_no
        if key in trade.refunds:
            if trade.refunds[key] != amount_fen:
                raise BusinessError("ACQ.DISCORDANT_REPEAT_REQUEST", "不一致的请求")
            return False
        if trade.status is not TradeStatus.TRADE_SUCCESS:
            raise BusinessError("ACQ.TRADE_STATUS_ERROR", "交易状态非法")
        if not out_request_no and amount_fen != trade.amount_fen:
            raise BusinessError("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "撤销或退款金额与订单金额不一致")
        if trade.refunded_fen + amount_fen > trade.amount_fen:
            raise BusinessError("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效")
        trade.refunds[key] = amount_fen
        if trade.refunded_fen == trade.amount_fen:
            trade.status = TradeStatus.TRADE_CLOSED
        self.changed.notify_all()
        return True

    def _new_trade(self, out_trade_no: str, amount_fen: int, subject: str, buyer: str) -> Trade:
        stamp = self.now().strftime("%Y%m%d")
        trade_no = f"{stamp}2200141234{next(self._numbers):010d}"
        trade = Trade(out_trade_no, trade_no, amount_fen, subject, buyer)
        self._trades[out_trade_no] = trade
        self.changed.notify_all()
        return trade

    def _book_payment(self, trade: Trade) -> None:
        trade.status, trade.paid_at = TradeStatus.TRADE_SUCCESS, self.now()
        self.changed.notify_all()

    def _expire(self, trade: Trade) -> None:
        waiting = trade.status is TradeStatus.WAIT_BUYER_PAY
        if waiting and trade.expires_at is not None and self.now() >= trade.expires_at:
            trade.status = TradeStatus.TRADE_CLOSED

    def _bar(self, out_trade_no: str) -> None:
        if out_trade_no in self._precreated:
            self._precreated[out_trade_no].barred = True

    @staticmethod
    def _view(trade: Trade) -> TradeView:
        return TradeView(
            trade.out_trade_no,
            trade.trade_no,
            trade.status,
            trade.amount_fen,
            trade.buyer,
            trade.refunded_fen,
            trade.late,
        )
