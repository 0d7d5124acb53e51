"""Writes the first inputs of each target: what simulated cards say, and made-up data. Nothing is recorded.

python -m tests.fuzz.seeds
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256

from emv import tlv
from emv.config_file import default_text
from emv.errors import DecodeError
from emv.sensitive import SensitiveBytes
from simulators.cards import profile
from simulators.scheme import ca_keys_json
from terminal.replay.transcript import Exchange, Transcript
from tests.fuzz import mutation
from tests.fuzz.mutation import CHANGES, STATUS_WORDS, Change
from tests.fuzz.personal import BASES
from tests.fuzz.replays import recorded
from tests.fuzz.taps import CARDS
from tests.fuzz.targets import CORPUS

_SHORT = ("visa-offline", "mastercard-approve", "amex-approve", "jcb-approve", "unionpay-approve")


def answers(name: str) -> list[bytes]:
    """Return the data of a simulated card's answers."""
    return [answer[:-2] for _, answer in recorded(name) if answer]


def values(tag: int) -> list[bytes]:
    """Return what simulated cards have under a tag."""
    found: set[bytes] = set()
    for name in CARDS:
        for answer in answers(name):
            try:
                found |= {value for its, value in tlv.walk(tlv.decode(answer)) if its == tag}
            except DecodeError:
                continue
    return sorted(found)


def _transcript(name: str) -> str:
    exchanges = tuple(
        Exchange(number, command, None if answer is None else SensitiveBytes(answer), 12.5)
        for number, (command, answer) in enumerate(recorded(name), 1)
    )
    return json.dumps(Transcript(id=name, exchanges=exchanges, data={0x9F02: bytes(6)}).as_json())


def _key_files() -> Iterator[str]:
    whole = json.loads(ca_keys_json())
    yield json.dumps({"keys": whole["keys"][:1], "revoked": whole["revoked"][:1]})
    yield json.dumps([{**whole["keys"][3], "ambiguous": True, "sources": ["one"]}])


def _resets() -> Iterator[bytes]:
    card = profile.load("visa-approve")
    yield from (card.atr, card.ats)
    yield from (bytes.fromhex(text) for text in ("3B6500002063CB6A00", "3BE00000818031404F", "0578778002"))


_ORDINARY = b"\0\0\0\0"
"""The first terminal and payment, one tap, and a card that takes 3 ms."""


def _changed(after: int, change: Change, *arguments: int) -> bytes:
    """Return what makes an answer arrive changed after some that do not, in an input for `taps`."""
    return bytes((after, 0, CHANGES.index(change), *arguments))


def _taps() -> Iterator[bytes]:
    """Yield taps of every card: honest, changed at any step, and such that would go on and on."""
    for number in range(len(CARDS)):
        yield bytes((number,))
        yield bytes((number,)) + _ORDINARY + _changed(number % 8, mutation.set_byte, number, number, number)
    for name in ("mastercard-recoverable", "mastercard-relay-resistance", "visa-offline"):
        for after in range(9):
            twice = b"\0\0\1\0"
            yield bytes((CARDS.index(name),)) + twice + _changed(after, mutation.lost)
    refused = mutation.status, STATUS_WORDS.index(0x6985), 0
    more = _changed(0, mutation.status, STATUS_WORDS.index(0x6100), 0, 0x10)
    longer = _changed(0, mutation.status, STATUS_WORDS.index(0x6C00), 0, 0x10)
    huge = bytes((CARDS.index("malicious-ppse-huge"),))
    yield huge + _ORDINARY + _changed(2, *refused) + _changed(1, *refused) * 300
    yield b"\0" + _ORDINARY + more * 80
    yield b"\0" + _ORDINARY + (longer + more) * 80


def seeds() -> Iterator[tuple[str, bytes]]:
    """Yield the target and its input."""
    said = [answer for name in _SHORT for answer in answers(name)]
    yield from (("tlv", answer) for answer in said)
    yield from (("explain", b"\0\0" + answer) for answer in said[::5])
    for name in ("visa-offline", "several-applications", "malicious-ppse-huge"):
        yield "directory", answers(name)[0]
    for tag in (0x8C, 0x9F38, 0x8D):
        yield from (("dol", value) for value in values(tag))
    for tag in (0x94, 0x8E, 0x57, 0x5A, 0x9F27, 0x9F6E, 0x82, 0x5F24, 0x9F6C):
        yield from (("fields", value) for value in values(tag))
    for value in values(0x9F10):
        yield "issuer_data", value
    for tag in (0x9F10, 0x8E, 0x94, 0x9F6E, 0x9F38, 0x57):
        for value in values(tag):
            yield "explain", tag.to_bytes(2, "big")[:: 1 if tag > 0xFF else -1] + value
    yield from (("resets", raw) for raw in _resets())
    for name in _SHORT:
        content = b"".join(
            tlv.encode(objects)
            for answer in answers(name)
            for objects in [tlv.decode(answer)]
            if objects and objects[0][0] in (0x70, 0x77)
        )
        yield "oda", content
        yield "decisions", b"\0\0" + content
    yield "ca_keys", b""
    yield from (("ca_keys", b"\1" + text.encode()) for text in _key_files())
    yield "config", b"\0\0"
    yield "config", b"\1" + default_text().encode()
    yield "transcript", b""
    yield from (("transcript", b"\1" + _transcript(name).encode()) for name in _SHORT[:2])
    yield "apdu", bytes.fromhex("00A4040007A000000003101000")
    yield "apdu", bytes.fromhex("00A4000010200102002002")
    yield from (("taps", data) for data in _taps())
    yield from (("taps", bytes((number, 2, 0, 3, 0))) for number in range(0, len(CARDS), 3))
    yield from (("replay", bytes((number,))) for number in range(0, len(CARDS), 3))
    yield from (("personal", bytes((number,))) for number in range(len(BASES)))


def main() -> None:
    """Write them, each named by what is in it."""
    for name, data in seeds():
        (CORPUS / name).mkdir(parents=True, exist_ok=True)
        (CORPUS / name / f"seed-{sha256(data).hexdigest()[:10]}").write_bytes(data)


if __name__ == "__main__":
    main()
