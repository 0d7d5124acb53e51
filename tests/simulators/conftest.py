"""Fixtures shared by the simulators' tests."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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
