"""The issuer's decision on data records under the test scheme's keys."""

from collections.abc import Mapping

import pytest

from simulators.cards.ber import tlv
from simulators.hosts.host_issuer import scheme_issuer
from simulators.scheme import CryptogramKind, cryptogram, issuer_application_data

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
