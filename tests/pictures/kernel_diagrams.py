"""Draws Entry Point and every kernel for emv/README.md, out of their tables of transitions.

A kernel's table says which method takes which event in which state. Where the method leads is read from
its source: every state that it, or a method or function it calls, names. So a diagram shows each way there
is, and a new kernel is drawn as soon as it is in `KERNELS`. Entry Point is walked instead, with a kernel
that comes to every outcome: its methods lead to too many places for reading to tell them apart.

python -m tests.pictures.kernel_diagrams     writes the diagrams into emv/README.md
"""

import ast
import copy
import datetime
import importlib
import inspect
import textwrap
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import Enum
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any, TypeAlias

from emv import entry_point, tlv
from emv.apdu import CommandApdu, ResponseApdu, StatusWord
from emv.config import CombinationConfig, EmvConfig
from emv.entry_point import KERNELS, EntryPoint
from emv.kernel import (
    Actions,
    Activation,
    Begin,
    CardAnswered,
    CardFound,
    CardLost,
    Collision,
    Complete,
    Event,
    Restart,
    SendCommand,
    Transaction,
    Transitions,
)
from emv.outcome import Outcome, OutcomeKind, Start, try_again
from emv.tags import Tag

README = Path(__file__).parents[2] / "emv" / "README.md"
BEGIN, END = "<!-- machines: generated -->", "<!-- end -->"

_WORDS: dict[type, str] = {
    Begin: "begin",
    CardFound: "card found",
    Collision: "collision",
    CardAnswered: "answered",
    CardLost: "card lost",
    Restart: "restart",
}
Edges: TypeAlias = dict[tuple[Enum, Enum], list[str]]


def edges(kind: type[Any], table: Transitions) -> Edges:
    """Return what leads from which state to which, in the order of the states."""
    states = type(next(iter(table)))
    found: Edges = {}
    for before, events in table.items():
        for event, method in events.items():
            for after in _named(method, kind, states):
                found.setdefault((before, after), []).append(_WORDS[event])
    return _ordered(found, table)


def _ordered(found: Edges, table: Transitions) -> Edges:
    order = list(table)
    return dict(sorted(found.items(), key=lambda item: [order.index(state) for state in item[0]]))


def _named(start: Callable[..., Any], kind: type[Any], states: type[Enum]) -> set[Enum]:
    """Return every state that a function names, or one it calls, as a method of `kind` would."""
    named, seen, waiting = set(), set(), [start]
    while waiting:
        function = waiting.pop()
        if function in seen:
            continue
        seen.add(function)
        for name, member in _uses(function):
            owner = kind if name == "self" else function.__globals__.get(name)
            if not member:
                waiting += _functions(owner)
            elif owner is states:
                named.add(states[member])
            elif name == "self" or inspect.ismodule(owner):
                waiting += _functions(getattr(owner, member, None))
    return named


def _functions(thing: Any) -> list[FunctionType]:
    """Return the function of a method, property or name of this package, or nothing."""
    thing = thing.fget if isinstance(thing, property) else thing
    ours = isinstance(thing, FunctionType) and thing.__module__.startswith("emv.")
    return [thing] if ours else []


@cache
def _uses(function: Callable[..., Any]) -> tuple[tuple[str, str], ...]:
    """Return the names that a function uses: (owner, member), or (name, "") alone."""
    return tuple(_walk(ast.parse(textwrap.dedent(inspect.getsource(function)))))


def _walk(node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Compare):
        # A state that is compared with is not one that is gone to.
        return
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        yield node.value.id, node.attr
    elif isinstance(node, ast.Name):
        yield node.id, ""
    for child in ast.iter_child_nodes(node):
        yield from _walk(child)


class AnyOutcome:
    """A kernel that comes to the outcome that its card names: kind and start, a byte each."""

    def __init__(self, activation: Activation) -> None:
        pass

    def handle(self, event: Event) -> Actions:
        if isinstance(event, Begin):
            return (SendCommand(CommandApdu(0x80, 0xA8, 0, 0)),)
        if isinstance(event, CardLost) or not isinstance(event, CardAnswered):
            return (Complete(try_again("lost")),)
        if len(event.rapdu.data) != 2:
            return (SendCommand(CommandApdu(0x00, 0xB2, 0, 0)),)
        kind, start = event.rapdu.data
        outcome = Outcome(kind=list(OutcomeKind)[kind], reason="", start=list(Start)[start])
        return (Complete(outcome),)


def entry_point_edges() -> Edges:
    """Return what leads where in Entry Point, found by trying every event everywhere."""
    found: Edges = {}
    config = EmvConfig(country="276", currency="978", combinations=(_ROW,))
    waiting, seen = deque([EntryPoint(config, {_ROW.kernel_id: AnyOutcome})]), set()
    while waiting:
        machine = waiting.popleft()
        for event in _EVENTS:
            if type(event) not in entry_point.TRANSITIONS[machine.state]:
                continue
            after = copy.copy(machine)
            after.handle(event)
            words = found.setdefault((machine.state, after.state), [])
            if _WORDS[type(event)] not in words:
                words.append(_WORDS[type(event)])
            inside = vars(after)
            begin, outcome = inside["_begin"], inside.get("_outcome")
            known = (begin.polls, begin.preprocess, inside["_start"], inside["_restart"])
            left = (len(inside["_candidates"]), bool(inside["_online_response"]))
            key = (after.state, known, left, outcome and (outcome.kind, outcome.start))
            if key not in seen:
                seen.add(key)
                waiting.append(after)
    return _ordered(found, entry_point.TRANSITIONS)


_AID = bytes.fromhex("F0000000010101")
_ROW = CombinationConfig(aid=_AID, kernel_id=9, transaction_limit=1000)
_PAYMENT = Transaction(
    amount_minor=100,
    currency="978",
    date=datetime.date(2026, 5, 9),
    time=datetime.time(12),
    unpredictable_number=bytes(4),
)
_ENTRY = (int(Tag.APPLICATION_TEMPLATE), ((int(Tag.ADF_NAME), _AID),))
_DIRECTORY = tlv.encode(
    [(Tag.FCI_TEMPLATE, ((int(Tag.FCI_PROPRIETARY), ((int(Tag.FCI_DISCRETIONARY), (_ENTRY, _ENTRY)),)),))]
)
_EVENTS: tuple[Event, ...] = (
    *(Begin(_PAYMENT, polls=polls) for polls in (False, True)),
    Begin(replace(_PAYMENT, amount_minor=1000)),
    CardFound(),
    Collision(),
    CardAnswered(ResponseApdu(_DIRECTORY, StatusWord(0x9000))),
    CardAnswered(ResponseApdu(b"", StatusWord(0x6A82))),
    *(
        CardAnswered(ResponseApdu(bytes((kind, start)), StatusWord(0x9000)))
        for kind in range(len(OutcomeKind))
        for start in range(len(Start))
    ),
    CardLost(),
    Restart(),
    Restart(online_response=b"\x8a\x00"),
)


def diagram(table: Transitions, found: Edges) -> str:
    """Return one machine as a Mermaid state diagram."""
    states = list(table)
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {states[0].name}"]
    for (before, after), words in found.items():
        lines.append(f"    {before.name} --> {after.name}: {', '.join(words)}")
    lines += [f"    {state.name} --> [*]" for state in states if not table[state]]
    return "\n".join([*lines, "```"])


def sections() -> Iterator[str]:
    """Yield Entry Point's section and one a table of the kernels."""
    yield f"### Entry Point\n\n{diagram(entry_point.TRANSITIONS, entry_point_edges())}"
    drawn: dict[str, list[int]] = {}
    for number, factory in sorted(KERNELS.items()):
        table = importlib.import_module(factory.__module__).TRANSITIONS
        assert isinstance(factory, type)
        drawn.setdefault(diagram(table, edges(factory, table)), []).append(number)
    for picture, numbers in drawn.items():
        yield f"### {_title(numbers)}\n\n{_remarks(numbers)}{picture}"


def _title(numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"Kernel {numbers[0]}"
    return f"Kernels {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


def _remarks(numbers: list[int]) -> str:
    """Return what each kernel is, and why it is unverified if it is."""
    lines = []
    for number in numbers:
        factory: Any = KERNELS[number]
        module = importlib.import_module(factory.__module__)
        first = (module.__doc__ or "").partition("\n")[0]
        lines.append(f"- [{Path(module.__file__ or '').name}]({Path(module.__file__ or '').name}): {first}")
        if not getattr(factory, "VERIFIED", True):
            lines.append(f"  Unverified: {factory.UNVERIFIED_BECAUSE}.")
    return "\n".join(lines) + "\n\n"


def written(readme: str) -> str:
    """Return the text with the diagrams in their place."""
    head, _, rest = readme.partition(BEGIN)
    pictures = "\n\n".join(sections())
    return f"{head}{BEGIN}\n{pictures}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    README.write_text(written(README.read_text("utf-8")), "utf-8")
