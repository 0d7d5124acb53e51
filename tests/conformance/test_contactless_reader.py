"""What every contactless reader must do, whatever wire it is on."""

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Protocol, TypeVar

import pytest

from drivers import abilities, registry
from drivers.abilities import DescribesItself, FindsCards, HasField, HasSettings
from drivers.address import DeviceAddress
from drivers.errors import CardLostError, DeviceError, DeviceUnavailableError, SeveralCardsError
from drivers.protocols import Card, ContactlessReader
from simulators.cards import profile
from simulators.cards.card import SimulatedCard
from simulators.cards.misbehaving import Wrapper
from simulators.readers.radio import TypeBCard

SELECT_PPSE = bytes.fromhex("00A404000E325041592E5359532E444446303100")
SELECT_VISA = bytes.fromhex("00A4040007A000000003101000")
SELECT_UNKNOWN = bytes.fromhex("00A4040007A000000099999900")
GPO_TOO_EARLY = bytes.fromhex("80A8000002830000")
# PDOL 9F66 9F02 9F03 9F1A 95 5F2A 9A 9C 9F37: contactless chip, one euro, purchase.
GPO = bytes.fromhex("80A8000023832126000000000000000100000000000000027600000000000978260101000102030400")
OK = b"\x90\x00"
TAP_S = 10.0

T = TypeVar("T")


class Counter(Protocol):
    """Where cards come and go; nothing comes back from a person's hand."""

    address: DeviceAddress

    def place(self, card: str | SimulatedCard) -> SimulatedCard | None: ...

    def add(self, card: SimulatedCard) -> None: ...

    def take_away(self) -> None: ...


class Echo(Wrapper):
    """Answers a command with the command, as much as fits."""

    def transmit(self, capdu: bytes) -> bytes:
        return (capdu * 256)[:256] + OK if capdu[:1] == b"\xee" else capdu[:256] + OK


def type_b(name: str) -> SimulatedCard:
    return TypeBCard(profile.load(name))


def tap(reader: ContactlessReader) -> Card:
    card = reader.wait_for_card(Event(), timeout_s=TAP_S)
    assert card is not None
    return card


def send(card: Card, capdu: bytes) -> bytes:
    return card.transceive(capdu, timeout_s=5.0)


def while_waiting(wait: Callable[[], T], then: Callable[[], object]) -> T:
    """Run `wait` on a thread, do `then` here, and return what `wait` returned."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait)
        then()
        return waiting.result()


class TestDevice:
    def test_says_what_it_is(self, reader: ContactlessReader, counter: Counter) -> None:
        assert reader.info().name
        assert reader.address == counter.address

    def test_closes_twice_and_can_be_opened_again(self, reader: ContactlessReader, counter: Counter) -> None:
        reader.close()
        reader.close()
        with pytest.raises(DeviceUnavailableError) as caught:
            reader.info()
        assert caught.value.hint
        with contextlib.closing(registry.open_reader(counter.address)) as again:
            assert again.info().name

    def test_a_wait_ends_when_another_thread_closes(self, reader: ContactlessReader) -> None:
        def wait() -> None:
            with pytest.raises(DeviceError):
                reader.wait_for_card(Event(), timeout_s=60.0)

        while_waiting(wait, reader.close)


class TestWaitForCard:
    def test_gives_up_when_time_is_up(self, reader: ContactlessReader) -> None:
        assert reader.wait_for_card(Event(), timeout_s=0.0) is None
        assert reader.wait_for_card(Event(), timeout_s=0.3) is None

    def test_stops_before_it_begins(self, reader: ContactlessReader) -> None:
        stop = Event()
        stop.set()
        assert reader.wait_for_card(stop, timeout_s=60.0) is None

    def test_stops_while_it_waits(self, reader: ContactlessReader) -> None:
        stop = Event()
        assert while_waiting(lambda: reader.wait_for_card(stop, timeout_s=60.0), stop.set) is None

    def test_finds_a_card_that_lies_there(self, reader: ContactlessReader, counter: Counter) -> None:
        counter.place("visa-approve")
        card = tap(reader)
        assert card.identification
        card.release()

    def test_finds_a_card_that_comes(self, reader: ContactlessReader, counter: Counter) -> None:
        found = while_waiting(
            lambda: reader.wait_for_card(Event(), timeout_s=TAP_S), lambda: counter.place("visa-approve")
        )
        assert found is not None

    def test_finds_the_next_card(self, reader: ContactlessReader, counter: Counter) -> None:
        for _ in range(3):
            counter.place("visa-approve")
            card = tap(reader)
            assert send(card, SELECT_PPSE)[-2:] == OK
            card.release()
            counter.take_away()
            assert reader.wait_for_removal(Event(), timeout_s=TAP_S)


class TestTransceive:
    def test_carries_commands_both_ways(self, reader: ContactlessReader, counter: Counter) -> None:
        counter.place("visa-approve")
        card = tap(reader)
        assert b"2PAY.SYS.DDF01" in send(card, SELECT_PPSE)
        assert send(card, SELECT_UNKNOWN) == b"\x6a\x82"
        assert send(card, SELECT_VISA)[-2:] == OK

    def test_carries_a_whole_transaction(self, reader: ContactlessReader, counter: Counter) -> None:
        counter.place("visa-small-pdol")
        card = tap(reader)
        send(card, SELECT_VISA)
        command = bytes.fromhex("80A800001283102600000000000000010001020304097800")
        answer = send(card, command)
        assert answer[-2:] == OK
        assert answer[0] == 0x77

    def test_carries_the_longest_command_and_answer(
        self, reader: ContactlessReader, counter: Counter
    ) -> None:
        counter.place(Echo(profile.load("visa-approve")))
        card = tap(reader)
        longest = bytes.fromhex("00D60000FF") + bytes(range(255)) + b"\x00"
        assert send(card, longest) == longest[:256] + OK
        assert len(send(card, b"\xee\x01\x00\x00")) == 258

    def test_waits_for_a_card_that_asks_for_time(self, reader: ContactlessReader, counter: Counter) -> None:
        counter.place("visa-phone")
        assert send(tap(reader), SELECT_PPSE)[-2:] == OK

    def test_passes_nonsense_on_as_it_came(self, reader: ContactlessReader, counter: Counter) -> None:
        counter.place("malicious-garbage")
        card = tap(reader)
        send(card, SELECT_PPSE)
        assert send(card, SELECT_VISA) == bytes.fromhex("6F7F840EFF9000")

    def test_reports_a_card_that_was_taken_away(self, reader: ContactlessReader, counter: Counter) -> None:
        counter.place("visa-approve")
        card = tap(reader)
        send(card, SELECT_PPSE)
        counter.take_away()
        with pytest.raises(CardLostError):
            send(card, SELECT_VISA)
        card.release()

    def test_a_card_that_leaves_in_the_middle_is_lost_and_comes_again(
        self, reader: ContactlessReader, counter: Counter
    ) -> None:
        torn = profile.load("visa-torn")
        counter.place(torn)
        card = tap(reader)
        send(card, SELECT_PPSE)
        send(card, SELECT_VISA)
        with pytest.raises(CardLostError):
            send(card, GPO)
        card.release()
        assert reader.wait_for_removal(Event(), timeout_s=TAP_S)
        counter.place(torn)
        again = tap(reader)
        send(again, SELECT_VISA)
        assert send(again, GPO)[0] == 0x77

    def test_a_card_that_was_swapped_is_lost(self, reader: ContactlessReader, counter: Counter) -> None:
        counter.place("visa-approve")
        card = tap(reader)
        counter.take_away()
        counter.place("visa-decline")
        with pytest.raises(CardLostError):
            send(card, SELECT_PPSE)


class TestTypeB:
    @pytest.fixture
    def reader(self, reader: ContactlessReader) -> ContactlessReader:
        # The seam has no ability for it: what a reader says of itself names type B, or it lists both types.
        if not isinstance(reader, FindsCards) and "types A and B" not in reader.info().details.get(
            "cards", ""
        ):
            pytest.skip("a reader that does not tell cards' types: it may read type B, or not")
        return reader

    def test_is_read_as_type_a_is(self, reader: ContactlessReader, counter: Counter) -> None:
        counter.place(type_b("visa-small-pdol"))
        card = tap(reader)
        assert send(card, SELECT_VISA)[-2:] == OK
        command = bytes.fromhex("80A800001283102600000000000000010001020304097800")
        assert send(card, command)[0] == 0x77

    def test_carries_the_longest_command_and_answer(
        self, reader: ContactlessReader, counter: Counter
    ) -> None:
        counter.place(TypeBCard(Echo(profile.load("visa-approve"))))
        card = tap(reader)
        longest = bytes.fromhex("00D60000FF") + bytes(range(255)) + b"\x00"
        assert send(card, longest) == longest[:256] + OK
        assert len(send(card, b"\xee\x01\x00\x00")) == 258

    def test_is_carried_in_short_frames_where_the_card_has_no_longer(
        self, reader: ContactlessReader, counter: Counter
    ) -> None:
        echo = Echo(profile.load("visa-approve"))
        counter.place(TypeBCard(echo, protocol_info=bytes.fromhex("000171")))
        card = tap(reader)
        command = bytes.fromhex("00D6000080") + bytes(128)
        assert send(card, command) == command + OK

    def test_a_card_that_stays_starts_afresh(self, reader: ContactlessReader, counter: Counter) -> None:
        counter.place(type_b("visa-approve"))
        card = tap(reader)
        assert send(card, SELECT_VISA)[-2:] == OK
        card.release()
        again = tap(reader)
        assert send(again, GPO_TOO_EARLY) == b"\x69\x85"

    def test_follows_type_a_and_is_followed_by_it(self, reader: ContactlessReader, counter: Counter) -> None:
        for card in (type_b("visa-approve"), profile.load("visa-approve")) * 2:
            counter.place(card)
            found = tap(reader)
            assert send(found, SELECT_PPSE)[-2:] == OK
            found.release()
            counter.take_away()
            assert reader.wait_for_removal(Event(), timeout_s=TAP_S)

    def test_is_lost_when_it_is_taken_away(self, reader: ContactlessReader, counter: Counter) -> None:
        counter.place(type_b("visa-approve"))
        card = tap(reader)
        counter.take_away()
        with pytest.raises(CardLostError):
            send(card, SELECT_PPSE)
        assert reader.wait_for_removal(Event(), timeout_s=TAP_S)


class TestSeveralCards:
    def test_none_is_chosen(self, reader: ContactlessReader, counter: Counter) -> None:
        if not isinstance(reader, FindsCards):
            pytest.skip("this reader can't tell several cards")
        counter.place("visa-approve")
        counter.add(profile.load("mastercard-approve"))
        with pytest.raises(SeveralCardsError):
            reader.wait_for_card(Event(), timeout_s=TAP_S)
        assert not reader.wait_for_removal(Event(), timeout_s=0.0)

    @pytest.mark.parametrize("first", ["A", "B"])
    def test_one_of_each_type_is_two(self, reader: ContactlessReader, counter: Counter, first: str) -> None:
        if not isinstance(reader, FindsCards):
            pytest.skip("this reader can't tell several cards")
        cards: list[SimulatedCard] = [profile.load("visa-approve"), type_b("visa-approve")]
        if first == "B":
            cards.reverse()
        counter.place(cards[0])
        counter.add(cards[1])
        with pytest.raises(SeveralCardsError):
            reader.wait_for_card(Event(), timeout_s=TAP_S)
        assert {card.protocol[-6:] for card in reader.cards_in_field()} == {"type A", "type B"}

    def test_the_one_that_is_left_is_read(self, reader: ContactlessReader, counter: Counter) -> None:
        if not isinstance(reader, FindsCards):
            pytest.skip("this reader can't tell several cards")
        counter.place("visa-approve")
        counter.add(profile.load("mastercard-approve"))
        with pytest.raises(SeveralCardsError):
            reader.wait_for_card(Event(), timeout_s=TAP_S)
        counter.place("visa-approve")
        assert send(tap(reader), SELECT_PPSE)[-2:] == OK

    def test_a_look_lists_what_is_there(self, reader: ContactlessReader, counter: Counter) -> None:
        if not isinstance(reader, FindsCards):
            pytest.skip("this reader can't tell several cards")
        assert not reader.cards_in_field()
        counter.place("visa-approve")
        (card,) = reader.cards_in_field()
        assert card.protocol == "ISO/IEC 14443-4 type A"
        assert card.details["ATS"]
        assert send(tap(reader), SELECT_PPSE)[-2:] == OK


class TestDescription:
    def test_says_how_the_card_was_found(self, reader: ContactlessReader, counter: Counter) -> None:
        counter.place("visa-approve")
        card = tap(reader)
        if not isinstance(card, DescribesItself):
            pytest.skip("this reader's cards don't describe themselves")
        told = card.describe()
        assert told.protocol
        assert told.details


class TestField:
    def test_a_card_is_lost_when_the_field_goes_off_and_found_again(
        self, reader: ContactlessReader, counter: Counter
    ) -> None:
        if not isinstance(reader, HasField):
            pytest.skip("this reader's field can't be switched")
        counter.place("visa-approve")
        card = tap(reader)
        reader.set_field(True)
        assert send(card, SELECT_VISA)[-2:] == OK
        reader.set_field(False)
        with pytest.raises(CardLostError):
            send(card, GPO_TOO_EARLY)
        card.release()
        assert send(tap(reader), GPO_TOO_EARLY) == b"\x69\x85"


class TestSelfTest:
    def test_a_device_that_works_passes(self, reader: ContactlessReader, counter: Counter) -> None:
        if not isinstance(reader, abilities.TestsItself):
            pytest.skip("this reader has no test of itself")
        results = reader.self_test()
        assert results
        assert all(result.passed is not False for result in results)
        counter.place("visa-approve")
        assert send(tap(reader), SELECT_PPSE)[-2:] == OK


class TestSettings:
    def test_are_written_back_as_they_were_read(self, reader: ContactlessReader, counter: Counter) -> None:
        if not isinstance(reader, HasSettings):
            pytest.skip("this reader has no settings")
        before = reader.read_settings()
        assert before
        reader.write_settings(before)
        assert reader.read_settings() == before
        for wrong in ({"no such setting": "00"}, {next(iter(before)): "no hexadecimal"}):
            with pytest.raises(ValueError, match=r"\w"):
                reader.write_settings(wrong)
        counter.place("visa-approve")
        assert send(tap(reader), SELECT_PPSE)[-2:] == OK


class TestRelease:
    def test_a_card_that_stays_starts_afresh(self, reader: ContactlessReader, counter: Counter) -> None:
        counter.place("visa-approve")
        card = tap(reader)
        assert send(card, SELECT_VISA)[-2:] == OK
        card.release()
        card.release()
        again = tap(reader)
        assert send(again, GPO_TOO_EARLY) == b"\x69\x85"
        assert send(again, SELECT_PPSE)[-2:] == OK

    def test_what_a_crash_left_is_taken_over(self, reader: ContactlessReader, counter: Counter) -> None:
        counter.place("visa-approve")
        send(tap(reader), SELECT_VISA)
        reader.close()
        with contextlib.closing(registry.open_reader(counter.address)) as again:
            assert send(tap(again), SELECT_PPSE)[-2:] == OK


class TestWaitForRemoval:
    def test_an_empty_field_is_one(self, reader: ContactlessReader) -> None:
        assert reader.wait_for_removal(Event(), timeout_s=TAP_S)

    def test_gives_up_over_a_card_that_stays(self, reader: ContactlessReader, counter: Counter) -> None:
        counter.place("visa-approve")
        tap(reader).release()
        assert not reader.wait_for_removal(Event(), timeout_s=0.0)

    def test_stops_while_it_waits(self, reader: ContactlessReader, counter: Counter) -> None:
        counter.place("visa-approve")
        tap(reader).release()
        stop = Event()
        assert not while_waiting(lambda: reader.wait_for_removal(stop, timeout_s=60.0), stop.set)

    def test_sees_a_card_leave(self, reader: ContactlessReader, counter: Counter) -> None:
        counter.place("visa-approve")
        tap(reader).release()
        assert while_waiting(lambda: reader.wait_for_removal(Event(), timeout_s=TAP_S), counter.take_away)
