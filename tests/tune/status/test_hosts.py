from __future__ import annotations

import pytest

from tcray.store.driver_status import Host
from tcray.tune.nodes import Node
from tcray.tune.status import hosts as watched
from tcray.tune.status.hosts import FIRST_SECONDS, RATE_SECONDS, Hosts


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Takes the place of the clock by which hosts are watched."""
        self.now = 1000.0
        monkeypatch.setattr(watched.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that stands."""
    return Clock(monkeypatch)


def a_node(number: int, name: str = "", **changes: object) -> Node:
    """A node with four CPUs."""
    named = {"name": name or f"h{number}", "id": f"id-{number}", "address": f"10.0.0.{number}"}
    return Node(**{"cpus": 4.0, "gpus": 0.0, **named, **changes})  # type: ignore[arg-type]


def some_hosts() -> Hosts:
    """Of which a node holds a pack a CPU."""
    return Hosts(lambda node: int(node.cpus))


@pytest.mark.usefixtures("clock")
def test_a_line_a_host() -> None:
    """Each with what it holds and what it has done, by name; a node that holds no pack is not among them."""
    nodes = [a_node(2), a_node(1), a_node(3, cpus=0.0)]
    expected = (
        Host("h1", "10.0.0.1", "up", slots=4, packs=3, runs=0, per_hour=None),
        Host("h2", "10.0.0.2", "up", slots=4, packs=0, runs=12, per_hour=None),
    )
    assert expected == some_hosts().look(nodes, {"id-1": 3}, {"id-2": 12})


@pytest.mark.usefixtures("clock")
def test_a_host_that_is_gone_stays_with_what_it_did() -> None:
    """After those that are there; what it held waits elsewhere, and it has no slots."""
    hosts = some_hosts()
    hosts.look([a_node(1), a_node(2)], {"id-1": 4}, {"id-1": 29})
    first, last = hosts.look([a_node(2)], {"id-1": 4}, {"id-1": 29})
    assert ("h2", "up") == (first.name, first.state)
    assert Host("h1", "10.0.0.1", "gone", slots=0, packs=0, runs=29, per_hour=None) == last


@pytest.mark.usefixtures("clock")
def test_a_host_that_comes_back_is_the_same() -> None:
    """Ray gives it another node id; its name and its address tell."""
    hosts = some_hosts()
    hosts.look([a_node(1)], {}, {"id-1": 29})
    assert "gone" == hosts.look([], {}, {"id-1": 29})[0].state
    (back,) = hosts.look([a_node(1, id="id-9")], {"id-9": 1}, {"id-1": 29, "id-9": 2})
    assert ("up", 4, 1, 31) == (back.state, back.slots, back.packs, back.runs)


@pytest.mark.usefixtures("clock")
def test_hosts_of_one_name_are_several() -> None:
    """Their addresses differ; nodes of one name and address are one host."""
    nodes = [a_node(1, "box"), a_node(2, "box"), a_node(3, "box", address="10.0.0.2")]
    found = some_hosts().look(nodes, {"id-2": 1, "id-3": 2}, {})
    assert [("10.0.0.1", 4, 0), ("10.0.0.2", 8, 3)] == [(host.address, host.slots, host.packs) for host in found]


@pytest.mark.usefixtures("clock")
def test_a_host_that_drains_is_leaving() -> None:
    """What it holds is still told."""
    hosts = some_hosts()
    (host,) = hosts.look([a_node(1, draining=True)], {"id-1": 2}, {})
    assert ("leaving", 4, 2) == (host.state, host.slots, host.packs)


def test_a_pace_is_told_once_there_is_one(clock: Clock) -> None:
    """Not in the first minute, nor before a run has ended, except that none in a long time is a pace of zero."""
    hosts = some_hosts()

    def pace(seconds: float, runs: int) -> float | None:
        clock.now = 1000.0 + seconds
        (host,) = hosts.look([a_node(1)], {}, {"id-1": runs})
        return host.per_hour

    assert pace(0.0, 0) is None
    assert pace(FIRST_SECONDS - 1, 8) is None
    assert 8 * 60 == pace(FIRST_SECONDS, 8)
    assert 8 * 30 == pace(2 * FIRST_SECONDS, 8)


def test_a_host_where_nothing_ends_has_a_pace_of_zero(clock: Clock) -> None:
    """But it is given time."""
    hosts = some_hosts()
    found = []
    for seconds in (0.0, FIRST_SECONDS, RATE_SECONDS - 1, RATE_SECONDS):
        clock.now = 1000.0 + seconds
        found.append(hosts.look([a_node(1)], {}, {})[0].per_hour)
    assert [None, None, None, 0.0] == found


def test_a_pace_is_that_of_the_last_minutes(clock: Clock) -> None:
    """A run every six seconds for an hour, then one a minute: ten minutes later nothing is left of the hour."""
    hosts, runs = some_hosts(), 0
    for second in range(0, 3601, 6):
        clock.now, runs = 1000.0 + second, second // 6
        (host,) = hosts.look([a_node(1)], {}, {"id-1": runs})
    assert 600.0 == pytest.approx(host.per_hour, rel=0.02)
    for minute in range(1, 13):
        clock.now, runs = 1000.0 + 3600 + 60 * minute, runs + 1
        (host,) = hosts.look([a_node(1)], {}, {"id-1": runs})
    assert 60.0 == pytest.approx(host.per_hour)
