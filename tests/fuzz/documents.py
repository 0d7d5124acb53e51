"""JSON documents in which some values are others than they should be."""

from __future__ import annotations

import copy
import json
from typing import Any

from tests.fuzz.choices import Choices

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 0.5, 1e300, 10**400, float("nan"), float("inf"), "", "00", "zz", "03"),
    *(
        [],
        {},
        [[]],
        [{}],
        ["00"],
        {"": None},
        "A000000003",
        "9F02",
        "2026-05-09",
        "9999-99-99",
        "contact",
        "٠٠",
    ),
    *(5 * "00", 500 * "00", 64 * "FF", "00A4040000", "9000", "6A82", "é\ud800"),
)


def changed(document: str, choices: Choices) -> str:
    """Return a document with up to seven other values, or without some."""
    whole = json.loads(document)
    for _ in range(choices.byte() & 0x07):
        whole = _changed(whole, choices)
    return json.dumps(whole)


def _changed(value: Any, choices: Choices) -> Any:
    told = choices.byte()
    if not told & 1 or not isinstance(value, dict | list) or not value:
        if told & 0x80 and isinstance(value, str):
            return value[: choices.byte()] + choices.take(choices.byte() & 0x0F).hex()
        return copy.deepcopy(choices.pick(VALUES))
    places: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
    place = choices.pick(places)
    match told >> 1 & 7:
        case 1:
            del value[place]
        case 2 if isinstance(value, list):
            value.append(copy.deepcopy(value[place]))
        case 3 if isinstance(value, dict):
            value[choices.pick(("rid", "keys", "cases", "9F37", "x", "0F02", ""))] = copy.deepcopy(
                value[place]
            )
        case _:
            value[place] = _changed(value[place], choices)
    return value
