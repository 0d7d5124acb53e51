"""Fuzz the parsers and whole taps: every target for a while, or one.

    python -m tests.fuzz [TARGET] [--seconds N]

What is found new is kept in .fuzz/TARGET between runs. An input that breaks a promise is written to .fuzz/
and named; `python -m tests.fuzz TARGET --input FILE` shows what it does. Put it into
tests/fuzz/corpus/TARGET, where the test suite tries it ever after, and mend the fault.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

from emv import tlv
from emv.tags import MEANINGS, Tag
from tests.fuzz.targets import CORPUS, TARGETS

FOUND = Path(__file__).parent.parent.parent / ".fuzz"


def main() -> int:
    """Run the targets one after another; the first that breaks its promise ends the run."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("target", nargs="?", choices=sorted(TARGETS), help="one target; all without it")
    parser.add_argument("--seconds", type=int, default=60, help="for how long each (60)")
    parser.add_argument("--input", type=Path, help="run the target once with this file, without the fuzzer")
    options = parser.parse_args()
    if options.input is not None:
        if options.target is None:
            parser.error("--input needs a target")
        TARGETS[options.target](options.input.read_bytes())
        return 0
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed (it needs Python below 3.14); the test suite tries the corpus anyway")
        return 1
    names = [options.target] if options.target else list(TARGETS)
    for name in names:
        if code := hunt(name, options.seconds):
            print(f"== {name}: something was found; the input is named above", flush=True)
            return code
    print(f"== {len(names)} target{'s' if len(names) > 1 else ''}, nothing found", flush=True)
    return 0


def hunt(name: str, seconds: int) -> int:
    """Fuzz one target; return the fuzzer's exit code."""
    kept = FOUND / name
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".dict") as words:
        words.writelines(f'"{word}"\n' for word in _words())
        words.flush()
        print(f"== {name}: {seconds} s", flush=True)
        command = [sys.executable, "-m", "tests.fuzz.hunt", name, str(kept), str(CORPUS / name)]
        limits = [
            f"-max_total_time={seconds}",
            "-timeout=20",
            "-rss_limit_mb=2048",
            "-max_len=4096",
            "-len_control=0",
        ]
        told = [f"-dict={words.name}", f"-artifact_prefix={FOUND}/{name}-", "-print_final_stats=1"]
        return subprocess.run([*command, *limits, *told], check=False).returncode


def _words() -> list[str]:
    r"""Return the tags as libFuzzer's dictionary has them: \x9F\x02."""
    tags = {int(tag) for tag in Tag} | {tag for _, tag in MEANINGS}
    return ["".join(f"\\x{octet:02X}" for octet in tlv.encode_tag(tag)) for tag in sorted(tags)]


if __name__ == "__main__":
    sys.exit(main())
