"""CA keys: what a key file may hold, and what is refused, left out and told."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv.capk import NO_CA_KEYS, CaKey, CaKeyError, CaKeys, Revoked, parse_ca_keys
from emv.rsa import PublicKey
from simulators.scheme import ca_keys_json, keys

RID = "A000000003"


def entry(index: str = "E1", **changes: object) -> dict[str, object]:
    """One key of the test scheme as a file has it."""
    key = keys.ca_key("visa", int(index, 16))
    modulus, exponent = key.modulus.hex().upper(), key.exponent_bytes.hex().upper()
    return {"rid": RID, "index": index, "modulus": modulus, "exponent": exponent} | changes


def summed(fields: dict[str, Any]) -> str:
    covered = fields["rid"] + fields["index"] + fields["modulus"] + fields["exponent"]
    return hashlib.sha1(bytes.fromhex(covered), usedforsecurity=False).hexdigest()


def test_keys_of_the_test_scheme_are_read_whole() -> None:
    found = parse_ca_keys(ca_keys_json())
    assert found
    assert found.left_out == ()
    assert len(found) == len(list(found)) == len(json.loads(ca_keys_json())["keys"])
    key = found.find(bytes.fromhex(RID), 0xE4)
    assert key
    assert key.key == PublicKey(keys.ca_key("visa", 0xE4).modulus, 65537)
    assert (key.rid.hex().upper(), key.index, key.name) == (RID, 0xE4, "A000000003/E4")
    old = found.find(bytes.fromhex(RID), 0xE5)
    assert old
    assert old.expiry == datetime.date(2020, 12, 31)
    assert found.is_revoked(bytes.fromhex(RID), 0xE1, keys.REVOKED_SERIAL)
    assert not found.is_revoked(bytes.fromhex(RID), 0xE2, keys.REVOKED_SERIAL)
    assert found.find(bytes.fromhex(RID), 0x00) is None
    assert not NO_CA_KEYS


@pytest.mark.parametrize(
    "form", [lambda keys: keys, lambda keys: {"keys": keys}, lambda keys: {"cases": keys}]
)
def test_file_is_a_list_or_has_one(form: Callable[[list[object]], object]) -> None:
    fields = entry(ambiguous=False, sources=["here"], note="anything")
    fields |= {"sha1_published": None, "sha1_computed": summed(fields).upper()}
    assert len(parse_ca_keys(json.dumps(form([fields])))) == 1


def test_same_key_twice_is_one_key_and_another_one_is_an_error() -> None:
    assert len(parse_ca_keys(json.dumps([entry(), entry()]))) == 1
    other = entry("E2") | {"index": "E1"}
    with pytest.raises(CaKeyError, match="CA key A000000003/E1 comes twice, and differs"):
        parse_ca_keys(json.dumps([entry(), other]))
    later = entry(expiry="2030-01-01")
    with pytest.raises(CaKeyError, match="comes twice"):
        parse_ca_keys(json.dumps([entry(), later]))


def ambiguous(index: str, like: str, **changes: object) -> dict[str, object]:
    fields = entry(like) | {"index": index, "ambiguous": True} | changes
    return fields | ({"sha1_published": summed(fields)} if changes.get("sha1_published") else {})


def test_of_ambiguous_keys_the_one_counts_that_was_published_with_a_check_sum() -> None:
    chosen = ambiguous("E1", "E2", sha1_published=True, sources=["one"])
    found = parse_ca_keys(json.dumps([ambiguous("E1", "E1", sources=["one", "two"]), chosen]))
    key = found.find(bytes.fromhex(RID), 0xE1)
    assert key
    assert key.key.modulus == keys.ca_key("visa", 0xE2).modulus
    assert found.left_out == ("CA key A000000003/E1: ambiguous, the one of 1984 bits with exponent 03",)


def test_of_several_such_the_one_counts_that_more_sources_name() -> None:
    many = ambiguous("E1", "E2", sha1_published=True, sources=["one", "two"])
    few = ambiguous("E1", "E3", sha1_published=True, sources=["three"])
    key = parse_ca_keys(json.dumps([few, many])).find(bytes.fromhex(RID), 0xE1)
    assert key
    assert key.key.modulus == keys.ca_key("visa", 0xE2).modulus


@pytest.mark.parametrize(
    "changes", [{"sha1_published": True, "sources": ["one"]}, {"sources": ["one", "two"]}, {}]
)
def test_ambiguous_keys_of_equal_standing_are_left_out(changes: dict[str, object]) -> None:
    found = parse_ca_keys(json.dumps([ambiguous("E1", "E2", **changes), ambiguous("E1", "E4", **changes)]))
    assert not found
    assert found.left_out == (
        "CA key A000000003/E1: ambiguous, the one of 1408 bits with exponent 03",
        "CA key A000000003/E1: ambiguous, the one of 1408 bits with exponent 010001",
    )


def test_sources_alone_do_not_make_a_key_certain() -> None:
    many, few = ambiguous("E1", "E2", sources=["one", "two"]), ambiguous("E1", "E3", sources=["three"])
    assert not parse_ca_keys(json.dumps([many, few]))


def test_keys_that_emv_no_longer_has_are_left_out() -> None:
    found = parse_ca_keys(json.dumps([entry(exponent="02"), entry("E2", modulus="00" + "FF" * 100)]))
    assert not found
    assert found.left_out == (
        "CA key A000000003/E1: the exponent is neither 3 nor 65537",
        "CA key A000000003/E2: no modulus of an RSA key of 512 to 1984 bits",
    )


@pytest.mark.parametrize("field", ["checksum", "sha1_published", "sha1_computed"])
def test_wrong_check_sum_is_refused_by_name(field: str) -> None:
    good = summed(entry("E2"))
    assert parse_ca_keys(json.dumps([entry("E2", **{field: good})]))
    bad = f"{int(good, 16) ^ 1:040x}"
    with pytest.raises(CaKeyError, match=rf"CA key A000000003/E2: its check sum \({field}\)"):
        parse_ca_keys(json.dumps([entry(), entry("E2", **{field: bad})]))


REVOKED = {"rid": RID, "index": "E1", "serial": "0BAD01"}
WRONG: list[tuple[object, str]] = [
    ("text", "neither a list nor an object"),
    ({"keys": {}}, 'no list under "keys"'),
    ({"revoked": 1}, 'no list under "revoked"'),
    ([1], "CA key ./.: the entry is no object"),
    ([{}], 'CA key ./.: "rid" is not there or not hexadecimal'),
    ([entry(modulus="no")], 'A000000003/E1: "modulus" is not there or not hexadecimal'),
    ([entry(modulus=3)], '"modulus" is not there or not hexadecimal'),
    ([entry(checksum="xx")], '"checksum" is not there or not hexadecimal'),
    ([entry(rid="A0")], "a RID has five bytes"),
    ([entry() | {"index": "0102"}], "an index has one"),
    ([entry(expiry="31.12.2030")], '"expiry" is not a day'),
    ([entry(expiry=2030)], '"expiry" is not a day'),
    ({"revoked": ["x"]}, "revoked certificate under ./.: the entry is no object"),
    ({"revoked": [REVOKED | {"serial": "01"}]}, "a serial number has three bytes"),
    ({"revoked": [REVOKED | {"rid": None}]}, '"rid" is not there'),
]


@pytest.mark.parametrize(("content", "message"), WRONG)
def test_file_that_is_wrong_says_where(content: object, message: str) -> None:
    with pytest.raises(CaKeyError, match=message):
        parse_ca_keys(json.dumps(content))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_text_that_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(CaKeyError, match="not JSON"):
        parse_ca_keys(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["keys", "cases", "revoked", "rid", "index", "modulus"]), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=100)
@given(JSON)
def test_any_json_is_read_or_refused(content: object) -> None:
    try:
        parse_ca_keys(json.dumps(content))
    except CaKeyError:
        pass


def test_keys_in_code_follow_the_same_rule() -> None:
    key = CaKey(b"\xa0\0\0\0\3", 1, PublicKey(keys.ca_key("visa", 0xE1).modulus, 3))
    other = CaKey(b"\xa0\0\0\0\3", 1, PublicKey(keys.ca_key("visa", 0xE2).modulus, 3))
    assert len(CaKeys([key, key], [Revoked(key.rid, 1, b"123")])) == 1
    with pytest.raises(CaKeyError):
        CaKeys([key, other])


def test_published_keys_are_read_with_their_check_sums(vectors: Callable[[str], Any]) -> None:
    content = vectors("ca_keys.json")
    found = parse_ca_keys(json.dumps(content))
    for case in content["cases"]:
        key = found.find(bytes.fromhex(case["rid"]), int(case["index"], 16))
        name = f"CA key {case['rid']}/{case['index']}"
        if key is None or key.key.modulus != bytes.fromhex(case["modulus"]):
            assert any(line.startswith(name) for line in found.left_out), name
            assert case["ambiguous"] or case["exponent"] == "02"
    assert len(found) + len(found.left_out) == len(content["cases"])
    for case in content["cases"]:
        damaged = case | {"modulus": case["modulus"][:-1] + ("1" if case["modulus"][-1] != "1" else "3")}
        with pytest.raises(CaKeyError, match=f"{case['rid']}/{case['index']}"):
            parse_ca_keys(json.dumps([damaged]))


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("{", "give a list of keys"),
        ("5", "give a list of keys"),
        ('[{"rid": "A000000003", "index": "94"}]', "copy the entry anew"),
        (
            '[{"rid": "A000000003", "index": "94", "modulus": "C1", "exponent": "03", "checksum": "00"}]',
            "copy the entry anew",
        ),
    ],
)
def test_a_refusal_says_what_to_do(text: str, remedy: str) -> None:
    with pytest.raises(CaKeyError, match=remedy):
        parse_ca_keys(text)
