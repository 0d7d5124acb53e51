"""Receipts, display and sounds beside a real counter, with simulated hosts and a tap."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from drivers.address import parse
from simulators.display import PoleDisplay
from simulators.in_process_printer import printer
from simulators.sounder import EARS
from terminal.config import ConfigError, Devices, PrintReceipt, Receipt, load
from terminal.demo.customer import until
from terminal.home import CONFIG_FILE
from terminal.peripherals.peripherals import Peripherals
from terminal.view import Outcome
from terminal.voice.tones import Tone, sound
from tests.terminal.counter_shop import Shop, outcome

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
async def pole() -> AsyncIterator[PoleDisplay]:
    with PoleDisplay() as display:
        yield display


async def test_a_tap_is_read_heard_and_printed(shop: Shop, pole: PoleDisplay) -> None:
    EARS.clear()
    devices = Devices(
        readers=(parse("sim:"),),
        printers=(parse("sim:beside-the-counter"),),
        displays=(parse(pole.address),),
        sounders=(parse("sim:"),),
    )
    config = replace(shop.config, devices=devices, receipt=Receipt(PrintReceipt.ALWAYS))
    async with shop.run(devices=devices, receipt=Receipt(PrintReceipt.ALWAYS)) as counter:
        around = Peripherals(counter.workshop.pool, config)
        around.follow(counter.subscribe, counter.view)
        await until(counter, lambda view: all(each.state == "ready" for each in view.devices))
        assert pole.wait_for(lambda lines: "Welcome" in lines[1])
        await counter.charge(config.money("12.50"))
        assert await asyncio.to_thread(pole.wait_for, lambda lines: lines[1].startswith("Tap card or phone"))
        shop.world.hold_card("visa-approve")
        view = await until(counter, lambda view: view.result)
        await shop.take_away(counter)
        assert outcome(view) is Outcome.APPROVED
        assert await asyncio.to_thread(pole.wait_for, lambda lines: lines[0].startswith("Approved"))
        assert await asyncio.to_thread(EARS.wait_for, lambda heard: len(heard) == 2)
        assert EARS.heard == (sound(Tone.CARD_READ), sound(Tone.APPROVED))
        paper = printer("beside-the-counter")
        (page,) = await asyncio.to_thread(paper.wait_for_pages, 1)
        assert view.result is not None
        assert view.result.order in page.text
        assert "APPROVED" in page.text
        assert "Head" in page.text, "nothing is printed before it is durable"
        assert "REPRINT" in around.print_receipt()
        again = await asyncio.to_thread(paper.wait_for_pages, 2)
        assert "REPRINT" in again[1].text
        test = counter.workshop.pool.displays[0].submit(lambda display, _: display.show(["test"]))
        await asyncio.to_thread(test.future.result, 10)
        around.redraw()
        assert await asyncio.to_thread(pole.wait_for, lambda lines: lines[0].startswith("Approved"))
        around.stop()
        await counter.next_customer()
        assert pole.lines[0].startswith("Approved"), "it follows no longer"


async def test_what_a_peripheral_tells_arrives_on_the_loop(shop: Shop) -> None:
    async with shop.run() as counter:
        around = Peripherals(counter.workshop.pool, shop.config)
        told: asyncio.Queue[str] = asyncio.Queue()
        around.tell(told.put_nowait)
        await asyncio.to_thread(around.printing.tell, "The receipt may be incomplete")
        assert await told.get() == "The receipt may be incomplete"


def test_the_configuration_says_when_receipts_are_printed(shop: Shop) -> None:
    text = (shop.home / CONFIG_FILE).read_text()
    assert load(shop.home / CONFIG_FILE).receipt.print is PrintReceipt.ON_REQUEST
    path = shop.home / "other.toml"
    path.write_text(f'{text}\n[receipt]\nprint = "always"\n')
    assert load(path).receipt.print is PrintReceipt.ALWAYS
    path.write_text(f'{text}\n[receipt]\nprint = "sometimes"\n')
    with pytest.raises(ConfigError, match='"always", "on request", "never"'):
        load(path)
