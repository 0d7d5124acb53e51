"""A made-up card for the kernels with the shared EMV flow, with real signatures of the test scheme."""

from collections.abc import Iterable, Mapping
from typing import Any

from emv import tlv
from emv.background import Background
from emv.c6_options import C6Options
from emv.capk import CaKey, CaKeys
from emv.config import CombinationConfig, EmvConfig
from emv.emv_options import EmvOptions
from emv.fields import Ttq
from emv.kernel import Activation, Kernel, Transaction
from emv.outcome import Outcome
from emv.preprocessing import preprocess
from emv.rsa import PublicKey
from emv.sensitive import SensitiveBytes
from simulators.scheme import certificates, keys
from tests.emv.scripted_card import ScriptedCard, Tap

AIDS = {"amex": "A00000002501", "jcb": "A0000000651010", "discover": "A0000001523010"}
PANS = {"amex": "374245455400126", "jcb": "3566002020360505", "discover": "6011000991543426"}
CDOL1 = "9F02069F03069F1A0295055F2A029A039C019F37049F34039F3501"
CDOL2 = "8A0295059F3704"
CRYPTOGRAM = bytes.fromhex("1122334455667788")
AAC, TC, ARQC = 0x00, 0x40, 0x80
SDA, DDA, CDA = 0x4000, 0x2000, 0x0100
EMV_CARD = 0x1880
"""Of the AIP: cardholder verification, risk management, EMV mode."""


def one(tag: int, value: bytes | str) -> bytes:
    """Return a data object."""
    return tlv.encode_one(tag, bytes.fromhex(value) if isinstance(value, str) else value)


def ca_keys(scheme: str) -> CaKeys:
    """Return a terminal's keys: the test scheme's E1."""
    key = keys.ca_key(scheme, 0xE1)
    exponent = int.from_bytes(key.exponent_bytes, "big")
    rid = bytes.fromhex(AIDS[scheme])[:5]
    return CaKeys([CaKey(rid, 0xE1, PublicKey(key.modulus, exponent))])


class EmvCard(ScriptedCard):
    """Answers what a card of the shared flow answers, changed as a test wants it.

    Args:
        scheme: amex, jcb, discover.
        aip: Tag 82.
        answers: The kind of cryptogram it gives; None gives what it is asked for.
        pdol: Tag 9F38.
        records: Data objects to change in the records; None leaves one out.
        options: What it gives with its processing options beside 82 and 94.
        data: What GET DATA gives.
        generated: What it gives with its cryptogram.
        refuses: Status words by instruction.
        lost_at: The instruction at which it leaves the field.
        forges: Whether its signatures are over something else.
    """

    def __init__(
        self,
        scheme: str = "amex",
        *,
        aip: int = EMV_CARD | CDA,
        answers: int | None = None,
        pdol: str = "9F35019F3704",
        records: Mapping[int, str | None] | None = None,
        options: Mapping[int, str] | None = None,
        data: Mapping[int, str] | None = None,
        generated: Mapping[int, str | None] | None = None,
        refuses: Mapping[int, str] | None = None,
        lost_at: int | None = None,
        forges: bool = False,
    ) -> None:
        super().__init__(())
        self.commands: list[bytes] = []
        self.aip = aip
        self._answers = answers
        self._pdol = bytes.fromhex(pdol)
        self._options = options or {}
        self._data = data or {}
        self._generated = generated or {}
        self._refuses = refuses or {}
        self._lost_at = lost_at
        self._forges = forges
        self._pdol_data = b""
        self._scheme = scheme
        self._icc = keys.icc_key("long")
        self._records = self._personalise(scheme, records or {})

    @property
    def fci(self) -> SensitiveBytes:
        """The answer to SELECT."""
        own = one(0x50, b"TEST CARD") + one(0x9F38, self._pdol) + one(0x5F2D, b"deen")
        return SensitiveBytes(one(0x6F, one(0x84, AIDS[self._scheme]) + one(0xA5, own)))

    def _personalise(self, scheme: str, changed: Mapping[int, str | None]) -> dict[tuple[int, int], bytes]:
        pan = PANS[scheme]
        values: dict[int, str | None] = {
            0x5A: pan + "F" * (len(pan) % 2),
            0x5F24: "271231",
            0x5F25: "200101",
            0x5F34: "01",
            0x9F07: "FF00",
            0x5F28: "0276",
            0x8C: CDOL1,
            0x8D: CDOL2,
            0x8E: "000000000000000042031E031F00",
            0x9F08: "0001",
            0x9F4A: "82",
        }
        values |= changed
        signed = b"".join(one(tag, value) for tag, value in values.items() if value is not None)
        static = signed + self.aip.to_bytes(2, "big")
        issuer = keys.issuer_key(scheme, "large")
        issued = certificates.certify_issuer(
            keys.ca_key(scheme, 0xE1), issuer, bin_digits=pan[:6], expiry="1239", serial=b"\0\0\1"
        )
        certified = certificates.certify_icc(
            issuer, self._icc, pan=pan, expiry="1239", serial=b"\0\0\2", static_data=static
        )
        chain = one(0x8F, b"\xe1") + one(0x90, issued.certificate) + one(0x9F32, issued.exponent)
        chain += one(0x92, issued.remainder) if issued.remainder else b""
        own = one(0x9F46, certified.certificate) + one(0x9F47, certified.exponent)
        own += one(0x9F48, certified.remainder) if certified.remainder else b""
        track = pan + "D2712201123456789"
        return {
            (1, 1): one(0x70, one(0x57, track + "F" * (len(track) % 2))),
            (1, 2): one(0x70, signed),
            (2, 1): one(0x70, chain),
            (2, 2): one(0x70, own),
            (2, 3): one(0x70, one(0x93, certificates.sign_static_data(issuer, static))),
        }

    def transmit(self, capdu: bytes) -> bytes | None:
        """Answer one raw command."""
        self.commands.append(capdu)
        instruction = capdu[1]
        if instruction == self._lost_at:
            return None
        if instruction in self._refuses:
            return bytes.fromhex(self._refuses[instruction])
        answers = {0xA8: self._options_for, 0xB2: self._record, 0xCA: self._get, 0x88: self._sign}
        return answers.get(instruction, self._generate)(capdu)

    def _options_for(self, capdu: bytes) -> bytes:
        self._pdol_data = capdu[7:-1]
        objects = one(0x82, self.aip.to_bytes(2, "big")) + one(0x94, "080101000802020110010300")
        objects += b"".join(one(tag, value) for tag, value in self._options.items())
        return one(0x77, objects) + b"\x90\x00"

    def _record(self, capdu: bytes) -> bytes:
        return self._records[capdu[3] >> 3, capdu[2]] + b"\x90\x00"

    def _get(self, capdu: bytes) -> bytes:
        tag = capdu[2] << 8 | capdu[3]
        return one(tag, self._data[tag]) + b"\x90\x00" if tag in self._data else b"\x6a\x88"

    def _sign(self, capdu: bytes) -> bytes:
        hashed = capdu[5:-1] if not self._forges else b"something else"
        signed = certificates.sign_dynamic_data(self._icc, b"\x03abc", hashed)
        return one(0x77, one(0x9F4B, signed)) + b"\x90\x00"

    def _generate(self, capdu: bytes) -> bytes:
        asked, wants_signature, data = capdu[2] & 0xC0, capdu[2] & 0x10, capdu[5:-1]
        kind = asked if self._answers is None else self._answers
        given = {0x9F27: f"{kind:02X}", 0x9F36: "0007", 0x9F10: "06010103A00000", **self._generated}
        objects = b"".join(one(tag, value) for tag, value in given.items() if value is not None)
        if not wants_signature or kind == AAC:
            return one(0x77, objects + one(0x9F26, CRYPTOGRAM)) + b"\x90\x00"
        signed = certificates.sign_combined(
            self._icc,
            dynamic_number=b"abc",
            cid=kind,
            cryptogram=CRYPTOGRAM,
            transaction_data=self._pdol_data + data + objects + (b"!" if self._forges else b""),
            unpredictable_number=bytes.fromhex("01020304"),
        )
        return one(0x77, objects + one(0x9F4B, signed)) + b"\x90\x00"

    def finish(self) -> None:
        """Nothing is left over."""

    @property
    def generated(self) -> bytes:
        """The last GENERATE AC."""
        return next(command for command in reversed(self.commands) if command[1] == 0xAE)

    @property
    def instructions(self) -> list[int]:
        """What was asked, in order."""
        return [command[1] for command in self.commands]


def activation(
    card: EmvCard,
    transaction: Transaction,
    *,
    scheme: str = "amex",
    keys_of: str | None = "amex",
    options: EmvOptions | C6Options | None = None,
    background: Background | None = None,
    cvm_limit: int | None = 5000,
    floor_limit: int | None = 10000,
    ttq: Ttq | None = None,
    row: Mapping[str, Any] | None = None,
    terminal: Mapping[str, Any] | None = None,
) -> Activation:
    """Return what Entry Point would give the kernel. `keys_of` names the scheme whose keys there are."""
    combination = CombinationConfig(
        aid=bytes.fromhex(AIDS[scheme]),
        kernel_id=4,
        cvm_limit=cvm_limit,
        floor_limit=floor_limit,
        ttq=ttq,
        options=options,
        **(row or {}),
    )
    config = EmvConfig(
        country="276",
        currency="978",
        combinations=(combination,),
        ca_keys=ca_keys(keys_of) if keys_of else CaKeys(),
        **(terminal or {}),
    )
    return Activation(
        config=config,
        combination=combination,
        indicators=preprocess(config, combination, transaction),
        aid=combination.aid,
        fci=card.fci,
        background=background or Background(),
    )


def tap(kernel: Kernel, card: EmvCard, transaction: Transaction) -> Outcome:
    """Run a kernel against the card."""
    return Tap(kernel, card).run(transaction)


def found(outcome: Outcome) -> tuple[str, str, str]:
    """Return TVR, TSI and CVM results of an outcome's evidence."""
    assert outcome.evidence is not None
    told = outcome.evidence.terminal
    return told[0x95].hex().upper(), told[0x9B].hex().upper(), told[0x9F34].hex().upper()


def sent(outcome: Outcome) -> dict[int, bytes]:
    """Return the data record for the host, by tag."""
    assert outcome.data_record is not None
    return tlv.flatten(tlv.decode(outcome.data_record.reveal()))


def of(*values: tuple[int, str]) -> Iterable[tlv.Tlv]:
    """Return data objects for `CardData.add`."""
    return [(tag, bytes.fromhex(value)) for tag, value in values]
