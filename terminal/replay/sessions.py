"""A recording cut where applications are selected: what was said to each of them.

What is asked of one application says nothing of another one: record 1 of file 1 is not the same in both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from emv import dol, tlv
from emv.apdu import CommandApdu, ResponseApdu
from emv.candidates import printable
from emv.dol import DolEntry
from emv.errors import DecodeError
from emv.tags import Tag
from terminal.replay.transcript import Exchange

SELECT, GET_RESPONSE = 0xA4, 0xC0
GET_PROCESSING_OPTIONS, READ_RECORD, GET_DATA = 0xA8, 0xB2, 0xCA
GENERATE_AC, INTERNAL_AUTHENTICATE, EXCHANGE_RELAY_RESISTANCE_DATA = 0xAE, 0x88, 0xEA

CRYPTOGRAM, WITH_CDA = 0xC0, 0x10
"""Bits of P1 of GENERATE AC: which cryptogram, and whether with a signature."""

_BY_NAME = 0x04
_MORE, _WRONG_LE = 0x61, 0x6C
_DEFAULT_DDOL = bytes.fromhex("9F3704")


@dataclass(frozen=True, slots=True)
class Said:
    """One command with its whole answer, 61xx and 6Cxx joined.

    Args:
        number: The place of the command in the recording.
        command: None if it was not captured.
        answer: None if the card was lost.
    """

    number: int
    command: CommandApdu | None
    answer: ResponseApdu | None

    @property
    def data(self) -> bytes:
        """What the card gave with 9000; empty otherwise."""
        return self.answer.data if self.answer is not None and self.answer.ok else b""


@dataclass(slots=True)
class Session:
    """What was said to one application, from its SELECT on.

    Args:
        name: What was selected; empty before the first SELECT.
        exchanges: All of it, the SELECT first.
    """

    name: bytes
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def said(self) -> tuple[Said, ...]:
        """The same with split answers joined."""
        return tuple(_joined(self.exchanges))

    @property
    def fci(self) -> bytes:
        """The answer to SELECT, empty if there was none."""
        said = self.said
        return said[0].data if self.name and said else b""

    @property
    def df_name(self) -> bytes:
        """The application's own name: what was selected may be the beginning of it."""
        return _inside(self.fci, Tag.FCI_TEMPLATE, Tag.DF_NAME) or self.name

    @property
    def label(self) -> str:
        """The application's label."""
        found = _inside(self.fci, Tag.FCI_TEMPLATE, Tag.FCI_PROPRIETARY, Tag.APPLICATION_LABEL)
        return printable(found or b"")

    @property
    def pdol(self) -> tuple[DolEntry, ...]:
        """What the application asks for in GET PROCESSING OPTIONS."""
        return _entries(_inside(self.fci, Tag.FCI_TEMPLATE, Tag.FCI_PROPRIETARY, Tag.PDOL) or b"")

    @property
    def answered(self) -> int:
        """How many different commands were answered well: how much there is to replay."""
        return len({_key(said.command) for said in self.said if said.data and said.command is not None})

    def value(self, tag: int) -> bytes | None:
        """Return the first data object with this tag that the card gave, or None."""
        found = (_object(said.data, tag) for said in self.said)
        return next((value for value in found if value is not None), None)

    def lists(self, tag: int) -> tuple[tuple[DolEntry, ...], ...]:
        """Return the data object lists with this tag that the records have."""
        found = (_object(said.data, tag) for said in self.said[1:])
        return tuple(_entries(value) for value in found if value)

    def lists_of(self, instruction: int) -> tuple[tuple[DolEntry, ...], ...]:
        """Return the lists that may say what the data of a command is."""
        if instruction == GET_PROCESSING_OPTIONS:
            return (self.pdol,)
        if instruction == GENERATE_AC:
            return (*self.lists(Tag.CDOL1), *self.lists(Tag.CDOL2))
        if instruction == INTERNAL_AUTHENTICATE:
            return (*self.lists(Tag.DDOL), _entries(_DEFAULT_DDOL))
        if instruction == EXCHANGE_RELAY_RESISTANCE_DATA:
            return ((DolEntry(int(Tag.RELAY_ENTROPY), 4),),)
        return ()


def sessions(exchanges: Sequence[Exchange]) -> tuple[Session, ...]:
    """Return the recording cut at each SELECT by name. What comes before is a session without a name."""
    found = [Session(b"")]
    for exchange in exchanges:
        name = _selected(exchange)
        if name and not _repeats(found[-1], name):
            found.append(Session(name))
        found[-1].exchanges.append(exchange)
    return tuple(session for session in found if session.exchanges)


def command_of(raw: bytes | None) -> CommandApdu | None:
    """Return a recorded command, or None if it was not captured or is none."""
    try:
        return None if raw is None else CommandApdu.decode(raw)
    except DecodeError:
        return None


def values_of(entries: tuple[DolEntry, ...], data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and value of what stands in the data of a list."""
    at = 0
    for entry in entries:
        yield entry.tag, data[at : at + entry.length]
        at += entry.length


def dol_data(command: CommandApdu) -> bytes:
    """Return a command's data without the template that GET PROCESSING OPTIONS has around it."""
    if command.ins != GET_PROCESSING_OPTIONS:
        return command.data
    try:
        return tlv.split(command.data)[0][1]
    except (DecodeError, IndexError):
        return command.data


def _selected(exchange: Exchange) -> bytes:
    """Return the name that was selected, or empty.

    Of a command that was not captured, the answer tells it.
    """
    command = command_of(exchange.command)
    if command is not None:
        by_name = command.ins == SELECT and command.p1 == _BY_NAME and command.cla & 0xF0 == 0
        return command.data if by_name else b""
    if exchange.command is None and exchange.answer is not None:
        return _inside(exchange.answer.reveal()[:-2], Tag.FCI_TEMPLATE, Tag.DF_NAME) or b""
    return b""


def _repeats(session: Session, name: bytes) -> bool:
    """Say whether a SELECT is the last one once more, with the length that the card asked for."""
    if session.name != name or len(session.exchanges) != 1:
        return False
    answer = session.exchanges[0].answer
    return answer is not None and answer.reveal()[-2] == _WRONG_LE


def _joined(exchanges: Sequence[Exchange]) -> Iterator[Said]:
    waiting: Said | None = None
    for exchange in exchanges:
        command = command_of(exchange.command)
        answer = None if exchange.answer is None else ResponseApdu.decode(exchange.answer.reveal())
        if waiting is not None and waiting.answer is not None and command is not None:
            sw1 = waiting.answer.sw.sw1
            more = sw1 == _MORE and command.ins == GET_RESPONSE
            again = sw1 == _WRONG_LE and _key(command) == _key(waiting.command)
            if (more or again) and answer is not None:
                whole = ResponseApdu(waiting.answer.data + answer.data, answer.sw)
                waiting = Said(waiting.number, waiting.command, whole)
                continue
        if waiting is not None:
            yield waiting
        waiting = Said(exchange.number, command, answer)
    if waiting is not None:
        yield waiting


def _key(command: CommandApdu | None) -> tuple[int, ...] | None:
    if command is None:
        return None
    return (command.cla, command.ins, command.p1, command.p2, *command.data)


def _inside(data: bytes, *path: int) -> bytes | None:
    try:
        return tlv.find_bytes(tlv.decode(data), *path)
    except DecodeError:
        return None


def _object(data: bytes, tag: int) -> bytes | None:
    try:
        return next((value for found, value in tlv.walk(tlv.decode(data)) if found == tag), None)
    except DecodeError:
        return None


def _entries(value: bytes) -> tuple[DolEntry, ...]:
    try:
        return dol.decode(value)
    except DecodeError:
        return ()
