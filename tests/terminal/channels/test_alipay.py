"""Alipay, against the simulated gateway: each answer becomes the right verdict, whatever happens to it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import cbor2
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emv.sensitive import SensitiveBytes
from offline_queue.record import Record
from simulators.hosts import alipay_signing
from simulators.hosts import certificates as authority
from simulators.hosts.alipay import Misbehaviour
from simulators.hosts.alipay_trades import Behaviour, BuyerRefusedError, TradeStatus
from simulators.hosts.server import TlsServer
from terminal import http as wire
from terminal.channels.alipay import AlipayCode, AlipayGateway, AlipayQr
from terminal.channels.channel import Case
from terminal.config import AlipayConfig, ConfigError, LatePaid
from terminal.money import Money
from terminal.payment.attempt_events import (
    Answer,
    Verdict,
)
from terminal.payment.instrument import Instrument
from tests.terminal.shop import APP_ID, AlipayWorld

SHOP = "Riverside Tea House"
NUMBER = "T1_00000001"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def alipay_config(alipay: AlipayWorld, certificates: authority.Files) -> AlipayConfig:
    return AlipayConfig(
        gateway=f"{alipay.url}/gateway.do",
        app_id=APP_ID,
        key_file=alipay.key_file,
        alipay_key_file=alipay.alipay_key_file,
        ca_file=certificates.ca,
    )


@pytest.fixture
async def http(certificates: authority.Files) -> AsyncIterator[httpx.AsyncClient]:
    async with wire.client(certificates.ca) as running:
        yield running


@pytest.fixture
def code(alipay_config: AlipayConfig, http: httpx.AsyncClient) -> AlipayCode:
    return AlipayCode(AlipayGateway(alipay_config, http, now), alipay_config, SHOP)


@pytest.fixture
def qr(alipay_config: AlipayConfig, http: httpx.AsyncClient) -> AlipayQr:
    return AlipayQr(AlipayGateway(alipay_config, http, now), alipay_config, SHOP)


def case(auth_code: str = "", key: str = "T1-00000001", amount_minor: int = 1250) -> Case:
    shown = Instrument(SensitiveBytes(auth_code.encode()))
    return Case(key, "T1-1", Money(amount_minor, "CNY"), shown)


@pytest.fixture
def shows(alipay: AlipayWorld) -> Callable[[Behaviour], Case]:
    """A customer with a fresh code."""
    return lambda behaviour: case(alipay.host.book.customer_code(behaviour))


Shows = Callable[[Behaviour], Case]


# --- the customer shows a code


async def test_a_code_that_pays(code: AlipayCode, alipay: AlipayWorld, shows: Shows, record: Record) -> None:
    sale = shows(Behaviour.PAYS)
    answer = await code.ask(sale, record)
    (trade,) = alipay.host.book.trades()
    assert answer == Answer(Verdict.APPROVED, "", "10000", trade.trade_no)
    assert (trade.out_trade_no, trade.amount_minor, trade.status) == (NUMBER, 1250, TradeStatus.TRADE_SUCCESS)
    assert (await code.query(sale)).verdict is Verdict.APPROVED


async def test_a_code_whose_customer_confirms_on_the_phone(
    code: AlipayCode, alipay: AlipayWorld, shows: Shows, record: Record
) -> None:
    sale = shows(Behaviour.WAITS)
    answer = await code.ask(sale, record)
    assert (answer.verdict, answer.code) == (Verdict.PENDING, "10003")
    assert (await code.query(sale)).verdict is Verdict.PENDING
    alipay.host.book.buyer_confirms(NUMBER)
    assert (await code.query(sale)).verdict is Verdict.APPROVED


async def test_a_waiting_payment_that_is_cancelled_is_closed(
    code: AlipayCode, alipay: AlipayWorld, shows: Shows, record: Record
) -> None:
    sale = shows(Behaviour.WAITS)
    await code.ask(sale, record)
    answer = await code.reverse(sale, record)
    assert (answer.verdict, answer.code) == (Verdict.REVERSED, "close")
    assert (await code.query(sale)).verdict is Verdict.DECLINED
    with pytest.raises(BuyerRefusedError):
        alipay.host.book.buyer_confirms(NUMBER)


async def test_a_payment_that_is_cancelled_is_returned(
    code: AlipayCode, alipay: AlipayWorld, shows: Shows, record: Record
) -> None:
    sale = shows(Behaviour.PAYS)
    await code.ask(sale, record)
    answer = await code.reverse(sale, record)
    assert (answer.verdict, answer.code) == (Verdict.REVERSED, "refund")
    assert "returned" in answer.reason
    assert alipay.host.book.trades()[0].refunded_minor == 1250
    assert (await code.query(sale)).verdict is Verdict.DECLINED


@pytest.mark.parametrize(
    ("auth_code", "code_of_it", "words"),
    [
        ("281234567890123456", "ACQ.PAYMENT_AUTH_CODE_INVALID", "ask for a new one"),
        ("991234567890123456", "ACQ.PAYMENT_AUTH_CODE_INVALID", "ask for a new one"),
    ],
)
async def test_a_code_that_is_not_valid(
    auth_code: str, code_of_it: str, words: str, code: AlipayCode, record: Record
) -> None:
    answer = await code.ask(case(auth_code), record)
    assert (answer.verdict, answer.code) == (Verdict.DECLINED, code_of_it)
    assert words in answer.reason


async def test_a_balance_that_is_too_low(code: AlipayCode, shows: Shows, record: Record) -> None:
    answer = await code.ask(shows(Behaviour.BALANCE_TOO_LOW), record)
    assert (answer.verdict, answer.code) == (Verdict.DECLINED, "ACQ.BUYER_BALANCE_NOT_ENOUGH")
    assert "balance" in answer.reason


async def test_a_code_pays_once(code: AlipayCode, shows: Shows, record: Record) -> None:
    sale = shows(Behaviour.PAYS)
    await code.ask(sale, record)
    assert (await code.ask(replace(sale, key="T1-00000002"), record)).verdict is Verdict.DECLINED


async def test_a_payment_that_was_made_before_is_not_declined(
    code: AlipayCode, shows: Shows, record: Record
) -> None:
    sale = shows(Behaviour.PAYS)
    await code.ask(sale, record)
    answer = await code.ask(sale, record)
    assert (answer.verdict, answer.code) == (Verdict.UNKNOWN, "ACQ.TRADE_HAS_SUCCESS")


async def test_another_amount_under_the_same_number_decides_nothing(
    code: AlipayCode, shows: Shows, record: Record
) -> None:
    sale = shows(Behaviour.PAYS)
    await code.ask(sale, record)
    other = replace(sale, amount=Money(1, "CNY"))
    assert (await code.ask(other, record)).verdict is Verdict.UNKNOWN
    assert (await code.query(other)).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("behaviour", "then", "undone"),
    [
        (Behaviour.UNKNOWN_BUT_PAID, Verdict.APPROVED, Verdict.REVERSED),
        (Behaviour.UNKNOWN_AND_UNPAID, Verdict.NOT_FOUND, Verdict.NOT_FOUND),
    ],
)
async def test_alipay_does_not_know(
    behaviour: Behaviour, then: Verdict, undone: Verdict, code: AlipayCode, shows: Shows, record: Record
) -> None:
    sale = shows(behaviour)
    answer = await code.ask(sale, record)
    assert (answer.verdict, answer.code) == (Verdict.UNKNOWN, "isp.unknow-error")
    assert (await code.query(sale)).verdict is then
    assert (await code.reverse(sale, record)).verdict is undone


async def test_a_cancel_that_is_to_be_repeated_has_not_happened(
    code: AlipayCode, alipay: AlipayWorld, shows: Shows, record: Record
) -> None:
    sale = shows(Behaviour.WAITS)
    await code.ask(sale, record)
    alipay.host.misbehave(Misbehaviour.RETRY_CANCEL)
    assert (await code.reverse(sale, record)).verdict is Verdict.UNKNOWN
    assert (await code.reverse(sale, record)).verdict is Verdict.REVERSED


# --- the terminal shows a code


async def test_a_code_to_show_is_scanned_and_paid(qr: AlipayQr, alipay: AlipayWorld, record: Record) -> None:
    sale = case()
    answer = await qr.ask(sale, record)
    assert answer.verdict is Verdict.PENDING
    assert answer.qr.startswith("https://qr.alipay.com/")
    assert (await qr.query(sale)).verdict is Verdict.NOT_FOUND
    number = alipay.host.book.scan_qr(answer.qr)
    assert (await qr.query(sale)).verdict is Verdict.PENDING
    alipay.host.book.buyer_pays(number)
    assert (await qr.query(sale)).verdict is Verdict.APPROVED


async def test_a_code_that_was_cancelled_can_not_be_scanned(
    qr: AlipayQr, alipay: AlipayWorld, record: Record
) -> None:
    answer = await qr.ask(case(), record)
    assert (await qr.reverse(case(), record)).verdict is Verdict.NOT_FOUND
    with pytest.raises(BuyerRefusedError):
        alipay.host.book.scan_qr(answer.qr)
    alipay.host.book.buyer_pays(NUMBER, late=True)
    assert (await qr.query(case())).verdict is Verdict.APPROVED


async def test_an_order_that_was_closed_gives_no_code(qr: AlipayQr, record: Record) -> None:
    await qr.ask(case(), record)
    await qr.reverse(case(), record)
    answer = await qr.ask(case(), record)
    assert (answer.verdict, answer.qr) == (Verdict.DECLINED, "")
    assert answer.reason == "the payment was closed"


def test_the_plan_of_a_shown_code_watches_for_late_payers(qr: AlipayQr, alipay_config: AlipayConfig) -> None:
    assert (qr.plan.lifetime_s, qr.plan.watch_s, qr.plan.accept_late) == (120, 7200, True)
    refunds = replace(alipay_config, late_paid=LatePaid.REFUND)
    assert not AlipayQr(qr._gateway, refunds, SHOP).plan.accept_late


# --- the wire, for every method

CALLS = ["ask", "query", "reverse"]


async def call(channel: AlipayCode | AlipayQr, name: str, sale: Case, record: Record) -> Answer:
    if name == "ask":
        return await channel.ask(sale, record)
    return await channel.query(sale) if name == "query" else await channel.reverse(sale, record)


@pytest.mark.parametrize("way", ["code", "qr"])
@pytest.mark.parametrize("name", CALLS)
async def test_nothing_is_sent_while_the_network_is_down(
    name: str, way: str, code: AlipayCode, qr: AlipayQr, alipay: AlipayWorld, shows: Shows, record: Record
) -> None:
    sale = shows(Behaviour.PAYS)
    alipay.gate.down()
    answer = await call(code if way == "code" else qr, name, sale, record)
    assert answer.verdict is Verdict.NOT_SENT
    assert answer.reason == "Alipay can't be reached: the host does not accept connections"
    assert alipay.host.book.trades() == ()


FAULTS = [
    Misbehaviour.WRONG_SIGNATURE,
    Misbehaviour.NO_SIGNATURE,
    Misbehaviour.LOSE_ANSWER,
    Misbehaviour.SERVER_ERROR,
]


@pytest.mark.parametrize("way", ["code", "qr"])
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("fault", FAULTS)
async def test_an_answer_that_can_not_be_believed_decides_nothing(
    fault: Misbehaviour,
    name: str,
    way: str,
    code: AlipayCode,
    qr: AlipayQr,
    alipay: AlipayWorld,
    shows: Shows,
    record: Record,
) -> None:
    channel = code if way == "code" else qr
    sale = shows(Behaviour.PAYS)
    if name != "ask":
        await channel.ask(sale, record)
    alipay.host.misbehave(fault)
    answer = await call(channel, name, sale, record)
    assert answer.verdict is Verdict.UNKNOWN
    assert answer.reason
    assert answer.qr == ""


async def test_a_lost_answer_to_a_payment_that_was_made(
    code: AlipayCode, alipay: AlipayWorld, shows: Shows, record: Record
) -> None:
    sale = shows(Behaviour.PAYS)
    alipay.gate.cut_after_request()
    assert (await code.ask(sale, record)).verdict is Verdict.UNKNOWN
    assert (await code.query(sale)).verdict is Verdict.APPROVED


async def test_an_answer_that_does_not_come_in_time(
    alipay: AlipayWorld,
    alipay_config: AlipayConfig,
    certificates: authority.Files,
    shows: Shows,
    record: Record,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire, "ANSWER_S", 0.2)
    alipay.host.misbehave(Misbehaviour.HOLD_ANSWER)
    async with wire.client(certificates.ca) as http:
        channel = AlipayCode(AlipayGateway(alipay_config, http, now), alipay_config, SHOP)
        assert (await channel.ask(shows(Behaviour.PAYS), record)).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("fault", authority.Fault)
async def test_nothing_is_sent_to_a_wrong_certificate(
    fault: authority.Fault,
    tmp_path: Path,
    alipay: AlipayWorld,
    alipay_config: AlipayConfig,
    shows: Shows,
    record: Record,
) -> None:
    wrong = authority.create_wrong(tmp_path / "wrong", fault)
    with TlsServer(alipay.host.app, certificate=wrong.certificate, key=wrong.key) as server:
        there = replace(alipay_config, gateway=f"{server.url}/gateway.do")
        async with wire.client(wrong.ca) as http:
            channel = AlipayCode(AlipayGateway(there, http, now), there, SHOP)
            answer = await channel.ask(shows(Behaviour.PAYS), record)
    assert answer.verdict is Verdict.NOT_SENT
    assert "certificate" in answer.reason
    assert alipay.host.book.trades() == ()


async def test_a_shop_that_alipay_does_not_know_by_this_key_is_refused(
    tmp_path: Path, alipay_config: AlipayConfig, http: httpx.AsyncClient, shows: Shows, record: Record
) -> None:
    other = tmp_path / "other.pem"
    other.write_text(alipay_signing.private_pem(alipay_signing.new_key()))
    other.chmod(0o600)
    there = replace(alipay_config, key_file=other)
    channel = AlipayCode(AlipayGateway(there, http, now), there, SHOP)
    answer = await channel.ask(shows(Behaviour.PAYS), record)
    assert (answer.verdict, answer.code) == (Verdict.DECLINED, "isv.invalid-signature")
    # That a question was refused says nothing of the payment.
    assert (await channel.query(case())).verdict is Verdict.UNKNOWN
    assert (await channel.reverse(case(), record)).verdict is Verdict.UNKNOWN


async def test_a_shop_that_alipay_does_not_know_at_all_gets_an_answer_without_signature(
    alipay_config: AlipayConfig, http: httpx.AsyncClient, shows: Shows, record: Record
) -> None:
    there = replace(alipay_config, app_id="2021000000000009")
    channel = AlipayCode(AlipayGateway(there, http, now), there, SHOP)
    assert (await channel.ask(shows(Behaviour.PAYS), record)).verdict is Verdict.UNKNOWN


async def test_a_clock_that_is_wrong_is_refused_before_anything_is_paid(
    alipay: AlipayWorld, alipay_config: AlipayConfig, http: httpx.AsyncClient, shows: Shows, record: Record
) -> None:
    gateway = AlipayGateway(alipay_config, http, lambda: now() - timedelta(hours=3))
    answer = await AlipayCode(gateway, alipay_config, SHOP).ask(shows(Behaviour.PAYS), record)
    assert (answer.verdict, answer.code) == (Verdict.DECLINED, "isv.invalid-timestamp")
    assert alipay.host.book.trades() == ()


@pytest.mark.parametrize("shop", ["河边茶馆", "A/B=C&D", "x" * 300, 'it\'s "quoted"'])
async def test_any_shop_can_be_named(
    shop: str, alipay_config: AlipayConfig, http: httpx.AsyncClient, shows: Shows, record: Record
) -> None:
    channel = AlipayCode(AlipayGateway(alipay_config, http, now), alipay_config, shop)
    assert (await channel.ask(shows(Behaviour.PAYS), record)).verdict is Verdict.APPROVED


# --- answers that the simulated gateway does not give

PAID = {
    "code": "10000",
    "msg": "Success",
    "out_trade_no": NUMBER,
    "trade_no": "2026",
    "total_amount": "12.50",
}


class Scripted:
    """A gateway that answers with a text of the test's choice."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self.key = key
        self.text = ""
        self.asked: dict[str, str] = {}
        self.app = Starlette(routes=[Route("/gateway.do", self._answer, methods=["POST"])])

    async def _answer(self, request: Request) -> Response:
        self.asked = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        return Response(self.text.encode(), media_type="text/html;charset=utf-8")

    def sign(self, raw: str) -> str:
        return alipay_signing.sign(self.key, raw)

    def says(self, method: str, fields: object) -> None:
        """Answer these fields, as the gateway writes them."""
        raw = json.dumps(fields, ensure_ascii=False)
        self.text = f'{{"alipay_trade_{method}_response":{raw},"sign":"{self.sign(raw)}"}}'


@pytest.fixture
async def scripted(
    rsa_keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey],
    certificates: authority.Files,
    alipay_config: AlipayConfig,
    http: httpx.AsyncClient,
) -> AsyncIterator[tuple[Scripted, AlipayCode, AlipayQr]]:
    gateway = Scripted(rsa_keys[0])
    with TlsServer(gateway.app, certificate=certificates.certificate, key=certificates.key) as server:
        there = replace(alipay_config, gateway=f"{server.url}/gateway.do", qr_seconds=61)
        calls = AlipayGateway(there, http, now)
        yield gateway, AlipayCode(calls, there, SHOP), AlipayQr(calls, there, SHOP)


Played = tuple[Scripted, AlipayCode, AlipayQr]

FRAMES = {
    "as documented": '{{"alipay_trade_pay_response":{raw},"sign":"{sign}"}}',
    "spaces": '{{ "alipay_trade_pay_response" : {raw} , "sign" : "{sign}" }}',
    "lines": '{{\n\t"alipay_trade_pay_response":\r\n  {raw}\n,\n"sign":\n"{sign}"\n}}\n',
    "signature first": '{{"sign":"{sign}","alipay_trade_pay_response":{raw}}}',
    "more members": '{{"alipay_cert_sn":"ab","alipay_trade_pay_response":{raw},"sign":"{sign}","x":[{{}}]}}',
    "its name in a text before it": (
        '{{"x":"\\"alipay_trade_pay_response\\":{{}}","alipay_trade_pay_response":{raw},"sign":"{sign}"}}'
    ),
}


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize(
    "raw",
    [
        json.dumps(PAID),
        json.dumps(PAID, indent=3),
        json.dumps({**PAID, "store_name": '茶/\\"}{', "fund": [{"a": "}"}]}, ensure_ascii=False),
        json.dumps(PAID).replace("12.50", "12\\u002e50"),
    ],
)
async def test_the_signature_is_over_the_text_as_it_stands(
    frame: str, raw: str, scripted: Played, record: Record
) -> None:
    gateway, code, _ = scripted
    gateway.text = FRAMES[frame].format(raw=raw, sign=gateway.sign(raw))
    assert (await code.ask(case("1"), record)).verdict is Verdict.APPROVED


async def test_a_text_that_was_changed_on_the_way_decides_nothing(scripted: Played, record: Record) -> None:
    gateway, code, _ = scripted
    gateway.says("pay", PAID)
    for before, after in (("2026", "2027"), ("Success", "Success "), ('": "', '":"')):
        gateway.says("pay", PAID)
        gateway.text = gateway.text.replace(before, after)
        assert (await code.ask(case("1"), record)).verdict is Verdict.UNKNOWN


async def test_the_answer_to_another_method_is_not_taken(scripted: Played, record: Record) -> None:
    """A signed "query" answer has the same fields as that of "pay"."""
    gateway, code, _ = scripted
    gateway.says("query", {**PAID, "trade_status": "TRADE_SUCCESS"})
    assert (await code.ask(case("1"), record)).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "7", "[]", '"x"', "{}", "\ufeff{}", "<html>Guest network</html>", "[" * 100_000),
        *('{"sign":"AA=="}', '{"sign":7,"alipay_trade_pay_response":{}}', '{"alipay_trade_pay_response":'),
    ],
)
async def test_what_is_no_answer_is_none(text: str, scripted: Played, record: Record) -> None:
    gateway, code, _ = scripted
    gateway.text = text
    assert (await code.ask(case("1"), record)).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("fields", [[], "10000", None, {}, {"code": None}, {"code": "10000"}])
async def test_a_signed_answer_that_makes_no_sense_decides_nothing(
    fields: object, scripted: Played, record: Record
) -> None:
    gateway, code, qr = scripted
    gateway.says("pay", fields)
    assert (await code.ask(case("1"), record)).verdict is Verdict.UNKNOWN
    gateway.says("query", fields)
    assert (await code.query(case("1"))).verdict is Verdict.UNKNOWN
    gateway.says("precreate", fields)
    assert (await qr.ask(case(), record)).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"trade_status": "TRADE_SUCCESS"}, Verdict.APPROVED),
        ({"trade_status": "TRADE_FINISHED"}, Verdict.APPROVED),
        ({"trade_status": "WAIT_BUYER_PAY"}, Verdict.PENDING),
        ({"trade_status": "TRADE_CLOSED"}, Verdict.DECLINED),
        ({"trade_status": "TRADE_MAYBE"}, Verdict.UNKNOWN),
        ({"trade_status": "TRADE_SUCCESS", "total_amount": "12.51"}, Verdict.UNKNOWN),
        ({"trade_status": "TRADE_SUCCESS", "total_amount": None}, Verdict.UNKNOWN),
        ({"trade_status": "TRADE_SUCCESS", "out_trade_no": "T1_00000002"}, Verdict.UNKNOWN),
        ({"trade_status": "TRADE_CLOSED", "out_trade_no": "T1_00000002"}, Verdict.UNKNOWN),
        ({"code": "20000", "sub_code": "aop.ACQ.SYSTEM_ERROR"}, Verdict.UNKNOWN),
        ({"code": "40004", "sub_code": "ACQ.SYSTEM_ERROR"}, Verdict.UNKNOWN),
        ({"code": "40004", "sub_code": "ACQ.TRADE_NOT_EXIST"}, Verdict.NOT_FOUND),
        ({"code": "40006", "sub_code": "isv.insufficient-isv-permissions"}, Verdict.UNKNOWN),
    ],
)
async def test_what_a_query_says(changes: dict[str, str | None], verdict: Verdict, scripted: Played) -> None:
    gateway, code, _ = scripted
    gateway.says("query", {**PAID, **changes})
    assert (await code.query(case("1"))).verdict is verdict


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"total_amount": "12.5"}, Verdict.APPROVED),
        ({"total_amount": "0.01"}, Verdict.UNKNOWN),
        ({"total_amount": "twelve"}, Verdict.UNKNOWN),
        ({"total_amount": "NaN"}, Verdict.UNKNOWN),
        ({"out_trade_no": "T1_00000002"}, Verdict.UNKNOWN),
        ({"code": "40004", "sub_code": "ACQ.SYSTEM_ERROR"}, Verdict.UNKNOWN),
        ({"code": "40004", "sub_code": "ACQ.TRADE_HAS_CLOSE"}, Verdict.DECLINED),
        ({"code": "40004", "sub_code": "ACQ.SOMETHING_NEW", "sub_msg": "没有"}, Verdict.DECLINED),
        ({"code": "40001", "sub_code": "isv.missing-method"}, Verdict.DECLINED),
        ({"code": "20001", "sub_code": "aop.invalid-auth-token"}, Verdict.UNKNOWN),
        ({"code": "99999"}, Verdict.UNKNOWN),
    ],
)
async def test_what_a_payment_says(
    changes: dict[str, str], verdict: Verdict, scripted: Played, record: Record
) -> None:
    gateway, code, _ = scripted
    gateway.says("pay", {**PAID, **changes})
    answer = await code.ask(case("1"), record)
    assert answer.verdict is verdict
    if "sub_msg" in changes:
        assert answer.reason == "Alipay refused it: 没有"


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"action": "close"}, Verdict.REVERSED),
        ({"action": "refund"}, Verdict.REVERSED),
        ({}, Verdict.NOT_FOUND),
        ({"action": "close", "retry_flag": "Y"}, Verdict.UNKNOWN),
        ({"code": "40004", "sub_code": "ACQ.SYSTEM_ERROR", "retry_flag": "Y"}, Verdict.UNKNOWN),
        ({"code": "40004", "sub_code": "ACQ.SELLER_BALANCE_NOT_ENOUGH", "retry_flag": "N"}, Verdict.UNKNOWN),
        ({"code": "20000"}, Verdict.UNKNOWN),
    ],
)
async def test_what_a_cancel_says(
    changes: dict[str, str], verdict: Verdict, scripted: Played, record: Record
) -> None:
    gateway, code, _ = scripted
    gateway.says("cancel", {**PAID, "retry_flag": "N", **changes})
    assert (await code.reverse(case("1"), record)).verdict is verdict


async def test_what_is_asked(scripted: Played, record: Record) -> None:
    gateway, code, qr = scripted
    await code.ask(case("281234567890123456", amount_minor=5), record)
    assert gateway.asked["method"] == "alipay.trade.pay"
    content = json.loads(gateway.asked["biz_content"])
    assert content == {
        "out_trade_no": NUMBER,
        "scene": "bar_code",
        "auth_code": "281234567890123456",
        "subject": f"{SHOP} T1-1",
        "total_amount": "0.05",
    }
    await qr.ask(case(), record)
    # The wallet counts in whole minutes: 61 seconds are two of them.
    assert json.loads(gateway.asked["biz_content"])["qr_code_timeout_express"] == "2m"


def test_only_the_code_is_secret(code: AlipayCode, qr: AlipayQr) -> None:
    sealed = cbor2.loads(code.secret(case("281234567890123456")))
    assert sealed == {"type": "wallet", "wallet": "alipay", "auth_code": "281234567890123456"}
    assert cbor2.loads(qr.secret(case())) == {"type": "wallet", "wallet": "alipay"}
    assert not code.deferrable
    assert not qr.deferrable


async def test_a_key_that_can_not_be_used_is_told_by_its_file(
    tmp_path: Path, alipay_config: AlipayConfig, http: httpx.AsyncClient
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    private, public = tmp_path / "ec.pem", tmp_path / "ec-public.pem"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    private.chmod(0o600)
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    garbage, readable = tmp_path / "garbage.pem", tmp_path / "readable.pem"
    garbage.write_text("no key")
    garbage.chmod(0o600)
    readable.write_bytes(alipay_config.key_file.read_bytes())
    readable.chmod(0o640)
    for changed, words in [
        (replace(alipay_config, key_file=private), "ec.pem: not an RSA private key"),
        (replace(alipay_config, key_file=garbage), "garbage.pem: the merchant's key can't be used"),
        (replace(alipay_config, key_file=readable), "others may read"),
        (replace(alipay_config, key_file=tmp_path / "none.pem"), "none.pem: the merchant's key"),
        (replace(alipay_config, alipay_key_file=public), "ec-public.pem: not an RSA public key"),
        (replace(alipay_config, alipay_key_file=garbage), "garbage.pem: Alipay's key can't be used"),
    ]:
        with pytest.raises(ConfigError, match=words):
            AlipayGateway(changed, http, now)
