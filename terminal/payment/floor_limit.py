"""Up to which amount cards may approve a payment by themselves: nothing at all while policy is against it."""

from __future__ import annotations

from dataclasses import replace

from emv.c3_options import C3Options
from emv.config import CombinationConfig, EmvConfig


def online_only(config: EmvConfig) -> EmvConfig:
    """Return the same terminal with floor limits of zero: every card is asked for an online cryptogram."""
    return replace(config, combinations=tuple(_online_only(its) for its in config.combinations))


def _online_only(combination: CombinationConfig) -> CombinationConfig:
    options = combination.options
    if isinstance(options, C3Options):
        limits = tuple(replace(limit, floor_limit=0) for limit in options.reader_limits)
        options = replace(options, reader_limits=limits)
    return replace(combination, floor_limit=0, terminal_floor_limit=0, options=options)
