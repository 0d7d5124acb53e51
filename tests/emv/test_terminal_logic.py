"""The reference cases of terminal logic, each kind of them by the part of ours that it is about.

Two kinds are not for a contactless terminal, and are listed with the reason.
"""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from emv.apdu import CommandApdu, Exchange, ResponseApdu
from emv.background import Background
from emv.capk import CaKey, CaKeys
from emv.card_data import CardData
from emv.config import CombinationConfig, EmvConfig
from emv.fields import Afl, Tvr
from emv.formats import decode_cn, decode_date, decode_n
from emv.kernel import Activation, Begin, CardAnswered, Complete, Indicators, SendCommand, Transaction
from emv.kernel_emv import KernelEmv
from emv.oda import OdaResult
from emv.outcome import Outcome, OutcomeKind
from emv.restrictions import check_restrictions
from emv.risk import Payment
from emv.rsa import PublicKey
from emv.sensitive import Pan, SensitiveBytes
from tests.emv.emv_card import one
from tests.emv.scripted_card import ScriptedCard, Tap

NOT_FOR_CONTACTLESS = {
    "contact_candidate_list": "1PAY.SYS.DDF01, its directory records and the list of AIDs are how a contact "
    "terminal finds applications; a contactless one asks 2PAY.SYS.DDF01 and never goes by a list",
    "final_application_selection": "a contact terminal drops what it could not select and lets the "
    "cardholder choose again; Entry Point goes down its own candidate list (entry_point.json)",
}
AID = bytes.fromhex("A0000000031003")
PURCHASE = Transaction(
    amount_minor=0,
    currency="978",
    date=datetime.date(2025, 5, 11),
    time=datetime.time(0),
    unpredictable_number=bytes(4),
)
KEYS = CaKeys([CaKey(AID[:5], 0x94, PublicKey(b"\xff" * 128, 3))])

Case = dict[str, Any]


@pytest.fixture
def cases(vectors: Callable[[str], Any]) -> Callable[[str], list[Case]]:
    found: list[Case] = vectors("terminal_logic.json")["cases"]

    def of(kind: str) -> list[Case]:
        return [case for case in found if case["kind"] == kind]

    return of


def values(case: Case, *parts: str) -> dict[int, bytes]:
    """Return the data objects of these parts by tag; later parts outrank earlier ones."""
    joined = {tag: value for part in parts for tag, value in case.get(part, {}).items()}
    return {int(tag, 16): bytes.fromhex(value) for tag, value in joined.items()}


def config(told: Mapping[int, bytes], row: CombinationConfig, keys: CaKeys) -> EmvConfig:
    """Return the terminal of a case."""
    settings: dict[str, Any] = {}
    if 0x9F33 in told:
        settings["capabilities"] = told[0x9F33]
    if 0x9F40 in told:
        settings["additional_capabilities"] = told[0x9F40]
    if 0x9F35 in told:
        settings["terminal_type"] = told[0x9F35][0]
    return EmvConfig(
        country=told.get(0x9F1A, b"\x02\x76").hex(),
        currency=told.get(0x5F2A, b"\x09\x78").hex(),
        combinations=(row,),
        ca_keys=keys,
        **settings,
    )


def payment(told: Mapping[int, bytes]) -> Transaction:
    """Return the payment of a case. Where it has more cashback than amount, the amounts change places."""
    amount, other = (decode_n(told.get(tag, b"\0")) for tag in (0x9F02, 0x9F03))
    if 0x81 in told:
        amount = int.from_bytes(told[0x81], "big")
    return replace(
        PURCHASE,
        type=told.get(0x9C, b"\0")[0],
        amount_minor=max(amount, other),
        amount_other_minor=min(amount, other),
        currency=told.get(0x5F2A, b"\x09\x78").hex(),
        date=decode_date(told[0x9A]) if 0x9A in told else PURCHASE.date,
    )


def kernel(
    told: Mapping[int, bytes],
    *,
    fci: bytes = b"",
    keys: CaKeys = KEYS,
    floor_limit: int | None = None,
    background: Background | None = None,
) -> KernelEmv:
    row = CombinationConfig(aid=AID, kernel_id=6, floor_limit=floor_limit)
    return KernelEmv(
        Activation(
            config=config(told, row, keys),
            combination=row,
            indicators=Indicators(),
            aid=AID,
            fci=SensitiveBytes(fci),
            background=background or Background(),
        )
    )


def test_every_kind_is_run_or_has_its_reason(vectors: Callable[[str], Any]) -> None:
    run = {
        "terminal_risk_management",
        "processing_restrictions",
        "initiate_application_processing",
        "read_application_data",
        "apdu_transport_pcsc",
    }
    kinds = {case["kind"] for case in vectors("terminal_logic.json")["cases"]}
    assert kinds <= run | set(NOT_FOR_CONTACTLESS)


def test_processing_restrictions(cases: Callable[[str], list[Case]]) -> None:
    for case in cases("processing_restrictions"):
        told = values(case, "config", "params")
        card = CardData()
        card.add(list(values(case, "icc").items()))
        tvr = check_restrictions(card, told, payment(told))
        assert tvr.to_bytes(5, "big").hex() == case["expected"]["tvr"], case["id"]


def test_terminal_risk_management(cases: Callable[[str], list[Case]]) -> None:
    """The kernel asks for the counters as recorded, and tells the card the TVR that is expected."""
    for case in cases("terminal_risk_management"):
        told = values(case, "config", "params")
        of_card = {
            0x5A: bytes.fromhex("4761739001010119"),
            0x5F24: bytes.fromhex("491231"),
            0x8C: bytes.fromhex("9505"),
            0x8D: bytes.fromhex("8A02"),
        } | values(case, "icc")
        record = one(0x70, b"".join(one(tag, value) for tag, value in of_card.items()))
        log = [
            Payment(Pan(decode_cn(bytes.fromhex(entry["pan"]))), entry["psn"], entry["amount"])
            for entry in case["transaction_log"]
        ]
        # No keys: the one bit more that a terminal without offline data authentication sets.
        expected = Tvr(int(case["expected"]["tvr"], 16)) | Tvr.ODA_NOT_PERFORMED
        tvr = expected.to_bytes(5, "big").hex()
        script = [
            ("80A8000002830000", "80060800080101009000"),
            ("00B2010C00", record.hex() + "9000"),
            *((line["c"], line["r"]) for line in case["exchanges"]),
            (f"80AE800005{tvr}00", "800B80000711223344556677889000"),
        ]
        flow = kernel(
            told,
            keys=CaKeys(),
            floor_limit=int.from_bytes(told[0x9F1B], "big"),
            background=Background(payments=log),
        )
        outcome = Tap(flow, ScriptedCard(script)).run(payment(told))
        assert outcome.kind is OutcomeKind.ONLINE_REQUEST, (case["id"], outcome.reason)
        assert outcome.evidence is not None
        tsi = int(case["expected"]["tsi"], 16) | 0x2000
        assert int.from_bytes(outcome.evidence.terminal[0x9B], "big") == tsi, case["id"]


def test_initiate_application_processing(cases: Callable[[str], list[Case]]) -> None:
    for case in cases("initiate_application_processing"):
        told = values(case, "config", "params")
        flow = kernel(told, fci=bytes.fromhex(case["fci"]))
        (send,) = flow.handle(Begin(payment(told)))
        assert isinstance(send, SendCommand)
        assert send.command.encode().hex().upper() == case["exchanges"][0]["c"], case["id"]
        raw = bytes.fromhex(case["exchanges"][0]["r"])
        action = flow.handle(CardAnswered(ResponseApdu.decode(raw)))[-1]
        expected = case["expected"]
        if expected["outcome"] == "OK":
            first = next(Afl.decode(bytes.fromhex(expected["afl"])).records())
            assert isinstance(action, SendCommand), case["id"]
            assert (action.command.p1, action.command.p2 >> 3) == (first.record, first.sfi)
        else:
            assert isinstance(action, Complete), case["id"]
            refused = expected["outcome"] == "GPO_NOT_ACCEPTED"
            kinds = {OutcomeKind.SELECT_NEXT} if refused else {OutcomeKind.END_APPLICATION}
            assert action.outcome.kind in kinds, case["id"]


class UpToGenerateAc(ScriptedCard):
    """Plays the recorded records, and declines when it is asked for a cryptogram."""

    asked_for_cryptogram = False

    def transmit(self, capdu: bytes) -> bytes | None:
        """Answer one raw command."""
        if capdu[1] == 0xAE:
            self.asked_for_cryptogram = True
            return bytes.fromhex("800B00000711223344556677889000")
        return super().transmit(capdu)


def read(case: Case) -> tuple[Outcome, bool]:
    """Read the records of a case: the outcome, and whether the kernel got as far as the cryptogram."""
    afl = bytes.fromhex(case["afl"])
    options = one(0x80, b"\x01\x00" + afl).hex() + "9000"
    lines = [("80A8000002830000", options), *((line["c"], line["r"]) for line in case["exchanges"])]
    card = UpToGenerateAc(lines)
    outcome = Tap(kernel({}), card).send(Begin(PURCHASE))
    return outcome, card.asked_for_cryptogram


def test_read_application_data(cases: Callable[[str], list[Case]]) -> None:
    for case in cases("read_application_data"):
        outcome, read_all = read(case)
        expected = case["expected"]["outcome"]
        # What can't be read ends the application; what only spoils authentication does not.
        assert read_all == (expected in ("OK", "ODA_RECORD_INVALID")), (case["id"], outcome.reason)
        if not read_all:
            assert outcome.kind is OutcomeKind.END_APPLICATION, case["id"]
        if expected == "ODA_RECORD_INVALID":
            assert outcome.evidence is not None
            assert outcome.evidence.oda.result is OdaResult.FAILED
            assert Tvr.from_bytes(outcome.evidence.terminal[0x95], "big") & Tvr.CDA_FAILED


def test_the_transport_until_a_response_is_whole(cases: Callable[[str], list[Case]]) -> None:
    for case in cases("apdu_transport_pcsc"):
        lines = [(bytes.fromhex(line["c"]), bytes.fromhex(line["r"])) for line in case["exchanges"]]
        exchange = Exchange(CommandApdu.decode(lines[0][0]))
        raw: bytes | None = exchange.first()
        for command, answer in lines:
            assert raw == command, case["id"]
            raw = exchange.next(answer)
        assert raw is None, case["id"]
        response = exchange.response
        assert str(response.sw) == case["expected"]["last_sw"], case["id"]
        whole = (response.data or response.encode()).hex().upper()
        assert whole == case["expected"]["response_data_or_sw"], case["id"]
