"""The parsers: each takes anything, and parses it or raises its own error, nothing else."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any

from emv import candidates, dol, explain, formats, oda, tlv
from emv.apdu import CommandApdu, Exchange, ResponseApdu
from emv.atr import Atr
from emv.ats import Ats
from emv.capk import CaKeyError, parse_ca_keys
from emv.card_data import CardData
from emv.config import CombinationConfig, EmvConfig
from emv.config_file import OPTIONS, ConfigFileError, default_text, parse
from emv.cvm import CvmList, CvmMethods, CvmResults, select_cvm
from emv.entry_point import EntryPoint
from emv.errors import DecodeError
from emv.fields import Afl, Aip, Auc, Cid, Ctq, Tsi, Ttq, Tvr, take
from emv.guard_policy import GuardPolicy
from emv.issuer_answer import authentication_words, command_words
from emv.issuer_data import IssuerData
from emv.kernel import Indicators
from emv.names import NO_NAMES
from emv.quick_decision import cryptogram_kind
from emv.reset_words import explain_atr, explain_ats
from emv.restrictions import check_restrictions
from emv.risk import RandomSelection, manage_risk
from emv.sensitive import Pan, SensitiveBytes, Track2
from emv.service_code import ServiceCode
from emv.static_data import StaticData
from emv.tags import Tag
from emv.terminal_data import terminal_data
from emv.third_party_data import ThirdPartyData
from emv.trace import render
from simulators.scheme import ca_keys_json
from terminal.names import ENGLISH
from terminal.replay import transcript
from tests.fuzz import documents, taps
from tests.fuzz.choices import Choices
from tests.fuzz.taps import MAX_RAW
from tests.fuzz.terminals import CA_KEYS, PAYMENTS, TERMINALS

RIDS = tuple(sorted({key.rid for key in CA_KEYS}))
DAY = datetime.date(2026, 5, 9)


def decoded(decode: Callable[[bytes], Any], data: bytes) -> Any:
    """Return what a decoder makes of the data, or None if it refuses it by an error that says where."""
    try:
        return decode(data)
    except DecodeError as error:
        refusal = error
    assert refusal.reason
    assert 0 <= refusal.offset <= len(data)
    return None


def tlv_objects(data: bytes) -> None:
    """BER-TLV: what can be decoded comes back from its encoding; both ways to read agree."""
    objects = decoded(tlv.decode, data)
    level, spans = decoded(tlv.split, data), decoded(tlv.spans, data)
    assert (level is None) == (spans is None)
    if objects is not None:
        assert tlv.decode(tlv.encode(objects)) == objects
        assert [tag for tag, _ in objects] == [tag for tag, _ in level]
        for policy in tlv.Duplicates:
            with suppress(DecodeError):
                tlv.flatten(objects, policy)
    decoded(tlv.tag_list, data)
    static = StaticData()
    static.add(1, data)
    static.add(11, data)
    assert oda.without_signature(data) is not None


def lists(data: bytes) -> None:
    """Data object lists: what is sent has the length that was asked for."""
    entries = decoded(dol.decode, data)
    if entries is not None:
        assert dol.decode(dol.encode(entries)) == entries
        values = terminal_data(TERMINALS[0], PAYMENTS[0], aid=bytes.fromhex("A0000000041010"))
        assert len(dol.fill(entries, values)) == dol.length(entries) <= dol.MAX_DATA_BYTES


def commands(data: bytes) -> None:
    """APDUs: whatever the card answers, one command comes to a response after a bounded number of steps."""
    command = decoded(CommandApdu.decode, data)
    if command is not None:
        assert CommandApdu.decode(command.encode()) == command
    answer = decoded(ResponseApdu.decode, data)
    assert answer is None or answer.encode() == data
    choices = Choices(data)
    sent = CommandApdu(choices.byte(), choices.byte(), 0, 0, bytes(choices.number(2) & 0x7FF), 0)
    exchange = Exchange(sent)
    raw: bytes | None = exchange.first()
    parts = len(sent.data) // 255 + 1
    for _ in range(MAX_RAW + 2 * parts):
        if raw is None:
            break
        assert len(raw) <= 261
        size = choices.byte()
        status = choices.pick((b"\x90\x00", b"\x61\x00", b"\x6c\x00", b"", b"\x6a\x82", b"\x61\x10"))
        said = choices.take(size) + status
        render(raw, said)
        raw = exchange.next(said)
    assert raw is None
    repr(exchange.response)


def fields(data: bytes) -> None:
    """Fields of a fixed layout: what can be decoded comes back from its encoding."""
    for kind in (Afl, Cid, CvmList, CvmResults, ServiceCode, ThirdPartyData):
        found = decoded(kind.decode, data)
        assert found is None or kind.decode(found.encode()) == found
    if decoded(Afl.decode, data) is not None:
        assert len(list(Afl.decode(data).records())) <= Afl.MAX_RECORDS
    for bits, length in ((Aip, 2), (Ttq, 4), (Ctq, 2), (Auc, 2), (Tvr, 5), (Tsi, 2)):
        with suppress(DecodeError):
            assert take(bits, data, length, 0x82).to_bytes(length, "big") == data
    for decode in (
        *(formats.decode_n, formats.decode_cn, formats.decode_an, formats.decode_ans),
        *(formats.decode_date, formats.decode_time),
    ):
        decoded(decode, data)
    for secret in (decoded(Pan.decode, data), decoded(Track2, data)):
        if secret is not None:
            digits = secret.reveal() if isinstance(secret, Pan) else secret.pan.reveal()
            assert digits not in f"{secret} {secret!r} {secret:>30}"


def issuer_data(data: bytes) -> None:
    """Issuer application data of every scheme, and what issuers answer."""
    for rid in (b"", *RIDS):
        found = decoded(partial(IssuerData.decode, rid=rid), data)
        assert found is None or found.encode() == data
    authentication_words(data)
    decoded(command_words, data)


def resets(data: bytes) -> None:
    """Answers to reset and to select."""
    for kind, words in ((Atr, explain_atr), (Ats, explain_ats)):
        found = decoded(kind.decode, data)
        assert found is None or found.encode() == data
        if found is not None:
            assert all(found.reasons())
        nodes = decoded(words, data)
        assert (nodes is None) == (found is None)
        json.dumps([node.fields() for node in nodes or ()])


def trees(data: bytes) -> None:
    """What `emv decode` shows: any bytes have a tree, and none has a card number in clear."""
    choices = Choices(data)
    tag, content = choices.tag(), data[2:]
    nodes = explain.explain_readable(content, ENGLISH)
    whole = decoded(lambda value: explain.explain(value, NO_NAMES), content)
    assert (whole is None) == (decoded(tlv.decode, content) is None)
    answer = decoded(lambda value: explain.explain_answer(value, ENGLISH), content)
    assert whole is None or answer is not None
    nodes = answer or nodes
    with suppress(ValueError):
        tlv.encode_tag(tag)
        alone = decoded(lambda value: explain.explain_field(tag, value, ENGLISH), content)
        json.dumps(None if alone is None else alone.fields())
    told = json.dumps([node.fields() for node in nodes], ensure_ascii=False)
    for number in _numbers(explain.readable(content)):
        assert number not in told, "a card number is shown"


def _numbers(objects: Iterable[tuple[int, bytes, bool]]) -> Iterable[str]:
    """Yield the card numbers on the top level. Short ones and such of few digits turn up by chance."""
    for tag, value, whole in objects:
        if not whole:
            return
        if tag == Tag.PAN:
            with suppress(DecodeError):
                number = Pan.decode(value).reveal()
                if len(number) >= 12 and len(set(number)) > 2:
                    yield number


def directory(data: bytes) -> None:
    """The PPSE's answer: entries in, candidates out, in the card's order of priority."""
    entries = decoded(candidates.directory, data) or ()
    rows = TERMINALS[2].combinations
    indicators = Indicators()
    found = candidates.candidate_list(entries, [(row, indicators) for row in rows])
    places = [candidate.entry.priority or 16 for candidate in found]
    assert places == sorted(places)
    for candidate in found:
        assert candidate.entry.name.startswith(candidate.combination.aid)
        assert candidate.entry.label.isprintable()
    candidates.asks_for_ttq(data)


def authentication(data: bytes) -> None:
    """Offline data authentication with a hostile card's data: every method ends in a report."""
    card = CardData()
    objects = decoded(tlv.decode, data) or ()
    card.add(objects, tlv.Duplicates.FIRST)
    static: SensitiveBytes | None = SensitiveBytes(card.get(Tag.RECORD_TEMPLATE) or b"")
    rid = RIDS[len(data) % len(RIDS)]
    terminal = terminal_data(TERMINALS[0], PAYMENTS[0], aid=rid + b"\1\1")
    signed, related = card.get(Tag.SIGNED_DYNAMIC_DATA) or b"", card.get(Tag.DDOL) or b""
    for covered in (static, StaticData().value(card), None):
        key = oda.recover_card_key(card, covered, rid=rid, ca_keys=CA_KEYS, date=DAY)
        assert key.key is not None or key.report.result is oda.OdaResult.FAILED
        reports = (
            oda.authenticate_sda(card, covered, rid=rid, ca_keys=CA_KEYS, date=DAY),
            oda.authenticate_dda(card, covered, signed, related, rid=rid, ca_keys=CA_KEYS, date=DAY),
            oda.authenticate_fdda(card, covered, terminal, rid=rid, ca_keys=CA_KEYS, date=DAY),
            oda.authenticate_cda(
                key, signed, unpredictable_number=bytes(4), cid=0x40, transaction_data=related
            ),
        )
        for report in reports:
            assert report.succeeded or report.reason
            assert covered is not None or not report.succeeded


def decisions(data: bytes) -> None:
    """Decisions over a hostile card's data: each decides, or says what can't be read."""
    choices = Choices(data)
    payment, config = choices.pick(PAYMENTS), choices.pick(TERMINALS)
    card = CardData()
    card.add(decoded(tlv.decode, choices.rest()) or (), tlv.Duplicates.FIRST)
    terminal = terminal_data(config, payment, aid=bytes.fromhex("A0000000651010"))
    with suppress(DecodeError):
        check_restrictions(card, terminal, payment)
    with suppress(DecodeError):
        select_cvm(card, terminal, transaction=payment, supported=CvmMethods(7))
    with suppress(DecodeError):
        manage_risk(
            card,
            amount_minor=payment.amount_minor,
            limit_minor=1000,
            selection=RandomSelection(target_percent=10, maximum_percent=50, threshold_minor=100),
            random_percent=payment.random_percent,
            atc=card.get(Tag.ATC),
            last_online_atc=card.get(Tag.LAST_ONLINE_ATC),
        )
    if Tag.ISSUER_APPLICATION_DATA in card:
        with suppress(DecodeError):
            cryptogram_kind(card)


def ca_keys(data: bytes) -> None:
    """Files of CA keys: as text, or the test scheme's with other values in them."""
    choices = Choices(data)
    as_text = choices.byte() & 1
    text = choices.rest().decode("utf-8", "replace") if as_text else documents.changed(_KEY_FILE, choices)
    with suppress(CaKeyError):
        keys = parse_ca_keys(text)
        assert all(keys.find(key.rid, key.index) == key for key in keys)


_KEY_FILE = ca_keys_json()


LITERALS = (
    *("[]", "{}", "0", "-1", "1.5", "nan", "inf", "true", '""', '"none"', '"shop"', '"zz"', '"00"', '"9F02"'),
    *(
        "[[]]",
        "[{}]",
        "[1]",
        '["EMV_MODE"]',
        '["purchase"]',
        "2026-05-09",
        "12:30:00",
        "0xFF",
        "99999999999999",
    ),
    *(
        '"A0000000031010"',
        '["A0000000031010"]',
        '[["purchase"]]',
        "[true]",
        '"DECLINE"',
        '"\\u0661"',
        "1e400",
    ),
)
"""Values of every type, where a setting wants one of its own."""
_TAPPED = (
    "visa-approve",
    "mastercard-no-oda",
    "amex-online",
    "jcb-online",
    "unionpay-online",
    "discover-online",
)
_TABLES: tuple[tuple[str, type], ...] = (
    ("terminal", EmvConfig),
    ("guard", GuardPolicy),
    *((f"kernel.{number}", CombinationConfig) for number in OPTIONS),
    *((f"kernel.{number}.options", kind) for number, kind in OPTIONS.items()),
)
SHOP = {"country": "276", "currency": "978", "cvm_limit": 5000, "transaction_limit": None, "floor_limit": 0}


def config(data: bytes) -> None:
    """EMV configuration files: as text, or the default one with other values in some lines.

    A card can be tapped with whatever is taken for a configuration.
    """
    choices = Choices(data)
    name = "visa-approve"
    if choices.byte() & 1:
        text = choices.rest().decode("utf-8", "replace")
    else:
        name = choices.pick(_TAPPED)
        lines = [line.partition(" #")[0] for line in default_text().splitlines()]
        lines = [line for line in lines if line and not line.startswith("#")]
        for _ in range(choices.byte() & 0x07):
            _set(lines, choices)
        text = "\n".join(lines) + "\n" + choices.rest().decode("utf-8", "replace")
    for shop in ({}, {**SHOP, "merchant_name": "Shop", "terminal_id": "1"}):
        try:
            found = parse(text, shop)
        except ConfigFileError as error:
            line = error.line
            assert 1 <= line <= text.count("\n") + 1
            continue
        _usable(found, name)


def _set(lines: list[str], choices: Choices) -> None:
    """Give a setting another value: one of the lines, or any that there is."""
    value = choices.pick(LITERALS)
    if choices.byte() & 1:
        at = choices.byte() % len(lines)
        lines[at] = f"{lines[at].partition('=')[0].strip()} = {value}"
        return
    table, kind = choices.pick(_TABLES)
    header = f"[{table}]"
    if header not in lines:
        lines.append(header)
    names = [field.name for field in dataclasses.fields(kind)]
    lines.insert(lines.index(header) + 1, f"{choices.pick(names)} = {value}")


def _usable(found: EmvConfig, name: str) -> None:
    """Tap a card; that a kernel is not there is told before."""
    try:
        machine = EntryPoint(found)
    except ValueError:
        return
    outcome = taps.honest(machine, name, PAYMENTS[0])
    taps.check(outcome, machine, found, PAYMENTS[0])


def transcripts(data: bytes) -> None:
    """Recorded taps as JSON: what can be read is written the same."""
    choices = Choices(data)
    as_text = choices.byte() & 1
    text = choices.rest().decode("utf-8", "replace") if as_text else documents.changed(_RECORDING, choices)
    try:
        found = transcript.parse(text)
    except transcript.TranscriptError:
        return
    for one in found:
        assert transcript.parse(json.dumps(one.as_json())) == (one,)


_RECORDING = json.dumps(
    {
        "id": "made up",
        "interface": "contactless",
        "masked": False,
        "terminal": {"data": {"9F02": "000000001250"}, "emv": "", "shop": {"country": "276"}},
        "exchanges": [{"c": "00A4040000", "r": "6A82", "ms": 12.5}, {"c": None, "r": "", "ms": None}],
    }
)
