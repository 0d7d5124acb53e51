"""A made-up Mastercard-like card for kernel 2, with real signatures of the test scheme."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from emv import dol, tlv
from emv.apdu import Exchange
from emv.background import Background
from emv.c2_options import C2Options
from emv.capk import CaKey, CaKeys
from emv.config import CombinationConfig, EmvConfig
from emv.kernel import (
    Activation,
    Begin,
    CardAnswered,
    CardLost,
    Complete,
    Event,
    Indicators,
    SendCommand,
    ShowMessage,
    Transaction,
)
from emv.kernel_c2 import KernelC2
from emv.outcome import Outcome, UiRequest
from emv.rsa import PublicKey
from emv.sensitive import SensitiveBytes
from simulators.scheme import certificates, keys

AID = "A0000000041010"
NUMBER = "5413330089020011"
TRACK = f"{NUMBER}D27122010123456789"
CDOL1 = "9F02069F03069F1A0295055F2A029A039C019F37049F35019F45029F4C089F34039F21039F7C14"
DRDOL = "9F02069F37049F3602"
CRYPTOGRAM = bytes.fromhex("1122334455667788")
AAC, TC, ARQC = 0x00, 0x40, 0x80
EMV, CVM, ON_DEVICE, CDA, RELAY = 0x0080, 0x1000, 0x0200, 0x0100, 0x0001
PLAIN = CVM | EMV
"""An AIP: cardholder verification, EMV mode."""
PIN_THEN_SIGNATURE = "0000000000000000" + "42031E031F03"
GPO, READ, GET_DATA, GENERATE, RELAY_DATA, RECOVER, CHECKSUM = 0xA8, 0xB2, 0xCA, 0xAE, 0xEA, 0xD0, 0x2A


def one(tag: int, value: bytes | str) -> bytes:
    """Return a data object."""
    return tlv.encode_one(tag, bytes.fromhex(value) if isinstance(value, str) else value)


@cache
def ca_keys() -> CaKeys:
    """Return the terminal's keys: the test scheme's E1."""
    key = keys.ca_key("mastercard", 0xE1)
    return CaKeys(
        [
            CaKey(
                bytes.fromhex(AID)[:5],
                0xE1,
                PublicKey(key.modulus, int.from_bytes(key.exponent_bytes, "big")),
            )
        ]
    )


@cache
def _certified(number: str, signed: bytes) -> tuple[certificates.Certificate, certificates.Certificate]:
    ca, issuer = keys.ca_key("mastercard", 0xE1), keys.issuer_key("mastercard", "large")
    return (
        certificates.certify_issuer(ca, issuer, bin_digits=number[:6], expiry="1239", serial=b"\0\0\1"),
        certificates.certify_icc(
            issuer, keys.icc_key("long"), pan=number, expiry="1239", serial=b"\0\0\2", static_data=signed
        ),
    )


@dataclass
class MastercardCard:
    """Answers what a card answers, changed as a test wants it.

    Args:
        aip: Tag 82.
        pdol: Tag 9F38, empty for none.
        fci: More data objects of the answer to SELECT, in BF0C.
        records: Data objects to change in the signed record; None leaves one out.
        more_records: Data objects of a record that is not signed.
        gives: The kind of cryptogram; None gives what it is asked for.
        generated: Data objects to change in the answer to GENERATE AC; None leaves one out.
        signs: None: as it is asked; False: never; True: always.
        forges: Whether the signature is over something else.
        answers: Whole answers by instruction, in hex; a list gives one after another, "" is a lost card.
        relay_us: How long each answer to EXCHANGE RELAY RESISTANCE DATA takes, None: not measured.
        relay_times: Min, max and transmission time, in units of 100 us.
        relay_signed: What it signs of the protocol; None: what was exchanged.
        data: What GET DATA gives, by tag.
        transmits: Every command it got.
        answered: Every answer it gave by itself, in hex.
        elapsed_us: How long the last answer took.
    """

    aip: int = PLAIN | CDA
    pdol: str = ""
    fci: Mapping[int, str] = field(default_factory=dict)
    records: Mapping[int, str | None] = field(default_factory=dict)
    more_records: Mapping[int, str] = field(default_factory=dict)
    gives: int | None = None
    generated: Mapping[int, str | None] = field(default_factory=dict)
    signs: bool | None = None
    forges: bool = False
    answers: dict[int, str | list[str]] = field(default_factory=dict)
    relay_us: list[int | None] = field(default_factory=list)
    relay_times: tuple[int, int, int] = (10, 40, 24)
    relay_signed: bytes | None = None
    data: Mapping[int, str] = field(default_factory=dict)
    transmits: list[bytes] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    elapsed_us: int | None = None
    _pdol_data: bytes = b""
    _relay_data: bytes = b""
    _given: bytes = b""

    @property
    def selected(self) -> SensitiveBytes:
        """The answer to SELECT."""
        inside = one(0x50, b"MASTERCARD") + one(0x5F2D, b"deen")
        inside += one(0x9F38, self.pdol) if self.pdol else b""
        if self.fci:
            inside += one(0xBF0C, b"".join(one(tag, value) for tag, value in self.fci.items()))
        return SensitiveBytes(one(0x6F, one(0x84, AID) + one(0xA5, inside)))

    @property
    def instructions(self) -> list[int]:
        """What it was asked, in order."""
        return [capdu[1] for capdu in self.transmits]

    def sent(self, instruction: int) -> list[bytes]:
        """Return the commands with an instruction."""
        return [capdu for capdu in self.transmits if capdu[1] == instruction]

    def transmit(self, capdu: bytes) -> bytes | None:
        """Answer one raw command."""
        self.transmits.append(capdu)
        self.elapsed_us = None
        ready = self.answers.get(capdu[1])
        if isinstance(ready, list):
            ready = ready.pop(0) if ready else None
        if ready is not None and ready != "usual":
            return bytes.fromhex(ready) if ready else None
        found = {
            GPO: self._options,
            READ: self._record,
            GET_DATA: self._get,
            RELAY_DATA: self._exchange,
            RECOVER: self._recover,
            GENERATE: self._generate,
        }[capdu[1]](capdu)
        answer = found + b"\x90\x00" if len(found) != 2 else found
        self.answered.append(answer.hex())
        return answer

    def _options(self, capdu: bytes) -> bytes:
        self._pdol_data = capdu[7:-1]
        afl = "080101001001010118010200" if self.more_records else "1001010118010200"
        return one(0x77, one(0x82, self.aip.to_bytes(2, "big")) + one(0x94, afl))

    @property
    def _signed_record(self) -> bytes:
        values: dict[int, str | None] = {
            0x57: TRACK + "F" * (len(TRACK) % 2),
            0x5A: NUMBER,
            0x5F24: "271231",
            0x5F25: "200101",
            0x5F28: "0276",
            0x5F34: "01",
            0x8C: CDOL1,
            0x8E: PIN_THEN_SIGNATURE,
            0x9F07: "FFC0",
            0x9F08: "0002",
            0x9F0D: "B450840000",
            0x9F0E: "0000000000",
            0x9F0F: "B470848000",
            0x9F42: "0978",
            0x9F4A: "82",
        }
        values |= self.records
        return b"".join(one(tag, value) for tag, value in values.items() if value is not None)

    def _record(self, capdu: bytes) -> bytes:
        signed = self._signed_record
        static = signed + self.aip.to_bytes(2, "big")
        issuer, card = _certified(self.records.get(0x5A) or NUMBER, static)
        chain = one(0x8F, b"\xe1") + one(0x90, issuer.certificate) + one(0x9F32, issuer.exponent)
        chain += one(0x92, issuer.remainder) if issuer.remainder else b""
        own = one(0x9F46, card.certificate) + one(0x9F47, card.exponent)
        own += one(0x9F48, card.remainder) if card.remainder else b""
        more = b"".join(one(tag, value) for tag, value in self.more_records.items())
        found = {(1, 1): more, (2, 1): signed, (3, 1): chain, (3, 2): own}
        return one(0x70, found[capdu[3] >> 3, capdu[2]])

    def _get(self, capdu: bytes) -> bytes:
        tag = capdu[2] << 8 | capdu[3]
        return one(tag, self.data[tag]) if tag in self.data else b"\x6a\x88"

    def _exchange(self, capdu: bytes) -> bytes:
        self.elapsed_us = self.relay_us.pop(0) if self.relay_us else None
        answer = b"\xde\xad\xbe\xef" + b"".join(time.to_bytes(2, "big") for time in self.relay_times)
        self._relay_data = capdu[5:9] + answer
        return one(0x80, answer)

    def _recover(self, capdu: bytes) -> bytes:
        return self._given or b"\x69\x85"

    def _generate(self, capdu: bytes) -> bytes:
        kind = capdu[2] & 0xC0 if self.gives is None else self.gives
        given: dict[int, str | None] = {
            0x9F27: f"{kind:02X}",
            0x9F36: "0007",
            0x9F10: "0110A08003240000000000000000000000FF",
            **self.generated,
        }
        objects = b"".join(one(tag, value) for tag, value in given.items() if value is not None)
        signs = bool(capdu[2] & 0x10) if self.signs is None else self.signs
        if signs:
            objects += one(0x9F4B, self._signature(kind, capdu, objects))
        elif 0x9F26 not in given:
            objects += one(0x9F26, CRYPTOGRAM)
        self._given = one(0x77, objects)
        return self._given

    def _signature(self, kind: int, capdu: bytes, objects: bytes) -> bytes:
        asked = dol.decode(bytes.fromhex(self.records.get(0x8C) or CDOL1))
        before = asked[: next((at for at, entry in enumerate(asked) if entry.tag == 0x9F37), 0)]
        start = 5 + dol.length(before)
        number = capdu[start : start + 4]
        return certificates.sign_combined(
            keys.icc_key("long"),
            dynamic_number=b"abc",
            cid=kind,
            cryptogram=CRYPTOGRAM,
            transaction_data=self._pdol_data + capdu[5:-1] + objects + (b"!" if self.forges else b""),
            unpredictable_number=number,
            more=self._relay_data if self.relay_signed is None else self.relay_signed,
        )


STRIPE = {
    0x56: f"B{NUMBER}^MADE UP/TEST^27122010000000000000".encode().hex(),
    0x9F62: "000000000038",
    0x9F63: "000000000FC0",
    0x9F64: "03",
    0x9F65: "000E",
    0x9F66: "03F0",
    0x9F67: "03",
    0x9F6B: f"{NUMBER}D27122010000000000000F",
}
"""A record of magstripe mode: three digits of the checksum, three of the number, three of the counter."""


def stripe_answers(changed: Mapping[int, str | None] | None = None, **answers: str) -> dict[int, Any]:
    """Return the answers of a card that has magstripe mode only, for `MastercardCard.answers`."""
    values: dict[int, str | None] = {**STRIPE, **(changed or {})}
    record = one(0x70, b"".join(one(tag, value) for tag, value in values.items() if value is not None))
    code = one(0x77, one(0x9F61, "1234") + one(0x9F60, "ABCD") + one(0x9F36, "0102"))
    return {
        GPO: answers.get("options", "770A82020000940408010100") + "9000",
        READ: record.hex() + "9000",
        CHECKSUM: answers.get("code", code.hex()) + "9000",
    }


class C2Tap:
    """One presentation of a card to kernel 2, and what was shown and sent."""

    def __init__(
        self,
        card: MastercardCard,
        *,
        cvm_limit: int | None = 5000,
        floor_limit: int | None = 10000,
        background: Background | None = None,
        ca_keys: CaKeys | None = None,
        indicators: Indicators | None = None,
        terminal: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        row = CombinationConfig(
            aid=bytes.fromhex(AID),
            kernel_id=2,
            cvm_limit=cvm_limit,
            floor_limit=floor_limit,
            options=C2Options(**options),
        )
        self.config = EmvConfig(
            country="276",
            currency="978",
            combinations=(row,),
            ca_keys=globals()["ca_keys"]() if ca_keys is None else ca_keys,
            **(terminal or {}),
        )
        self.card = card
        self.shown: list[UiRequest] = []
        self.kernel = KernelC2(
            Activation(
                config=self.config,
                combination=row,
                indicators=Indicators() if indicators is None else indicators,
                aid=row.aid,
                fci=card.selected,
                background=Background() if background is None else background,
            )
        )

    def run(self, transaction: Transaction) -> Outcome:
        """Play from `Begin` to the outcome."""
        event: Event = Begin(transaction)
        while True:
            actions = self.kernel.handle(event)
            for action in actions[:-1]:
                assert isinstance(action, ShowMessage)
                self.shown.append(action.request)
            last = actions[-1]
            if isinstance(last, Complete):
                return last.outcome
            assert isinstance(last, SendCommand)
            event = self._answer(last)

    def _answer(self, send: SendCommand) -> Event:
        exchange = Exchange(send.command)
        raw: bytes | None = exchange.first()
        while raw is not None:
            answer = self.card.transmit(raw)
            if answer is None:
                return CardLost()
            raw = exchange.next(answer)
        return CardAnswered(exchange.response, self.card.elapsed_us)


def tap(card: MastercardCard, transaction: Transaction, **settings: Any) -> Outcome:
    """Present a card once."""
    return C2Tap(card, **settings).run(transaction)


def tvr(outcome: Outcome) -> str:
    """Return the TVR of an outcome."""
    assert outcome.evidence is not None
    return outcome.evidence.terminal[0x95].hex().upper()


def objects(data: SensitiveBytes | None) -> dict[int, str]:
    """Return the data objects of a record by tag."""
    assert data is not None
    return {tag: value.hex().upper() for tag, value in tlv.split(data.reveal())}


def joined(parts: Iterable[bytes]) -> str:
    """Return bytes as one text of hex."""
    return b"".join(parts).hex().upper()
