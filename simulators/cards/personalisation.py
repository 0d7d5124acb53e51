"""Makes a dataclass out of a TOML table, by the types of its fields: bytes are in hex, enums by value."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import is_dataclass
from enum import Enum
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def build(kind: type[T], table: Mapping[str, Any]) -> T:
    """Return an instance. Unknown keys and bad values are a TypeError or ValueError, which names the key."""
    hints = get_type_hints(kind)
    values = {}
    for key, value in table.items():
        if key not in hints:
            raise TypeError(f"unknown key {key}; there are {', '.join(sorted(hints))}")
        try:
            values[key] = _value(hints[key], value)
        except (ValueError, TypeError, AttributeError) as error:
            raise type(error)(f"{key}: {error}") from error
    return kind(**values)


def _value(hint: Any, value: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if isinstance(hint, types.UnionType):
        return _value(next(each for each in arguments if each is not types.NoneType), value)
    if origin is tuple:
        return tuple(_value(arguments[0], each) for each in value)
    if origin is not None:
        return {key: _value(arguments[1], each) for key, each in value.items()}
    if hint is bytes:
        return bytes.fromhex(value)
    if hint in (int, str, bool) and type(value) is not hint:
        raise TypeError(f"must be {hint.__name__}, not {value!r}")
    if issubclass(hint, Enum):
        return hint(value)
    nested: Any = hint
    return build(nested, value) if is_dataclass(hint) else value
