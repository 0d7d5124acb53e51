"""The EMV configuration as TOML: what it can say, what it inherits, and how a fault is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pytest

from emv import config_file
from emv.c3_options import C3Options, ReaderLimits
from emv.config import CASH, CASHBACK, PURCHASE, REFUND, CombinationConfig, EmvConfig, default_config
from emv.config_file import ConfigFileError, default_text, parse
from emv.fields import Ttq, Tvr
from emv.guard_policy import GuardPolicy, Response
from tests.emv.test_entry_point_vectors import TYPES, settings

TERMINAL = '[terminal]\ncountry = "276"\ncurrency = "978"\n'
ROW = '[[application]]\naids = ["A0000000031010"]\nkernel = 3\n'


def the_row(text: str) -> CombinationConfig:
    (row,) = parse(TERMINAL + text).combinations
    return row


def fault(text: str, shop: dict[str, Any] | None = None) -> ConfigFileError:
    with pytest.raises(ConfigFileError) as caught:
        parse(text, shop or {})
    return caught.value


# --- what it says


def test_the_shortest_configuration_has_the_defaults() -> None:
    aid = bytes.fromhex("A0000000031010")
    row = CombinationConfig(aid=aid, kernel_id=3, options=C3Options())
    assert parse(TERMINAL + ROW) == EmvConfig(country="276", currency="978", combinations=(row,))


def test_what_the_terminal_is() -> None:
    config = parse(
        TERMINAL
        + 'terminal_type = 0x25\ncapabilities = "DE A D22"\nmerchant_id = "ACME"\n'
        + '[terminal.extra]\n9F09 = "0203"\n5F36 = "02"\n'
        + ROW
    )
    assert (config.terminal_type, config.capabilities, config.merchant_id) == (0x25, b"\xde\xad\x22", "ACME")
    assert config.extra == {0x9F09: b"\x02\x03", 0x5F36: b"\x02"}


def test_a_table_of_several_names_is_a_row_for_each() -> None:
    text = '[[application]]\naids = ["A0000000031010", "A0000000032010"]\nkernel = 3\ncvm_limit = 100\n'
    rows = parse(TERMINAL + text).combinations
    assert [row.aid.hex().upper() for row in rows] == ["A0000000031010", "A0000000032010"]
    assert [row.cvm_limit for row in rows] == [100, 100]


def test_a_row_has_what_it_says_itself_else_what_its_kernel_says() -> None:
    kernel = (
        '[kernel.3]\ncvm_limit = 5000\nfloor_limit = 0\nttq = ["EMV_MODE"]\n'
        "[kernel.3.options]\ncheck_cash = true\ncheck_cashback = true\n"
    )
    row = the_row(kernel + ROW + "cvm_limit = 2500\n[application.options]\ncheck_cash = false\n")
    assert (row.cvm_limit, row.floor_limit, row.ttq) == (2500, 0, Ttq.EMV_MODE)
    assert row.options == C3Options(check_cash=False, check_cashback=True)


def test_an_inherited_limit_can_be_absent() -> None:
    assert the_row("[kernel.3]\ncvm_limit = 5000\n" + ROW + 'cvm_limit = "none"\n').cvm_limit is None


def test_another_kernels_table_is_not_inherited() -> None:
    other = '[[application]]\naids = ["A0000000041010"]\nkernel = 2\n'
    row, _ = parse(TERMINAL + "[kernel.2]\ncvm_limit = 5000\n" + ROW + other).combinations
    assert row.cvm_limit is None


def test_rows_by_transaction_type() -> None:
    text = ROW + 'types = ["purchase", "cashback", 0x30]\n' + ROW + 'types = ["refund"]\nfloor_limit = 7\n'
    first, second = parse(TERMINAL + text).combinations
    assert first.transaction_types == {PURCHASE, CASHBACK, 0x30}
    assert (second.transaction_types, second.floor_limit) == (frozenset({REFUND}), 7)
    assert CASH not in first.transaction_types | second.transaction_types


@pytest.mark.parametrize("value", ['["EMV_MODE", "SIGNATURE"]', '"22000000"', '"22 00 00 00"'])
def test_a_bit_field_by_its_bits_or_as_bytes(value: str) -> None:
    assert the_row(ROW + f"ttq = {value}\n").ttq == Ttq.EMV_MODE | Ttq.SIGNATURE


def test_tables_inside_options() -> None:
    text = '[application.options]\nreader_limits = [{ program_id = "02", cvm_limit = 100 }]\n'
    limits = ReaderLimits(program_id=b"\x02", cvm_limit=100)
    assert the_row(ROW + text).options == C3Options(reader_limits=(limits,))


def test_kernels_with_longer_numbers() -> None:
    text = '[kernel.0x810978]\ncvm_limit = 9\n[[application]]\naids = ["A000000003"]\nkernel = 0x810978\n'
    (row,) = parse(TERMINAL + text, kernels=(0x810978,)).combinations
    assert (row.kernel_id, row.cvm_limit, row.options) == (0x810978, 9, None)


class Colour(Enum):
    RED = 1


@dataclass(frozen=True, kw_only=True)
class EveryKind:
    """Options of every type that a kernel may come to have."""

    number: int = 0
    share: float = 0.0
    flag: bool = False
    text: str = ""
    data: bytes = b""
    bits: Tvr = Tvr.EXPIRED
    one: Colour | None = None
    several: tuple[bytes, ...] = ()
    tags: frozenset[int] = frozenset()
    small: ReaderLimits | None = None
    by_tag: dict[int, bytes] = field(default_factory=dict)


def test_options_are_read_by_their_types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_file, "OPTIONS", {3: EveryKind})
    text = (
        "[application.options]\nnumber = 5\nshare = 2\nflag = true\ntext = 'x'\ndata = 'FF'\n"
        "bits = ['EXPIRED', 'CDA_FAILED']\none = 'RED'\nseveral = ['01', '02']\ntags = [0x57]\n"
        "small = { program_id = '03' }\nby_tag = { 9F02 = '00' }\n"
    )
    assert the_row(ROW + text).options == EveryKind(  # type: ignore[comparison-overlap]
        number=5,
        share=2.0,
        flag=True,
        text="x",
        data=b"\xff",
        bits=Tvr.EXPIRED | Tvr.CDA_FAILED,
        one=Colour.RED,
        several=(b"\1", b"\2"),
        tags=frozenset({0x57}),
        small=ReaderLimits(program_id=b"\3"),
        by_tag={0x9F02: b"\0"},
    )


def test_the_shops_settings_are_taken_by_name() -> None:
    text = '[terminal]\ncountry = "shop"\ncurrency = "shop"\n' + ROW + 'cvm_limit = "shop"\n'
    config = parse(text, {"country": "156", "currency": "156", "cvm_limit": None})
    assert (config.country, config.combinations[0].cvm_limit) == ("156", None)


def test_what_follows_an_attack() -> None:
    config = parse(TERMINAL + "[guard]\nslow_card_ms = 500\nrelay = 'DECLINE'\n" + ROW)
    assert config.guard == GuardPolicy(slow_card_ms=500, relay=Response.DECLINE)


# --- faults


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (TERMINAL, 1, "application: missing"),
        ("[terminal\n", 1, "not valid TOML"),
        (TERMINAL + "currencyy = 1\n" + ROW, 4, "terminal.currencyy: unknown key; allowed here: acquirer_id"),
        ("[terminals]\n", 1, "terminals: unknown key"),
        ('[terminal]\ncountry = "276"\n' + ROW, 1, "terminal.currency: missing, and it is required"),
        (TERMINAL + 'capabilities = "00"\n' + ROW, 1, "terminal: terminal capabilities have 3 bytes"),
        (
            TERMINAL + 'merchant_name = "shop"\n' + ROW,
            4,
            "terminal.merchant_name: the shop's settings say no",
        ),
        (TERMINAL + '[terminal.extra]\n9F = ["00"]\n' + ROW, 5, "terminal.extra.9F: must be hexadecimal"),
        (TERMINAL + '[terminal.extra]\namount = "00"\n' + ROW, 5, "a tag is hexadecimal"),
        (TERMINAL + ROW + "cvm_limits = 1\n", 7, "application[1].cvm_limits: unknown key"),
        (TERMINAL + ROW + 'cvm_limit = "50.00"\n', 7, "application[1].cvm_limit: must be a whole number"),
        (TERMINAL + ROW + "cvm_limit = -1\n", 4, "application[1]: a limit is negative"),
        (TERMINAL + ROW + "status_check = 1\n", 7, "application[1].status_check: must be true or false"),
        (TERMINAL + ROW + 'ttq = ["EMV"]\n', 7, "application[1].ttq[1]: 'EMV' is not one of MAGSTRIPE_MODE"),
        (TERMINAL + ROW + 'ttq = "3"\n', 7, "application[1].ttq: must be hexadecimal digits in quotes"),
        (TERMINAL + ROW + "ttq = 3\n", 7, "application[1].ttq: must be a list"),
        (
            TERMINAL + ROW + 'types = ["sale"]\n',
            7,
            "application[1].types[1]: 'sale' is not one of",
        ),
        (TERMINAL + ROW + "types = 0\n", 7, "application[1].types: must be a list"),
        (TERMINAL + ROW + "options = 1\n", 7, "application[1].options: must be a table"),
        (TERMINAL + ROW + "[application.options]\nfast = true\n", 8, "application[1].options.fast: unknown"),
        (TERMINAL + ROW + ROW, 7, "application[2]: A0000000031010 has another row for kernel 3"),
        (TERMINAL + "[[application]]\nkernel = 3\n", 4, "application[1].aids: missing"),
        (TERMINAL + '[[application]]\naids = ["A0"]\nkernel = 3\n', 4, "has 5 to 16 bytes"),
        (
            TERMINAL + '[[application]]\naids = ["A000000003"]\nkernel = 9\noptions = {}\n',
            6,
            "application[1].kernel: there is no kernel 9; allowed are 2, 3, 4, 5, 6, 7",
        ),
        (TERMINAL + "[kernel.0x2D]\n" + ROW, 4, "kernel.0x2D: there is no kernel 2D; allowed are 2, 3, "),
        (TERMINAL + "[kernel.3]\n[kernel.7]\n" + ROW, 5, "kernel.7: no [[application]] has this kernel"),
        (
            TERMINAL + '[[application]]\nkernel = 3\naids = [\n"A000000003",\n"a0 00 00 00 03",\n]\n',
            6,
            "application[1].aids[2]: A000000003 is listed already",
        ),
        (TERMINAL + "[kernel.visa]\n" + ROW, 4, "kernel.visa: a kernel has a number"),
        (TERMINAL + "[kernel.3]\naids = []\n" + ROW, 5, "kernel.3.aids: unknown key"),
        (TERMINAL + "[guard]\nrelay = 'ignore'\n" + ROW, 5, "guard.relay: 'ignore' is not one of IGNORE"),
        (TERMINAL + "[guard]\nrelay = ['IGNORE']\n" + ROW, 5, "guard.relay: ['IGNORE'] is not one of IGNORE"),
        (TERMINAL + ROW + "ttq = [['EMV_MODE']]\n", 7, "application[1].ttq[1]: ['EMV_MODE'] is not one of"),
        (TERMINAL + ROW + "types = [['purchase']]\n", 7, "application[1].types[1]: ['purchase'] is not one"),
        (TERMINAL + ROW + "types = [true]\n", 7, "application[1].types[1]: True is not one of"),
        ("x = " + "[" * 10_000, 1, "not valid TOML"),
        ("x = " + "1" * 10_000, 1, "not valid TOML"),
        (TERMINAL + "kernel = 3\n" + ROW, 4, "terminal.kernel: unknown key"),
        ("kernel = 3\n" + TERMINAL + ROW, 1, "kernel: must be a table"),
        (TERMINAL + "[application]\n", 4, "application: must be a list"),
    ],
)
def test_a_fault_is_told_with_line_and_field(text: str, line: int, words: str) -> None:
    error = fault(text)
    assert words in error.what
    assert error.line == line
    assert str(error) == f"line {line}: {error.what}"


# --- the default, and the reference's settings


def test_the_default_takes_the_schemes_for_the_shop() -> None:
    config = default_config("156", "156", cvm_limit=30000, floor_limit=5, merchant_name="Tea")
    assert (config.country, config.currency, config.merchant_name) == ("156", "156", "Tea")
    by_kernel: dict[int, set[str]] = {}
    for row in config.combinations:
        by_kernel.setdefault(row.kernel_id, set()).add(row.aid.hex().upper())
        assert (row.cvm_limit, row.floor_limit, row.transaction_limit) == (30000, 5, None)
    assert by_kernel[3] == {"A0000000031010", "A0000000032010", "A0000000032020"}


def test_the_default_has_the_default_checks() -> None:
    assert default_config("156", "156").guard == GuardPolicy()


def test_the_default_needs_the_shops_settings() -> None:
    assert fault(default_text()).what.startswith("terminal.country: the shop's settings say nothing")


def as_toml(setting: dict[str, Any]) -> str:
    """Return a terminal setting of the reference as a configuration's text."""
    config = settings(setting)
    lines = ["[terminal]"]
    names = (
        *("country", "currency", "merchant_category", "merchant_id", "merchant_name", "acquirer_id"),
        *("terminal_id", "serial_number"),
    )
    lines += [f"{name} = {json.dumps(getattr(config, name))}" for name in names]
    lines += [f"{name} = {getattr(config, name)}" for name in ("terminal_type", "pos_entry_mode")]
    lines += [
        f'{name} = "{getattr(config, name).hex()}"' for name in ("capabilities", "additional_capabilities")
    ]
    lines += ["[terminal.extra]"]
    lines += [f'{tag:02X} = "{value.hex()}"' for tag, value in config.extra.items()]
    fields = {
        "reader_ctls_txn_limit": "transaction_limit",
        "reader_ctls_floor_limit": "floor_limit",
        "terminal_floor_limit": "terminal_floor_limit",
        "reader_cvm_reqd_limit": "cvm_limit",
        "status_check_support": "status_check",
        "zero_amount_allowed": "zero_amount_allowed",
        "ext_selection_support": "extended_selection",
        "ttq": "ttq",
    }
    for group in setting["sets"]:
        for aid, kernel in group["combos"]:
            types = [TYPES[name] for name in group["txn_types"]]
            lines += ["[[application]]", f'aids = ["{aid}"]', f"kernel = 0x{kernel}", f"types = {types}"]
            lines += [f"{fields[key]} = {json.dumps(value)}" for key, value in group["config"].items()]
    return "\n".join(lines)


def test_the_reference_terminals_can_be_written(
    vectors: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # They are Book A's alone: no kernel has settings of its own.
    monkeypatch.setattr(config_file, "OPTIONS", {})
    found = vectors("entry_point.json")["terminal_settings"]
    for setting in found.values():
        kernels = {int(kernel, 16) for group in setting["sets"] for _, kernel in group["combos"]}
        assert parse(as_toml(setting), kernels=kernels) == settings(setting)
    assert len(found) >= 12
