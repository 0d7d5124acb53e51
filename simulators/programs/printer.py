"""``tillside sim printer``: a receipt printer that draws what it prints."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import mkdtemp
from threading import Event, Thread

from simulators import printer_paper
from simulators.printer import NetworkPrinter, SerialPrinter
from simulators.printer_engine import PrinterEngine
from simulators.printer_page import PrintedPage
from simulators.programs.program import Command, Program, Tell, folder

_LOOK_S = 0.1


class PrinterProgram(Program):
    """Each receipt becomes a PNG."""

    words = "a receipt printer on the network or a serial line; each receipt becomes a picture"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--folder", metavar="DIR", help="where the pictures go (default: a new folder)")
        parser.add_argument("--columns", type=int, choices=(32, 42, 48), default=42, help="(default: 42)")
        parser.add_argument("--serial", action="store_true", help="on a serial line, not on the network")
        parser.add_argument("--port", type=int, default=0, help="TCP port on loopback (default: a free one)")

    def start(self, options: Namespace, tell: Tell) -> Sequence[str]:
        self._folder = folder(options.folder or mkdtemp(prefix="tillside-receipts-"))
        self._tell = tell
        self._enough = Event()
        self._engine = PrinterEngine(columns=options.columns)
        wire: SerialPrinter | NetworkPrinter = (
            SerialPrinter(self._engine) if options.serial else NetworkPrinter(self._engine, port=options.port)
        )
        try:
            self.ends.enter_context(wire)
        except (OSError, OverflowError) as error:
            raise RuntimeError(f"port {options.port}: {error}") from error
        saver = Thread(target=self._save_all, name="receipts")
        saver.start()
        self.ends.callback(saver.join)
        self.ends.callback(self._enough.set)
        return [wire.address if options.columns == 42 else f"{wire.address}#columns={options.columns}"]

    @property
    def commands(self) -> Mapping[str, Command]:
        return {
            "paper out": Command("paper out", "take the paper out", lambda _: self._engine.remove_paper()),
            "paper low": Command("paper low", "let it run low", lambda _: self._engine.set_paper_low()),
            "paper in": Command("paper in", "put a new roll in", lambda _: self._engine.load_paper()),
            "cover open": Command("cover open", "open the cover", lambda _: self._engine.open_cover()),
            "cover close": Command("cover close", "close it", lambda _: self._engine.close_cover()),
            "offline": Command("offline", "switch it offline", lambda _: self._engine.set_offline()),
            "online": Command("online", "switch it online", lambda _: self._engine.set_offline(False)),
            "drawer close": Command(
                "drawer close", "push the drawer in", lambda _: self._engine.close_drawer()
            ),
        }

    def _save_all(self) -> None:
        """Draw what is printed, and look once more at the end."""
        saved, drawer = 0, False
        last: PrintedPage | None = None
        while True:
            enough = self._enough.wait(_LOOK_S)
            pages = self._engine.finished_pages
            known = next((at for at, page in enumerate(pages) if page is last), -1)
            for page in pages[known + 1 :]:
                saved, last = saved + 1, page
                self._tell("receipt", str(self._save(page, saved)))
            if self._engine.drawer_open != drawer:
                drawer = not drawer
                self._tell("drawer", "open" if drawer else "closed")
            if enough:
                return

    def _save(self, page: PrintedPage, number: int) -> Path:
        path = self._folder / f"receipt-{number:04d}.png"
        path.write_bytes(printer_paper.png(page))
        return path
