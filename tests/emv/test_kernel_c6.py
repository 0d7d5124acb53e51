"""Kernel 6: Discover's cards in the shared flow."""

from emv.kernel import Transaction
from emv.kernel_c6 import KernelC6
from emv.outcome import OutcomeKind
from tests.emv.emv_card import EmvCard, activation, tap


def test_an_approval_needs_no_second_list(purchase: Transaction) -> None:
    card = EmvCard("discover", records={0x8D: None})
    given = activation(card, purchase, scheme="discover", keys_of="discover")
    outcome = tap(KernelC6(given), card, purchase)
    assert outcome.kind is OutcomeKind.APPROVED


def test_a_card_that_gave_its_cryptogram_with_the_options_ends(purchase: Transaction) -> None:
    card = EmvCard("discover", records={0x8C: None}, options={0x9F26: "1122334455667788", 0x9F27: "80"})
    given = activation(card, purchase, scheme="discover", keys_of="discover")
    outcome = tap(KernelC6(given), card, purchase)
    assert outcome.kind is OutcomeKind.END_APPLICATION
    assert "8C" in outcome.reason
