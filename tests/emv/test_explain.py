"""What data objects mean, in words; what is masked; and that nothing a card sends breaks it."""

import json
import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv import tlv
from emv.errors import DecodeError
from emv.explain import Node, explain, explain_field, explain_readable
from emv.names import CurrencyName, Names
from emv.tags import MEANINGS, Tag

PAN = "4761739001010119"
NAMES = Names(
    country={"276": "Germany", "DE": "Germany"}.get,
    currency={"978": CurrencyName("EUR", "Euro", 2), "392": CurrencyName("JPY", "Yen", 0)}.get,
    language={"de": "German"}.get,
    merchant_category={"5999": "Shops"}.get,
)
TAGS = sorted({*Tag, *(tag for _, tag in MEANINGS)})


def field(tag: int, value: str) -> Node:
    return explain_field(tag, bytes.fromhex(value), NAMES)


def tree(value: str) -> tuple[Node, ...]:
    return explain(bytes.fromhex(value), NAMES)


def everything(nodes: tuple[Node, ...]) -> str:
    return json.dumps([node.fields() for node in nodes])


@pytest.mark.parametrize(
    ("tag", "value", "meaning"),
    [
        (0x9A, "260509", ["2026-05-09"]),
        (0x9F21, "123015", ["12:30:15"]),
        (0x9F02, "000000001250", ["1250 in minor units"]),
        (0x9F1A, "0276", ["Germany"]),
        (0x9F1A, "0999", ["unknown country"]),
        (0x5F2A, "0978", ["Euro (EUR)"]),
        (0x5F2D, "6465", ["German"]),
        (0x9F15, "5999", ["Shops"]),
        (0x5F30, "0201", ["2: international, with chip", "0: normal authorisation", "1: no restrictions"]),
        (0x94, "08010200 10020201", ["SFI 1: records 1 to 2, none signed", "SFI 2: record 2, 1 signed"]),
        (0x9F4D, "0B0A", ["SFI 11, 10 records at most"]),
        (0x9F35, "22", ["Attended, offline with online capability", "Operated by merchant"]),
        (0x9F36, "0012", ["18"]),
        (0x9F17, "03", ["3"]),
        (0x8A, "3030", ["00 - Approved or completed successfully"]),
        (0x8A, "3939", ["99"]),
        (0x9C, "77", ["unknown code"]),
        (0x95, "0000000000", ["no bit is set"]),
        (0x95, "0000040008",
         ["Online CVM captured (online PIN entered)", "Relay resistance threshold exceeded"]),
        (0x82, "1901", ["Cardholder verification supported", "Terminal risk management is to be performed",
                        "Combined DDA/Application Cryptogram Generation (CDA) supported",
                        "Relay Resistance Protocol (RRP) supported"]),
        (0x9B, "E810", ["Offline data authentication was performed", "Cardholder verification was performed",
                        "Card risk management was performed", "Terminal risk management was performed",
                        "byte 2 bit 5 (reserved)"]),
        (0x9F66, "26004000", ["EMV mode supported", "Online PIN supported", "Signature supported",
                              "Consumer Device CVM supported"]),
        (0x9F34, "3F0000", ["CVM not performed", "Condition: always", "Result: unknown"]),
        (0x9F27, "80", ["Authorisation Request Cryptogram (ARQC): online authorisation"]),
        (0x9F0A, "00010102", ["European Cards Stakeholders Group", "Credit"]),
        (0x9F2A, "02", ["Kernel C-2 (Mastercard)"]),
        (0x9F2A, "810102", []),
        (0x5F55, "4445", ['Germany ("DE")']),
        (0x9F69, "01A1A2A3A4", ["fDDA version 1", "Card Unpredictable Number: A1A2A3A4"]),
        (0x84, "A0000000041010", ["Mastercard Credit/Debit"]),
        (0x84, "325041592E5359532E4444463031",
         ['"2PAY.SYS.DDF01", Proximity Payment System Environment (PPSE)']),
        (0x4F, "F00000000000", ["unknown application"]),
        (0xDF8305, "0064", ["10 ms"]),
        (0x9F11, "11", ["ISO 8859-11"]),
        (0x9F11, "0B", ["ISO 8859-11"]),
        (0x87, "81", ["Application can't be selected without confirmation of the cardholder", "Priority 1"]),
        (0x9F37, "01020304", []),
        (0xDF77, "0102", []),
    ],
)  # fmt: skip
def test_a_field_in_words(tag: int, value: str, meaning: list[str]) -> None:
    node = field(tag, value)
    assert list(node.meaning) == meaning
    assert node.value == value.replace(" ", "")


@pytest.mark.parametrize(
    ("tag", "value", "offset"),
    [
        *[(0x9A, "2605", 2), (0x9A, "26050900", 3), (0x9A, "261309", 0), (0x9F02, "00000000125A", 0)],
        *[(0x95, "00", 1), (0x94, "080102", 0), (0x9F38, "9F66", 2), (0x5A, "47", 0), (0x57, "47", 0)],
        *[
            (0x9F4A, "9F", 0),
            (0x9F0A, "000103", 3),
            (0x9F11, "12", 0),
            (0x8A, "2A2A", 0),
            (0x5F2D, "656E64", 3),
            (0x70, "5A02FF", 2),
        ],
    ],
)
def test_a_field_that_does_not_follow_its_format_is_refused(tag: int, value: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        field(tag, value)
    assert (caught.value.tag, caught.value.offset) == (0x5A if tag == 0x70 else tag, offset)


def test_within_a_tree_a_faulty_value_spoils_nothing_else() -> None:
    faulty, sound = tree("9A022605 9F360200FF")
    assert faulty.meaning == ("Not as defined: a length of 2 where 3 is defined",)
    assert sound.meaning == ("255",)


def test_amounts_take_the_currency_of_the_same_data() -> None:
    assert tree("9F0206000000001250 5F2A020978")[0].meaning == ("12.50 EUR",)
    assert tree("5F2A020392 9F0206000000001250")[1].meaning == ("1250 JPY",)
    assert tree("9F0206000000001250 5F2A020978 5F360103")[0].meaning == ("1.250 EUR",)
    rules = tree("8E0A 000000C8 00000000 0206 9F42020978")[0].meaning
    assert rules[0] == "X = 2.00 EUR, Y = 0.00 EUR"


def test_a_template_has_its_content_as_children_only() -> None:
    (template,) = tree("70 0A 5A08 4761739001010119")
    assert (template.value, template.length) == ("", 10)
    assert [child.tag for child in template.children] == [0x5A]


@pytest.mark.parametrize(
    "data",
    [
        "5A08 4761739001010119",
        "57 13 4761739001010119D22122011143804400000F",
        "70 0A 5A08 4761739001010119",
        "9F6B 13 4761739001010119D22122011143804400000F",
        "56 12 42 34373631373339303031303130313139 5E",
        # The same number where the table of tags does not expect it.
        "5A08 4761739001010119 9F10 09 0A4761739001010119",
        "5A08 4761739001010119 DF77 0A FF4761739001010119FF",
        "5A08 4761739001010119 9F1E 10 34373631373339303031303130313139",
        "5A0A 4761739001010119FFFF 5F50 10 34373631373339303031303130313139",
        "80 10 4761739001010119 4761739001010119 5A08 4761739001010119",
        "9F7C 08 4761739001010119",
        "9F1F 08 4761739001010119",
    ],
)
def test_no_card_number_is_shown(data: str) -> None:
    for shown in (everything(tree(data)), everything(explain_readable(bytes.fromhex(data + "5A09")))):
        assert PAN not in shown
        assert PAN.encode().hex() not in shown
        assert "1143804400000" not in shown


def test_a_number_is_shown_masked() -> None:
    assert field(0x5A, PAN).value == "476173******0119"
    node = field(0x57, f"{PAN}D22122011143804400000F")
    assert node.value == "476173******0119=****"
    assert node.meaning == (
        "Expires 2022-12",
        "Service code 201: international, with chip; normal authorisation; no restrictions",
    )
    assert field(0x5F20, "4D522F4D53").value == "<5 bytes>"
    assert field(0x5F24, "221231").meaning == ("2022-12-31",)


def test_lists_have_their_entries_as_children() -> None:
    children = field(0x9F38, "9F6604 9F0206 DF7701").children
    assert [(child.tag, child.name, child.length) for child in children] == [
        (0x9F66, "Terminal Transaction Qualifiers (TTQ)", 4),
        (0x9F02, "Amount, Authorised (Numeric)", 6),
        (0xDF77, "unknown", 1),
    ]
    assert [child.tag for child in field(0x9F4A, "82").children] == [0x82]


def test_the_application_tells_which_kernel_a_tag_belongs_to() -> None:
    value = "9F6E07 02760000303000"
    assert tree(f"8407A0000000041010 {value}")[1].name == "Third Party Data"
    assert tree(f"8407A0000000031010 {value}")[1].name == "Form Factor Indicator (FFI)"


@pytest.mark.parametrize(
    ("tag", "value", "name"),
    [
        (0x9F6E, "20700000", "Form Factor Indicator (FFI)"),
        (0x9F6E, "98E00003", "Enhanced Contactless Reader Capabilities"),
        (0x9F6E, "02760000303000", "Third Party Data"),
        (0x9F69, "0111223344 2000", "Card Authentication Related Data"),
        (0x9F69, "9F6A04", "UDOL"),
        (0x9F5D, "000000", "Application Capabilities Information"),
        (0x9F5D, "000000000000", "Available Offline Spending Amount (AOSA)"),
        (0x9F6B, "000000005000", "Card CVM Limit"),
        (0x9F66, "0001", "PUNATC (Track2)"),
    ],
)
def test_without_a_kernel_length_and_shape_tell(tag: int, value: str, name: str) -> None:
    assert field(tag, value).name == name


def test_where_several_meanings_are_left_all_are_named_and_none_is_read() -> None:
    node = field(0x9F51, "9502")
    assert node.children == ()
    assert "Kernel 3: Application Currency Code" in node.meaning
    assert node.value == "9502"


def test_a_kernel_s_own_meaning_is_not_read_as_the_common_one() -> None:
    node = field(0x9F66, "1F0E")
    assert (node.name, node.meaning) == ("PUNATC (Track2)", ())


def test_a_private_tag_is_named_only_where_the_kernel_is_known() -> None:
    value = "DF60 08 0102030405060708"
    assert tree(f"8407A0000000041010 {value}")[1].name == "DS Input (Card)"
    assert tree(f"8407A0000000031010 {value}")[1].name == "unknown"
    assert tree(value)[0].meaning == ("Kernel 2: DS Input (Card)",)
    assert tree("DF510103")[0].name == "Finger Try Counter"
    assert tree("DF5102 0304")[0].name == "unknown"


def test_a_name_is_read_in_the_code_table_beside_it() -> None:
    name = "9F1203 CCCDCE"
    assert tree(f"9F110105 {name}")[1].meaning == ('"ЬЭЮ"',)
    assert tree(f"{name} 9F110105")[0].meaning == ('"ЬЭЮ"',)
    assert tree(name)[0].meaning == ('"ÌÍÎ"',)
    assert tree(f"A512 9F110105 9F110104 9F1201CC {name}")[0].children[2].meaning == ('"Ė"',)


def test_a_response_of_format_1_is_opened_where_it_can_be_only_one_thing() -> None:
    options = field(0x80, "1980 08010100").children
    assert [child.tag for child in options] == [0x82, 0x94]
    cryptogram = field(0x80, "80 0001 1122334455667788 06010A03A00000").children
    assert [child.tag for child in cryptogram] == [0x9F27, 0x9F36, 0x9F26, 0x9F10]
    assert field(0x80, "0102").children == ()


def test_what_comes_before_a_fault_is_readable() -> None:
    raw = bytes.fromhex("9F360200FF 70 20 9A03260509 5A08 4761")
    with pytest.raises(DecodeError):
        explain(raw)
    first, template = explain_readable(raw)
    assert (first.tag, template.tag) == (0x9F36, 0x70)
    assert [child.tag for child in template.children] == [0x9A]
    assert explain_readable(b"\x9f") == ()


def test_nesting_is_bounded() -> None:
    raw = b""
    for _ in range(40):
        raw = tlv.encode_one(0x70, raw)
    with pytest.raises(DecodeError):
        explain(raw)
    assert everything(explain_readable(raw)).count('"70"') == tlv.MAX_DEPTH


def raised(run: Callable[[], object]) -> DecodeError | None:
    """Return what was raised. Another exception is not caught."""
    try:
        run()
    except DecodeError as error:
        return error
    return None


@settings(max_examples=200)
@given(st.binary(max_size=60))
def test_any_bytes_are_explained_or_refused(raw: bytes) -> None:
    everything(explain_readable(raw, NAMES))
    refused = raised(lambda: everything(explain(raw, NAMES)))
    assert refused is None or 0 <= refused.offset <= len(raw)


@settings(max_examples=400)
@given(st.sampled_from(TAGS), st.data())
def test_any_value_of_any_tag_is_explained_or_refused(tag: int, data: st.DataObject) -> None:
    rows = [tag_.info for tag_ in Tag if tag_ == tag] + [
        info for (_, known), info in MEANINGS.items() if known == tag
    ]
    length = data.draw(
        st.sampled_from([0, 1, *{info.shortest for info in rows}, *{min(info.longest, 40) for info in rows}])
    )
    value = data.draw(st.binary(min_size=length, max_size=length))
    refused = raised(lambda: everything((explain_field(tag, value, NAMES),)))
    assert refused is None or 0 <= refused.offset <= len(value)
    if not tlv.is_constructed(tag):
        for aid in ("A0000000031010", "A0000000041010", "A00000002501", "A000000333010101"):
            everything(explain(tlv.encode([(0x84, bytes.fromhex(aid)), (tag, value)]), NAMES))


def calls_for(count: int) -> int:
    """Return how many functions are called to explain so many card numbers, and a counter beside each."""
    data = b"".join(bytes.fromhex(f"5A08{10**15 + card:016d}9F3602000A") for card in range(count))
    calls = 0

    def called(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(called)
    try:
        explain(data)
    finally:
        sys.setprofile(None)
    return calls


def test_twice_as_much_data_is_twice_the_work() -> None:
    explain(b"")
    assert calls_for(400) < 2.2 * calls_for(200)


def test_each_of_several_card_numbers_is_found() -> None:
    short, long = "623044123456", "6230441234567890128"
    text = everything(tree(f"5A06{short} 5A0A{long}F 500C{short.encode().hex()} 9F1F0B0{long}00 9F0702FF00"))
    assert short not in text
    assert short.encode().hex() not in text
    assert long not in text
    assert "FF00" in text
