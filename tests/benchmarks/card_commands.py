"""A command and a whole tap through the real PC/SC daemon, beside bare pyscard on the same wire."""

import datetime
import secrets
import threading
import time
from collections.abc import Callable

from smartcard import scard  # type: ignore[import-untyped]

from drivers.address import parse
from drivers.readers import pcsc
from emv.config import default_config
from emv.kernel import Transaction
from simulators.cards import profile
from simulators.readers.field import Field
from simulators.readers.pcsc_daemon import READER, PcscDaemon
from simulators.readers.virtual_card import VirtualCard
from terminal.devices.worker import Lease
from terminal.payment.tap import Tap, Tapped
from tests.benchmarks.measure import in_turns, line, p50

_SELECT_PPSE = bytes.fromhex("00A404000E325041592E5359532E444446303100")
_NAME = f"{READER} 00 00"
_TURNS, _ROUNDS = 5, 400


def run() -> None:
    """Print the figures, or why there are none."""
    if missing := PcscDaemon.missing():
        print(f"PC/SC figures left out: {missing}")
        return
    field = Field()
    with PcscDaemon(), VirtualCard(field):
        field.place(profile.load("visa-approve"))
        _one_command()
        _whole_taps()


def _one_command() -> None:
    ours: list[float] = []
    theirs: list[float] = []
    # Each holds the card in turn: the driver takes it for itself alone.
    for _ in range(_TURNS):
        ours += _driver_turn()
        bare, end = _bare_transmit()
        theirs += in_turns(bare, rounds=_ROUNDS)[0]
        end()
    line(
        "one command through the PC/SC daemon",
        f"{p50(ours) * 1e3:.3f} ms",
        f"bare pyscard {p50(theirs) * 1e3:.3f} ms",
        f"{p50(ours) / p50(theirs):.2f} times, {(p50(ours) - p50(theirs)) * 1e6:.1f} us more",
    )


def _driver_turn() -> list[float]:
    reader = pcsc.open(parse(f"pcsc:{_NAME}"))
    card = reader.wait_for_card(threading.Event(), timeout_s=5)
    assert card is not None
    (times,) = in_turns(lambda: card.transceive(_SELECT_PPSE, timeout_s=1), rounds=_ROUNDS)
    card.release()
    reader.close()
    return times


def _bare_transmit() -> tuple[Callable[[], object], Callable[[], None]]:
    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    status, handle, protocol = scard.SCardConnect(
        context, _NAME, scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
    )
    assert status == scard.SCARD_S_SUCCESS
    command = list(_SELECT_PPSE)

    def end() -> None:
        scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD)
        scard.SCardReleaseContext(context)

    return lambda: scard.SCardTransmit(handle, protocol, command), end


def _whole_taps() -> None:
    reader = pcsc.open(parse(f"pcsc:{_NAME}"))
    taps: list[Tapped] = []
    for _ in range(40):
        tap = Tap(default_config("156", "156"), _transaction, lambda request, words: None)
        lease = Lease(threading.Event(), lambda: None, lambda: None)
        tapped = tap.run(reader, lease)
        assert tapped is not None
        taps.append(tapped)
    reader.close()
    total = p50([tapped.total_ms for tapped in taps])
    card = p50([tapped.card_ms for tapped in taps])
    line(
        "whole tap through the PC/SC daemon",
        f"{total:.2f} ms",
        f"card and daemon {card:.2f} ms of it",
        f"terminal {total - card:.2f} ms",
    )


def _transaction() -> Transaction:
    now = datetime.datetime.fromtimestamp(time.time(), datetime.UTC)
    return Transaction(
        amount_minor=1250,
        currency="156",
        date=now.date(),
        time=now.time(),
        unpredictable_number=secrets.token_bytes(4),
    )
