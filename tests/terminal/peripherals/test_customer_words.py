"""What the customer reads in each phase, on displays of several sizes."""

from dataclasses import replace

import pytest

from terminal.money import Money
from terminal.peripherals.customer_words import Row, lines
from terminal.present_order import _PROMPTS
from terminal.view import LightPattern, Phase
from tests.terminal.tui.samples import IDLE, RESULT_NAMES, in_phase, with_result

WIDE = Money(123456789, "EUR")


def test_without_an_order_there_is_the_shops_name() -> None:
    assert lines(IDLE, 20, 2) == ("   Corner Market", "      Welcome")


@pytest.mark.parametrize(
    ("phase", "below"),
    [
        (Phase.ARMED, "Tap card or phone"),
        (Phase.READING, "Tap card or phone"),
        (Phase.CARD_READ, "Card read, remove it"),
        (Phase.ASKING, "Card read, remove it"),
        (Phase.CUSTOMER_CONFIRMS, "Confirm on phone"),
        (Phase.SHOWING_QR, "Scan the code"),
        (Phase.REVERSING, "Please wait"),
    ],
)
def test_an_order_has_its_amount_above_and_what_to_do_below(phase: Phase, below: str) -> None:
    view = replace(in_phase(phase), prompt=_PROMPTS[phase])
    assert lines(view, 20, 2) == ("Total         €12.50", below)


def test_a_code_payment_that_is_asked_about_waits() -> None:
    view = replace(in_phase(Phase.ASKING), lights=LightPattern.OFF)
    assert lines(view, 20, 2)[1] == "Please wait"


@pytest.mark.parametrize(
    ("name", "above", "below"),
    [
        ("approved", "Approved", "              €12.50"),
        ("approved-offline", "Approved offline", "              €12.50"),
        ("deferred", "Taken offline", "              €12.50"),
        ("declined", "Declined, not paid", "              €12.50"),
        ("unknown", "Result not known", "Please wait   €12.50"),
    ],
)
def test_each_result_reads_differently(name: str, above: str, below: str) -> None:
    assert lines(with_result(name), 20, 2) == (above, below)


def test_what_the_reader_wants_is_shown_where_it_fits() -> None:
    again = replace(in_phase(Phase.ARMED), prompt="Present card again", lights=LightPattern.ERROR)
    assert lines(again, 20, 2)[1] == "Present card again"
    long = replace(again, prompt="Present one card only, please, or a phone")
    assert lines(long, 20, 2)[1] == "Please try again"
    assert lines(replace(long, lights=LightPattern.READY), 20, 2)[1] == "Tap card or phone"


@pytest.mark.parametrize("columns", [8, 16, 20, 40])
@pytest.mark.parametrize("rows", [1, 2, 4])
def test_every_view_fits_every_display(columns: int, rows: int) -> None:
    views = [*(in_phase(phase, WIDE) for phase in Phase), *(with_result(name, WIDE) for name in RESULT_NAMES)]
    for view in views:
        shown = lines(view, columns, rows)
        assert len(shown) <= rows
        assert all(len(line) <= columns for line in shown)


@pytest.mark.parametrize(
    ("shop", "row"),
    [
        ("街角商店", "      街角商店"),
        ("街角Market", "     街角Market"),
        ("街角商店街角商店街角商店", "街角商店街角商店街角"),
        ("A街角商店街角商店街角商店", "A街角商店街角商店街"),
    ],
)
def test_a_chinese_name_is_centred_and_cut_by_columns(shop: str, row: str) -> None:
    assert lines(replace(IDLE, shop=shop), 20, 2)[0] == row


def test_chinese_beside_an_amount_leaves_it_whole() -> None:
    assert Row("合计金额", "￥12.50").laid_out(14) == "合计金 ￥12.50"


def test_the_amount_is_cut_last() -> None:
    assert Row("Total", "€12.50").laid_out(10) == "Tot €12.50"
    assert Row("Total", "€12.50").laid_out(6) == "€12.50"


def test_a_display_of_one_row_shows_what_to_do() -> None:
    assert lines(replace(in_phase(Phase.ARMED), prompt=_PROMPTS[Phase.ARMED]), 20, 1) == (
        "Tap card or phone",
    )
