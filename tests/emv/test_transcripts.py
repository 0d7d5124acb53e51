"""Recorded taps of the reference vectors, replayed command by command."""

import datetime
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from emv import dol, tlv
from emv.apdu import ResponseApdu
from emv.c3_options import C3Options
from emv.capk import NO_CA_KEYS, CaKeys, parse_ca_keys
from emv.config import CombinationConfig, EmvConfig, default_config
from emv.entry_point import EntryPoint
from emv.errors import DecodeError
from emv.fields import Afl, Ttq
from emv.formats import decode_date, decode_n
from emv.kernel import (
    Activation,
    Begin,
    CardAnswered,
    Complete,
    Indicators,
    SendCommand,
    Transaction,
)
from emv.kernel_c3 import KernelC3
from emv.oda import OdaMethod, OdaResult
from emv.outcome import Outcome, OutcomeKind, Start
from emv.sensitive import SensitiveBytes
from tests.emv.scripted_card import ScriptedCard, Tap

VISA = "A000000003"


def asked(case: dict[str, Any]) -> dict[int, bytes]:
    """Return what the recorded terminal told the card, by tag."""
    lines = case["exchanges"]
    gpo = next(line["c"] for line in lines if line["c"].startswith("80A8"))
    fci = next(line["r"] for line in lines if line["r"] and "9F38" in line["r"])
    pdol = tlv.find_bytes(tlv.decode(bytes.fromhex(fci)[:-2]), 0x6F, 0xA5, 0x9F38) or b""
    data, values = bytes.fromhex(gpo)[7:-1], {}
    for entry in dol.decode(pdol):
        values[entry.tag], data = data[: entry.length], data[entry.length :]
    return values


def terminal(told: dict[int, bytes], keys: CaKeys = NO_CA_KEYS) -> tuple[EmvConfig, Transaction]:
    """Return the configuration and the payment of the recorded terminal."""
    currency = told[0x5F2A].hex()
    row = CombinationConfig(
        aid=bytes.fromhex(VISA + "1010"),
        kernel_id=3,
        ttq=Ttq.from_bytes(told[0x9F66], "big"),
        floor_limit=0 if told[0x9F66][1] & 0x80 else None,
        cvm_limit=0 if told[0x9F66][1] & 0x40 else None,
        options=C3Options(ttq_as_configured=True),
    )
    config = EmvConfig(
        country=told.get(0x9F1A, told[0x5F2A]).hex(),
        currency=currency,
        combinations=(row,),
        ca_keys=keys,
    )
    transaction = Transaction(
        type=told.get(0x9C, b"\0")[0],
        amount_minor=decode_n(told[0x9F02]),
        currency=currency,
        date=decode_date(told[0x9A]) if 0x9A in told else datetime.date(2024, 1, 1),
        time=datetime.time(0),
        unpredictable_number=told[0x9F37],
    )
    return config, transaction


def heard(answer: str | None) -> str | None:
    """Return what the reader got of an answer; half a byte is a card that was lost.

    Digits that the author of a recording masked are zeros.
    """
    if not answer or len(answer) % 2:
        return None
    return answer.replace("FFFFFF3033D", "0000003033D").replace("FFFFFF5720D", "0000005720D")


def replay(case: dict[str, Any], keys: CaKeys = NO_CA_KEYS) -> Outcome:
    config, transaction = terminal(asked(case), keys)
    script = [(line["c"], heard(line["r"])) for line in case["exchanges"]]
    tap = Tap(EntryPoint(config), ScriptedCard(script))
    return tap.send(Begin(transaction))


@pytest.fixture
def taps(vectors: Callable[[str], Any]) -> dict[str, dict[str, Any]]:
    cases = vectors("transcripts.json")["cases"]
    return {case["id"]: case for case in cases if case["interface"] == "contactless"}


def test_visa_taps_go_online_with_the_recorded_cryptogram(taps: dict[str, dict[str, Any]]) -> None:
    replayed = 0
    for name, case in taps.items():
        applications = case["facts"].get("applications", [])
        complete = [found for found in applications if "ac" in found and found["aid"].startswith(VISA)]
        if not complete or not name.startswith("tec-"):
            continue
        outcome = replay(case)
        assert outcome.kind is OutcomeKind.ONLINE_REQUEST, (name, outcome.reason)
        assert outcome.data_record is not None
        sent = tlv.flatten(tlv.decode(outcome.data_record.reveal()))
        facts = complete[0]
        assert sent[0x9F26].hex().upper() == facts["ac"]
        assert sent[0x9F36].hex().upper() == facts["atc"]
        assert sent[0x9F10].hex().upper() == facts["iad"]
        assert sent[0x82].hex().upper() == facts["aip"]
        replayed += 1
    assert replayed >= 3


@pytest.fixture
def scheme_keys(vectors: Callable[[str], Any]) -> CaKeys:
    return parse_ca_keys(json.dumps(vectors("ca_keys.json")))


def test_masked_certificates_fail_where_the_mask_begins(
    taps: dict[str, dict[str, Any]], vectors: Callable[[str], Any], scheme_keys: CaKeys
) -> None:
    chains = {case.get("transcript"): case for case in vectors("oda_vectors.json")["cases"]}
    failed = 0
    for name, case in taps.items():
        chain = chains.get(name)
        if not chain or not chain["aid"].startswith(VISA) or not name.startswith("tec-"):
            continue
        assert chain["expected"]["issuer"]["hash_ok"]
        outcome = replay(case, scheme_keys)
        assert outcome.kind is OutcomeKind.ONLINE_REQUEST
        assert outcome.evidence is not None
        report = outcome.evidence.oda
        assert (report.method, report.result) == (OdaMethod.FDDA, OdaResult.FAILED)
        assert report.reason.startswith("card certificate:"), report.reason
        failed += 1
    assert failed


class Recorded(ScriptedCard):
    """Answers each command as the recording has it for a command of the same kind.

    For recordings that were made with other terminal data than ours: SELECT by name, READ RECORD by file
    and number; GET PROCESSING OPTIONS with the first answer that was one.
    """

    def __init__(self, exchanges: list[dict[str, Any]]) -> None:
        super().__init__(())
        self._answers: dict[bytes, bytes] = {}
        for line in exchanges:
            answer = bytes.fromhex(heard(line["r"]) or "")
            key = _kind(bytes.fromhex(line["c"] or ""))
            if key not in self._answers or not self._answers[key].endswith(b"\x90\x00"):
                self._answers[key] = answer

    def transmit(self, capdu: bytes) -> bytes | None:
        return self._answers.get(_kind(capdu), b"\x6a\x82")


def _kind(capdu: bytes) -> bytes:
    options = capdu[:2] == b"\x80\xa8" or not capdu
    return b"" if options else capdu[:5] + (capdu[5:-1] if capdu[1] == 0xA4 else b"")


def test_every_recorded_visa_card_comes_to_an_outcome(
    taps: dict[str, dict[str, Any]], scheme_keys: CaKeys, purchase: Transaction
) -> None:
    """Two of them are of a reader that asked without the data that the card wanted."""
    played = set()
    for name, case in taps.items():
        text = "".join(line["r"] or "" for line in case["exchanges"])
        if VISA not in text.upper():
            continue
        config = replace(default_config("250", "978", cvm_limit=0), ca_keys=scheme_keys)
        rows = tuple(
            replace(row, partial_selection=True, options=C3Options(), ttq=ttq)
            for row in config.combinations
            if row.kernel_id == 3
            for ttq in (Ttq.EMV_MODE | Ttq.ODA_FOR_ONLINE | Ttq.SIGNATURE,)
        )
        machine = EntryPoint(replace(config, combinations=rows))
        outcome = Tap(machine, Recorded(case["exchanges"])).run(replace(purchase, currency="978"))
        assert outcome.kind is not OutcomeKind.APPROVED, name
        if outcome.kernel_id:
            assert outcome.evidence is not None
        assert outcome.reason
        played.add(name)
    assert len(played) >= 5


def test_a_card_lost_in_the_recording_is_to_be_presented_again(taps: dict[str, dict[str, Any]]) -> None:
    lost = [case for name, case in taps.items() if "connection_lost" in name]
    for case in lost:
        told = (
            asked(case)
            if any(line["c"].startswith("80A8") for line in case["exchanges"])
            else {0x9F66: b"\x20\0\0\0", 0x5F2A: b"\x09\x78", 0x9F02: bytes(6), 0x9F37: bytes(4)}
        )
        config, transaction = terminal(told)
        script = [(line["c"], heard(line["r"])) for line in case["exchanges"]]
        outcome = Tap(EntryPoint(config), ScriptedCard(script)).send(Begin(transaction))
        assert (outcome.kind, outcome.start) == (OutcomeKind.TRY_AGAIN, Start.B), case["id"]
    assert lost


def test_cards_of_other_schemes_are_the_wrong_card(
    taps: dict[str, dict[str, Any]], purchase: Transaction
) -> None:
    for case in taps.values():
        directory = case["exchanges"][0]
        announced = case["facts"].get("ppse_directory", [])
        if "325041592E" not in directory["c"] or any(found["aid"].startswith(VISA) for found in announced):
            continue
        if not heard(directory["r"]):
            continue
        card = ScriptedCard([(directory["c"], directory["r"])])
        config = default_config("276", "978")
        visa = tuple(row for row in config.combinations if row.aid.hex().upper().startswith(VISA))
        machine = EntryPoint(replace(config, combinations=visa))
        assert Tap(machine, card).run(purchase).kind is OutcomeKind.END_APPLICATION


def test_every_recorded_answer_decodes_or_raises_decode_error(taps: dict[str, dict[str, Any]]) -> None:
    for case in taps.values():
        for line in case["exchanges"]:
            raw = bytes.fromhex(heard(line["r"]) or "")
            try:
                tree = tlv.decode(raw[:-2])
            except DecodeError:
                continue
            assert tlv.decode(tlv.encode(tree)) == tree


def test_processing_options_as_the_logic_cases_have_them(vectors: Callable[[str], Any]) -> None:
    for case in vectors("terminal_logic.json")["cases"]:
        if case["kind"] != "initiate_application_processing":
            continue
        params = {tag: bytes.fromhex(value) for tag, value in (case["config"] | case["params"]).items()}
        aid = bytes.fromhex("A0000000031003")
        row = CombinationConfig(aid=aid, kernel_id=3)
        config = EmvConfig(
            country=params["9F1A"].hex(),
            currency=params["5F2A"].hex(),
            combinations=(row,),
            capabilities=params["9F33"],
            additional_capabilities=params["9F40"],
        )
        transaction = Transaction(
            type=params["9C"][0],
            amount_minor=decode_n(params["9F03"]),
            amount_other_minor=decode_n(params["9F02"]),
            currency=params["5F2A"].hex(),
            date=decode_date(params["9A"]),
            time=datetime.time(0),
            unpredictable_number=bytes(4),
        )
        kernel = KernelC3(
            Activation(
                config=config,
                combination=row,
                indicators=Indicators(),
                aid=aid,
                fci=SensitiveBytes(bytes.fromhex(case["fci"])),
            )
        )
        (send,) = kernel.handle(Begin(transaction))
        assert isinstance(send, SendCommand)
        assert send.command.encode().hex().upper() == case["exchanges"][0]["c"]
        raw = bytes.fromhex(case["exchanges"][0]["r"])
        action = kernel.handle(CardAnswered(ResponseApdu.decode(raw)))[-1]
        expected = case["expected"]
        if expected["outcome"] == "OK":
            first = next(Afl.decode(bytes.fromhex(expected["afl"])).records())
            assert isinstance(action, SendCommand)
            assert (action.command.p1, action.command.p2 >> 3) == (first.record, first.sfi)
        else:
            assert isinstance(action, Complete)
            assert action.outcome.kind is OutcomeKind.SELECT_NEXT
