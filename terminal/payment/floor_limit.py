"""Up to which amount cards may approve a payment by themselves: nothing at all while policy is against it."""

from __future__ import annotations

from dataclasses import replace

from emv.c3_options import C3Options
from emv.config import CombinationConfig, EmvConfig, KernelOptions
from emv.emv_options import EmvOptions


def online_only(config: EmvConfig) -> EmvConfig:
    """Return the same terminal with floor limits of zero: every card is asked for an online cryptogram."""
    return replace(config, combinations=tuple(_online_only(its) for its in config.combinations))


def _online_only(combination: CombinationConfig) -> CombinationConfig:
    options = _options(combination.options)
    return replace(combination, floor_limit=0, terminal_floor_limit=0, options=options)


def _options(options: KernelOptions) -> KernelOptions:
    """Return a kernel's settings without the floor limits that they have for some cards."""
    match options:
        case C3Options():
            limits = tuple(replace(limit, floor_limit=0) for limit in options.reader_limits)
            return replace(options, reader_limits=limits)
        case EmvOptions():
            sets = tuple(replace(its, floor_limit=0) for its in options.limit_sets)
            return replace(options, limit_sets=sets)
    return options
