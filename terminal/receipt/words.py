"""The words on printed receipts, in the shop's language: English, and Chinese for the ``zh`` locales.

A receipt says the same as the screen; what a language has no word for is printed as it is.
"""

from __future__ import annotations

from collections.abc import Mapping

_CHINESE = {
    "Terminal": "终端编号",
    "Order": "订单号",
    "Date": "日期",
    "TOTAL": "合计",
    "Paid by": "支付方式",
    "Card": "卡号",
    "Application": "应用",
    "Verified by": "验证方式",
    "Authorisation": "授权码",
    "Record": "记录",
    "Head": "链首",
    "Signature": "持卡人签名",
    "CUSTOMER COPY": "顾客存根",
    "MERCHANT COPY": "商户存根",
    "REPRINT": "重打印",
    "APPROVED": "交易成功",
    "APPROVED OFFLINE": "脱机交易成功",
    "TAKEN OFFLINE": "脱机受理",
    "DECLINED": "交易被拒绝",
    "RESULT NOT KNOWN": "结果未知",
    "CANCELLED": "已取消",
    "NOT PAID": "未付款",
    "not yet authorised": "尚未授权",
    "paid after the code expired": "付款码过期后付款",
    "SIMULATED, NO REAL MONEY": "模拟交易 非真实资金",
    "no CVM": "免验证",
    "signature": "签名",
    "online PIN": "联机密码",
    "confirmed by the device": "设备已验证",
    "Alipay": "支付宝",
    "UnionPay": "银联",
}


def words(locale: str) -> Mapping[str, str]:
    """Return the words of a locale such as ``zh_CN``, by the English ones; empty for English."""
    language = locale.replace("-", "_").partition("_")[0].lower()
    return _CHINESE if language == "zh" else {}
