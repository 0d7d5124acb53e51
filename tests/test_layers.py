"""Reads every import and refuses one that the layer table does not allow."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {"terminal", "drivers", "emv", "offline_queue", "simulators"}

ALLOWED = {
    "emv": {"emv", "cryptography"},
    "offline_queue": {"offline_queue", "cryptography", "apsw", "cbor2"},
    "drivers": {
        *("drivers", "smartcard", "nfc", "usb1", "serial", "cv2", "numpy", "pyzbar", "zxingcpp"),
        *("escpos", "usb", "qrcode", "PIL", "evdev", "miniaudio"),
    },
    "simulators": {
        *("simulators", "drivers", "emv", "offline_queue"),
        *(
            "cryptography",
            "starlette",
            "uvicorn",
            "pyemv",
            "qrcode",
            "PIL",
            "cv2",
            "numpy",
            "cbor2",
            "serial",
            "evdev",
        ),
    },
    "terminal": {
        *("terminal", "drivers", "emv", "offline_queue"),
        *("textual", "rich", "httpx", "babel", "iso4217", "iso18245", "platformdirs", "qrcode"),
        *("cryptography", "cbor2", "pyudev"),
    },
}
# Within our own packages, what one may use of another.
PUBLIC = {
    ("terminal", "drivers"): {
        *("drivers.protocols", "drivers.registry", "drivers.errors", "drivers.address"),
        *("drivers.abilities", "drivers.page"),
    },
    ("simulators", "emv"): {"emv.tlv", "emv.apdu", "emv.tags", "emv.formats", "emv.errors"},
    ("simulators", "offline_queue"): {
        *("offline_queue.record", "offline_queue.signing", "offline_queue.sealing"),
        *("offline_queue.acknowledgement", "offline_queue.errors"),
    },
}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("package", sorted(OURS))
def test_imports_follow_the_layer_table(package: str) -> None:
    wrong = []
    for path in sorted((ROOT / package).rglob("*.py")):
        for name in imports(path):
            root = name.partition(".")[0]
            public = PUBLIC.get((package, root))
            if root not in ALLOWED[package] and root not in sys.stdlib_module_names:
                wrong.append(f"{path.relative_to(ROOT)}: {name}")
            elif public and not any(f"{name}.".startswith(f"{module}.") for module in public):
                wrong.append(f"{path.relative_to(ROOT)}: {name} is not for {package}")
    assert not wrong
