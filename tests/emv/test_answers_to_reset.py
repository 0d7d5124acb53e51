"""ATR and ATS: exact inverse, truncation, and what EMV does not allow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv.atr import Atr
from emv.ats import Ats
from emv.errors import DecodeError
from emv.reset_words import explain_atr, explain_ats

SOUND_T0 = "3B6500002063CB6800"
SOUND_T1 = "3BE400FF8131FE4541424344"


def with_check(text: str) -> bytes:
    raw = bytes.fromhex(text)
    check = 0
    for octet in raw[1:]:
        check ^= octet
    return raw + bytes((check,))


def reasons(raw: bytes) -> str:
    return "; ".join(Atr.decode(raw).reasons())


def test_a_card_of_t_0() -> None:
    atr = Atr.decode(bytes.fromhex(SOUND_T0))
    assert (atr.protocols, atr.byte("TB1"), atr.byte("TA1")) == ((0,), 0, None)
    assert atr.historical == bytes.fromhex("2063CB6800")
    assert atr.reasons() == ()


def test_a_card_of_t_1() -> None:
    atr = Atr.decode(with_check(SOUND_T1))
    assert atr.protocols == (1, 1)
    assert atr.reasons() == ()
    meanings = {node.name: node.meaning[0] for node in explain_atr(atr.encode())}
    assert meanings["TS"] == "Direct convention"
    assert meanings["TC1"] == "N=255: guard time 11 etu"
    assert meanings["TA3"] == "Information field size 254"
    assert meanings["TB3"].startswith("BWI=4, CWI=5")
    assert meanings["Historical"] == '"ABCD"'
    assert meanings["TCK"] == "Correct"
    assert meanings["EMV"] == "EMV compliant"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (bytes.fromhex("3B101F"), "TA1=1F"),
        (bytes.fromhex("3B1001"), "TA1=01"),
        (bytes.fromhex("3B1012"), "TA1=12"),
        (bytes.fromhex("3B4001"), "TC1=01"),
        (bytes.fromhex("3B802020"), "TB2=20"),
        (bytes.fromhex("3B804000"), "TC2=00"),
        (bytes.fromhex("3B801000"), ""),
        (bytes.fromhex("3B801010"), "TA2=10"),
        (with_check("3B8001"), "TD2 is absent"),
        (with_check("3B808011"), "TD2 T=1"),
        (with_check("3B8081 2145"), ""),
        (with_check("3B8081 3108 45"), "TA3=08"),
        (with_check("3B8081 2155"), "BWI"),
        (with_check("3B8081 2146"), "CWI"),
        (with_check("3B8081 1120"), "TB3 is absent"),
        (with_check("3B8081 614501"), "TC3=01"),
        (with_check("3B8002"), "TD1 T=2"),
        (with_check("3B80C1402145"), "TC2=40"),
        (bytes.fromhex("3B80 81 2145 00"), "TCK=00"),
        (bytes.fromhex("3B80 81 2145"), "TCK is missing"),
        (with_check("3B8081 2145") + b"\0\0", "2 bytes too many"),
        (bytes.fromhex("3B0000"), "TCK=00: must be absent"),
        (bytes.fromhex("3B1070"), "TA1=70: a reserved value"),
        (bytes.fromhex("3B90141000"), "TA1=14: in specific mode it must be 11 to 13"),
        (with_check("3BC006812141"), "the character waiting time is shorter than the guard time"),
    ],
)
def test_what_a_terminal_refuses(raw: bytes, reason: str) -> None:
    told = reasons(raw)
    assert reason in told
    assert bool(told) == bool(reason)
    verdict = explain_atr(raw)[-1].meaning
    assert (verdict == ("EMV compliant",)) is not bool(reason)


@pytest.mark.parametrize("raw", [SOUND_T0, SOUND_T1])
def test_a_cut_is_refused(raw: str) -> None:
    whole = bytes.fromhex(raw)
    for cut in range(len(whole)):
        with pytest.raises(DecodeError) as caught:
            Atr.decode(whole[:cut])
        assert caught.value.offset <= cut


@given(st.binary(max_size=40).map(lambda raw: b"\x3b" + raw))
def test_any_answer_to_reset_is_read_back_or_refused(raw: bytes) -> None:
    try:
        atr = Atr.decode(raw)
    except DecodeError:
        return
    assert atr.encode() == raw
    explain_atr(raw)


def test_another_first_byte_is_no_answer() -> None:
    with pytest.raises(DecodeError, match="3B or 3F"):
        Atr.decode(b"\x03\x00")
    assert explain_atr(bytes.fromhex("3F00"))[0].meaning == ("Inverse convention",)


def test_more_than_33_bytes_are_no_answer() -> None:
    with pytest.raises(DecodeError, match="33 bytes at most"):
        Atr.decode(bytes.fromhex("3B80" + "80" * 32))


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        ("3B1070", {"TA1": "reserved"}),
        ("3B90121090", {"TA2": "Specific mode, T=0, implicit parameters, can't change"}),
        ("3B802011", {"TB2": "Programming voltage 1.7 V"}),
        ("3B201F", {"TB1": "Programming voltage 31 V"}),
        ("3B80801FC3", {"TA3": "Clock stop no preference; classes A (5 V), B (3 V)"}),
        ("3B80801F00", {"TA3": "Clock stop not supported; classes none"}),
        ("3B80802F81", {"TB3": "SPU in proprietary use"}),
        ("3B80802F01", {"TB3": "SPU in standard use"}),
        ("3B80802F00", {"TB3": "SPU not used"}),
        ("3B808072010203", dict.fromkeys(("TA3", "TB3", "TC3"), "Specific to the protocol")),
        ("3B80807145 01 01", {"TA3": "Information field size 69", "TC3": "CRC"}),
    ],
)
def test_interface_bytes_in_words(raw: str, names: dict[str, str]) -> None:
    found = {node.name: node.meaning for node in explain_atr(bytes.fromhex(raw))}
    assert {name: found[name] for name in names} == {name: (text,) for name, text in names.items()}


@pytest.mark.parametrize("historical", ["807F", "00AA112233"])
def test_historical_bytes_that_are_cut_off_are_the_issuers_own(historical: str) -> None:
    raw = bytes((0x3B, len(historical) // 2)) + bytes.fromhex(historical)
    assert next(node for node in explain_atr(raw) if node.name == "Historical").meaning == ("Proprietary",)


def test_historical_bytes_with_a_status() -> None:
    lines = next(node for node in explain_atr(bytes.fromhex("3B060031E0079000")) if node.name == "Historical")
    assert lines.meaning == ("COMPACT-TLV", "card service data: E0", "status: life cycle 07, SW 9000")


def test_historical_bytes_of_compact_tlv() -> None:
    lines = next(
        node for node in explain_atr(bytes.fromhex("3B068031E0524100")) if node.name == "Historical"
    ).meaning
    assert lines == ("COMPACT-TLV", "card service data: E0", "card issuer's data: 4100")


def test_an_answer_to_select() -> None:
    ats = Ats.decode(bytes.fromhex("0A78807102 8031C14100"))
    assert (ats.frame_bytes, ats.reasons()) == (256, ())
    assert ats.frame_waiting_ms == pytest.approx(38.66, abs=0.01)
    meanings = {node.name: node.meaning[0] for node in explain_ats(ats.encode())}
    assert meanings["T0"] == "Frames of up to 256 bytes"
    assert meanings["TC"] == "CID supported"
    assert meanings["EMV"] == "EMV compliant"


@pytest.mark.parametrize("raw", ["", "03", "0578", "0278", "037880", "0A78807102 8031C141", "00"])
def test_a_broken_answer_to_select_is_refused(raw: str) -> None:
    with pytest.raises(DecodeError):
        Ats.decode(bytes.fromhex(raw))


def test_what_is_reserved_in_an_answer_to_select() -> None:
    assert [reason[:5] for reason in Ats.decode(bytes.fromhex("03AFFF")).reasons()] == ["T0=AF"] * 2 + [
        "TB=FF"
    ] * 2


@given(st.binary(max_size=20).map(lambda rest: bytes((len(rest) + 1,)) + rest))
def test_any_answer_to_select_is_read_back_or_refused(raw: bytes) -> None:
    try:
        ats = Ats.decode(raw)
    except DecodeError:
        return
    assert ats.encode() == raw
    explain_ats(raw)
