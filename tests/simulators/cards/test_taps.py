"""Every profile in a whole tap, by a terminal's hand that shares no code with card or terminal."""

import pytest

from simulators import scheme
from simulators.cards import profile
from simulators.cards.ber import objects
from simulators.cards.card import SimulatedCard
from simulators.cards.misbehaving import TornCard
from simulators.scheme import ISSUER_MASTER_KEY, keys
from simulators.scheme.cryptograms import issuer_authentication_data
from simulators.scheme.magstripe import cvc3
from simulators.scheme.make_keys import RIDS
from simulators.scheme.session_keys import card_key as card_key_of
from tests.simulators.cards.tapping import (
    ARQC,
    CDA,
    TC,
    Tap,
    Torn,
    begin,
    card_key,
    combined,
    command,
    fast,
    filled,
    generate_ac,
    issuer_key,
    send,
    tapped,
)
from tests.simulators.scheme.book2 import Key

NAMES = [name for name in profile.profiles() if not name.startswith("malicious")]
FLAWED = {
    "bad-issuer-hash": "issuer",
    "bad-issuer-signer": "issuer",
    "unknown-ca": "issuer",
    "bad-icc-hash": "card",
    "bad-signature-hash": "signature",
    "bad-signature-key": "signature",
}
SCHEMES = {rid: name for name, rid in RIDS.items()}
DECLINING = {
    "visa-decline",
    "mastercard-decline",
    "mastercard-wallet-locked",
    "unionpay-decline",
    "amex-decline",
}
DECLINING |= {"jcb-decline", "discover-decline"}
STRIPE = {"mastercard-magstripe"}


def ca_of(tap: Tap) -> Key:
    key = keys.ca_key(SCHEMES[tap.values["84"][:5].hex().upper()], tap.values["8F"][0])
    return Key(key.modulus, key.exponent)


def settled(name: str) -> tuple[SimulatedCard, Tap]:
    """Return a card that has been tapped; one that leaves is tapped once more."""
    card = profile.load(name)
    try:
        return card, tapped(card)
    except Torn:
        return card, tapped(card)


def authenticated(tap: Tap) -> bytes:
    key = card_key(tap, ca_of(tap))
    return fast(tap, key) if "9F69" in tap.values else combined(tap, key)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in STRIPE])
def test_a_whole_tap_ends_in_a_cryptogram(name: str) -> None:
    _, tap = settled(name)
    if "90" in tap.values and not any(name.endswith(flaw) for flaw in FLAWED) and "9F4B" in tap.values:
        authenticated(tap)
    elif "9F26" not in tap.values:
        card = profile.load(name)
        tap = tapped(card, asks=TC, changes={"9F66": "26804000"})
    verdict = scheme.verify_arqc(tap.record)
    assert verdict.reason == {
        **dict.fromkeys(DECLINING, "the card declined"),
        "visa-issuer-declines": "declined by the issuer",
    }.get(name, "approved")


@pytest.mark.parametrize(
    "name",
    [
        *(name for name in NAMES if any(name.endswith(flaw) for flaw in FLAWED)),
    ],
)
def test_a_flaw_is_where_the_profile_says(name: str) -> None:
    level = next(level for flaw, level in FLAWED.items() if name.endswith(flaw))
    _, tap = settled(name)
    if level == "issuer":
        with pytest.raises((AssertionError, KeyError)):
            issuer_key(tap, ca_of(tap))
        return
    issuer_key(tap, ca_of(tap))
    if level == "card":
        with pytest.raises(AssertionError):
            card_key(tap, ca_of(tap))
        return
    card_key(tap, ca_of(tap))
    with pytest.raises(AssertionError):
        authenticated(tap)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("visa-approve", 0x80),
        ("visa-offline", 0x40),
        ("visa-online-signed", 0x80),
        ("mastercard-approve", 0x40),
        ("mastercard-online", 0x80),
        ("mastercard-decline", 0x00),
        ("unionpay-approve", 0x40),
        ("unionpay-online", 0x80),
        ("amex-approve", 0x40),
        ("jcb-online", 0x80),
        ("discover-approve", 0x40),
    ],
)
def test_the_card_gives_what_its_profile_says(name: str, kind: int) -> None:
    assert settled(name)[1].values["9F27"] == bytes([kind])


@pytest.mark.parametrize(("name", "form"), [("visa-offline", 5), ("visa-online-signed", 0x95)])
def test_the_format_of_what_is_signed(name: str, form: int) -> None:
    tap = settled(name)[1]
    assert authenticated(tap)[0] == form
    assert tap.values["9F69"][5:] == tap.values["9F6C"]


def test_a_long_signature_comes_in_a_record_and_a_short_one_in_the_answer() -> None:
    assert b"\x9f\x4b\x81\x80" in settled("visa-offline")[1].options
    tap = settled("visa-offline-long-key")[1]
    assert b"\x9f\x4b" not in tap.options
    assert len(tap.values["9F4B"]) == 144
    assert {"92", "9F48"} <= set(tap.values)


def test_a_terminal_that_wants_to_go_online_gets_no_approval() -> None:
    assert tapped(profile.load("visa-offline"), changes={"9F66": "26804000"}).values["9F27"] == b"\x80"


@pytest.mark.parametrize(
    ("name", "commands"), [("visa-offline", 8), ("mastercard-approve", 9), ("unionpay-approve", 8)]
)
def test_a_card_torn_at_any_command_works_again(name: str, commands: int) -> None:
    assert len(settled(name)[1].commands) == commands
    for at in range(commands):
        card = TornCard(profile.load(name), after=at)
        with pytest.raises(Torn):
            tapped(card)
        again = tapped(card)
        assert again.values["9F36"] == (b"\x00\x02" if at >= 2 else b"\x00\x01")
        authenticated(again)


class TestOrder:
    """A card refuses what comes in the wrong order or form."""

    def test_generate_ac(self) -> None:
        card = profile.load("mastercard-approve")
        tap = begin(card)
        data = filled(tap.values["8C"], tap.values)
        for header, sent, status in (
            ("80AE5000", data[:-1], "6700"),
            ("80AE5000", data + b"\x00", "6700"),
            ("80AEC000", data, "6A86"),
            ("80AE4100", data, "6A86"),
            ("80AE5001", data, "6A86"),
        ):
            assert (card.transmit(command(header, sent)) or b"").hex().upper() == status
        generate_ac(card, tap, TC)
        assert card.transmit(command("80AE4000", data)) == b"\x69\x85"

    @pytest.mark.parametrize(
        "capdu", ["80AE400000", "00B2011400", "80EA00000400000000", "80D0000000", "0088000000"]
    )
    def test_before_the_options(self, capdu: str) -> None:
        card = profile.load("mastercard-relay-resistance")
        tap = Tap()
        card.power_on()
        send(card, tap, command("00A40400", bytes.fromhex("A0000000041010")))
        assert card.transmit(bytes.fromhex(capdu)) == b"\x69\x85"

    def test_a_request_for_more_than_the_card_gives(self) -> None:
        assert tapped(profile.load("mastercard-approve"), asks=ARQC | CDA).values["9F27"] == b"\x80"
        assert tapped(profile.load("mastercard-online"), asks=0).values["9F27"] == b"\x00"

    def test_options_of_another_length(self) -> None:
        card = profile.load("amex-approve")
        card.power_on()
        send(card, Tap(), command("00A40400", bytes.fromhex("A000000025010403")))
        assert card.transmit(bytes.fromhex("80A8000002830000")) == b"\x6a\x80"
        assert card.transmit(bytes.fromhex("80A800000483020000"))[-2:] == b"\x6a\x80"  # type: ignore[index]

    def test_options_come_once(self) -> None:
        for name in ("mastercard-approve", "visa-offline", "unionpay-approve"):
            card = profile.load(name)
            tap = begin(card)
            again = next(each for each in tap.commands if each[1] == 0xA8)
            assert card.transmit(again) == b"\x69\x85"

    def test_get_data(self) -> None:
        card = profile.load("mastercard-balance")
        begin(card)
        assert card.transmit(bytes.fromhex("80CA9F5000")) == bytes.fromhex("9F5006000000012345 9000")
        assert card.transmit(bytes.fromhex("80CA9F1700")) == b"\x6a\x88"


class TestMastercard:
    def test_distance_is_measured_with_both_numbers_in_the_signature(self) -> None:
        card = profile.load("mastercard-relay-resistance")
        tap = begin(card)
        assert tap.values["82"] == b"\x19\x81"
        answer = send(card, tap, "80EA000004 0BADF00D 00")
        [(tag, value)] = [(answer[:1], answer[2:])]
        assert (tag, len(value)) == (b"\x80", 10)
        assert value[4:].hex() == "000001f40014"
        generate_ac(card, tap, TC | CDA)
        dynamic = combined(tap, card_key(tap, ca_of(tap)))
        assert dynamic[-14:] == bytes.fromhex("0BADF00D") + value
        assert card.transmit(bytes.fromhex("80EA0000040BADF00D00")) == b"\x69\x85"

    def test_distance_is_measured_three_times_at_most(self) -> None:
        card = profile.load("mastercard-relay-resistance")
        tap = begin(card)
        for _ in range(3):
            send(card, tap, "80EA000004 0BADF00D 00")
        assert card.transmit(bytes.fromhex("80EA0000040BADF00D00")) == b"\x69\x85"

    def test_a_torn_payment_is_recovered(self) -> None:
        card = profile.load("mastercard-recoverable")
        first = begin(card)
        with pytest.raises(Torn):
            generate_ac(card, first, TC | CDA)
        second = begin(card, {"9F37": "11111111"})
        assert second.values["9F51"] == bytes.fromhex("9F3704")
        assert card.transmit(bytes.fromhex("80D00000041111111100")) == b"\x69\x85"
        assert card.transmit(bytes.fromhex("80D000000311111100")) == b"\x67\x00"
        first.answer = send(card, first, "80D00000040BADCAFE00")
        first.values |= dict(objects(first.answer))
        combined(first, card_key(first, ca_of(first)))
        assert scheme.verify_arqc(first.record).approved
        assert first.values["9F36"] == b"\x00\x01"

    def test_one_without_a_list_recovers_nothing(self) -> None:
        card = profile.load("mastercard-torn")
        with pytest.raises(Torn):
            tapped(card)
        begin(card)
        assert card.transmit(bytes.fromhex("80D00000040BADCAFE00")) == b"\x69\x85"

    def test_magnetic_stripe_mode(self) -> None:
        card = profile.load("mastercard-magstripe")
        tap = begin(card)
        assert tap.values["82"] == b"\x00\x00"
        assert tap.values["94"] == bytes.fromhex("08010100")
        assert card.transmit(bytes.fromhex("802A8E00040000012300")) == b"\x6a\x86"
        answer = send(card, tap, "802A8E8004 00000123 00")
        got = dict(objects(answer))
        key = card_key_of(ISSUER_MASTER_KEY, "5413330089020011", "01")
        for code, track in (("9F61", "9F6B"), ("9F60", "56")):
            number = bytes.fromhex("00000123")
            counter = got["9F36"]
            right = cvc3(key, tap.values[track], counter=counter, unpredictable_number=number)
            assert got[code] == right
        assert {tag: len(value) for tag, value in got.items() if tag != "77"} == {
            "9F61": 2,
            "9F60": 2,
            "9F36": 2,
        }
        assert card.transmit(bytes.fromhex("802A8E80040000012300")) == b"\x69\x85"

    def test_a_balance_falls_with_each_approval(self) -> None:
        card = profile.load("mastercard-balance")
        tapped(card)
        begin(card)
        assert card.transmit(bytes.fromhex("80CA9F5000")) == bytes.fromhex("9F5006000000011095 9000")


class TestSecondCryptogram:
    @pytest.mark.parametrize(("right", "kind"), [(True, b"\x40"), (False, b"\x00")])
    def test_the_card_checks_the_issuers_answer(self, right: bool, kind: bytes) -> None:
        card = profile.load("amex-online")
        tap = tapped(card)
        combined(tap, card_key(tap, ca_of(tap)))
        told = issuer_authentication_data("374245455400126", "01", tap.values, b"00")
        tap.values |= {"91": told if right else bytes(8) + b"00", "8A": b"00"}
        answer = send(card, tap, command("80AE4000", filled(tap.values["8D"], tap.values)))
        assert dict(objects(answer))["9F27"] == kind


class TestSeveralApplications:
    def test_all_are_in_the_directory_and_can_be_selected(self) -> None:
        card = profile.load("several-applications")
        tap = Tap()
        card.power_on()
        told = list(objects(send(card, tap, "00A404000E325041592E5359532E444446303100")))
        names = [value for tag, value in told if tag == "4F"]
        assert [value for tag, value in told if tag == "87"] == [b"\x01", b"\x02", b"\x03"]
        assert [value for tag, value in told if tag == "9F2A"] == [b"\x03"]
        for name in names:
            assert dict(objects(send(card, tap, command("00A40400", name))))["84"] == name

    def test_a_command_of_another_application_is_not_known(self) -> None:
        card = profile.load("several-applications")
        card.power_on()
        send(card, Tap(), command("00A40400", bytes.fromhex("A0000000031010")))
        assert card.transmit(bytes.fromhex("80AE400000")) == b"\x6d\x00"


class TestJcb:
    @pytest.mark.parametrize(
        ("name", "announced", "chosen"),
        [
            ("jcb-approve", "000000", 0x00),
            ("jcb-approve", "E00000", 0x20),
            ("jcb-approve", "C00000", 0x10),
            ("jcb-approve", "900000", 0x00),
            ("jcb-wallet", "100000", 0x30),
            ("jcb-wallet", "E00000", 0x00),
        ],
    )
    def test_the_card_chooses_the_verification(self, name: str, announced: str, chosen: int) -> None:
        tap = tapped(profile.load(name), changes={"9F53": announced})
        combined(tap, card_key(tap, ca_of(tap)))
        assert tap.values["9F50"] == bytes([chosen])


@pytest.mark.parametrize(("expiry", "last"), [("3112", "311231"), ("2802", "280229"), ("2702", "270228")])
def test_an_application_expires_with_the_last_day_of_its_month(expiry: str, last: str) -> None:
    card = profile.make({"card": {"pan": "4761739001010119", "expiry": expiry}})
    assert tapped(card).values["5F24"].hex() == last
