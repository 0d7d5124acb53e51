"""A terminal's keys, its host's keys, and stores on a real disk."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from offline_queue.acknowledgement import Acknowledgement, Refusal
from offline_queue.record import Record, RecordKind
from offline_queue.sealing import Opener, Sealer
from offline_queue.sightings import Sighting
from offline_queue.signing import SigningKey
from offline_queue.store import DEFAULT_LIMIT_BYTES, Store
from offline_queue.summary import Summary

TERMINAL = "T1"


@dataclass
class Counter:
    """One terminal with its store, and the host's keys."""

    path: Path
    signer: SigningKey = field(default_factory=SigningKey.generate)
    opener: Opener = field(default_factory=Opener.generate)
    host: SigningKey = field(default_factory=SigningKey.generate)
    limit_bytes: int = DEFAULT_LIMIT_BYTES
    _store: Store | None = None
    _orders: int = 0

    @property
    def store(self) -> Store:
        """The open store; opened on first use."""
        if self._store is None:
            self._store = Store.open(
                self.path,
                terminal_id=TERMINAL,
                signer=self.signer,
                sealer=Sealer(self.opener.public_bytes()),
                host_key=self.host.public_key,
                limit_bytes=self.limit_bytes,
            )
        return self._store

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def reopen(self) -> Store:
        self.close()
        return self.store

    def attempt(self, amount_minor: int = 1250) -> str:
        """Open an order and a live attempt at paying it."""
        self._orders += 1
        order = f"order-{self._orders}"
        self.store.open_order(order, amount_minor, "EUR")
        return self.store.begin_attempt(order, state="new")

    def append(
        self,
        kind: RecordKind = RecordKind.SHIFT,
        attempt: str = "",
        *,
        state: str = "",
        closes: bool = False,
        secret: bytes = b"card data",
        summary: Summary | None = None,
        time_ms: int = 1_700_000_000_000,
        sighting: Sighting | None = None,
    ) -> Record:
        return self.store.append(
            kind,
            attempt=attempt,
            state=state,
            closes=closes,
            secret=secret,
            summary=summary or {},
            time_ms=time_ms,
            sighting=sighting,
        )

    def offline_sale(self, amount_minor: int = 1250) -> str:
        """Take a payment that nobody has approved yet, and return its attempt."""
        attempt = self.attempt(amount_minor)
        self.append(RecordKind.INTENT, attempt, state="asked")
        outcome: Summary = {"outcome": "approved_offline", "deferred": True}
        self.append(RecordKind.RESULT, attempt, state="done", closes=True, summary=outcome)
        return attempt

    def acknowledgement(
        self,
        through: int,
        *,
        head: bytes | None = None,
        refused: tuple[Refusal, ...] = (),
        settled: Mapping[str, str] | None = None,
        terminal_id: str = TERMINAL,
        signer: SigningKey | None = None,
    ) -> Acknowledgement:
        """Write what the host would, by default over our own head."""
        if head is None:
            record = self.store.record(through)
            assert record is not None
            head = record.head
        return Acknowledgement.issue(
            signer or self.host,
            terminal_id=terminal_id,
            through=through,
            head=head,
            refused=refused,
            settled=settled,
        )


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    counter = Counter(tmp_path / "state" / "queue.sqlite")
    yield counter
    counter.close()
