"""Where our command is another than the recorded one, in words, data object by data object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from emv.apdu import CommandApdu
from emv.dol import DolEntry, length
from emv.tags import describe, is_sensitive
from emv.trace import INSTRUCTIONS
from terminal.replay.sessions import (
    CRYPTOGRAM,
    EXCHANGE_RELAY_RESISTANCE_DATA,
    GENERATE_AC,
    GET_DATA,
    GET_PROCESSING_OPTIONS,
    GET_RESPONSE,
    INTERNAL_AUTHENTICATE,
    READ_RECORD,
    SELECT,
    WITH_CDA,
    dol_data,
    values_of,
)

NO_CARD_DATA = {
    *(SELECT, READ_RECORD, GET_DATA, GET_RESPONSE, GET_PROCESSING_OPTIONS, GENERATE_AC),
    *(INTERNAL_AUTHENTICATE, EXCHANGE_RELAY_RESISTANCE_DATA),
}
"""Instructions whose data is the terminal's own, so that it may be shown and kept."""
_CRYPTOGRAMS = {0x00: "AAC", 0x40: "TC", 0x80: "ARQC", 0xC0: "a reserved cryptogram"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference.

    Args:
        exchange: The place in the recording, from 1; None if we sent what is not in it, and for the outcome.
        recorded: Hexadecimal: the command, or the data object inside it; empty if there is none. Of the
            outcome it is the kind.
        sent: The same of ours.
        what: What differs, in words.
    """

    exchange: int | None
    recorded: str
    sent: str
    what: str


def differences(
    number: int, recorded: CommandApdu, sent: CommandApdu, lists: Sequence[tuple[DolEntry, ...]]
) -> Iterator[Difference]:
    """Yield what differs between a recorded command and ours of the same kind. Le does not count.

    Args:
        number: The place of the recorded command.
        recorded: It.
        sent: Ours.
        lists: What the card's data object lists say of the data, the likeliest first.
    """
    name = name_of(sent)
    if (recorded.cla, recorded.p1, recorded.p2) != (sent.cla, sent.p1, sent.p2):
        what = f"{name}: {_parameters(recorded)} was asked for, ours asks for {_parameters(sent)}"
        yield Difference(number, _header(recorded), _header(sent), what)
    before, now = dol_data(recorded), dol_data(sent)
    if before == now:
        return
    entries = next((found for found in lists if length(found) == len(before) == len(now)), ())
    if not entries:
        what = f"{name}: other data" if len(before) == len(now) else f"{name}: data of another length"
        yield Difference(number, shown(recorded), shown(sent), what)
        return
    for (tag, old), (_, new) in zip(values_of(entries, before), values_of(entries, now), strict=True):
        if old != new:
            info = describe(tag)
            what = f"{name}: {tag:02X} {info.name if info else 'an unknown data object'}"
            yield Difference(number, _value(tag, old), _value(tag, new), what)


def shown(command: CommandApdu) -> str:
    """Return a command as it may be shown, in hexadecimal; data that may be a secret as zeros."""
    data = command.data if command.ins in NO_CARD_DATA else bytes(len(command.data))
    return (
        CommandApdu(command.cla, command.ins, command.p1, command.p2, data[:255], command.le)
        .encode()
        .hex()
        .upper()
    )


def name_of(command: CommandApdu) -> str:
    """Return what a command is called."""
    if command.ins == EXCHANGE_RELAY_RESISTANCE_DATA:
        return "EXCHANGE RELAY RESISTANCE DATA"
    name = INSTRUCTIONS.get(command.ins, f"command {command.cla:02X} {command.ins:02X}")
    if command.ins == READ_RECORD:
        return f"{name} {command.p1} of file {command.p2 >> 3}"
    if command.ins == GET_DATA:
        tag = command.p1 << 8 | command.p2
        return f"{name} {tag:02X}"
    return name


def _parameters(command: CommandApdu) -> str:
    if command.ins == GENERATE_AC:
        return _CRYPTOGRAMS[command.p1 & CRYPTOGRAM] + (" with CDA" if command.p1 & WITH_CDA else "")
    return f"P1 P2 {command.p1:02X} {command.p2:02X}"


def _header(command: CommandApdu) -> str:
    return bytes((command.cla, command.ins, command.p1, command.p2)).hex().upper()


def _value(tag: int, value: bytes) -> str:
    """Return a value in hexadecimal, as zeros where it is never shown."""
    info = describe(tag)
    return (bytes(len(value)) if info is not None and is_sensitive(tag) else value).hex().upper()
