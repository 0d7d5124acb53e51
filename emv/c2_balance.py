"""Balance reading of kernel 2: Offline Accumulator Balance (9F50) before and after GENERATE AC.

It is nice to have: a card that answers anything else just shows no balance.

Spec: EMV Contactless Book C-2, 7.1 and 7.3 (BR1, BR2), 6.17 and 6.18 (S16, S17).
"""

from __future__ import annotations

from emv import commands
from emv.apdu import CommandApdu, ResponseApdu
from emv.c2_capabilities import Capabilities, capabilities
from emv.card_data import CardData
from emv.tags import Tag

BEFORE, AFTER = 0xDF8104, 0xDF8105
"""Balance Read Before Gen AC, Balance Read After Gen AC."""

_PREFIX = bytes.fromhex("9F5006")


def wanted(card: CardData, asked: bool) -> bool:
    """Say whether to read the balance: the terminal asks for it and the card can."""
    return asked and bool(capabilities(card) & Capabilities.BALANCE_READING)


def command() -> CommandApdu:
    """Return the GET DATA that asks for it."""
    return commands.get_data(Tag.OFFLINE_BALANCE)


def balance(rapdu: ResponseApdu) -> bytes | None:
    """Return the balance in an answer, six bytes of format n, or None. Spec: S16.9, S17.6."""
    value = rapdu.data[len(_PREFIX) :]
    fits = rapdu.ok and rapdu.data.startswith(_PREFIX) and len(value) == 6 and value.hex().isdecimal()
    return value if fits else None
