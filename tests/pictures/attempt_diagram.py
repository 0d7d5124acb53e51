"""Draws the attempt machine for the README by walking it: every state, every event, where it leads.

python -m tests.pictures.attempt_diagram     writes the diagram into README.md
"""

import copy
from collections import deque
from pathlib import Path

from terminal.payment.attempt import TRANSITIONS, Attempt
from terminal.payment.attempt_events import (
    Answer,
    Answered,
    CancelAsked,
    Event,
    Expired,
    Plan,
    Presented,
    Saved,
    SaveFailed,
    State,
    TimerFired,
    Verdict,
)

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- attempt machine: generated -->", "<!-- end -->"

_PLANS = (
    Plan(query_every_s=1, lifetime_s=1),
    Plan(query_every_s=1, lifetime_s=1, watch_every_s=1, watch_s=1, accept_late=True),
)
_EVENTS: tuple[tuple[str, Event], ...] = (
    *(("presented", Presented(plan, offline_refusal="")) for plan in _PLANS),
    ("card declined", Presented(_PLANS[0], refusal="declined")),
    ("card approved", Presented(_PLANS[0], offline_refusal="", approved=True)),
    ("saved", Saved()),
    ("not saved", SaveFailed("", absent=True)),
    ("order paid", SaveFailed("", absent=True, order_paid=True)),
    ("replayed", SaveFailed("", absent=True, replayed=True)),
    *((verdict.value, Answered(Answer(verdict))) for verdict in Verdict),
    ("pause over", TimerFired()),
    ("time over", Expired()),
    ("cancel", CancelAsked()),
)
Edges = dict[tuple[State, State], list[str]]


def edges() -> Edges:
    """Return what leads from which state to which, found by trying every event everywhere."""
    found: Edges = {}
    seen: set[tuple[object, ...]] = set()
    waiting = deque([Attempt()])
    while waiting:
        attempt = waiting.popleft()
        for name, event in _EVENTS:
            if type(event) not in TRANSITIONS[attempt.state]:
                continue
            after = copy.deepcopy(attempt)
            after.handle(event)
            names = found.setdefault((attempt.state, after.state), [])
            if after.state is not attempt.state and name not in names:
                names.append(name)
            kept = (after.plan, after.ending, after.late, after.result, after.after_result, after.unsaved)
            key = (after.state, after.shown, *kept)
            if key not in seen:
                seen.add(key)
                waiting.append(after)
    return {pair: names for pair, names in found.items() if names}


def diagram() -> str:
    """Return the machine as a Mermaid state diagram."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> ARMED"]
    for (before, after), names in sorted(edges().items(), key=lambda item: [s.name for s in item[0]]):
        lines.append(f"    {before.name} --> {after.name}: {', '.join(names)}")
    return "\n".join([*lines, "    DONE --> [*]", "```"])


def written(readme: str) -> str:
    """Return the README with the diagram in its place."""
    head, _, rest = readme.partition(BEGIN)
    return f"{head}{BEGIN}\n{diagram()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    README.write_text(written(README.read_text("utf-8")), "utf-8")
