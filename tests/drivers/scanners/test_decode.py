"""The decoding ladder, on drawn pictures and on photographs of real codes."""

import json
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp
from numpy.typing import NDArray

from drivers.scanners import decode
from drivers.scanners.decode import Decoder
from simulators import scene
from simulators.scene import Symbology

VECTORS = Path(os.environ.get("TILLSIDE_VECTORS", Path(__file__).parents[4] / "shared" / "vectors")) / "qr"
PAY_CODE = "281234567890123456"
# The ladder reads 119 of the 120 photographs; another release of a decoder may lose one more.
READ_FLOOR = 0.98


def blank() -> NDArray[np.uint8]:
    return scene.empty_counter(640, 360)


@pytest.mark.parametrize(
    ("shown", "symbology"),
    [(Symbology.QR, "QR Code"), (Symbology.CODE_128, "Code 128"), (Symbology.BOTH, "QR Code")],
)
def test_reads_a_phone_on_the_counter(shown: Symbology, symbology: str) -> None:
    code = Decoder().decode(scene.phone(PAY_CODE, shown, 1280, 720))
    assert code is not None
    assert (code.text, code.symbology) == (PAY_CODE, symbology)
    assert code.decode_ms > 0


@pytest.mark.parametrize(
    "text",
    ["https://qr.alipay.com/bavh4wjlxf12tper3a", "weixin://wxpay/bizpayurl?pr=abc", "付款码", "A" * 165],
)
def test_reads_other_texts_too(text: str) -> None:
    code = Decoder().decode(scene.phone(text, Symbology.QR, 1280, 720))
    assert code is not None
    assert code.text == text


def test_sees_nothing_on_an_empty_counter() -> None:
    assert Decoder(budget_s=float("inf")).decode(scene.empty_counter(1280, 720)) is None


def test_takes_grey_pictures() -> None:
    grey = cv2.cvtColor(scene.phone(PAY_CODE, Symbology.QR, 1280, 720), cv2.COLOR_BGR2GRAY)
    code = Decoder().decode(np.asarray(grey, dtype=np.uint8))
    assert code is not None
    assert code.text == PAY_CODE


def test_of_two_codes_the_larger_is_meant() -> None:
    front = scene.phone("in front", Symbology.QR, 1280, 720)
    behind = scene.phone("behind", Symbology.QR, 640, 360)
    both = np.full((720, 1920, 3), 90, dtype=np.uint8)
    both[:360, :640] = behind
    both[:, 640:] = front
    code = Decoder().decode(both)
    assert code is not None
    assert code.text == "in front"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("EAN13", "4006381333931"),
        ("Code39", "HELLO"),
        ("ITF", "123456"),
        ("DataMatrix", "hello"),
        ("Aztec", "hello"),
        ("MicroQRCode", "12345"),
    ],
)
def test_other_symbologies_are_not_looked_for(name: str, text: str) -> None:
    kind = zxingcpp.BarcodeFormat.__members__[name]
    picture = np.array(zxingcpp.write_barcode_to_image(zxingcpp.create_barcode(text, kind), scale=4))
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [text]
    assert Decoder(budget_s=float("inf")).decode(picture) is None


class Rungs:
    """Stands in for the slow rungs, to see which are tried."""

    def __init__(self, number: int, hit: int | None = None) -> None:
        self.tried: list[int] = []
        self.rungs = tuple((self._prepare(at), self._engine(at == hit)) for at in range(number))

    def _prepare(self, at: int) -> decode.Prepare:
        def prepare(grey: decode.Grey) -> decode.Grey:
            self.tried.append(at)
            return grey

        return prepare

    def _engine(self, hit: bool) -> decode.Engine:
        def engine(grey: decode.Grey) -> Iterator[decode.Seen]:
            if hit:
                yield decode.Seen("found", decode.QR, 1.0)

        return engine


def test_the_budget_ends_the_climb_and_the_next_picture_goes_on_from_there() -> None:
    rungs = Rungs(5)
    ticks = count()
    decoder = Decoder(budget_s=2.5, clock=lambda: float(next(ticks)), rungs=rungs.rungs)
    decoder.decode(blank())
    assert rungs.tried == [0, 1]
    decoder.decode(blank())
    assert rungs.tried == [0, 1, 2, 3]
    decoder.decode(blank())
    assert rungs.tried == [0, 1, 2, 3, 4, 0]


def test_without_time_only_the_first_decoder_looks() -> None:
    rungs = Rungs(5)
    Decoder(budget_s=0.0, rungs=rungs.rungs).decode(blank())
    assert rungs.tried == []


def test_the_rung_that_helped_is_tried_first_with_the_next_picture() -> None:
    rungs = Rungs(4, hit=2)
    decoder = Decoder(budget_s=float("inf"), rungs=rungs.rungs)
    for _ in range(2):
        code = decoder.decode(blank())
        assert code is not None
        assert code.text == "found"
    assert rungs.tried == [0, 1, 2, 2]


def test_text_that_zbar_garbles_is_dropped() -> None:
    picture = scene.phone("付款码", Symbology.QR, 1280, 720)
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    assert list(decode.zbar(grey)) == []
    assert [seen.text for seen in decode.zxing(grey)] == ["付款码"]


@pytest.mark.skipif(not VECTORS.is_dir(), reason=f"no photographs in {VECTORS}: set TILLSIDE_VECTORS")
def test_reads_photographs_of_real_codes() -> None:
    photographs = json.loads((VECTORS / "manifest.json").read_text("utf-8"))
    unread, wrong = [], []
    for photograph in photographs:
        picture = cv2.imread(str(VECTORS / photograph["file"]))
        assert picture is not None, photograph["file"]
        code = Decoder(budget_s=float("inf")).decode(np.asarray(picture, dtype=np.uint8))
        if code is None:
            unread.append(photograph["id"])
        elif code.text not in photograph["expected"]:
            wrong.append(photograph["id"])
    print(f"read {len(photographs) - len(unread)} of {len(photographs)} photographs")  # noqa: T201
    assert not wrong
    assert 1 - len(unread) / len(photographs) >= READ_FLOOR, unread
