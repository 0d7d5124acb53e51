"""The terminal's EMV configuration as one TOML text; `default.toml` is one, and explains it.

    [terminal]           what the terminal is: the fields of `EmvConfig`
    [guard]              what follows where a tap looks like an attack: the fields of `GuardPolicy`
    [kernel.3]           what every application of kernel 3 has, where its own table says nothing else
    [kernel.3.options]   the same of the kernel's settings: the fields of `C3Options`, `C2Options`...
    [[application]]      one row of applications: `aids`, `kernel`, `types`, and whatever it has of its own

That is all the inheritance there is: a row's value counts, else its kernel's, else the default of the
field. A field is called here as in `CombinationConfig`, `EmvConfig` and the classes of options, and each
field's docstring is its documentation. For one application that differs by transaction type there are
two rows with the types of each.

How values are written:

- amounts: whole numbers in minor units of the terminal's currency, as limits are told and compared:
  5000 is 50.00 EUR;
- "none": a limit that is absent;
- bytes: hexadecimal text;
- bit fields (TTQ, action codes): hexadecimal text, or the list of the bits' names;
- "shop": what the shop's own settings say, by the same name (`cvm_limit`, `country`...).

A key that is not known is an error, and so is a kernel that there is not, or one that no application
uses. Errors name line and field.

Spec: EMV Contactless Book A, 5.4 (Entry Point configuration data).
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
import types
import typing
from collections.abc import Collection, Iterator, Mapping
from enum import Enum, IntFlag
from importlib.resources import files
from typing import Any

from emv.c2_options import C2Options
from emv.c3_options import C3Options
from emv.c6_options import C6Options
from emv.c7_options import C7Options
from emv.config import CASH, CASHBACK, PURCHASE, REFUND, CombinationConfig, EmvConfig
from emv.emv_options import EmvOptions
from emv.guard_policy import GuardPolicy
from emv.toml_lines import Path, line_of

OPTIONS: Mapping[int, type] = {
    2: C2Options,
    3: C3Options,
    4: EmvOptions,
    5: EmvOptions,
    6: C6Options,
    7: C7Options,
}
"""The class of each kernel's settings. There are no other kernels."""

TYPES = {"purchase": PURCHASE, "cash": CASH, "cashback": CASHBACK, "refund": REFUND}
"""Transaction types by name; others are written as numbers, as in tag 9C."""

SHOP, NONE = "shop", "none"

_FROM_TERMINAL = {field.name for field in dataclasses.fields(EmvConfig)} - {
    "combinations",
    "ca_keys",
    "guard",
}
_FROM_ROW = {field.name for field in dataclasses.fields(CombinationConfig)} - {
    "aid",
    "kernel_id",
    "transaction_types",
}
_ROW_KEYS = {"aids", "kernel", "types"}


class ConfigFileError(ValueError):
    """A fault in the text. The message says line, field and what is allowed.

    Args:
        line: Where, from 1.
        what: What is wrong, the field in front.
    """

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"line {line}: {what}")
        self.line = line
        self.what = what


class _FieldError(Exception):
    """A fault at one key; `parse` adds the line."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(what)
        self.path = path


def default_text() -> str:
    """Return the text of the default configuration, an attended counter."""
    return (files(__package__) / "default.toml").read_text("utf-8")


def parse(
    text: str,
    shop: Mapping[str, Any] = types.MappingProxyType({}),
    kernels: Collection[int] = tuple(OPTIONS),
) -> EmvConfig:
    """Return the configuration in a text.

    Args:
        text: TOML.
        shop: What stands for "shop", by the name of the field: text, numbers or None.
        kernels: The numbers of the kernels there are.

    Raises:
        ConfigFileError: it is none.
    """
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # TOMLDecodeError; or a number of thousands of digits, or tables without end, which it lets through.
        where = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)", str(error))
        line = int(where[1]) if where and where[1] else text.count("\n") + 1
        what = str(error)[: where.start()] if where else str(error)
        raise ConfigFileError(line, f"not valid TOML: {what}") from error
    try:
        return _Reader(shop, kernels).config(values)
    except _FieldError as error:
        name = "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in error.path)
        raise ConfigFileError(line_of(text, error.path), f"{name[1:]}: {error}") from error


class _Reader:
    """Turns tables into configuration."""

    def __init__(self, shop: Mapping[str, Any], numbers: Collection[int]) -> None:
        self._shop = shop
        self._numbers = numbers

    def config(self, tables: Mapping[str, Any]) -> EmvConfig:
        _known(tables, {"terminal", "guard", "kernel", "application"}, ())
        terminal = self._fields(EmvConfig, _FROM_TERMINAL, tables.get("terminal"), ("terminal",))
        guard = self._value(GuardPolicy, tables.get("guard", {}), ("guard",))
        kernels = dict(self._kernels(_table(tables.get("kernel", {}), ("kernel",))))
        rows: list[CombinationConfig] = []
        places: dict[tuple[bytes, int, int], Path] = {}
        for place, table in enumerate(_list(tables.get("application", []), ("application",))):
            path: Path = ("application", place)
            for row in self._rows(_table(table, path), kernels, path):
                for kind in sorted(row.transaction_types):
                    if places.setdefault((row.aid, row.kernel_id, kind), path) != path:
                        what = f"{row.aid.hex().upper()} has another row for kernel {row.kernel_id} already"
                        raise _FieldError(path, f"{what} and transaction type {kind:02X}")
                rows.append(row)
        if not rows:
            raise _FieldError(("application",), "missing, and at least one is required")
        for name in tables.get("kernel", {}):
            if int(name, 0) not in {row.kernel_id for row in rows}:
                raise _FieldError(("kernel", name), "no [[application]] has this kernel: remove the table")
        terminal |= {"combinations": tuple(rows), "guard": guard}
        config: EmvConfig = _make(EmvConfig, terminal, ("terminal",))
        return config

    def _kernels(self, tables: Mapping[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield each kernel's number and what its applications have."""
        for name, value in tables.items():
            path: Path = ("kernel", name)
            try:
                number = int(name, 0)
            except ValueError:
                raise _FieldError(path, "a kernel has a number, such as [kernel.3]") from None
            self._there(number, path)
            table = _table(value, path)
            _known(table, _FROM_ROW, path)
            yield number, self._row(number, table, path)

    def _rows(
        self, table: Mapping[str, Any], kernels: Mapping[int, dict[str, Any]], path: Path
    ) -> Iterator[CombinationConfig]:
        """Yield a row of the configuration for each AID of a table."""
        _known(table, _FROM_ROW | _ROW_KEYS, path)
        for key in ("aids", "kernel"):
            if key not in table:
                raise _FieldError((*path, key), "missing, and it is required")
        kernel = self._value(int, table["kernel"], (*path, "kernel"))
        self._there(kernel, (*path, "kernel"))
        of_kernel = kernels.get(kernel, {})
        own = self._row(kernel, {key: table[key] for key in table if key in _FROM_ROW}, path)
        values = {**of_kernel, **own}
        options = {**of_kernel.get("options", {}), **own.get("options", {})}
        kind = OPTIONS.get(kernel)
        values["options"] = _make(kind, options, (*path, "options")) if kind is not None else None
        if "types" in table:
            values["transaction_types"] = self._types(table["types"], (*path, "types"))
        aids = self._value(tuple[bytes, ...], table["aids"], (*path, "aids"))
        for place, aid in enumerate(aids):
            if aid in aids[:place]:
                raise _FieldError((*path, "aids", place), f"{aid.hex().upper()} is listed already")
            yield _make(CombinationConfig, {**values, "aid": aid, "kernel_id": kernel}, path)

    def _there(self, kernel: int, path: Path) -> None:
        if kernel not in self._numbers:
            allowed = ", ".join(f"{number:X}" for number in self._numbers)
            raise _FieldError(path, f"there is no kernel {kernel:X}; allowed are {allowed}")

    def _row(self, kernel: int, table: Mapping[str, Any], path: Path) -> dict[str, Any]:
        """Return the values of a row's or a kernel's table, its options as a mapping."""
        values = self._fields(CombinationConfig, _FROM_ROW - {"options"}, _without(table, "options"), path)
        if "options" not in table:
            return values
        kind = OPTIONS.get(kernel)
        if kind is None:
            raise _FieldError((*path, "options"), f"kernel {kernel} has no settings of its own")
        names = {field.name for field in dataclasses.fields(kind)}
        return {**values, "options": self._fields(kind, names, table["options"], (*path, "options"))}

    def _types(self, value: Any, path: Path) -> frozenset[int]:
        found = []
        for place, item in enumerate(_list(value, path)):
            if type(item) is not int and not (isinstance(item, str) and item in TYPES):
                allowed = ", ".join(f'"{name}"' for name in TYPES)
                raise _FieldError((*path, place), f"{item!r} is not one of {allowed}, nor a number as in 9C")
            found.append(item if isinstance(item, int) else TYPES[item])
        return frozenset(found)

    def _fields(self, kind: type, names: set[str], value: Any, path: Path) -> dict[str, Any]:
        """Return the values of a table whose keys are fields of `kind`."""
        table = _table({} if value is None else value, path)
        _known(table, names, path)
        hints = typing.get_type_hints(kind)
        return {key: self._value(hints[key], item, (*path, key)) for key, item in table.items()}

    def _value(self, kind: Any, value: Any, path: Path) -> Any:
        if value == SHOP:
            value = self._from_shop(str(path[-1]), path)
        if isinstance(kind, types.UnionType):
            if value in (NONE, None):
                return None
            kind = next(part for part in typing.get_args(kind) if part is not type(None))
        origin, inner = typing.get_origin(kind), typing.get_args(kind)
        if origin in (tuple, frozenset):
            items = enumerate(_list(value, path))
            return origin(self._value(inner[0], item, (*path, place)) for place, item in items)
        if origin in (dict, Mapping):
            return dict(self._by_tag(inner[1], _table(value, path), path))
        if dataclasses.is_dataclass(kind) and isinstance(kind, type):
            names = {field.name for field in dataclasses.fields(kind)}
            return _make(kind, self._fields(kind, names, value, path), path)
        return _plain(kind, value, path)

    def _from_shop(self, name: str, path: Path) -> Any:
        if name not in self._shop:
            known = ", ".join(sorted(self._shop)) or "nothing"
            raise _FieldError(path, f"the shop's settings say {known}, not this: write a value")
        return self._shop[name]

    def _by_tag(self, kind: Any, table: Mapping[str, Any], path: Path) -> Iterator[tuple[int, Any]]:
        for key, item in table.items():
            if not re.fullmatch(r"([0-9A-Fa-f]{2}){1,4}", key):
                raise _FieldError((*path, key), 'a tag is hexadecimal, such as 9F09 = "0002"')
            yield int(key, 16), self._value(kind, item, (*path, key))


def _plain(kind: Any, value: Any, path: Path) -> Any:
    """Return a value that holds no others."""
    if kind is float and type(value) is int:
        return float(value)
    if kind in (int, float, bool, str):
        if type(value) is not kind:
            words = {int: "a whole number", float: "a number", bool: "true or false", str: "text in quotes"}
            raise _FieldError(path, f"must be {words[kind]}, not {value!r}")
        return value
    if kind is bytes:
        return _hexadecimal(value, path)
    if isinstance(kind, type) and issubclass(kind, IntFlag):
        if isinstance(value, str):
            return kind(int.from_bytes(_hexadecimal(value, path), "big"))
        bits = kind(0)
        for place, name in enumerate(_list(value, path)):
            bits |= _member(kind, name, (*path, place))
        return bits
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _member(kind, value, path)
    raise _FieldError(path, "can't be set in a file")


def _member(kind: Any, name: Any, path: Path) -> Any:
    if not isinstance(name, str) or name not in kind.__members__:
        raise _FieldError(path, f"{name!r} is not one of {', '.join(kind.__members__)}")
    return kind[name]


def _hexadecimal(value: Any, path: Path) -> bytes:
    digits = value.replace(" ", "") if isinstance(value, str) else "?"
    if not re.fullmatch(r"([0-9A-Fa-f]{2})*", digits):
        raise _FieldError(path, f'must be hexadecimal digits in quotes, such as "9F02", not {value!r}')
    return bytes.fromhex(digits)


def _make(kind: Any, values: Mapping[str, Any], path: Path) -> Any:
    for field in dataclasses.fields(kind):
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and field.name not in values:
            raise _FieldError((*path, field.name), "missing, and it is required")
    try:
        return kind(**values)
    except (ValueError, TypeError) as error:
        raise _FieldError(path, str(error)) from error


def _known(table: Mapping[str, Any], names: set[str], path: Path) -> None:
    for key in table:
        if key not in names:
            raise _FieldError((*path, key), f"unknown key; allowed here: {', '.join(sorted(names))}")


def _without(table: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name != key}


def _table(value: Any, path: Path) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _FieldError(path, "must be a table")
    return value


def _list(value: Any, path: Path) -> list[Any]:
    if not isinstance(value, list):
        raise _FieldError(path, "must be a list")
    return value
