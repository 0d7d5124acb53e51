"""Terminal action analysis: what the TVR means, by the action codes of issuer and terminal.

Spec: EMV 4.4 Book 3, 10.7.
"""

from __future__ import annotations

from dataclasses import dataclass

from emv.card_data import CardData
from emv.commands import Cryptogram
from emv.fields import Tvr, take
from emv.tags import Tag

NONE, ALL = Tvr(0), Tvr(0xFFFFFFFFFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionCodes:
    """For which TVR bits a payment is declined, sent online, or declined if it can't be sent online."""

    denial: Tvr = NONE
    online: Tvr = NONE
    default: Tvr = NONE


def issuer_action_codes(card: CardData) -> ActionCodes:
    """Return the card's action codes (9F0E, 9F0F, 9F0D).

    A card without them denies nothing, and sends everything online that has any bit set.

    Raises:
        DecodeError: one has not five bytes.

    Spec: EMV 4.4 Book 3, 10.7.
    """

    def code(tag: Tag, absent: Tvr) -> Tvr:
        value = card.get(tag)
        return absent if value is None else take(Tvr, value, 5, tag)

    return ActionCodes(
        denial=code(Tag.IAC_DENIAL, NONE),
        online=code(Tag.IAC_ONLINE, ALL),
        default=code(Tag.IAC_DEFAULT, ALL),
    )


def online_capable(terminal_type: int) -> bool:
    """Say whether a terminal of this type (9F35) can go online. Spec: EMV 4.4 Book 4, Annex A1."""
    return terminal_type & 0x0F not in (3, 6)


def offline_capable(terminal_type: int) -> bool:
    """Say whether a terminal of this type (9F35) can approve offline. Spec: EMV 4.4 Book 4, Annex A1."""
    return terminal_type & 0x0F not in (1, 4)


def analyse(
    tvr: Tvr, *, tac: ActionCodes, iac: ActionCodes, online_capable: bool = True, offline_capable: bool = True
) -> Cryptogram:
    """Return the cryptogram to ask the card for.

    Args:
        tvr: What was found out.
        tac: The terminal's action codes.
        iac: The issuer's, of `issuer_action_codes`.
        online_capable: False for a terminal that never goes online, and for one that can't now.
        offline_capable: False for a terminal that only goes online: what is not denied goes there.

    Spec: EMV 4.4 Book 3, 10.7.
    """
    if tvr & (tac.denial | iac.denial):
        return Cryptogram.AAC
    if online_capable:
        asks = not offline_capable or tvr & (tac.online | iac.online)
        return Cryptogram.ARQC if asks else Cryptogram.TC
    denied = not offline_capable or tvr & (tac.default | iac.default)
    return Cryptogram.AAC if denied else Cryptogram.TC
