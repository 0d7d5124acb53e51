"""The configuration file: what is right loads, what is wrong is told by file, line, field and cure."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.address import DeviceAddress
from terminal import config as module
from terminal.config import Config, ConfigError, LatePaid, OfflineMode, load

RIGHT = """\
[shop]
name = "Tea House"
currency = "CNY"
country = "156"

[terminal]
id = "T1"

[host]
url = "https://127.0.0.1:8443"
"""

REST = """
app_id = "2021"
key_file = "key.pem"
alipay_key_file = "alipay.pem"
"""
ALIPAY = f'\n[alipay]\ngateway = "https://127.0.0.1/gateway.do"{REST}'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the configuration goes; the files that it names are beside it."""
    for name in ("key.pem", "alipay.pem", "ca.pem"):
        (tmp_path / name).touch()
    return tmp_path / "tillside.toml"


def fault(file: Path, text: str) -> str:
    """Return what is said of a text, without the file's name in front."""
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file)
    message = str(caught.value)
    assert message.startswith(f"{file}:")
    return message.removeprefix(f"{file}:")


def marked(text: str) -> int:
    """Return the line that a case marks."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if "# here" in line)


def test_the_least_that_a_file_must_say(file: Path) -> None:
    file.write_text(RIGHT)
    config = load(file)
    assert config.shop.name == "Tea House"
    assert config.alipay is None
    assert config.offline.mode is OfflineMode.PREFER_ONLINE
    assert config.devices.readers == ()
    assert config.money("12.50").minor == 1250


def test_everything_that_a_file_can_say(file: Path) -> None:
    file.write_text(
        RIGHT
        + """
ca_file = "ca.pem"

[devices]
readers = ["pcsc:ACS ACR122U", "sim:"]
scanners = ["camera:0"]

[offline]
mode = "require online"
limit_each = "20"
limit_count = 0

[log]
level = "TRAFFIC"
"""
        + ALIPAY
        + 'late_paid = "refund"\nquery_every_s = 2\n'
    )
    config = load(file)
    assert config.devices.readers == (DeviceAddress("pcsc", "ACS ACR122U"), DeviceAddress("sim", ""))
    assert config.offline.mode is OfflineMode.REQUIRE_ONLINE
    assert config.log.level == "TRAFFIC"
    assert config.alipay is not None
    assert config.alipay.late_paid is LatePaid.REFUND
    assert config.alipay.key_file == file.parent / "key.pem"
    assert config.alipay.query_every_s == 2.0
    assert type(config.alipay.query_every_s) is float
    assert config.host.ca_file == file.parent / "ca.pem"


URL = '"https://127.0.0.1:8443"'

# Each case replaces one text of the right file by one with a fault on the line marked "# here".
FAULTS = {
    "unknown key": ('id = "T1"', 'id = "T1"\nidd = 1 # here', "terminal.idd", "allowed here: id"),
    "unknown table": (
        "[host]",
        "[hosts] # here\nx = 1\n[host]",
        "hosts",
        "allowed here: alipay, cards, devices",
    ),
    "missing key": ('[terminal]\nid = "T1"', "[terminal] # here", "terminal.id", "required"),
    "number for text": ('name = "Tea House"', "name = 5 # here", "shop.name", "text in quotes, not 5"),
    "list for text": ('name = "Tea House"', "name = [] # here", "shop.name", "text in quotes"),
    "text for flag": (
        "[terminal]",
        'simulated = "yes" # here\n[terminal]',
        "shop.simulated",
        "true or false",
    ),
    "number for flag": ("[terminal]", "simulated = 1 # here\n[terminal]", "shop.simulated", "true or false"),
    "text for list": ("[terminal]", 'address = "x" # here\n[terminal]', "shop.address", "must be a list"),
    "number in list": (
        "[terminal]",
        'address = ["x", 1] # here\n[terminal]',
        "shop.address",
        "text in quotes",
    ),
    "currency": ('"CNY"', '"EURO" # here', "shop.currency", "ISO 4217"),
    "currency in small letters": ('"CNY"', '"cny" # here', "shop.currency", "ISO 4217"),
    "country as a word": ('"156"', '"CN" # here', "shop.country", "three digits"),
    "country in other digits": ('"156"', '"١٥٦" # here', "shop.country", "three digits"),
    "locale": ("[terminal]", 'locale = "xx_YY" # here\n[terminal]', "shop.locale", "such as en_GB"),
    "locale in another form": ("[terminal]", 'locale = "en-GB" # here\n[terminal]', "shop.locale", "en_GB"),
    "terminal id too long": ('"T1"', '"T1234567890123456" # here', "terminal.id", "1 to 16 capital letters"),
    "terminal id with a dash": ('"T1"', '"T-1" # here', "terminal.id", "1 to 16 capital letters"),
    "no TLS": (URL, '"http://127.0.0.1" # here', "host.url", "no https:// address"),
    "no host in the address": (URL, '"https://" # here', "host.url", "such as https://pay"),
    "a port that is no number": (URL, '"https://h:port" # here', "host.url", "no https:// address"),
    "a port out of range": (URL, '"https://h:99999" # here', "host.url", "no https:// address"),
    "a space in the address": (URL, '"https://127.0. 0.1" # here', "host.url", "no https:// address"),
    "no such file": ("[host]", '[host]\nca_file = "nowhere.pem" # here', "host.ca_file", "there is no file"),
}
OPTIONAL_FAULTS = {
    "device without scheme": ('[devices]\nreaders = ["ACR122U"] # here', "devices.readers", "scheme:target"),
    "device with a bad scheme": ('[devices]\nscanners = ["Cam:0"] # here', "devices.scanners", "bad scheme"),
    "mode": ('[offline]\nmode = "offline" # here', "offline.mode", '"prefer online", "force offline"'),
    "mode as a number": ("[offline]\nmode = 1 # here", "offline.mode", "text in quotes"),
    "limit with too many decimals": (
        '[offline]\nlimit_each = "1.005" # here',
        "offline.limit_each",
        "2 decimals",
    ),
    "limit below zero": ('[offline]\nlimit_total = "-1" # here', "offline.limit_total", "no amount in CNY"),
    "limit as a number": ("[offline]\nlimit_each = 50 # here", "offline.limit_each", "text in quotes"),
    "count as a fraction": ("[offline]\nlimit_count = 1.5 # here", "offline.limit_count", "a whole number"),
    "count as a flag": ("[offline]\nlimit_count = true # here", "offline.limit_count", "a whole number"),
    "count below zero": ("[offline]\nlimit_count = -1 # here", "offline.limit_count", "0 or more"),
    "hours below zero": ("[offline]\nlimit_hours = -1 # here", "offline.limit_hours", "0 or more"),
    "floor limit": ('[cards]\nfloor_limit = "-1" # here', "cards.floor_limit", "no amount in CNY"),
    "verification limit": ('[cards]\ncvm_limit = "some" # here', "cards.cvm_limit", "no amount in CNY"),
    "log level": ('[log]\nlevel = "LOUD" # here', "log.level", "TRAFFIC, DEBUG, INFO"),
    "key missing in an optional table": ("[alipay] # here\napp_id = '1'", "alipay.gateway", "required"),
    "no TLS to the wallet": ('[alipay]\ngateway = "http://x" # here\n' + REST, "alipay.gateway", "https://"),
    "no key file": (ALIPAY.replace('"key.pem"', '"no.pem" # here'), "alipay.key_file", "there is no file"),
    "time of zero": (f"{ALIPAY}qr_seconds = 0 # here", "alipay.qr_seconds", "more than 0"),
    "time that is no number": (f"{ALIPAY}query_every_s = nan # here", "alipay.query_every_s", "more than 0"),
    "time without end": (f"{ALIPAY}query_for_s = inf # here", "alipay.query_for_s", "finite"),
    "time as text": (f'{ALIPAY}query_every_s = "3" # here', "alipay.query_every_s", "a number"),
    "watch below zero": (f"{ALIPAY}late_watch_s = -1 # here", "alipay.late_watch_s", "0 or more"),
    "what to do with late money": (f'{ALIPAY}late_paid = "keep" # here', "alipay.late_paid", '"refund"'),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_told_with_line_field_and_what_is_allowed(file: Path, name: str) -> None:
    before, after, path, words = FAULTS[name]
    text = RIGHT.replace(before, after)
    assert text != RIGHT
    said = fault(file, text)
    assert said.startswith(f"{marked(text)}: {path}: ")
    assert words in said


@pytest.mark.parametrize("name", OPTIONAL_FAULTS)
def test_each_fault_in_an_optional_table_is_told_the_same_way(file: Path, name: str) -> None:
    added, path, words = OPTIONAL_FAULTS[name]
    text = f"{RIGHT}\n{added}\n"
    said = fault(file, text)
    assert said.startswith(f"{marked(text)}: {path}: ")
    assert words in said


def test_alipay_charges_yuan(file: Path) -> None:
    text = RIGHT.replace('"CNY"', '"EUR" # here') + ALIPAY
    assert fault(file, text).startswith(
        f"{marked(text)}: shop.currency: must be CNY where there is a table [alipay]"
    )


@pytest.mark.parametrize("table", ["shop", "terminal", "host"])
def test_a_missing_table_is_named(file: Path, table: str) -> None:
    text = re.sub(rf"\[{table}\]\n(\w+ = .*\n)+", "", RIGHT)
    needs = {"shop": "name, currency, country", "terminal": "id", "host": "url"}
    assert fault(file, text) == f" [{table}] is missing: it needs {needs[table]}"


def test_all_mistakes_are_named_one_a_line(file: Path) -> None:
    text = """[shop]
name = 5
currency = "CNY"
cuntry = "156"

[offline]
limit_count = "many"
limit_each = 50

[host]
url = "https://h"
"""
    said = fault(file, text).replace(str(file), "")
    assert [line.partition(" not ")[0].partition(";")[0] for line in said.split("\n")] == [
        " [terminal] is missing: it needs id",
        ":1: shop.country: missing, and it is required",
        ":2: shop.name: must be text in quotes,",
        ":4: shop.cuntry: unknown key",
        ":7: offline.limit_count: must be a whole number,",
        ":8: offline.limit_each: must be text in quotes,",
    ]


def test_all_wrong_values_are_named_but_none_for_a_currency_that_is_wrong(file: Path) -> None:
    text = RIGHT.replace('"CNY"', '"EURO"').replace('"T1"', '"t1"') + '[log]\nlevel = "LOUD"\n'
    said = fault(file, text).split("\n")
    assert [line.split(": ")[1] for line in said] == ["shop.currency", "terminal.id", "log.level"]


def test_a_table_that_is_no_table(file: Path) -> None:
    text = RIGHT.replace('[terminal]\nid = "T1"', "")
    assert fault(file, f"terminal = 3\n{text}") == "1: terminal: must be a table"


# A wrong terminal.id, written in every way that TOML has; "# here" is the line that a person looks for.
WAYS = {
    "under its table": '[terminal]\n\n# a comment\nid = "t1" # here',
    "with spaces": '  [ terminal ]  # a table\n\t id="t1" # here',
    "dotted": 'terminal.id = "t1" # here',
    "dotted with spaces": 'terminal . id = "t1" # here',
    "in an inline table": 'terminal = { id = "t1" } # here',
    "quoted": '["terminal"]\n"id" = "t1" # here',
    "quoted with an escape": "[terminal]\n\"\\u0069d\" = 't1' # here",
    "as a text over lines": '[terminal]\nid = """ # here\nid = "x"\n[terminal]\n"""',
    "after a list that looks like tables": (
        'shop.address = [\n  "[terminal]", # not here\n  "id = 1",\n]\nterminal.id = "t1" # here'
    ),
}


@pytest.mark.parametrize("name", WAYS)
def test_the_line_is_right_however_the_key_is_written(file: Path, name: str) -> None:
    shop = 'shop.name = "x"\nshop.currency = "EUR"\nshop.country = "276"\nhost.url = "https://h"\n'
    text = f"{shop}{WAYS[name]}\n"
    number = next(n for n, line in enumerate(text.splitlines(), 1) if line.endswith("# here"))
    assert fault(file, text).startswith(f"{number}: terminal.id: ")


def test_the_line_of_a_list_over_lines_is_where_it_begins(file: Path) -> None:
    text = f'{RIGHT}\n[devices]\nreaders = [ # here\n  "sim:",\n  "nonsense",\n]\n'
    assert fault(file, text).startswith(f"{marked(text)}: devices.readers: 'nonsense' is no device address")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('[shop]\nname = "x\n', 2, "Illegal character"),
        ("[shop]\n\nname = \n", 3, "Invalid value"),
        ("a = 1\na = 2\n", 2, "Cannot overwrite a value"),
        ('[shop]\nname = """x\n\n', 4, "Unterminated string"),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(file: Path, text: str, line: int, words: str) -> None:
    said = fault(file, text)
    assert said.startswith(f"{line}: not valid TOML: ")
    assert words in said


def test_a_file_that_is_not_there_or_no_text(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--home"):
        load(file)
    with pytest.raises(ConfigError, match="can't be read"):
        load(tmp_path)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="can't be read"):
        load(file)


# Text without control characters and halves of surrogate pairs: what TOML takes without an escape.
TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\\\"'"), max_size=20)


def quoted(text: str) -> str:
    return f'"{text}"'


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    name=TEXT,
    address=st.lists(TEXT, max_size=3),
    currency=st.sampled_from(["EUR", "JPY", "KWD", "CNY"]),
    country=st.from_regex(r"[0-9]{3}", fullmatch=True),
    locale=st.sampled_from(["en_GB", "zh_CN", "de_DE", "ar_KW"]),
    terminal=st.from_regex(r"[A-Z0-9]{1,16}", fullmatch=True),
    port=st.integers(1, 65535),
    mode=st.sampled_from(OfflineMode),
    each=st.integers(0, 10**9),
    count=st.integers(0, 10**6),
    seconds=st.floats(0.001, 1e6),
)
def test_every_right_file_loads_as_what_it_says(
    file: Path,
    name: str,
    address: list[str],
    currency: str,
    country: str,
    locale: str,
    terminal: str,
    port: int,
    mode: OfflineMode,
    each: int,
    count: int,
    seconds: float,
) -> None:
    lines = [
        f"[shop]\nname = {quoted(name)}\naddress = [{', '.join(map(quoted, address))}]",
        f'currency = "{currency}"\ncountry = "{country}"\nlocale = "{locale}"',
        f'[terminal]\nid = "{terminal}"',
        f'[host]\nurl = "https://pay.example.com:{port}"',
        f'[offline]\nmode = "{mode.value}"\nlimit_each = "{each}"\nlimit_count = {count}',
        f"{ALIPAY}query_for_s = {seconds!r}" if currency == "CNY" else "",
    ]
    file.write_text("\n".join(lines), "utf-8")
    config = load(file)
    assert config.shop.name == name
    assert config.shop.address == tuple(address)
    assert (config.shop.currency, config.shop.country, config.shop.locale) == (currency, country, locale)
    assert config.terminal.id == terminal
    assert config.host.url.endswith(f":{port}")
    assert (config.offline.mode, config.offline.limit_count) == (mode, count)
    assert config.money(config.offline.limit_each).decimal() == each
    assert (config.alipay.query_for_s if config.alipay else None) == (seconds if currency == "CNY" else None)


def test_every_field_has_its_documentation_after_it() -> None:
    """The documentation of a field is the text under it; only the source has that."""
    tree = ast.parse(inspect.getsource(module))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    seen = 0
    for name, kind in vars(module).items():
        if not is_dataclass(kind) or kind.__module__ != module.__name__ or kind is Config:
            continue
        body = classes[name].body
        for field in fields(kind):
            at = next(
                at
                for at, node in enumerate(body)
                if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == field.name
            )
            after = body[at + 1] if at + 1 < len(body) else None
            assert isinstance(after, ast.Expr), f"{name}.{field.name}"
            assert isinstance(after.value, ast.Constant), f"{name}.{field.name}"
            assert isinstance(after.value.value, str), f"{name}.{field.name}"
            seen += 1
    assert seen > 25


def test_alipay_is_for_shops_in_yuan(file: Path) -> None:
    said = fault(file, RIGHT.replace('"CNY"', '"EUR"') + ALIPAY)
    assert said.startswith("3: shop.currency: must be CNY")
