from __future__ import annotations

from dataclasses import replace

import pytest

from tcray.tune import capacity as capacity_module
from tcray.tune.capacity import AutoscalingLimits, Capacity, Node, NodeType, WorkerResources

HEAD = Node("head", cpus=0, gpus=0)
LAPTOP = Node("laptop", cpus=2, gpus=0, id="l")
SERVER = Node("server", cpus=16, gpus=2, id="s")
ONE = NodeType("one", cpus=8, gpus=1, max_count=4)
FOUR = NodeType("four", cpus=32, gpus=4, max_count=2)
ON_CPU = WorkerResources(1, 0, "cpu")


def node_of(kind: NodeType) -> Node:
    """Return a node of this type."""
    return Node(kind.name, kind.cpus, kind.gpus)


def count_cards(kind: NodeType) -> int:
    """Return one slot per card."""
    return int(kind.gpus)


@pytest.mark.parametrize(
    ("limits", "nodes", "slots"),
    [
        (AutoscalingLimits(), [HEAD], 0),
        (AutoscalingLimits((ONE,)), [HEAD], 4),
        (AutoscalingLimits((ONE, FOUR)), [HEAD], 12),
        (AutoscalingLimits((ONE, FOUR)), [HEAD, node_of(ONE), node_of(FOUR)], 7),
        (AutoscalingLimits((ONE,)), [HEAD, *[node_of(ONE)] * 5], 0),
        (AutoscalingLimits((ONE, FOUR), hosts=4), [HEAD], 9),
        (AutoscalingLimits((ONE, FOUR), hosts=4), [HEAD, node_of(ONE), node_of(ONE)], 4),
        (AutoscalingLimits((ONE, FOUR), gpus=6), [HEAD], 6),
        (AutoscalingLimits((ONE, FOUR), gpus=6), [HEAD, node_of(FOUR)], 2),
        (AutoscalingLimits((ONE, FOUR), cpus=50), [HEAD], 6),
        (AutoscalingLimits((NodeType("unlimited", 8, 1),), hosts=11), [HEAD], 10),
    ],
)
def test_headroom_of_an_autoscaler(limits: AutoscalingLimits, nodes: list[Node], slots: int) -> None:
    """The headroom counts hosts of each type up to its maximum, largest first, within the limits of the cluster."""
    assert slots == limits.headroom(nodes, count_cards)


@pytest.mark.parametrize(
    ("resources", "on_laptop", "on_server"),
    [
        (WorkerResources(1, 0, "cpu"), 2, 16),
        (WorkerResources(0.1, 0, "cpu"), 20, 160),
        (WorkerResources(1 / 3, 0, "cpu"), 6, 48),
        (WorkerResources(1 / 6, 0, "cpu"), 12, 96),
        (WorkerResources(0.1667, 0, "cpu"), 12, 96),
        (WorkerResources(0.1668, 0, "cpu"), 11, 95),
        (WorkerResources(0.7, 0, "cpu"), 2, 22),
        (WorkerResources(1, 0.25, "cuda"), 0, 8),
        (WorkerResources(1, 0.3, "cuda"), 0, 6),
        (WorkerResources(1, 1 / 3, "cuda"), 0, 6),
        (WorkerResources(1, 1 / 6, "cuda"), 0, 12),
        (WorkerResources(1, 0.51, "cuda"), 0, 2),
        (WorkerResources(4, 0.25, "cuda"), 0, 4),
        (WorkerResources(32, 0, "cpu"), 0, 0),
    ],
)
def test_slots_of_a_node(resources: WorkerResources, on_laptop: int, on_server: int) -> None:
    """A node holds as many workers as its CPUs allow, and each of its cards a whole number of shares.

    Ray drops fractions below a ten-thousandth, in floating point: six workers of 0.1667 CPUs do fit on one CPU.
    """
    assert [on_laptop, on_server] == [resources.slots(LAPTOP), resources.slots(SERVER)]


def test_capacity_follows_the_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slots change as nodes join and leave; a node that is about to leave has none."""
    monkeypatch.setattr(capacity_module, "REFRESH_SECONDS", 0.0)
    nodes = [LAPTOP]
    capacity = Capacity(ON_CPU, lambda: nodes, AutoscalingLimits())
    assert (2, frozenset({"l"})) == (capacity.slots(), capacity.schedulable_nodes())
    nodes.append(SERVER)
    assert (18, frozenset({"l", "s"})) == (capacity.slots(), capacity.schedulable_nodes())
    nodes[0] = replace(LAPTOP, draining=True)
    assert (16, frozenset({"s"})) == (capacity.slots(), capacity.schedulable_nodes())


def test_nodes_are_listed_at_intervals() -> None:
    """A recent list of nodes is used again unless it is refreshed explicitly."""
    calls = []

    def list_nodes() -> list[Node]:
        calls.append(LAPTOP)
        return calls

    capacity = Capacity(ON_CPU, list_nodes, AutoscalingLimits())
    assert [2, 2, 2] == [capacity.slots() for _ in range(3)]
    assert frozenset({"l"}) == capacity.schedulable_nodes()
    assert 1 == len(calls)
    capacity.refresh()
    assert 2 == len(calls)


def test_an_excluded_node_has_no_slots() -> None:
    """An excluded node is up but unused, so the autoscaler starts no replacement for it."""
    nodes = [Node("a", 4, 1, "a"), Node("b", 4, 1, "b")]
    limits = AutoscalingLimits((NodeType("gpu", 4, 1, max_count=3),))
    capacity = Capacity(WorkerResources(1, 0.5, "cuda"), lambda: nodes, limits)
    assert (4, 2) == (capacity.slots(), capacity.headroom())
    assert [True, False] == [capacity.exclude_node("b"), capacity.exclude_node("b")]
    assert (2, 2) == (capacity.slots(), capacity.headroom())
    assert (frozenset({"a"}), ("b",)) == (capacity.schedulable_nodes(), capacity.excluded_nodes)
