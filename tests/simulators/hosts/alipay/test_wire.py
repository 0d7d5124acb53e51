"""The wire of the simulated Alipay: common parameters, signatures, misbehaviour."""

import base64
import json
import threading
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from simulators.hosts import alipay_signing
from simulators.hosts.alipay import AlipayHost, Misbehaviour
from simulators.hosts.alipay_trades import Behaviour, TradeStatus
from tests.simulators.hosts.alipay.conftest import Shop


@pytest.mark.parametrize(
    ("change", "code", "sub_code"),
    [
        ({"method": ""}, "40001", "isv.missing-method"),
        ({"app_id": ""}, "40001", "isv.missing-app-id"),
        ({"sign_type": ""}, "40001", "isv.missing-signature-type"),
        ({"timestamp": ""}, "40001", "isv.missing-timestamp"),
        ({"version": ""}, "40001", "isv.missing-version"),
        ({"app_id": "2021000000000002"}, "40002", "isv.invalid-app-id"),
        ({"sign_type": "RSA"}, "40002", "isv.invalid-signature-type"),
        ({"charset": "latin-1"}, "40002", "isv.invalid-charset"),
        ({"charset": ""}, "40002", "isv.invalid-charset"),
        ({"format": "XML"}, "40002", "isv.invalid-format"),
        ({"version": "2.0"}, "40002", "isv.invalid-parameter"),
        ({"method": "alipay.trade.create"}, "40002", "isv.invalid-method"),
        ({"timestamp": "2026-07-01T12:00:00"}, "40002", "isv.invalid-timestamp"),
        ({"timestamp": "2026-07-01 04:00:00"}, "40002", "isv.invalid-timestamp"),
        ({"biz_content": "{"}, "40002", "isv.invalid-parameter"),
        ({"biz_content": "[]"}, "40002", "isv.invalid-parameter"),
    ],
    ids=str,
)
def test_common_parameters_are_checked(shop: Shop, change: dict[str, str], code: str, sub_code: str) -> None:
    parameters = shop.parameters("alipay.trade.query", {"out_trade_no": "T1_1"})
    answer = shop.send(shop.sign({**parameters, **change}))
    assert (answer["code"], answer["sub_code"]) == (code, sub_code)


@pytest.mark.parametrize("name", ["app_id", "biz_content", "timestamp", "notify_url", "extra"])
def test_a_parameter_changed_after_signing_is_refused(shop: Shop, name: str) -> None:
    shop.host.register("2021000000000009", alipay_signing.public_pem(shop.key))
    changes = {"app_id": "2021000000000009", "biz_content": '{"out_trade_no":"T9"}'}
    changes |= {"timestamp": "2026-07-01 12:00:01", "notify_url": "https://elsewhere.test", "extra": "1"}
    signed = shop.sign(shop.parameters("alipay.trade.query", {"out_trade_no": "T1_1"}))
    assert shop.send({**signed, name: changes[name]})["sub_code"] == "isv.invalid-signature"


@pytest.mark.parametrize("signature", ["", "AAAA", "not base64!", "ü"])
def test_a_bad_signature_is_refused(shop: Shop, signature: str) -> None:
    parameters = shop.parameters("alipay.trade.query", {"out_trade_no": "T1_1"})
    sub_code = shop.send({**parameters, "sign": signature})["sub_code"]
    assert sub_code == ("isv.invalid-signature" if signature else "isv.missing-signature")


def test_a_signature_over_empty_values_is_refused(shop: Shop) -> None:
    parameters = shop.parameters("alipay.trade.query", {"out_trade_no": "T1_1"})
    text = "&".join(f"{k}={v}" for k, v in sorted(parameters.items()))
    assert "notify_url=&" in text
    raw = shop.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    answer = shop.send({**parameters, "sign": base64.b64encode(raw).decode()})
    assert answer["sub_code"] == "isv.invalid-signature"


def test_a_parameter_that_comes_twice_is_refused(shop: Shop) -> None:
    signed = shop.sign(shop.parameters("alipay.trade.query", {"out_trade_no": "T1_1"}))
    answer = shop.http.post("/gateway.do?method=alipay.trade.cancel", data=signed)
    assert "isv.invalid-parameter" in answer.text


def test_common_parameters_may_stand_in_the_query(shop: Shop) -> None:
    signed = shop.sign(shop.parameters("alipay.trade.query", {"out_trade_no": "T1_1"}))
    content = {"biz_content": signed.pop("biz_content")}
    answer = shop.http.post("/gateway.do", params=signed, data=content)
    assert "ACQ.TRADE_NOT_EXIST" in answer.text


def test_gbk_is_understood(shop: Shop) -> None:
    content = {**shop.payment("T1_1", shop.host.book.customer_code()), "subject": "茶"}
    parameters = {**shop.parameters("alipay.trade.pay", content), "charset": "GBK"}
    text = "&".join(f"{k}={v}" for k, v in sorted(parameters.items()) if v)
    raw = shop.key.sign(text.encode("gbk"), padding.PKCS1v15(), hashes.SHA256())
    parameters["sign"] = base64.b64encode(raw).decode()
    body = urlencode(parameters, encoding="gbk")
    answer = shop.http.post(
        "/gateway.do", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert b'"code":"10000"' in answer.content
    assert shop.host.book.find("T1_1", "").subject == "茶"


def raw_answer(shop: Shop, method: str, **content: Any) -> tuple[str, str]:
    """Return the very characters that are signed, and the signature."""
    answer = shop.http.post("/gateway.do", data=shop.sign(shop.parameters(f"alipay.trade.{method}", content)))
    name = f'"alipay_trade_{method}_response":'
    start = answer.text.index(name) + len(name)
    return answer.text[start : answer.text.index(',"sign":')], answer.json().get("sign", "")


def signed_by(host: AlipayHost, text: str, signature: str) -> bool:
    return alipay_signing.verify(alipay_signing.load_public(host.public_key_pem), text, signature)


def test_answers_are_signed_over_their_very_characters(shop: Shop) -> None:
    text, signature = raw_answer(
        shop, "precreate", out_trade_no="T1_1", subject="Till 1", total_amount="12.50"
    )
    assert signed_by(shop.host, text, signature)
    assert not signed_by(shop.host, json.dumps(json.loads(text), separators=(",", ":")), signature)


def test_refusals_are_signed_too(shop: Shop) -> None:
    text, signature = raw_answer(shop, "query", out_trade_no="T1_1")
    assert "ACQ.TRADE_NOT_EXIST" in text
    assert signed_by(shop.host, text, signature)


# Misbehaviour.


def test_a_wrong_or_missing_signature_comes_once(shop: Shop) -> None:
    shop.host.misbehave(Misbehaviour.WRONG_SIGNATURE)
    shop.host.misbehave(Misbehaviour.NO_SIGNATURE)
    text, signature = raw_answer(shop, "query", out_trade_no="T1_1")
    assert signature
    assert not signed_by(shop.host, text, signature)
    parameters = shop.sign(shop.parameters("alipay.trade.query", {"out_trade_no": "T1_1"}))
    assert "sign" not in shop.http.post("/gateway.do", data=parameters).json()
    assert signed_by(shop.host, *raw_answer(shop, "query", out_trade_no="T1_1"))


def test_a_lost_answer_is_still_a_payment(shop: Shop) -> None:
    shop.host.misbehave(Misbehaviour.LOSE_ANSWER, "alipay.trade.pay")
    assert shop.call("query", out_trade_no="T1_1")["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    with pytest.raises(httpx.TransportError):
        shop.pay("T1_1", shop.host.book.customer_code())
    assert shop.trade("T1_1")[0] is TradeStatus.TRADE_SUCCESS


def test_a_server_error_is_still_a_payment(shop: Shop) -> None:
    shop.host.misbehave(Misbehaviour.SERVER_ERROR)
    content = shop.payment("T1_1", shop.host.book.customer_code())
    parameters = shop.sign(shop.parameters("alipay.trade.pay", content))
    assert shop.http.post("/gateway.do", data=parameters).status_code == 500
    assert shop.trade("T1_1")[0] is TradeStatus.TRADE_SUCCESS


def test_a_held_answer_comes_when_it_is_released(shop: Shop) -> None:
    shop.host.misbehave(Misbehaviour.HOLD_ANSWER)
    answers: list[dict[str, Any]] = []
    code = shop.host.book.customer_code()
    paying = threading.Thread(target=lambda: answers.append(shop.pay("T1_1", code)))
    paying.start()
    assert shop.host.book.wait_for_trade("T1_1", timeout_s=10) is not None
    assert shop.host.wait_held(timeout_s=10)
    assert answers == []
    shop.host.release()
    paying.join(10)
    assert answers[0]["code"] == "10000"


def test_a_client_that_gives_up_on_a_held_answer_has_paid(shop: Shop) -> None:
    shop.host.misbehave(Misbehaviour.HOLD_ANSWER)
    content = shop.payment("T1_1", shop.host.book.customer_code())
    parameters = shop.sign(shop.parameters("alipay.trade.pay", content))
    with pytest.raises(httpx.ReadTimeout):
        shop.http.post("/gateway.do", data=parameters, timeout=httpx.Timeout(10, read=0.5))
    assert shop.call("query", out_trade_no="T1_1")["trade_status"] == "TRADE_SUCCESS"


def test_a_cancel_may_ask_to_be_called_again(shop: Shop) -> None:
    shop.pay("T1_1", shop.host.book.customer_code(Behaviour.WAITS))
    shop.host.misbehave(Misbehaviour.RETRY_CANCEL)
    assert shop.call("query", out_trade_no="T1_1")["trade_status"] == "WAIT_BUYER_PAY"
    assert shop.call("cancel", out_trade_no="T1_1")["retry_flag"] == "Y"
    assert shop.trade("T1_1")[0] is TradeStatus.WAIT_BUYER_PAY
    assert shop.call("cancel", out_trade_no="T1_1")["action"] == "close"
