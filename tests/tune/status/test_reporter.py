from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from ray.exceptions import RaySystemError

from tcray.search.progress import BestObjective
from tcray.search.queue import Progress
from tcray.store.driver_status import BestRun, DriverStatus, Host, read_status
from tcray.store.store import Store, SweepStore
from tcray.tune.capacity import Node, WorkerResources
from tcray.tune.ray.autoscaler_status import NO_AUTOSCALER, AutoscalerStatus
from tcray.tune.status import reporter as reporter_module
from tcray.tune.status.pending import SLOW_SECONDS, STUCK_SECONDS
from tcray.tune.status.reporter import WRITE_SECONDS, StatusReporter
from tests.store.fakes import Bucket
from tests.tune.fakes import FakeClock

PROGRESS = Progress(
    planned=100,
    complete=10,
    pruned=4,
    failed=1,
    in_flight=8,
    waiting=0,
    epochs_done=500,
    epochs_left=1000.0,
    best={"mosi": BestObjective(0.5, "mosi/rank=4")},
    ended_by_pack={"1-aa": 8, "2-bb": 3, "7-of_before": 4},
    notes=(),
)
LEASE = "t"
BUSY_NODE = [Node("h3", 4, 0, "full", "10.0.0.3")]
NODES = [Node("h1", 4, 0, "id-1", "10.0.0.1"), Node("h2", 4, 0, "id-2", "10.0.0.2")]


@dataclass
class FakeDriver:
    """A driver's state: searcher, queue, lease and capacity in one object."""

    progress: Progress = PROGRESS
    runs_ready: int = 0
    nodes: list[Node] = field(default_factory=lambda: list(NODES))
    packs_by_node: dict[str, int] = field(default_factory=lambda: {"id-1": 4, "id-2": 2})
    waiting_since: list[float] = field(default_factory=list)
    trial_nodes: dict[str, str] = field(default_factory=lambda: {"aa": "id-1", "bb": "id-2"})
    token: str = LEASE
    autoscaler: AutoscalerStatus = NO_AUTOSCALER

    def __post_init__(self) -> None:
        """Create the parts."""
        self.queue = SimpleNamespace(progress=lambda: self.progress, count_ready=lambda: self.runs_ready)
        self.lease = self
        self.capacity = SimpleNamespace(nodes=lambda: self.nodes, resources=WorkerResources(1, 0, "cpu"))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """Return a clock that stands still."""
    return FakeClock(monkeypatch, reporter_module)


@pytest.fixture
def bucket() -> Bucket:
    """Return the store's bucket."""
    return Bucket()


@pytest.fixture
def store(bucket: Bucket) -> SweepStore:
    """Return the store that the status is written to."""
    return Store(bucket.filesystem()).sweep("small-1")


def make_reporter(store: SweepStore, driver: Any) -> StatusReporter:
    """Return the reporter of a driver."""
    return StatusReporter(store, driver, "valid.loss", lambda: driver.autoscaler)


def read(store: SweepStore) -> DriverStatus:
    """Return the status in the store."""
    found = read_status(store, LEASE)
    assert found is not None
    return found


def test_a_status_has_runs_hosts_and_reasons(store: SweepStore, clock: FakeClock) -> None:
    """A status counts runs by state, and this driver's runs and packs by host, and says why slots are free."""
    driver = FakeDriver()
    with make_reporter(store, driver) as reporter:
        clock.now += 100
        driver.progress = replace(PROGRESS, epochs_done=700)
        status = reporter.read_status()
    expected = DriverStatus(
        token=LEASE,
        at=1100.0,
        objective="valid.loss",
        planned=100,
        complete=10,
        pruned=4,
        failed=1,
        running=8,
        seconds_left=1000 / 2,
        best=(BestRun("mosi", "mosi/rank=4", 0.5),),
        hosts=(Host("h1", "10.0.0.1", "up", 4, 4, 8, None), Host("h2", "10.0.0.2", "up", 4, 2, 3, None)),
        pending_reasons={"results": "2 slots are free: further runs depend on the results of those in training"},
    )
    assert expected == status == read(store)


def test_no_estimate_before_the_first_result(store: SweepStore, clock: FakeClock) -> None:
    """Without any trained epoch there is no estimate of the time left."""
    with make_reporter(store, FakeDriver()) as reporter:
        clock.now += 100
        assert reporter.read_status().seconds_left is None


def test_the_status_is_written_at_intervals_and_at_the_end(store: SweepStore, clock: FakeClock) -> None:
    """The status is written every ten seconds and at the end, so a reader is never behind by more."""
    driver = FakeDriver()
    with make_reporter(store, driver) as reporter:
        times = []
        for second in range(26):
            clock.now = 1000.0 + second
            reporter.tick()
            times.append(read(store).at)
        assert [0.0] * 10 + [WRITE_SECONDS] * 10 + [2 * WRITE_SECONDS] * 6 == [at - 1000.0 for at in times]
        driver.progress = replace(PROGRESS, complete=95, in_flight=0)
        driver.packs_by_node = {}
    final = read(store)
    assert (100, 0, [0, 0]) == (final.ended, final.running, [host.packs for host in final.hosts])


def test_a_failing_store_does_not_end_the_driver(store: SweepStore, bucket: Bucket, clock: FakeClock) -> None:
    """A failed write of the status is ignored, and the next one succeeds."""
    with make_reporter(store, FakeDriver()) as reporter:
        bucket.failures = 1
        reporter.tick()
        assert read_status(store, LEASE) is None
        clock.now += WRITE_SECONDS
        reporter.tick()
        assert read(store).at == clock.now


def test_a_failing_ray_does_not_end_the_driver(store: SweepStore, clock: FakeClock) -> None:
    """If Ray does not answer, the status shows the last known hosts."""
    driver = FakeDriver()

    def fail() -> list[Node]:
        raise RaySystemError("gone")

    with make_reporter(store, driver) as reporter:
        reporter.tick()
        driver.capacity.nodes = fail
        clock.now += WRITE_SECONDS
        reporter.tick()
    assert ["h1", "h2"] == [host.name for host in read(store).hosts]


@pytest.mark.parametrize(
    ("waited", "nodes", "expected"),
    [
        (0, [], ["1 pack waits for a host: no host that is up can hold one"]),
        (SLOW_SECONDS - 1, BUSY_NODE, []),
        (SLOW_SECONDS + 1, BUSY_NODE, ["1 pack waits for a host: every suitable slot is busy"]),
        (SLOW_SECONDS + 1, NODES, []),
        (STUCK_SECONDS - 1, NODES, []),
        (
            STUCK_SECONDS + 1,
            NODES,
            ["1 pack waits for a worker: the hosts are busy with other work or slow to start one"],
        ),
    ],
)
@pytest.mark.usefixtures("clock")
def test_a_worker_has_time_to_start(waited: float, nodes: list[Node], expected: list[str], store: SweepStore) -> None:
    """A wait is reported after a grace period, which is longer if a host has a free slot."""
    driver = FakeDriver(
        progress=replace(PROGRESS, planned=23),
        nodes=nodes,
        packs_by_node={"full": 4},
        waiting_since=[1000.0 - waited],
    )
    with make_reporter(store, driver) as reporter:
        assert expected == list(reporter.read_status().pending_reasons.values())


@pytest.mark.usefixtures("clock")
def test_the_autoscaler_is_part_of_the_status(store: SweepStore) -> None:
    """Hosts that are being started are shown; waiting runs include those that are not proposed yet."""
    driver = FakeDriver(
        runs_ready=70,
        packs_by_node={"id-1": 4, "id-2": 4},
        waiting_since=[0.0] * 3,
        autoscaler=AutoscalerStatus({"gpu-spot": 2}, {}),
    )
    with make_reporter(store, driver) as reporter:
        reporter.tick()
    expected = ["70 runs wait: every slot is busy", "3 packs wait for a host: 2 of gpu-spot are being started"]
    assert expected == list(read(store).pending_reasons.values())
