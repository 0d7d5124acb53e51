"""Cards, through the terminal's own host. The request is the signed intent record itself."""

from __future__ import annotations

import cbor2

from offline_queue.record import Record
from terminal.channels.channel import Case
from terminal.host_client import HttpHost
from terminal.payment.attempt import Answer, Plan


class CardChannel:
    """Contactless cards."""

    name = "card"
    label = "Card"
    deferrable = True
    plan = Plan(query_every_s=1.0, lifetime_s=20.0)

    def __init__(self, host: HttpHost) -> None:
        self._host = host

    def secret(self, case: Case) -> bytes:
        """Return the sealed part of the intent: the card's data for the issuer."""
        if case.instrument is None:
            raise AssertionError("a card is paid only while its customer is there")
        return cbor2.dumps({"type": "card", "emv": case.instrument.secret.reveal()}, canonical=True)

    async def ask(self, case: Case, intent: Record) -> Answer:
        """Authorise."""
        return await self._host.authorise(intent)

    async def query(self, case: Case) -> Answer:
        """Ask the host what became of the attempt."""
        return await self._host.query(case.key)

    async def reverse(self, case: Case, reversal: Record) -> Answer:
        """Undo the attempt at the host."""
        return await self._host.reverse(reversal)
