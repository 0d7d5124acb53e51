"""A card that plays a script: it checks each command byte for byte and answers what is written."""

from collections.abc import Iterable

from emv.apdu import Exchange
from emv.entry_point import EntryPoint
from emv.kernel import (
    Actions,
    Begin,
    CardAnswered,
    CardLost,
    Complete,
    Event,
    Kernel,
    SendCommand,
    ShowMessage,
    Transaction,
)
from emv.outcome import Outcome, UiRequest


class ScriptedCard:
    """Fails loudly on a command that is not the next line, and on lines that are left over.

    A line is (command, answer) in hex; an answer of None is a card that has left the field.
    """

    def __init__(self, script: Iterable[tuple[str, str | None]]) -> None:
        self._lines = list(script)
        self._at = 0

    def transmit(self, capdu: bytes) -> bytes | None:
        """Answer one raw command."""
        assert self._at < len(self._lines), f"a surprise: {capdu.hex().upper()}"
        command, answer = self._lines[self._at]
        self._at += 1
        assert capdu.hex().upper() == command.replace(" ", "").upper(), f"line {self._at}"
        return None if answer is None else bytes.fromhex(answer)

    def finish(self) -> None:
        """Check that the whole script was played."""
        assert self._at == len(self._lines), f"{len(self._lines) - self._at} lines are left"


class Tap:
    """Runs one machine against a card as the terminal does, and keeps what it showed."""

    def __init__(self, machine: EntryPoint | Kernel, card: ScriptedCard) -> None:
        self.machine = machine
        self.card = card
        self.shown: list[UiRequest] = []

    def run(self, transaction: Transaction) -> Outcome:
        """Play from `Begin` to the outcome; the script must end with it."""
        outcome = self.send(Begin(transaction))
        self.card.finish()
        return outcome

    def send(self, event: Event) -> Outcome:
        """Hand over one event and answer commands until the outcome."""
        actions = self.machine.handle(event)
        while not isinstance(actions[-1], Complete):
            self._check(actions)
            actions = self.machine.handle(self._answer(actions))
        self._check(actions)
        return actions[-1].outcome

    def _answer(self, actions: Actions) -> Event:
        last = actions[-1]
        assert isinstance(last, SendCommand)
        exchange = Exchange(last.command)
        raw: bytes | None = exchange.first()
        while raw is not None:
            answer = self.card.transmit(raw)
            if answer is None:
                return CardLost()
            raw = exchange.next(answer)
        return CardAnswered(exchange.response)

    def _check(self, actions: Actions) -> None:
        for action in actions[:-1]:
            assert isinstance(action, ShowMessage), "only the last action may await an answer"
            self.shown.append(action.request)
