"""Keys in files, and the messages of the host API that they sign."""

import hashlib
import pickle
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from offline_queue.errors import RecordError, SignatureError
from offline_queue.sealing import Opener, Sealer
from offline_queue.signing import PublicKey, SigningKey, answer_message, request_message


def test_a_key_survives_in_a_file_that_only_its_owner_can_read(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    key = SigningKey.create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = SigningKey.load(path)
    assert again.key_id == key.key_id
    key.public_key.verify(again.sign(b"message"), b"message")
    with pytest.raises(SignatureError):
        key.public_key.verify(again.sign(b"message"), b"another")


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    key = SigningKey.create(path)
    with pytest.raises(FileExistsError):
        SigningKey.create(path)
    assert SigningKey.load(path).key_id == key.key_id


@pytest.mark.parametrize("load", [SigningKey.load, Opener.load])
def test_a_file_that_others_can_read_is_refused_with_the_cure(
    tmp_path: Path, load: Callable[[Path], object]
) -> None:
    path = tmp_path / "key"
    SigningKey.create(path)
    path.chmod(0o640)
    with pytest.raises(RecordError, match=f"chmod 600 {path}"):
        load(path)


@pytest.mark.parametrize("load", [SigningKey.load, Opener.load])
def test_a_file_without_a_key_is_refused(tmp_path: Path, load: Callable[[Path], object]) -> None:
    path = tmp_path / "key"
    path.touch(mode=0o600)
    with pytest.raises(RecordError, match="no private key"):
        load(path)


def test_one_sort_of_key_is_not_taken_for_another(tmp_path: Path) -> None:
    SigningKey.create(tmp_path / "signing.key")
    Opener.create(tmp_path / "sealing.key")
    with pytest.raises(RecordError, match="not X25519"):
        Opener.load(tmp_path / "signing.key")
    with pytest.raises(RecordError, match="not Ed25519"):
        SigningKey.load(tmp_path / "sealing.key")
    with pytest.raises(RecordError):
        PublicKey(b"short")
    with pytest.raises(RecordError):
        Sealer(b"short")


def test_a_host_opens_after_a_restart_what_was_sealed_before(tmp_path: Path) -> None:
    sealed = Sealer(Opener.create(tmp_path / "key").public_bytes()).seal(b"secret", b"place")
    assert Opener.load(tmp_path / "key").open(sealed, b"place") == b"secret"


def test_private_keys_show_and_pickle_nothing() -> None:
    key = SigningKey.generate()
    assert repr(key) == f"SigningKey({key.key_id})"
    for secret in (key, Opener.generate()):
        with pytest.raises(TypeError):
            pickle.dumps(secret)


def test_the_key_id_is_the_hash_of_the_public_key() -> None:
    key = SigningKey.generate().public_key
    assert key.key_id == hashlib.sha256(key.to_bytes()).hexdigest()[:16]
    assert PublicKey(key.to_bytes()) == key


def test_the_messages_of_the_host_api() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert request_message("POST", "/v1/sync", "17", b"") == (
        f"tillside-request-v1\nPOST\n/v1/sync\n17\n{empty}".encode()
    )
    assert answer_message(b"", b"") == f"tillside-answer-v1\n{empty}\n{empty}".encode()


def test_a_key_for_one_purpose_is_always_the_same_and_is_no_other(tmp_path: Path) -> None:
    path = tmp_path / "terminal.key"
    key = SigningKey.create(path)
    assert len(key.derive(b"one")) == 32
    assert key.derive(b"one") == SigningKey.load(path).derive(b"one")
    assert key.derive(b"one") not in (key.derive(b"two"), SigningKey.generate().derive(b"one"))
