"""Which wallet a customer's code belongs to: each rule at its edges, and what falls between them."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.payment.routing import route, rules

ALIPAY, WECHAT, UNIONPAY, ECNY = "Alipay", "WeChat Pay", "UnionPay or JD Pay", "e-CNY"


def number(prefix: str, length: int) -> str:
    return prefix + "7" * (length - len(prefix))


@pytest.mark.parametrize(
    ("prefix", "length", "wallet"),
    [
        *((str(prefix), 18, WECHAT) for prefix in range(10, 16)),
        *((str(prefix), 17, None) for prefix in range(10, 16)),
        *((str(prefix), 19, None) for prefix in range(10, 16)),
        ("09", 18, None),
        ("16", 18, None),
        *((str(prefix), 18, ALIPAY) for prefix in range(25, 31)),
        *((str(prefix), length, ALIPAY) for prefix in (25, 30) for length in range(16, 25)),
        *((str(prefix), length, None) for prefix in (25, 30) for length in (15, 25)),
        ("24", 18, None),
        ("31", 18, None),
        ("62", 18, None),
        ("62", 19, UNIONPAY),
        ("62", 20, None),
        ("61", 19, None),
        ("63", 19, None),
        ("01", 18, None),
        ("01", 19, ECNY),
        ("01", 20, None),
        ("02", 19, None),
    ],
)
def test_prefix_and_length_decide(prefix: str, length: int, wallet: str | None) -> None:
    rule = route(number(prefix, length))
    assert (rule.wallet if rule else None) == wallet


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "A bus ticket",
            "https://qr.alipay.com/bax01",
            "28123456789012345X",
            "28 1234567890123456",
        ),
        *("-281234567890123456", "281234567890123456.0", "２８1234567890123456", "٢٨١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦"),
        *("281234567890123456\n281234567890123456", "x281234567890123456", "281234567890123456\x00"),
    ],
)
def test_what_is_none_of_ours_is_nobodys(text: str) -> None:
    assert route(text) is None


@pytest.mark.parametrize("text", [" 281234567890123456 ", "281234567890123456\r\n", "\t281234567890123456"])
def test_a_scanners_blanks_around_a_code_do_not_count(text: str) -> None:
    rule = route(text)
    assert rule is not None
    assert rule.wallet == ALIPAY


def test_only_alipay_has_a_channel_so_far() -> None:
    assert [(rule.wallet, rule.channel) for rule in rules()] == [
        (WECHAT, ""),
        (ALIPAY, "alipay-code"),
        (UNIONPAY, ""),
        (ECNY, ""),
    ]


def test_every_rule_names_its_source() -> None:
    data = tomllib.loads((files("terminal.payment") / "customer_codes.toml").read_text("utf-8"))
    assert {entry["source"] for entry in data["code"]} <= {"vendor", "public code"}


@given(st.from_regex(r"[0-9]{1,30}", fullmatch=True))
def test_no_code_falls_under_two_rules(text: str) -> None:
    assert sum(rule.pattern.fullmatch(text) is not None for rule in rules()) <= 1


@given(st.text())
def test_no_text_is_too_much(text: str) -> None:
    route(text)
