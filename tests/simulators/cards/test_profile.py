"""Profiles: every file makes a card, and what is wrong in one is told."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from drivers.address import parse
from drivers.errors import DeviceUnavailableError
from simulators import scheme
from simulators.cards import profile
from simulators.cards.card import AsksForTime, SimulatedCard, atr_from_ats, historical_bytes
from simulators.cards.misbehaving import GetResponseCard, WrongLengthCard
from simulators.cards.visa import VisaCard
from simulators.readers import in_process

Purchase = Callable[..., tuple[bytes | None, bytes]]
SELECT_PPSE = bytes.fromhex("00A404000E325041592E5359532E444446303100")
WHOLE = [name for name in profile.profiles() if name.startswith("visa")]
DECLINING = ("visa-decline",)


@pytest.mark.parametrize("name", profile.profiles())
def test_every_profile_is_a_card(name: str) -> None:
    card = profile.load(name)
    assert isinstance(card, SimulatedCard)
    card.power_on()
    answer = card.transmit(SELECT_PPSE)
    assert answer
    assert card.ats[0] == len(card.ats)
    assert card.atr == atr_from_ats(card.ats)


def test_each_load_is_a_card_of_its_own() -> None:
    assert profile.load("visa-approve") is not profile.load("visa-approve")


def test_the_profiles_that_others_count_on_are_there() -> None:
    assert {"visa-approve", "visa-decline", "visa-issuer-declines", "visa-torn", "visa-no-afl"} <= set(
        profile.profiles()
    )


@pytest.mark.parametrize("name", ["nosuch", "", "../visa-approve", "visa-approve.toml"])
def test_an_unknown_name_is_an_error(name: str) -> None:
    with pytest.raises(KeyError):
        profile.load(name)


MINE = '# Mine.\n[card]\npan = "4761739001010119"\n'


def test_a_file_of_ones_own_is_a_card(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text(MINE)
    assert isinstance(profile.load(str(file)), SimulatedCard)
    assert profile.describe(str(file)) == "Mine."
    reader = in_process.open(parse(f"sim:{file}"))
    assert reader.wait_for_card(Event(), timeout_s=0) is not None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[card", "Expected ']'"),
        ("", "card is missing"),
        ("card = 1", "card must be a table"),
        (MINE + "colour = 1", "unknown key colour; there are aid, "),
        (MINE + 'aid = "zz"', "aid: non-hexadecimal"),
        ("[card]\npan = 4761", "pan: must be str, not 4761"),
        ('[card]\nkind = "vsa"', "no kind of card is called vsa; there are visa, "),
        (MINE + '[directory]\nalso = ["nope"]', "nope is missing"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_name(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "my.toml"
    file.write_text(text)
    with pytest.raises(profile.ProfileError) as caught:
        profile.load(str(file))
    assert str(caught.value).startswith(f"{file}: {words}")
    with pytest.raises(DeviceUnavailableError, match=re.escape(f"mend the card: {file}: ")):
        in_process.open(parse(f"sim:{file}"))


def listing(*names: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "simulators.cards", *names]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_list_of_cards(tmp_path: Path) -> None:
    assert [line.split()[0] for line in listing().stdout.splitlines()] == list(profile.profiles())
    unknown = listing("visa-aprove")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert unknown.stderr.startswith("there is no card visa-aprove; did you mean visa-approve, ")
    (tmp_path / "my.toml").write_text("[card")
    broken = listing(str(tmp_path / "my.toml"))
    assert broken.returncode == 1
    assert broken.stderr.startswith(f"{tmp_path}/my.toml: Expected")
    assert len(broken.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "tables",
    [
        {"card": {"pan": "4761739001010119"}, "colour": {}},
        {"card": {"pan": "4761739001010119", "colour": "red"}},
        {"card": {"pan": "4761739001010119"}, "behaviour": {"explode": True}},
        {"card": {"pan": "4761739001010119", "cvm": ["smile"]}},
        {"card": {"pan": "4761739001010119", "pdol": "xyz"}},
    ],
)
def test_what_is_not_known_is_an_error(tables: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        profile.make(tables)


@pytest.mark.parametrize("name", [name for name in WHOLE if name not in DECLINING and "torn" not in name])
def test_every_card_makes_cryptograms_that_the_issuer_knows(name: str, purchase: Purchase) -> None:
    card = profile.load(name)
    if isinstance(card, GetResponseCard | WrongLengthCard):
        card = card.inner
    _, record = purchase(card)
    verdict = scheme.verify_arqc(record)
    assert verdict.genuine, verdict.reason
    assert verdict.approved == (name != "visa-issuer-declines")


def test_a_torn_card_leaves_once_and_its_counter_has_moved(purchase: Purchase) -> None:
    card = profile.load("visa-torn")
    assert purchase_or_none(card, purchase) is None
    answer = purchase_or_none(card, purchase)
    assert answer is not None
    assert b"\x9f\x36\x02\x00\x02" in answer


def purchase_or_none(card: SimulatedCard, purchase: Purchase) -> bytes | None:
    card.power_on()
    assert card.transmit(SELECT_PPSE)
    # The profile leaves on the third command: PPSE, application, options.
    fci = card.transmit(bytes.fromhex("00A4040007A000000003101000"))
    assert fci
    return card.transmit(
        bytes.fromhex("80A8000023832126000000000000000100000000000000027600000000000978260101000102030400")
    )


def test_a_card_hands_over_in_get_response() -> None:
    card = profile.load("visa-get-response")
    assert isinstance(card, GetResponseCard)
    card.power_on()
    answer = card.transmit(SELECT_PPSE)
    assert answer
    assert answer[0] == 0x61
    rest = card.transmit(bytes.fromhex("00C00000") + answer[1:])
    assert rest
    assert (rest[:1], rest[-2:]) == (b"\x6f", b"\x90\x00")
    assert len(rest) - 2 == answer[1]
    assert card.transmit(bytes.fromhex("00C0000000")) == b"\x69\x85"


def test_a_card_insists_on_the_right_length() -> None:
    card = profile.load("visa-wrong-length")
    card.power_on()
    answer = card.transmit(SELECT_PPSE)
    assert answer
    assert answer[0] == 0x6C
    again = card.transmit(SELECT_PPSE[:-1] + answer[1:])
    assert again
    assert len(again) - 2 == answer[1]


def test_a_slow_card_asks_for_time() -> None:
    assert isinstance(profile.load("visa-phone"), AsksForTime)
    assert not isinstance(VisaCard, AsksForTime)


@pytest.mark.parametrize(
    ("ats", "historical"), [("01", ""), ("0200", ""), ("0400AABB", "AABB"), ("0878807000545343", "545343")]
)
def test_historical_bytes_are_what_follows_the_interface_bytes(ats: str, historical: str) -> None:
    assert historical_bytes(bytes.fromhex(ats)) == bytes.fromhex(historical)


def test_the_atr_is_built_as_pcsc_says() -> None:
    assert atr_from_ats(bytes.fromhex("0200")).hex().upper() == "3B80800101"
