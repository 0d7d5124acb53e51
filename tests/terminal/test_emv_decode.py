"""`tillside emv decode`: what it prints, and what it ends with."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import pytest

from terminal import names
from terminal.cli import FINDING, FINE, WRONG_USE, main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def decode(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process; gives exit code, output and errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            code = main(["emv", "decode", *arguments])
        except SystemExit as leaving:  # argparse's way
            code = int(leaving.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_a_tree_is_aligned_and_masked(decode: Run) -> None:
    code, out, _ = decode("7019 5A084761739001010119 9F07028100 5F2A020978 9F360200FF")
    assert code == FINE
    lines = out.splitlines()
    assert lines[0] == "70   READ RECORD Response Message Template  (25)"
    assert lines[1].split() == "5A Application Primary Account Number (PAN) 8 476173******0119".split()
    assert [line.strip() for line in lines[3:5]] == [
        "- Valid for domestic cash transactions",
        "- Valid at terminals other than ATMs",
    ]
    # Tags, names, lengths and values stand below one another.
    assert lines[1].index("Application") == lines[2].index("Application") == lines[5].index("Transaction")
    assert lines[1].index("476173") == lines[2].index("8100") == lines[5].index("0978")
    assert lines[5].endswith("Euro (EUR)")


def test_hex_may_have_spaces_and_come_from_standard_input(
    decode: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = decode("9F3602000A")[1]
    assert decode("9F", "36 02", "000a")[1] == expected
    monkeypatch.setattr("sys.stdin", io.StringIO("9F36\n 0200\t0A\n"))
    assert decode("-")[1] == expected


def test_json_has_every_node_with_the_same_fields(decode: Run) -> None:
    code, out, _ = decode("--json", "7008 9F38 05 9F6604 9A03")
    assert code == FINE
    (template,) = json.loads(out)
    assert template["children"][0] == {
        "tag": "9F38",
        "name": "Processing Options Data Object List (PDOL)",
        "length": 5,
        "value": "9F66049A03",
        "meaning": "",
        "children": [
            {"tag": "9F66", "name": "Terminal Transaction Qualifiers (TTQ)", "length": 4, **EMPTY},
            {"tag": "9A", "name": "Transaction Date", "length": 3, **EMPTY},
        ],
    }


EMPTY = {"value": "", "meaning": "", "children": []}


def test_a_field_by_its_tag(decode: Run) -> None:
    (node,) = json.loads(decode("--json", "--tag", "95", "8000040000")[1])
    assert node["meaning"].splitlines() == [
        "Offline data authentication was not performed",
        "Online CVM captured (online PIN entered)",
    ]
    assert decode("--tag", "9f02", "000000001250")[1].split()[-4:] == ["1250", "in", "minor", "units"]


def test_an_answer_to_reset(decode: Run) -> None:
    nodes = json.loads(decode("--json", "--atr", "3B6500002063CB6800")[1])
    assert [node["name"] for node in nodes] == ["TS", "T0", "TB1", "TC1", "Historical", "EMV"]
    assert {node["tag"] for node in nodes} == {None}
    assert nodes[-1]["meaning"] == "EMV compliant"
    code, out, _ = decode("--ats", "067880710200")
    assert code == FINE
    assert "Answers within 38.7 ms" in out


@pytest.mark.parametrize(
    ("arguments", "offset", "tag"),
    [
        (("9F3602",), 3, "9F36"),
        (("70045A084761",), 4, "5A"),
        (("5A80",), 1, "5A"),
        (("9F360200F",), 4, None),
        (("--tag", "9A", "2605"), 2, "9A"),
        (("--atr", "3B65"), 2, None),
        (("--ats", "05"), 1, None),
    ],
)
def test_what_is_malformed_is_a_finding(
    decode: Run, arguments: tuple[str, ...], offset: int, tag: str | None
) -> None:
    code, out, err = decode("--json", *arguments)
    error = json.loads(out)["error"]
    assert (code, error["offset"], error["tag"]) == (FINDING, offset, tag)
    assert error["message"]
    assert f"byte {offset}" in err


def test_without_json_what_was_read_before_the_fault_is_shown(decode: Run) -> None:
    code, out, err = decode("9F3602000A 5A0847617390")
    assert (code, out.split()) == (
        FINDING,
        ["9F36", "Application", "Transaction", "Counter", "(ATC)", "2", "000A", "10"],
    )
    assert "tag 5A, byte 7" in err
    assert "47617390" not in err


@pytest.mark.parametrize(
    "arguments", [("xyz",), ("9F3602ZZ0A",), ("--tag", "9F", "00"), ("--tag", "hello", "00")]
)
def test_what_is_no_hex_is_wrong_use(decode: Run, arguments: tuple[str, ...]) -> None:
    code, out, err = decode("--json", *arguments)
    assert code == WRONG_USE
    assert set(json.loads(out)["error"]) == {"message", "offset", "tag"}
    assert err.startswith("tillside: ")


@pytest.mark.parametrize(
    ("data", "before", "status", "meaning"),
    [
        ("9000", [], "9000", "fine"),
        ("9F3602000A 9000", ["9F36"], "9000", "fine"),
        ("7705 82021980 00 9000", ["77"], "9000", "fine"),
        ("80061980 08010100 9000", ["80"], "9000", "fine"),
        ("6A82", [], "6A82", "file or application not found"),
        ("6F058403A00000 6283", ["6F"], "6283", "the selected file or application is blocked"),
        ("611E", [], "611E", "30 bytes more can be fetched (GET RESPONSE)"),
        ("6100 6110", ["61"], "6110", "16 bytes more can be fetched (GET RESPONSE)"),
        ("6C01", [], "6C01", "wrong length: ask again for 1 byte"),
        ("63C1", [], "63C1", "failed; 1 try left"),
    ],
)
def test_a_status_word_at_the_end(
    decode: Run, data: str, before: list[str], status: str, meaning: str
) -> None:
    code, out, _ = decode("--json", data)
    *nodes, last = json.loads(out)
    assert (code, [node["tag"] for node in nodes]) == (FINE, before)
    assert last == {
        "tag": "SW",
        "name": "Status word",
        "length": 2,
        "value": status,
        "meaning": meaning,
        "children": [],
    }
    assert decode(data)[1].splitlines()[-1].split()[-len(meaning.split()) :] == meaning.split()


@pytest.mark.parametrize("data", ["9F36029000", "77049F369000 9F36", "70029000", "900100", "9100", "6D00"])
def test_what_is_all_data_objects_has_no_status_word(decode: Run, data: str) -> None:
    nodes = json.loads(decode("--json", data)[1])
    assert isinstance(nodes, dict) or "SW" not in [node["tag"] for node in nodes]


def test_what_is_malformed_before_a_status_word_is_told_as_ever(decode: Run) -> None:
    code, out, _ = decode("--json", "70045A0847 9000")
    assert (code, json.loads(out)["error"]["tag"]) == (FINDING, "5A")


def test_more_than_a_terminal_ever_hears_is_refused(decode: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = decode("--json", "00" * (64 * 1024 + 1))
    assert (code, "more than 64 KiB" in err) == (WRONG_USE, True)
    assert json.loads(out)["error"]["tag"] is None
    monkeypatch.setattr("sys.stdin", io.StringIO(" " * 2_000_000))
    assert decode("-")[0] == WRONG_USE
    assert decode("50820400" + "41" * 1024)[0] == FINE


@pytest.mark.parametrize("data", ["", " ", "00", "0000"])
def test_nothing_to_decode(decode: Run, data: str, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = decode("--json", data)
    assert (code, "nothing to decode" in err) == (WRONG_USE, True)
    assert "nothing to decode" in json.loads(out)["error"]["message"]
    monkeypatch.setattr("sys.stdin", io.StringIO(data))
    assert decode("-")[0] == WRONG_USE
    assert decode("--tag", "9C", "00")[0] == FINE


@pytest.mark.parametrize(
    "data",
    ["0x9F3602000A", "9F:36:02:00:0A", "9f-36-02-00-0a", "0x9F, 0x36, 0x02, 0x00, 0x0A", "0X9f36 02000A"],
)
def test_hex_as_others_write_it(decode: Run, data: str) -> None:
    assert decode(data) == decode("9F3602000A")


def test_what_is_no_digit_is_shown(decode: Run) -> None:
    assert "'Z' is digit 3" in decode("9FZ6")[2]
    assert "'x' is digit 2" in decode("9x36")[2]


def test_what_is_cut_off_is_counted(decode: Run) -> None:
    _, _, err = decode("7016 9F3602")
    assert "tag 70, byte 2" in err
    assert "its length counts 22 bytes, 3 follow; check that it was copied whole" in err
    assert "copied whole" not in decode("5A80")[2]


def test_an_answer_that_a_reader_made_for_a_contactless_card(decode: Run) -> None:
    for atr in ("3B8F8001804F0CA000000306030001000000006A", "3B80800101", "3B8580018073C421C057"):
        _, out, _ = decode("--atr", atr)
        assert "Made by the PC/SC reader for a contactless card" in out
        assert "EMV" in out.splitlines()[-1]
    assert "PC/SC" not in decode("--atr", "3B6500002063CB6800")[1]


def test_the_exit_codes_are_in_the_help(decode: Run) -> None:
    assert "Exit codes: 0 fine, 1" in decode("--help")[1]


def test_one_way_at_a_time(decode: Run) -> None:
    assert decode("--atr", "--tag", "95", "00")[0] == WRONG_USE
    assert main_without_a_command() == WRONG_USE


def main_without_a_command() -> int:
    with pytest.raises(SystemExit) as left:
        main(["emv"])
    return int(left.value.code or 0)


def test_a_long_value_is_shown_by_its_ends_and_whole_in_json(decode: Run) -> None:
    value = "00112233445566778899AABBCCDDEEFF"
    data = f"9F4B10{value}"
    assert "0011223344..CCDDEEFF" in decode(data)[1]
    assert json.loads(decode("--json", data)[1])[0]["value"] == value


@pytest.mark.parametrize(
    ("look_up", "code", "name"),
    [
        (names.country, "276", "Germany"),
        (names.country, "DE", "Germany"),
        (names.country, "DEU", "Germany"),
        (names.country, "000", None),
        (names.country, "nonsense", None),
        (names.language, "de", "German"),
        (names.language, "deu", "German"),
        (names.language, "ÿÿ", None),
        (names.merchant_category, "5411", "Grocery Stores"),
        (names.merchant_category, "0000", None),
        (names.merchant_category, "12", None),
    ],
)
def test_names(look_up: Callable[[str], str | None], code: str, name: str | None) -> None:
    assert look_up(code) == name


def test_currencies_have_names() -> None:
    for code in ("JPY", "392"):
        found = names.currency(code)
        assert found is not None
        assert (found.code, found.name, found.exponent) == ("JPY", "Yen", 0)
    assert names.currency("000") is None
