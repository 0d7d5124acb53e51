"""What readers with a PN531, PN532, PN533 or RC-S956 share, on whatever wire nfcpy reaches them.

Looking: the chip does all of ISO/IEC 14443-3 by itself in InListPassiveTarget. Of several cards of type A it
selects one. Looked for again at once, that one is silent for a request and falls back, and another
one answers; alone, it is found again by the chip's next try. So two looks that find two numbers are
two cards. The command's own way, up to two targets at once, is not taken: it spends all its tries on a
second card that is not there, and in which state it leaves the only one is not documented.

A card of type B is attached by the chip, with short frames and a card identifier. As nfcpy does, it is
deselected and woken up again, so that `iso_dep` attaches it with long frames; meanwhile a second one
would be found.

Self-test: Diagnose, communication line, ROM and RAM; by a PN532 also its antenna test, as raw bits: it needs
a supply of 5 V, and at 3.3 V it has been seen to miss an antenna that is there. The test by polling
needs a FeliCa card, and the echo test does not end: both are left out.

Spec: NXP UM0701-02 (PN532 user manual), 7.2.1, 7.3.1 and 7.3.5; ISO/IEC 14443-3, 6.3.
Sources: nfcpy's `pn53x` driver (type B); community.nxp.com, "PN532 Antenna Test" (3.3 V).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import nfc.clf  # type: ignore[import-untyped]
import nfc.clf.pn532  # type: ignore[import-untyped]

from drivers.abilities import CardInField, TestResult
from drivers.errors import DeviceError, TransmissionError
from drivers.readers.card_parameters import describe_b, parse_atqb
from drivers.readers.nfcpy_reader import BROKEN, CHIP, NfcpyReader

_LOOKS = 3
"""How often the chip looks again for a card of one type before it says that there is none: the two types
take turns quickly, and a card that fell back after the first look is still found."""

_TYPE_A_106, _TYPE_B_106 = 0, 3
_ALL_FAMILIES = b"\x00"
_WUPB = bytes.fromhex("050008")
_DESELECT, _DESELECT_FIRST = b"\xc2", b"\xca\x01"
_EXCHANGE_S = 0.1
_OUR_FRAME_SIZE = 256
_FIELD, _TIMINGS, _RETRIES = 0x01, 0x02, 0x05
_DEFAULT_TIMINGS = bytes.fromhex("000B0A")
_ON, _OFF = b"\x01", b"\x02"

_ANTENNA_TEST, _ANTENNA_REGISTER = 0x07, 0x610C
# Current too low below 5 mA, too high above the highest limit; bit 0 starts it.
_ANTENNA_LIMITS = b"\x0f"
_TOO_LOW, _TOO_HIGH = 0x80, 0x40


class Pn53xReader(NfcpyReader):
    """A reader with such a chip."""

    def set_field(self, on: bool) -> None:
        """Switch the antenna's field; a card that was activated is lost when it goes off."""
        with self.using() as device:
            device.chipset.rf_configuration(_FIELD, _ON if on else _OFF)

    def cards_in_field(self) -> Sequence[CardInField]:
        """List every card; one that was activated is lost by it."""
        return self._listed()

    def self_test(self) -> Sequence[TestResult]:
        """Have the chip test its wire, its memories and its antenna."""
        results = [
            self._test("Communication", lambda chip: chip.diagnose("line")),
            self._test("ROM", lambda chip: chip.diagnose("rom")),
            self._test("RAM", lambda chip: chip.diagnose("ram")),
        ]
        with self.using() as device:
            has_antenna_test = isinstance(device, nfc.clf.pn532.Device)
        if has_antenna_test:
            results.append(self._antenna())
        with contextlib.suppress(DeviceError), self.using() as device:
            # What a test of the memory may have left.
            device.chipset.set_parameters(0)
            self._prepare(device)
            device.mute()
        return results

    def _test(self, name: str, test: Callable[[Any], Any]) -> TestResult:
        try:
            with self.using() as device:
                passed = bool(test(device.chipset))
        except DeviceError as error:
            return TestResult(name, False, str(error))
        return TestResult(name, passed, "" if passed else "the chip says that it failed")

    def _antenna(self) -> TestResult:
        try:
            with self.using() as device:
                status = device.chipset.diagnose(_ANTENNA_TEST, _ANTENNA_LIMITS)[0]
                bits = device.chipset.read_register(_ANTENNA_REGISTER)
        except DeviceError as error:
            return TestResult("Antenna", None, str(error))
        told = [
            text
            for bit, text in ((_TOO_LOW, "current too low"), (_TOO_HIGH, "current too high"))
            if bits & bit
        ]
        judged = ", ".join(told) or "current within the limits"
        text = f"status {status:02X}, register {bits:08b}: {judged}; not reliable on a 3.3 V supply"
        return TestResult("Antenna", None, text)

    def _prepare(self, device: Any) -> None:
        """Set how often the chip looks."""
        _set_retries(device, _LOOKS)

    def _targets(self, device: Any, technology: str) -> list[Any]:
        if technology == "A":
            return self._targets_a(device)
        first = self._attached_b(device)
        if first is None:
            return []
        with _one_try(device):
            second = self._attached_b(device)
        if second is not None:
            return [first, second]
        woken = self._woken_b(device)
        return [] if woken is None else [woken]

    def _targets_a(self, device: Any) -> list[Any]:
        first = self._sense(device, "A")
        again = self._sense(device, "A") if first is not None else None
        if again is None:
            return []
        return [again] if again.sdd_res == first.sdd_res else [first, again]

    def _sense(self, device: Any, technology: str) -> Any:
        if technology == "B":
            if self._attached_b(device) is None:
                return None
            return self._woken_b(device)
        with contextlib.suppress(*CHIP):
            told = device.chipset.in_list_passive_target(1, _TYPE_A_106, b"")
            if told is not None:
                sens_res, sel_res, sdd_res = told[1::-1], told[2:3], told[4 : 4 + told[3]]
                if len(sdd_res) < 4:
                    raise TransmissionError(f"{self._address}: the chip sent a broken frame")
                return nfc.clf.RemoteTarget("106A", sens_res=sens_res, sel_res=sel_res, sdd_res=sdd_res)
        return None

    def _next_card(self, device: Any, technology: str) -> CardInField | None:
        if technology == "A":
            return super()._next_card(device, technology)
        # Not woken up again: that would wake up every card that was halted before.
        atqb = self._attached_b(device)
        return describe_b(atqb, parse_atqb(atqb).texts(_OUR_FRAME_SIZE)) if atqb else None

    def _attached_b(self, device: Any) -> bytes | None:
        """Find a card of type B and halt it; return its ATQB."""
        with contextlib.suppress(*CHIP):
            told = device.chipset.in_list_passive_target(1, _TYPE_B_106, _ALL_FAMILIES)
            if told is None or told[10] & 0x09 != 0x01:
                return None  # Nothing, or nothing that speaks ISO/IEC 14443-4.
            # An exchange may have left a time-out of seconds.
            device.chipset.rf_configuration(_TIMINGS, _DEFAULT_TIMINGS)
            numbered = isinstance(device, nfc.clf.pn532.Device)
            device.chipset.in_communicate_thru(_DESELECT_FIRST if numbered else _DESELECT, _EXCHANGE_S)
            return bytes(told[:12])
        return None

    def _woken_b(self, device: Any) -> Any:
        with contextlib.suppress(*CHIP):
            atqb = device.chipset.in_communicate_thru(_WUPB, _EXCHANGE_S)
            return nfc.clf.RemoteTarget("106B", sensb_res=atqb)
        return None


def _set_retries(device: Any, times: int) -> None:
    device.chipset.rf_configuration(_RETRIES, bytes([0x01, 0x00, times]))


@contextlib.contextmanager
def _one_try(device: Any) -> Iterator[None]:
    _set_retries(device, 0)
    try:
        yield
    finally:
        with contextlib.suppress(*CHIP, *BROKEN):
            _set_retries(device, _LOOKS)
