"""Terminal action analysis: from the TVR to the cryptogram."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv import action_analysis
from emv.action_analysis import ActionCodes, analyse, issuer_action_codes
from emv.card_data import CardData
from emv.commands import Cryptogram
from emv.errors import DecodeError
from emv.fields import Tvr
from tests.emv.emv_card import of

AAC, TC, ARQC = Cryptogram.AAC, Cryptogram.TC, Cryptogram.ARQC
EXPIRED, FLOOR, CVM = Tvr.EXPIRED, Tvr.FLOOR_LIMIT_EXCEEDED, Tvr.CVM_FAILED
NO_CODES = ActionCodes()
CODES = ActionCodes(denial=EXPIRED, online=FLOOR | CVM, default=CVM)
OFFLINE_ONLY = {"online_capable": False}
ONLINE_ONLY = {"offline_capable": False}


@pytest.mark.parametrize("by_issuer", [True, False])
@pytest.mark.parametrize(
    ("tvr", "able", "asked"),
    [
        (Tvr(0), {}, TC),
        (EXPIRED, {}, AAC),
        (EXPIRED | FLOOR, {}, AAC),
        (FLOOR, {}, ARQC),
        (CVM, {}, ARQC),
        (Tvr.NEW_CARD, {}, TC),
        (Tvr(0), OFFLINE_ONLY, TC),
        (FLOOR, OFFLINE_ONLY, TC),
        (CVM, OFFLINE_ONLY, AAC),
        (EXPIRED, OFFLINE_ONLY, AAC),
        (Tvr(0), ONLINE_ONLY, ARQC),
        (EXPIRED, ONLINE_ONLY, AAC),
        (Tvr(0), OFFLINE_ONLY | ONLINE_ONLY, AAC),
    ],
)
def test_the_codes_of_issuer_and_terminal_count_alike(
    tvr: Tvr, able: dict[str, bool], asked: Cryptogram, by_issuer: bool
) -> None:
    tac, iac = (NO_CODES, CODES) if by_issuer else (CODES, NO_CODES)
    assert analyse(tvr, tac=tac, iac=iac, **able) is asked


def test_a_card_without_codes_denies_nothing_and_sends_everything_online() -> None:
    codes = issuer_action_codes(CardData())
    everything = Tvr(0xFFFFFFFFFF)
    assert codes == ActionCodes(denial=Tvr(0), online=everything, default=everything)


def test_the_card_s_codes() -> None:
    card = CardData()
    card.add(of((0x9F0D, "0000000001"), (0x9F0E, "0000000002"), (0x9F0F, "0000000004")))
    assert issuer_action_codes(card) == ActionCodes(default=Tvr(1), denial=Tvr(2), online=Tvr(4))
    for tag in (0x9F0D, 0x9F0E, 0x9F0F):
        bad = CardData()
        bad.add(of((tag, "00000000")))
        with pytest.raises(DecodeError):
            issuer_action_codes(bad)


@pytest.mark.parametrize(
    ("kind", "online", "offline"),
    [
        *((kind, True, False) for kind in (0x11, 0x14, 0x21, 0x24, 0x34)),
        *((kind, True, True) for kind in (0x12, 0x15, 0x22, 0x25, 0x35)),
        *((kind, False, True) for kind in (0x13, 0x16, 0x23, 0x26, 0x36)),
    ],
)
def test_what_a_terminal_of_a_type_can_do(kind: int, online: bool, offline: bool) -> None:
    assert action_analysis.online_capable(kind) is online
    assert action_analysis.offline_capable(kind) is offline


tvrs = st.integers(0, 2**40 - 1).map(Tvr)
codes = st.builds(ActionCodes, denial=tvrs, online=tvrs, default=tvrs)
LENIENCE = {AAC: 0, ARQC: 1, TC: 2}


@given(tvrs, tvrs, codes, codes, st.booleans(), st.booleans())
@settings(max_examples=300)
def test_one_more_bit_never_makes_the_decision_more_lenient(
    tvr: Tvr, more: Tvr, tac: ActionCodes, iac: ActionCodes, online: bool, offline: bool
) -> None:
    def asked(found: Tvr) -> int:
        kind = analyse(found, tac=tac, iac=iac, online_capable=online, offline_capable=offline)
        assert online or kind is not ARQC
        assert offline or kind is not TC
        return LENIENCE[kind]

    assert asked(tvr | more) <= asked(tvr)
