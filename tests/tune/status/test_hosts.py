from __future__ import annotations

from typing import Any

import pytest

from tcray.store.driver_status import Host
from tcray.tune.capacity import Node
from tcray.tune.status import hosts as hosts_module
from tcray.tune.status.hosts import MIN_RATE_SECONDS, RATE_SECONDS, HostTracker
from tests.tune.fakes import FakeClock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """Return a clock that stands still."""
    return FakeClock(monkeypatch, hosts_module)


def make_node(number: int, name: str = "", **changes: Any) -> Node:
    """Return a node with four CPUs."""
    fields: dict[str, Any] = {"name": name or f"h{number}", "id": f"id-{number}", "address": f"10.0.0.{number}"}
    return Node(**{"cpus": 4.0, "gpus": 0.0, **fields, **changes})


def make_tracker() -> HostTracker:
    """Return a tracker of hosts with one slot per CPU."""
    return HostTracker(lambda node: int(node.cpus))


@pytest.mark.usefixtures("clock")
def test_one_entry_per_host() -> None:
    """Hosts are sorted by name, with their slots, packs and runs; a node without slots is left out."""
    nodes = [make_node(2), make_node(1), make_node(3, cpus=0.0)]
    expected = (
        Host("h1", "10.0.0.1", "up", slots=4, packs=3, runs=0, per_hour=None),
        Host("h2", "10.0.0.2", "up", slots=4, packs=0, runs=12, per_hour=None),
    )
    assert expected == make_tracker().update(nodes, {"id-1": 3}, {"id-2": 12})


@pytest.mark.usefixtures("clock")
def test_a_host_that_is_gone_keeps_its_runs() -> None:
    """A host that is gone comes last, with its ended runs but without slots and packs."""
    tracker = make_tracker()
    tracker.update([make_node(1), make_node(2)], {"id-1": 4}, {"id-1": 29})
    first, last = tracker.update([make_node(2)], {"id-1": 4}, {"id-1": 29})
    assert ("h2", "up") == (first.name, first.state)
    assert Host("h1", "10.0.0.1", "gone", slots=0, packs=0, runs=29, per_hour=None) == last


@pytest.mark.usefixtures("clock")
def test_a_host_that_returns_is_the_same_host() -> None:
    """Ray gives a returning host a new node id, but its name and address identify it."""
    tracker = make_tracker()
    tracker.update([make_node(1)], {}, {"id-1": 29})
    assert "gone" == tracker.update([], {}, {"id-1": 29})[0].state
    (back,) = tracker.update([make_node(1, id="id-9")], {"id-9": 1}, {"id-1": 29, "id-9": 2})
    assert ("up", 4, 1, 31) == (back.state, back.slots, back.packs, back.runs)


@pytest.mark.usefixtures("clock")
def test_hosts_with_one_name_differ_by_address() -> None:
    """Nodes with the same name and address are one host; with another address they are another host."""
    nodes = [make_node(1, "box"), make_node(2, "box"), make_node(3, "box", address="10.0.0.2")]
    found = make_tracker().update(nodes, {"id-2": 1, "id-3": 2}, {})
    assert [("10.0.0.1", 4, 0), ("10.0.0.2", 8, 3)] == [(host.address, host.slots, host.packs) for host in found]


@pytest.mark.usefixtures("clock")
def test_a_draining_host_is_leaving() -> None:
    """A draining host keeps its slots and packs in the status."""
    (host,) = make_tracker().update([make_node(1, draining=True)], {"id-1": 2}, {})
    assert ("leaving", 4, 2) == (host.state, host.slots, host.packs)


def test_a_rate_needs_a_minute(clock: FakeClock) -> None:
    """A host has no rate in its first minute, and for a longer time if no run has ended."""
    tracker = make_tracker()

    def rate(seconds: float, runs: int) -> float | None:
        clock.now = 1000.0 + seconds
        (host,) = tracker.update([make_node(1)], {}, {"id-1": runs})
        return host.per_hour

    assert rate(0.0, 0) is None
    assert rate(MIN_RATE_SECONDS - 1, 8) is None
    assert 8 * 60 == rate(MIN_RATE_SECONDS, 8)
    assert 8 * 30 == rate(2 * MIN_RATE_SECONDS, 8)


def test_a_host_without_ended_runs_has_a_rate_of_zero(clock: FakeClock) -> None:
    """The rate of zero is reported only after the whole window."""
    tracker = make_tracker()
    found = []
    for seconds in (0.0, MIN_RATE_SECONDS, RATE_SECONDS - 1, RATE_SECONDS):
        clock.now = 1000.0 + seconds
        found.append(tracker.update([make_node(1)], {}, {})[0].per_hour)
    assert [None, None, None, 0.0] == found


def test_a_rate_covers_the_last_minutes(clock: FakeClock) -> None:
    """After an hour with a run every six seconds and ten minutes with one per minute, only the latter count."""
    tracker, runs = make_tracker(), 0
    for second in range(0, 3601, 6):
        clock.now, runs = 1000.0 + second, second // 6
        (host,) = tracker.update([make_node(1)], {}, {"id-1": runs})
    assert 600.0 == pytest.approx(host.per_hour, rel=0.02)
    for minute in range(1, 13):
        clock.now, runs = 1000.0 + 3600 + 60 * minute, runs + 1
        (host,) = tracker.update([make_node(1)], {}, {"id-1": runs})
    assert 60.0 == pytest.approx(host.per_hour)
