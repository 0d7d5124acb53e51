"""The library does nothing to the process that imports it."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import logging
import drivers.printers.escpos
assert not logging.getLogger().handlers
print("imported")
"""


def test_importing_it_leaves_logging_and_the_temporary_folder_alone(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    environment.pop("ESCPOS_CAPABILITIES_PICKLE_DIR", None)
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("imported\n", "")
    assert list(tmp_path.iterdir()) == []
