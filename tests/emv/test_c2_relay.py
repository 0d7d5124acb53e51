"""Relay resistance of kernel 2: numbers, times in units of 100 microseconds, and what the issuer learns."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv import c2_relay, c2_track2
from emv.c2_options import C2Options
from emv.c2_relay import RelayAnswer, RelayExchange, RelayVerdict
from emv.errors import DecodeError
from emv.kernel import Transaction
from emv.oda import OdaResult
from emv.outcome import OutcomeKind, Start
from emv.sensitive import Track2
from tests.emv.mastercard_card import (
    ARQC,
    CDA,
    GENERATE,
    NUMBER,
    PLAIN,
    RELAY,
    RELAY_DATA,
    MastercardCard,
    objects,
    tap,
    tvr,
)

AIP = PLAIN | CDA | RELAY
OPTIONS = C2Options()
FIRST, SECOND, THIRD = (bytes.fromhex(number) for number in ("01020304", "11121314", "21222324"))
ANSWER = RelayAnswer(entropy=b"\xde\xad\xbe\xef", min_time=10, max_time=40, transmission=24)
AIR_US = 4200
"""1.8 ms for the command and 2.4 ms for the answer."""
SLOWEST_US = AIR_US + 9000
"""The card's own 4 ms and 5 ms of grace."""


@pytest.fixture
def payment(purchase: Transaction) -> Transaction:
    return replace(purchase, spare_unpredictable_numbers=(SECOND, THIRD))


def exchange(measured: int | None = 30, retries: int = 0, answer: RelayAnswer = ANSWER) -> RelayExchange:
    return RelayExchange(entropy=FIRST, answer=answer, retries=retries, measured_100us=measured)


def test_one_exchange_byte_for_byte(payment: Transaction) -> None:
    card = MastercardCard(aip=AIP, relay_us=[AIR_US + 3000])
    outcome = tap(card, payment)
    assert [capdu.hex() for capdu in card.sent(RELAY_DATA)] == ["80ea000004" + "01020304" + "00"]
    assert outcome.kind is OutcomeKind.APPROVED
    assert tvr(outcome) == "0000000002"
    assert outcome.evidence is not None
    assert outcome.evidence.relay_ms == 3.0
    assert outcome.evidence.terminal[0x9F37] == FIRST


def test_without_the_cards_or_the_kernels_support_there_is_none(payment: Transaction) -> None:
    for aip, settings in ((PLAIN | CDA, {}), (AIP, {"relay_resistance": False})):
        card = MastercardCard(aip=aip)
        outcome = tap(card, payment, **settings)
        assert RELAY_DATA not in card.instructions
        assert tvr(outcome) == "0000000001"
        assert outcome.evidence is not None
        assert outcome.evidence.relay_ms is None


# The formula


@pytest.mark.parametrize(
    ("elapsed_us", "transmission", "measured"),
    [
        (AIR_US, 24, 0),
        (AIR_US - 1, 24, 0),
        (0, 24, 0),
        (AIR_US + 99, 24, 0),
        (AIR_US + 100, 24, 1),
        (AIR_US + 1000, 24, 10),
        # The shorter of both ideas of the answer's time is taken off.
        (AIR_US + 1000, 34, 10),
        (AIR_US + 1000, 14, 20),
        (AIR_US + 1000, 0, 34),
        (10**9, 24, 0xFFFF),
    ],
)
def test_a_time_is_measured_in_units_of_100_microseconds(
    elapsed_us: int, transmission: int, measured: int
) -> None:
    answer = replace(ANSWER, transmission=transmission)
    assert c2_relay.measured_100us(elapsed_us, answer, OPTIONS) == measured


@pytest.mark.parametrize(
    ("min_time", "measured", "verdict"),
    [
        (40, 19, RelayVerdict.TOO_FAST),
        (40, 20, RelayVerdict.WITHIN),
        (20, 0, RelayVerdict.WITHIN),
        (0, 0, RelayVerdict.WITHIN),
        (10, 90, RelayVerdict.WITHIN),
        (10, 91, RelayVerdict.TOO_SLOW),
    ],
)
def test_the_cards_limits_with_their_grace(min_time: int, measured: int, verdict: RelayVerdict) -> None:
    found = exchange(measured, answer=replace(ANSWER, min_time=min_time))
    assert c2_relay.judge(found, OPTIONS) is verdict


@pytest.mark.parametrize(
    ("changed", "measured", "bits"),
    [
        ({}, 30, 0x02),
        ({}, 90, 0x02),
        ({}, 91, 0x06),
        ({"max_time": 400}, 310, 0x02),
        ({"max_time": 400}, 311, 0x0A),
        ({"min_time": 500, "max_time": 600}, 490, 0x02),
        ({}, 400, 0x0E),
        # Half and double agree just enough; a time of zero agrees with nothing.
        ({"transmission": 12}, 30, 0x02),
        ({"transmission": 11}, 30, 0x0A),
        ({"transmission": 48}, 30, 0x02),
        ({"transmission": 49}, 30, 0x0A),
        ({"transmission": 0}, 30, 0x0A),
        ({}, None, 0x01),
    ],
)
def test_what_the_tvr_says(changed: dict[str, Any], measured: int | None, bits: int) -> None:
    found = exchange(measured, answer=replace(ANSWER, **changed))
    assert c2_relay.verification_results(found, OPTIONS) == bits


def test_two_times_of_zero_agree() -> None:
    found = exchange(answer=replace(ANSWER, transmission=0))
    assert c2_relay.verification_results(found, C2Options(relay_answer_100us=0)) == 0x02


# Attempts


def test_a_card_that_seems_slow_is_asked_three_times_with_other_numbers(payment: Transaction) -> None:
    card = MastercardCard(aip=AIP, gives=ARQC, relay_us=[SLOWEST_US + 100] * 3)
    outcome = tap(card, payment)
    assert [capdu[5:9] for capdu in card.sent(RELAY_DATA)] == [FIRST, SECOND, THIRD]
    assert (outcome.kind, tvr(outcome)) == (OutcomeKind.ONLINE_REQUEST, "0000000006")
    # The last number is the unpredictable number, for the card, the signature and the host.
    assert card.sent(GENERATE)[0][30:34] == THIRD
    assert objects(outcome.data_record)[0x9F37] == THIRD.hex()
    assert outcome.evidence is not None
    assert outcome.evidence.oda.succeeded
    assert outcome.evidence.relay_ms == 9.1


def test_there_are_never_more_than_three_attempts(payment: Transaction) -> None:
    many = replace(payment, spare_unpredictable_numbers=(SECOND, THIRD, b"four", b"five"))
    card = MastercardCard(aip=AIP, gives=ARQC, relay_us=[SLOWEST_US + 100] * 5)
    tap(card, many)
    assert len(card.sent(RELAY_DATA)) == 3


def test_a_card_that_was_slow_once_is_no_relay(payment: Transaction) -> None:
    card = MastercardCard(aip=AIP, relay_us=[SLOWEST_US + 100, SLOWEST_US])
    outcome = tap(card, payment)
    assert len(card.sent(RELAY_DATA)) == 2
    assert (outcome.kind, tvr(outcome)) == (OutcomeKind.APPROVED, "0000000002")


def test_without_more_numbers_it_is_not_asked_again(purchase: Transaction) -> None:
    card = MastercardCard(aip=AIP, relay_us=[SLOWEST_US + 100])
    outcome = tap(card, purchase)
    assert (outcome.kind, tvr(outcome)) == (OutcomeKind.ONLINE_REQUEST, "0000000006")


def test_a_number_that_the_card_knows_already_is_no_entropy(payment: Transaction) -> None:
    card = MastercardCard(aip=AIP, pdol="9F3704", relay_us=[SLOWEST_US + 100] * 2)
    tap(card, payment)
    assert [capdu[5:9] for capdu in card.sent(RELAY_DATA)] == [SECOND, THIRD]
    alone = MastercardCard(aip=AIP, pdol="9F3704", relay_us=[AIR_US])
    tap(alone, replace(payment, spare_unpredictable_numbers=()))
    assert [capdu[5:9] for capdu in alone.sent(RELAY_DATA)] == [FIRST]


def test_a_relay_of_one_millisecond_is_seen_where_a_card_uses_all_its_time(payment: Transaction) -> None:
    for relay_us, late in ((0, False), (1000, True)):
        card = MastercardCard(aip=AIP, gives=ARQC, relay_us=[SLOWEST_US + relay_us] * 3)
        assert (int(tvr(tap(card, payment)), 16) & 0x04 != 0) is late


def test_a_card_that_answers_too_soon_is_refused(payment: Transaction) -> None:
    card = MastercardCard(aip=AIP, relay_times=(100, 200, 24), relay_us=[AIR_US + 7900])
    outcome = tap(card, payment)
    assert outcome.kind is OutcomeKind.END_APPLICATION
    assert objects(outcome.discretionary_data)[0xDF8115] == "00060000001C"
    slower = MastercardCard(aip=AIP, relay_times=(100, 200, 24), relay_us=[AIR_US + 8000])
    assert tap(slower, payment).kind is OutcomeKind.APPROVED


def test_where_nobody_measures_nothing_is_claimed_and_the_numbers_still_count(payment: Transaction) -> None:
    card = MastercardCard(aip=AIP, relay_us=[None])
    outcome = tap(card, payment)
    assert (outcome.kind, tvr(outcome)) == (OutcomeKind.APPROVED, "0000000001")
    assert outcome.evidence is not None
    assert outcome.evidence.relay_ms is None
    forged = MastercardCard(aip=AIP, relay_us=[None], relay_signed=bytes(14))
    assert tap(forged, payment).kind is OutcomeKind.END_APPLICATION


# The signature


@pytest.mark.parametrize("at", range(14))
def test_what_was_exchanged_must_be_signed(at: int, payment: Transaction) -> None:
    right = FIRST + ANSWER.encode()
    wrong = right[:at] + bytes((right[at] ^ 1,)) + right[at + 1 :]
    outcome = tap(MastercardCard(aip=AIP, relay_us=[AIR_US], relay_signed=wrong), payment)
    assert outcome.kind is OutcomeKind.END_APPLICATION
    assert tvr(outcome) == "0400000002"
    assert outcome.evidence is not None
    assert outcome.evidence.oda.result is OdaResult.FAILED
    assert "relay resistance" in outcome.reason


def test_a_signature_without_it_fails(payment: Transaction) -> None:
    for signed in (b"", FIRST, (FIRST + ANSWER.encode())[:13]):
        outcome = tap(MastercardCard(aip=AIP, relay_us=[AIR_US], relay_signed=signed), payment)
        assert outcome.kind is OutcomeKind.END_APPLICATION
    more = FIRST + ANSWER.encode() + b"more"
    assert tap(MastercardCard(aip=AIP, relay_us=[AIR_US], relay_signed=more), payment).kind is (
        OutcomeKind.APPROVED
    )


def test_a_number_of_an_earlier_attempt_is_no_proof(payment: Transaction) -> None:
    card = MastercardCard(aip=AIP, relay_us=[SLOWEST_US + 100, AIR_US], relay_signed=FIRST + ANSWER.encode())
    assert tap(card, payment).kind is OutcomeKind.END_APPLICATION


# Odd answers


@pytest.mark.parametrize(
    "answer",
    [
        "80099000"[:4] + "00" * 9 + "9000",
        "800B" + "00" * 11 + "9000",
        "770A" + "00" * 10 + "9000",
        "9000",
        "800A" + "00" * 10 + "8000" + "9000",
        "FF9000",
    ],
)
def test_an_answer_of_another_form_ends_the_application(answer: str, payment: Transaction) -> None:
    outcome = tap(MastercardCard(aip=AIP, answers={RELAY_DATA: answer}), payment)
    assert outcome.kind is OutcomeKind.END_APPLICATION
    assert objects(outcome.discretionary_data)[0xDF8115] == "00040000001C"


def test_status_words_and_lost_cards(payment: Transaction) -> None:
    refused = tap(MastercardCard(aip=AIP, answers={RELAY_DATA: "6985"}), payment)
    assert refused.kind is OutcomeKind.END_APPLICATION
    assert refused.reason == "EXCHANGE RELAY RESISTANCE DATA: 6985"
    lost = tap(MastercardCard(aip=AIP, answers={RELAY_DATA: ""}), payment)
    assert (lost.kind, lost.start) == (OutcomeKind.TRY_AGAIN, Start.B)


@given(st.binary(max_size=20))
def test_any_answer_decodes_or_raises_decode_error(data: bytes) -> None:
    try:
        answer = RelayAnswer.decode(data)
    except DecodeError:
        return
    assert data.endswith(answer.encode())


times = st.integers(0, 0xFFFF)
answers: Any = st.builds(
    RelayAnswer,
    entropy=st.binary(min_size=4, max_size=4),
    min_time=times,
    max_time=times,
    transmission=times,
)


@given(answers, st.integers(0, 2), st.none() | times)
def test_an_exchange_survives_its_values(answer: RelayAnswer, retries: int, measured: int | None) -> None:
    assert RelayAnswer.of_values(answer.encode()) == answer
    found = RelayExchange(entropy=FIRST, answer=answer, retries=retries, measured_100us=measured)
    assert RelayExchange.of_values(found.values()) == found
    assert RelayExchange.of_values({}) is None
    assert (found.relay_ms is None) == (measured is None)


@given(answers, st.integers(0, 10**7))
def test_every_answer_and_time_has_a_verdict(answer: RelayAnswer, elapsed_us: int) -> None:
    measured = c2_relay.measured_100us(elapsed_us, answer, OPTIONS)
    found = exchange(measured, answer=answer)
    verdict = c2_relay.judge(found, OPTIONS)
    bits = c2_relay.verification_results(found, OPTIONS)
    assert bits & 0x03 == 0x02
    if verdict is RelayVerdict.TOO_SLOW:
        assert bits & 0x04


# Track 2 of a card that signs nothing


@pytest.mark.parametrize(
    ("number", "index", "retries", "measured", "expected"),
    [
        ("5413330089020011", b"\x05", 2, 1234, "52" + "48879" + "173" + "123"),
        ("5413330089020011", b"\xe1", 0, 9999, "00" + "48879" + "173" + "999"),
        ("5413330089020011", None, 1, 50, "01" + "48879" + "173" + "005"),
        ("6799998900000060018", b"\x06", 0, 10000, "60" + "48879" + "999"),
    ],
)
def test_track_2_tells_the_issuer(
    number: str, index: bytes | None, retries: int, measured: int, expected: str
) -> None:
    track = f"{number}D27122011234567"
    value = bytes.fromhex(track + "F" * (len(track) % 2))
    changed = c2_track2.with_relay_data(value, exchange(measured, retries), index)
    assert changed.hex().upper().rstrip("F") == f"{number}D2712201{expected}"
    assert Track2(changed).pan == Track2(value).pan


def test_a_card_that_signs_nothing_has_relay_data_in_its_track(payment: Transaction) -> None:
    card = MastercardCard(aip=PLAIN | RELAY, gives=ARQC, relay_us=[AIR_US + 2500])
    outcome = tap(card, payment)
    assert objects(outcome.data_record)[0x57] == f"{NUMBER}D2712201" + "00" + "48879" + "173" + "002" + "F"
    unmeasured = MastercardCard(aip=PLAIN | RELAY, gives=ARQC, relay_us=[None])
    assert objects(tap(unmeasured, payment).data_record)[0x57] == f"{NUMBER}D27122010123456789"
    trackless = MastercardCard(aip=PLAIN | RELAY, records={0x57: None}, relay_us=[AIR_US])
    assert 0x57 not in objects(tap(trackless, payment).data_record)
