"""Cards, through the terminal's own host. The request is the signed intent record itself."""

from __future__ import annotations

from collections.abc import Awaitable

import cbor2

from offline_queue.host import HostAnswer, HostClient, NotSentError, RefusedError, Result, UnknownResultError
from offline_queue.record import Record
from terminal.channels.channel import Case
from terminal.payment.attempt_events import (
    Answer,
    Plan,
    Verdict,
)
from terminal.view import Phase

_VERDICTS = {
    Result.APPROVED: Verdict.APPROVED,
    Result.DECLINED: Verdict.DECLINED,
    Result.PENDING: Verdict.PENDING,
    Result.NOT_FOUND: Verdict.NOT_FOUND,
    Result.REVERSED: Verdict.REVERSED,
}


class CardChannel:
    """Contactless cards."""

    name = "card"
    label = "Card"
    deferrable = True
    pending = Phase.ASKING
    plan = Plan(query_every_s=1.0, lifetime_s=20.0)

    def __init__(self, host: HostClient) -> None:
        self._host = host

    def secret(self, case: Case) -> bytes:
        """Return the sealed part of the intent: the card's data for the issuer."""
        if case.instrument is None:
            raise AssertionError("a card is paid only while its customer is there")
        return cbor2.dumps({"type": "card", "emv": case.instrument.secret.reveal()}, canonical=True)

    async def ask(self, case: Case, intent: Record) -> Answer:
        """Authorise."""
        return await _answer(self._host.authorise(intent), refused=Verdict.DECLINED)

    async def query(self, case: Case) -> Answer:
        """Ask the host what became of the attempt."""
        return await _answer(self._host.query(case.key))

    async def reverse(self, case: Case, reversal: Record) -> Answer:
        """Undo the attempt at the host."""
        return await _answer(self._host.reverse(reversal))


async def _answer(call: Awaitable[HostAnswer], *, refused: Verdict = Verdict.UNKNOWN) -> Answer:
    """Return what an answer, or its absence, comes down to.

    `refused` stands for a signed refusal of the request itself. To an authorisation that is a no; to a
    query or a reversal it says nothing of the payment.
    """
    try:
        answer = await call
    except NotSentError as error:
        return Answer(Verdict.NOT_SENT, str(error))
    except UnknownResultError as error:
        return Answer(Verdict.UNKNOWN, str(error))
    except RefusedError as error:
        return Answer(refused, f"the host refuses this terminal: {error}", error.code)
    return Answer(_VERDICTS[answer.result], answer.message, answer.code, answer.authorisation)
