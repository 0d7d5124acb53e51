"""The relay resistance protocol: how far away is the card that answers?

Terminal and card exchange four unpredictable bytes. The card says how long it takes for that, at least
and at most, and later signs what was exchanged together with these times. A card that seems slower than
it claims may be a relay: it is asked again, up to three times in all, and the TVR tells the issuer.

**All times are in units of 100 microseconds**: one millisecond is ten units. Of the time from the
command's first byte to the answer's last one, the two transmissions are taken off, rounded down:

    measured = max(0, elapsed_us div 100 - C-APDU time - min(card's R-APDU time, our R-APDU time))

How exact that is depends on the reader. Where nobody measured, nothing is claimed: the TVR says "not
performed", while the exchanged numbers are still compared with the signed ones. A reader behind PC/SC and
USB adds milliseconds of its own; its measurements find anomalies, and prove no distance.

Spec: EMV Contactless Book C-2, 3.10, 5.3, 6.6 (SR1.10 to SR1.32) and Annex A (DF8132 to DF8137, DF8301
to DF8307), with the errata that bound the subtractions below by zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from emv import tlv
from emv.c2_options import C2Options
from emv.errors import DecodeError
from emv.fields import Tvr
from emv.tags import Tag

MEASURED_TIME, COUNTER = 0xDF8306, 0xDF8307
"""Measured Relay Resistance Processing Time; RRP Counter."""
NOT_PERFORMED, PERFORMED = Tvr(0x01), Tvr(0x02)
"""Bits 2 and 1 of the TVR's last byte."""
SIGNED_BYTES = 14
"""What the card's signature holds of the protocol: two numbers and three times."""


@dataclass(frozen=True, slots=True)
class RelayAnswer:
    """The card's answer: its four bytes, and its times in units of 100 microseconds.

    Args:
        entropy: Device Relay Resistance Entropy (DF8302).
        min_time: Min Time For Processing Relay Resistance APDU (DF8303).
        max_time: Max Time For Processing Relay Resistance APDU (DF8304).
        transmission: Device Estimated Transmission Time For Relay Resistance R-APDU (DF8305).
    """

    entropy: bytes
    min_time: int
    max_time: int
    transmission: int

    @classmethod
    def decode(cls, data: bytes) -> RelayAnswer:
        """Return what is in the data of an answer: `80 0A` and ten bytes."""
        objects = tlv.decode(data)
        value = objects[0][1] if len(objects) == 1 and objects[0][0] == Tag.RESPONSE_FORMAT_1 else None
        if not isinstance(value, bytes) or len(value) != 10:
            raise DecodeError("relay resistance data is not ten bytes in template 80")
        return cls.of_values(value)

    @classmethod
    def of_values(cls, value: bytes) -> RelayAnswer:
        """Return the answer in its ten bytes."""
        times = (int.from_bytes(value[at : at + 2], "big") for at in (4, 6, 8))
        return cls(value[:4], *times)

    def encode(self) -> bytes:
        """Return the ten bytes."""
        times = (self.min_time, self.max_time, self.transmission)
        return self.entropy + b"".join(time.to_bytes(2, "big") for time in times)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayExchange:
    """One exchange, the last one.

    Args:
        entropy: What the terminal sent, four bytes: also the unpredictable number from then on.
        answer: What the card answered.
        retries: How often it had been asked before (DF8307), 0 to 2.
        measured_100us: Measured Relay Resistance Processing Time (DF8306); None if nobody measured.
    """

    entropy: bytes
    answer: RelayAnswer
    retries: int
    measured_100us: int | None

    @property
    def relay_ms(self) -> float | None:
        """The measured processing time in milliseconds."""
        return None if self.measured_100us is None else self.measured_100us / 10

    def is_signed_in(self, dynamic_data: bytes) -> bool:
        """Say whether the card's signed data begins with what was exchanged. Spec: S910.4.1."""
        return dynamic_data[:SIGNED_BYTES] == self.entropy + self.answer.encode()

    def values(self) -> dict[int, bytes]:
        """Return the exchange by tag, for a torn record."""
        answer = self.answer.encode()
        found = {
            int(Tag.RELAY_ENTROPY): self.entropy,
            int(Tag.DEVICE_RELAY_ENTROPY): answer[:4],
            int(Tag.RELAY_MIN_TIME): answer[4:6],
            int(Tag.RELAY_MAX_TIME): answer[6:8],
            int(Tag.RELAY_TRANSMISSION_TIME): answer[8:],
            COUNTER: bytes((self.retries,)),
        }
        if self.measured_100us is not None:
            found[MEASURED_TIME] = self.measured_100us.to_bytes(2, "big")
        return found

    @classmethod
    def of_values(cls, values: Mapping[int, bytes]) -> RelayExchange | None:
        """Return the exchange that `values` gave, or None if there was none."""
        if Tag.RELAY_ENTROPY not in values:
            return None
        tags = (Tag.DEVICE_RELAY_ENTROPY, Tag.RELAY_MIN_TIME, Tag.RELAY_MAX_TIME, Tag.RELAY_TRANSMISSION_TIME)
        measured = values.get(MEASURED_TIME)
        return cls(
            entropy=values[Tag.RELAY_ENTROPY],
            answer=RelayAnswer.of_values(b"".join(values[tag] for tag in tags)),
            retries=values[COUNTER][0],
            measured_100us=None if measured is None else int.from_bytes(measured, "big"),
        )


class RelayVerdict(Enum):
    """What a measurement means."""

    TOO_FAST = "too fast"
    """Faster than the card itself can be: its data is in error."""
    TOO_SLOW = "too slow"
    WITHIN = "within the limits"


def measured_100us(elapsed_us: int, answer: RelayAnswer, options: C2Options) -> int:
    """Return the card's processing time in units of 100 microseconds, two bytes at most. Spec: SR1.18."""
    transmissions = options.relay_command_100us + min(answer.transmission, options.relay_answer_100us)
    return min(max(0, elapsed_us // 100 - transmissions), 0xFFFF)


def judge(exchange: RelayExchange, options: C2Options) -> RelayVerdict | None:
    """Compare the measured time with the card's own limits; None if nobody measured.

    Spec: SR1.19, SR1.22, SR1.28.
    """
    measured, answer = exchange.measured_100us, exchange.answer
    if measured is None:
        return None
    if measured < max(0, answer.min_time - options.relay_min_grace_100us):
        return RelayVerdict.TOO_FAST
    if measured > answer.max_time + options.relay_max_grace_100us:
        return RelayVerdict.TOO_SLOW
    return RelayVerdict.WITHIN


def verification_results(exchange: RelayExchange, options: C2Options) -> Tvr:
    """Return the TVR bits of the last exchange. Spec: SR1.28 to SR1.32."""
    measured, answer = exchange.measured_100us, exchange.answer
    if measured is None:
        return NOT_PERFORMED
    tvr = PERFORMED
    if judge(exchange, options) is RelayVerdict.TOO_SLOW:
        tvr |= Tvr.RELAY_TIME_LIMITS_EXCEEDED
    late = max(0, measured - answer.min_time) > options.relay_accuracy_100us
    if late or _mismatch(answer.transmission, options):
        tvr |= Tvr.RELAY_THRESHOLD_EXCEEDED
    return tvr


def _mismatch(transmission: int, options: C2Options) -> bool:
    """Say whether the two ideas of the answer's transmission time are too far apart, in percent.

    Multiplied out, so that a time of zero needs no rule of its own: it never matches another. Spec: SR1.30.
    """
    ours, threshold = options.relay_answer_100us, options.relay_mismatch_percent
    return transmission * 100 < threshold * ours or ours * 100 < threshold * transmission
