"""What a JCB card has beyond the classic flow: it chooses the verification itself and says so.

Terminal Interchange Profile (9F53) byte 1: bit 8, verification is required; bit 7, signature; bit 6, online
PIN; bit 5, on the holder's device. The choice is in the answer to GENERATE AC, signed with it: tag 9F50.

Assumed from public code of terminals; no card was there to compare. Spec: EMV Contactless Book C-5, 5.8.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulators.cards.emv_mode import EmvApplication, EmvPersonality
from simulators.cards.visa import Cvm

_PROFILE = "9F53"
_REQUIRED = 0x80
_CODES = {
    Cvm.SIGNATURE: (0x40, b"\x10"),
    Cvm.ONLINE_PIN: (0x20, b"\x20"),
    Cvm.DEVICE: (0x10, b"\x30"),
}
"""What the terminal must announce, and what the card says then."""
_NOBODY = b"\x00"


@dataclass(frozen=True, slots=True, kw_only=True)
class JcbPersonality(EmvPersonality):
    """What a profile says of a JCB card; `cvm` is in order of preference."""

    cvm: tuple[Cvm, ...] = (Cvm.ONLINE_PIN, Cvm.SIGNATURE)


class JcbApplication(EmvApplication):
    """One JCB application."""

    def __init__(self, personality: JcbPersonality) -> None:
        super().__init__(personality)
        self._methods = personality.cvm

    def _response(self, values: Mapping[str, bytes]) -> Mapping[str, bytes]:
        return {**super()._response(values), "9F50": self._choice(values.get(_PROFILE, bytes(3))[0])}

    def _choice(self, announced: int) -> bytes:
        if not announced & _REQUIRED and Cvm.DEVICE not in self._methods:
            return _NOBODY
        offered = (_CODES[method] for method in self._methods if method in _CODES)
        return next((code for bit, code in offered if announced & bit), _NOBODY)
