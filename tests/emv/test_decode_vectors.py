"""The reference cases of decoding, each by its kind."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from emv import aid, dol, tlv
from emv.atr import Atr
from emv.cvm import CvmList
from emv.errors import DecodeError
from emv.explain import Node, explain, explain_field, explain_readable
from emv.formats import encode_cn, encode_n
from terminal import names
from terminal.cli import main
from terminal.names import ENGLISH

LINE = re.compile(r"^( *)([0-9A-F]{2,8})(?: \| .*?)? : \[(\d+)\](.*)$")
BYTES = re.compile(r"^((?: [0-9A-F]{2})*)( \.\.\.(?: [0-9A-F]{2})*)?")
FIELD_OPTIONS = {"issuer-app-data": 0x9F10, "terminal-risk-management-data": 0x9F1D}
LENIENT = "takes bytes behind the data objects for padding; a card's data with them is malformed"
NOT_OURS = {
    "emv-utils-emv_decode_asn1_test3": "X.690 objects of a certificate, merged by their meaning: not EMV",
    "emv-utils-emv_decode_padding_test1": LENIENT,
    "emv-utils-emv_decode_padding_test3": LENIENT,
}
"""Cases that do not apply, with the reason."""
ONLY_STRUCTURE = re.compile("asn1|oda|_90_|_93_")
"""Cases whose meaning is not EMV (X.690), or needs the keys of a certification authority."""


def cases(vectors: Callable[[str], Any], *kinds: str) -> Iterator[Any]:
    found = [case for case in vectors("tlv_decode.json")["cases"] if case["kind"] in kinds]
    assert found
    yield from (case for case in found if case["id"] not in NOT_OURS)


def flat(nodes: tuple[Node, ...], depth: int = 0) -> Iterator[tuple[int, Node]]:
    for node in nodes:
        yield depth, node
        if node.value == "":  # a template, whose children are its content
            yield from flat(node.children, depth + 1)


def keywords(text: str) -> set[str]:
    return {word.rstrip("s") for word in re.findall(r"[a-z0-9]+", text.lower()) if len(word) > 1}


def means(lines: tuple[str, ...], expected: str) -> bool:
    """Say whether one line, or all of them, have nearly all keywords of what is expected."""
    wanted = keywords(
        expected.replace("Card Verification Results (CVR)", "").replace("Card Status Update", "")
    )
    given = [keywords(line) for line in (*lines, " ".join(lines))]
    return any(len(wanted & words) >= 0.7 * len(wanted) for words in given)


def test_texts(vectors: Callable[[str], Any]) -> None:
    for case in cases(vectors, "decode_text"):
        option, text = case["option"], case["input"]
        tag = FIELD_OPTIONS.get(option) or (
            int(option, 16) if re.fullmatch("[0-9A-F]{2,6}", option) else None
        )
        if option in ("tlv", "ber"):
            check_tree(case)
        elif tag is not None:
            node = explain_field(tag, bytes.fromhex(text), ENGLISH)
            for line in case["expected_lines"]:
                assert means(node.meaning, line), (case["id"], line, node.meaning)
        else:
            assert name_of(option, text) == case["expected_lines"][0], case["id"]


def name_of(option: str, text: str) -> str | None:
    if option in ("country", "iso3166-1"):
        return names.country(text)
    if option in ("currency", "iso4217"):
        found = names.currency(text)
        return found.name if found else None
    if option in ("language", "iso639"):
        return names.language(text)
    assert option == "mcc"
    return names.merchant_category(text)


def check_tree(case: Any) -> None:
    data = bytes.fromhex(case["input"])
    nodes = list(flat(explain_readable(data, ENGLISH)))
    position = -1
    for line in case["expected_lines"]:
        if match := LINE.match(line):
            position += 1
            depth, node = nodes[position]
            check_object(case, match, depth, node)
        elif not ONLY_STRUCTURE.search(case["id"]):
            assert means(nodes[position][1].meaning, line.strip(" -")), (
                case["id"],
                line,
                nodes[position][1].meaning,
            )
    if case["expected_is_complete_output"]:
        assert position == len(nodes) - 1, case["id"]


def check_object(case: Any, match: re.Match[str], depth: int, node: Node) -> None:
    indent, tag, length, rest = match.groups()
    where = (case["id"], tag)
    assert (len(indent) // 2, f"{node.tag:02X}", node.length) == (depth, tag, int(length)), where
    shown = BYTES.match(rest)
    assert shown
    value = shown[1].replace(" ", "")
    if node.tag in (0x57, 0x5A):
        assert "*" in node.value
        assert value not in json.dumps(node.fields())
    elif not shown[2]:
        assert node.value == value, where
    text = rest[shown.end() :].strip(' ()"')
    if text and node.tag not in (0x57, 0x5A) and not ONLY_STRUCTURE.search(case["id"]):
        if node.tag == 0x9F12:
            assert node.meaning == (f'"{text}"',), where
        else:
            assert means(node.meaning, text), (*where, text, node.meaning)


def test_what_is_cut_off_is_no_tree(vectors: Callable[[str], Any]) -> None:
    for case in cases(vectors, "decode_text"):
        if "padding" in case["id"]:
            with pytest.raises(DecodeError):
                explain(bytes.fromhex(case["input"]))


def test_trees_through_the_command(vectors: Callable[[str], Any], capsys: pytest.CaptureFixture[str]) -> None:
    for case in cases(vectors, "tlv_decode", "tlv_decode_nested", "tlv_tree"):
        assert main(["emv", "decode", "--json", case["input"]]) == 0
        assert as_expected(json.loads(capsys.readouterr().out), case["expected"]) == case["expected"], case[
            "id"
        ]


def as_expected(nodes: list[Any], expected: Any) -> Any:
    """Bring nodes into the form of a case: a mapping by tag, or pairs."""
    pairs = []
    for place, node in enumerate(nodes):
        inner = expected.get(node["tag"]) if isinstance(expected, dict) else expected[place][1]
        pairs.append(
            [node["tag"], node["value"] if isinstance(inner, str) else as_expected(node["children"], inner)]
        )
    return dict(pairs) if isinstance(expected, dict) else pairs


def test_faults_through_the_command(
    vectors: Callable[[str], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    for case in cases(vectors, "tlv_malformed", "tlv_quirk", "tlv_padding"):
        assert main(["emv", "decode", "--json", case["input"]]) == 1
        error = json.loads(capsys.readouterr().out)["error"]
        assert set(error) == {"message", "offset", "tag"}
        if "tag" in case["expected"]:
            assert (error["tag"], error["offset"]) == (case["expected"]["tag"], case["expected"]["offset"])


def test_values_encode(vectors: Callable[[str], Any]) -> None:
    encoders: dict[str, Callable[[str, int], bytes]] = {
        "cn": encode_cn,
        "n": lambda text, length: encode_n(int(text), length),
    }
    for case in cases(vectors, "format_encode"):
        assert encoders[case["format"]](case["input"], case["length"]).hex().upper() == case["expected"]
    for case in cases(vectors, "tlv_encode"):
        pairs = [(int(tag, 16), bytes.fromhex(value)) for tag, value in case["input"].items()]
        assert tlv.encode(pairs).hex().upper() == case["expected"]


def test_fields(vectors: Callable[[str], Any]) -> None:
    for case in cases(vectors, "field_decode"):
        tag, value, expected = int(case["tag"], 16), bytes.fromhex(case["input"]), case["expected"]
        meaning = explain_field(tag, value, ENGLISH).meaning
        if tag == 0x8E:
            found = CvmList.decode(value)
            assert (found.x_minor, found.y_minor) == (expected["x"], expected["y"])
            rules = [
                (f"{rule.method:02X}", f"{rule.condition:02X}", "next" if rule.next_if_fails else "fail")
                for rule in found.rules
            ]
            assert rules == [(rule["cvm"], rule["cond"], rule["on_fail"]) for rule in expected["rules"]]
            assert len(meaning) == len(rules) + 1
        else:
            texts = expected["bits"] if "bits" in expected else expected.values()
            for text in texts:
                assert means(meaning, re.sub(r"^B\db\d ", "", text)), (case["id"], text, meaning)


def test_faulty_fields(vectors: Callable[[str], Any], capsys: pytest.CaptureFixture[str]) -> None:
    for case in cases(vectors, "field_malformed"):
        assert main(["emv", "decode", "--json", "--tag", case["tag"], case["input"]]) == 1, case["id"]
        assert json.loads(capsys.readouterr().out)["error"]["tag"] == case["tag"]


def test_lists(vectors: Callable[[str], Any]) -> None:
    for case in cases(vectors, "dol_parse"):
        entries, expected = dol.decode(bytes.fromhex(case["input"])), case["expected"]
        children = explain_field(0x9F38, bytes.fromhex(case["input"])).children
        assert [(child.tag, child.length) for child in children] == [
            (entry.tag, entry.length) for entry in entries
        ]
        for key, number in expected.items():
            if key == "total_length":
                assert dol.length(entries) == number
            else:
                tag = int(key.removeprefix("entries_with_tag_"), 16)
                assert sum(entry.tag == tag for entry in entries) == number
    for case in cases(vectors, "tag_list"):
        node = explain_field(0x9F4A, bytes.fromhex(case["input"]))
        assert [f"{child.tag:02X}" for child in node.children] == case["expected"]


def test_applications(vectors: Callable[[str], Any]) -> None:
    for case in cases(vectors, "aid_lookup"):
        found = aid.look_up(bytes.fromhex(case["input"]))
        assert found is not None, case["id"]
        expected = case["expected"]
        assert found.scheme.upper().replace(" ", "") == expected["scheme"].replace(" ", ""), case["id"]
        assert found.product.upper().replace(" ", "") == expected["product"].replace(" ", ""), case["id"]


def test_answers_to_reset(vectors: Callable[[str], Any]) -> None:
    for case in cases(vectors, "atr"):
        atr = Atr.decode(bytes.fromhex(case["input"]))
        reasons, expected = atr.reasons(), case["expected"]
        assert bool(reasons) is not expected["emv_compliant"], case["id"]
        if reasons:
            assert means(reasons, expected["reason"].replace("=", " ")), (case["id"], reasons)


def test_every_kind_is_checked(vectors: Callable[[str], Any]) -> None:
    kinds = {case["kind"] for case in vectors("tlv_decode.json")["cases"]}
    assert kinds == {
        *(
            "decode_text",
            "tlv_decode",
            "tlv_decode_nested",
            "tlv_tree",
            "tlv_malformed",
            "tlv_quirk",
            "tlv_padding",
        ),
        *(
            "tlv_encode",
            "format_encode",
            "field_decode",
            "field_malformed",
            "dol_parse",
            "tag_list",
            "aid_lookup",
        ),
        "atr",
    }


def test_what_cards_answered_is_explained_without_a_number(
    vectors: Callable[[str], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    for case in vectors("transcripts.json")["cases"]:
        for exchange in case.get("exchanges", ()):
            answer = exchange["r"] or ""
            if not re.fullmatch("([0-9A-Fa-f]{2})*", answer):
                continue  # masked or cut by its source
            answer = answer[:-4]
            if not answer.strip("0"):
                continue  # a status word alone
            code = main(["emv", "decode", "--json", answer])
            out = capsys.readouterr().out
            try:
                objects = list(tlv.walk(tlv.decode(bytes.fromhex(answer))))
            except DecodeError:
                assert code == 1
                continue
            assert code == 0
            json.loads(out)
            for tag, value in objects:
                digits = value.hex().upper()
                number = (
                    digits.rstrip("F") if tag == 0x5A else digits.partition("D")[0] if tag == 0x57 else ""
                )
                assert len(number) < 12 or number not in out
