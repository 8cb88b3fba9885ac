from __future__ import annotations

from pathlib import Path

import pytest

from tcray.tune import capacity
from tcray.tune.capacity import AutoscalingLimits, Capacity, Node, NodeType, WorkerResources
from tcray.tune.pack_sizes import PackSizes
from tcray.tune.worker_pool import WorkerPool, WorkerRequest

from .factories import make_queue, make_sweep

SMALL = NodeType("small", cpus=2, gpus=0, max_count=3)
"""Its hosts have two slots."""


class Setup:
    """The worker pool of the small sweep, with twelve waiting runs, on nodes that the test changes."""

    def __init__(
        self,
        folder: Path,
        sizes: PackSizes,
        *nodes: Node,
        limits: AutoscalingLimits = AutoscalingLimits(),  # noqa: B008  it is frozen
    ) -> None:
        """Create the pool without any request."""
        queue, _, _ = make_queue(folder / "trials", make_sweep(folder))
        self.nodes = list(nodes)
        self.capacity = Capacity(WorkerResources(1, 0, "cpu"), lambda: self.nodes, limits)
        self.pool = WorkerPool(queue, sizes, self.capacity)

    def request_all(self) -> int:
        """Request workers until there are enough; return their number."""
        before = len(self.pool.requests)
        while self.pool.needs_worker():
            self.pool.requests[str(len(self.pool.requests))] = WorkerRequest(frozenset())
        return len(self.pool.requests) - before

    def start(self, node: str) -> int:
        """Start the next requested worker on a node; return the size of its pack."""
        request = next(request for request in self.pool.requests.values() if request.node is None)
        request.node = node
        request.pack = self.pool.next_pack()
        return len(request.pack.segments) if request.pack else 0


@pytest.fixture(autouse=True)
def _refresh_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "REFRESH_SECONDS", 0.0)


def fixed(size: int) -> PackSizes:
    """Return packs of this size."""
    return PackSizes(size, fixed=True)


def node_with(slots: int, name: str = "here") -> Node:
    """Return a node with this number of slots."""
    return Node(name, slots, 0, name)


def test_one_worker_per_slot(tmp_path: Path) -> None:
    """No more workers are requested than there are slots."""
    setup = Setup(tmp_path, fixed(3), node_with(2))
    assert 2 == setup.request_all()
    assert [3, 3] == [setup.start("here"), setup.start("here")]
    assert 0 == setup.request_all()


def test_one_worker_per_pack(tmp_path: Path) -> None:
    """Twelve runs in packs of three need four workers, however many slots there are."""
    assert 4 == Setup(tmp_path, fixed(3), node_with(10)).request_all()


@pytest.mark.parametrize(
    ("pack", "limits", "workers"),
    [
        (3, AutoscalingLimits(), 2),
        (3, AutoscalingLimits((SMALL,)), 4),
        (2, AutoscalingLimits((SMALL,)), 6),
        (1, AutoscalingLimits((SMALL,)), 6),
        (1, AutoscalingLimits((SMALL,), hosts=2), 4),
        (1, AutoscalingLimits((NodeType("gpu", cpus=1, gpus=4, max_count=20),)), 12),
        (6, AutoscalingLimits((SMALL,)), 2),
        (7, AutoscalingLimits((SMALL,)), 2),
    ],
)
def test_requests_to_an_autoscaler(tmp_path: Path, pack: int, limits: AutoscalingLimits, workers: int) -> None:
    """Besides the two slots that are up, workers are requested as long as each has a full pack and a host may come.

    One host of the small type is up.
    """
    assert workers == Setup(tmp_path, fixed(pack), node_with(2), limits=limits).request_all()


def test_requests_without_any_host(tmp_path: Path) -> None:
    """Without hosts, one worker is requested in any case, and more if hosts for full packs may come."""
    setup = Setup(tmp_path, fixed(3))
    assert 1 == setup.request_all()
    setup.capacity.limits = AutoscalingLimits((SMALL,))
    assert 3 == setup.request_all()


def test_requests_count_for_hosts_that_join(tmp_path: Path) -> None:
    """Workers requested before a host joined fill its slots."""
    setup = Setup(tmp_path, fixed(3), node_with(2), limits=AutoscalingLimits((SMALL,)))
    assert 4 == setup.request_all()
    setup.nodes.append(node_with(2, "there"))
    assert 0 == setup.request_all()
    setup.nodes.append(node_with(2, "elsewhere"))
    assert 0 == setup.request_all(), "there are only four packs"


def test_an_unexpected_host_is_used(tmp_path: Path) -> None:
    """The slots of a host that joins by itself are filled at once."""
    setup = Setup(tmp_path, fixed(3), node_with(1))
    assert 1 == setup.request_all()
    setup.nodes.append(node_with(2, "there"))
    assert 2 == setup.request_all()


def test_a_leaving_host_is_replaced(tmp_path: Path) -> None:
    """Packs that are still running on a leaving or lost host keep no slot on other hosts empty."""
    setup = Setup(tmp_path, fixed(3), node_with(2))
    setup.request_all()
    setup.start("here")
    setup.start("here")
    setup.nodes[:] = [Node("here", 2, 0, "here", draining=True), node_with(2, "there")]
    assert 2 == setup.request_all()


def test_packs_do_not_shrink_for_hosts_that_may_never_come(tmp_path: Path) -> None:
    """The size of a pack depends only on the slots that are up."""
    large = AutoscalingLimits((NodeType("large", cpus=64, gpus=0),))
    setup = Setup(tmp_path, PackSizes(4), node_with(1), limits=large)
    assert 3 == setup.request_all()
    assert 4 == setup.start("here")


def test_few_runs_are_spread_over_slots(tmp_path: Path) -> None:
    """If there are fewer runs than full packs, every slot gets a part of them."""
    setup = Setup(tmp_path, PackSizes(16), node_with(4))
    assert 4 == setup.request_all()
    assert [3, 3, 3, 3] == [setup.start("here") for _ in range(4)]
