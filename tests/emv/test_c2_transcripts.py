"""Recorded Mastercard taps and signatures of the reference vectors, given to kernel 2."""

import datetime
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from emv import commands, dol, tlv
from emv.apdu import ResponseApdu
from emv.c2_options import C2Options
from emv.capk import CaKey, CaKeys
from emv.config import CombinationConfig, EmvConfig
from emv.formats import decode_date, decode_n
from emv.kernel import (
    Activation,
    Begin,
    CardAnswered,
    CardLost,
    Complete,
    Event,
    Indicators,
    SendCommand,
    Transaction,
)
from emv.kernel_c2 import KernelC2
from emv.oda import OdaResult
from emv.outcome import Outcome, OutcomeKind
from emv.rsa import PublicKey
from emv.sensitive import SensitiveBytes
from emv.tlv import encode_one as one

MASTERCARD = "A000000004"
PDOL_DATA = 0x9F7D
ISSUER = {0x90: "issuer_cert_90", 0x92: "issuer_rem_92", 0x9F32: "issuer_exp_9f32"}
CARD = {0x9F46: "icc_cert_9f46", 0x9F48: "icc_rem_9f48", 0x9F47: "icc_exp_9f47"}
"""How the reference cases name the objects of the certificates."""


def applications(case: Mapping[str, Any]) -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """Yield a recording's Mastercard selections with the lines that follow each."""
    lines = [(line["c"], line["r"]) for line in case["exchanges"]]
    starts = [at for at, (sent, _) in enumerate(lines) if sent.startswith("00A40400")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        sent, answer = lines[start]
        if sent[10:].startswith(MASTERCARD) and answer and answer.endswith("9000"):
            yield answer[:-4], lines[start + 1 : end]


def told(answer: str, lines: list[tuple[str, str | None]]) -> dict[int, bytes]:
    """Return what the recorded terminal told the card with GENERATE AC, by tag."""
    sent = next((capdu for capdu, _ in lines if capdu.startswith("80AE")), None)
    records = [rapdu for capdu, rapdu in lines if capdu.startswith("00B2") and rapdu]
    cdol1 = None
    for rapdu in records:
        try:
            cdol1 = cdol1 or tlv.find_bytes(tlv.decode(bytes.fromhex(rapdu)[:-2]), 0x70, 0x8C)
        except ValueError:
            continue
    if sent is None or cdol1 is None:
        return {}
    values, data = {}, bytes.fromhex(sent)[5:]
    for entry in dol.decode(cdol1):
        values[entry.tag], data = data[: entry.length], data[entry.length :]
    return values


def kernel(
    fci: str,
    values: Mapping[int, bytes],
    ca_keys: CaKeys,
    extra: dict[int, bytes] | None = None,
    **options: Any,
) -> tuple[KernelC2, Transaction]:
    """Return kernel and payment of a recorded terminal; its CVM results tell its CVM limit."""
    verified = values.get(0x9F34, b"\x1f")[0] & 0x3F not in (0x1F, 0x3F)
    currency = values.get(0x5F2A, b"\x09\x78").hex()
    row = CombinationConfig(
        aid=bytes.fromhex(MASTERCARD + "1010"),
        kernel_id=2,
        cvm_limit=0 if verified else None,
        options=C2Options(**options),
    )
    config = EmvConfig(
        country=values.get(0x9F1A, b"\x02\x76").hex(),
        currency=currency,
        combinations=(row,),
        terminal_type=values.get(0x9F35, b"\x22")[0],
        capabilities=values.get(0x9F33, bytes.fromhex("0028C8")),
        ca_keys=ca_keys,
        extra=extra or {},
    )
    transaction = Transaction(
        type=values.get(0x9C, b"\0")[0],
        amount_minor=decode_n(values.get(0x9F02, b"\0")),
        amount_other_minor=decode_n(values.get(0x9F03, b"\0")),
        currency=currency,
        date=decode_date(values[0x9A]) if 0x9A in values else datetime.date(2023, 1, 1),
        time=datetime.time(12),
        unpredictable_number=values.get(0x9F37, bytes(4)),
    )
    activation = Activation(
        config=config,
        combination=row,
        indicators=Indicators(),
        aid=row.aid,
        fci=SensitiveBytes(bytes.fromhex(fci)),
    )
    return KernelC2(activation), transaction


def replay(
    machine: KernelC2, transaction: Transaction, lines: list[tuple[str, str | None]]
) -> tuple[Outcome, list[str]]:
    """Answer each command with the recorded answer to the same one; GENERATE AC is not compared whole."""
    sent: list[str] = []
    event: Event = Begin(transaction)
    while True:
        last = machine.handle(event)[-1]
        if isinstance(last, Complete):
            return last.outcome, sent
        assert isinstance(last, SendCommand)
        capdu = last.command.encode().hex().upper()
        sent.append(capdu)
        event = _recorded(capdu, lines)


def _recorded(capdu: str, lines: list[tuple[str, str | None]]) -> Event:
    same = 4 if capdu.startswith("80AE") else len(capdu)
    found = [answer for sent, answer in lines if (sent or capdu)[:same] == capdu[:same]]
    if not found or not found[0]:
        return CardLost()
    return CardAnswered(ResponseApdu.decode(bytes.fromhex(found[0])))


@pytest.fixture
def taps(vectors: Callable[[str], Any]) -> dict[str, dict[str, Any]]:
    """The recordings by name."""
    return {case["id"]: case for case in vectors("transcripts.json")["cases"]}


def test_recorded_cards_are_read_as_the_recording_says(taps: dict[str, dict[str, Any]]) -> None:
    """A card that was only read, for want of a terminal's keys and PIN pads, is lost at GENERATE AC."""
    read, complete = 0, 0
    for name, case in taps.items():
        for fci, lines in applications(case):
            machine, transaction = kernel(fci, told(fci, lines), CaKeys())
            outcome, sent = replay(machine, transaction, lines)
            recorded = [line for line, _ in lines]
            assert all(line in recorded for line in sent if line.startswith("00B2")), name
            if outcome.kind is OutcomeKind.TRY_AGAIN and sent[-1].startswith("80AE"):
                read += 1
            elif outcome.kind is OutcomeKind.ONLINE_REQUEST:
                assert sent[-1][:8] == "80AE8000", name
                complete += 1
            else:
                # Answers with digits replaced by letters, or files that were not recorded.
                assert outcome.kind is OutcomeKind.END_APPLICATION, (name, outcome.reason)
    assert read >= 2
    assert complete >= 1


def test_a_recorded_cryptogram_goes_online_with_the_recorded_data(taps: dict[str, dict[str, Any]]) -> None:
    compared = 0
    for name, case in taps.items():
        for facts in case["facts"].get("applications", []):
            for given in facts.get("generate_ac", []) if facts["aid"].startswith(MASTERCARD) else []:
                fci, lines = next(iter(applications(case)))
                machine, transaction = kernel(fci, told(fci, lines), CaKeys())
                outcome, _ = replay(machine, transaction, lines)
                assert outcome.kind is OutcomeKind.ONLINE_REQUEST, (name, outcome.reason)
                assert outcome.data_record is not None
                record = tlv.flatten(tlv.decode(outcome.data_record.reveal()))
                found = {tag: record[tag].hex().upper() for tag in (0x9F26, 0x9F27, 0x9F10, 0x9F36)}
                assert found == {
                    0x9F26: given["ac"],
                    0x9F27: given["cid"],
                    0x9F10: given["iad"],
                    0x9F36: given["atc"],
                }
                compared += 1
    assert compared >= 1


def test_recorded_signatures_verify_in_the_kernel(vectors: Callable[[str], Any]) -> None:
    """Cards made of recorded certificates and CDA signatures, which the kernel has to accept."""
    seen = 0
    for case in vectors("oda_vectors.json")["cases"]:
        if "cda" not in case or not case.get("aid", "").startswith(MASTERCARD):
            continue
        outcome, sent = play_signature(case)
        assert outcome.kind in (OutcomeKind.APPROVED, OutcomeKind.ONLINE_REQUEST), (
            case["id"],
            outcome.reason,
        )
        assert outcome.evidence is not None
        assert outcome.evidence.oda.result is OdaResult.SUCCEEDED
        assert sent[-1][4:6] == case["cda"]["p1"]
        assert sent[-1][10:-2] == case["cda"]["cdol_data"]
        seen += 1
    assert seen >= 2


def play_signature(case: Mapping[str, Any]) -> tuple[Outcome, list[str]]:
    """Play a card that says what the case has, in four records of which the first is signed."""
    cda, aip = case["cda"], bytes.fromhex(case["aip"])
    static = bytes.fromhex(case["static_data"]).removesuffix(aip)
    cdol1 = bytes.fromhex(cda["cdol1"])
    more = b"" if 0x8C in {tag for tag, _ in tlv.split(static)} else one(0x8C, cdol1)
    records = [static, more + one(0x8F, bytes.fromhex(case["ca_index"]))]
    for fields in (ISSUER, CARD):
        values = ((tag, bytes.fromhex(case[name])) for tag, name in fields.items())
        records.append(b"".join(one(tag, value) for tag, value in values if value))
    pdol_data = bytes.fromhex(cda["pdol_data"])
    options = one(0x77, one(0x82, aip) + one(0x94, bytes.fromhex("1001010110020400")))
    lines: list[tuple[str, str | None]] = [
        (commands.get_processing_options(pdol_data).encode().hex().upper(), options.hex() + "9000"),
        ("80AE", cda["gac_response"] + "9000"),
        *(
            (f"00B2{number:02X}1400", one(0x70, record).hex() + "9000")
            for number, record in enumerate(records, start=1)
        ),
    ]
    # The recorded PDOL is not in the case: one object of its length stands for it.
    pdol = dol.encode((dol.DolEntry(PDOL_DATA, len(pdol_data)),)) if pdol_data else b""
    fci = one(0x6F, one(0x84, bytes.fromhex(case["aid"])) + one(0xA5, one(0x9F38, pdol))).hex()
    key = PublicKey(bytes.fromhex(case["ca_key"]["modulus"]), int(case["ca_key"]["exponent"], 16))
    ca_keys = CaKeys([CaKey(bytes.fromhex(case["ca_rid"]), int(case["ca_index"], 16), key)])
    sent, data = {}, bytes.fromhex(cda["cdol_data"])
    for entry in dol.decode(cdol1):
        sent[entry.tag], data = data[: entry.length], data[entry.length :]
    machine, transaction = kernel(
        fci, sent, ca_keys, {PDOL_DATA: pdol_data}, relay_bits=bool(sent[0x95][4] & 0x03)
    )
    return replay(machine, transaction, lines)
