"""The terminal's data objects as kernel 2 has them.

Spec: EMV Contactless Book C-2, 6.2 (S1.9), 4.4 and Annex A.
"""

from __future__ import annotations

from collections.abc import Mapping

from emv.c2_options import C2Options
from emv.kernel import Activation, Transaction
from emv.tags import Tag
from emv.terminal_data import terminal_data

KERNEL = 2
_MOBILE_SUPPORTED, _DEVICE_CVM_REQUIRED = 0x01, 0x02
"""Bits of the Mobile Support Indicator (9F7E)."""
_NO_CVM = 0x08
"""Of byte 2 of 9F33."""


def initial(activation: Activation, options: C2Options, transaction: Transaction) -> dict[int, bytes]:
    """Return the values before the card is known.

    Of the terminal's capabilities the CVM part stays empty until the amount is compared with the CVM
    limit. Without any scheme key they do not say CDA.
    """
    config = activation.config
    values = terminal_data(config, transaction, aid=activation.aid)
    capabilities = bytearray(values[Tag.TERMINAL_CAPABILITIES])
    capabilities[1] = 0
    if not config.ca_keys:
        capabilities[2] &= ~0x08
    values[Tag.TERMINAL_CAPABILITIES] = bytes(capabilities)
    values[Tag.CVM_RESULTS] = bytes(3)
    defaults = {
        Tag.MOBILE_SUPPORT: bytes((_MOBILE_SUPPORTED,)),
        Tag.VERSION_TERMINAL: options.application_version,
        Tag.MAGSTRIPE_VERSION: options.magstripe_version,
        Tag.KERNEL_ID: bytes((KERNEL,)),
    }
    if options.merchant_custom_data:
        defaults[Tag.MERCHANT_CUSTOM_DATA] = options.merchant_custom_data
    if options.transaction_category:
        defaults[Tag.TRANSACTION_CATEGORY] = options.transaction_category.encode("ascii")
    return {int(tag): value for tag, value in defaults.items()} | values


def capabilities_for(current: bytes, configured: bytes, options: C2Options, *, cvm_required: bool) -> bytes:
    """Return tag 9F33 with the CVM part for this amount. Spec: S456.30 to S456.33."""
    if not cvm_required:
        cvm = options.cvm_capability_not_required
    elif options.cvm_capability_required is not None:
        cvm = options.cvm_capability_required
    else:
        cvm = configured[1] & ~_NO_CVM
    return bytes((current[0], cvm, current[2]))


def device_cvm_required(indicator: bytes) -> bytes:
    """Return the Mobile Support Indicator (9F7E) that asks a device for its owner. Spec: S78.20."""
    return bytes((indicator[0] | _DEVICE_CVM_REQUIRED,))


def requires_device_cvm(terminal: Mapping[int, bytes]) -> bool:
    """Say whether a device had to verify its owner, where it says that it did.

    In EMV mode a device's word counts only where it had to; in magstripe mode it was asked in 9F7E.
    """
    if Tag.UNPREDICTABLE_NUMBER_NUMERIC not in terminal:
        return True
    return bool(int.from_bytes(terminal.get(Tag.MOBILE_SUPPORT, b""), "big") & _DEVICE_CVM_REQUIRED)
