"""A terminal's process that takes payments until it is killed, telling of each record once it is durable.

Arguments: the folder with the keys and the store; how many payments to take; the number of the disk
operation before which the process kills itself (0: never).
"""

import hashlib
import os
import signal
import sys
from pathlib import Path

from offline_queue.record import RecordKind
from offline_queue.sealing import Opener, Sealer
from offline_queue.sightings import Sighting
from offline_queue.signing import SigningKey
from offline_queue.store import Store
from tests.offline_queue.faulty_disk import faulty_disk


def main(folder: Path, payments: int, kill_at: int) -> None:
    operations = 0
    armed = False

    def count(operation: str, file: str) -> None:
        nonlocal operations
        operations += armed
        if armed and operations == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    with faulty_disk(count):
        store = Store.open(
            folder / "queue.sqlite",
            terminal_id="T1",
            signer=SigningKey.load(folder / "signing.key"),
            sealer=Sealer(Opener.load(folder / "sealing.key").public_bytes()),
        )
        armed = True
        for payment in range(payments):
            tell("order", store.status().sequence)
            order = f"order-{os.getpid()}-{payment}"
            store.open_order(order, 1250, "EUR")
            attempt = store.begin_attempt(order, state="new")
            for kind, state in ((RecordKind.INTENT, "intent"), (RecordKind.RESULT, "result")):
                ends = kind is RecordKind.RESULT
                record = store.append(
                    kind,
                    attempt=attempt,
                    state=state,
                    closes=ends,
                    secret=b"card data",
                    summary={"order": order},
                    time_ms=payment,
                    sighting=sighting(order) if ends else None,
                )
                tell(state, record.sequence, record.head.hex())
        store.close()


def sighting(order: str) -> Sighting:
    """Return what the result of an order's payment rests on."""
    fingerprint = hashlib.sha256(order.encode()).digest()[:16]
    return Sighting(fingerprint, bytes(16), 1)


def tell(*what: object) -> None:
    sys.stdout.write(" ".join(map(str, what)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
