"""What a terminal is and takes: data for every kernel, and one row a combination of AID and kernel.

A scheme or kernel joins by rows in `EmvConfig.combinations`, and by an options class of its own where
it has settings beyond Book A.

Spec: EMV Contactless Book A, 5.4 (Entry Point configuration data); EMV 4.4 Book 4, Annex A.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from emv.c2_options import C2Options
from emv.c3_options import C3Options
from emv.c6_options import C6Options
from emv.c7_options import C7Options
from emv.capk import NO_CA_KEYS, CaKeys
from emv.emv_options import EmvOptions
from emv.fields import Ttq
from emv.guard_policy import GuardPolicy

PURCHASE, CASH, CASHBACK, REFUND = 0x00, 0x01, 0x09, 0x20
"""Transaction types, tag 9C."""
ALL_TYPES = frozenset({PURCHASE, CASH, CASHBACK, REFUND})


KernelOptions: TypeAlias = C2Options | C3Options | EmvOptions | C6Options | C7Options | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CombinationConfig:
    """One application as one kernel takes it, for some transaction types.

    Amounts are in minor units of the terminal's currency. A limit of None is absent.

    Args:
        aid: The application identifier; a card's longer name that begins with it matches.
        kernel_id: The kernel: 1 to 7, or the three bytes of an extended identifier as one number.
        transaction_types: The values of tag 9C that this row serves.
        ttq: Terminal Transaction Qualifiers before pre-processing, None if the kernel has none.
        transaction_limit: Amounts from here on are not taken contactless.
        floor_limit: Amounts above need an online cryptogram.
        terminal_floor_limit: Stands in where `floor_limit` is absent (tag 9F1B).
        cvm_limit: Amounts from here on need cardholder verification.
        status_check: Send a payment of one currency unit online as a status check.
        zero_amount_allowed: Whether an amount of zero is taken.
        extended_selection: Append the card's Extended Selection (9F29) to the name in SELECT.
        partial_selection: Whether a longer name of the card matches. Book B has it always so.
        options: Settings of the kernel.
    """

    aid: bytes
    kernel_id: int
    transaction_types: frozenset[int] = ALL_TYPES
    ttq: Ttq | None = None
    transaction_limit: int | None = None
    floor_limit: int | None = None
    terminal_floor_limit: int | None = None
    cvm_limit: int | None = None
    status_check: bool = False
    zero_amount_allowed: bool = True
    extended_selection: bool = False
    partial_selection: bool = True
    options: KernelOptions = None

    def __post_init__(self) -> None:
        if not 5 <= len(self.aid) <= 16:
            raise ValueError("an application identifier has 5 to 16 bytes")
        if not 0 <= self.kernel_id <= 0xFFFFFFFFFFFFFFFF:
            raise ValueError("a kernel identifier has one to eight bytes")
        limits = (self.transaction_limit, self.floor_limit, self.terminal_floor_limit, self.cvm_limit)
        if any(limit is not None and limit < 0 for limit in limits):
            raise ValueError("a limit is negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmvConfig:
    """The terminal as the cards see it.

    Args:
        country: Numeric ISO 3166 code of three digits (9F1A), "276".
        currency: Numeric ISO 4217 code of the currency that all limits are in, "978".
        combinations: What is taken, in no particular order.
        terminal_type: Tag 9F35; 22 hex is attended, a merchant's, online with offline capability.
        capabilities: Tag 9F33, three bytes.
        additional_capabilities: Tag 9F40, five bytes.
        merchant_category: Tag 9F15, four digits.
        merchant_id: Tag 9F16, up to 15 characters.
        merchant_name: Tag 9F4E, name and location.
        acquirer_id: Tag 9F01, up to eleven digits.
        terminal_id: Tag 9F1C, up to eight characters.
        serial_number: Tag 9F1E, up to eight characters.
        pos_entry_mode: Tag 9F39; 07 is contactless EMV.
    """

    country: str
    currency: str
    combinations: tuple[CombinationConfig, ...]
    terminal_type: int = 0x22
    capabilities: bytes = bytes.fromhex("0068C8")
    additional_capabilities: bytes = bytes.fromhex("F000F0A001")
    merchant_category: str = "5999"
    merchant_id: str = ""
    merchant_name: str = "Tillside"
    acquirer_id: str = ""
    terminal_id: str = "00000001"
    serial_number: str = ""
    pos_entry_mode: int = 0x07
    ca_keys: CaKeys = NO_CA_KEYS
    """Keys to authenticate cards with. Without any, no card is approved offline."""
    guard: GuardPolicy = field(default_factory=GuardPolicy)
    """What follows where a tap looks like an attack."""
    extra: dict[int, bytes] = field(default_factory=dict)
    """Further terminal data by tag, for PDOLs that ask for it."""

    def __post_init__(self) -> None:
        for code in (self.country, self.currency):
            if not (code.isascii() and code.isdecimal() and len(code) in (3, 4)):
                raise ValueError("a numeric country or currency code has three digits")
        if len(self.capabilities) != 3 or len(self.additional_capabilities) != 5:
            raise ValueError("terminal capabilities have 3 bytes, additional ones 5")
        if not (self.merchant_category.isdecimal() and len(self.merchant_category) == 4):
            raise ValueError("a merchant category has four digits")
        if self.acquirer_id and not (self.acquirer_id.isdecimal() and len(self.acquirer_id) <= 11):
            raise ValueError("an acquirer identifier has up to eleven digits")
        if not 0 <= self.terminal_type <= 0xFF or not 0 <= self.pos_entry_mode <= 0xFF:
            raise ValueError("terminal type and entry mode are one byte")
        texts = ((self.merchant_id, 15), (self.terminal_id, 8), (self.serial_number, 8))
        if any(len(text) > longest for text, longest in texts):
            raise ValueError("a merchant, terminal or serial identifier is too long")


VISA_AIDS = ("A0000000031010", "A0000000032010", "A0000000032020")
"""Visa credit and debit, Electron, V Pay."""


def default_config(
    country: str,
    currency: str,
    *,
    cvm_limit: int = 5000,
    transaction_limit: int | None = None,
    floor_limit: int = 0,
    merchant_name: str = "Tillside",
    terminal_id: str = "00000001",
) -> EmvConfig:
    """Return the set-up of an attended counter, as `default.toml` has it, for a shop's settings.

    Verification is by the customer's device or by signature from `cvm_limit` on (minor units);
    there is no PIN pad. The floor limit of zero asks every card for an online cryptogram.
    """
    # Here, because it reads a configuration into the classes above.
    from emv.config_file import default_text, parse

    shop = {
        "country": country,
        "currency": currency,
        "cvm_limit": cvm_limit,
        "transaction_limit": transaction_limit,
        "floor_limit": floor_limit,
        "merchant_name": merchant_name,
        "terminal_id": terminal_id,
    }
    return parse(default_text(), shop)
