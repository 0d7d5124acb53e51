"""What an app prints when it crashes while a card number is in a local variable."""

import subprocess
import sys

import pytest

from terminal.tui.app import masked

PAN = "476173900101" + "0119"

SCRIPT = """
import sys
from {module} import {base} as Base

class Crashing(Base):
    def on_mount(self) -> None:
        pan = "476173900101" + "0119"
        track = bytes.fromhex(pan + "d25120")
        raise {error}

Crashing().run(headless=True)
"""


def crash(module: str, base: str, error: str) -> str:
    script = SCRIPT.format(module=module, base=base, error=error)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=15)
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "error",
    ["RuntimeError('the reader is gone')", "RuntimeError(f'the reader is gone: {pan}')", "KeyError(pan)"],
)
def test_a_crash_prints_where_and_why_but_no_values(error: str) -> None:
    output = crash("terminal.tui.app", "TillsideApp", error)
    assert error.partition("(")[0] in output
    assert "on_mount" in output
    assert PAN not in output
    assert "\\x47\\x61" not in output
    assert PAN[:12] not in output


def test_textuals_own_crash_screen_would_print_it() -> None:
    output = crash("textual.app", "App", "RuntimeError('the reader is gone')")
    assert PAN in output


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (PAN, "[digits]"),
        ("4761 7390 0101 0119", "[digits]"),
        ("card 4761-7390-0101-0119!", "card [digits]!"),
        ("order 1042 at 18:59:04", "order 1042 at 18:59:04"),
        ("12345678901", "12345678901"),
    ],
)
def test_long_runs_of_digits_are_masked(text: str, shown: str) -> None:
    assert masked(text) == shown
