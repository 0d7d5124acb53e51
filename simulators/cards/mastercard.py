"""What a Mastercard has beyond the classic flow: relay resistance, recovery of torn payments, CVC3.

Spec: EMV Contactless Book C-2, 3.7 (data recovery), 3.10 (relay resistance), 5 (commands).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from simulators.cards import ber
from simulators.cards.ber import tlv
from simulators.cards.commands import (
    COMPUTE_CRYPTOGRAPHIC_CHECKSUM,
    EXCHANGE_RELAY_RESISTANCE_DATA,
    GENERATE_AC,
    GET_PROCESSING_OPTIONS,
    NOT_SATISFIED,
    OK,
    RECOVER_AC,
    WRONG_LENGTH,
    WRONG_P1_P2,
    Command,
)
from simulators.cards.emv_mode import EmvApplication, EmvPersonality
from simulators.cards.files import Files
from simulators.scheme import ISSUER_MASTER_KEY
from simulators.scheme.magstripe import cvc3
from simulators.scheme.session_keys import card_key

MAX_EXCHANGES = 3
"""How often a terminal may measure the distance in one payment."""


@dataclass(frozen=True, slots=True)
class RelayTimes:
    """What a card says of its own speed, in units of 100 microseconds: tags DF8303 to DF8305."""

    shortest: int = 0
    longest: int = 500
    transmission: int = 20

    def encoded(self) -> bytes:
        """Return the three as they are sent and signed, two bytes each."""
        return b"".join(time.to_bytes(2, "big") for time in (self.shortest, self.longest, self.transmission))


@dataclass(frozen=True, slots=True, kw_only=True)
class MastercardPersonality(EmvPersonality):
    """What a profile says of a Mastercard.

    Attributes:
        relay: Times of the relay resistance protocol; the AIP's last bit then says that it is there.
        drdol: Tag 9F51: what the terminal sends to recover a torn payment; the card can if it is not empty.
        magstripe: The card has the tracks of magnetic stripe mode, and computes CVC3.
    """

    relay: RelayTimes | None = None
    drdol: bytes = b""
    magstripe: bool = True


class MastercardApplication(EmvApplication):
    """One Mastercard application."""

    commands = EmvApplication.commands | {
        EXCHANGE_RELAY_RESISTANCE_DATA,
        RECOVER_AC,
        COMPUTE_CRYPTOGRAPHIC_CHECKSUM,
    }

    def __init__(self, personality: MastercardPersonality) -> None:
        super().__init__(personality)
        self._mine = personality
        self._stage: tuple[int, int] | None = None
        self._relay_data = b""
        self._exchanges = 0
        self._given: tuple[dict[str, bytes], bytes] | None = None

    def _signed_record(self) -> bytes:
        return super()._signed_record() + (tlv("9F51", self._mine.drdol) if self._mine.drdol else b"")

    def select(self) -> bytes:
        """Begin a session. What was given last is kept: it may have been lost on the way."""
        self._stage = None
        self._relay_data, self._exchanges = b"", 0
        return super().select()

    def answer(self, command: Command) -> bytes:
        """Answer one command of the session."""
        own = {
            EXCHANGE_RELAY_RESISTANCE_DATA: self._exchange,
            RECOVER_AC: self._recover,
            COMPUTE_CRYPTOGRAPHIC_CHECKSUM: self._checksum,
        }
        if command.name in own:
            return own[command.name](command)
        answer = super().answer(command)
        if answer[-2:] == OK and command.name in (GET_PROCESSING_OPTIONS, GENERATE_AC):
            self._stage = command.name
            if command.name == GENERATE_AC:
                self._given = (dict(self._request), answer)
        return answer

    def _files(self) -> Files:
        """Return the records: those of magnetic stripe mode only if the profile (AIP) knows no other."""
        files = super()._files()
        return files if self._mine.profile[1] & 0x80 else {(1, 1): files[1, 1]}

    def _free_record(self) -> Mapping[str, bytes]:
        stripe = magstripe_record(self._mine) if self._mine.magstripe else {}
        return {**stripe, **self._mine.records}

    def _exchange(self, command: Command) -> bytes:
        """Answer EXCHANGE RELAY RESISTANCE DATA: our number for theirs, and how long we take."""
        if self._mine.relay is None or self._stage != GET_PROCESSING_OPTIONS:
            return NOT_SATISFIED
        if command.parameters != (0x00, 0x00):
            return WRONG_P1_P2
        if len(command.data) != 4:
            return WRONG_LENGTH
        if self._exchanges == MAX_EXCHANGES:
            return NOT_SATISFIED
        self._exchanges += 1
        own = hashlib.sha256(command.data + self.counter.to_bytes(2, "big")).digest()[:4]
        answer = own + self._mine.relay.encoded()
        self._relay_data = command.data + answer
        return tlv("80", answer) + OK

    def _more_dynamic_data(self) -> bytes:
        return self._relay_data

    def _recover(self, command: Command) -> bytes:
        """Answer RECOVER AC: the cryptogram once more, if the terminal names the payment it was for."""
        if not self._mine.drdol or self._stage != GET_PROCESSING_OPTIONS or self._given is None:
            return NOT_SATISFIED
        if command.parameters != (0x00, 0x00):
            return WRONG_P1_P2
        try:
            named = ber.split_by_dol(self._mine.drdol, command.data)
        except ValueError:
            return WRONG_LENGTH
        values, answer = self._given
        if any(values.get(tag) != value for tag, value in named.items()):
            return NOT_SATISFIED
        return answer

    # Magnetic stripe mode

    def _checksum(self, command: Command) -> bytes:
        """Answer COMPUTE CRYPTOGRAPHIC CHECKSUM: CVC3 of both tracks over the number of 9F6A."""
        if not self._mine.magstripe or self._stage != GET_PROCESSING_OPTIONS:
            return NOT_SATISFIED
        if command.parameters != (0x8E, 0x80):
            return WRONG_P1_P2
        if len(command.data) != 4:
            return WRONG_LENGTH
        self._stage = COMPUTE_CRYPTOGRAPHIC_CHECKSUM
        me, counter = self._mine, self.counter.to_bytes(2, "big")
        key = card_key(ISSUER_MASTER_KEY, me.pan, me.sequence_number)
        codes = [
            cvc3(key, track, counter=counter, unpredictable_number=command.data)
            for track in (me.track2, track1(me))
        ]
        return tlv("77", tlv("9F61", codes[0]), tlv("9F60", codes[1]), tlv("9F36", counter)) + OK


def track1(personality: EmvPersonality) -> bytes:
    """Return tag 56: track 1 with room for the codes."""
    me = personality
    return f"B{me.pan}^ /^{me.expiry}{me.service_code}0000000000000".encode()


def magstripe_record(personality: EmvPersonality) -> Mapping[str, bytes]:
    """Return the objects of magnetic stripe mode.

    Where digits of the CVC3 go (PCVC3), where number and counter (PUNATC), how many of the counter (NATC):
    three digits of the CVC3, three of the number, three of the counter, on both tracks.
    """
    return {
        "9F6C": bytes.fromhex("0001"),
        "9F62": bytes.fromhex("000000000038"),
        "9F63": bytes.fromhex("000000000FC0"),
        "56": track1(personality),
        "9F64": b"\x03",
        "9F65": bytes.fromhex("000E"),
        "9F66": bytes.fromhex("03F0"),
        "9F6B": personality.track2,
        "9F67": b"\x03",
        "9F68": bytes.fromhex("000000000000000042031E031F03"),
    }
