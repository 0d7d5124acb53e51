"""What every customer display must do, whatever wire it is on.

Simulators run by default. With ``--display ADDRESS`` a real one shows it, and a person reads.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest

from drivers import registry
from drivers.address import DeviceAddress, parse
from drivers.errors import DeviceUnavailableError
from drivers.protocols import CustomerDisplay
from simulators.display import PoleDisplay
from simulators.display_in_process import GLASS

SIMULATED = ("sim:", "cd5220", "escpos")


@dataclass
class Stand:
    """Where a display stands, and what a person would read on it; always true of a real one."""

    address: DeviceAddress
    shows: Callable[[Callable[[tuple[str, ...]], bool]], bool]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "stand" in metafunc.fixturenames:
        addresses = metafunc.config.getoption("--display") or SIMULATED
        metafunc.parametrize("stand", addresses, indirect=True)


@pytest.fixture
def stand(request: pytest.FixtureRequest) -> Iterator[Stand]:
    if request.param == "sim:":
        GLASS.clear()
        yield Stand(parse("sim:"), GLASS.wait_for)
    elif request.param in SIMULATED:
        with PoleDisplay(request.param) as pole:
            yield Stand(parse(pole.address), pole.wait_for)
            assert pole.unknown == ()
    else:
        yield Stand(parse(request.param), lambda _: True)


@pytest.fixture
def display(stand: Stand) -> Iterator[CustomerDisplay]:
    with closing(registry.open_display(stand.address)) as device:
        yield device


def test_says_what_it_is(display: CustomerDisplay, stand: Stand) -> None:
    assert display.info().name
    assert display.address == stand.address
    columns, rows = display.size
    assert columns > 0
    assert rows > 0


def test_shows_lines_in_place_of_others(display: CustomerDisplay, stand: Stand) -> None:
    columns, rows = display.size
    display.show(["#" * columns] * rows)
    assert stand.shows(lambda lines: lines == ("#" * columns,) * rows)
    display.show(["Total", "12.50"][:rows])
    assert stand.shows(lambda lines: [line.rstrip() for line in lines[:2]] == ["Total", "12.50"][:rows])
    display.show([])
    assert stand.shows(lambda lines: not "".join(lines).strip())


def test_cuts_off_what_does_not_fit(display: CustomerDisplay, stand: Stand) -> None:
    columns, rows = display.size
    display.show([f"{number}" * (columns + 5) for number in range(rows + 2)])
    wanted = tuple(f"{number}" * columns for number in range(rows))
    assert stand.shows(lambda lines: lines == wanted)


def test_text_is_never_a_command(display: CustomerDisplay, stand: Stand) -> None:
    display.show(["A\x1b@\x0c\x1f$B", "C"])
    assert stand.shows(lambda lines: lines[0].startswith("A") and "C" in "".join(lines[1:] or lines))


def test_opened_again_it_goes_on(display: CustomerDisplay, stand: Stand) -> None:
    display.show(["before"])
    display.close()
    display.close()
    with pytest.raises(DeviceUnavailableError) as caught:
        display.info()
    assert caught.value.hint
    with closing(registry.open_display(stand.address)) as again:
        again.show(["after"])
        assert stand.shows(lambda lines: lines[0].rstrip() == "after")
