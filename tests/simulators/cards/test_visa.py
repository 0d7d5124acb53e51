"""The Visa-like application, command by command."""

from collections.abc import Callable, Mapping

import pytest

from simulators.cards import profile
from simulators.cards.card import SimulatedCard
from simulators.cards.visa import Personality, VisaCard

Purchase = Callable[..., tuple[bytes | None, bytes]]
Parsed = Callable[[bytes], Mapping[str, bytes]]

SELECT_PPSE = bytes.fromhex("00A404000E325041592E5359532E444446303100")
SELECT = bytes.fromhex("00A4040007A000000003101000")
READ_1 = bytes.fromhex("00B2011400")


@pytest.fixture
def card() -> SimulatedCard:
    return profile.load("visa-approve")


def send(card: SimulatedCard, capdu: str) -> str:
    rapdu = card.transmit(bytes.fromhex(capdu))
    assert rapdu is not None
    return rapdu.hex().upper()


class TestSelect:
    def test_the_directory_names_the_application(self, card: SimulatedCard, parsed: Parsed) -> None:
        answer = card.transmit(SELECT_PPSE)
        assert answer
        fields = parsed(answer)
        assert fields["84"] == b"2PAY.SYS.DDF01"
        assert fields["4F"] == bytes.fromhex("A0000000031010")
        assert fields["87"] == b"\x01"

    def test_the_application_asks_for_its_list(self, card: SimulatedCard, parsed: Parsed) -> None:
        answer = card.transmit(SELECT)
        assert answer
        fields = parsed(answer)
        assert fields["84"] == bytes.fromhex("A0000000031010")
        assert fields["9F38"].hex().upper() == "9F66049F02069F03069F1A0295055F2A029A039C019F3704"

    def test_a_part_of_the_name_will_do(self, card: SimulatedCard) -> None:
        assert send(card, "00A4040005A00000000300").endswith("9000")

    @pytest.mark.parametrize(
        ("capdu", "status"),
        [
            ("00A4040007A000000004101000", "6A82"),
            ("00A4040004A000000000", "6A82"),
            ("00A4040207A000000003101000", "6A82"),
            ("00A4000007A000000003101000", "6A86"),
            ("00A4040000", "6A82"),
        ],
    )
    def test_another_name_is_not_found(self, card: SimulatedCard, capdu: str, status: str) -> None:
        assert send(card, capdu) == status


class TestUnexpected:
    @pytest.mark.parametrize(
        ("capdu", "status"),
        [
            ("", "6700"),
            ("00A404", "6700"),
            ("00A4040007A00000", "6700"),
            ("00A4040001A0000000", "6700"),
            ("0084000008", "6D00"),
            ("80AE8000", "6D00"),
            ("80CA9F3600", "6D00"),
            ("84A8000002830000", "6E00"),
            ("FF00000000", "6E00"),
        ],
    )
    def test_gets_its_status_word(self, card: SimulatedCard, capdu: str, status: str) -> None:
        assert send(card, capdu) == status

    @pytest.mark.parametrize("capdu", ["80A8000002830000", "00B2011400"])
    def test_nothing_happens_before_select(self, card: SimulatedCard, capdu: str) -> None:
        assert send(card, capdu) == "6985"
        send(card, SELECT_PPSE.hex())
        assert send(card, capdu) == "6985"

    @pytest.mark.parametrize("data", ["8300", "84020000", "8302000083020000", "832100", "FF"])
    def test_options_that_are_not_what_was_asked_for(self, card: SimulatedCard, data: str) -> None:
        send(card, SELECT.hex())
        length = f"{len(data) // 2:02X}"
        assert send(card, f"80A80000{length}{data}00") == "6A80"

    def test_a_terminal_without_contactless_chip(self, card: SimulatedCard, purchase: Purchase) -> None:
        assert purchase(card, **{"9F66": "00000000"})[0] == b"\x69\x85"

    def test_a_second_transaction_needs_a_second_select(
        self, card: SimulatedCard, purchase: Purchase
    ) -> None:
        purchase(card)
        assert send(card, "80A8000002830000") == "6985"


class TestTransaction:
    def test_answers_with_a_request_for_authorisation(
        self, card: SimulatedCard, purchase: Purchase, parsed: Parsed
    ) -> None:
        answer, _ = purchase(card)
        assert answer
        fields = parsed(answer)
        assert fields["9F27"] == b"\x80"
        assert fields["57"].hex().upper().startswith("4761739001010119D3112201")
        assert len(fields["9F26"]) == 8
        assert fields["9F36"] == b"\x00\x01"
        assert fields["9F6C"] == b"\x00\x00"

    def test_counts_across_taps(self, card: SimulatedCard, purchase: Purchase, parsed: Parsed) -> None:
        counters = [parsed(answer)["9F36"] for answer, _ in (purchase(card) for _ in range(3)) if answer]
        assert counters == [b"\x00\x01", b"\x00\x02", b"\x00\x03"]

    def test_declines_where_the_profile_says_so(self, purchase: Purchase, parsed: Parsed) -> None:
        answer, _ = purchase(profile.load("visa-decline"))
        assert answer
        assert parsed(answer)["9F27"] == b"\x00"

    def test_gives_the_record_that_it_points_to(
        self, card: SimulatedCard, purchase: Purchase, parsed: Parsed
    ) -> None:
        answer, _ = purchase(card)
        assert answer
        assert parsed(answer)["94"] == bytes.fromhex("10010100")
        record = card.transmit(READ_1)
        assert record
        assert parsed(record)["5F24"] == bytes.fromhex("311231")

    @pytest.mark.parametrize(
        ("capdu", "status"), [("00B2021400", "6A83"), ("00B2010C00", "6A82"), ("00B2011000", "6A86")]
    )
    def test_gives_no_other_record(
        self, card: SimulatedCard, purchase: Purchase, capdu: str, status: str
    ) -> None:
        purchase(card)
        assert send(card, capdu) == status

    def test_without_records_has_none(self, purchase: Purchase, parsed: Parsed) -> None:
        card = profile.load("visa-no-afl")
        answer, _ = purchase(card)
        assert answer
        assert "94" not in parsed(answer)
        assert card.transmit(READ_1) == b"\x6a\x82"

    @pytest.mark.parametrize(
        ("name", "qualifiers", "ctq"),
        [
            ("visa-approve", "26000000", "0000"),
            ("visa-approve", "26400000", "8000"),
            ("visa-approve", "22400000", "4000"),
            ("visa-approve", "20400000", None),
            ("visa-phone", "26400000", None),
            ("visa-phone", "26404000", "0080"),
            ("visa-phone", "26000000", "0080"),
        ],
    )
    def test_asks_for_the_check_of_its_holder_that_both_know(
        self, purchase: Purchase, parsed: Parsed, name: str, qualifiers: str, ctq: str | None
    ) -> None:
        answer, _ = purchase(profile.load(name), **{"9F66": qualifiers})
        assert answer
        fields = parsed(answer)
        assert fields["9F27"] == (b"\x80" if ctq else b"\x00")
        assert fields["9F6C"].hex() == (ctq or "0000")


def test_a_personality_does_not_show_its_number() -> None:
    personality = Personality(pan="4761739001010119")
    assert "4761739001010119" not in repr(personality)
    assert "4761739001010119" not in repr(VisaCard(personality))
