"""Attackers: what each changes on the wire, and that the honest parts stay as they are."""

import pytest

from simulators import scheme
from simulators.cards import ber, profile
from simulators.cards.attacks import ManInTheMiddle
from simulators.cards.card import AnswersLate
from tests.simulators.cards.tapping import SELECT_PPSE, begin, card_key, combined, fast, tapped
from tests.simulators.cards.test_taps import ca_of

NAMES = [name for name in profile.profiles() if name.startswith("malicious")]


def reason(name: str) -> str:
    tap = tapped(profile.load(name))
    if "9F26" not in tap.values:
        combined(tap, card_key(tap, ca_of(tap)))
    return scheme.verify_arqc(tap.record).reason


class TestQualifiers:
    @pytest.mark.parametrize("name", ["malicious-ctq-device-cvm", "malicious-ctq-pin-bypass"])
    def test_the_signed_copy_is_not_the_one_that_is_sent(self, name: str) -> None:
        tap = tapped(profile.load(name), changes={"9F66": "27404000"})
        fast(tap, card_key(tap, ca_of(tap)))
        assert tap.values["9F69"][5:] != tap.values["9F6C"]

    def test_a_claim_without_signature_is_not_in_the_cards_own_results(self) -> None:
        tap = tapped(profile.load("malicious-ctq-device-cvm-unsigned"))
        assert tap.values["9F6C"] == b"\x00\x80"
        assert not tap.values["9F10"][4] & 0x04
        assert "9F4B" not in tap.values


class TestBrand:
    @pytest.mark.parametrize(
        ("name", "aid", "pan"),
        [
            ("malicious-brand-visa-behind-mastercard", "A0000000041010", "4761"),
            ("malicious-brand-mastercard-behind-visa", "A0000000031010", "5413"),
            ("malicious-brand-online", "A0000000031010", "5413"),
        ],
    )
    def test_name_and_number_are_of_different_schemes(self, name: str, aid: str, pan: str) -> None:
        tap = tapped(profile.load(name), asks=0x40)
        assert tap.values["84"].hex().upper() == aid
        assert tap.values["57"].hex().startswith(pan)
        assert not scheme.verify_arqc(tap.record).genuine

    def test_the_certificates_are_not_of_the_names_scheme(self) -> None:
        tap = tapped(profile.load("malicious-brand-visa-behind-mastercard"))
        with pytest.raises(AssertionError):
            card_key(tap, ca_of(tap))


class TestRelay:
    @pytest.mark.parametrize("name", ["malicious-relay", "malicious-relay-hidden"])
    def test_the_delay_is_told_and_not_waited_for(self, name: str) -> None:
        card = profile.load(name)
        assert isinstance(card, AnswersLate)
        assert card.delay_us(SELECT_PPSE) == 120_000

    def test_a_hidden_measurement_breaks_the_signature_of_the_profile(self) -> None:
        tap = tapped(profile.load("malicious-relay-hidden"))
        assert tap.values["82"] == b"\x19\x80"
        with pytest.raises(AssertionError):
            card_key(tap, ca_of(tap))

    def test_a_locked_phone_refuses_a_shop_and_pays_through_a_relay(self) -> None:
        relay = profile.load("malicious-transit-relay")
        assert isinstance(relay, ManInTheMiddle)
        with pytest.raises(AssertionError, match="6985"):
            tapped(relay.inner, changes={"9F66": "26404000"})
        tap = tapped(relay, changes={"9F66": "26404000"})
        assert tap.values["9F27"] == b"\x80"
        assert tap.values["9F6C"] == b"\x00\x00"
        assert tap.values["9F10"][:4].hex() == "1f220100"

    def test_a_high_amount_claims_a_check_that_the_phone_did_not_make(self) -> None:
        tap = tapped(profile.load("malicious-transit-relay-high"), changes={"9F66": "26404000"})
        assert tap.values["9F6C"] == b"\x00\x80"
        assert not tap.values["9F10"][4] & 0x04
        fast(tap, card_key(tap, ca_of(tap)))  # Authentication alone does not stop a relay.


class TestReplay:
    @pytest.mark.parametrize(
        "name", ["malicious-replay", "malicious-replay-mastercard", "malicious-replay-unsigned"]
    )
    def test_the_second_tap_is_the_first(self, name: str) -> None:
        card = profile.load(name)
        first, second = tapped(card), tapped(card, changes={"9F37": "22222222"})
        assert first.options == second.options
        assert first.answer == second.answer
        assert first.values["9F36"] == second.values["9F36"] == b"\x00\x01"

    def test_a_replayed_signature_is_over_another_number(self) -> None:
        card = profile.load("malicious-replay")
        first, second = tapped(card), tapped(card, changes={"9F37": "22222222"})
        fast(first, card_key(first, ca_of(first)))
        with pytest.raises(AssertionError):
            fast(second, card_key(second, ca_of(second)))

    def test_pre_play_is_found_by_the_signature_or_the_issuer(self) -> None:
        tap = tapped(profile.load("malicious-pre-play"))
        with pytest.raises(AssertionError):
            combined(tap, card_key(tap, ca_of(tap)))
        assert reason("malicious-pre-play-online") == "wrong cryptogram"
        predicted = tapped(profile.load("malicious-pre-play-online"), changes={"9F37": "00000001"})
        assert scheme.verify_arqc(predicted.record).genuine


class TestForgery:
    @pytest.mark.parametrize(
        "name", ["malicious-forged-unsigned", "malicious-forged", "malicious-forged-unionpay"]
    )
    def test_the_issuer_does_not_know_the_cryptogram(self, name: str) -> None:
        tap = tapped(profile.load(name))
        assert tap.values["9F27"] == b"\x40"
        assert scheme.verify_arqc(tap.record).reason == "wrong cryptogram"

    def test_the_signature_is_not_the_certified_keys(self) -> None:
        for name, check in (("malicious-forged", fast), ("malicious-forged-mastercard", combined)):
            tap = tapped(profile.load(name))
            with pytest.raises(AssertionError):
                check(tap, card_key(tap, ca_of(tap)))


class TestTampering:
    @pytest.mark.parametrize(
        ("name", "tag", "value"),
        [
            ("malicious-downgrade", "82", "1900"),
            ("malicious-profile", "82", "1880"),
            ("malicious-cvm-list", "8E", "00000000000000001F001F001F00"),
            ("malicious-expiry", "5F24", "391231"),
        ],
    )
    def test_signed_data_are_changed_on_the_way(self, name: str, tag: str, value: str) -> None:
        tap = begin(profile.load(name))
        assert tap.values[tag].hex().upper() == value
        with pytest.raises(AssertionError):
            card_key(tap, ca_of(tap))

    def test_a_holder_check_that_the_card_did_not_see(self) -> None:
        tap = tapped(profile.load("malicious-pin-wedge"))
        assert tap.values["82"][0] & 0x02
        combined(tap, card_key(tap, ca_of(tap)))
        assert tap.values["9F10"][2] & 0x05 == 0
        visa = tapped(profile.load("malicious-pin-wedge-visa"))
        assert visa.values["9F6C"] == b"\x00\x80"
        assert not visa.values["9F10"][4] & 0x04

    @pytest.mark.parametrize("name", ["malicious-currency", "malicious-amount"])
    def test_what_the_card_was_told_is_signed(self, name: str) -> None:
        tap = tapped(profile.load(name))
        with pytest.raises(AssertionError):
            fast(tap, card_key(tap, ca_of(tap)))

    @pytest.mark.parametrize("name", ["malicious-currency", "malicious-currency-online", "malicious-amount"])
    def test_the_issuer_sees_other_data_than_the_card(self, name: str) -> None:
        assert reason(name) == "wrong cryptogram"

    def test_data_of_another_currency_break_cda(self) -> None:
        tap = tapped(profile.load("malicious-currency-mastercard"))
        with pytest.raises(AssertionError):
            combined(tap, card_key(tap, ca_of(tap)))


@pytest.mark.parametrize("name", [name for name in NAMES if "weak-key" in name])
def test_a_weak_key_signs_as_any_other(name: str) -> None:
    tap = tapped(profile.load(name))
    (combined if "8C" in tap.values else fast)(tap, card_key(tap, ca_of(tap)))


@pytest.mark.parametrize("name", [name for name in NAMES if "-tlv-" in name or "garbage" in name])
def test_malformed_data_come_after_the_directory(name: str) -> None:
    card = profile.load(name)
    card.power_on()
    assert card.transmit(SELECT_PPSE)
    answer = card.transmit(bytes.fromhex("00A4040007A000000003101000")) or b""
    wanted = "1234" if name.endswith("status") else "9000"
    assert answer[-2:].hex() == wanted


class TestDirectory:
    def entries(self, name: str) -> list[tuple[str, bytes]]:
        card = profile.load(f"malicious-ppse-{name}")
        card.power_on()
        answer = card.transmit(SELECT_PPSE) or b""
        assert len(answer) <= 258
        return list(ber.objects(answer[:-2]))

    @pytest.mark.parametrize(
        ("name", "tag", "value"),
        [
            ("kernel-id", "9F2A", "9f"),
            ("long-kernel-id", "9F2A", "03" * 9),
            ("wrong-kernel", "9F2A", "02"),
            ("long-name", "4F", "a000000003101" + "0" * 21),
            ("short-name", "4F", "a0000000"),
            ("other-name", "4F", "a0000000041010"),
        ],
    )
    def test_one_thing_is_wrong(self, name: str, tag: str, value: str) -> None:
        assert dict(self.entries(name))[tag].hex() == value

    def test_what_is_missing_or_too_much(self) -> None:
        assert "87" not in dict(self.entries("no-priority"))
        assert "61" not in dict(self.entries("empty"))
        assert [tag for tag, _ in self.entries("huge")].count("61") == 11


def test_a_middleman_passes_on_what_it_can_not_read() -> None:
    card = ManInTheMiddle(
        profile.load("visa-approve"), answers={"9F6C": b"\x00\x80"}, commands={"9F02": bytes(6)}
    )
    card.power_on()
    assert card.transmit(b"") == b"\x67\x00"
    assert card.transmit(bytes.fromhex("80A8000002830000")) == b"\x69\x85"


def test_a_middleman_takes_objects_out() -> None:
    card = ManInTheMiddle(profile.load("visa-approve"), drop=["9F6C", "5F2D"])
    tap = tapped(card)
    assert "9F6C" not in tap.values
    assert "5F2D" not in tap.fci
    assert "9F5A" in tap.fci
