"""Terminal action analysis of kernel 2, and what to ask the card for.

Three rules are ours. Nothing is approved offline that will not be authenticated: where CDA is not asked
for, the terminal asks for an online cryptogram instead of a transaction certificate, or declines if it
never goes online. The same goes, whatever the action codes are, for what only the issuer may approve: a
payment of nothing and a status check, as pre-processing found them, and a card on the exception file. And a
card without action codes is not sent online because the TVR says that relay resistance was done or not
done, which is no fault of anybody's.

Spec: EMV Contactless Book C-2, 7.6 (GAC.20 to GAC.29) and 7.8 (TAA.1 to TAA.18).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from emv.action_analysis import ActionCodes, analyse, issuer_action_codes, offline_capable, online_capable
from emv.c2_capabilities import Capabilities, capabilities
from emv.c2_options import C2Options
from emv.c2_relay import NOT_PERFORMED, PERFORMED
from emv.card_data import CardData
from emv.commands import Cryptogram
from emv.fields import Tvr
from emv.kernel import Indicators
from emv.tags import Tag


@dataclass(frozen=True, slots=True)
class CryptogramRequest:
    """What GENERATE AC asks for (Reference Control Parameter, DF8114)."""

    kind: Cryptogram
    cda: bool

    def encode(self) -> bytes:
        """Return the parameter, one byte."""
        return bytes((self.kind | (0x10 if self.cda else 0x00),))

    @classmethod
    def decode(cls, value: bytes) -> CryptogramRequest:
        """Return what a parameter of ours asked for."""
        return cls(Cryptogram(value[0] & 0xC0), bool(value[0] & 0x10))

    def allows(self, cid: bytes) -> bool:
        """Say whether this may be the answer: as good as what was asked for, or worse. Spec: S9.23."""
        kind = cid[0] & 0xC0
        if kind == Cryptogram.TC:
            return self.kind is Cryptogram.TC
        if kind == Cryptogram.ARQC:
            return self.kind is not Cryptogram.AAC
        return kind == Cryptogram.AAC


def request(
    card: CardData,
    tvr: Tvr,
    options: C2Options,
    *,
    terminal_type: int,
    indicators: Indicators,
    cda: bool,
    on_device: bool,
) -> CryptogramRequest:
    """Return what to ask the card for.

    Args:
        card: Its action codes, and its capabilities.
        tvr: What was found out.
        options: The terminal's action codes.
        terminal_type: Tag 9F35.
        indicators: What pre-processing found out.
        cda: Whether both sides can do CDA.
        on_device: Whether card and kernel rely on the consumer's device; without CDA it is declined.
    """
    for_issuer = indicators.zero_amount or indicators.status_check_requested or tvr & Tvr.ON_EXCEPTION_FILE
    kind = analyse(
        tvr,
        tac=ActionCodes(denial=options.tac_denial, online=options.tac_online, default=options.tac_default),
        iac=_issuer_codes(card),
        online_capable=online_capable(terminal_type),
        offline_capable=offline_capable(terminal_type) and not for_issuer,
    )
    if not cda or tvr & Tvr.CDA_FAILED:
        return CryptogramRequest(_without_cda(kind, on_device, online_capable(terminal_type)), cda=False)
    if kind is Cryptogram.AAC:
        return CryptogramRequest(kind, bool(capabilities(card) & Capabilities.CDA_FOR_EVERY_CRYPTOGRAM))
    return CryptogramRequest(kind, cda=True)


def _issuer_codes(card: CardData) -> ActionCodes:
    codes, relay = issuer_action_codes(card), NOT_PERFORMED | PERFORMED
    if Tag.IAC_ONLINE not in card:
        codes = replace(codes, online=codes.online & ~relay)
    if Tag.IAC_DEFAULT not in card:
        codes = replace(codes, default=codes.default & ~relay)
    return codes


def _without_cda(kind: Cryptogram, on_device: bool, online: bool) -> Cryptogram:
    """Return what is asked for instead where the card is not authenticated. Spec: GAC.22, GAC.23."""
    if on_device:
        return Cryptogram.AAC
    if kind is Cryptogram.TC:
        return Cryptogram.ARQC if online else Cryptogram.AAC
    return kind
