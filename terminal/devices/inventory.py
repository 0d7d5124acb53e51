"""What is attached and what drives it: every configured device opened once, and every one discovered."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from drivers.address import DeviceAddress
from drivers.errors import DeviceError, DeviceUnavailableError
from drivers.protocols import Category
from drivers.registry import drivers, open_reader, open_scanner
from terminal.config import Devices

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class InventoryLine:
    """One device: what drives it, and why it fails and what cures it."""

    address: str
    kind: str
    configured: bool
    driver: str
    works: bool
    text: str
    cure: str

    def fields(self) -> dict[str, Any]:
        """Return the line for a program."""
        return asdict(self)

    def text_line(self) -> str:
        """Return the line for a person."""
        mark = "ok  " if self.works else "FAIL"
        cure = f"\n       cure: {self.cure}" if self.cure else ""
        note = "" if self.configured else " (not configured)"
        where = f"{self.address}{note}"
        colon = "" if where.endswith(":") else ":"  # an address may end with one: "sim:"
        return f"{mark} {self.kind:8s} {where}{colon} {self.text}{cure}"


def inventory(configured: Devices | None) -> list[InventoryLine]:
    """Look at every device, configured or discovered. Devices are opened and closed again."""
    openers: dict[Category, tuple[str, Callable[[DeviceAddress], Any], tuple[DeviceAddress, ...]]] = {
        Category.CONTACTLESS_READER: ("reader", open_reader, configured.readers if configured else ()),
        Category.CODE_SCANNER: ("scanner", open_scanner, configured.scanners if configured else ()),
    }
    lines = []
    for category, (kind, opener, wanted) in openers.items():
        known = drivers(category)
        found = [address for scheme in known if scheme != "sim" for address in _discover(category, scheme)]
        for address in dict.fromkeys((*wanted, *found)):
            entry = known.get(address.scheme)
            driver = f"{address.scheme} ({entry.distribution})" if entry else "none"
            works, text, cure = _try(opener, address)
            lines.append(InventoryLine(str(address), kind, address in wanted, driver, works, text, cure))
    return lines


def _discover(category: Category, scheme: str) -> tuple[DeviceAddress, ...]:
    try:
        return tuple(drivers(category)[scheme].load(DeviceAddress(scheme, "")).discover())
    except DeviceError:
        return ()
    except Exception:
        logger.exception("driver %s failed to look for devices", scheme)
        return ()


def _try(opener: Callable[[DeviceAddress], Any], address: DeviceAddress) -> tuple[bool, str, str]:
    try:
        device = opener(address)
        try:
            info = device.info()
        finally:
            device.close()
    except DeviceUnavailableError as error:
        return False, error.reason.value, error.hint
    except DeviceError as error:
        return False, str(error), ""
    except Exception as error:  # a foreign driver may raise anything
        logger.exception("driver of %s failed", address)
        return False, f"driver error ({type(error).__name__})", "see the log"
    return True, " ".join(part for part in (info.name, info.firmware) if part), ""
