"""The ``escpos:`` driver: receipt printers that speak ESC/POS, with python-escpos.

| function | supported | remarks |
| --- | --- | --- |
| network | yes | ``escpos:192.0.2.7``, ``escpos:printer.local:9100``, ``escpos:[2001:db8::7]``; port 9100 |
| serial | yes | ``escpos:/dev/ttyUSB0#baud=19200``; 9600 without; 8N1, no flow control |
| USB | yes | ``escpos:usb`` is the first, ``escpos:usb:04b8:0202`` one kind; not while usblp has it |
| the kernel's printer file | yes | ``escpos:/dev/usb/lp0`` |
| columns | 32 | ``#columns=48``: 32 for paper of 58 mm, 42 or 48 for 80 mm; 42 without |
| text | any | by the code page that has it; ``#codepage=cp858`` for a printer that has only one |
| Chinese | GB18030 | `FS &`; ``#chinese=no`` for a printer without; others print boxes |
| other scripts | by code page | no Arabic shaping, no Thai composition, no Japanese kanji |
| QR codes | yes | the printer's own, `GS ( k`; ``#qr=picture`` for a printer that has none |
| cutting | partial | ``#cut=no`` for a printer without a cutter |
| cash drawer | pulse on pin 2 | ``#drawer=high`` or ``low``: level of pin 3 when open; unknown without |
| status | DLE EOT 1, 2, 4 | None where the printer does not answer: such a printer prints blindly |
| end of page | GS r 1 | where it is answered, a page counts as printed only when it is |
| model, firmware | GS I | where it is answered |
| finding printers | USB | class 7, which office printers have too; networks are not searched |

A printer that ran out of paper in the middle keeps what it was sent, and mostly prints the rest when
there is paper again. Whether to print a page a second time is for a person to say.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence

from drivers.address import DeviceAddress
from drivers.baud import note as baud_note
from drivers.errors import DeviceUnavailableError, Reason
from drivers.options import Options
from drivers.page import Page
from drivers.printers import answers, usb_wire, wire
from drivers.printers.render import Paper, drawer_pulse, render
from drivers.printers.script import Script, code_pages
from drivers.printers.wire import Wire
from drivers.protocols import MAX_WAIT_S, DeviceInfo, PrinterStatus

DEFAULT_PORT = 9100
ANSWER_S = 1.0
"""For how long an answer may take, in seconds; printers on slow wireless networks need most of it."""
END_S = 15.0
"""For how long a page may take from its last byte until it is printed, in seconds."""
_CHUNK_BYTES = 1024
"""So much is sent between two looks at the paper: less than any printer's buffer."""
_IDENTITY = {"firmware": 65, "maker": 66, "model": 67, "serial number": 68}
_OPTIONS = {
    "baud": "9600",
    "columns": "42",
    "codepage": "cp858",
    "chinese": "no",
    "cut": "no",
    "qr": "picture",
    "drawer": "high",
}
_PLACE = re.compile(r"(?:\[(?P<number>[0-9A-Fa-f:.]+(?:%\w+)?)\]|(?P<name>[\w.-]+))(?::(?P<port>\d{1,5}))?")
_SYNTAX = (
    "write escpos:192.0.2.7, escpos:printer.local:9100, escpos:/dev/ttyUSB0#baud=19200, "
    "escpos:usb or escpos:/dev/usb/lp0"
)


class EscPosPrinter:
    """A printer on an open line.

    Args:
        address: The printer.
        line: To it and back.
        paper: How it is set up.
        drawer_open_is_high: Which level of pin 3 means an open drawer; None if that is not known.
        known: What is known of it beside its own answers.
    """

    def __init__(
        self,
        address: DeviceAddress,
        line: Wire,
        paper: Paper,
        *,
        drawer_open_is_high: bool | None = None,
        known: DeviceInfo | None = None,
    ) -> None:
        self._address = address
        self._line = line
        self._paper = paper
        self._drawer_open_is_high = drawer_open_is_high
        self._known = known or DeviceInfo("")
        self._identity: dict[str, str] = {}
        self._heard: set[int] = set()
        self._silent: set[int] = set()
        self._tells_end: bool | None = None
        self._real_time = bytearray()
        self._ends = 0

    @property
    def address(self) -> DeviceAddress:
        return self._address

    def greet(self) -> None:
        """Find out what the printer answers. Called once, after it was opened."""
        if self._ask(answers.PRINTER) is not None and self._status().online:
            self._learn()

    def info(self) -> DeviceInfo:
        """Return what the printer says of itself.

        Raises DeviceUnavailableError once it is gone, and while it can't print: a printer without paper is
        not ready, and is told before anyone wants a receipt.
        """
        self._check()
        details = {"line": self._line.name, "columns": str(self._paper.columns), **self._known.details}
        state = self._ask(answers.PRINTER)
        if state is None:
            self._receive(0.0)
            details["status"] = "not answered: it prints blindly, and may be in use by another program"
        else:
            details["drawer pin 3"] = "high" if answers.drawer_pin_high(state) else "low"
            if self._tells_end is not None:
                details["end of page"] = "told" if self._tells_end else "not told"
        maker = self._identity.get("maker", "")
        model = self._identity.get("model") or self._known.model
        name = self._known.name or " ".join(part for part in (maker, model) if part)
        return DeviceInfo(
            name or f"receipt printer at {self._line.name}",
            model=model,
            firmware=self._identity.get("firmware", ""),
            serial_number=self._identity.get("serial number") or self._known.serial_number,
            details=details | ({"maker": maker} if maker else {}),
        )

    def status(self) -> PrinterStatus:
        """Ask the printer; what it does not tell is None."""
        return self._status()

    def print_page(self, page: Page) -> None:
        """Print a page and cut it off; returns when it has been printed, where the printer tells that.

        Raises DeviceUnavailableError; `started` is False only while nothing has been sent.
        """
        self._check()
        if self._tells_end is None and answers.PRINTER in self._heard:
            self._learn()
        try:
            for chunk in _chunks(render(page, self._paper)):
                self._line.write(chunk)
                self._check()
            if self._tells_end and not self._wait_for_end(END_S):
                raise DeviceUnavailableError(
                    self._address, Reason.STUCK, "look at the printer, then switch it off and on again"
                )
        except DeviceUnavailableError as error:
            raise DeviceUnavailableError(error.address, error.reason, error.hint, started=True) from error

    def open_drawer(self) -> None:
        """Open the cash drawer. A drawer that is missing goes unnoticed.

        Raises DeviceUnavailableError where the printer is offline, as it would open it much later.
        """
        self._check()
        self._line.write(drawer_pulse())

    def close(self) -> None:
        """Give the line back."""
        self._line.close()

    def _learn(self) -> None:
        """Find out what an online printer answers to that is not asked in real time."""
        self._line.write(answers.NOTHING_UNASKED)
        self._tells_end = self._wait_for_end(ANSWER_S)
        if self._tells_end and not self._identity:
            for name, number in _IDENTITY.items():
                self._identity[name] = self._identify(number)

    def _status(self) -> PrinterStatus:
        printer = self._ask(answers.PRINTER)
        cause = self._ask(answers.OFFLINE_CAUSE)
        paper = self._ask(answers.PAPER)
        return answers.status(printer, cause, paper, self._drawer_open_is_high)

    def _check(self) -> None:
        status = self._status()
        # An open cover hides the paper from its sensor, so it comes first.
        if status.cover_open:
            raise DeviceUnavailableError(self._address, Reason.COVER_OPEN, "close the printer's cover")
        if status.paper_out:
            raise DeviceUnavailableError(
                self._address,
                Reason.OUT_OF_PAPER,
                "put in a new roll, then close the cover",
            )
        if not status.online:
            raise DeviceUnavailableError(
                self._address,
                Reason.STUCK,
                "look for a red light on the printer, switch it off and on",
            )

    def _ask(self, number: int) -> int | None:
        """Return the answer to `DLE EOT`; None from a printer that never gave one.

        Raises DeviceUnavailableError for a printer that gave one before.
        """
        if number in self._silent:
            return None
        self._receive(0.0)
        self._real_time.clear()
        self._line.write(answers.ask(number))
        deadline = time.monotonic() + ANSWER_S
        while (left_s := deadline - time.monotonic()) > 0:
            self._receive(left_s)
            if self._real_time:
                self._heard.add(number)
                return self._real_time[-1]
        if number in self._heard:
            raise DeviceUnavailableError(
                self._address, Reason.STUCK, "switch the printer off and on again, and look at its cable"
            )
        self._silent.add(number)
        if number == answers.PRINTER:
            self._silent |= {answers.OFFLINE_CAUSE, answers.PAPER}
        return None

    def _receive(self, timeout_s: float) -> None:
        """Take what has come, each byte to where it belongs."""
        for byte in self._line.read(timeout_s):
            if answers.is_real_time(byte):
                self._real_time.append(byte)
            elif answers.is_end_of_page(byte):
                self._ends += 1

    def _wait_for_end(self, timeout_s: float) -> bool:
        """Wait until everything sent has been printed; False if the printer does not say so in time."""
        self._receive(0.0)
        self._ends = 0
        self._line.write(answers.END_OF_PAGE)
        deadline = time.monotonic() + timeout_s
        while (left_s := deadline - time.monotonic()) > 0:
            self._receive(min(MAX_WAIT_S, left_s))
            if self._ends:
                return True
            self._check()
        return False

    def _identify(self, number: int) -> str:
        """Return one of the printer's names; empty if it does not tell. They come as `_NAME NUL`."""
        self._line.write(answers.identify(number))
        answer = b""
        deadline = time.monotonic() + ANSWER_S
        while b"\0" not in answer and (left_s := deadline - time.monotonic()) > 0:
            answer += self._line.read(left_s)
        name = answer.partition(b"_")[2].partition(b"\0")[0].decode("ascii", "replace")
        return "".join(char for char in name if char.isprintable()).strip()


def _chunks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Join lines up to `_CHUNK_BYTES`. None is cut: a question in the middle of a picture would be drawn."""
    chunk = b""
    for line in lines:
        if chunk and len(chunk) + len(line) > _CHUNK_BYTES:
            yield chunk
            chunk = b""
        chunk += line
    yield chunk


def options(address: DeviceAddress) -> Options:
    """Return the options of an address. Raises DeviceUnavailableError for one that is not known."""
    return Options(address, _OPTIONS)


def paper(options: Options) -> Paper:
    """Return how a printer is set up, from the options of its address."""
    pages = ("", *(name.lower() for name in code_pages()))
    script = Script(
        code_page=options.choice("codepage", pages, "").upper(),
        chinese=options.choice("chinese", ("yes", "no"), "yes") == "yes",
    )
    return Paper(
        columns=options.number("columns", 42, lowest=16, highest=80),
        script=script,
        cuts=options.choice("cut", ("yes", "no"), "yes") == "yes",
        qr_as_picture=options.choice("qr", ("printer", "picture"), "printer") == "picture",
    )


def host_and_port(address: DeviceAddress, target: str) -> tuple[str, int]:
    """Return where a printer on the network is. Raises DeviceUnavailableError for what is no place."""
    written = _PLACE.fullmatch(target)
    port = int(written["port"] or DEFAULT_PORT) if written else 0
    if written is None or not 0 < port <= 65535:
        raise DeviceUnavailableError(address, Reason.WRONG_ADDRESS, _SYNTAX)
    return written["number"] or written["name"], port


def _connect(address: DeviceAddress, options: Options) -> tuple[Wire, DeviceInfo]:
    target = options.target
    if target.startswith("/"):
        baud = options.number("baud", 9600, lowest=1200, highest=921600)
        return wire.path(address, target, baud), DeviceInfo("", details=baud_note(baud))
    if target == "usb" or target.startswith("usb:"):
        line, device = usb_wire.open_usb(address, target.lower())
        maker, product = device.text("manufacturer"), device.text("product")
        name = " ".join(part for part in (maker, product) if part)
        known = DeviceInfo(name, product, serial_number=device.text("serial_number"))
        return line, known
    host, port = host_and_port(address, target)
    return wire.network(address, host, port), DeviceInfo("")


def open(address: DeviceAddress) -> EscPosPrinter:
    """Open a printer and ask it what it can tell. Raises DeviceUnavailableError with reason and cure."""
    chosen = options(address)
    set_up = paper(chosen)
    drawer = chosen.choice("drawer", ("", "high", "low"), "")
    line, known = _connect(address, chosen)
    printer = EscPosPrinter(
        address, line, set_up, drawer_open_is_high=drawer == "high" if drawer else None, known=known
    )
    try:
        printer.greet()
    except DeviceUnavailableError as error:
        printer.close()
        if error.reason is Reason.NOT_FOUND:
            # It was there a moment ago: a printer that serves somebody else hangs up at once.
            raise DeviceUnavailableError(
                address, Reason.BUSY, "another program is connected to the printer: close it there"
            ) from error
        raise
    return printer


def discover() -> Sequence[DeviceAddress]:
    """Return the printers on USB. Networks are not searched, and a serial port does not say what it has."""
    return tuple(dict.fromkeys(DeviceAddress("escpos", one.target) for one in usb_wire.attached()))
