"""A card of the classic flow: GPO, records, then GENERATE AC. Mastercard, American Express, JCB.

Theory of operation: GPO raises the counter and gives profile and file locator; the records hold the lists
that the terminal fills for GENERATE AC; there the card gives the cryptogram that was asked for, or a lower
one, signed with CDA if the terminal wants that. After a request (ARQC) it takes a second GENERATE AC with
the issuer's answer, which it checks.

Spec: EMV 4.4 Book 3, 6.5 and 9; Book 2, 6.5 and 6.6.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from simulators import scheme
from simulators.cards import authentication, ber
from simulators.cards.authentication import Authentication, Proof
from simulators.cards.ber import tlv
from simulators.cards.chip import DEFAULT_ATS, Listed
from simulators.cards.commands import (
    DATA_NOT_FOUND,
    GENERATE_AC,
    GET_DATA,
    GET_PROCESSING_OPTIONS,
    INTERNAL_AUTHENTICATE,
    NOT_SATISFIED,
    OK,
    READ_RECORD,
    WRONG_DATA,
    WRONG_LENGTH,
    WRONG_P1_P2,
    Command,
)
from simulators.cards.files import (
    Files,
    compressed,
    file_locator,
    last_day,
    read_record,
    sent_by_terminal,
    track2,
)
from simulators.scheme import CryptogramKind, application_data
from simulators.scheme.application_data import Verified
from simulators.scheme.certificates import sign_combined, sign_dynamic_data
from simulators.scheme.cryptograms import issuer_authentication_data

CDOL1 = bytes.fromhex("9F02069F03069F1A0295055F2A029A039C019F37049F35019F45029F4C089F3403")
CDOL2 = bytes.fromhex("910A8A0295059F37049F4C08")
_KINDS = {0x00: CryptogramKind.AAC, 0x40: CryptogramKind.TC, 0x80: CryptogramKind.ARQC}
_RANK = {CryptogramKind.AAC: 0, CryptogramKind.ARQC: 1, CryptogramKind.TC: 2}


class Highest(Enum):
    """The best that a card gives, whatever is asked for."""

    APPROVE = "approve"
    ONLINE = "online"
    DECLINE = "decline"


_HIGHEST = {
    Highest.APPROVE: CryptogramKind.TC,
    Highest.ONLINE: CryptogramKind.ARQC,
    Highest.DECLINE: CryptogramKind.AAC,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EmvPersonality:
    """What a profile says of a card. Card data is made up; it is kept out of the repr all the same.

    Attributes:
        scheme: Whose keys and cryptograms: "mastercard", "amex", "jcb".
        expiry: YYMM.
        effective: YYMMDD, tag 5F25.
        gives: The best cryptogram that the card gives.
        profile: Tag 82. 1980: verification, risk management, CDA; EMV mode.
        cvm_list: Tag 8E. The usual one: online PIN, signature, none, each where the terminal can.
        denial, online, default: Issuer action codes 9F0E, 9F0F, 9F0D.
        verified: What the issuer application data says about the holder.
        records: More objects in a record that is not signed, by tag.
        signed_records: More objects in the signed record, by tag.
        response: More objects in the answer to GENERATE AC, by tag.
        forged: Whoever made this card has no key of the issuer: its cryptograms are made up.
        balance: Tag 9F50, in minor units, for GET DATA; a TC lowers it.
        kernel_id: Tag 9F2A in the directory.
    """

    pan: str = field(repr=False)
    scheme: str
    aid: bytes
    label: str
    cryptogram_version: int
    expiry: str = "3112"
    effective: str = "200101"
    service_code: str = "201"
    sequence_number: str = "01"
    ats: bytes = DEFAULT_ATS
    country: str = "0276"
    currency: str = "0978"
    pdol: bytes = b""
    cdol1: bytes = CDOL1
    cdol2: bytes = CDOL2
    ddol: bytes = bytes.fromhex("9F3704")
    profile: bytes = bytes.fromhex("1980")
    gives: Highest = Highest.APPROVE
    cvm_list: bytes = bytes.fromhex("000000000000000042031E031F03")
    usage_control: bytes = bytes.fromhex("FFC0")
    version: bytes = bytes.fromhex("0002")
    denial: bytes = bytes(5)
    online: bytes = bytes.fromhex("B470848000")
    default: bytes = bytes.fromhex("B450840000")
    verified: Verified = Verified.NOBODY
    records: Mapping[str, bytes] = field(default_factory=dict)
    signed_records: Mapping[str, bytes] = field(default_factory=dict)
    response: Mapping[str, bytes] = field(default_factory=dict)
    discretionary: Mapping[str, bytes] = field(default_factory=dict)
    forged: bool = False
    balance: int | None = None
    authentication: Authentication | None = None
    kernel_id: bytes = b""
    priority: int | None = 1

    @property
    def track2(self) -> bytes:
        """Tag 57."""
        return track2(self.pan, self.expiry, self.service_code)


class _State(Enum):
    SELECTED = "application selected"
    INITIATED = "options given"
    REQUESTED = "asked to go online"
    DONE = "cryptogram given"


class EmvApplication(Listed):
    """One application. The transaction counter lives as long as the object."""

    commands = frozenset({GET_PROCESSING_OPTIONS, READ_RECORD, GENERATE_AC, INTERNAL_AUTHENTICATE, GET_DATA})

    def __init__(self, personality: EmvPersonality) -> None:
        super().__init__(personality)
        self._me = personality
        self._balance = personality.balance
        self._state = _State.SELECTED
        self._options_data = b""
        self._sent: dict[str, bytes] = {}
        self._request: dict[str, bytes] = {}

    def select(self) -> bytes:
        """Begin a session."""
        me = self._me
        self._state = _State.SELECTED
        proprietary = [tlv("50", me.label.encode())]
        if me.pdol:
            proprietary.append(tlv("9F38", me.pdol))
        proprietary.append(tlv("5F2D", b"en"))
        if me.discretionary:
            proprietary.append(tlv("BF0C", *(tlv(tag, value) for tag, value in me.discretionary.items())))
        return tlv("6F", tlv("84", me.aid), tlv("A5", *proprietary))

    def answer(self, command: Command) -> bytes:
        """Answer one command of the session."""
        handlers = {
            GET_PROCESSING_OPTIONS: self._gpo,
            READ_RECORD: self._read,
            GENERATE_AC: self._generate_ac,
            INTERNAL_AUTHENTICATE: self._authenticate,
            GET_DATA: self._get_data,
        }
        return handlers[command.name](command)

    # Options and records

    def _gpo(self, command: Command) -> bytes:
        if self._state is not _State.SELECTED:
            return NOT_SATISFIED
        if command.parameters != (0x00, 0x00):
            return WRONG_P1_P2
        sent = sent_by_terminal(self._me.pdol, command.data)
        if sent is None:
            return WRONG_DATA
        self._state = _State.INITIATED
        self._counter += 1
        self._sent = sent
        self._options_data = next(value for _, value in ber.objects(command.data))
        locator = file_locator(self._files(), frozenset({2}))
        return tlv("77", tlv("82", self._me.profile), tlv("94", locator)) + OK

    def _files(self) -> Files:
        """Return all records: file 1 free, file 2 signed, file 3 for authentication."""
        contents = [((2, 1), self._signed_record())]
        free = self._free_record()
        if free:
            contents.insert(0, ((1, 1), b"".join(tlv(tag, value) for tag, value in free.items())))
        proof = self._proof()
        if proof:
            contents += [((3, 1 + at), part) for at, part in enumerate(proof.records())]
            if proof.signed_static_data:
                contents.append(((3, 4), tlv("93", proof.signed_static_data)))
        return dict(contents)

    def _free_record(self) -> Mapping[str, bytes]:
        return self._me.records

    def _signed_record(self) -> bytes:
        me = self._me
        values = {
            "57": me.track2,
            "5A": compressed(me.pan),
            "5F24": bytes.fromhex(last_day(me.expiry)),
            "5F25": bytes.fromhex(me.effective),
            "5F28": bytes.fromhex(me.country),
            "5F34": bytes.fromhex(me.sequence_number),
            "8C": me.cdol1,
            "8D": me.cdol2,
            "8E": me.cvm_list,
            "9F07": me.usage_control,
            "9F08": me.version,
            "9F0D": me.default,
            "9F0E": me.denial,
            "9F0F": me.online,
            "9F42": bytes.fromhex(me.currency),
            "9F49": me.ddol,
            "9F4A": b"\x82",
        }
        return b"".join(tlv(tag, value) for tag, value in (values | dict(me.signed_records)).items() if value)

    def _proof(self) -> Proof | None:
        me = self._me
        if me.authentication is None:
            return None
        static_data = self._signed_record() + me.profile
        return authentication.prove(me.scheme, me.pan, static_data, me.authentication)

    def _read(self, command: Command) -> bytes:
        if self._state is _State.SELECTED:
            return NOT_SATISFIED
        return read_record(self._files(), command)

    def _get_data(self, command: Command) -> bytes:
        if command.data:
            return WRONG_LENGTH
        tag = bytes(command.parameters).hex().upper()
        if tag == "9F50" and self._balance is not None:
            return tlv(tag, bytes.fromhex(f"{self._balance:012d}")) + OK
        return DATA_NOT_FOUND

    # Cryptograms

    def _authenticate(self, command: Command) -> bytes:
        """Answer INTERNAL AUTHENTICATE: dynamic data authentication. Spec: Book 2, 6.5."""
        proof = self._proof()
        if self._state is not _State.INITIATED or proof is None:
            return NOT_SATISFIED
        if command.parameters != (0x00, 0x00):
            return WRONG_P1_P2
        if not _fits(self._me.ddol, command.data):
            return WRONG_LENGTH
        number = self._dynamic_number()
        signed = sign_dynamic_data(proof.key, bytes([len(number)]) + number, proof.hashed(command.data))
        return tlv("77", tlv("9F4B", signed)) + OK

    def _generate_ac(self, command: Command) -> bytes:
        if self._state not in (_State.INITIATED, _State.REQUESTED):
            return NOT_SATISFIED
        wanted = _KINDS.get(command.p1 & 0xC0)
        if wanted is None or command.p1 & 0x2F or command.p2:
            return WRONG_P1_P2
        first = self._state is _State.INITIATED
        if not _fits(self._me.cdol1 if first else self._me.cdol2, command.data):
            return WRONG_LENGTH
        combined = bool(command.p1 & 0x10)
        return self._first(command.data, wanted, combined) if first else self._second(command.data, wanted)

    def _first(self, data: bytes, wanted: CryptogramKind, combined: bool) -> bytes:
        best = _HIGHEST[self._me.gives]
        kind = min(wanted, best, key=_RANK.__getitem__)
        sent = self._sent | ber.split_by_dol(self._me.cdol1, data)
        proof = self._proof() if combined and kind is not CryptogramKind.AAC else None
        values = self._cryptogram_input(sent, kind, combined=proof is not None)
        self._request = values | {"9F26": self._cryptogram(values)}
        self._state = _State.REQUESTED if kind is CryptogramKind.ARQC else _State.DONE
        if kind is CryptogramKind.TC and self._balance is not None:
            self._balance -= int(values["9F02"].hex())
        return self._cryptogram_answer(self._request, kind, proof, self._options_data + data) + OK

    def _second(self, data: bytes, wanted: CryptogramKind) -> bytes:
        """Give the last word after the issuer's answer (method 1). Spec: Book 3, 6.5.5.5."""
        me = self._me
        sent = ber.split_by_dol(me.cdol2, data)
        told = sent.get("91", b"")
        expected = issuer_authentication_data(
            me.pan, me.sequence_number, self._request, told[8:10], me.scheme
        )
        right = hmac.compare_digest(expected, told)
        kind = wanted if right and wanted is CryptogramKind.TC else CryptogramKind.AAC
        self._state = _State.DONE
        values = self._cryptogram_input(self._request | sent, kind, combined=False)
        return self._cryptogram_answer(values | {"9F26": self._cryptogram(values)}, kind, None, b"") + OK

    def _cryptogram_input(
        self, sent: Mapping[str, bytes], kind: CryptogramKind, *, combined: bool
    ) -> dict[str, bytes]:
        me = self._me
        # A value that the list does not ask for is zero on both sides.
        values = {"9F02": bytes(6), "9F03": bytes(6), "9F1A": bytes(2), "95": bytes(5), "5F2A": bytes(2)}
        values |= {"9A": bytes(3), "9C": bytes(1), "9F37": bytes(4), **sent}
        values |= {"82": me.profile, "9F36": self._counter.to_bytes(2, "big")}
        iad = application_data.write(me.scheme, me.cryptogram_version, kind, me.verified, combined=combined)
        return values | {"9F10": iad}

    def _cryptogram(self, values: Mapping[str, bytes]) -> bytes:
        me = self._me
        if me.forged:
            return hashlib.sha256(values["9F37"] + values["9F36"]).digest()[:8]
        return scheme.cryptogram(me.pan, me.sequence_number, values, me.scheme)

    def _cryptogram_answer(
        self, values: Mapping[str, bytes], kind: CryptogramKind, proof: Proof | None, sent: bytes
    ) -> bytes:
        """Return the template 77: with CDA the cryptogram is inside the signature only."""
        start = tlv("9F27", bytes([kind.value])) + tlv("9F36", values["9F36"])
        end = tlv("9F10", values["9F10"])
        end += b"".join(tlv(tag, value) for tag, value in self._response(values).items())
        if proof is None:
            return tlv("77", start, tlv("9F26", values["9F26"]), end)
        signed = sign_combined(
            proof.key,
            dynamic_number=self._dynamic_number(),
            cid=kind.value,
            cryptogram=values["9F26"],
            transaction_data=sent + start + end,
            unpredictable_number=proof.hashed(values["9F37"]),
            more=self._more_dynamic_data(),
        )
        return tlv("77", start, tlv("9F4B", signed), end)

    def _response(self, values: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """Return what else is in the answer to GENERATE AC."""
        return self._me.response

    def _dynamic_number(self) -> bytes:
        """Return the ICC Dynamic Number (9F4C): another one for each transaction."""
        counter = self._counter.to_bytes(2, "big")
        return hashlib.sha256(self._me.pan.encode() + counter).digest()[:8]

    def _more_dynamic_data(self) -> bytes:
        """Return what is signed beside the cryptogram: nothing here; kernel 2 has more."""
        return b""


def _fits(dol: bytes, data: bytes) -> bool:
    try:
        ber.split_by_dol(dol, data)
    except ValueError:
        return False
    return True
