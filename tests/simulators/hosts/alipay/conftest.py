"""A shop at the simulated Alipay gateway, over TLS, with requests signed by hand."""

import base64
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from simulators.hosts import alipay_signing, certificates
from simulators.hosts.alipay import BEIJING, AlipayHost
from simulators.hosts.alipay_trades import TradeStatus
from simulators.hosts.server import Receive, Scope, Send, TlsServer

APP_ID = "2021000000000001"
START = datetime(2026, 7, 1, 12, 0, tzinfo=BEIJING)


class Clock:
    """Beijing time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Shop:
    """A merchant's side: raw requests, signed as the test wants them."""

    host: AlipayHost
    http: httpx.Client
    key: rsa.RSAPrivateKey
    clock: Clock

    def parameters(self, method: str, content: dict[str, Any]) -> dict[str, str]:
        return {
            "app_id": APP_ID,
            "method": method,
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": f"{self.clock.now:%Y-%m-%d %H:%M:%S}",
            "version": "1.0",
            "notify_url": "",
            "biz_content": json.dumps(content, ensure_ascii=False),
        }

    def sign(self, parameters: dict[str, str]) -> dict[str, str]:
        text = "&".join(f"{k}={v}" for k, v in sorted(parameters.items()) if k != "sign" and v != "")
        raw = self.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return {**parameters, "sign": base64.b64encode(raw).decode()}

    def send(self, parameters: dict[str, str]) -> dict[str, Any]:
        answer = self.http.post("/gateway.do", data=parameters)
        assert answer.status_code == 200
        body = json.loads(answer.text)
        name = next(iter(body))
        content: dict[str, Any] = body[name]
        return content

    def call(self, method: str, **content: Any) -> dict[str, Any]:
        return self.send(self.sign(self.parameters(f"alipay.trade.{method}", content)))

    def payment(self, out_trade_no: str, auth_code: str, total_amount: str = "12.50") -> dict[str, Any]:
        content = {"out_trade_no": out_trade_no, "scene": "bar_code", "auth_code": auth_code}
        return {**content, "subject": "Till 1", "total_amount": total_amount}

    def pay(self, out_trade_no: str, auth_code: str, total_amount: str = "12.50") -> dict[str, Any]:
        return self.call("pay", **self.payment(out_trade_no, auth_code, total_amount))

    def precreate(self, out_trade_no: str, total_amount: str = "12.50", **more: Any) -> dict[str, Any]:
        return self.call(
            "precreate", out_trade_no=out_trade_no, subject="Till 1", total_amount=total_amount, **more
        )

    def trade(self, out_trade_no: str) -> tuple[TradeStatus, int, int]:
        view = next(view for view in self.host.book.trades() if view.out_trade_no == out_trade_no)
        return view.status, view.amount_minor, view.refunded_minor


class CurrentHost:
    """The application of whichever gateway the running test has: one TLS server serves them all."""

    def __init__(self) -> None:
        self.host: AlipayHost | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.host is not None
        await self.host.app(scope, receive, send)


@pytest.fixture(scope="session")
def keys() -> tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]:
    """The gateway's key and the merchant's."""
    return alipay_signing.new_key(), alipay_signing.new_key()


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> certificates.Files:
    return certificates.create(tmp_path_factory.mktemp("alipay-tls"))


@pytest.fixture(scope="session")
def gateway(tls: certificates.Files) -> Iterator[tuple[CurrentHost, httpx.Client]]:
    current = CurrentHost()
    trust = ssl.create_default_context(cafile=str(tls.ca))
    with TlsServer(current, certificate=tls.certificate, key=tls.key) as server:
        with httpx.Client(base_url=server.url, verify=trust, timeout=10) as http:
            yield current, http


@pytest.fixture
def shop(
    keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey], gateway: tuple[CurrentHost, httpx.Client]
) -> Shop:
    clock = Clock()
    host = AlipayHost(key=keys[0], now=clock)
    host.register(APP_ID, alipay_signing.public_pem(keys[1]))
    current, http = gateway
    current.host = host
    return Shop(host, http, keys[1], clock)
