"""``tillside sim camera``: a counter camera as MJPEG over HTTP."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import replace

from simulators.camera import SimulatedCamera
from simulators.programs.program import Command, Program, Tell, number
from simulators.scene import Conditions, Symbology


class CameraProgram(Program):
    """A phone that shows codes is held before it."""

    words = "a camera over the counter, as MJPEG over HTTP"

    def __init__(self) -> None:
        super().__init__()
        self._conditions = Conditions()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=0, help="TCP port on loopback (default: a free one)")

    def start(self, options: Namespace, tell: Tell) -> Sequence[str]:
        try:
            self._camera = self.ends.enter_context(SimulatedCamera(port=options.port))
        except (OSError, OverflowError) as error:
            raise RuntimeError(f"port {options.port}: {error}") from error
        return [self._camera.address]

    @property
    def commands(self) -> Mapping[str, Command]:
        return {
            "show": Command(
                "show TEXT", "hold a phone with a QR code before it", lambda text: self._show(text)
            ),
            "barcode": Command(
                "barcode TEXT",
                "the same with a bar code (Code 128)",
                lambda text: self._show(text, Symbology.CODE_128),
            ),
            "picture": Command("picture FILE", "hold a picture before it", self._picture),
            "blur": self._condition("blur", "blur_px", "PIXELS", "hold it out of focus", 0.0, 50.0),
            "glare": self._condition("glare", "glare", "0-1", "let a lamp shine into it", 0.0, 1.0),
            "rotate": self._condition("rotate", "rotation_deg", "DEGREES", "turn the phone", -180.0, 180.0),
            "light": self._condition("light", "light", "0-1", "1 is day, 0 is night", 0.0, 1.0),
            "freeze": Command("freeze", "send no more pictures", lambda _: self._camera.freeze()),
            "thaw": Command("thaw", "send them again", lambda _: self._camera.thaw()),
            "clear": Command("clear", "take everything away", lambda _: self._camera.clear()),
        }

    def _condition(self, name: str, field: str, unit: str, words: str, low: float, high: float) -> Command:
        def change(text: str) -> None:
            value = number(text, low, high)
            self._conditions = replace(self._conditions, **{field: value})
            self._camera.look_under(self._conditions)

        return Command(f"{name} {unit}", words, change)

    def _show(self, text: str, symbology: Symbology = Symbology.QR) -> None:
        if not text:
            raise ValueError("write the code's text behind it")
        self._camera.show(text, symbology)

    def _picture(self, name: str) -> None:
        try:
            self._camera.show_picture(name)
        except OSError as error:
            raise ValueError(f"{name}: {error.strerror}") from error
