from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from tcray.errors import StoreBusyError
from tcray.store.driver_status import read_activity
from tcray.store.store import Store, SweepStore
from tcray.tune import placement
from tcray.tune.nodes import AutoscalingLimits, Node
from tcray.tune.placement import Capacity, Placement, WorkerResources
from tcray.tune.ray.autoscaler_status import NONE, AutoscalerStatus
from tcray.tune.status import pending as clocked
from tcray.tune.status.pending import SLOW_SECONDS, STUCK_SECONDS
from tcray.tune.status.reporter import TELL_SECONDS, watched
from tcray.tune.wait_for_gpu import WaitForGpu
from tests.store.bucket import Bucket

from .status.test_reporter import BEGUN

MINE = "t"
SWEEP: Any = SimpleNamespace(name="small", objective="valid.loss")
BEFORE = "small: 0 of 100 runs done (0 pruned, 0 failed), 0 running"
HELD, TAKEN = Node("h1", 4, 1, "id-1", "10.0.0.1"), Node("head", 4, 0, "id-0", "10.0.0.9")


@dataclass
class Setting:
    """A lease, a cluster and a sweep that has yet to begin, in one, by a clock that is told the time."""

    store: SweepStore
    token: str = MINE
    stop_asked: bool = False
    lost: bool = False
    up: list[Node] = field(default_factory=list)
    launched: AutoscalerStatus = NONE
    begun: int = 0
    console: Console = field(default_factory=lambda: Console(file=io.StringIO(), width=200))
    now: float = 1000.0

    def check(self) -> None:
        """Of the lease."""
        if self.lost:
            raise StoreBusyError("taken over")

    def queue(self) -> Any:
        """Of a sweep that has not begun before; counts how often it was asked for."""
        self.begun += 1
        progress = replace(BEGUN, complete=0, pruned=0, failed=0, in_flight=0, best={})
        return SimpleNamespace(progress=lambda: progress, ready=lambda: 0)

    def anteroom(self, workers: int = 1) -> WaitForGpu:
        """Which it is waited in."""
        lease: Any = self
        room = Capacity(Placement((WorkerResources(1, 0.5, "cuda"),)), lambda: tuple(self.up), AutoscalingLimits())
        watch = partial(watched, SWEEP, self.store, launches=lambda: self.launched, console=self.console)
        return WaitForGpu(self.queue, lease, room, workers, watch)

    def said(self) -> list[str]:
        """What the user was told, without how far the sweep has come, and each line once."""
        lines = self.console.file.getvalue().splitlines()  # type: ignore[attr-defined]  # it is a StringIO
        return [line.removeprefix("small: ") for line in dict.fromkeys(lines) if line != BEFORE]


@pytest.fixture
def bucket() -> Bucket:
    """Where the store is."""
    return Bucket()


@pytest.fixture
def setting(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Setting:
    """Where nobody is."""
    there = Setting(Store(bucket.volume()).sweep("small-1"))
    monkeypatch.setattr(clocked.time, "monotonic", lambda: there.now)
    monkeypatch.setattr(placement, "REFRESH_SECONDS", 0.0)
    return there


def test_a_short_wait_is_not_worth_a_word(setting: Setting) -> None:
    """Where a host has what is waited for nothing is said, and nothing of the sweep is begun."""
    setting.up = [HELD]
    with setting.anteroom() as anteroom:
        for _ in range(int(SLOW_SECONDS)):
            anteroom.wait()
            setting.now += 1.0
    assert ([], 0, None) == (setting.said(), setting.begun, read_activity(setting.store, MINE))


def test_where_no_host_is_that_is_said_at_once(setting: Setting) -> None:
    """Each reason is said once, when it begins, and all that hold are told in the store."""
    with setting.anteroom(workers=4) as anteroom:
        for launched in (
            NONE,
            NONE,
            AutoscalerStatus({}, {"gpu-spot": "none left"}),
            AutoscalerStatus({"gpu-ondemand": 1}, {}),
        ):
            setting.launched = launched
            anteroom.wait()
            setting.now += TELL_SECONDS
        told = read_activity(setting.store, MINE)
    assert [
        "4 packs wait for a host: none is up that could hold one",
        "gpu-spot cannot be had now: none left",
        "4 packs wait for a host: 1 of gpu-ondemand is being started",
    ] == setting.said()
    assert told is not None
    assert {"starting": "4 packs wait for a host: 1 of gpu-ondemand is being started"} == told.why
    assert (0, 100, ()) == (told.ended, told.planned, told.hosts)


def test_hosts_that_are_taken_are_shown(setting: Setting) -> None:
    """Where there is room by what they declare, it is given time before that is called strange."""
    setting.up = [HELD, TAKEN]
    with setting.anteroom() as anteroom:
        setting.now += SLOW_SECONDS
        anteroom.wait()
        setting.now += STUCK_SECONDS
        anteroom.wait()
    assert ["1 pack waits for a worker: the hosts are busy with something else, or slow to start one"] == setting.said()
    told = read_activity(setting.store, MINE)
    assert told is not None
    assert ["h1"] == [host.name for host in told.hosts]


def test_a_driver_that_is_asked_to_stop_leaves(setting: Setting) -> None:
    """As at Ctrl-C, at once."""
    with setting.anteroom() as anteroom:
        anteroom.wait()
        setting.stop_asked = True
        with pytest.raises(KeyboardInterrupt):
            anteroom.wait()


def test_a_driver_that_was_taken_over_from_leaves(setting: Setting) -> None:
    """Before it writes anything."""
    setting.lost = True
    with setting.anteroom() as anteroom, pytest.raises(StoreBusyError):
        anteroom.wait()
    assert 0 == setting.begun
