"""Card data shows its mask everywhere."""

import copy
import json
import pickle
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv.errors import DecodeError
from emv.sensitive import Pan, SensitiveBytes, Track2

NUMBER = "4761739001010119"
TRACK = bytes.fromhex("4761739001010119D27122011234567F")
SECRETS = [Pan(NUMBER), Track2(TRACK), SensitiveBytes(TRACK)]


@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: type(secret).__name__)
def test_a_secret_prints_a_mask(secret: Pan | Track2 | SensitiveBytes) -> None:
    shown = f"{secret} {secret!r} {secret!s:>40} {[secret]} {secret:40}" + "%s" % secret  # noqa: UP031
    assert "900101" not in shown
    assert "D2712" not in shown
    assert repr(TRACK) not in shown
    assert not hasattr(secret, "__dict__")


@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: type(secret).__name__)
@pytest.mark.parametrize("leak", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps])
def test_a_secret_is_not_copied_or_stored(
    secret: Pan | Track2 | SensitiveBytes, leak: Callable[[object], object]
) -> None:
    with pytest.raises(TypeError):
        leak(secret)


def test_reveal_gives_the_value() -> None:
    track = Track2(TRACK)
    assert Pan(NUMBER).reveal() == NUMBER
    assert track.reveal() == TRACK
    assert SensitiveBytes(TRACK).reveal() == TRACK
    assert (track.pan, track.expiry, track.service_code) == (Pan(NUMBER), "2712", "201")


def test_secrets_compare_by_value_and_type() -> None:
    assert Pan(NUMBER) == Pan.decode(bytes.fromhex(NUMBER))
    assert Pan(NUMBER) != Pan("4761739001010010")
    assert Pan(NUMBER) != NUMBER
    assert SensitiveBytes(b"1") != b"1"
    assert Track2(TRACK) != TRACK
    assert len({SensitiveBytes(b"1"), SensitiveBytes(b"1"), Track2(TRACK), Track2(TRACK)}) == 2


def test_masks_keep_what_a_receipt_shows() -> None:
    assert str(Pan(NUMBER)) == "476173******0119"
    assert str(Pan("12345678")) == "****5678"
    assert str(Pan("123456789012")) == "********9012"
    assert str(Pan("1234567890123")) == "123456***0123"
    assert str(Track2(TRACK)) == "476173******0119=****"


@given(st.binary(max_size=24))
def test_any_bytes_decode_or_raise_decode_error(raw: bytes) -> None:
    for kind in (Track2, Pan.decode):
        with suppress(DecodeError):
            kind(raw)


def test_an_error_does_not_quote_the_card() -> None:
    with pytest.raises(DecodeError) as caught:
        Track2(bytes.fromhex("4761739001010119D2A12201"))
    assert "476173" not in str(caught.value)


@pytest.mark.parametrize("digits", ["", "1234567", "1" * 20, "47617390010101x9", "４761739001010119"])
def test_what_is_no_card_number_is_refused(digits: str) -> None:
    with pytest.raises(DecodeError):
        Pan(digits)


@pytest.mark.parametrize("raw", ["", "4761739001010119", "4761739001010119D271", "4761739001010119D2A12201"])
def test_what_is_no_track_is_refused(raw: str) -> None:
    with pytest.raises(DecodeError):
        Track2(bytes.fromhex(raw))
