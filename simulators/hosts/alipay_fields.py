"""Reads the business fields of a request to the simulated Alipay, strictly.

Sources of the limits: docs.open.alipay.com/api_1/alipay.trade.precreate (out_trade_no, total_amount,
timeout_express), docs.open.alipay.com/api_1/alipay.trade.pay (subject, auth_code).
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from simulators.hosts.alipay_trades import BusinessError

Fields = dict[str, Any]

_AMOUNT = re.compile(r"(0|[1-9]\d{0,8})(?:\.(\d{1,2}))?", re.ASCII)
# The vendor allows letters, digits and the underscore; a hyphen is not among them.
_OUT_TRADE_NO = re.compile(r"[A-Za-z0-9_]{1,64}")
_EXPRESS = re.compile(r"([1-9]\d{0,4})([mhd])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def invalid(name: str) -> BusinessError:
    """Return the refusal of one field."""
    return BusinessError("ACQ.INVALID_PARAMETER", f"参数无效:{name}")


def text(content: Fields, name: str) -> str:
    """Read a text that must be there."""
    value = content.get(name)
    if not isinstance(value, str) or not value:
        raise invalid(name)
    return value


def amount_fen(content: Fields, name: str) -> int:
    """Read yuan with at most two decimals, as text or as a number, without binary fractions."""
    match = _AMOUNT.fullmatch(str(content.get(name, "")))
    if match is None:
        raise invalid(name)
    amount_fen = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))
    if not 1 <= amount_fen <= 10_000_000_000:
        raise invalid(name)
    return amount_fen


def order(content: Fields) -> tuple[str, int, str]:
    """Read out_trade_no, the amount in fen and the subject of a new order."""
    out_trade_no = text(content, "out_trade_no")
    if not _OUT_TRADE_NO.fullmatch(out_trade_no):
        raise invalid("out_trade_no")
    subject = text(content, "subject")
    if len(subject) > 256 or any(sign in subject for sign in "/=&"):
        raise invalid("subject")
    return out_trade_no, amount_fen(content, "total_amount"), subject


def either_number(content: Fields) -> tuple[str, str]:
    """Read the merchant's number and Alipay's; one of them must be there."""
    out_trade_no, trade_no = content.get("out_trade_no") or "", content.get("trade_no") or ""
    if not (isinstance(out_trade_no, str) and isinstance(trade_no, str) and (out_trade_no or trade_no)):
        raise invalid("out_trade_no")
    return out_trade_no, trade_no


def duration(express: object) -> timedelta | None:
    """Read a time such as 90m, 2h or 1d; None where there is none."""
    if express is None:
        return None
    match = _EXPRESS.fullmatch(str(express))
    if match is None:
        raise invalid("timeout_express")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def yuan(amount_fen: int) -> str:
    """Write an amount as the gateway does: yuan with two decimals."""
    return f"{amount_fen // 100}.{amount_fen % 100:02d}"
