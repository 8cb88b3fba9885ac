"""Tests of leases: a sweep has one driver at a time, and a dead driver is superseded."""

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

from .factories import SWEEP_ID

OTHER_HOST = Process(host="box-7", machine="another", pid=4711, started="123")

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
    """Return a sweep that was never run."""
    return any_store.sweep(SWEEP_ID)


def write_lease(sweep: SweepStore, who: LeaseHolder, number: int = 1) -> None:
    """Write a lease file as the driver `who` would."""
    sweep.filesystem.write(sweep.paths.lease(number), who.to_json())


def ended_process() -> Process:
    """Return a process of this host that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return replace(Process.current(), pid=child.pid, started="1")


def test_a_lease_is_held_inside_with(sweep: SweepStore) -> None:
    """This process is the sweep's holder inside `with`; before and after there is none."""
    assert current_holder(sweep) is None
    with Lease(sweep) as held_here:
        held_here.check()
        held = current_holder(sweep)
        assert held is not None
        assert held.process == Process.current()
    assert current_holder(sweep) is None


def test_the_error_of_a_second_driver_names_the_holder(sweep: SweepStore) -> None:
    """The message states pid, host and start of the holder."""
    since = 1_700_000_000.0
    busy = LeaseHolder("t", OTHER_HOST, acquired_at=since, renewed_at=time.time())
    write_lease(sweep, busy)
    with pytest.raises(StoreBusyError) as caught, Lease(sweep):
        pass
    assert caught.value.message == (
        f"sweep {SWEEP_ID} is already being run by pid 4711 on box-7 since 2023-11-14 22:13:20 UTC"
    )
    assert caught.value.remedy.startswith("Wait until it ends, or stop it")
    assert caught.value.exit_code == 1
    assert current_holder(sweep) == busy


def test_a_stale_lease_of_another_host_is_taken_over(sweep: SweepStore) -> None:
    """The lease is stale once its last renewal is a minute old, not before."""
    write_lease(sweep, LeaseHolder("t", OTHER_HOST, acquired_at=0.0, renewed_at=time.time() - STALE_SECONDS + 5))
    with pytest.raises(StoreBusyError), Lease(sweep):
        pass
    write_lease(sweep, LeaseHolder("t", OTHER_HOST, acquired_at=0.0, renewed_at=time.time() - STALE_SECONDS - 5))
    with Lease(sweep):
        held = current_holder(sweep)
        assert held is not None
        assert held.process == Process.current()


@pytest.mark.parametrize("ended", ["killed", "pid reused"])
def test_the_lease_of_a_dead_local_driver_is_taken_over_at_once(ended: str, sweep: SweepStore) -> None:
    """A recent renewal does not count if the process has ended."""
    process = ended_process() if ended == "killed" else replace(Process.current(), started="1")
    write_lease(sweep, LeaseHolder("t", process, acquired_at=0.0, renewed_at=time.time()))
    with Lease(sweep):
        held = current_holder(sweep)
        assert held is not None
        assert held.process == Process.current()


def test_a_suspended_local_driver_keeps_its_lease(sweep: SweepStore) -> None:
    """A process that exists but renews nothing would still write once it is resumed."""
    write_lease(sweep, LeaseHolder("t", Process.current(), acquired_at=0.0, renewed_at=0.0))
    with pytest.raises(StoreBusyError), Lease(sweep):
        pass


def test_an_empty_lease_is_taken_over(sweep: SweepStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease stays empty if its creator was killed before it wrote the content."""
    monkeypatch.setattr(lease, "EMPTY_LEASE_SECONDS", 0.05)
    sweep.filesystem.write(sweep.paths.lease(1), b"")
    with Lease(sweep):
        assert current_holder(sweep) is not None


def test_an_invalid_lease_is_an_error(sweep: SweepStore) -> None:
    """The error names the file."""
    for content in (b"{", b"[]", b"{}", b'{"process": {}}'):
        sweep.filesystem.write(sweep.paths.lease(1), content)
        with pytest.raises(StoreError, match=r"lease-000001\.json is not a lease"), Lease(sweep):
            pass


def test_a_held_lease_is_renewed(sweep: SweepStore) -> None:
    """A renewal changes `renewed_at` only."""
    with Lease(sweep, renew_seconds=0.01):
        first = last_holder(sweep)
        assert first is not None
        deadline = time.monotonic() + 10
        while (now := last_holder(sweep)) and now.renewed_at == first.renewed_at and time.monotonic() < deadline:
            time.sleep(0.005)
        assert now is not None
        assert (now.token, now.acquired_at) == (first.token, first.acquired_at)
        assert now.renewed_at > first.renewed_at


def test_a_driver_that_lost_its_lease_gets_an_error_before_it_writes(sweep: SweepStore) -> None:
    """`check` raises an error after a pause during which another driver took over; the new lease is not changed."""
    with Lease(sweep, renew_seconds=3600) as mine:
        write_lease(sweep, LeaseHolder("t", OTHER_HOST, acquired_at=0.0, renewed_at=time.time()), number=2)
        mine.check()  # the last renewal is recent, so no other driver may have taken over
        mine._mine = replace(mine._mine, renewed_at=time.time() - 2 * 3600 - 1)
        with pytest.raises(StoreBusyError) as caught:
            mine.check()
        assert caught.value.message.startswith(f"sweep {SWEEP_ID} was taken over by pid 4711 on box-7")
    last = last_holder(sweep)
    assert last is not None
    assert (last.token, last.released) == ("t", False)


def test_the_renewing_thread_detects_a_lost_lease(sweep: SweepStore) -> None:
    """The thread ends, and `check` raises an error although no time has passed."""
    with Lease(sweep, renew_seconds=0.01) as mine:
        write_lease(sweep, LeaseHolder("t", OTHER_HOST, acquired_at=0.0, renewed_at=time.time()), number=2)
        mine._renewer.join(timeout=10)
        with pytest.raises(StoreBusyError, match="was taken over"):
            mine.check()


def test_superseded_leases_are_deleted(sweep: SweepStore) -> None:
    """One file is left, no matter how often the sweep was resumed."""
    for _ in range(3):
        with Lease(sweep):
            pass
    leases = [entry.name for entry in sweep.filesystem.list_folder(sweep.paths.home)]
    assert leases == ["lease-000003.json"]


def wait_for_stop_request(lease: Lease) -> bool:
    """Return True if the lease sees a request to stop within 10 s."""
    deadline = time.monotonic() + 10
    while not lease.stop_requested and time.monotonic() < deadline:
        time.sleep(0.005)
    return lease.stop_requested


def test_a_stop_request_is_seen_at_the_next_renewal(sweep: SweepStore) -> None:
    """The request is deleted when the lease is released."""
    with Lease(sweep, renew_seconds=0.01) as mine:
        requested_before = mine.stop_requested
        assert not requested_before
        asked = last_holder(sweep)
        assert asked is not None
        assert asked.token == mine.token
        request_stop(sweep, asked)
        assert is_stop_requested(sweep, asked)
        assert wait_for_stop_request(mine)
    assert mine.stop_requested
    assert not is_stop_requested(sweep, asked)
    assert sweep.filesystem.kind(sweep.paths.stop) is None


def test_a_stop_request_does_not_stop_a_later_driver(sweep: SweepStore) -> None:
    """A later driver neither obeys nor deletes the request to a dead driver."""
    before = LeaseHolder("t", ended_process(), acquired_at=0.0, renewed_at=time.time())
    write_lease(sweep, before)
    request_stop(sweep, before)
    with Lease(sweep, renew_seconds=0.01) as mine:
        for _ in range(2):  # the request is read after the renewal
            last, deadline = mine._mine.renewed_at, time.monotonic() + 10
            while mine._mine.renewed_at == last and time.monotonic() < deadline:
                time.sleep(0.005)
            assert mine._mine.renewed_at > last
        assert not mine.stop_requested
    assert is_stop_requested(sweep, before)


def test_a_late_stop_request_is_deleted(sweep: SweepStore) -> None:
    """A driver that ends before its next renewal deletes the request to it."""
    with Lease(sweep, renew_seconds=3600):
        asked = last_holder(sweep)
        assert asked is not None
        request_stop(sweep, asked)
    assert sweep.filesystem.kind(sweep.paths.stop) is None


def test_one_of_many_threads_takes_a_stale_lease(store: Store) -> None:
    """If eight drivers find the same stale lease at once, one acquires it and seven get an error (20 times)."""
    for race in range(20):
        sweep = store.sweep(f"race-{race}")
        write_lease(sweep, LeaseHolder("t", OTHER_HOST, acquired_at=0.0, renewed_at=0.0))
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


def test_one_of_two_processes_takes_a_stale_lease(store: Store) -> None:
    """When that process is killed, the next driver takes over at once."""
    sweep = store.sweep(SWEEP_ID)
    write_lease(sweep, LeaseHolder("t", OTHER_HOST, acquired_at=0.0, renewed_at=0.0))
    arguments = [sys.executable, "-c", DRIVER, store.uri, SWEEP_ID]
    drivers = [subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for driver in drivers:
        assert driver.stdout is not None
        assert driver.stdout.readline() == "ready\n"
    answers = {}
    for driver in drivers:
        assert driver.stdin is not None
        driver.stdin.write("go\n")
        driver.stdin.flush()
    for driver in drivers:
        assert driver.stdout is not None
        answers[driver.pid] = driver.stdout.readline()
    winner = next(driver for driver in drivers if answers[driver.pid] == "held\n")
    loser = next(driver for driver in drivers if driver is not winner)
    assert f"is already being run by pid {winner.pid} on" in answers[loser.pid]
    winner.kill()
    for driver in drivers:
        driver.communicate()
    with Lease(sweep):
        pass
