"""A card that answers out of a recording.

A command is looked up by what it is, not by its turn: another terminal may have read more, or in another
order. What differs only in the terminal's data is the same command, and the difference is kept. Where a
command can't be found it takes what was not captured, if that comes next. What is left can't be answered:
the card is lost then, as far as we know of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from drivers.errors import CardLostError
from emv import commands, tlv
from emv.apdu import CommandApdu
from emv.sensitive import SensitiveBytes
from emv.tags import Tag
from terminal.replay.differences import Difference, differences, name_of, shown
from terminal.replay.sessions import (
    EXCHANGE_RELAY_RESISTANCE_DATA,
    GENERATE_AC,
    GET_DATA,
    GET_PROCESSING_OPTIONS,
    GET_RESPONSE,
    INTERNAL_AUTHENTICATE,
    READ_RECORD,
    SELECT,
    Session,
    command_of,
    sessions,
)
from terminal.replay.transcript import Exchange, Transcript

ENVIRONMENTS = (commands.PPSE, b"1PAY.SYS.DDF01")
NOT_FOUND = bytes.fromhex("6A88")

_WITH_TERMINAL_DATA = {
    GET_PROCESSING_OPTIONS,
    GENERATE_AC,
    INTERNAL_AUTHENTICATE,
    EXCHANGE_RELAY_RESISTANCE_DATA,
}
"""Commands whose answers hold for once: each recorded one is used up."""


class RecordedCard:
    """The card of one recording.

    Args:
        transcript: The recording.
    """

    def __init__(self, transcript: Transcript) -> None:
        self._sessions = sessions(transcript.exchanges)
        self._exchanges = transcript.exchanges
        self._session = self._sessions[0]
        self._at = -1
        self._used: set[int] = set()
        self.differences: list[Difference] = []
        """Where our commands are others than the recorded ones."""
        self.notes: list[str] = []
        """What was done to be able to answer."""
        self.trouble = ""
        """Why the card was lost, in words; empty while it is there."""

    @property
    def applications(self) -> tuple[Session, ...]:
        """The application sessions, one for each that was selected with success, as recorded."""
        found: dict[bytes, Session] = {}
        for session in self._sessions:
            if session.name and session.name not in ENVIRONMENTS:
                best = found.get(session.df_name)
                if best is None or session.answered > best.answered:
                    found[session.df_name] = session
        return tuple(found.values())

    @property
    def environment(self) -> Session | None:
        """The session of the PPSE, if it was recorded."""
        found = [session for session in self._sessions if session.name == commands.PPSE]
        return max(found, key=lambda session: session.answered, default=None)

    @property
    def session(self) -> Session:
        """Where we are."""
        return self._session

    @property
    def unused(self) -> tuple[int, ...]:
        """The places of recorded exchanges that were not asked for, from 1."""
        return tuple(line.number for line in self._exchanges if line.number not in self._used)

    def transceive(self, capdu: bytes) -> tuple[bytes, int | None]:
        """Answer one command; gives the answer and the recorded time in microseconds.

        Raises:
            CardLostError: the card was lost here, or the recording does not say what it answers.
        """
        command = CommandApdu.decode(capdu)
        if command.ins == SELECT and command.p1 == 0x04:
            self._enter(command)
            if command.data == commands.PPSE and self.environment is None and self.applications:
                return self._made_environment(), None
        found = self._find(command)
        if found is None:
            return self._not_recorded(command), None
        self._at = self._place(found)
        self._used.add(found.number)
        if found.answer is None:
            self.trouble = f"the card was lost in the recording, at exchange {found.number}"
            raise CardLostError(self.trouble)
        answer = found.answer.reveal()
        if answer[-2] not in (0x90, 0x61, 0x6C):
            self.note(
                f"exchange {found.number}: {name_of(command)} was answered with {answer[-2:].hex().upper()}"
            )
        return answer, None if found.ms is None else int(found.ms * 1000)

    # --- where to look

    def _enter(self, command: CommandApdu) -> None:
        """Go to the session of what we select; of several, to the one that has most in it."""
        same = [session for session in self._sessions if session.name and self._is(session, command.data)]
        if self._at >= 0 and any(session is self._session for session in same):
            return  # again with the length that the card asked for
        if same:
            self._session = max(same, key=lambda session: session.answered)
            self._at = -1
            if len(same) > 1:
                first = self._session.exchanges[0].number
                name = command.data.hex().upper()
                self.note(f"{name} was selected {len(same)} times: taken from exchange {first} on")

    def _is(self, session: Session, name: bytes) -> bool:
        return session.name == name or (name.startswith(session.name) and session.df_name == name)

    def _place(self, exchange: Exchange) -> int:
        """Return where an exchange stands in our session, or stay where we are if it is another's."""
        places = (at for at, one in enumerate(self._session.exchanges) if one is exchange)
        return next(places, self._at)

    def _find(self, command: CommandApdu) -> Exchange | None:
        lines = self._session.exchanges
        ahead = lines[self._at + 1 :]
        everywhere = [*ahead, *lines[: self._at + 1]]
        if command.ins == GET_RESPONSE:
            everywhere = ahead
        fresh = [line for line in everywhere if line.number not in self._used]
        once = command.ins in _WITH_TERMINAL_DATA
        following = [line for line in ahead[:1] if line.command is None]
        others = [line for session in self._others() for line in session.exchanges]
        ways: tuple[tuple[Sequence[Exchange], Callable[[CommandApdu], bool]], ...] = (
            (fresh, lambda was: _same(was, command)),
            ([] if once else everywhere, lambda was: _same(was, command)),
            (fresh if once else [], lambda was: _header(was) == _header(command) and _alike(was, command)),
        )
        for among, fits in ways:
            found = _first(among, fits)
            if found is not None:
                return self._told(found, command)
        if following:
            return self._uncaptured(following[0], command)
        loosely = fresh if once or command.ins == SELECT else []
        found = _first(loosely, lambda was: was.ins == command.ins and self._may_be(was, command))
        if found is not None:
            return self._told(found, command)
        if command.ins == READ_RECORD and (found := _first(others, lambda was: _same(was, command))):
            self.note(f"{name_of(command)} comes from another session of the same application")
            return self._told(found, command)
        later = [line for line in fresh if line.command is None]
        return self._uncaptured(later[0], command) if later else None

    def _may_be(self, was: CommandApdu, command: CommandApdu) -> bool:
        """Say whether a recorded SELECT is ours by the application's full name; other commands may be."""
        return command.ins != SELECT or command.data.startswith(was.data)

    def _others(self) -> Iterator[Session]:
        """Yield the other sessions of the same application."""
        name = self._session.df_name
        return (
            its for its in self._sessions if its is not self._session and its.name and its.df_name == name
        )

    # --- what is told about it

    def _told(self, line: Exchange, command: CommandApdu) -> Exchange:
        was = command_of(line.command)
        if was is not None:
            lists = self._session.lists_of(command.ins)
            self.differences.extend(differences(line.number, was, command, lists))
        return line

    def _uncaptured(self, line: Exchange, command: CommandApdu) -> Exchange:
        what = f"{name_of(command)}: taken for the command that was not captured"
        self.differences.append(Difference(line.number, "", shown(command), what))
        return line

    def _not_recorded(self, command: CommandApdu) -> bytes:
        what = f"{name_of(command)} is not in the recording"
        if command.ins == GET_DATA:
            # A card need not have it, and goes on without.
            self.differences.append(Difference(None, "", shown(command), f"{what}: answered 6A88, not found"))
            return NOT_FOUND
        self.differences.append(Difference(None, "", shown(command), what))
        self.trouble = f"{what}, so nobody knows what the card answers"
        raise CardLostError(self.trouble)

    def note(self, text: str) -> None:
        """Keep a note, once."""
        if text not in self.notes:
            self.notes.append(text)

    def _made_environment(self) -> bytes:
        """Return the answer of a PPSE with the applications that were selected, in their order."""
        entries = []
        for priority, session in enumerate(self.applications[:15], 1):
            label = session.label.encode("latin-1", "replace")
            objects = [
                (int(Tag.ADF_NAME), session.df_name),
                *([(int(Tag.APPLICATION_LABEL), label)] if label else []),
                (int(Tag.PRIORITY), bytes((priority,))),
            ]
            entries.append(tlv.encode_one(Tag.APPLICATION_TEMPLATE, tuple(objects)))
        names = ", ".join(session.df_name.hex().upper() for session in self.applications[:15])
        self.note(f"the recording has no PPSE: one was made up that announces {names}")
        discretionary = tlv.encode_one(Tag.FCI_DISCRETIONARY, b"".join(entries))
        proprietary = tlv.encode_one(Tag.FCI_PROPRIETARY, discretionary)
        name = tlv.encode_one(Tag.DF_NAME, commands.PPSE)
        answer = SensitiveBytes(tlv.encode_one(Tag.FCI_TEMPLATE, name + proprietary) + b"\x90\x00")
        return answer.reveal()


def _first(lines: Sequence[Exchange], fits: Callable[[CommandApdu], bool]) -> Exchange | None:
    for line in lines:
        was = command_of(line.command)
        if was is not None and fits(was):
            return line
    return None


def _header(command: CommandApdu) -> tuple[int, ...]:
    return (command.cla, command.ins, command.p1, command.p2)


def _same(was: CommandApdu, command: CommandApdu) -> bool:
    """Say whether two commands are the same but for Le."""
    return _header(was) == _header(command) and was.data == command.data


def _alike(was: CommandApdu, command: CommandApdu) -> bool:
    return len(was.data) == len(command.data)
