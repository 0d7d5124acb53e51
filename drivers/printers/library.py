"""python-escpos, without what it does to a process that imports it.

At import it sets up logging, which would write on the terminal's screen from then on, and leaves a folder
behind in the temporary one. Both are undone here, and nobody else imports it.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    before = list(root.handlers)
    try:
        yield
    finally:
        for handler in [each for each in root.handlers if each not in before]:
            root.removeHandler(handler)


with _logging_as_it_was():
    from escpos import capabilities, constants  # type: ignore[import-untyped]
    from escpos.magicencode import Encoder  # type: ignore[import-untyped]
    from escpos.printer import Dummy  # type: ignore[import-untyped]

if "ESCPOS_CAPABILITIES_PICKLE_DIR" not in os.environ:
    shutil.rmtree(capabilities.pickle_dir, ignore_errors=True)

get_profile = capabilities.get_profile

__all__ = ["Dummy", "Encoder", "constants", "get_profile"]
