"""The floor limit that policy takes away."""

from dataclasses import replace

from emv.c3_options import C3Options, ReaderLimits
from emv.config import default_config
from emv.emv_options import EmvOptions, LimitSet
from terminal.payment.floor_limit import online_only


def test_no_row_and_no_programme_is_left_with_a_floor_limit() -> None:
    config = default_config("276", "978", floor_limit=2500)
    limits = (ReaderLimits(program_id=b"\x01", floor_limit=1000, cvm_limit=3000),)
    rows = tuple(
        replace(row, terminal_floor_limit=700, options=C3Options(reader_limits=limits))
        for row in config.combinations
    )
    online = online_only(replace(config, combinations=rows))
    for row, before in zip(online.combinations, rows, strict=True):
        assert isinstance(row.options, C3Options)
        assert row.options.reader_limits == (replace(limits[0], floor_limit=0),)
        assert row == replace(before, floor_limit=0, terminal_floor_limit=0, options=row.options)


def test_neither_is_a_limit_set_of_kernel_4() -> None:
    config = default_config("276", "978")
    limit = LimitSet(number=3, floor_limit=1000, cvm_limit=3000)
    row = replace(config.combinations[0], kernel_id=4, options=EmvOptions(limit_sets=(limit,)))
    (online,) = online_only(replace(config, combinations=(row,))).combinations
    assert online.options == EmvOptions(limit_sets=(replace(limit, floor_limit=0),))
