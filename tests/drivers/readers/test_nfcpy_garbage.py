"""Whatever a chip answers, a reader on nfcpy raises a device error or nothing, and ends its waits."""

import contextlib
import errno
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import nfc.clf.transport  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.address import parse
from drivers.errors import DeviceError
from drivers.readers import nfcpy_frontend
from simulators.cards import profile
from simulators.readers.field import Field
from simulators.readers.pn53x_chip import PN533_FIRMWARE, Pn53xChip
from simulators.readers.pn532_frames import answer
from simulators.readers.pn533_usb import PN533_IDS, HearsFrames, UsbWire, attached
from simulators.readers.radio import TypeBCard
from simulators.readers.rcs380 import USB_IDS, Rcs380Chip, frame

SELECT_PPSE = bytes.fromhex("00A404000E325041592E5359532E444446303100")
ACK = bytes.fromhex("0000FF00FF00")

Spoil = Callable[[bytes], bytes]


def same(data: bytes) -> bytes:
    return data


def raw(data: bytes) -> Spoil:
    return lambda old: data


def cut(size: int) -> Spoil:
    return lambda old: old[:size]


def flip(place: int) -> Spoil:
    return lambda old: bytes(byte ^ (i == place % len(old)) for i, byte in enumerate(old))


def other_data(data: bytes) -> Spoil:
    """A whole frame, with other data in it."""

    def spoil(old: bytes) -> bytes:
        if old == ACK:
            return old
        if old[3:5] == b"\xff\xff":
            return frame(old[8:10] + data)
        return answer(old[6] - 1 & 0xFF, data)

    return spoil


SPOILS = st.lists(
    st.one_of(
        st.just(same),
        st.builds(raw, st.binary(max_size=24)),
        st.builds(cut, st.integers(0, 20)),
        st.builds(flip, st.integers(0, 40)),
        st.builds(other_data, st.binary(max_size=20)),
        st.builds(other_data, st.builds(lambda data: b"\x01\x01" + data, st.binary(max_size=16))),
    ),
    max_size=24,
)


class Spoiling:
    """A chip whose answers are spoiled one after the other, once that is begun."""

    def __init__(self, chip: HearsFrames) -> None:
        self._chip = chip
        self.spoils: list[Spoil] = []

    def hear(self, data: bytes) -> Iterator[bytes]:
        for old in self._chip.hear(data):
            yield self.spoils.pop(0)(old) if self.spoils else old


def pn533(field: Field) -> tuple[tuple[int, int], HearsFrames]:
    return PN533_IDS, Pn53xChip(field, firmware=PN533_FIRMWARE, status_first=True)


def rcs380(field: Field) -> tuple[tuple[int, int], HearsFrames]:
    return USB_IDS, Rcs380Chip(field)


def use(reader: Any) -> None:
    card = None
    with contextlib.suppress(DeviceError):
        card = reader.wait_for_card(Event(), timeout_s=0.0)
    if card is not None:
        card.describe()
        with contextlib.suppress(DeviceError):
            card.transceive(SELECT_PPSE, timeout_s=0.2)
        card.release()
    for other in (reader.info, reader.cards_in_field, lambda: reader.set_field(True)):
        with contextlib.suppress(DeviceError):
            other()
    if hasattr(reader, "self_test"):
        reader.self_test()
    with contextlib.suppress(DeviceError):
        reader.wait_for_removal(Event(), timeout_s=0.0)


@pytest.mark.parametrize("kind", [pn533, rcs380])
@pytest.mark.parametrize("type_b", [False, True])
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(spoils=SPOILS)
def test_nothing_but_device_errors_comes_out(
    kind: Callable[[Field], tuple[tuple[int, int], HearsFrames]], type_b: bool, spoils: list[Spoil]
) -> None:
    field = Field()
    plain = profile.load("visa-approve")
    field.place(TypeBCard(plain) if type_b else plain)
    ids, real = kind(field)
    chip = Spoiling(real)
    with attached(nfc.clf.transport, ids, lambda: UsbWire(chip, "Made-up", "Reader")):
        reader = nfcpy_frontend.open(parse("nfcpy:usb"))
        chip.spoils = list(spoils)
        use(reader)
        chip.spoils = list(spoils)
        reader.close()


@pytest.mark.parametrize("kind", [pn533, rcs380])
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(spoils=SPOILS)
def test_an_opening_succeeds_or_is_a_device_error(
    kind: Callable[[Field], tuple[tuple[int, int], HearsFrames]], spoils: list[Spoil]
) -> None:
    ids, real = kind(Field())
    chip = Spoiling(real)
    chip.spoils = list(spoils)
    with (
        attached(nfc.clf.transport, ids, lambda: UsbWire(chip, "Made-up", "Reader")),
        contextlib.suppress(DeviceError),
    ):
        nfcpy_frontend.open(parse("nfcpy:usb")).close()


class Failing:
    """A chip whose wire fails at one of the transfers."""

    def __init__(self, chip: HearsFrames, after: int, number: int) -> None:
        self._chip = chip
        self.left = after
        self._number = number

    def hear(self, data: bytes) -> Iterator[bytes]:
        for old in self._chip.hear(data):
            self.left -= 1
            if self.left == 0:
                raise OSError(self._number, "the wire")
            yield old


@pytest.mark.parametrize("kind", [pn533, rcs380])
@pytest.mark.parametrize("number", [errno.ENODEV, errno.ETIMEDOUT, errno.EIO])
@pytest.mark.parametrize("after", range(1, 60, 7))
def test_a_wire_that_fails_anywhere_is_a_device_error(
    field: Field, kind: Callable[[Field], tuple[tuple[int, int], HearsFrames]], number: int, after: int
) -> None:
    field.place(profile.load("visa-approve"))
    ids, real = kind(field)
    chip = Failing(real, 0, number)
    with attached(nfc.clf.transport, ids, lambda: UsbWire(chip, "Made-up", "Reader")):
        reader = nfcpy_frontend.open(parse("nfcpy:usb"))
        chip.left = after
        use(reader)
        reader.close()
