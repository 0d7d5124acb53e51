"""A record to hand to a channel."""

from __future__ import annotations

import pytest

from offline_queue.record import Record, RecordKind, genesis_head
from offline_queue.sealing import Opener, Sealer
from offline_queue.signing import SigningKey
from tests.terminal.shop import TERMINAL_ID


@pytest.fixture(scope="session")
def record() -> Record:
    """An intent; wallets do not look at it."""
    return Record.create(
        signer=SigningKey.generate(),
        sealer=Sealer(Opener.generate().public_bytes()),
        terminal_id=TERMINAL_ID,
        sequence=1,
        previous_head=genesis_head(TERMINAL_ID),
        kind=RecordKind.INTENT,
        attempt=f"{TERMINAL_ID}-00000001",
        time_ms=0,
        summary={},
        secret=b"",
    )
