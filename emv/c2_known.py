"""What kernel 2 knows of a payment: it grows step by step, and every outcome tells all of it.

Spec: EMV Contactless Book C-2, 4.1 (data organisation) and 4.2 (outcome, data record, discretionary data).
"""

from __future__ import annotations

from dataclasses import replace

from emv import c2_dol, c2_limits, c2_outcome, c2_records, c2_relay
from emv.c2_error import ErrorIndication
from emv.c2_magstripe import Stripe
from emv.c2_options import C2Options
from emv.c2_relay import RelayExchange
from emv.card_data import CardData
from emv.card_texts import label
from emv.errors import DecodeError
from emv.evidence import Evidence
from emv.fields import Aip, Tvr
from emv.kernel import Activation, Transaction
from emv.oda import NO_ODA
from emv.outcome import Outcome, OutcomeKind
from emv.sensitive import Pan, Track2
from emv.tags import Tag
from emv.torn import TornRecord


class Known:
    """One payment, its terminal and its card.

    Attributes:
        activation: What Entry Point gave.
        options: The settings of this kernel.
        transaction: The payment, once it is begun.
        card: What the card said.
        aip: Its profile.
        terminal: What the terminal tells the card, by tag; TVR and CVM results among it.
        pdol_data: What GET PROCESSING OPTIONS was sent with.
        cdol1_data: What GENERATE AC was sent with.
        oda: What offline data authentication came to.
        relay: The last relay resistance exchange, None if there was none.
        balances: The balances that were read, by tag.
        stripe: The tracks of magstripe mode.
        dropped: A torn record that had to go for another one.
    """

    def __init__(self, activation: Activation) -> None:
        self.activation = activation
        self.options = activation.options(C2Options)
        self.transaction: Transaction
        self.card = CardData()
        self.aip = Aip(0)
        self.terminal: dict[int, bytes] = {}
        self.pdol_data = self.cdol1_data = b""
        self.oda = NO_ODA
        self.relay: RelayExchange | None = None
        self.balances: dict[int, bytes] = {}
        self.stripe: Stripe | None = None
        self.dropped: TornRecord | None = None

    @property
    def rid(self) -> bytes:
        """Whose application it is."""
        return self.activation.aid[:5]

    @property
    def tvr(self) -> Tvr:
        """What was found out so far."""
        return Tvr.from_bytes(self.terminal[Tag.TVR], "big")

    def note(self, found: Tvr) -> None:
        """Set TVR bits."""
        if not self.options.relay_bits:
            found &= ~(c2_relay.NOT_PERFORMED | c2_relay.PERFORMED)
        self.terminal[Tag.TVR] = (self.tvr | found).to_bytes(5, "big")

    @property
    def on_device(self) -> bool:
        """Whether card and kernel rely on the consumer's device."""
        return c2_limits.device_verifies(self.aip, self.options)

    @property
    def cvm_required(self) -> bool:
        """Whether the amount is above the CVM limit."""
        return self.exceeds(self.activation.combination.cvm_limit)

    @property
    def too_much(self) -> bool:
        """Whether the amount is above what is taken from this card."""
        return self.exceeds(c2_limits.transaction_limit(self.aip, self.options))

    def exceeds(self, limit: int | None) -> bool:
        """Say whether the amount is above a limit."""
        return c2_limits.exceeds(limit, self.activation.config, self.transaction)

    def related_data(self, list_tag: Tag) -> bytes:
        """Return the data that one of the card's lists asks for."""
        return c2_dol.related_data(self.card.get(list_tag) or b"", self.card, self.terminal)

    def told(self, outcome: Outcome, error: ErrorIndication) -> Outcome:
        """Return an outcome with what every outcome has."""
        field_off_ms = None
        if outcome.kind is not OutcomeKind.SELECT_NEXT:
            field_off_ms = c2_outcome.field_off_ms(self.card, self.options)
        tracks = {} if self.stripe is None else self.stripe.discretionary()
        torn = None if self.dropped is None else self.dropped.data
        return replace(
            outcome,
            field_off_ms=field_off_ms,
            label=label(self.card),
            pan=self._pan(),
            discretionary_data=c2_records.discretionary_data(self.card, self.balances | tracks, error, torn),
            evidence=Evidence(
                card=self.card,
                terminal=dict(self.terminal),
                oda=self.oda,
                relay_ms=None if self.relay is None else self.relay.relay_ms,
            ),
        )

    def _pan(self) -> Pan | None:
        """Return the card's number, if it gave a possible one."""
        track2 = self.card.get(Tag.TRACK_2_MAGSTRIPE)
        try:
            if Tag.PAN in self.card:
                return Pan.decode(self.card[Tag.PAN])
            return Track2(track2).pan if track2 else None
        except DecodeError:
            return None
