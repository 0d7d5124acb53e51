"""Records as bytes: what comes back, and what can't be changed unnoticed."""

import dataclasses
from collections.abc import Mapping

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.cose import Sign1, sign
from offline_queue.errors import CardDataError, ChainBrokenError, RecordError, SealError, SignatureError
from offline_queue.record import (
    CONTENT_TYPE,
    Record,
    RecordKind,
    chain_head,
    genesis_head,
    seal_binding,
)
from offline_queue.sealing import Opener, Sealer
from offline_queue.signing import SigningKey
from offline_queue.summary import Summary, looks_like_card_number

KEY = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
KEYS = {KEY.key_id: KEY.public_key}
HOST = Opener.generate()
SEALER = Sealer(HOST.public_bytes())


def make(
    *,
    sequence: int = 1,
    kind: RecordKind = RecordKind.INTENT,
    attempt: str = "T1-00000001",
    summary: Summary | None = None,
    secret: bytes = b"",
    time_ms: int = 1_700_000_000_000,
) -> Record:
    return Record.create(
        signer=KEY,
        sealer=SEALER,
        terminal_id="T1",
        sequence=sequence,
        previous_head=genesis_head("T1"),
        kind=kind,
        attempt=attempt,
        time_ms=time_ms,
        summary=summary if summary is not None else {"order": "7", "amount": 1250, "deferred": False},
        secret=secret,
    )


def body_of(contents: Mapping[str, object]) -> Sign1:
    """Sign a body that `Record.create` would not make, as a terminal with a fault of its own would."""
    body = cbor2.dumps(dict(contents), canonical=True)
    previous = genesis_head("T1")
    return sign(KEY, CONTENT_TYPE, body, linked=previous, external_aad=chain_head(previous, body))


def contents_of(record: Record) -> dict[str, object]:
    contents = cbor2.loads(record.body)
    assert isinstance(contents, dict)
    return dict(contents)


plain_text = st.text(max_size=20).filter(lambda text: not looks_like_card_number(text))
summaries = st.dictionaries(
    plain_text,
    st.one_of(plain_text, st.integers(-(10**12) + 1, 10**12 - 1), st.booleans(), st.none()),
    max_size=6,
)


@given(
    sequence=st.integers(1, 2**63 - 1),
    kind=st.sampled_from(RecordKind),
    attempt=st.text(max_size=20),
    summary=summaries,
    secret=st.binary(max_size=300),
    time_ms=st.integers(0, 2**63 - 1),
)
def test_what_is_encoded_comes_back(
    sequence: int, kind: RecordKind, attempt: str, summary: Summary, secret: bytes, time_ms: int
) -> None:
    record = make(
        sequence=sequence, kind=kind, attempt=attempt, summary=summary, secret=secret, time_ms=time_ms
    )
    back = Record.decode(record.encode(), KEYS)
    assert back == record
    assert (back.sequence, back.kind, back.attempt, back.time_ms) == (sequence, kind, attempt, time_ms)
    assert dict(back.summary) == dict(summary)
    if secret:
        assert HOST.open(back.sealed, seal_binding("T1", sequence)) == secret
    else:
        assert back.sealed == b""


def test_the_bytes_of_a_record_never_change() -> None:
    """Frozen: a terminal in the field holds these bytes, and must be able to read them after an update."""
    record = make()
    assert record.key_id == "56475aa75463474c"
    assert record.head.hex() == FROZEN_HEAD
    assert record.encode().hex() == FROZEN
    assert Record.decode(bytes.fromhex(FROZEN), KEYS) == record


def test_any_cose_library_can_check_a_record() -> None:
    record = make()
    tagged = cbor2.loads(record.encode())
    assert tagged.tag == 18
    protected, unprotected, payload, signature = tagged.value
    assert cbor2.loads(protected) == {1: -8, 3: CONTENT_TYPE, 4: bytes.fromhex(KEY.key_id)}
    assert unprotected == {-65537: genesis_head("T1")}
    signed = cbor2.dumps(["Signature1", protected, record.head, payload])
    KEY.public_key.verify(signature, signed)


def test_cut_short_anywhere_is_no_record() -> None:
    data = make(secret=b"s" * 40).encode()
    for length in range(len(data)):
        with pytest.raises(RecordError):
            Record.decode(data[:length], KEYS)
    with pytest.raises(RecordError):
        Record.decode(data + b"\x00", KEYS)


def test_no_single_bit_can_be_turned() -> None:
    data = make(secret=b"s").encode()
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((RecordError, SignatureError)):
            Record.decode(bytes(changed), KEYS)


@given(st.binary(max_size=400))
def test_noise_is_no_record(noise: bytes) -> None:
    with pytest.raises((RecordError, SignatureError)):
        Record.decode(noise, KEYS)


@given(st.binary(max_size=60))
def test_a_signed_body_of_noise_is_no_record(noise: bytes) -> None:
    previous = genesis_head("T1")
    signed = sign(KEY, CONTENT_TYPE, noise, linked=previous, external_aad=chain_head(previous, noise))
    with pytest.raises(RecordError):
        Record.decode(signed.encode(), KEYS)


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"sequence": 0},
        {"sequence": -1},
        {"sequence": True},
        {"sequence": 2**64},
        {"time_ms": -1},
        {"kind": "gift"},
        {"terminal": b"T1"},
        {"summary": []},
        {"summary": {"nested": {}}},
        {"summary": {1: "a"}},
        {"sealed": "text"},
        {"more": 1},
    ],
)
def test_a_signed_body_must_have_every_field_in_its_form(change: Mapping[str, object]) -> None:
    contents = contents_of(make()) | dict(change)
    with pytest.raises(RecordError):
        Record.decode(body_of(contents).encode(), KEYS)


def test_a_signed_body_must_be_deterministic() -> None:
    contents = contents_of(make())
    body = cbor2.dumps(dict(reversed(contents.items())))
    previous = genesis_head("T1")
    signed = sign(KEY, CONTENT_TYPE, body, linked=previous, external_aad=chain_head(previous, body))
    with pytest.raises(RecordError, match="deterministic"):
        Record.decode(signed.encode(), KEYS)


def test_nothing_is_parsed_before_its_signature_holds() -> None:
    """The body is no CBOR at all, and still what is reported is the signature."""
    bad = Sign1(Sign1.decode(make().encode()).protected, genesis_head("T1"), b"\xff", bytes(64))
    with pytest.raises(SignatureError):
        Record.decode(bad.encode(), KEYS)


def test_another_key_is_refused() -> None:
    other = SigningKey.generate()
    with pytest.raises(SignatureError):
        Record.decode(make().encode(), {other.key_id: other.public_key})
    with pytest.raises(SignatureError):
        Record.decode(make().encode(), {})
    with pytest.raises(SignatureError):
        make().verify_signature(other.public_key)


def test_a_signature_holds_in_one_place_of_the_chain_only() -> None:
    record = make()
    signed = Sign1.decode(record.encode())
    moved = dataclasses.replace(signed, linked=record.head)
    with pytest.raises(SignatureError):
        Record.decode(moved.encode(), KEYS)
    record.verify_link(genesis_head("T1"))
    with pytest.raises(ChainBrokenError):
        record.verify_link(genesis_head("T2"))


@pytest.mark.parametrize("field", ["body", "previous_head", "head", "signature"])
def test_a_stored_record_can_not_be_changed(field: str) -> None:
    record = make()
    stored = {
        "body": record.body,
        "previous_head": record.previous_head,
        "head": record.head,
        "signature": record.signature,
    }
    Record.from_stored(**stored, key_id=record.key_id).verify_signature(KEY.public_key)
    stored[field] = bytes(len(stored[field]))
    with pytest.raises((ChainBrokenError, SignatureError)):
        Record.from_stored(**stored, key_id=record.key_id).verify_signature(KEY.public_key)


def test_a_seal_opens_only_in_its_place_and_for_its_host() -> None:
    sealed = make(secret=b"4761739001010119").sealed
    assert b"4761739001010119" not in sealed
    assert HOST.open(sealed, seal_binding("T1", 1)) == b"4761739001010119"
    for opener, binding in (
        (HOST, seal_binding("T1", 2)),
        (HOST, seal_binding("T2", 1)),
        (Opener.generate(), seal_binding("T1", 1)),
    ):
        with pytest.raises(SealError):
            opener.open(sealed, binding)
    for length in range(len(sealed)):
        with pytest.raises(SealError):
            HOST.open(sealed[:length], seal_binding("T1", 1))


def test_a_card_number_never_gets_into_a_summary() -> None:
    with pytest.raises(CardDataError):
        make(summary={"pan": "4761739001010119"})
    contents = contents_of(make())
    contents["summary"] = {"pan": "4761739001010119"}
    with pytest.raises(CardDataError):
        Record.decode(body_of(contents).encode(), KEYS)


def test_a_record_can_not_be_changed_in_hand() -> None:
    record = make()
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.sequence = 2  # type: ignore[misc]
    with pytest.raises(TypeError):
        record.summary["amount"] = 1  # type: ignore[index]


FROZEN_HEAD = "9956bb22993ae00151dec578b810779ba41953f878257133d1f98335099ceed3"
FROZEN = (
    "d284582fa3012703781f6170706c69636174696f6e2f766e642e74696c6c736964652e7265636f7264044856475aa754"
    "63474ca13a000100005820d7bcc2a8bc2665ba4068e5ffbef0809f16f37a0d8a7ef7bead4a2b8bdc4a50575878a86176"
    "01646b696e6466696e74656e74667365616c65644067617474656d70746b54312d30303030303030316773756d6d6172"
    "79a3656f72646572613766616d6f756e741904e2686465666572726564f46774696d655f6d731b0000018bcfe5680068"
    "73657175656e636501687465726d696e616c62543158405929e2472e22ee0f4bfdeca55657afe51f4d868b1952fbb4b0"
    "a88e74eda8fbf17a85922a765032afc97a0ddc48788234b0af0c11600b877506bbc7147edfb305"
)
