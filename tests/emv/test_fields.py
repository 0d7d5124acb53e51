"""Fields made of bits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv.commands import Cryptogram
from emv.errors import DecodeError
from emv.fields import Afl, AflRecord, Aip, Auc, Cid, Ctq, Tsi, Ttq, Tvr, take

FIELDS = [(Aip, 2), (Ttq, 4), (Ctq, 2), (Auc, 2), (Tvr, 5), (Tsi, 2)]


@given(st.sampled_from(FIELDS), st.binary(max_size=6))
def test_a_field_keeps_all_its_bits(field: tuple[type[Aip], int], raw: bytes) -> None:
    kind, length = field
    if len(raw) == length:
        assert take(kind, raw, length, 0x82).to_bytes(length, "big") == raw
    else:
        with pytest.raises(DecodeError):
            take(kind, raw, length, 0x82)


def test_bits_are_where_the_books_have_them() -> None:
    assert take(Ttq, bytes.fromhex("28804000"), 4, 0x9F66) == (
        Ttq.EMV_MODE | Ttq.OFFLINE_ONLY | Ttq.ONLINE_CRYPTOGRAM_REQUIRED | Ttq.CONSUMER_DEVICE_CVM
    )
    assert take(Ctq, b"\x28\xc0", 2, 0x9F6C) == (
        Ctq.ONLINE_IF_ODA_FAILS
        | Ctq.ONLINE_IF_EXPIRED
        | Ctq.CONSUMER_DEVICE_CVM_PERFORMED
        | Ctq.ISSUER_UPDATE_SUPPORTED
    )
    assert Tvr.EXPIRED.to_bytes(5, "big") == bytes.fromhex("0040000000")
    assert Tvr.ONLINE_PIN_ENTERED.to_bytes(5, "big") == bytes.fromhex("0000040000")
    assert Tvr.MERCHANT_FORCED_ONLINE.to_bytes(5, "big") == bytes.fromhex("0000000800")
    assert Aip.CDA.to_bytes(2, "big") == bytes.fromhex("0100")


@pytest.mark.parametrize(
    ("raw", "kind"), [(0x00, Cryptogram.AAC), (0x40, Cryptogram.TC), (0x80, Cryptogram.ARQC), (0xC0, None)]
)
def test_the_kind_of_cryptogram(raw: int, kind: Cryptogram | None) -> None:
    assert Cid.decode(bytes((raw | 0x09,))) == Cid(kind, advice=True, reason=1)


@given(st.binary(max_size=40))
def test_any_bytes_decode_or_raise_decode_error(raw: bytes) -> None:
    try:
        afl = Afl.decode(raw)
    except DecodeError:
        pass
    else:
        assert len(list(afl.records())) <= Afl.MAX_RECORDS
    try:
        Cid.decode(raw)
    except DecodeError:
        assert len(raw) != 1


def test_records_come_in_order() -> None:
    records = list(Afl.decode(bytes.fromhex("08010201 10050500")).records())
    assert records == [AflRecord(1, 1, True), AflRecord(1, 2, False), AflRecord(2, 5, False)]


@pytest.mark.parametrize(
    "raw", ["080101", "00010100", "F8010100", "09010100", "08000100", "08020100", "08010103", "08014100"]
)
def test_an_impossible_locator_is_refused(raw: str) -> None:
    with pytest.raises(DecodeError):
        Afl.decode(bytes.fromhex(raw))


def test_each_locator_and_each_cid_is_read_back() -> None:
    raw = bytes.fromhex("0801020010020201")
    assert Afl.decode(raw).encode() == raw
    for octet in range(256):
        assert Cid.decode(bytes((octet,))).encode() == bytes((octet,))
