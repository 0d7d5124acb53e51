"""Issuer application data, service code, third party data, issuers' answers: forms and exact inverse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv.errors import DecodeError
from emv.explain import explain, explain_field
from emv.issuer_answer import authentication_words, command_words
from emv.issuer_data import IadFormat, IssuerData
from emv.service_code import ServiceCode
from emv.third_party_data import ThirdPartyData

AMEX = bytes.fromhex("A000000025")
FORMS = [
    ("06010A03A00000", IadFormat.VISA_0, 0x01, 0x0A, "A00000"),
    ("06011203A000000F0300", IadFormat.VISA_1, 0x01, 0x12, "A00000"),
    ("06013003A00000", IadFormat.VISA_3, 0x01, 0x30, "A00000"),
    ("1F22FE82A0000000" + "00" * 24, IadFormat.VISA_2, 0xFE, 0x22, "82A0000000"),
    ("1F43FE82A0000000" + "00" * 24, IadFormat.VISA_4, 0xFE, 0x43, "82A0000000"),
    ("07010103A0000001", IadFormat.UNIONPAY, 0x01, 0x01, "A00000"),
    ("0110A04003223000" + "00" * 10, IadFormat.MCHIP_4, 0x01, 0x10, "A04003223000"),
    ("0114A04003223000" + "00" * 12, IadFormat.MCHIP_ADVANCE, 0x01, 0x14, "A04003223000"),
    ("0111A04003223000" + "00" * 18, IadFormat.MCHIP_ADVANCE, 0x01, 0x11, "A04003223000"),
    ("0FA501A030000000" + "00" * 8 + "0F" + "00" * 15, IadFormat.CCD, 0x01, 0xA5, "A030000000"),
    ("0FA601A030000000" + "00" * 8 + "0F" + "00" * 15, IadFormat.CCD, 0x01, 0xA6, "A030000000"),
]


@pytest.mark.parametrize(("raw", "form", "dki", "cvn", "cvr"), FORMS)
def test_a_form_is_recognised(raw: str, form: IadFormat, dki: int, cvn: int, cvr: str) -> None:
    data = IssuerData.decode(bytes.fromhex(raw))
    assert (data.format, data.dki, data.cvn, data.cvr.hex().upper()) == (form, dki, cvn, cvr)
    told = explain_field(0x9F10, bytes.fromhex(raw)).meaning[0]
    assert told == (f"Visa form, as of {form.value}" if form.name.startswith("VISA") else form.value)


@pytest.mark.parametrize(
    ("aid", "first"),
    [
        ("A0000000031010", "Visa Smart Debit/Credit (VSDC), IAD format 1"),
        ("A0000000651010", "Visa form, as of Visa Smart Debit/Credit (VSDC), IAD format 1"),
    ],
)
def test_the_form_alone_does_not_tell_whose_card_it_is(aid: str, first: str) -> None:
    data = bytes.fromhex(f"8407{aid}9F100706011203A00000")
    assert explain(data)[1].meaning[0] == first


def test_the_provider_tells_american_express() -> None:
    raw = bytes.fromhex("06020103A40002")
    assert IssuerData.decode(raw, AMEX).format is IadFormat.AMEX
    assert IssuerData.decode(raw, AMEX).encode() == raw


@pytest.mark.parametrize(
    "raw", ["", "06", "06010A04A00000", "06015003A00000", "1F" + "00" * 31, "0F" * 31, "0118" + "00" * 16]
)
def test_what_fits_no_form_is_kept_whole(raw: str) -> None:
    data = IssuerData.decode(bytes.fromhex(raw))
    assert (data.format, data.rest) == (IadFormat.UNKNOWN, bytes.fromhex(raw))


heads = st.sampled_from([bytes.fromhex(raw)[:4] for raw, *_ in FORMS])


@given(
    st.one_of(st.binary(max_size=34), st.tuples(heads, st.binary(max_size=30)).map(b"".join)),
    st.sampled_from([b"", AMEX]),
)
def test_any_issuer_data_is_read_back_or_refused(raw: bytes, rid: bytes) -> None:
    try:
        data = IssuerData.decode(raw, rid)
    except DecodeError:
        assert len(raw) > 32
        return
    assert data.encode() == raw


def test_a_service_code_is_read_back() -> None:
    for number in range(1000):
        code = ServiceCode(f"{number:03d}")
        assert ServiceCode.decode(code.encode()) == code
        assert len(code.words()) == 3
    assert ServiceCode("201").has_chip
    assert not ServiceCode("101").has_chip
    assert ServiceCode("999").words() == ("test card", "digit 2: 9 is reserved", "digit 3: 9 is reserved")


@pytest.mark.parametrize("raw", ["", "02", "1201", "02AA", "000201"])
def test_a_faulty_service_code_is_refused(raw: str) -> None:
    with pytest.raises(DecodeError):
        ServiceCode.decode(bytes.fromhex(raw))


@pytest.mark.parametrize("digits", ["", "20", "2011", "20A", "٢٠١"])
def test_a_service_code_has_three_digits(digits: str) -> None:
    with pytest.raises(DecodeError, match="three digits"):
        ServiceCode(digits)


@given(st.binary(max_size=34))
def test_any_third_party_data_is_read_back_or_refused(raw: bytes) -> None:
    try:
        data = ThirdPartyData.decode(raw)
    except DecodeError:
        return
    assert data.encode() == raw
    assert data.words(None)


def test_third_party_data_tells_a_phone_from_a_card() -> None:
    phone = ThirdPartyData.decode(bytes.fromhex("0276" + "0000" + "3231" + "AA"))
    assert (phone.country, phone.device_type, phone.data) == ("0276", "21", b"\xaa")
    assert phone.is_device
    assert not ThirdPartyData.decode(bytes.fromhex("027600003030AA")).is_device
    assert not ThirdPartyData.decode(bytes.fromhex("0276800041")).is_device
    for wrong in ("", "02760000", "0276000030", "027600003030", "02768000", "00" * 33):
        with pytest.raises(DecodeError):
            ThirdPartyData.decode(bytes.fromhex(wrong))


def test_third_party_data_of_a_fleet_and_of_transit() -> None:
    fleet = ThirdPartyData.decode(bytes.fromhex("0276000332310001 02 0C 80 000000"))
    assert fleet.words("Germany") == (
        "Country: Germany",
        "Unique identifier: Mastercard product extension",
        "Device type: 21 - Phone (mobile phone)",
        "Product identifier: fleet card",
        "Product restriction code: good for fuel only",
        "Product type code: prompt for odometer",
        "Product type code: prompt for driver number",
        "Card type: driver card",
    )
    unknown = ThirdPartyData.decode(bytes.fromhex("0276800300030102"))
    assert unknown.words(None)[-1] == "Product extension: 00030102"
    transit = ThirdPartyData.decode(bytes.fromhex("027680030002 80 05 00"))
    assert transit.words(None)[-2:] == (
        "Deferred authorisation not supported",
        "Concession code: 05 - Disability",
    )


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        ("1122334455667788 3030", 2),
        ("11223344D5667788 0010", 2),
        ("11223344 00820000", 3),
        ("11223344 80800000 AABB", 5),
        ("11223344 70FFFF00", 0),
        ("1122", 0),
    ],
)
def test_issuer_authentication_data(raw: str, lines: int) -> None:
    assert len(authentication_words(bytes.fromhex(raw))) == lines


def test_script_commands() -> None:
    assert command_words(bytes.fromhex("8424000200")) == ("PIN CHANGE/UNBLOCK",)
    assert command_words(bytes.fromhex("04DA9F5809000102030405060708")) == (
        "PUT DATA for BER-TLV field 9F58",
    )
    assert command_words(bytes.fromhex("04DC010C0100")) == ("UPDATE RECORD 1, SFI 1",)
    assert command_words(bytes.fromhex("80770000")) == ("instruction 77",)
    with pytest.raises(DecodeError) as caught:
        command_words(b"\x84")
    assert caught.value.tag == 0x86
