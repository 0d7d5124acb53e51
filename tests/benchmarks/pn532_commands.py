"""A command through a PN532 on a serial line, beside bare nfcpy on the same wire, and a look at the field."""

import contextlib
import threading
from collections.abc import Callable, Iterator

import nfc.clf  # type: ignore[import-untyped]
import nfc.clf.pn532  # type: ignore[import-untyped]
import nfc.clf.transport  # type: ignore[import-untyped]
from nfc.tag.tt4 import Type4ATag  # type: ignore[import-untyped]

from drivers.readers import pn532
from simulators.cards import profile
from simulators.readers.field import Field
from simulators.readers.pn532_chip import Pn532Chip
from tests.benchmarks.measure import in_turns, line, p50

_SELECT_PPSE = bytes.fromhex("00A404000E325041592E5359532E444446303100")
_ROUNDS = 1000


def run() -> None:
    """Print the figures."""
    with _ours() as ours, _bare_nfcpy() as theirs:
        our_times, their_times = in_turns(ours, theirs, rounds=_ROUNDS)
    line(
        "one command through a PN532",
        f"{p50(our_times) * 1e3:.3f} ms",
        f"bare nfcpy {p50(their_times) * 1e3:.3f} ms",
        f"{p50(our_times) / p50(their_times):.2f} times",
    )


@contextlib.contextmanager
def _ours() -> Iterator[Callable[[], object]]:
    field = Field(profile.load("visa-approve"))
    with Pn532Chip(field) as chip, contextlib.closing(pn532.open(chip.address)) as reader:
        card = reader.wait_for_card(threading.Event(), timeout_s=5)
        assert card is not None
        yield lambda: card.transceive(_SELECT_PPSE, timeout_s=1)
        card.release()


@contextlib.contextmanager
def _bare_nfcpy() -> Iterator[Callable[[], object]]:
    """Its own frontend and tag, but for the opening, which takes names in /dev only."""
    field = Field(profile.load("visa-approve"))
    with Pn532Chip(field) as chip:
        frontend = nfc.clf.ContactlessFrontend()
        frontend.device = nfc.clf.pn532.init(nfc.clf.transport.TTY(chip.path))
        frontend.device._path = chip.path
        try:
            target = frontend.sense(nfc.clf.RemoteTarget("106A"))
            tag = Type4ATag(frontend, target)
            yield lambda: tag.transceive(_SELECT_PPSE)
        finally:
            frontend.close()


if __name__ == "__main__":
    run()
