"""Every input that is kept, through its target: no fuzzer is needed for that."""

import pytest

from tests.fuzz.targets import CORPUS, TARGETS, corpus

MOST_FILES, MOST_BYTES = 500, 400_000


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_keeps_its_promise(name: str) -> None:
    kept = corpus(name)
    assert kept, f"tests/fuzz/corpus/{name} has no inputs"
    for path in kept:
        try:
            TARGETS[name](path.read_bytes())
        except Exception as error:
            error.add_note(f"with the input {path.relative_to(CORPUS)}")
            raise


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_takes_nothing_and_anything(name: str) -> None:
    for data in (b"", b"\0", b"\xff" * 100, bytes(range(256))):
        TARGETS[name](data)


def test_every_input_belongs_to_a_target_and_there_are_not_too_many() -> None:
    kept = [path for path in CORPUS.rglob("*") if path.is_file()]
    assert {path.parent.name for path in kept} == set(TARGETS)
    assert len(kept) <= MOST_FILES
    assert sum(path.stat().st_size for path in kept) <= MOST_BYTES
