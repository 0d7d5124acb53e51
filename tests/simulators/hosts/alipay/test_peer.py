"""The simulated Alipay met by python-alipay-sdk, which shares no code with us."""

import ssl
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.request import HTTPSHandler, build_opener

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from simulators.hosts import alipay_signing, certificates
from simulators.hosts.alipay import BEIJING, Misbehaviour
from simulators.hosts.alipay_trades import Behaviour
from tests.simulators.hosts.alipay.conftest import APP_ID, Shop


@pytest.fixture
def beijing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The independent client stamps its requests with the machine's local time."""
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def peer(shop: Shop, tls: certificates.Files, beijing: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """python-alipay-sdk, which shares no code with us, pointed at the gateway."""
    alipay = pytest.importorskip("alipay")
    trust = ssl.create_default_context(cafile=str(tls.ca))
    opener = build_opener(HTTPSHandler(context=trust))
    monkeypatch.setattr(alipay, "urlopen", opener.open)
    client = alipay.AliPay(
        appid=APP_ID,
        app_private_key_string=alipay_signing.private_pem(shop.key),
        alipay_public_key_string=shop.host.public_key_pem,
        sign_type="RSA2",
    )
    client._gateway = f"{shop.http.base_url}/gateway.do".replace("//gateway", "/gateway")
    shop.clock.now = datetime.now(BEIJING)
    return client


def test_an_independent_client_takes_a_payment_and_gives_it_back(shop: Shop, peer: Any) -> None:
    code = shop.host.book.customer_code(Behaviour.WAITS)
    paid = peer.api_alipay_trade_pay("T1_1", "bar_code", code, "茶 and cake", total_amount="12.50")
    assert paid["code"] == "10003"
    shop.host.book.buyer_confirms("T1_1")
    assert peer.api_alipay_trade_query("T1_1")["trade_status"] == "TRADE_SUCCESS"
    assert peer.api_alipay_trade_refund("12.50", "T1_1")["fund_change"] == "Y"
    assert peer.api_alipay_trade_cancel("T1_1")["code"] == "10000"


def test_an_independent_client_shows_a_qr_and_closes_it(shop: Shop, peer: Any) -> None:
    answer = peer.api_alipay_trade_precreate("Till 1", "T1_1", "12.50")
    shop.host.book.scan_qr(answer["qr_code"])
    assert peer.api_alipay_trade_close("T1_1")["code"] == "10000"
    assert peer.api_alipay_trade_query("T1_1")["trade_status"] == "TRADE_CLOSED"


def test_an_independent_client_refuses_a_wrong_signature(shop: Shop, peer: Any) -> None:
    from alipay.exceptions import AliPayValidationError  # type: ignore[import-untyped]

    shop.host.misbehave(Misbehaviour.WRONG_SIGNATURE)
    with pytest.raises(AliPayValidationError):
        peer.api_alipay_trade_query("T1_1")


def test_what_an_independent_client_signs_wrongly_is_refused(
    shop: Shop, peer: Any, keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]
) -> None:
    from Cryptodome.PublicKey import RSA

    peer._app_private_key = RSA.importKey(alipay_signing.private_pem(keys[0]))
    assert peer.api_alipay_trade_query("T1_1")["sub_code"] == "isv.invalid-signature"


def test_another_time_zone_than_beijing_is_refused(
    shop: Shop, peer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    assert peer.api_alipay_trade_query("T1_1")["sub_code"] == "isv.invalid-timestamp"
