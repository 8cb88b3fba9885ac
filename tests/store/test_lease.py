"""One driver at a time: whoever holds the lease is named, and whoever is gone is taken over from."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from tcray.errors import StoreBusyError, StoreError
from tcray.store import lease
from tcray.store.lease import (
    STALE_SECONDS,
    Lease,
    LeaseHolder,
    current_holder,
    is_stop_requested,
    last_holder,
    request_stop,
)
from tcray.store.process import Process
from tcray.store.store import Store, SweepStore

from .recorded import SWEEP_ID

ELSEWHERE = Process(host="box-7", machine="another", pid=4711, started="123")

DRIVER = """
import sys, time
from tcray.errors import StoreBusyError
from tcray.store.lease import Lease
from tcray.store.store import Store
lease = Lease(Store.open(sys.argv[1]).sweep(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
try:
    with lease:
        print("held", flush=True)
        sys.stdin.readline()
except StoreBusyError as error:
    print(error.message, flush=True)
"""


@pytest.fixture
def sweep(any_store: Store) -> SweepStore:
    """A sweep that nobody has run."""
    return any_store.sweep(SWEEP_ID)


def leave(sweep: SweepStore, who: LeaseHolder, number: int = 1) -> None:
    """Leaves a lease behind as `who` would have."""
    sweep.filesystem.write(sweep.paths.lease(number), who.to_json())


def gone() -> Process:
    """A process of this machine that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return replace(Process.current(), pid=child.pid, started="1")


def test_a_lease_is_held_inside_with(sweep: SweepStore):
    """Before and after nobody runs the sweep; between, this process does."""
    assert current_holder(sweep) is None
    with Lease(sweep) as held_here:
        held_here.check()
        held = current_holder(sweep)
        assert held is not None
        assert held.process == Process.current()
    assert current_holder(sweep) is None


def test_a_second_driver_is_told_who_runs_the_sweep(sweep: SweepStore):
    """Host, pid and since when."""
    since = 1_700_000_000.0
    busy = LeaseHolder("t", ELSEWHERE, acquired_at=since, renewed_at=time.time())
    leave(sweep, busy)
    with pytest.raises(StoreBusyError) as caught, Lease(sweep):
        pass
    assert caught.value.message == (
        f"sweep {SWEEP_ID} is already being run, by pid 4711 on box-7 since 2023-11-14 22:13:20 UTC"
    )
    assert caught.value.remedy.startswith("Wait until it is done, or end that process")
    assert caught.value.exit_code == 1
    assert current_holder(sweep) == busy


def test_a_driver_elsewhere_that_fell_silent_is_taken_over_from(sweep: SweepStore):
    """Not before its heartbeat is a minute old."""
    leave(sweep, LeaseHolder("t", ELSEWHERE, acquired_at=0.0, renewed_at=time.time() - STALE_SECONDS + 5))
    with pytest.raises(StoreBusyError), Lease(sweep):
        pass
    leave(sweep, LeaseHolder("t", ELSEWHERE, acquired_at=0.0, renewed_at=time.time() - STALE_SECONDS - 5))
    with Lease(sweep):
        held = current_holder(sweep)
        assert held is not None
        assert held.process == Process.current()


@pytest.mark.parametrize("ended", ["killed", "its pid used again"])
def test_a_driver_here_that_is_gone_is_taken_over_from_at_once(ended: str, sweep: SweepStore):
    """Its last heartbeat may be of this very moment."""
    process = gone() if ended == "killed" else replace(Process.current(), started="1")
    leave(sweep, LeaseHolder("t", process, acquired_at=0.0, renewed_at=time.time()))
    with Lease(sweep):
        held = current_holder(sweep)
        assert held is not None
        assert held.process == Process.current()


def test_a_driver_here_that_is_stopped_still_holds(sweep: SweepStore):
    """A process that runs is no less running for being silent, and would go on writing."""
    leave(sweep, LeaseHolder("t", Process.current(), acquired_at=0.0, renewed_at=0.0))
    with pytest.raises(StoreBusyError), Lease(sweep):
        pass


def test_a_driver_killed_while_it_took_the_lease_holds_nothing(sweep: SweepStore, monkeypatch: pytest.MonkeyPatch):
    """An empty lease is one whose creator never came to write it."""
    monkeypatch.setattr(lease, "EMPTY_LEASE_SECONDS", 0.05)
    sweep.filesystem.write(sweep.paths.lease(1), b"")
    with Lease(sweep):
        assert current_holder(sweep) is not None


def test_a_file_that_is_no_lease_is_named(sweep: SweepStore):
    """It is not taken for anybody's."""
    for content in (b"{", b"[]", b"{}", b'{"process": {}}'):
        sweep.filesystem.write(sweep.paths.lease(1), content)
        with pytest.raises(StoreError, match=r"lease-000001\.json is no lease"), Lease(sweep):
            pass


def test_the_heart_beats(sweep: SweepStore):
    """While the lease is held its heartbeat is renewed."""
    with Lease(sweep, renew_seconds=0.01):
        first = last_holder(sweep)
        assert first is not None
        patience = time.monotonic() + 10
        while (now := last_holder(sweep)) and now.renewed_at == first.renewed_at and time.monotonic() < patience:
            time.sleep(0.005)
        assert now is not None
        assert (now.token, now.acquired_at) == (first.token, first.acquired_at)
        assert now.renewed_at > first.renewed_at


def test_losing_the_lease_is_noticed(sweep: SweepStore):
    """A driver that slept and was taken over from learns it before it writes, and leaves the new lease alone."""
    with Lease(sweep, renew_seconds=3600) as mine:
        leave(sweep, LeaseHolder("t", ELSEWHERE, acquired_at=0.0, renewed_at=time.time()), number=2)
        mine.check()  # its own beat is fresh: nobody may have taken over
        mine._mine = replace(mine._mine, renewed_at=time.time() - 2 * 3600 - 1)
        with pytest.raises(StoreBusyError) as caught:
            mine.check()
        assert caught.value.message.startswith(f"sweep {SWEEP_ID} was taken over by pid 4711 on box-7")
    last = last_holder(sweep)
    assert last is not None
    assert (last.token, last.released) == ("t", False)


def test_the_heart_notices_a_loss_too(sweep: SweepStore):
    """Without anyone asking."""
    with Lease(sweep, renew_seconds=0.01) as mine:
        leave(sweep, LeaseHolder("t", ELSEWHERE, acquired_at=0.0, renewed_at=time.time()), number=2)
        mine._heart.join(timeout=10)
        with pytest.raises(StoreBusyError, match="was taken over"):
            mine.check()


def test_outnumbered_leases_are_deleted(sweep: SweepStore):
    """One file is left, however often the sweep was resumed."""
    for _ in range(3):
        with Lease(sweep):
            pass
    leases = [entry.name for entry in sweep.filesystem.entries(sweep.paths.home)]
    assert leases == ["lease-000003.json"]


def heard(lease: Lease) -> bool:
    """Whether the lease's holder comes to know that it is to stop, given time."""
    patience = time.monotonic() + 10
    while not lease.stop_requested and time.monotonic() < patience:
        time.sleep(0.005)
    return lease.stop_requested


def test_a_driver_that_is_asked_to_stop_hears_of_it(sweep: SweepStore):
    """At its next heartbeat; nobody asks it again once it has given the lease back."""
    with Lease(sweep, renew_seconds=0.01) as mine:
        assert not mine.stop_requested
        asked = last_holder(sweep)
        assert asked is not None
        assert asked.token == mine.token
        request_stop(sweep, asked)
        assert is_stop_requested(sweep, asked)
        assert heard(mine)
    assert mine.stop_requested
    assert not is_stop_requested(sweep, asked)
    assert sweep.filesystem.kind(sweep.paths.stop) is None


def test_no_later_driver_is_stopped(sweep: SweepStore):
    """What was left for a driver that is gone stops none that comes after it, and is not taken away by it."""
    before = LeaseHolder("t", gone(), acquired_at=0.0, renewed_at=time.time())
    leave(sweep, before)
    request_stop(sweep, before)
    with Lease(sweep, renew_seconds=0.01) as mine:
        for _ in range(2):  # the look comes after the beat
            last, patience = mine._mine.renewed_at, time.monotonic() + 10
            while mine._mine.renewed_at == last and time.monotonic() < patience:
                time.sleep(0.005)
            assert mine._mine.renewed_at > last
        assert not mine.stop_requested
    assert is_stop_requested(sweep, before)


def test_a_request_that_came_too_late_is_taken_away(sweep: SweepStore):
    """A driver that ends before its next heartbeat leaves nothing that was meant for it."""
    with Lease(sweep, renew_seconds=3600):
        asked = last_holder(sweep)
        assert asked is not None
        request_stop(sweep, asked)
    assert sweep.filesystem.kind(sweep.paths.stop) is None


def test_of_many_threads_one_takes_a_stale_lease(store: Store):
    """Twenty times eight drivers that see the same stale lease at once: one holds it, seven are told so."""
    for race in range(20):
        sweep = store.sweep(f"race-{race}")
        leave(sweep, LeaseHolder("t", ELSEWHERE, acquired_at=0.0, renewed_at=0.0))
        start, end = threading.Barrier(8), threading.Barrier(8)
        won: list[str] = []
        lost: list[str] = []

        def driver(
            sweep: SweepStore, start: threading.Barrier, end: threading.Barrier, won: list[str], lost: list[str]
        ) -> None:
            start.wait()
            try:
                with Lease(sweep) as mine:
                    won.append(mine._mine.token)
                    end.wait()
            except StoreBusyError as error:
                lost.append(error.message)
                end.wait()

        threads = [threading.Thread(target=driver, args=(sweep, start, end, won, lost)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(won), len(lost)) == (1, 7)


def test_of_two_processes_one_takes_a_stale_lease(store: Store):
    """And when it is killed, the next one takes over at once."""
    sweep = store.sweep(SWEEP_ID)
    leave(sweep, LeaseHolder("t", ELSEWHERE, acquired_at=0.0, renewed_at=0.0))
    arguments = [sys.executable, "-c", DRIVER, store.uri, SWEEP_ID]
    drivers = [subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for driver in drivers:
        assert driver.stdout is not None
        assert driver.stdout.readline() == "ready\n"
    said = {}
    for driver in drivers:
        assert driver.stdin is not None
        driver.stdin.write("go\n")
        driver.stdin.flush()
    for driver in drivers:
        assert driver.stdout is not None
        said[driver.pid] = driver.stdout.readline()
    winner = next(driver for driver in drivers if said[driver.pid] == "held\n")
    loser = next(driver for driver in drivers if driver is not winner)
    assert f"is already being run, by pid {winner.pid} on" in said[loser.pid]
    winner.kill()
    for driver in drivers:
        driver.communicate()
    with Lease(sweep):
        pass
