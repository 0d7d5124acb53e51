"""Fixtures shared by the EMV tests."""

import datetime
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emv.kernel import Transaction

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def vectors() -> Callable[[str], Any]:
    """Read a file of the reference vectors, or skip: they are not part of the project."""

    def read(name: str) -> Any:
        folder = Path(os.environ.get("TILLSIDE_VECTORS", ROOT / "../shared/vectors"))
        path = folder / "emv" / name
        if not path.exists():
            pytest.skip(f"reference vectors are not there: {path}")
        return json.loads(path.read_text("utf-8"))

    return read


@pytest.fixture
def purchase() -> Transaction:
    """A purchase of 12.50 in EUR."""
    return Transaction(
        amount_minor=1250,
        currency="978",
        date=datetime.date(2026, 5, 9),
        time=datetime.time(12, 30, 15),
        unpredictable_number=bytes.fromhex("01020304"),
        sequence_counter=7,
    )
