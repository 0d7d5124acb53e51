"""Acknowledgements as bytes."""

from collections.abc import Mapping

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.acknowledgement import CONTENT_TYPE, Acknowledgement, Refusal
from offline_queue.cose import Sign1, sign
from offline_queue.errors import RecordError, SignatureError
from offline_queue.record import CONTENT_TYPE as RECORD_CONTENT_TYPE
from offline_queue.record import genesis_head
from offline_queue.signing import SigningKey

HOST = SigningKey.generate()
HEAD = genesis_head("T1")


def make() -> Acknowledgement:
    return Acknowledgement.issue(
        HOST,
        terminal_id="T1",
        through=3,
        head=HEAD,
        refused=(Refusal(2, "no amount"),),
        settled={"T1-00000001": "approved", "T1-00000002": "declined"},
    )


@given(
    through=st.integers(0, 2**63 - 1),
    head=st.binary(min_size=32, max_size=32),
    refused=st.lists(st.builds(Refusal, st.integers(1, 2**63 - 1), st.text(max_size=9)), max_size=3),
    settled=st.dictionaries(st.text(max_size=9), st.sampled_from(["approved", "declined"]), max_size=3),
)
def test_what_is_encoded_comes_back(
    through: int, head: bytes, refused: list[Refusal], settled: dict[str, str]
) -> None:
    given = Acknowledgement.issue(
        HOST, terminal_id="T1", through=through, head=head, refused=tuple(refused), settled=settled
    )
    assert Acknowledgement.decode(given.encode(), HOST.public_key) == given
    assert (given.through, given.head, given.refused) == (through, head, tuple(refused))
    assert dict(given.settled) == settled


def test_any_cose_library_can_check_one() -> None:
    protected, unprotected, payload, signature = cbor2.loads(make().encode()).value
    assert unprotected == {}
    HOST.public_key.verify(signature, cbor2.dumps(["Signature1", protected, b"", payload]))


def test_cut_short_or_with_any_bit_turned_it_is_refused() -> None:
    data = make().encode()
    for length in range(len(data)):
        with pytest.raises(RecordError):
            Acknowledgement.decode(data[:length], HOST.public_key)
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((RecordError, SignatureError)):
            Acknowledgement.decode(bytes(changed), HOST.public_key)


def test_another_host_is_refused() -> None:
    with pytest.raises(SignatureError):
        Acknowledgement.decode(make().encode(), SigningKey.generate().public_key)


def test_what_the_host_signed_as_something_else_is_refused() -> None:
    payload = Sign1.decode(make().encode()).payload
    with pytest.raises(SignatureError):
        Acknowledgement.decode(sign(HOST, RECORD_CONTENT_TYPE, payload).encode(), HOST.public_key)


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"through": -1},
        {"head": b"short"},
        {"refused": [1]},
        {"refused": [[0, "reason"]]},
        {"refused": [[True, "reason"]]},
        {"refused": [[1, 2]]},
        {"settled": {"T1-00000001": "perhaps"}},
        {"settled": {"T1-00000001": ["approved"]}},
        {"settled": {b"T1-00000001": "approved"}},
        {"terminal": 1},
        {"more": 1},
    ],
)
def test_every_field_must_have_its_form(change: Mapping[str, object]) -> None:
    contents = cbor2.loads(Sign1.decode(make().encode()).payload)
    assert isinstance(contents, dict)
    signed = sign(HOST, CONTENT_TYPE, cbor2.dumps(contents | dict(change), canonical=True))
    with pytest.raises(RecordError):
        Acknowledgement.decode(signed.encode(), HOST.public_key)
