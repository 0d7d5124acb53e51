"""One thread, one device: it is opened again after each fault, and a stuck one holds nothing up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError

import pytest

from drivers.errors import CardLostError, DeviceUnavailableError, Reason
from terminal.devices.worker import (
    DEADLINE_S,
    OPEN_DEADLINE_S,
    DeviceState,
    DeviceStatus,
    DeviceWorker,
    Job,
    Lease,
)
from tests.terminal.devices.conftest import ADDRESS, PATIENCE_S, Bench, FakeDevice, failing

BUSY, READY, STUCK = DeviceState.BUSY, DeviceState.READY, DeviceState.STUCK
AWAY = DeviceState.UNAVAILABLE
UNPLUGGED = DeviceUnavailableError(ADDRESS, Reason.NOT_FOUND, "plug it in")


def test_a_device_is_opened_and_does_a_job(bench: Bench) -> None:
    assert bench.worker.status == DeviceStatus(ADDRESS, DeviceState.OPENING)
    bench.worker.start()
    job = bench.worker.submit(lambda device, lease: device)
    assert job.future.result(PATIENCE_S) is bench.devices[0]
    bench.wait_state(READY, times=2)
    assert bench.states == [READY, BUSY, READY]
    assert bench.seen[0] == DeviceStatus(ADDRESS, READY, "Fake 1")


def test_everything_happens_in_one_daemon_thread(bench: Bench) -> None:
    bench.worker.start()
    for _ in range(3):
        thread = bench.worker.submit(lambda device, lease: threading.current_thread()).future.result(
            PATIENCE_S
        )
        bench.threads.add(thread.ident or 0)
    assert thread.daemon
    assert thread.name == "device fake:till"
    assert len(bench.threads) == 1


def test_jobs_are_done_in_order(bench: Bench) -> None:
    done: list[int] = []

    def work(number: int) -> Callable[[FakeDevice, Lease], None]:
        return lambda device, lease: done.append(number)

    jobs = [bench.worker.submit(work(number)) for number in range(5)]
    bench.worker.start()
    jobs[-1].future.result(PATIENCE_S)
    assert done == [0, 1, 2, 3, 4]


# --- faults


@pytest.mark.parametrize(
    ("error", "text", "cure"),
    [
        (UNPLUGGED, "not found", "plug it in"),
        (CardLostError("the chip says nothing"), "the chip says nothing", ""),
    ],
)
def test_a_device_that_can_not_be_opened_is_tried_again(
    bench: Bench, error: Exception, text: str, cure: str
) -> None:
    bench.open_faults = [failing(error), failing(error)]
    bench.worker.start()
    bench.wait_state(READY)
    # The same fault again is no change.
    assert bench.seen == [
        DeviceStatus(ADDRESS, AWAY, text, cure),
        DeviceStatus(ADDRESS, READY, "Fake 1"),
    ]


def test_a_driver_that_raises_anything_is_counted_and_tried_again(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.open_faults = [failing(ZeroDivisionError()), failing(KeyError("x"))]
    bench.worker.start()
    bench.wait_state(READY)
    assert [(status.state, status.faults) for status in bench.seen] == [(AWAY, 1), (AWAY, 2), (READY, 2)]
    assert bench.seen[0].cure == "see the log; it is opened again"
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2


@pytest.mark.parametrize("error", [UNPLUGGED, CardLostError("x"), ZeroDivisionError()])
def test_a_device_that_opens_and_then_says_nothing_is_not_left_open(bench: Bench, error: Exception) -> None:
    """A reader that stays open would be in use at the next attempt."""
    bench.info_faults = [failing(error)]
    bench.worker.start()
    bench.wait_state(READY)
    first, second = bench.devices
    assert first.closed.is_set()
    assert not second.closed.is_set()


@pytest.mark.parametrize(
    ("error", "faults"), [(UNPLUGGED, 0), (CardLostError("gone"), 0), (ZeroDivisionError(), 1)]
)
def test_a_job_that_fails_is_done_again_on_the_device_opened_anew(
    bench: Bench, error: Exception, faults: int
) -> None:
    tries: list[FakeDevice] = []

    def work(device: FakeDevice, lease: Lease) -> str:
        tries.append(device)
        if len(tries) < 3:
            raise error
        return "done"

    bench.worker.start()
    job = bench.worker.submit(work)
    assert job.future.result(PATIENCE_S) == "done"
    assert tries == bench.devices
    assert [device.closed.is_set() for device in bench.devices] == [True, True, False]
    bench.wait_state(READY, times=4)
    assert bench.worker.status == DeviceStatus(ADDRESS, READY, "Fake 1", faults=faults * 2)


def test_the_jobs_behind_one_that_fails_keep_their_places(bench: Bench) -> None:
    done: list[str] = []

    def work(device: FakeDevice, lease: Lease) -> None:
        done.append("first")
        if len(done) == 1:
            raise UNPLUGGED

    bench.worker.submit(work)
    last = bench.worker.submit(lambda device, lease: done.append("second"))
    bench.worker.start()
    last.future.result(PATIENCE_S)
    assert done == ["first", "first", "second"]


def test_an_idle_device_that_has_gone_away_is_noticed(bench: Bench) -> None:
    bench.worker.start()
    bench.wait_state(READY)
    bench.info_faults.append(failing(UNPLUGGED))
    bench.wait_state(READY, times=2)
    assert bench.states == [READY, AWAY, READY]
    assert bench.devices[0].closed.is_set()


def test_a_device_whose_closing_fails_is_opened_again_all_the_same(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeDevice, "close", lambda self: failing(ZeroDivisionError())())
    bench.worker.start()
    bench.wait_state(READY)
    bench.info_faults.append(failing(UNPLUGGED))
    bench.wait_state(READY, times=2)


def test_a_job_that_was_half_done_is_not_done_again(bench: Bench) -> None:
    """Half a receipt is on the paper: who asked for it is told."""
    half = DeviceUnavailableError(ADDRESS, Reason.OUT_OF_PAPER, "load paper", started=True)
    tries: list[int] = []

    def work(device: FakeDevice, lease: Lease) -> None:
        tries.append(1)
        raise half

    bench.worker.start()
    job = bench.worker.submit(work)
    with pytest.raises(DeviceUnavailableError, match="out of paper"):
        job.future.result(PATIENCE_S)
    bench.worker.submit(lambda device, lease: None).future.result(PATIENCE_S)
    assert tries == [1]


def test_a_driver_that_would_end_the_program_is_opened_again(bench: Bench) -> None:
    bench.open_faults = [failing(SystemExit(3))]
    bench.worker.start()
    bench.wait_state(READY)
    assert bench.seen[0].text == "driver error: SystemExit"


def test_a_driver_that_fails_for_ever_does_not_fill_the_log(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("terminal.devices.worker.REOPEN_S", 0.0)
    bench.open_faults = [failing(ZeroDivisionError()) for _ in range(205)]
    bench.worker.start()
    bench.wait_state(READY)
    assert bench.worker.status.faults == 205
    assert [record.args[1] for record in caplog.records if record.args] == [1, 2, 3, 100, 200]  # type: ignore[index]


# --- looking now, and opening anew


def test_a_device_that_is_away_is_tried_at_once_when_something_was_plugged_in(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("terminal.devices.worker.REOPEN_S", 1000.0)
    bench.open_faults = [failing(UNPLUGGED)]
    bench.worker.start()
    bench.wait_state(AWAY)
    bench.worker.nudge()
    bench.wait_state(READY)


def test_an_idle_device_is_looked_at_when_something_was_pulled_out(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("terminal.devices.worker.HEALTH_S", 1000.0)
    bench.worker.start()
    bench.worker.submit(lambda device, lease: None).future.result(PATIENCE_S)
    bench.wait_state(READY, times=2)
    bench.info_faults.append(failing(UNPLUGGED))
    bench.worker.nudge()
    bench.wait_state(READY, times=3)
    assert bench.states[-2:] == [AWAY, READY]


def test_a_nudge_of_a_busy_device_waits_for_its_turn(bench: Bench) -> None:
    bench.worker.start()
    job = bench.worker.submit(lambda device, lease: bench.block())
    bench.wait_blocked()
    for _ in range(100):
        bench.worker.nudge()
    bench.release.set()
    job.future.result(PATIENCE_S)
    assert bench.worker.submit(lambda device, lease: "next").future.result(PATIENCE_S) == "next"


def test_an_idle_device_can_be_restarted(bench: Bench) -> None:
    bench.worker.start()
    bench.wait_state(READY)
    bench.worker.restart()
    bench.wait_state(READY, times=2)
    assert bench.states == [READY, DeviceState.OPENING, READY]
    assert bench.devices[0].closed.is_set()


def test_a_busy_device_can_be_restarted_and_does_its_job_afterwards(bench: Bench) -> None:
    tries: list[FakeDevice] = []

    def work(device: FakeDevice, lease: Lease) -> str | None:
        tries.append(device)
        if len(tries) > 1:
            return "done"
        bench.blocked.set()
        assert lease.stop.wait(PATIENCE_S)
        return None

    bench.worker.start()
    job = bench.worker.submit(work)
    bench.wait_blocked()
    bench.worker.restart()
    assert job.future.result(PATIENCE_S) == "done"
    assert tries == bench.devices


def test_a_job_that_ends_as_its_device_is_restarted_is_done_once(bench: Bench) -> None:
    def work(device: FakeDevice, lease: Lease) -> str:
        bench.block()
        return "done"

    bench.worker.start()
    job = bench.worker.submit(work)
    bench.wait_blocked()
    bench.worker.restart()
    bench.release.set()
    assert job.future.result(PATIENCE_S) == "done"
    bench.wait_state(DeviceState.OPENING)


def test_restarting_a_stuck_device_takes_it_from_the_call_that_is_stuck(bench: Bench) -> None:
    def work(device: FakeDevice, lease: Lease) -> str:
        if device is not bench.devices[0]:
            return "done"
        bench.blocked.set()
        assert device.closed.wait(PATIENCE_S)  # as a library's call ends when its handle is closed
        raise UNPLUGGED

    bench.worker.start()
    job = bench.worker.submit(work)
    bench.wait_blocked()
    bench.clock.now += DEADLINE_S + 0.1
    assert bench.worker.status.state is STUCK
    bench.worker.restart()
    assert job.future.result(PATIENCE_S) == "done"


def test_a_job_that_goes_on_after_a_restart_may_wait_for_the_customer_again(bench: Bench) -> None:
    tries: list[int] = []

    def work(device: FakeDevice, lease: Lease) -> str | None:
        tries.append(1)
        lease.wait()
        bench.blocked.set()
        if len(tries) == 1:
            assert lease.stop.wait(PATIENCE_S)
            return None
        bench.release.wait(PATIENCE_S)
        return "done"

    bench.worker.start()
    job = bench.worker.submit(work)
    bench.wait_blocked()
    bench.blocked.clear()
    bench.worker.restart()
    bench.wait_blocked()
    bench.clock.now += 3600
    assert bench.worker.status.state is BUSY
    bench.release.set()
    assert job.future.result(PATIENCE_S) == "done"


def test_a_restart_asked_for_as_a_job_begins_is_not_lost(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It falls between taking the job and beginning its run."""
    tries: list[FakeDevice] = []

    def work(device: FakeDevice, lease: Lease) -> str | None:
        tries.append(device)
        return None if len(tries) == 1 and lease.stop.wait(PATIENCE_S) else "done"

    begin = Job.begin

    def begin_late(job: Job[str]) -> threading.Event:
        if not tries:
            bench.worker.restart()
        return begin(job)

    monkeypatch.setattr(Job, "begin", begin_late)
    bench.worker.start()
    assert bench.worker.submit(work).future.result(PATIENCE_S) == "done"
    assert tries == bench.devices[:2]


def test_how_often_a_device_was_opened_is_known(bench: Bench) -> None:
    bench.open_faults = [failing(UNPLUGGED)]
    bench.worker.start()
    bench.wait_state(READY)
    assert bench.worker.opened == 1
    bench.worker.restart()
    bench.wait_state(READY, times=2)
    assert bench.worker.opened == 2


def test_restarting_a_device_that_is_away_opens_it_once(bench: Bench) -> None:
    bench.open_faults = [failing(UNPLUGGED)]
    bench.worker.start()
    bench.wait_state(AWAY)
    bench.worker.restart()
    bench.wait_state(READY)
    bench.worker.submit(lambda device, lease: None).future.result(PATIENCE_S)
    assert len(bench.devices) == 1


def test_restarting_a_device_that_is_away_tries_it_at_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("terminal.devices.worker.REOPEN_S", 1000.0)
    bench.open_faults = [failing(UNPLUGGED)]
    bench.worker.start()
    bench.wait_state(AWAY)
    bench.worker.restart()
    bench.wait_state(READY)


# --- cancelling


def test_a_job_that_is_cancelled_before_its_turn_is_never_done(bench: Bench) -> None:
    done: list[str] = []
    dropped = bench.worker.submit(lambda device, lease: done.append("dropped"))
    dropped.cancel()
    bench.worker.start()
    bench.worker.submit(lambda device, lease: done.append("kept")).future.result(PATIENCE_S)
    assert done == ["kept"]
    assert dropped.future.cancelled()


def test_a_job_under_way_ends_soon_after_it_is_cancelled(bench: Bench) -> None:
    def work(device: FakeDevice, lease: Lease) -> str:
        bench.blocked.set()
        assert lease.stop.wait(PATIENCE_S)
        return "too late"

    bench.worker.start()
    job = bench.worker.submit(work)
    bench.wait_blocked()
    job.cancel()
    bench.wait_state(READY, times=2)
    with pytest.raises(CancelledError):
        job.future.result(0)
    assert bench.worker.submit(lambda device, lease: "next").future.result(PATIENCE_S) == "next"


def test_a_job_that_is_cancelled_while_its_device_is_away_is_not_done_again(bench: Bench) -> None:
    tries: list[int] = []

    def work(device: FakeDevice, lease: Lease) -> None:
        tries.append(1)
        bench.open_faults = [bench.block]
        raise UNPLUGGED

    bench.worker.start()
    job = bench.worker.submit(work)
    bench.wait_blocked()
    job.cancel()
    bench.release.set()
    bench.worker.submit(lambda device, lease: None).future.result(PATIENCE_S)
    assert tries == [1]


# --- stuck


def test_a_job_without_a_sign_of_life_makes_the_device_stuck_until_its_next_one(bench: Bench) -> None:
    beaten, go = threading.Event(), threading.Event()

    def work(device: FakeDevice, lease: Lease) -> None:
        bench.block()
        lease.beat()
        beaten.set()
        assert go.wait(PATIENCE_S)

    bench.worker.start()
    job = bench.worker.submit(work)
    bench.wait_blocked()
    bench.clock.now += DEADLINE_S
    assert bench.worker.status.state is BUSY
    bench.clock.now += 0.1
    stuck = bench.worker.status
    assert (stuck.state, stuck.text) == (STUCK, "does not answer")
    assert "plug it in again" in stuck.cure
    bench.release.set()
    assert beaten.wait(PATIENCE_S)
    assert bench.worker.status.state is BUSY
    go.set()
    job.future.result(PATIENCE_S)
    bench.wait_state(READY, times=2)
    assert bench.worker.status.state is READY


def test_waiting_for_the_customer_may_take_any_time_until_it_is_to_stop(bench: Bench) -> None:
    def work(device: FakeDevice, lease: Lease) -> None:
        lease.wait()
        bench.block()

    bench.worker.start()
    job = bench.worker.submit(work)
    bench.wait_blocked()
    bench.clock.now += 3600
    assert bench.worker.status.state is BUSY
    job.cancel()
    bench.clock.now += DEADLINE_S
    assert bench.worker.status.state is BUSY
    bench.clock.now += 0.1
    assert bench.worker.status.state is STUCK
    bench.release.set()
    bench.wait_state(READY, times=2)
    assert bench.worker.status.state is READY


def test_opening_may_take_longer_than_a_job(bench: Bench) -> None:
    bench.open_faults = [bench.block]
    bench.worker.start()
    bench.wait_blocked()
    bench.clock.now += OPEN_DEADLINE_S
    assert bench.worker.status.state is DeviceState.OPENING
    bench.clock.now += 0.1
    assert bench.worker.status.state is STUCK
    bench.release.set()
    bench.wait_state(READY)
    assert bench.worker.status.state is READY


def test_a_health_check_that_does_not_return_makes_the_device_stuck(bench: Bench) -> None:
    bench.worker.start()
    bench.wait_state(READY)
    bench.info_faults.append(bench.block)
    bench.wait_blocked()
    bench.clock.now += DEADLINE_S + 0.1
    assert bench.worker.status.state is STUCK
    bench.release.set()
    bench.worker.submit(lambda device, lease: None).future.result(PATIENCE_S)
    assert bench.worker.status.state in (READY, BUSY)


def test_an_idle_device_is_not_stuck(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = threading.Event()
    bench.worker.start()
    bench.wait_state(READY)
    bench.info_faults.append(checked.set)
    assert checked.wait(PATIENCE_S)
    # No health check comes after the next job.
    monkeypatch.setattr("terminal.devices.worker.HEALTH_S", 1000.0)
    bench.worker.submit(lambda device, lease: None).future.result(PATIENCE_S)
    bench.wait_state(READY, times=2)
    bench.clock.now += 3600
    assert bench.worker.status.state is READY


# --- the end


def test_closing_ends_the_job_closes_the_device_and_the_thread(bench: Bench) -> None:
    def work(device: FakeDevice, lease: Lease) -> bool:
        bench.blocked.set()
        return lease.stop.wait(PATIENCE_S)

    bench.worker.start()
    job = bench.worker.submit(work)
    bench.wait_blocked()
    bench.worker.close()
    bench.worker.join(PATIENCE_S)
    assert bench.worker.status.state is DeviceState.CLOSED
    assert bench.devices[0].closed.is_set()
    assert job.future.cancelled()


def test_closing_an_idle_device_does_not_wait_for_its_next_health_check(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("terminal.devices.worker.HEALTH_S", 1000.0)
    monkeypatch.setattr("terminal.devices.worker.REOPEN_S", 1000.0)
    bench.worker.start()
    bench.wait_state(READY)
    bench.worker.close()
    bench.worker.join(PATIENCE_S)
    assert bench.worker.status.state is DeviceState.CLOSED


def test_closing_a_device_that_is_away_does_not_wait_for_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("terminal.devices.worker.REOPEN_S", 1000.0)
    bench.open_faults = [failing(UNPLUGGED)]
    bench.worker.start()
    bench.wait_state(AWAY)
    bench.worker.close()
    bench.worker.join(PATIENCE_S)
    assert bench.states == [AWAY, DeviceState.CLOSED]


def test_a_job_that_begins_while_the_worker_is_closed_does_not_hold_it_open(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing falls between taking the job from the queue and doing it."""
    take = bench.worker._jobs.get

    def take_and_close(timeout: float) -> object:
        job = take(timeout=timeout)
        bench.worker.close()
        return job

    monkeypatch.setattr(bench.worker._jobs, "get", take_and_close)
    job = bench.worker.submit(lambda device, lease: lease.stop.wait(PATIENCE_S))
    bench.worker.start()
    bench.worker.join(PATIENCE_S)
    assert bench.worker.status.state is DeviceState.CLOSED
    assert BUSY not in bench.states
    assert job.future.cancelled()


def test_a_stuck_device_is_left_behind(bench: Bench) -> None:
    bench.worker.start()
    bench.worker.submit(lambda device, lease: bench.block())
    bench.wait_blocked()
    bench.worker.close()
    bench.worker.join(0.01)
    assert bench.worker.status.state is not DeviceState.CLOSED
    bench.clock.now += DEADLINE_S + 0.1
    assert bench.worker.status.state is STUCK


def test_a_worker_that_was_never_started_can_be_closed() -> None:
    worker: DeviceWorker[FakeDevice] = DeviceWorker(ADDRESS, lambda address: FakeDevice, lambda: None)  # type: ignore[arg-type,return-value]
    worker.close()
    worker.join(PATIENCE_S)
