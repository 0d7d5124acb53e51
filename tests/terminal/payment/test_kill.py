"""SIGKILL at every moment of a payment: after a restart it is resolved, and booked once or not at all."""

import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from simulators.hosts.alipay_trades import Behaviour
from simulators.world import SimulatedWorld
from terminal.config import Config, load
from terminal.counter import Counter
from terminal.demo.customer import until
from terminal.demo.world import Pace
from terminal.enrolment import Enrolment, enrol
from terminal.home import CONFIG_FILE
from terminal.set_up import open_store

pytestmark = pytest.mark.timeout(60)

AMOUNT = "12.50"
CARD = [
    "entering SAVING_INTENT",
    "after SaveIntent",
    "entering ASKING",
    "after Ask",
    "entering SAVING_RESULT",
    "after SaveResult",
    "entering DONE",
]
CODE = [
    "after SaveIntent",
    "after Ask",
    "entering WAITING",
    "after Wait",
    "entering QUERYING",
    "after Query",
    "entering SAVING_REVERSAL",
    "after SaveReversal",
    "entering REVERSING",
    "after Reverse",
    "entering SAVING_RESULT",
    "entering DONE",
]
SHOWN = [
    "after Ask",
    "entering WAITING",
    "entering SAVING_REVERSAL",
    "after SaveReversal",
    "after Reverse",
    "after SaveResult",
    "entering WATCHING",
    "entering LOOKING",
]
LATE = [
    "entering SAVING_REVERSAL",
    "after SaveReversal",
    "entering REVERSING",
    "after Reverse",
    "entering SAVING_RESULT",
    "after SaveResult",
]
OFFLINE = ["after SaveIntent", "after Ask", "entering SAVING_RESULT", "after SaveResult", "entering DONE"]
BY_CARD = ["entering SAVING_RESULT", "after SaveResult", "entering DONE"]


class Scene:
    """A world, a terminal's home in it, and what kills and restarts the terminal."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.world = SimulatedWorld()
        text = self.world.start(home, "sim:", Pace.SCRIPT)
        text = text.replace("query_for_s = 2.0", "query_for_s = 0.4").replace(
            "qr_seconds = 3", "qr_seconds = 1"
        )
        text = re.sub("scanners = .*", "scanners = []", text)
        (home / CONFIG_FILE).write_text(text)
        self.config: Config = load(home / CONFIG_FILE)
        self.pins: Enrolment | None = None

    def let_cards_approve(self) -> None:
        """Let genuine cards approve by themselves."""
        path = self.home / CONFIG_FILE
        path.write_text(path.read_text().replace('floor_limit = "5.00"', 'floor_limit = "30.00"'))
        self.config = load(path)

    async def enrol(self) -> None:
        self.pins = await enrol(self.home, self.config)

    def run_until_killed(self, moment: str, *, reader: str = "", scanner: str = "") -> None:
        program = Path(__file__).parent / "dying_terminal.py"
        done = subprocess.run(
            [sys.executable, program, self.home, moment, reader, scanner, AMOUNT],
            capture_output=True,
            text=True,
            timeout=40,
            check=False,
        )
        assert done.returncode == -signal.SIGKILL, f"it lived through {moment}: {done.stderr[-2000:]}"

    def run_until_killed_by_a_late_payment(self, moment: str) -> None:
        program = Path(__file__).parent / "dying_terminal.py"
        arguments = [sys.executable, str(program), str(self.home), f"late {moment}", "", "", AMOUNT]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            self.world.pay_late(child.stdout.readline().strip())
            assert child.wait(30) == -signal.SIGKILL, f"it lived through {moment}"

    async def restart(self, note: str = "") -> None:
        """Start a terminal on the same home and let it resolve and deliver everything.

        With a note, wait for an order that carries it.
        """
        assert self.pins is not None
        counter = Counter(self.config, self.home, self.pins)
        await counter.start()
        try:
            await until(
                counter,
                lambda view: (
                    view.online
                    and not view.queue.unsent
                    and not view.queue.deferred_count
                    and not view.queue.approved_count
                    and all(line.note != "being resolved" for line in view.payments)
                    and (not note or any(line.note == note for line in view.payments))
                ),
            )
        finally:
            await counter.stop()

    def check(self) -> str:
        """Compare the terminal's records with the books; return the attempt's outcome."""
        assert self.pins is not None
        store = open_store(self.home, self.config, self.pins)
        try:
            assert store.open_attempts() == ()
            assert store.verify(signatures=True).ok
            (order,) = store.orders(10)
            (attempt,) = store.attempts(order.order_id)
        finally:
            store.close()
        outcome = str(attempt.summary.get("outcome", ""))
        booked = self.world.booked().get(attempt.key)
        if outcome in ("approved", "approved_offline"):
            assert booked is not None
            assert (booked.times, booked.amount_minor) == (1, 1250)
        else:
            assert booked is None
        return outcome


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    its = Scene(tmp_path)
    try:
        await its.enrol()
        yield its
    finally:
        its.world.stop()


@pytest.mark.parametrize("moment", CARD)
async def test_a_tap_killed_is_booked_once_or_not_at_all(scene: Scene, moment: str) -> None:
    scene.run_until_killed(moment, reader="sim:visa-approve")
    await scene.restart()
    outcome = scene.check()
    if moment in ("after Ask", "entering SAVING_RESULT", "after SaveResult", "entering DONE"):
        assert outcome == "approved"


@pytest.mark.parametrize("moment", OFFLINE)
async def test_an_offline_tap_killed_is_booked_once_or_not_at_all(scene: Scene, moment: str) -> None:
    scene.world.set_network(False)
    scene.run_until_killed(moment, reader="sim:visa-approve")
    scene.world.set_network(True)
    await scene.restart()
    assert (scene.check() == "approved_offline") == (moment in ("after SaveResult", "entering DONE"))


@pytest.mark.parametrize("moment", BY_CARD)
async def test_a_cards_own_approval_killed_is_booked_once_or_was_never_shown(
    scene: Scene, moment: str
) -> None:
    scene.let_cards_approve()
    scene.run_until_killed(moment, reader="sim:visa-offline")
    await scene.restart()
    assert (scene.check() == "approved_offline") == (moment != "entering SAVING_RESULT")


@pytest.mark.parametrize("moment", CODE)
async def test_a_code_that_waits_killed_is_undone(scene: Scene, moment: str) -> None:
    code = scene.world.alipay.book.customer_code(Behaviour.WAITS)
    scene.run_until_killed(moment, scanner=f"sim:{code}")
    await scene.restart()
    assert scene.check() == "declined"


@pytest.mark.parametrize("moment", ["after Ask", "entering SAVING_RESULT"])
async def test_a_code_that_was_paid_when_the_terminal_died_is_found_paid(scene: Scene, moment: str) -> None:
    code = scene.world.alipay.book.customer_code(Behaviour.PAYS)
    scene.run_until_killed(moment, scanner=f"sim:{code}")
    await scene.restart()
    assert scene.check() == "approved"


@pytest.mark.parametrize("moment", SHOWN)
async def test_a_shown_code_killed_is_undone(scene: Scene, moment: str) -> None:
    scene.run_until_killed(moment)
    await scene.restart()
    assert scene.check() == "declined"


@pytest.mark.parametrize("moment", LATE)
async def test_a_late_payment_killed_in_its_refund_is_refunded(scene: Scene, moment: str) -> None:
    path = scene.home / CONFIG_FILE
    path.write_text(path.read_text().replace("qr_seconds", 'late_paid = "refund"\nqr_seconds'))
    scene.config = load(path)
    scene.run_until_killed_by_a_late_payment(moment)
    (trade,) = scene.world.alipay.book.trades()
    assert trade.late
    await scene.restart(note="late")
    assert scene.check() == "declined"


@pytest.mark.parametrize("moment", ["entering SAVING_RESULT", "after SaveResult", "entering DONE"])
async def test_a_late_payment_killed_when_it_is_accepted_is_accepted(scene: Scene, moment: str) -> None:
    scene.run_until_killed_by_a_late_payment(moment)
    await scene.restart(note="late")
    assert scene.check() == "approved"
