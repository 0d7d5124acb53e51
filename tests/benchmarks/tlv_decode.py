"""TLV decode of a READ RECORD answer of 191 bytes with 18 fields, beside pyemv and python-emv."""

from emv import tlv
from tests.benchmarks.measure import REPEAT, in_turns, line, p50
from tests.benchmarks.peers import Peer

_FIELDS = (
    ("57", 16), ("5F20", 16), ("9F1F", 10), ("5F24", 3), ("5A", 8), ("5F34", 1), ("5F28", 2), ("9F07", 2),
    ("8C", 24), ("8D", 20), ("8E", 14), ("9F0D", 5), ("9F0E", 5), ("9F0F", 5), ("5F25", 3), ("9F08", 2),
    ("5F30", 2), ("9F4A", 1),
)  # fmt: skip


def record() -> bytes:
    """Return a record of that shape, with zeros for values."""
    body = b"".join(bytes.fromhex(tag) + bytes([length]) + bytes(length) for tag, length in _FIELDS)
    return b"\x70\x81" + bytes([len(body)]) + body


def run() -> None:
    """Print the rates."""
    data = record()

    def decode() -> None:
        for _ in range(REPEAT):
            tlv.decode(data)

    with Peer("pyemv", data) as pyemv, Peer("python-emv", data) as python_emv:
        ours, *theirs = in_turns(decode, pyemv, python_emv, rounds=60)
    rate = REPEAT / p50(ours)
    for name, times in zip(("pyemv", "python-emv"), theirs, strict=True):
        peer = REPEAT / p50(times)
        line(
            f"TLV decode, {len(data)} bytes, {len(_FIELDS)} fields",
            f"{rate:,.0f}/s",
            f"{name} {peer:,.0f}/s",
            f"{rate / peer:.2f} times its rate",
        )
