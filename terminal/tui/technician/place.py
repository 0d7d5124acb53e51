"""Where in the configuration a device stands, for whoever has to edit it."""

from __future__ import annotations

from emv.toml_lines import line_of
from terminal.devices.inventory import addresses
from terminal.diagnostics.workshop import Workshop
from terminal.home import CONFIG_FILE
from terminal.tui.technician.plain_words import START_AGAIN

_EXAMPLES = {
    "reader": "pcsc:ACS ACR122U",
    "scanner": "camera:0",
    "printer": "escpos:192.0.2.7:9100",
    "display": "serial-display:/dev/ttyUSB1",
    "sounder": "sound-card:",
}


def place_of(workshop: Workshop, kind: str, name: str) -> str:
    """Return ``tillside.toml line 12, [devices] readers``; empty for a device that is not configured."""
    configured = addresses(workshop.config.devices if workshop.config is not None else None, kind)
    found = [number for number, address in enumerate(configured) if str(address) == name]
    try:
        text = (workshop.home / CONFIG_FILE).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    if not found:
        return ""
    address = configured[found[0]]
    line = line_of(text, ("devices", f"{kind}s", found[0]))
    # A list may go over many lines, and is one statement.
    rest = text.split("\n")[line - 1 :]
    line += next((at for at, each in enumerate(rest) if f"{address.scheme}:{address.target}" in each), 0)
    return f"{CONFIG_FILE} line {line}, [devices] {kind}s"


def example(workshop: Workshop, kind: str) -> str:
    """Return what to do where no device of a kind is configured."""
    return (
        f"Write one into {workshop.home / CONFIG_FILE} under [devices], such as\n"
        f'{kind}s = ["{_EXAMPLES[kind]}"]\n'
        f"then {START_AGAIN}."
    )
