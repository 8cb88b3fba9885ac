from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from ray.exceptions import RaySystemError

from tcray.search.progress import BestObjective
from tcray.search.queue import Progress
from tcray.store.driver_status import BestRun, DriverStatus, Host, read_activity
from tcray.store.store import Store, SweepStore
from tcray.tune.nodes import Node
from tcray.tune.placement import Placement, WorkerResources
from tcray.tune.ray.autoscaler_status import NONE, AutoscalerStatus
from tcray.tune.status import hosts as hosts_watched
from tcray.tune.status import pending as waiting
from tcray.tune.status import reporter as watched
from tcray.tune.status.pending import SLOW_SECONDS, STUCK_SECONDS
from tcray.tune.status.reporter import TELL_SECONDS, StatusReporter
from tests.store.bucket import Bucket

BEGUN = Progress(
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
MINE = "t"
FULL = [Node("h3", 4, 0, "full", "10.0.0.3")]
NODES = [Node("h1", 4, 0, "id-1", "10.0.0.1"), Node("h2", 4, 0, "id-2", "10.0.0.2")]


@dataclass
class Driven:
    """A searcher, its queue, its lease and its room in one."""

    told: Progress = BEGUN
    runs_ready: int = 0
    up: list[Node] = field(default_factory=lambda: list(NODES))
    packs: dict[str, int] = field(default_factory=lambda: {"id-1": 4, "id-2": 2})
    since: list[float] = field(default_factory=list)
    nodes: dict[str, str] = field(default_factory=lambda: {"aa": "id-1", "bb": "id-2"})
    token: str = MINE
    launched: AutoscalerStatus = NONE

    def __post_init__(self) -> None:
        """Each in its place."""
        self.queue = SimpleNamespace(progress=lambda: self.told, count_ready=lambda: self.runs_ready)
        self.lease = self
        share = WorkerResources(1, 0, "cpu")
        self.room = SimpleNamespace(nodes=self.look, placement=Placement((share,)))
        self.waits = {share: self.since}

    def look(self) -> list[Node]:
        """The nodes that are up."""
        return self.up


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Takes the place of every clock of a lookout."""
        self.now = 1000.0
        for module in (watched, hosts_watched, waiting):
            monkeypatch.setattr(module.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(watched.time, "time", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that stands."""
    return Clock(monkeypatch)


@pytest.fixture
def bucket() -> Bucket:
    """Where the store is."""
    return Bucket()


@pytest.fixture
def store(bucket: Bucket) -> SweepStore:
    """A store to tell."""
    return Store(bucket.volume()).sweep("small-1")


def a_lookout(store: SweepStore, driven: Any) -> StatusReporter:
    """Over what is driven."""
    return StatusReporter(store, driven, "valid.loss", lambda: driven.launched)


def told(store: SweepStore) -> DriverStatus:
    """What the store was told."""
    found = read_activity(store, MINE)
    assert found is not None
    return found


def test_it_sees_runs_hosts_and_reasons(store: SweepStore, clock: Clock) -> None:
    """Runs by what became of them, and of this driver's runs on which host; slots that wait for a verdict."""
    with a_lookout(store, Driven()) as lookout:
        clock.now += 100
        lookout.scene.queue.progress = lambda: replace(BEGUN, epochs_done=700)  # type: ignore[method-assign]
        seen = lookout.activity()
    expected = DriverStatus(
        token=MINE,
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
        why={"judged": "2 slots are free: further runs wait until those under way are judged"},
    )
    assert expected == seen == told(store)


def test_nothing_is_said_of_the_time_left_before_anything_came_back(store: SweepStore, clock: Clock) -> None:
    """There is no pace yet."""
    with a_lookout(store, Driven()) as lookout:
        clock.now += 100
        assert lookout.activity().seconds_left is None


def test_it_tells_now_and_then_and_at_the_end(store: SweepStore, clock: Clock) -> None:
    """The store is written to every ten seconds, and a last time; a reader is never behind by more."""
    driven = Driven()
    with a_lookout(store, driven) as lookout:
        times = []
        for second in range(26):
            clock.now = 1000.0 + second
            lookout.tick()
            times.append(told(store).at)
        assert [0.0] * 10 + [TELL_SECONDS] * 10 + [2 * TELL_SECONDS] * 6 == [at - 1000.0 for at in times]
        driven.told = replace(BEGUN, complete=95, in_flight=0)
        driven.packs = {}
    assert (100, 0, [0, 0]) == (told(store).ended, told(store).running, [host.packs for host in told(store).hosts])


def test_a_store_that_does_not_answer_is_no_failure(store: SweepStore, bucket: Bucket, clock: Clock) -> None:
    """The next write that matters reports it; the next word gets through."""
    with a_lookout(store, Driven()) as lookout:
        bucket.failures = 1
        lookout.tick()
        assert read_activity(store, MINE) is None
        clock.now += TELL_SECONDS
        lookout.tick()
        assert told(store).at == clock.now


def test_a_ray_that_does_not_answer_is_no_failure(store: SweepStore, clock: Clock) -> None:
    """The hosts are those last seen."""
    driven = Driven()

    def fail() -> list[Node]:
        raise RaySystemError("gone")

    with a_lookout(store, driven) as lookout:
        lookout.tick()
        driven.room.nodes = fail
        clock.now += TELL_SECONDS
        lookout.tick()
    assert ["h1", "h2"] == [host.name for host in told(store).hosts]


@pytest.mark.parametrize(
    ("waited", "up", "said"),
    [
        (0, [], ["1 pack waits for a host: none is up that could hold one"]),
        (SLOW_SECONDS - 1, FULL, []),
        (SLOW_SECONDS + 1, FULL, ["1 pack waits for a host: every slot that could hold one is busy"]),
        (SLOW_SECONDS + 1, NODES, []),
        (STUCK_SECONDS - 1, NODES, []),
        (
            STUCK_SECONDS + 1,
            NODES,
            ["1 pack waits for a worker: the hosts are busy with something else, or slow to start one"],
        ),
    ],
)
@pytest.mark.usefixtures("clock")
def test_a_worker_is_given_time_to_start(waited: float, up: list[Node], said: list[str], store: SweepStore) -> None:
    """It is waited for without a word as long as it may take, and longer where a host has room for it."""
    driven = Driven(told=replace(BEGUN, planned=23), up=up, packs={"full": 4}, since=[1000.0 - waited])
    with a_lookout(store, driven) as lookout:
        assert said == list(lookout.activity().why.values())


@pytest.mark.usefixtures("clock")
def test_the_autoscaler_is_heard(store: SweepStore) -> None:
    """What it is at is told with the rest; runs that wait are counted with those that are not proposed yet."""
    driven = Driven(
        runs_ready=70, packs={"id-1": 4, "id-2": 4}, since=[0.0] * 3, launched=AutoscalerStatus({"gpu-spot": 2}, {})
    )
    with a_lookout(store, driven) as lookout:
        lookout.tick()
    expected = ["70 runs wait: every slot is busy", "3 packs wait for a host: 2 of gpu-spot are being started"]
    assert expected == list(told(store).why.values())
