"""What a status word says: those of the table, and those that count something."""

import pytest

from emv.status_words import STATUS, words


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (0x6101, "1 byte more can be fetched (GET RESPONSE)"),
        (0x6100, "256 bytes more can be fetched (GET RESPONSE)"),
        (0x6C1D, "wrong length: ask again for 29 bytes"),
        (0x63C0, "failed; 0 tries left"),
        (0x63C1, "failed; 1 try left"),
        (0x63B1, None),
        (0x1234, None),
    ],
)
def test_a_status_word_in_words(status: int, said: str | None) -> None:
    assert words(status) == said


@pytest.mark.parametrize("status", STATUS)
def test_the_table_holds(status: int) -> None:
    assert words(status) == STATUS[status]
