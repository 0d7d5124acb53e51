"""Reader bench: what is in the field, which kernel it would get, commands by hand, lights, stress."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content

from emv.errors import DecodeError
from emv.reset_words import explain_atr, explain_ats
from terminal.benches.console import SELECT_PPSE, ApduError, Row, parse_apdu, rows_of
from terminal.benches.reader_bench import CardOnBench, ReaderBench, ReaderState
from terminal.benches.selection import what_cards_are_told
from terminal.devices.worker import DeviceState, DeviceWorker, Job
from terminal.diagnostics.workshop import Workshop
from terminal.tui.technician.bindings import COMMON_BINDINGS
from terminal.tui.technician.command_input import CommandInput
from terminal.tui.technician.console_lines import ConsoleLines, RowLines
from terminal.tui.technician.facts import Facts
from terminal.tui.technician.journal import journal
from terminal.tui.technician.pane import Pane, as_strip
from terminal.tui.technician.place import example
from terminal.tui.technician.stress_box import StressBox
from terminal.tui.widgets.key_strip import StripKey
from terminal.tui.widgets.line import Line
from terminal.tui.widgets.message_line import MessageKind

_COUNTS = (10, 100, 1000, 10_000)
_ATR_STARTS = (0x3B, 0x3F)
_DEAD = (DeviceState.UNAVAILABLE, DeviceState.STUCK)
_EMPTY = "Nothing was sent yet. i, then a command in hexadecimal, or only Enter for SELECT PPSE."


class ReaderPane(Pane):
    """The card on the left, the console on the right."""

    TITLE = "Reader"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i,enter", "type", "Command", id="reader.type", tooltip="Type a command (APDU)"),
        Binding("s", "stress", "Stress", id="reader.stress", tooltip="Send SELECT PPSE again and again"),
        Binding(
            "a",
            "stress_last",
            "",
            show=False,
            id="reader.stress-last",
            tooltip="Stress with the last command",
        ),
        Binding(
            "plus,equals_sign",
            "count(1)",
            "More",
            show=False,
            id="reader.more",
            tooltip="Stress ten times as long",
        ),
        Binding(
            "minus", "count(-1)", "Fewer", show=False, id="reader.fewer", tooltip="Stress a tenth as long"
        ),
        Binding("x", "stop", "Stop", id="reader.stop", tooltip="End the stress loop"),
        Binding("g", "let_go", "Let go", id="reader.let-go", tooltip="Let go of the card, look anew"),
        Binding("l", "light", "Light", id="reader.light", tooltip="Switch the reader's next light on"),
        Binding("z", "beep", "Buzz", id="reader.beep", tooltip="Sound the reader's buzzer"),
        Binding("f", "field", "Field", id="reader.field", tooltip="Switch the radio field off or on"),
        Binding("n", "next", "Next", id="reader.next", tooltip="Take the next reader"),
        Binding(
            "up", "scroll_card(-3)", "Up", show=False, id="reader.up", tooltip="Scroll the card's side up"
        ),
        Binding(
            "down",
            "scroll_card(3)",
            "Down",
            show=False,
            id="reader.down",
            tooltip="Scroll the card's side down",
        ),
        Binding("pageup", "scroll(-8)", "Up", id="reader.back", tooltip="Scroll the console up"),
        Binding("pagedown", "scroll(8)", "Down", id="reader.on", tooltip="Scroll the console down"),
    ]

    def __init__(self, workshop: Workshop) -> None:
        super().__init__(workshop)
        self._number = 0
        self._bench: ReaderBench | None = None
        self._job: Job[Any] | None = None
        self._shown: ReaderState | None = None
        self._last = SELECT_PPSE
        self._count = 1

    def body(self) -> ComposeResult:
        """Card and console."""
        with Horizontal():
            with Vertical(id="reader-side"):
                with VerticalScroll(id="reader-card", classes="box", can_focus=False):
                    yield Line(id="reader-state")
                    yield Facts(id="reader-kernel")
                    yield Facts(id="reader-facts")
                    yield RowLines(id="reader-answer")
                yield StressBox(id="reader-stress", classes="box")
            with Vertical(id="reader-console", classes="box"):
                with VerticalScroll(id="reader-lines-box", can_focus=False):
                    yield ConsoleLines(id="reader-lines")
                with Horizontal(id="reader-entry"):
                    yield Line("› ", id="reader-prompt")
                    yield CommandInput(id="reader-command", placeholder="00A404000E32… (empty: SELECT PPSE)")

    def on_mount(self) -> None:
        """Name the console."""
        self.query_one("#reader-console").border_title = "Console"
        self.query_one("#reader-console").border_subtitle = "masked"

    # The reader

    @property
    def _worker(self) -> DeviceWorker[Any] | None:
        readers = self.workshop.pool.readers
        return readers[self._number % len(readers)] if readers else None

    def opened(self) -> None:
        """Take the reader."""
        worker = self._worker
        self._shown = None
        if worker is None:
            return
        self._bench = bench = ReaderBench(what_cards_are_told(self.workshop.config))
        self._job = worker.submit(bench.run)

    def left(self) -> None:
        """Give the reader back."""
        if self._bench is not None:
            self._bench.stop()
        if self._job is not None:
            self._job.cancel()
        self._bench = self._job = None

    # Drawing

    def tick(self) -> None:
        """Draw the bench where it has changed."""
        worker, box = self._worker, self.query_one("#reader-card")
        self.show_keys()
        if worker is None or self._bench is None:
            box.border_title = "No reader"
            self.query_one("#reader-state", Line).update(
                f"No reader is configured. {example(self.workshop, 'reader')}"
            )
            return
        status, state = worker.status, self._bench.state
        box.border_title = str(status.address)
        self._draw_state(state, status.state, status.text)
        before, self._shown = self._shown, state
        if state is before:
            return
        if before is not None and state.said != before.said:
            self.refuse(state.said[1])
        if before is None or state.card is not before.card:
            self._draw_card(state.card)
        self.query_one(StressBox).show(state.stress)
        if before is None or state.console is not before.console:
            self.query_one(ConsoleLines).show(state.console, _EMPTY)
            # The newest answer's status and time are seen first, however long it is.
            box, lines = self.query_one("#reader-lines-box"), self.query_one(ConsoleLines)
            box.call_after_refresh(lambda: box.scroll_to(y=lines.newest_top(), animate=False))

    def _draw_state(self, state: ReaderState, device: DeviceState, text: str) -> None:
        line = self.query_one("#reader-state", Line)
        if device in _DEAD:
            line.update(Content.assemble((f"✗ {text}", "bold $error"), "\nPane 1 has the cure."))
        elif not state.has_reader:
            line.update(Content.styled("… waits for the reader: it is in use", "$warning"))
        elif not state.field_on:
            line.update(Content.styled("○ the field is off; f switches it on", "$warning"))
        elif state.several or state.trouble:
            found = "\n".join(each.protocol for each in state.several)
            line.update(
                Content.assemble((f"! {state.trouble or 'several cards'}", "bold $warning"), f"\n{found}")
            )
        elif state.card is not None:
            held = " held, g lets go" if state.held else ""
            line.update(Content.assemble(("● card in the field", "bold $success"), held))
        else:
            line.update("○ hold a card to the reader")
        light = f"light: {state.light}" if state.light else ""
        self.query_one("#reader-card").border_subtitle = light

    def _draw_card(self, card: CardOnBench | None) -> None:
        kernel = self.query_one("#reader-kernel", Facts)
        facts: dict[str, str] = {}
        answer: tuple[Row, ...] = ()
        if card is None:
            kernel.show({})
        else:
            chosen = card.selection
            kernel.show(
                {
                    "kernel": chosen.text,
                    **({"application": chosen.label} if chosen.label else {}),
                    **({"AID": chosen.aid} if chosen.aid else {}),
                    **_others(card),
                }
            )
            if card.found is not None:
                facts = {"protocol": card.found.protocol, **card.found.details}
            answer = _answer(card.identification)
        self.query_one("#reader-facts", Facts).show(facts)
        self.query_one("#reader-answer", RowLines).show(answer)

    # Keys

    def strip(self) -> list[StripKey]:
        """Return the console's keys alone while a command is typed."""
        if not self.is_mounted or not self.query_one(CommandInput).has_focus:
            return super().strip()
        return as_strip([*CommandInput.STRIP, *(each for each in COMMON_BINDINGS if each.key == "escape")])

    def idle_keys(self) -> Collection[str]:
        """Leave out what does nothing with this reader, or nothing now."""
        state = self._bench.state if self._bench is not None else ReaderState()
        works = {
            "reader.type": state.has_reader,
            "reader.stress": state.has_reader,
            "reader.stop": state.stress is not None and state.stress.running,
            "reader.let-go": state.held,
            "reader.light": bool({"lights", "signals"} & set(state.can)),
            "reader.beep": "buzzer" in state.can,
            "reader.field": "field" in state.can,
            "reader.next": len(self.workshop.pool.readers) > 1,
            "reader.back": bool(state.console),
            "reader.on": bool(state.console),
        }
        return {name for name, does in works.items() if not does}

    def _ready(self) -> ReaderBench | None:
        """Return the bench; None, and a sentence, where there is no reader to work with."""
        if self._bench is None:
            self.refuse("There is no reader")
        elif (worker := self._worker) is not None and worker.status.state in _DEAD:
            self.refuse(f"The reader can't be used: {worker.status.text}; pane 1 has the cure")
        else:
            return self._bench
        return None

    def action_type(self) -> None:
        """Go to the console."""
        self.query_one(CommandInput).focus()

    async def action_submit(self) -> None:
        """Send what is typed: for clicks on the console's keys."""
        await self.query_one(CommandInput).action_submit()

    def action_earlier(self, step: int) -> None:
        """Bring an earlier command back, likewise."""
        self.query_one(CommandInput).action_earlier(step)

    def on_descendant_focus(self) -> None:
        """Show the console's keys."""
        self.show_keys()

    def on_descendant_blur(self) -> None:
        """Show the pane's keys again."""
        self.show_keys()

    def on_command_input_typed(self, message: CommandInput.Typed) -> None:
        """Send what was typed."""
        message.stop()
        try:
            capdu = parse_apdu(message.text) if message.text else SELECT_PPSE
        except ApduError as error:
            self.refuse(str(error))
            return
        if (bench := self._ready()) is not None:
            self._last = capdu
            self.say("")
            journal.info("%s: a command sent to a card by hand", self._reader_name)
            bench.send(capdu)

    @property
    def _reader_name(self) -> str:
        worker = self._worker
        return f"reader {worker.status.address}" if worker is not None else "no reader"

    def action_count(self, step: int) -> None:
        """Choose how long the stress loop is."""
        self._count = max(0, min(len(_COUNTS) - 1, self._count + step))
        self.say(f"The stress loop sends {_COUNTS[self._count]} commands; s begins")

    def action_stress(self) -> None:
        """Send SELECT PPSE again and again."""
        self._stress(SELECT_PPSE)

    def action_stress_last(self) -> None:
        """Send the last command again and again."""
        self._stress(self._last)

    def _stress(self, capdu: bytes) -> None:
        if (bench := self._ready()) is not None:
            count = _COUNTS[self._count]
            self.say(f"{count} commands; x stops, + and - choose how many")
            journal.info("%s: %d commands sent to a card as a stress loop", self._reader_name, count)
            bench.stress(capdu, count)

    def action_stop(self) -> None:
        """End the stress loop. Its figures stay."""
        stress = self._bench.state.stress if self._bench is not None else None
        if self._bench is not None and stress is not None and stress.running:
            self._bench.stop()
        else:
            self.refuse("No stress loop is running")

    def action_let_go(self) -> None:
        """Let go of the card."""
        bench = self._ready()
        if bench is not None and not bench.state.held and bench.state.card is None:
            self.refuse("There is no card to let go of")
        elif bench is not None:
            bench.let_go()

    def action_light(self) -> None:
        """Switch the next light on."""
        if (bench := self._ready()) is not None:
            bench.next_light()

    def action_beep(self) -> None:
        """Sound the buzzer."""
        if (bench := self._ready()) is not None:
            bench.beep()

    def action_field(self) -> None:
        """Switch the field."""
        if (bench := self._ready()) is not None:
            bench.turn_field()

    def action_next(self) -> None:
        """Take the next reader."""
        readers = self.workshop.pool.readers
        if len(readers) < 2:
            self.say("There is no other reader", MessageKind.REFUSAL)
            return
        self.leave()
        self._number = (self._number + 1) % len(readers)
        self.enter()

    def action_scroll(self, lines: int) -> None:
        """Scroll the console."""
        self.query_one("#reader-lines-box").scroll_relative(y=lines, animate=False)

    def action_scroll_card(self, lines: int) -> None:
        """Scroll what is known of the card."""
        self.query_one("#reader-card").scroll_relative(y=lines, animate=False)


def _others(card: CardOnBench) -> dict[str, str]:
    """Return the applications of the directory, where there is more than the one that is chosen."""
    found = card.selection.directory
    if len(found) < 2:
        return {}
    return {"directory": "\n".join(f"{each.priority or '-'} {each.label or each.aid}" for each in found)}


def _answer(identification: bytes) -> tuple[Row, ...]:
    """Return what the card said when it was activated, decoded."""
    if not identification:
        return ()
    is_atr = identification[0] in _ATR_STARTS and identification[0] != len(identification)
    head = Row(0, "ATR" if is_atr else "ATS", identification.hex(" ").upper())
    try:
        nodes = explain_atr(identification) if is_atr else explain_ats(identification)
    except DecodeError as error:
        return (head, Row(1, "damaged", error.reason))
    return (head, *(Row(1, row.name, row.text) for row in rows_of(nodes)))
