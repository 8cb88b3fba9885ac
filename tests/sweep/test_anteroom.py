from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from ray.exceptions import RaySystemError

from tcray.search.queue import Progress
from tcray.store.activity import read_activity
from tcray.store.store import Store, SweepStore
from tcray.sweep import anteroom as watched
from tcray.sweep.anteroom import Anteroom
from tcray.sweep.autoscaler import NONE, Launches
from tcray.sweep.hosts import Hosts
from tcray.sweep.lookout import SLOW_SECONDS, STUCK_SECONDS, TELL_SECONDS
from tcray.sweep.nodes import Node
from tests.store.bucket import Bucket

from .test_lookout import BEGUN

MINE = "t"
NONE_UP = "1 pack waits for a host: none is up that could hold one"


@dataclass
class Setting:
    """A lease, a cluster and a sweep that has yet to begin, in one, by a clock that is told the time."""

    store: SweepStore
    token: str = MINE
    stop_asked: bool = False
    up: list[Node] = field(default_factory=list)
    launched: Launches = NONE
    asked: int = 0
    said: list[str] = field(default_factory=list)
    now: float = 1000.0

    def progress(self) -> Progress:
        """As of a sweep that has not begun; counts how often it was asked."""
        self.asked += 1
        return replace(BEGUN, complete=0, pruned=0, failed=0, in_flight=0, best={})

    def anteroom(self) -> Anteroom:
        """Which it is waited in."""
        lease: Any = self
        hosts = Hosts(lambda node: int(node.gpus))
        return Anteroom(
            self.store,
            lease,
            "valid.loss",
            hosts,
            lambda: tuple(self.up),
            lambda: self.launched,
            self.progress,
            self.said.append,
        )


@pytest.fixture
def bucket() -> Bucket:
    """Where the store is."""
    return Bucket()


@pytest.fixture
def setting(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Setting:
    """Where nobody is."""
    there = Setting(Store(bucket.volume()).sweep("small-1"))
    monkeypatch.setattr(watched.time, "monotonic", lambda: there.now)
    return there


def test_a_short_wait_is_not_worth_a_word(setting: Setting) -> None:
    """Nothing is said, and nothing of the sweep is begun."""
    anteroom = setting.anteroom()
    for _ in range(int(SLOW_SECONDS)):
        anteroom.wait()
        setting.now += 1.0
    assert ([], 0, None) == (setting.said, setting.asked, read_activity(setting.store, MINE))


def test_a_long_wait_is_explained(setting: Setting) -> None:
    """Each reason is said once, when it begins, and all that hold are told in the store."""
    anteroom = setting.anteroom()
    setting.now += SLOW_SECONDS
    for launched in (NONE, NONE, Launches({}, {"gpu-spot": "none left"}), Launches({"gpu-ondemand": 1}, {})):
        setting.launched = launched
        anteroom.wait()
        setting.now += TELL_SECONDS
    assert [NONE_UP, "gpu-spot cannot be had now: none left"] == setting.said
    told = read_activity(setting.store, MINE)
    assert told is not None
    assert {"hosts": "1 pack waits for a host: 1 of gpu-ondemand is being started"} == told.why
    assert (0, 100, ()) == (told.ended, told.planned, told.hosts)


def test_hosts_that_are_taken_are_shown(setting: Setting) -> None:
    """Where there is room by what they declare, it is given time before that is called strange."""
    setting.up = [Node("h1", 4, 1, "id-1", "10.0.0.1"), Node("head", 4, 0, "id-0", "10.0.0.9")]
    anteroom = setting.anteroom()
    setting.now += SLOW_SECONDS
    anteroom.wait()
    assert [] == setting.said
    setting.now += STUCK_SECONDS
    anteroom.wait()
    assert ["1 pack waits for a worker: the hosts are busy with something else, or slow to start one"] == setting.said
    told = read_activity(setting.store, MINE)
    assert told is not None
    assert ["h1"] == [host.name for host in told.hosts]


def test_a_driver_that_is_asked_to_stop_leaves(setting: Setting) -> None:
    """As at Ctrl-C, at once."""
    anteroom = setting.anteroom()
    anteroom.wait()
    setting.stop_asked = True
    with pytest.raises(KeyboardInterrupt):
        anteroom.wait()


def test_what_does_not_answer_is_no_failure(setting: Setting, bucket: Bucket) -> None:
    """Neither the store nor Ray: whoever needs them reports it."""
    anteroom = setting.anteroom()
    setting.now += SLOW_SECONDS
    bucket.failures = 1
    anteroom.wait()
    assert read_activity(setting.store, MINE) is None

    def fail() -> tuple[Node, ...]:
        raise RaySystemError("gone")

    anteroom.nodes = fail
    setting.now += TELL_SECONDS
    anteroom.wait()
    assert [NONE_UP] == setting.said
