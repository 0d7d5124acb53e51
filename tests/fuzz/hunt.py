"""One target under atheris, in a process of its own: it ends when the fuzzer says so.

python -m tests.fuzz.hunt TARGET [what libFuzzer takes...]
"""

from __future__ import annotations

import importlib
import sys

# Not everywhere: it needs Python below 3.14.
atheris = importlib.import_module("atheris")

with atheris.instrument_imports(include=["emv", "terminal.replay"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Hunt until the fuzzer has had enough."""
    name = sys.argv[1]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
