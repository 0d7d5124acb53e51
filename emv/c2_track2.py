"""Relay resistance in track 2: how the issuer learns of it from a card that did not sign it.

Without CDA nothing else carries the card's half of the protocol to the issuer. The discretionary data of
track 2 then holds, from the left: the scheme's key index (one digit, 0 if it has two), how often the
card was asked again (one), the last two bytes of its random number (five), the byte before them (three,
only with card numbers of up to 16 digits), and the measured time in milliseconds (three).

Spec: EMV Contactless Book C-2, 6.10 (S910.39), with the errata that take the length from track 2 itself.
"""

from __future__ import annotations

from emv.c2_relay import PERFORMED, RelayExchange
from emv.card_data import CardData
from emv.fields import Tvr
from emv.tags import Tag

_MAX_MS = 999


def for_issuer(card: CardData, exchange: RelayExchange | None, tvr: Tvr) -> dict[int, bytes]:
    """Return track 2 with relay resistance data in it by its tag, if there is that. Spec: S910.38."""
    track2 = card.get(Tag.TRACK_2)
    if not track2 or exchange is None or not tvr & PERFORMED:
        return {}
    return {int(Tag.TRACK_2): with_relay_data(track2, exchange, card.get(Tag.CA_KEY_INDEX))}


def with_relay_data(track2: bytes, exchange: RelayExchange, ca_key_index: bytes | None) -> bytes:
    """Return track 2 (57) with other discretionary data. The value is one that `Track2` takes."""
    digits = track2.hex().upper()
    separator = digits.index("D")
    kept = digits[: separator + 8]
    entropy = exchange.answer.entropy
    index = ca_key_index[0] if ca_key_index and ca_key_index[0] < 10 else 0
    more = f"{entropy[1]:03d}" if separator <= 16 else ""
    relay_ms = min((exchange.measured_100us or 0) // 10, _MAX_MS)
    data = f"{index}{exchange.retries}{int.from_bytes(entropy[2:], 'big'):05d}{more}{relay_ms:03d}"
    changed = kept + data
    return bytes.fromhex(changed + "F" * (len(changed) % 2))
