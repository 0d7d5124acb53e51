"""Records the taps of this folder anew: ``python -m tests.replay.make``.

They are of simulated cards, under the test schemes' keys, and hold only published test numbers. What each
comes to is kept beside it, so that a change of a kernel that changes a decision shows.
"""

from __future__ import annotations

import json
from pathlib import Path

from terminal.replay.replay import replay
from tests.terminal.replay.taps import config, tap

FOLDER = Path(__file__).parent
CARDS = (
    *("visa-approve", "visa-offline", "visa-wallet", "visa-decline"),
    *("mastercard-approve", "mastercard-relay-resistance", "mastercard-bad-icc-hash"),
    *("unionpay-approve", "amex-approve", "jcb-dda", "discover-approve"),
)
COMPARED = ("kernel", "aid", "outcome", "reason", "tvr", "tsi", "cvm", "cvm_results", "oda", "data_record")


def main() -> None:
    """Write every file."""
    for name in CARDS:
        transcript, _ = tap(name)
        found = replay(transcript, config()).as_json()
        value = transcript.as_json() | {"id": name, "expected": {key: found[key] for key in COMPARED}}
        for exchange in value["exchanges"]:
            # Times of a simulated card say nothing, and would differ each time.
            exchange["ms"] = 5.0
        value["terminal"] |= {"emv": ""}
        (FOLDER / f"{name}.json").write_text(json.dumps(value, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
