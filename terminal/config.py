"""Configuration: one TOML file into frozen dataclasses. Each field's docstring is its documentation.

An unknown key is an error, and every error names file, line, field and what is allowed. Secrets are
never in the file: a field names the file that holds them.
"""

from __future__ import annotations

import dataclasses
import math
import re
import tomllib
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from babel import Locale, UnknownLocaleError

from drivers.address import AddressError, DeviceAddress
from drivers.address import parse as parse_address
from emv.toml_lines import line_of
from terminal.money import Money, MoneyError, exponent
from terminal.money import parse as parse_money


class ConfigError(Exception):
    """Faults in the configuration file; the message has a line for each: where, and what is allowed."""


class OfflineMode(StrEnum):
    """What happens to a card payment when the host can't be reached."""

    REQUIRE_ONLINE = "require online"
    """It is declined."""
    PREFER_ONLINE = "prefer online"
    """It is taken within the offline limits, shown as such, at the merchant's risk."""
    FORCE_OFFLINE = "force offline"
    """The host is not asked at all, as if it could not be reached."""


class LatePaid(StrEnum):
    """What happens to a shown code that is paid after it expired."""

    ACCEPT = "accept"
    """It is accepted and shown, unless the order has been paid otherwise: then it is refunded."""
    REFUND = "refund"
    """It is refunded and shown."""


class PrintReceipt(StrEnum):
    """When a receipt is printed, where there is a printer."""

    ALWAYS = "always"
    """Each result's, by itself."""
    ON_REQUEST = "on request"
    """When the cashier presses the key for it."""
    NEVER = "never"
    """Not even then."""


@dataclass(frozen=True, slots=True)
class Shop:
    """Table ``[shop]``."""

    name: str
    """The name on the screen and on receipts."""
    currency: str
    """ISO 4217 code of all amounts, such as ``EUR`` or ``CNY``."""
    country: str
    """ISO 3166-1 numeric code of the terminal's country, three digits, such as ``"156"``."""
    locale: str = "en_GB"
    """How amounts and times are written, such as ``en_GB`` or ``zh_CN``."""
    address: tuple[str, ...] = ()
    """Lines under the name on receipts."""
    simulated: bool = False
    """True where hosts and money are simulated: the screen says so all the time."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """Table ``[terminal]``."""

    id: str
    """This terminal's own name at the host: 1 to 16 capital letters and digits."""


@dataclass(frozen=True, slots=True)
class Cards:
    """Table ``[cards]``."""

    cvm_limit: str = "50.00"
    """From this amount on the cardholder is verified, by phone or signature; in the shop's currency."""
    floor_limit: str = "0.00"
    """Up to this amount a genuine card may approve by itself, offline; with 0 every card goes online."""
    emv: Path | None = None
    """Which applications are taken, and how, in place of the built-in `emv/default.toml`."""
    ca_keys: Path | None = None
    """The schemes' public keys, JSON. Without them no card is authenticated, and none approved offline."""


@dataclass(frozen=True, slots=True)
class Devices:
    """Table ``[devices]``: device addresses, such as ``pcsc:ACS ACR122U`` or ``camera:0``."""

    readers: tuple[DeviceAddress, ...] = ()
    """Contactless readers. All of them are armed for each payment."""
    scanners: tuple[DeviceAddress, ...] = ()
    """Cameras and scanners for codes that a customer shows."""
    printers: tuple[DeviceAddress, ...] = ()
    """Receipt printers, such as ``escpos:192.0.2.7:9100``. The first that works prints."""
    displays: tuple[DeviceAddress, ...] = ()
    """Displays that the customer sees, such as ``serial-display:/dev/ttyUSB1``."""
    sounders: tuple[DeviceAddress, ...] = ()
    """What is heard, such as ``sound-card:``."""


@dataclass(frozen=True, slots=True)
class HostConfig:
    """Table ``[host]``."""

    url: str
    """Where the host is, such as ``https://pay.example.com:8443``."""
    ca_file: Path | None = None
    """The certificate authority that the host's certificate must come from; the system's without it."""


@dataclass(frozen=True, slots=True)
class Offline:
    """Table ``[offline]``: what may be taken when the host can't be reached."""

    mode: OfflineMode = OfflineMode.PREFER_ONLINE
    """``require online``, ``prefer online`` or ``force offline``."""
    limit_each: str = "50"
    """The largest single payment, in the shop's currency."""
    limit_count: int = 75
    """How many payments may wait for the host at once."""
    limit_total: str = "1000"
    """Their largest sum, in the shop's currency."""
    limit_hours: int = 24
    """For how long the oldest of them may wait."""


@dataclass(frozen=True, slots=True)
class AlipayConfig:
    """Table ``[alipay]``. Without the table the terminal takes no Alipay."""

    gateway: str
    """The gateway's address, such as ``https://.../gateway.do``."""
    app_id: str
    """The application's number at Alipay."""
    key_file: Path
    """The merchant's private RSA key, PEM, readable by the owner alone."""
    alipay_key_file: Path
    """Alipay's public key, PEM."""
    ca_file: Path | None = None
    """The certificate authority of the gateway; the system's without it."""
    qr_seconds: int = 120
    """How long a shown code counts."""
    query_every_s: float = 3.0
    """Pause between queries of a payment that waits for its customer."""
    query_for_s: float = 45.0
    """How long a code payment that waits is queried before it is cancelled."""
    late_paid: LatePaid = LatePaid.ACCEPT
    """``accept`` or ``refund``: what to do with a shown code that is paid too late."""
    late_watch_s: int = 7200
    """How long an expired code is watched for a late payment. Alipay keeps a code for two hours."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Table ``[receipt]``."""

    print: PrintReceipt = PrintReceipt.ON_REQUEST
    """``always``, ``on request`` or ``never``."""


@dataclass(frozen=True, slots=True)
class Log:
    """Table ``[log]``."""

    level: str = "INFO"
    """``TRAFFIC`` (with masked card commands), ``DEBUG``, ``INFO``, ``WARNING`` or ``ERROR``."""


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file."""

    shop: Shop
    terminal: Terminal
    host: HostConfig
    devices: Devices = field(default_factory=Devices)
    cards: Cards = field(default_factory=Cards)
    offline: Offline = field(default_factory=Offline)
    alipay: AlipayConfig | None = None
    receipt: Receipt = field(default_factory=Receipt)
    log: Log = field(default_factory=Log)

    def money(self, text: str) -> Money:
        """Return an amount of the shop's currency."""
        return parse_money(text, self.shop.currency)


class _FieldError(Exception):
    """A fault at one key; `load` adds file and line. A table that is missing has none."""

    def __init__(self, path: tuple[str, ...], what: str) -> None:
        super().__init__(what)
        self.path = path
        self.what = what

    def place(self, text: str) -> int:
        """Return the line that it is on; 0 for what is not in the file at all."""
        return line_of(text, self.path) if self.path else 0

    def line(self, file: Path, text: str) -> str:
        """Return it for a person."""
        if not self.path:
            return f"{file}: {self.what}"
        return f"{file}:{self.place(text)}: {'.'.join(self.path)}: {self.what}"


Table = TypeVar("Table")


def load(path: Path) -> Config:
    """Return the configuration in a file. Raises ConfigError."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: can't be read ({error}); write one, or name another with --home"
        ) from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_toml_fault(path, text, error)) from error
    faults: list[_FieldError] = []
    config = _table(Config, values, (), path.parent, faults)
    if not faults:
        faults += _faults_of(config)
    if faults:
        faults.sort(key=lambda fault: fault.place(text))
        raise ConfigError("\n".join(fault.line(path, text) for fault in faults)) from faults[0]
    return config


def _table(
    kind: type[Table], values: dict[str, Any], path: tuple[str, ...], base: Path, faults: list[_FieldError]
) -> Table:
    """Return the table; each fault is added to those before, and what is returned then is of no use."""
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]  # always a dataclass
    hints = typing.get_type_hints(kind)
    found: dict[str, Any] = {}
    for key, value in values.items():
        if key not in fields:
            what = f"unknown key; allowed here: {', '.join(sorted(fields))}"
            faults.append(_FieldError((*path, key), what))
            continue
        try:
            found[key] = _value(hints[key], value, (*path, key), base, faults)
        except _FieldError as error:
            faults.append(error)
    for name in _required(kind):
        if name not in values and dataclasses.is_dataclass(hints[name]):
            needs = ", ".join(_required(typing.cast(type, hints[name])))
            faults.append(_FieldError((), f"[{name}] is missing: it needs {needs}"))
        elif name not in values:
            faults.append(_FieldError((*path, name), "missing, and it is required"))
    return typing.cast(Table, None) if faults else kind(**found)


def _required(kind: type) -> list[str]:
    """Return the names of what a table can't do without."""
    return [
        f.name
        for f in dataclasses.fields(kind)
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]


def _value(kind: Any, value: Any, path: tuple[str, ...], base: Path, faults: list[_FieldError]) -> Any:
    if isinstance(kind, types.UnionType):
        kind = next(part for part in typing.get_args(kind) if part is not type(None))
    if dataclasses.is_dataclass(kind) and kind is not DeviceAddress and isinstance(kind, type):
        if not isinstance(value, dict):
            raise _FieldError(path, "must be a table")
        return _table(kind, value, path, base, faults)
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise _FieldError(path, 'must be a list, such as ["..."]')
        return tuple(_value(typing.get_args(kind)[0], item, path, base, faults) for item in value)
    if kind is float and type(value) is int:
        return float(value)
    if kind in (int, float, bool) or not isinstance(value, str):
        if type(value) is not kind:
            expected = {int: "a whole number", float: "a number", bool: "true or false"}
            raise _FieldError(path, f"must be {expected.get(kind, 'text in quotes')}, not {value!r}")
        return value
    return _from_text(kind, value, path, base)


def _from_text(kind: Any, value: str, path: tuple[str, ...], base: Path) -> Any:
    if kind is DeviceAddress:
        try:
            return parse_address(value)
        except AddressError as error:
            raise _FieldError(path, str(error)) from error
    if kind is Path:
        return base / value
    if issubclass(kind, StrEnum):
        try:
            return kind(value)
        except ValueError:
            allowed = ", ".join(f'"{member.value}"' for member in kind)
            raise _FieldError(path, f"{value!r} is not one of {allowed}") from None
    return value


_AMOUNTS = (
    ("offline", "limit_each"),
    ("offline", "limit_total"),
    ("cards", "cvm_limit"),
    ("cards", "floor_limit"),
)
"""Settings that are amounts of the shop's currency, by table and key."""


def _faults_of(config: Config) -> Iterator[_FieldError]:
    """Yield what is wrong with values that are of the right type."""
    yield from _faults_of_shop(config)
    if not re.fullmatch(r"[A-Z0-9]{1,16}", config.terminal.id):
        yield _FieldError(("terminal", "id"), "1 to 16 capital letters and digits")
    yield from _faults_of_url(("host", "url"), config.host.url)
    yield from _faults_of_file(("host", "ca_file"), config.host.ca_file)
    yield from _faults_of_file(("cards", "emv"), config.cards.emv)
    yield from _faults_of_file(("cards", "ca_keys"), config.cards.ca_keys)
    for name in ("limit_count", "limit_hours"):
        if getattr(config.offline, name) < 0:
            yield _FieldError(("offline", name), "must be 0 or more")
    if config.log.level not in ("TRAFFIC", "DEBUG", "INFO", "WARNING", "ERROR"):
        yield _FieldError(("log", "level"), "one of TRAFFIC, DEBUG, INFO, WARNING, ERROR")
    if config.alipay is not None:
        yield from _faults_of_alipay(config.alipay)


def _faults_of_shop(config: Config) -> Iterator[_FieldError]:
    try:
        exponent(config.shop.currency)
    except MoneyError as error:
        # No amount can be read without it, and none is wrong for that.
        yield _FieldError(("shop", "currency"), str(error))
    else:
        yield from _faults_of_amounts(config)
        if config.alipay is not None and config.shop.currency != "CNY":
            what = "must be CNY where there is a table [alipay]: it charges yuan"
            yield _FieldError(("shop", "currency"), what)
    if not re.fullmatch(r"[0-9]{3}", config.shop.country):
        yield _FieldError(("shop", "country"), 'three digits of ISO 3166-1, such as "156" or "276"')
    try:
        Locale.parse(config.shop.locale)
    except (UnknownLocaleError, ValueError) as error:
        yield _FieldError(("shop", "locale"), f"{error}; such as en_GB or zh_CN")


def _faults_of_amounts(config: Config) -> Iterator[_FieldError]:
    for table, name in _AMOUNTS:
        try:
            config.money(getattr(getattr(config, table), name))
        except MoneyError as error:
            yield _FieldError((table, name), str(error))


def _faults_of_alipay(alipay: AlipayConfig) -> Iterator[_FieldError]:
    yield from _faults_of_url(("alipay", "gateway"), alipay.gateway)
    for name in ("key_file", "alipay_key_file", "ca_file"):
        yield from _faults_of_file(("alipay", name), getattr(alipay, name))
    for name in ("qr_seconds", "query_every_s", "query_for_s"):
        if not 0 < getattr(alipay, name) < math.inf:
            yield _FieldError(("alipay", name), "must be more than 0, and finite")
    if alipay.late_watch_s < 0:
        yield _FieldError(("alipay", "late_watch_s"), "must be 0 or more")


def _faults_of_url(path: tuple[str, ...], url: str) -> Iterator[_FieldError]:
    try:
        parts = urlsplit(url)
        whole = parts.scheme == "https" and parts.hostname and parts.port != 0
    except ValueError:
        whole = False
    if not whole or not url.isprintable() or " " in url:
        yield _FieldError(path, f"{url!r} is no https:// address, such as https://pay.example.com:8443")


def _faults_of_file(path: tuple[str, ...], file: Path | None) -> Iterator[_FieldError]:
    if file is not None and not file.is_file():
        yield _FieldError(path, f"there is no file {file}")


def _toml_fault(path: Path, text: str, error: tomllib.TOMLDecodeError) -> str:
    """Return what the parser says, with the line where ours stands in all messages."""
    where = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)", str(error))
    line = where[1] if where and where[1] else text.count("\n") + 1
    column = f" (column {where[2]})" if where and where[2] else ""
    what = str(error)[: where.start()] if where else str(error)
    return f"{path}:{line}: not valid TOML: {what}{column}"
