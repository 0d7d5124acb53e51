"""The issuer's decision on data records under the test scheme's keys."""

from collections.abc import Mapping

import pytest

from simulators.cards import profile
from simulators.cards.ber import objects, tlv
from simulators.hosts.host_issuer import IssuerAnswer, WatchfulIssuer, currency_agrees, scheme_issuer
from simulators.scheme import CryptogramKind, cryptogram, issuer_application_data
from tests.simulators.cards.tapping import Tap, command, filled, send, tapped

PAN, DECLINED_PAN = "4761739001010119", "4000000000000002"


def data_record(pan: str = PAN, changes: Mapping[str, bytes] | None = None) -> bytes:
    values = {
        "9F02": bytes.fromhex("000000001250"),
        "9F03": bytes(6),
        "9F1A": b"\x02\x76",
        "95": bytes(5),
        "5F2A": b"\x09\x78",
        "9A": b"\x26\x11\x21",
        "9C": b"\x00",
        "9F37": b"\x01\x02\x03\x04",
        "82": b"\x20\x00",
        "9F36": b"\x00\x01",
        "9F10": issuer_application_data(0x0A, CryptogramKind.ARQC),
    }
    values["9F26"] = cryptogram(pan, "01", values)
    values |= {"9F27": b"\x80", "5F34": b"\x01", "57": bytes.fromhex(pan + "D2912201")}
    values |= changes or {}
    return b"".join(tlv(tag, value) for tag, value in values.items())


def test_approves_a_right_cryptogram_and_says_the_same_again() -> None:
    answer = scheme_issuer(data_record(), 1250)
    assert (answer.approved, answer.code, len(answer.authorisation)) == (True, "00", 6)
    assert scheme_issuer(data_record(), 1250) == answer


@pytest.mark.parametrize(
    ("record", "amount_minor", "code"),
    [
        (data_record(DECLINED_PAN), 1250, "05"),
        (data_record(), 1251, "13"),
        (data_record(changes={"9F26": bytes(8)}), 1250, "88"),
        (data_record(changes={"9F02": bytes.fromhex("000000009999")}), 9999, "88"),
        (data_record(changes={"9F27": b"\x00"}), 1250, "88"),
        (data_record()[:-3], 1250, "88"),
        (b"", 1250, "88"),
    ],
)
def test_declines(record: bytes, amount_minor: int, code: str) -> None:
    answer = scheme_issuer(record, amount_minor)
    assert (answer.approved, answer.code, answer.authorisation) == (False, code, "")
    assert PAN not in answer.message


def answered(name: str, amount_minor: int = 1250) -> tuple[Tap, IssuerAnswer]:
    tap = tapped(profile.load(name), asks=0x80)
    return tap, scheme_issuer(tap.record, amount_minor)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("visa-approve", 10),
        ("visa-approve-cvn18", 8),
        ("visa-wallet", 8),
        ("mastercard-online", 10),
        ("mastercard-debit", 10),
        ("amex-online", 10),
        ("unionpay-online", 10),
    ],
)
def test_a_request_is_answered_to_the_card(name: str, size: int) -> None:
    _, answer = answered(name)
    assert answer.approved
    assert len(answer.authentication_data) == size
    assert answer.authentication_data[-2:] == (b"00" if size == 10 else b"\x00\x00")


def test_a_card_takes_the_answer() -> None:
    card = profile.load("amex-online")
    tap = tapped(card, asks=0x80)
    answer = scheme_issuer(tap.record, 1250)
    tap.values |= {"91": answer.authentication_data, "8A": answer.code.encode()}
    second = send(card, tap, command("80AE4000", filled(tap.values["8D"], tap.values)))
    assert dict(objects(second))["9F27"] == b"\x40"


def test_a_refusal_is_answered_too_and_an_approval_of_the_card_is_not() -> None:
    _, refused = answered("visa-issuer-declines")
    assert (refused.approved, refused.authentication_data[-2:]) == (False, b"05")
    tap = tapped(profile.load("visa-offline"))
    assert scheme_issuer(tap.record, 1250).approved
    assert scheme_issuer(tap.record, 1250).authentication_data == b""


def test_a_cryptogram_pays_once() -> None:
    issuer = WatchfulIssuer()
    card = profile.load("malicious-replay-unsigned")
    first = tapped(card)
    assert issuer(first.record, 1250).approved
    assert issuer(tapped(card).record, 1250).code == "59"
    assert issuer(tapped(profile.load("visa-approve")).record, 1250).approved
    assert issuer(b"", 1250).code == "88"


@pytest.mark.parametrize(
    ("record", "currency", "agrees"),
    [
        (tlv("5F2A", b"\x09\x78"), "EUR", True),
        (tlv("5F2A", b"\x01\x56"), "EUR", False),
        (tlv("5F2A", b"\x09\x78"), "XTS", True),
        (b"", "EUR", True),
        (b"\x5f", "EUR", True),
    ],
)
def test_the_stated_currency_is_the_cards(record: bytes, currency: str, agrees: bool) -> None:
    assert currency_agrees(record, currency) is agrees
