"""Make the pictures of the screens: ``python -m tests.pictures.make [NAME...]``.

Without a name it makes those that the README shows; a name is the beginning of a picture's name.

Textual draws each screen as SVG; Chromium, with local fonts only, makes it a PNG.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from textual.app import App

from terminal.tui.cashier.app import CashierApp
from terminal.tui.cashier.demo_key import DemoKey
from terminal.view import CounterView, Phase
from tests.pictures import technician
from tests.terminal.tui import samples
from tests.terminal.tui.fake_counter import FakeCounter

HERE = Path(__file__).parent
FONTS = "'Fira Code', 'DejaVu Sans Mono', 'Noto Sans Mono CJK SC', monospace"
Image = NDArray[np.uint8]
SMALL, LARGE = (80, 24), (120, 40)
LONGEST_SIDE_PX = 1000
SHOWN = (
    "typing-120x40",
    "armed-80x24",
    "card-read-80x24",
    "approved-120x40",
    "approved-offline-80x24",
    "deferred-80x24",
    "declined-80x24",
    "unknown-80x24",
    "qr-80x24",
    "trouble-120x40",
    "technician-fault-120x40",
    "technician-reader-120x40",
    "technician-camera-120x40",
    "technician-network-80x24",
)
"""The pictures that are kept beside this file."""


async def _nothing() -> None:
    pass


def demo_keys(run: Callable[[], Awaitable[None]] = _nothing) -> tuple[DemoKey, ...]:
    """Return keys as the demo has them."""
    return (
        DemoKey("t", "tap", "tap card", "The customer taps a card", run),
        DemoKey("d", "tap_declined", "bad card", "The customer taps a card that is declined", run),
        DemoKey("p", "tap_torn", "pull card", "The customer pulls the card away too early", run),
        DemoKey("c", "code", "show code", "The customer shows an Alipay code", run),
        DemoKey("w", "code_waits", "slow code", "The same, and must confirm with y", run),
        DemoKey("y", "phone", "use phone", "The customer confirms, or scans the code", run),
        DemoKey("l", "late", "pay late", "The customer pays for the expired code", run),
        DemoKey("n", "network", "network", "Cut the network, or bring it back", run),
    )


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: a view at a size, with keys pressed."""

    name: str
    view: CounterView
    size: tuple[int, int]
    keys: tuple[str, ...] = ()


def pictures() -> list[Picture]:
    """Return every picture, by name."""
    scenes: list[tuple[str, CounterView, tuple[str, ...]]] = [
        ("idle", samples.IDLE, ()),
        ("typing", samples.IDLE, tuple("1250")),
        ("armed", samples.in_phase(Phase.ARMED), ()),
        ("reading", samples.in_phase(Phase.READING), ()),
        ("card-read", samples.in_phase(Phase.CARD_READ), ()),
        ("asking", samples.in_phase(Phase.ASKING), ()),
        ("confirms", samples.in_phase(Phase.CUSTOMER_CONFIRMS), ()),
        ("reversing", samples.in_phase(Phase.REVERSING), ()),
        ("starting", samples.in_phase(Phase.STARTING), ()),
        ("offline", samples.offline(samples.in_phase(Phase.ARMED)), ()),
        (
            "trouble",
            replace(
                samples.offline(samples.IDLE),
                devices=samples.FAILED_DEVICES,
                queue=samples.FULL_QUEUE,
                offline_mode="force offline",
                notices=(
                    "Order 1037 was paid late and accepted",
                    "Order 1033, open at the last stop: declined",
                ),
            ),
            ("enter",),
        ),
        ("qr", samples.showing_qr(samples.ALIPAY_TEXT), ()),
        ("qr-long", samples.showing_qr(samples.MPM_TEXT, 12), ()),
        ("keys", samples.IDLE, ("f1",)),
        *((name, samples.with_result(name), ()) for name in samples.RESULT_NAMES if name != "deferred"),
        ("deferred", samples.offline(samples.with_result("deferred")), ()),
        ("unknown-offline", samples.offline(samples.with_result("unknown")), ()),
        ("qr-offline", samples.offline(samples.showing_qr(samples.MPM_TEXT, 12)), tuple("5")),
        ("receipt", samples.with_result("approved"), ("r",)),
    ]
    return [
        Picture(f"{name}-{size[0]}x{size[1]}", view, size, keys)
        for name, view, keys in scenes
        for size in (SMALL, LARGE)
    ]


async def svg_of(picture: Picture) -> str:
    """Run the app on a fake counter and return its screen as SVG that needs no network."""
    app = CashierApp(FakeCounter(picture.view), demo_keys=demo_keys())
    async with app.run_test(size=picture.size) as pilot:
        await pilot.press(*picture.keys)
        await pilot.pause()
        return exported(app)


def exported(app: App[None]) -> str:
    """Return what an app shows as SVG that needs no network."""
    svg = app.export_screenshot(title="Tillside", simplify=True)
    svg = re.sub(r"@font-face\s*\{.*?\}", "", svg, flags=re.DOTALL)
    return re.sub(r"font-family:\s*Fira Code[^;]*;", f"font-family: {FONTS};", svg)


def write_png(svg: str, target: Path, chromium: str) -> None:
    """Let Chromium draw the SVG, then shrink it."""
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    if box is None:
        raise ValueError("the SVG has no size")
    width, height = (round(float(box[index])) for index in (1, 2))
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "screen.html"
        page.write_text(
            f"<!doctype html><style>body{{margin:0}}svg{{width:{width}px;display:block}}</style>{svg}",
            "utf-8",
        )
        shot = Path(folder) / "shot.png"
        command = [
            *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *("--hide-scrollbars", f"--user-data-dir={folder}/profile", f"--screenshot={shot}"),
            *(f"--window-size={width},{height}", page.as_uri()),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        image = cv2.imread(str(shot))
    if image is None:
        raise ValueError("Chromium made no picture")
    scale = LONGEST_SIDE_PX / max(image.shape[:2])
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    target.write_bytes(palette_png(np.asarray(image, np.uint8)))


def palette_png(image: Image, colours: int = 256) -> bytes:
    """Return a PNG with the most frequent colours only: half the size of one with all, and looks the same."""
    packed = image.astype(np.uint32) @ np.array([1, 1 << 8, 1 << 16], np.uint32)
    values, places, counts = np.unique(packed, return_inverse=True, return_counts=True)
    kept = values[np.argsort(-counts.astype(np.int64))[:colours]]
    channels = [(each[:, None] >> np.array([16, 8, 0], np.uint32)) & 255 for each in (values, kept)]
    distances = np.abs(channels[0][:, None].astype(np.int16) - channels[1][None].astype(np.int16)).sum(axis=2)
    rows = distances.argmin(axis=1)[places].reshape(packed.shape).astype(np.uint8)
    # Each row begins with its filter: none.
    lines = np.pad(rows, ((0, 0), (1, 0))).tobytes()
    header = struct.pack(">IIBBBBB", packed.shape[1], packed.shape[0], 8, 3, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"PLTE", channels[1].astype(np.uint8).tobytes()),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


async def make(names: Sequence[str], folder: Path) -> None:
    """Make the pictures whose names begin with one of *names*."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("Chromium is needed: apt-get install chromium")
    for picture in pictures():
        if picture.name.startswith(tuple(names)):
            write_png(await svg_of(picture), folder / f"{picture.name}.png", chromium)
    for scene in technician.SCENES:
        for size in (SMALL, LARGE):
            name = f"{scene}-{size[0]}x{size[1]}"
            if name.startswith(tuple(names)):
                svg = await technician.svg_of(scene, size, exported)
                write_png(svg, folder / f"{name}.png", chromium)


if __name__ == "__main__":
    asyncio.run(make(sys.argv[1:] or SHOWN, HERE))
