"""Kernel 4: what Expresspay has of its own, and a recorded tap of a test card."""

import datetime
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from emv import dol, tlv
from emv.capk import CaKey, CaKeys
from emv.config import CombinationConfig, EmvConfig
from emv.emv_options import EmvOptions, LimitSet
from emv.entry_point import EntryPoint
from emv.formats import decode_date, decode_n
from emv.kernel import Begin, Transaction
from emv.kernel_c4 import KernelC4
from emv.oda import OdaMethod
from emv.outcome import CvmResult, Interface, Outcome, OutcomeKind
from emv.rsa import PublicKey
from tests.emv.emv_card import EMV_CARD, EmvCard, activation, found, sent, tap
from tests.emv.scripted_card import ScriptedCard, Tap

APPROVED, DECLINED, ONLINE = OutcomeKind.APPROVED, OutcomeKind.DECLINED, OutcomeKind.ONLINE_REQUEST
CDA, MOBILE = 0x0100, 0x0040


def run(card: EmvCard, transaction: Transaction, **settings: Any) -> Outcome:
    return tap(KernelC4(activation(card, transaction, **settings)), card, transaction)


@pytest.mark.parametrize(
    ("settings", "merged", "enhanced"),
    [
        ({}, "E2", "18E00003"),
        ({"cvm_limit": 1250}, "EA", "18E04003"),
        ({"cvm_limit": None}, "EA", "18E04003"),
        ({"options": EmvOptions(capabilities=b"\0\0\0", on_device=False)}, "E2", "18000003"),
        ({"options": EmvOptions(capabilities=b"\0\x40\0", contact_chip=True)}, "E2", "98C00003"),
        ({"terminal": {"terminal_type": 0x23}}, "E3", "18E08003"),
    ],
)
def test_the_card_is_told_what_the_reader_can_do(
    purchase: Transaction, settings: dict[str, Any], merged: str, enhanced: str
) -> None:
    card = EmvCard(pdol="9F35019F6E049F6D01", records={0x8C: "9F3501"})
    outcome = run(card, purchase, **settings)
    plain = f"{int(merged, 16) & 0xC8:02X}"
    assert card.commands[0][7:-1].hex().upper() == merged + enhanced + plain
    assert card.generated[5:-1].hex().upper() == merged
    # The host gets the terminal type as it is.
    if outcome.data_record:
        assert sent(outcome)[0x9F35].hex() == ("23" if "terminal" in settings else "22")


def test_a_card_without_emv_mode_is_not_taken(purchase: Transaction) -> None:
    card = EmvCard(aip=0x1800 | CDA)
    outcome = run(card, purchase)
    assert outcome.kind is OutcomeKind.END_APPLICATION
    assert card.instructions == [0xA8]


PHONE = EMV_CARD | CDA | MOBILE


@pytest.mark.parametrize(
    ("claimed", "results", "method", "tvr"),
    [
        ("010302", "010302", CvmResult.CONFIRMED_BY_DEVICE, "0000000000"),
        ("010002", "010002", CvmResult.CONFIRMED_BY_DEVICE, "0000000000"),
        ("010301", "010301", CvmResult.NOT_APPLICABLE, "0000800000"),
        ("010303", "010303", CvmResult.NOT_APPLICABLE, "0000A00000"),
        # Nobody was verified, or nobody knows what is meant: the list decides.
        ("3F0000", "1E0300", CvmResult.SIGNATURE, "0000000000"),
        ("010304", "1E0300", CvmResult.SIGNATURE, "0000000000"),
        (None, "1E0300", CvmResult.SIGNATURE, "0000000000"),
    ],
)
def test_a_phone_says_what_came_of_its_own_verification(
    purchase: Transaction, claimed: str | None, results: str, method: CvmResult, tvr: str
) -> None:
    card = EmvCard(aip=PHONE, options={0x9F71: claimed} if claimed else {})
    no_pin = EmvOptions(capabilities=bytes.fromhex("0028C8"))
    outcome = run(card, purchase, cvm_limit=0, options=no_pin)
    assert outcome.cvm is method
    assert (found(outcome)[2], found(outcome)[0]) == (results, tvr)
    assert outcome.kind is (ONLINE if "80" in tvr or "A0" in tvr else APPROVED)


@pytest.mark.parametrize(
    ("aip", "settings", "method"),
    [
        (EMV_CARD | CDA, {"cvm_limit": 0}, CvmResult.ONLINE_PIN),
        (PHONE, {"cvm_limit": 0, "options": EmvOptions(on_device=False)}, CvmResult.ONLINE_PIN),
        (PHONE, {"cvm_limit": 5000}, CvmResult.NONE),
    ],
)
def test_a_claim_counts_only_from_a_phone_where_it_is_asked_for(
    purchase: Transaction, aip: int, settings: dict[str, Any], method: CvmResult
) -> None:
    outcome = run(EmvCard(aip=aip, options={0x9F71: "010302"}), purchase, **settings)
    assert outcome.cvm is method


def test_a_claim_of_another_length_is_in_error(purchase: Transaction) -> None:
    outcome = run(EmvCard(aip=PHONE, options={0x9F71: "0103"}), purchase, cvm_limit=0)
    assert outcome.kind is OutcomeKind.END_APPLICATION


SETS = EmvOptions(
    limit_sets=(
        LimitSet(number=0, transaction_limit=1251),
        LimitSet(number=1, transaction_limit=1250),
        LimitSet(number=2, cvm_limit=1250),
        LimitSet(number=3, floor_limit=1250),
        LimitSet(number=4, cvm_limit=1251, floor_limit=1251),
    )
)


@pytest.mark.parametrize(
    ("named", "kind", "method"),
    [
        (None, APPROVED, CvmResult.NONE),
        ("0000", APPROVED, CvmResult.NONE),
        ("0001", OutcomeKind.TRY_ANOTHER_INTERFACE, CvmResult.NOT_APPLICABLE),
        ("0002", ONLINE, CvmResult.ONLINE_PIN),
        ("0003", ONLINE, CvmResult.NONE),
        ("0004", APPROVED, CvmResult.NONE),
        # The card names no set, or one that the terminal does not have.
        ("0009", APPROVED, CvmResult.NONE),
        ("0007", APPROVED, CvmResult.NONE),
        ("00", OutcomeKind.END_APPLICATION, CvmResult.NOT_APPLICABLE),
    ],
)
def test_the_card_names_its_limits(
    purchase: Transaction, named: str | None, kind: OutcomeKind, method: CvmResult
) -> None:
    outcome = run(EmvCard(records={0x9F70: named}), purchase, options=SETS)
    assert (outcome.kind, outcome.cvm) == (kind, method), outcome.reason
    if kind is OutcomeKind.TRY_ANOTHER_INTERFACE:
        assert outcome.alternate_interface is Interface.CONTACT_CHIP


def test_no_limit_is_under_another_currency(purchase: Transaction) -> None:
    foreign = Transaction(
        amount_minor=1,
        currency="840",
        date=purchase.date,
        time=purchase.time,
        unpredictable_number=purchase.unpredictable_number,
    )
    assert run(EmvCard(records={0x9F70: "0000"}), foreign, options=SETS).kind is (
        OutcomeKind.TRY_ANOTHER_INTERFACE
    )
    assert run(EmvCard(records={0x9F70: "0002"}), foreign, options=SETS).cvm is CvmResult.ONLINE_PIN
    outcome = run(EmvCard(records={0x9F70: "0003"}), foreign, options=SETS, floor_limit=None)
    assert found(outcome)[0][6] == "8"


def test_entry_point_has_the_kernel(purchase: Transaction) -> None:
    row = CombinationConfig(aid=bytes.fromhex("A00000002501"), kernel_id=4)
    EntryPoint(EmvConfig(country="276", currency="978", combinations=(row,)))


# The recorded tap


def told(case: Mapping[str, Any]) -> dict[int, bytes]:
    """Return what the recorded terminal told the card in PDOL and CDOL1."""
    values: dict[int, bytes] = {}
    cards: dict[int, bytes] = {}
    for line in case["exchanges"]:
        command, answer = bytes.fromhex(line["c"]), bytes.fromhex(line["r"])[:-2]
        if command[1] in (0xA8, 0xAE):
            data = command[7:-1] if command[1] == 0xA8 else command[5:-1]
            for entry in dol.decode(cards[0x9F38 if command[1] == 0xA8 else 0x8C]):
                values[entry.tag], data = data[: entry.length], data[entry.length :]
        cards |= tlv.flatten(tlv.decode(answer), tlv.Duplicates.LAST)
    return values


def amex_keys(case: Mapping[str, Any]) -> CaKeys:
    key = case["ca_key"]
    exponent = int(key["exponent"], 16)
    public = PublicKey(bytes.fromhex(key["modulus"]), exponent)
    return CaKeys([CaKey(bytes.fromhex(case["ca_rid"]), int(case["ca_index"], 16), public)])


def test_a_recorded_tap_goes_online_with_its_signature_verified(vectors: Callable[[str], Any]) -> None:
    case = next(case for case in vectors("transcripts.json")["cases"] if case["id"] == "binaryfoo-amex-cda")
    chain = next(
        case
        for case in vectors("oda_vectors.json")["cases"]
        if case.get("transcript") == "binaryfoo-amex-cda"
    )
    values = told(case)
    terminal_type = values[0x9F35][0]
    row = CombinationConfig(
        aid=bytes.fromhex("A00000002501"),
        kernel_id=4,
        floor_limit=0,
        # The recorded terminal required verification, and has a PIN pad.
        cvm_limit=0 if terminal_type & 0x08 else None,
        options=EmvOptions(capabilities=bytes.fromhex("E0E8C8")),
    )
    config = EmvConfig(
        country=values[0x9F1A].hex(),
        currency=values[0x5F2A].hex(),
        combinations=(row,),
        terminal_type=terminal_type & ~0xC8,
        ca_keys=amex_keys(chain),
    )
    transaction = Transaction(
        type=values[0x9C][0],
        amount_minor=decode_n(values[0x9F02]),
        currency=values[0x5F2A].hex(),
        date=decode_date(values[0x9A]),
        time=datetime.time(0),
        unpredictable_number=values[0x9F37],
    )
    script = [(line["c"], line["r"]) for line in case["exchanges"]]
    outcome = Tap(EntryPoint(config), ScriptedCard(script)).send(Begin(transaction))
    assert (outcome.kind, outcome.cvm, outcome.kernel_id) == (ONLINE, CvmResult.ONLINE_PIN, 4)
    assert outcome.evidence is not None
    assert outcome.evidence.oda.method is OdaMethod.CDA
    assert outcome.evidence.oda.succeeded
    assert outcome.evidence.terminal[0x95] == values[0x95]
    assert sent(outcome)[0x9F26] == outcome.evidence.oda.cryptogram
