"""The libraries that we measure ourselves against, in an environment of their own.

One of them is also called `emv`, so it can't live beside ours.
"""

import subprocess
import sys
from pathlib import Path
from types import TracebackType

from tests.benchmarks.measure import REPEAT

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / ".venv-peers"
_HERE = Path(__file__).parent
_LIST = _HERE / "peers.txt"
_PROGRAM = _HERE / "peer_decode.py"


def python() -> Path:
    """Return the interpreter of the environment; it is made, or made anew when the list has changed."""
    interpreter, made_from = FOLDER / "bin" / "python", FOLDER / "peers.txt"
    if not made_from.exists() or made_from.read_bytes() != _LIST.read_bytes():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], check=True)
        command = [str(interpreter), "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps"]
        subprocess.run([*command, "--only-binary", ":all:", "-r", str(_LIST)], check=True)
        made_from.write_bytes(_LIST.read_bytes())
    return interpreter


class Peer:
    """A process that decodes the same data with one of the other libraries, a round on each call."""

    def __init__(self, library: str, data: bytes) -> None:
        # -P: the folder of the program is not searched for modules, and neither is this one.
        self._process = subprocess.Popen(
            [str(python()), "-P", str(_PROGRAM), library, data.hex(), str(REPEAT)],
            cwd=FOLDER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self) -> None:
        """Let it do one round."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"

    def __enter__(self) -> "Peer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=10)
