"""The terminals and payments that fuzzed cards meet: every kernel, with the test scheme's keys.

Inputs name them by number, so new ones go to the end.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace

from emv.c2_options import C2Options
from emv.c3_options import C3Options, ReaderLimits
from emv.c6_options import C6Options
from emv.c7_options import C7Options
from emv.capk import parse_ca_keys
from emv.config import CombinationConfig, EmvConfig, KernelOptions, default_config
from emv.emv_options import EmvOptions, LimitSet
from emv.fields import Ttq
from emv.guard import CHECKS
from emv.guard_policy import GuardPolicy, Response
from emv.kernel import Transaction
from simulators.scheme import ca_keys_json

CA_KEYS = parse_ca_keys(ca_keys_json())

_EVERYTHING: Mapping[int, KernelOptions] = {
    2: C2Options(
        magstripe_mode=True,
        read_balance_before=True,
        read_balance_after=True,
        transaction_limit=100_000,
        merchant_custom_data=bytes(20),
        transaction_category="R",
    ),
    3: C3Options(
        check_cash=True,
        check_cashback=True,
        show_offline_balance=True,
        reader_limits=(
            ReaderLimits(program_id=bytes.fromhex("310978"), floor_limit=5_000, status_check=True),
            ReaderLimits(program_id=b"\x31", transaction_limit=2_000, zero_amount_allowed=False),
        ),
    ),
    4: EmvOptions(limit_sets=(LimitSet(number=1, transaction_limit=2_000), LimitSet(number=7, cvm_limit=0))),
    5: EmvOptions(random_target_percent=20, random_maximum_percent=99),
    6: C6Options(),
    7: C7Options(small_amount_currency="978", small_amount_country="276", show_offline_balance=True),
}
"""Every setting that opens a way of its own."""


def _with_everything(row: CombinationConfig) -> CombinationConfig:
    return replace(
        row,
        options=_EVERYTHING[row.kernel_id],
        ttq=None if row.ttq is None else row.ttq | Ttq.ONLINE_PIN | Ttq.CONTACT_CHIP | Ttq.ODA_FOR_ONLINE,
        status_check=True,
        extended_selection=True,
        cvm_limit=1_000,
    )


_UNGUARDED = replace(GuardPolicy(), **dict.fromkeys(CHECKS, Response.IGNORE))  # type: ignore[arg-type]
"""What the schemes' rules alone come to."""

_COUNTER = replace(default_config("276", "978"), ca_keys=CA_KEYS)
_OFFLINE = replace(default_config("276", "978", floor_limit=10_000), ca_keys=CA_KEYS)

TERMINALS: tuple[EmvConfig, ...] = (
    _OFFLINE,
    _COUNTER,
    replace(
        _OFFLINE,
        guard=_UNGUARDED,
        combinations=tuple(_with_everything(row) for row in _OFFLINE.combinations),
        capabilities=bytes.fromhex("E0F8E8"),
    ),
    default_config("276", "978", floor_limit=10_000),
    replace(_OFFLINE, terminal_type=0x26, combinations=tuple(reversed(_OFFLINE.combinations))),
)
"""One whose cards may approve, the usual counter, one with all settings, one without keys, an offline one."""

_SALE = Transaction(
    amount_minor=1250,
    currency="978",
    date=datetime.date(2026, 5, 9),
    time=datetime.time(12, 30, 15),
    unpredictable_number=bytes.fromhex("0BADCAFE"),
    sequence_counter=7,
    spare_unpredictable_numbers=(b"\x01\x01\x01\x01", b"\x02\x02\x02\x02"),
)

PAYMENTS: tuple[Transaction, ...] = (
    _SALE,
    replace(_SALE, amount_minor=99_999, spare_unpredictable_numbers=()),
    replace(_SALE, amount_minor=0),
    replace(_SALE, amount_minor=100, random_percent=1),
    replace(_SALE, type=0x20),
    replace(_SALE, type=0x01, amount_minor=5_000),
    replace(_SALE, type=0x09, amount_other_minor=500),
    replace(_SALE, currency="756", date=datetime.date(2049, 12, 31)),
    replace(_SALE, amount_minor=10**12 - 1, currency_exponent=0, random_percent=50),
)
