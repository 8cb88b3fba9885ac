from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from tcray.errors import StoreBusyError
from tcray.store.driver_status import read_status
from tcray.store.store import Store, SweepStore
from tcray.tune import capacity
from tcray.tune.capacity import AutoscalingLimits, Capacity, Node, WorkerResources
from tcray.tune.ray.autoscaler_status import NO_AUTOSCALER, AutoscalerStatus
from tcray.tune.status import pending
from tcray.tune.status.pending import SLOW_SECONDS, STUCK_SECONDS
from tcray.tune.status.reporter import WRITE_SECONDS, reporting_status
from tcray.tune.wait_for_gpu import WaitForGpu
from tests.store.fakes import Bucket

from .fakes import FakeClock, FakeLease
from .status.test_reporter import LEASE, PROGRESS

SWEEP: Any = SimpleNamespace(name="small", objective="valid.loss")
NOT_STARTED = "small: 0 of 100 runs done (0 pruned, 0 failed), 0 running"
GPU_NODE, CPU_NODE = Node("h1", 4, 1, "id-1", "10.0.0.1"), Node("head", 4, 0, "id-0", "10.0.0.9")


@dataclass
class Driver(FakeLease):
    """A driver of a sweep without runs, with its lease, and a cluster that the test changes."""

    store: SweepStore = field(kw_only=True)
    clock: FakeClock = field(kw_only=True)
    token: str = LEASE
    nodes: list[Node] = field(default_factory=list)
    autoscaler: AutoscalerStatus = NO_AUTOSCALER
    queue_calls: int = 0
    console: Console = field(default_factory=lambda: Console(file=io.StringIO(), width=200))

    def start_queue(self) -> Any:
        """Return a queue without progress, and count the call."""
        self.queue_calls += 1
        progress = replace(PROGRESS, complete=0, pruned=0, failed=0, in_flight=0, best={})
        return SimpleNamespace(progress=lambda: progress, count_ready=lambda: 0)

    def wait(self, workers: int = 1) -> WaitForGpu:
        """Return the wait of this driver."""
        lease: Any = self
        resources = WorkerResources(1, 0.5, "cuda")
        capacity = Capacity(resources, lambda: tuple(self.nodes), AutoscalingLimits())
        report = partial(
            reporting_status, SWEEP, self.store, autoscaler_status=lambda: self.autoscaler, console=self.console
        )
        return WaitForGpu(self.start_queue, lease, capacity, workers, report)

    def printed_reasons(self) -> list[str]:
        """Return the distinct printed lines except the progress."""
        lines = self.console.file.getvalue().splitlines()  # type: ignore[attr-defined]  # it is a StringIO
        return [line.removeprefix("small: ") for line in dict.fromkeys(lines) if line != NOT_STARTED]


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    """Return a driver on a cluster without nodes."""
    monkeypatch.setattr(capacity, "REFRESH_SECONDS", 0.0)
    store = Store(Bucket().filesystem()).sweep("small-1")
    return Driver(store=store, clock=FakeClock(monkeypatch, pending))


def test_a_short_wait_is_not_reported(driver: Driver) -> None:
    """During the grace period nothing is printed and nothing is written to the store."""
    driver.nodes = [GPU_NODE]
    with driver.wait() as wait:
        for _ in range(int(SLOW_SECONDS)):
            wait.tick()
            driver.clock.now += 1.0
    assert ([], 0, None) == (driver.printed_reasons(), driver.queue_calls, read_status(driver.store, LEASE))


def test_a_missing_host_is_reported_at_once(driver: Driver) -> None:
    """Each reason is printed once, when it begins, and all current reasons are in the stored status."""
    with driver.wait(workers=4) as wait:
        for status in (
            NO_AUTOSCALER,
            NO_AUTOSCALER,
            AutoscalerStatus({}, {"gpu-spot": "none left"}),
            AutoscalerStatus({"gpu-ondemand": 1}, {}),
        ):
            driver.autoscaler = status
            wait.tick()
            driver.clock.now += WRITE_SECONDS
        stored = read_status(driver.store, LEASE)
    assert [
        "4 packs wait for a host: no host that is up can hold one",
        "gpu-spot is not available now: none left",
        "4 packs wait for a host: 1 of gpu-ondemand is being started",
    ] == driver.printed_reasons()
    assert stored is not None
    assert {"starting": "4 packs wait for a host: 1 of gpu-ondemand is being started"} == stored.pending_reasons
    assert (0, 100, ()) == (stored.ended, stored.planned, stored.hosts)


def test_a_slow_worker_is_reported_later(driver: Driver) -> None:
    """If a node has a free slot by its declared resources, the wait is reported only after `STUCK_SECONDS`."""
    driver.nodes = [GPU_NODE, CPU_NODE]
    with driver.wait() as wait:
        driver.clock.now += SLOW_SECONDS
        wait.tick()
        driver.clock.now += STUCK_SECONDS
        wait.tick()
    expected = "1 pack waits for a worker: the hosts are busy with other work or slow to start one"
    assert [expected] == driver.printed_reasons()
    stored = read_status(driver.store, LEASE)
    assert stored is not None
    assert ["h1"] == [host.name for host in stored.hosts]


def test_a_stop_request_ends_the_wait(driver: Driver) -> None:
    """A request by `tcray stop` raises KeyboardInterrupt, as Ctrl-C does."""
    with driver.wait() as wait:
        wait.tick()
        driver.stop_requested = True
        with pytest.raises(KeyboardInterrupt):
            wait.tick()


def test_a_lost_lease_ends_the_wait(driver: Driver) -> None:
    """If another driver has taken over, nothing is written."""
    driver.lost = True
    with driver.wait() as wait, pytest.raises(StoreBusyError):
        wait.tick()
    assert 0 == driver.queue_calls
