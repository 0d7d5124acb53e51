"""Face-to-face payment at the simulated Alipay: trades, QR codes and refunds."""

from datetime import timedelta
from typing import Any

import pytest

from simulators.hosts.alipay_trades import Behaviour, BuyerRefusedError, TradeStatus
from tests.simulators.hosts.alipay.conftest import Shop


def test_a_customer_pays_at_once(shop: Shop) -> None:
    answer = shop.pay("T1_1", shop.host.book.customer_code(buyer="Li"))
    assert (answer["code"], answer["out_trade_no"], answer["total_amount"]) == ("10000", "T1_1", "12.50")
    assert shop.call("query", out_trade_no="T1_1")["trade_status"] == "TRADE_SUCCESS"
    assert shop.call("query", trade_no=answer["trade_no"])["out_trade_no"] == "T1_1"
    assert shop.trade("T1_1") == (TradeStatus.TRADE_SUCCESS, 1250, 0)
    assert shop.host.book.trades()[0].buyer == "Li"


def test_codes_are_what_the_wallet_shows(shop: Shop) -> None:
    codes = [shop.host.book.customer_code() for _ in range(12)]
    assert len(set(codes)) == 12
    assert all(len(code) == 18 and code.isdigit() and 25 <= int(code[:2]) <= 30 for code in codes)


def test_a_customer_is_asked_and_confirms(shop: Shop) -> None:
    code = shop.host.book.customer_code(Behaviour.WAITS)
    assert shop.pay("T1_1", code)["code"] == "10003"
    assert shop.call("query", out_trade_no="T1_1")["trade_status"] == "WAIT_BUYER_PAY"
    assert shop.pay("T1_1", code)["code"] == "10003"
    shop.host.book.buyer_confirms("T1_1")
    answer = shop.call("query", out_trade_no="T1_1")
    assert (answer["trade_status"], answer["send_pay_date"]) == ("TRADE_SUCCESS", "2026-07-01 12:00:00")


def test_a_cancelled_wait_is_closed_and_stays_so(shop: Shop) -> None:
    shop.pay("T1_1", shop.host.book.customer_code(Behaviour.WAITS))
    for _ in range(2):
        answer = shop.call("cancel", out_trade_no="T1_1")
        assert (answer["code"], answer["action"], answer["retry_flag"]) == ("10000", "close", "N")
    assert shop.trade("T1_1") == (TradeStatus.TRADE_CLOSED, 1250, 0)
    with pytest.raises(BuyerRefusedError, match="closed"):
        shop.host.book.buyer_confirms("T1_1")


def test_cancelling_a_paid_trade_refunds_it_once(shop: Shop) -> None:
    shop.pay("T1_1", shop.host.book.customer_code())
    for _ in range(2):
        assert shop.call("cancel", out_trade_no="T1_1")["action"] == "refund"
    assert shop.trade("T1_1") == (TradeStatus.TRADE_CLOSED, 1250, 1250)


def test_cancelling_what_does_not_exist_succeeds_without_action(shop: Shop) -> None:
    answer = shop.call("cancel", out_trade_no="T1_1")
    assert answer["code"] == "10000"
    assert "action" not in answer
    assert shop.host.book.trades() == ()


@pytest.mark.parametrize(
    ("behaviour", "paid"), [(Behaviour.UNKNOWN_BUT_PAID, True), (Behaviour.UNKNOWN_AND_UNPAID, False)]
)
def test_unknown_is_an_answer(shop: Shop, behaviour: Behaviour, paid: bool) -> None:
    answer = shop.pay("T1_1", shop.host.book.customer_code(behaviour))
    assert (answer["code"], answer["sub_code"]) == ("20000", "isp.unknow-error")
    query = shop.call("query", out_trade_no="T1_1")
    assert query.get("trade_status", query.get("sub_code")) == (
        "TRADE_SUCCESS" if paid else "ACQ.TRADE_NOT_EXIST"
    )


def test_a_balance_that_is_too_low_makes_no_trade(shop: Shop) -> None:
    answer = shop.pay("T1_1", shop.host.book.customer_code(Behaviour.BALANCE_TOO_LOW))
    assert (answer["code"], answer["sub_code"]) == ("40004", "ACQ.BUYER_BALANCE_NOT_ENOUGH")
    assert shop.host.book.trades() == ()


def test_an_unknown_used_or_malformed_code_is_refused(shop: Shop) -> None:
    used = shop.host.book.customer_code()
    shop.pay("T1_1", used)
    for number, code in enumerate([used, "281234567890123456", "131234567890123456", "28123", ""]):
        answer = shop.pay(f"T1_2{number}", code)
        expected = "ACQ.PAYMENT_AUTH_CODE_INVALID" if code else "ACQ.INVALID_PARAMETER"
        assert (answer["code"], answer["sub_code"]) == ("40004", expected)
    assert len(shop.host.book.trades()) == 1


def test_one_out_trade_no_is_paid_once_whoever_asks_again(shop: Shop) -> None:
    code, other = shop.host.book.customer_code(), shop.host.book.customer_code()
    shop.pay("T1_1", code)
    assert shop.pay("T1_1", code)["sub_code"] == "ACQ.TRADE_HAS_SUCCESS"
    assert shop.pay("T1_1", other)["sub_code"] == "ACQ.TRADE_HAS_SUCCESS"
    assert shop.pay("T1_1", code, "99.00")["sub_code"] == "ACQ.CONTEXT_INCONSISTENT"
    shop.call("cancel", out_trade_no="T1_1")
    assert shop.pay("T1_1", other)["sub_code"] == "ACQ.TRADE_HAS_CLOSE"
    assert len(shop.host.book.trades()) == 1


def test_another_buyer_can_not_take_over_a_waiting_trade(shop: Shop) -> None:
    shop.pay("T1_1", shop.host.book.customer_code(Behaviour.WAITS))
    assert shop.pay("T1_1", shop.host.book.customer_code())["sub_code"] == "ACQ.TRADE_BUYER_NOT_MATCH"


@pytest.mark.parametrize(
    "wrong",
    [
        {"total_amount": "0"},
        {"total_amount": "12.505"},
        {"total_amount": "-1"},
        {"total_amount": "1e3"},
        {"total_amount": None},
        {"out_trade_no": "T1-1"},
        {"out_trade_no": "T" * 65},
        {"out_trade_no": 7},
        {"subject": ""},
        {"subject": "a/b"},
        {"scene": "wave_code"},
    ],
    ids=str,
)
def test_fields_are_checked(shop: Shop, wrong: dict[str, Any]) -> None:
    content = {"out_trade_no": "T1_1", "scene": "bar_code", "subject": "Till 1", "total_amount": "12.50"}
    content["auth_code"] = shop.host.book.customer_code()
    answer = shop.call("pay", **{**content, **wrong})
    assert (answer["code"], answer["sub_code"]) == ("40004", "ACQ.INVALID_PARAMETER")
    assert next(iter(wrong)) in answer["sub_msg"]


# The terminal shows a code.


def test_no_trade_exists_before_the_scan(shop: Shop) -> None:
    answer = shop.precreate("T1_1")
    assert answer["code"] == "10000"
    assert answer["qr_code"].startswith("https://qr.alipay.com/")
    assert shop.call("query", out_trade_no="T1_1")["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    assert shop.host.book.trades() == ()
    assert shop.host.book.scan_qr(answer["qr_code"]) == "T1_1"
    assert shop.call("query", out_trade_no="T1_1")["trade_status"] == "WAIT_BUYER_PAY"
    shop.host.book.buyer_pays("T1_1")
    assert shop.call("query", out_trade_no="T1_1")["trade_status"] == "TRADE_SUCCESS"
    with pytest.raises(BuyerRefusedError, match="paid already"):
        shop.host.book.buyer_pays("T1_1")


def test_the_same_order_has_the_same_qr(shop: Shop) -> None:
    qr_code = shop.precreate("T1_1")["qr_code"]
    assert shop.precreate("T1_1")["qr_code"] == qr_code
    assert shop.precreate("T1_1", "99.00")["sub_code"] == "ACQ.CONTEXT_INCONSISTENT"
    shop.host.book.scan_qr(qr_code)
    shop.host.book.buyer_pays("T1_1")
    assert shop.precreate("T1_1")["sub_code"] == "ACQ.TRADE_HAS_SUCCESS"


@pytest.mark.parametrize("method", ["close", "cancel"])
def test_ending_an_order_before_the_scan_bars_its_qr(shop: Shop, method: str) -> None:
    qr_code = shop.precreate("T1_1")["qr_code"]
    answer = shop.call(method, out_trade_no="T1_1")
    assert answer.get("sub_code") == ("ACQ.TRADE_NOT_EXIST" if method == "close" else None)
    with pytest.raises(BuyerRefusedError, match="closed"):
        shop.host.book.scan_qr(qr_code)
    assert shop.precreate("T1_1")["sub_code"] == "ACQ.TRADE_HAS_CLOSE"


def test_a_waiting_trade_can_be_closed_and_a_paid_one_can_not(shop: Shop) -> None:
    for number, pays in (("T1_1", False), ("T1_2", True)):
        shop.host.book.scan_qr(shop.precreate(number)["qr_code"])
        if pays:
            shop.host.book.buyer_pays(number)
    assert shop.call("close", out_trade_no="T1_1")["code"] == "10000"
    assert shop.call("close", out_trade_no="T1_1")["sub_code"] == "ACQ.TRADE_STATUS_ERROR"
    assert shop.call("close", out_trade_no="T1_2")["sub_code"] == "ACQ.TRADE_STATUS_ERROR"


@pytest.mark.parametrize("field", ["timeout_express", "qr_code_timeout_express"])
def test_a_qr_expires(shop: Shop, field: str) -> None:
    scanned = shop.precreate("T1_1", **{field: "2m"})["qr_code"]
    unseen = shop.precreate("T1_2", **{field: "2m"})["qr_code"]
    shop.host.book.scan_qr(scanned)
    shop.clock.now += timedelta(minutes=2)
    with pytest.raises(BuyerRefusedError, match="expired"):
        shop.host.book.scan_qr(unseen)
    assert shop.call("query", out_trade_no="T1_1")["trade_status"] == "TRADE_CLOSED"
    with pytest.raises(BuyerRefusedError, match="closed"):
        shop.host.book.buyer_pays("T1_1")


def test_without_a_time_a_qr_lives_two_hours(shop: Shop) -> None:
    qr_code = shop.precreate("T1_1")["qr_code"]
    shop.clock.now += timedelta(hours=2, seconds=-1)
    shop.host.book.scan_qr(qr_code)
    shop.clock.now += timedelta(seconds=1)
    assert shop.call("query", out_trade_no="T1_1")["trade_status"] == "TRADE_CLOSED"


def test_a_payment_on_its_way_wins_against_the_close(shop: Shop) -> None:
    shop.host.book.scan_qr(shop.precreate("T1_1")["qr_code"])
    assert shop.call("cancel", out_trade_no="T1_1")["action"] == "close"
    shop.host.book.buyer_pays("T1_1", late=True)
    assert shop.call("query", out_trade_no="T1_1")["trade_status"] == "TRADE_SUCCESS"
    assert shop.host.book.trades()[0].late
    assert shop.call("cancel", out_trade_no="T1_1")["action"] == "refund"


def test_a_late_payment_needs_no_scan_that_anybody_saw(shop: Shop) -> None:
    shop.precreate("T1_1", timeout_express="1m")
    shop.clock.now += timedelta(minutes=5)
    shop.host.book.buyer_pays("T1_1", late=True)
    assert shop.trade("T1_1") == (TradeStatus.TRADE_SUCCESS, 1250, 0)


def test_a_bad_time_is_refused(shop: Shop) -> None:
    assert shop.precreate("T1_1", timeout_express="90s")["sub_code"] == "ACQ.INVALID_PARAMETER"


# Refunds.


def test_a_refund_moves_money_once_for_each_request_number(shop: Shop) -> None:
    shop.pay("T1_1", shop.host.book.customer_code())
    refund = {"out_trade_no": "T1_1", "refund_amount": "2.50", "out_request_no": "R1"}
    first, again = shop.call("refund", **refund), shop.call("refund", **refund)
    assert (first["fund_change"], first["refund_fee"]) == ("Y", "2.50")
    assert (again["fund_change"], again["refund_fee"]) == ("N", "2.50")
    other = shop.call("refund", **{**refund, "refund_amount": "3.00"})
    assert other["sub_code"] == "ACQ.DISCORDANT_REPEAT_REQUEST"
    rest = shop.call("refund", **{**refund, "refund_amount": "10.00", "out_request_no": "R2"})
    assert (rest["fund_change"], rest["refund_fee"]) == ("Y", "12.50")
    assert shop.trade("T1_1") == (TradeStatus.TRADE_CLOSED, 1250, 1250)
    assert shop.call("refund", **refund)["fund_change"] == "N"


def test_refunds_that_can_not_be(shop: Shop) -> None:
    shop.pay("T1_1", shop.host.book.customer_code())
    shop.pay("T1_2", shop.host.book.customer_code(Behaviour.WAITS))
    cases = [
        ("ACQ.REASON_TRADE_REFUND_FEE_ERR", {"refund_amount": "12.51", "out_request_no": "R1"}),
        ("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", {"refund_amount": "2.50"}),
        ("ACQ.TRADE_STATUS_ERROR", {"out_trade_no": "T1_2", "refund_amount": "12.50"}),
        ("ACQ.TRADE_NOT_EXIST", {"out_trade_no": "T1_3", "refund_amount": "12.50"}),
        ("ACQ.INVALID_PARAMETER", {"out_trade_no": "", "refund_amount": "12.50"}),
    ]
    for sub_code, content in cases:
        assert shop.call("refund", **{"out_trade_no": "T1_1", **content})["sub_code"] == sub_code
    assert shop.call("refund", out_trade_no="T1_1", refund_amount="12.50")["fund_change"] == "Y"


def test_a_partly_refunded_trade_can_not_be_cancelled(shop: Shop) -> None:
    shop.pay("T1_1", shop.host.book.customer_code())
    shop.call("refund", out_trade_no="T1_1", refund_amount="1", out_request_no="R1")
    assert shop.call("cancel", out_trade_no="T1_1")["sub_code"] == "ACQ.REASON_TRADE_REFUND_FEE_ERR"
