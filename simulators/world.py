"""A whole world around one counter, on loopback: hosts, wallets, cards, camera, scanner, network."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivers.sounders import sound_card
from simulators import scheme
from simulators.camera import SimulatedCamera
from simulators.cards import profile
from simulators.cards.card import SimulatedCard
from simulators.display import PoleDisplay
from simulators.faults import TcpGate
from simulators.hosts import alipay_signing, certificates
from simulators.hosts.alipay import AlipayHost
from simulators.hosts.alipay_trades import Behaviour, TradeStatus
from simulators.hosts.host import Host
from simulators.hosts.host_behaviour import Fault
from simulators.hosts.server import TlsServer
from simulators.printer import NetworkPrinter
from simulators.readers import in_process
from simulators.readers.field import Field
from simulators.readers.pcsc_daemon import READER, PcscDaemon, PcscDaemonError
from simulators.readers.pn532_chip import Pn532Chip
from simulators.readers.virtual_card import PORT, SlotTakenError, VirtualCard
from simulators.serial_scanner import SerialScanner

logger = logging.getLogger(__name__)

TERMINAL_ID = "DEMO01"
APP_ID = "2021000000000001"
WAIT_S = 15.0
SLICE_S = 0.25
SLOTS = 2
"""How many cards the virtual reader of vsmartcard-vpcd holds."""

_CODES = {
    "pays": Behaviour.PAYS,
    "waits": Behaviour.WAITS,
    "poor": Behaviour.BALANCE_TOO_LOW,
}
_FOREIGN = "foreign"
_BY_SCANNER = "-by-scanner"


@dataclass(frozen=True, slots=True)
class _Booked:
    times: int
    amount_minor: int


class SimulatedWorld:
    """Everything that the demo's terminal talks to."""

    currency = "CNY"

    def __init__(self) -> None:
        self.notes: tuple[str, ...] = ()
        self._ends: list[Callable[[], object]] = []
        self._cards: dict[str, SimulatedCard] = {}
        self._field = in_process.FIELD
        self._gates: list[TcpGate] = []
        self._released = threading.Event()

    def start(self, home: Path, reader: str, pace: Any) -> str:
        """Start everything and return the terminal's configuration."""
        files = certificates.create(home / "world")
        self.host = self._begin(
            Host(certificate=files.certificate, key=files.key, folder=home / "world" / "host"), "close"
        )
        self.alipay = AlipayHost()
        gateway = self._begin(TlsServer(self.alipay.app, certificate=files.certificate, key=files.key))
        self._gates = [self._begin(TcpGate(self.host.port)), self._begin(TcpGate(gateway.port))]
        self._camera = self._begin(SimulatedCamera())
        self._scanner = self._begin(SerialScanner())
        address = self._start_reader(reader)
        keys = self._make_alipay_keys(home / "world")
        ca_keys = home / "world" / "ca_keys.json"
        ca_keys.write_text(scheme.ca_keys_json())
        scanners = [self._camera.address, self._scanner.address]
        around = self._start_around() if pace.name == "PERSON" else ""
        host, alipay = (f"https://127.0.0.1:{gate.port}" for gate in self._gates)
        return _CONFIG.format(
            terminal=TERMINAL_ID,
            currency=self.currency,
            readers=_list([address]),
            scanners=_list(scanners),
            around=around,
            host=host,
            alipay=alipay,
            ca=files.ca,
            ca_keys=ca_keys,
            app=APP_ID,
            key=keys[0],
            alipay_key=keys[1],
            **(_PERSON if pace.name == "PERSON" else _SCRIPT),
        )

    def stop(self) -> None:
        """End everything, last first."""
        self.take_card_away()
        while self._ends:
            end = self._ends.pop()
            try:
                end()
            except Exception:
                logger.exception("a part of the simulated world did not end")

    def cards(self) -> tuple[str, ...]:
        """Return the names of all cards."""
        return profile.profiles()

    def codes(self) -> tuple[str, ...]:
        """Return all kinds of codes, each for the camera and for the scanner."""
        kinds = (*_CODES, _FOREIGN)
        return (*kinds, *(f"{kind}{_BY_SCANNER}" for kind in kinds))

    def hold_card(self, name: str) -> None:
        """Hold a card to the reader. A card keeps its counter from tap to tap."""
        self._field.place(self._cards.setdefault(name, profile.load(name)))

    def take_card_away(self) -> None:
        """Empty the reader's field."""
        self._field.take_away()

    def show_code(self, kind: str) -> None:
        """Show a fresh code."""
        by_scanner = kind.endswith(_BY_SCANNER)
        kind = kind.removesuffix(_BY_SCANNER)
        code = "A bus ticket" if kind == _FOREIGN else self.alipay.book.customer_code(_CODES[kind])
        if by_scanner:
            self._scanner.scan(code)
        else:
            self._camera.show(code)

    def hide_code(self) -> None:
        """Take the phone away from the camera."""
        self._camera.clear()

    def confirm(self) -> None:
        """Confirm the newest waiting payment."""
        waiting = [t for t in self.alipay.book.trades() if t.status is TradeStatus.WAIT_BUYER_PAY]
        self.alipay.book.buyer_confirms(waiting[-1].out_trade_no)

    def scan_qr(self, text: str) -> None:
        """Scan the terminal's code and pay."""
        self.alipay.book.buyer_pays(self.alipay.book.scan_qr(text))

    def pay_late(self, attempt: str) -> None:
        """Let a payment arrive after its code was cancelled."""
        self.alipay.book.buyer_pays(attempt.replace("-", "_"), late=True)

    def set_network(self, up: bool) -> None:
        """Open or shut the gates to the host and the wallet."""
        for gate in self._gates:
            if up:
                gate.up()
            else:
                gate.down()

    def hold_host_answer(self) -> None:
        """Keep back the next answer to an authorisation."""
        self._released.clear()
        self.host.behaviour.next(Fault.HOLD)

    def wait_until_held(self) -> bool:
        """Wait until the host has booked and keeps its answer back; no longer than until the release."""
        for _ in range(int(WAIT_S / SLICE_S)):
            if self.host.behaviour.wait_until_held(timeout_s=SLICE_S):
                return True
            if self._released.is_set():
                break
        return False

    def release_host_answer(self) -> None:
        """Let the host answer."""
        self._released.set()
        self.host.behaviour.release()

    def booked(self) -> Mapping[str, _Booked]:
        """Return what the host holds for cards and Alipay for itself, by attempt."""
        books: dict[str, _Booked] = {}
        for booking in self.host.books():
            if booking.source == "card" and booking.kind == "sale":
                before = books.get(booking.attempt, _Booked(0, 0))
                books[booking.attempt] = _Booked(before.times + 1, booking.amount_minor)
        for trade in self.alipay.book.trades():
            if trade.status is TradeStatus.TRADE_SUCCESS:
                books[trade.out_trade_no.replace("_", "-")] = _Booked(1, trade.amount_minor)
        return books

    def _start_reader(self, reader: str) -> str:
        scheme, _, target = reader.partition(":")
        if scheme == "pcsc" and (not target or target.startswith(READER)):
            return self._start_virtual_reader(target)
        if scheme == "pn532" and not target:
            self._field = Field()
            return f"pn532:{self._begin(Pn532Chip(self._field)).path}"
        if scheme != "sim":
            self.notes += (f"{reader} is taken for a real device: no simulated card comes near it.",)
        return reader

    def _start_around(self) -> str:
        """Start what a person sees and hears beside the screen; the machine's own sound where it has one."""
        self.printer = self._begin(NetworkPrinter())
        self.display = self._begin(PoleDisplay())
        sounder = "sound-card:" if sound_card.discover() else "sim:"
        return (
            f"printers = [{_list([self.printer.address])}]\n"
            f"displays = [{_list([self.display.address])}]\n"
            f"sounders = [{_list([sounder])}]\n"
        )

    def _start_virtual_reader(self, wanted: str) -> str:
        """Hold cards to a free slot of the PC/SC daemon's virtual reader, or say why to a `sim:` reader."""
        try:
            self._begin(PcscDaemon())
        except PcscDaemonError as error:
            return self._without_daemon(f"the PC/SC daemon can't be had ({error})")
        for number in range(SLOTS):
            name = f"{READER} 00 {number:02d}"
            if wanted in name:
                field = Field()
                with suppress(SlotTakenError):
                    self._begin(VirtualCard(field, PORT + number), wait_s=1.0)
                    self._field = field
                    return f"pcsc:{name}"
        return self._without_daemon("another program holds cards to the virtual reader")

    def _without_daemon(self, why: str) -> str:
        self.notes += (f"The reader is sim: here, as {why}.",)
        return "sim:"

    def _begin(self, part: Any, end: str = "stop", **how: Any) -> Any:
        part.start(**how)
        self._ends.append(getattr(part, end))
        return part

    def _make_alipay_keys(self, folder: Path) -> tuple[Path, Path]:
        merchant, alipay = folder / "merchant.pem", folder / "alipay.pem"
        key = alipay_signing.new_key()
        merchant.touch(mode=0o600)
        merchant.write_text(alipay_signing.private_pem(key))
        alipay.write_text(self.alipay.public_key_pem)
        self.alipay.register(APP_ID, alipay_signing.public_pem(key))
        return merchant, alipay


def _list(addresses: list[str]) -> str:
    return ", ".join(f'"{address}"' for address in addresses)


_PERSON = {"qr_seconds": 60, "query_every": 1.0, "query_for": 30.0}
_SCRIPT = {"qr_seconds": 3, "query_every": 0.2, "query_for": 2.0}

_CONFIG = """\
[shop]
name = "Riverside Tea House"
address = ["1 Harbour Street"]
currency = "{currency}"
country = "156"
simulated = true

[terminal]
id = "{terminal}"

[devices]
readers = [{readers}]
scanners = [{scanners}]
{around}
[cards]
# Up to here a genuine card may approve by itself, offline.
floor_limit = "5.00"
ca_keys = "{ca_keys}"

[host]
url = "{host}"
ca_file = "{ca}"

[offline]
mode = "prefer online"
limit_each = "50.00"

[alipay]
gateway = "{alipay}/gateway.do"
app_id = "{app}"
key_file = "{key}"
alipay_key_file = "{alipay_key}"
ca_file = "{ca}"
qr_seconds = {qr_seconds}
query_every_s = {query_every}
query_for_s = {query_for}
"""
