from __future__ import annotations

from pathlib import Path

import pytest

from tcray.search.plan import find_cards, plan
from tcray.search.queue import Queue
from tcray.store.store import Store
from tcray.tune import placement
from tcray.tune.datasets import LazyDatasets, LazyTestExamples
from tcray.tune.nodes import AutoscalingLimits, Node, NodeType
from tcray.tune.pack_sizes import PackSizes
from tcray.tune.placement import Capacity, Placement, WorkerResources
from tcray.tune.worker_pool import WorkerPool, WorkerRequest

from .factories import make_sweep

ON_CPU, ON_CARD, BESIDE = (
    WorkerResources(1, 0, "cpu"),
    WorkerResources(1, 0.5, "cuda"),
    WorkerResources(1, 0, "cpu", cpu_only=True),
)
SMALL = NodeType("small", cpus=2, gpus=0, most=3)
"""Its hosts have two slots."""


class Stand:
    """The crew of the small sweep, of which twelve runs wait, on nodes that the test changes."""

    def __init__(
        self,
        folder: Path,
        sizes: PackSizes,
        *nodes: Node,
        limits: AutoscalingLimits = AutoscalingLimits(),  # noqa: B008  it is frozen
    ) -> None:
        """Nobody is asked for yet."""
        sweep = make_sweep(folder)
        planned = plan(sweep, find_cards(sweep))
        store = Store.open(str(folder / "trials"), create=True).sweep(planned.sweep_id())
        queue = Queue(planned, store, LazyTestExamples(LazyDatasets(planned.cards, sweep.data.root)))
        self.nodes = list(nodes)
        self.room = Capacity(Placement((ON_CPU,)), lambda: self.nodes, limits)
        self.crew = WorkerPool(queue, {"cpu": sizes, "cuda": sizes}, self.room)

    def ask(self) -> list[WorkerResources]:
        """Asks for workers until there are enough: what they are to be given."""
        asked = []
        while (share := self.crew.wanted()) is not None:
            asked.append(share)
            self.crew.hires[str(len(self.crew.hires))] = WorkerRequest(share, frozenset(), self.room.pins(share))
        return asked

    def begin(self, node: str) -> int:
        """Has the next worker that was asked for on a node, with a pack: of how many runs."""
        hire = next(hire for hire in self.crew.hires.values() if hire.node is None)
        hire.node = node
        hire.pack = self.crew.next_pack(hire.share)
        return len(hire.pack.segments) if hire.pack else 0


@pytest.fixture(autouse=True)
def _look_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "REFRESH_SECONDS", 0.0)


def of(size: int) -> PackSizes:
    """Packs of this size."""
    return PackSizes(size, fixed=True)


def slots(count: int, name: str = "here") -> Node:
    """A host with so many slots."""
    return Node(name, count, 0, name)


def test_no_more_workers_than_slots(tmp_path: Path) -> None:
    """A worker is asked for when a slot is free for it, and no sooner."""
    stand = Stand(tmp_path, of(3), slots(2))
    assert [ON_CPU] * 2 == stand.ask()
    assert [3, 3] == [stand.begin("here"), stand.begin("here")]
    assert [] == stand.ask()


def test_no_more_workers_than_packs(tmp_path: Path) -> None:
    """Twelve runs in packs of three are work for four, however many slots there are."""
    assert 4 == len(Stand(tmp_path, of(3), slots(10)).ask())


@pytest.mark.parametrize(
    ("pack", "limits", "workers"),
    [
        (3, AutoscalingLimits(), 2),
        (3, AutoscalingLimits((SMALL,)), 4),
        (2, AutoscalingLimits((SMALL,)), 6),
        (1, AutoscalingLimits((SMALL,)), 6),
        (1, AutoscalingLimits((SMALL,), hosts=2), 4),
        (1, AutoscalingLimits((NodeType("gpu", cpus=1, gpus=4, most=20),)), 12),
        (6, AutoscalingLimits((SMALL,)), 2),
        (7, AutoscalingLimits((SMALL,)), 2),
    ],
)
def test_what_an_autoscaler_sees(tmp_path: Path, pack: int, limits: AutoscalingLimits, workers: int) -> None:
    """Beyond the two slots that are there, workers are asked for while each has a full pack and may come.

    One host of the small type is up.
    """
    assert workers == len(Stand(tmp_path, of(pack), slots(2), limits=limits).ask())


def test_from_zero(tmp_path: Path) -> None:
    """With no host up, one worker is asked for in any case, and as many as have full packs where they may come."""
    stand = Stand(tmp_path, of(3))
    assert 1 == len(stand.ask())
    stand.room.limits = AutoscalingLimits((SMALL,))
    assert 3 == len(stand.ask())


def test_a_host_that_joins_is_used(tmp_path: Path) -> None:
    """Whoever was asked for before it came is taken into account."""
    stand = Stand(tmp_path, of(3), slots(2), limits=AutoscalingLimits((SMALL,)))
    assert 4 == len(stand.ask())
    stand.nodes.append(slots(2, "there"))
    assert [] == stand.ask()
    stand.nodes.append(slots(2, "elsewhere"))
    assert [] == stand.ask(), "there are four packs"


def test_a_host_that_joins_unasked_is_used(tmp_path: Path) -> None:
    """Its slots are filled as soon as it is there."""
    stand = Stand(tmp_path, of(3), slots(1))
    assert 1 == len(stand.ask())
    stand.nodes.append(slots(2, "there"))
    assert 2 == len(stand.ask())


def test_a_host_that_leaves_is_replaced(tmp_path: Path) -> None:
    """Packs that are still under way on a host that is about to leave, or was lost, keep no slot elsewhere empty."""
    stand = Stand(tmp_path, of(3), slots(2))
    stand.ask()
    stand.begin("here")
    stand.begin("here")
    stand.nodes[:] = [Node("here", 2, 0, "here", draining=True), slots(2, "there")]
    assert 2 == len(stand.ask())


def test_packs_do_not_shrink_for_hosts_that_may_never_come(tmp_path: Path) -> None:
    """A pack is as large as is good for the slots that there are."""
    large = AutoscalingLimits((NodeType("large", cpus=64, gpus=0),))
    stand = Stand(tmp_path, PackSizes(4), slots(1), limits=large)
    assert 3 == len(stand.ask())
    assert 4 == stand.begin("here")


def test_few_runs_are_spread(tmp_path: Path) -> None:
    """Where there are fewer runs than full packs, every slot has its part of them."""
    stand = Stand(tmp_path, PackSizes(16), slots(4))
    assert 4 == len(stand.ask())
    assert [3, 3, 3, 3] == [stand.begin("here") for _ in range(4)]


def test_each_kind_of_host_is_filled(tmp_path: Path) -> None:
    """Under `device: any` each share is asked for as often as its hosts have slots; only cards are worth a new host."""
    stand = Stand(tmp_path, of(1), Node("gpu", 8, 1, "a"), Node("cpu", 2, 0, "b"))
    stand.room.placement = Placement((ON_CARD, BESIDE))
    assert [ON_CARD] * 2 + [BESIDE] * 2 == stand.ask()
    stand.room.limits = AutoscalingLimits((NodeType("gpu", 8, 1, most=2), NodeType("cpu", 64, 0)))
    assert [ON_CARD] * 2 == stand.ask()


def test_who_waits_for_a_host_that_has_gone_fills_no_slot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes are looked at now and then: a worker may be pinned to a host that is there no more, and never will be."""
    monkeypatch.setattr(placement, "REFRESH_SECONDS", 3600.0)
    stand = Stand(tmp_path, of(1), Node("gpu", 2, 1, "a"), Node("cpu", 2, 0, "b"))
    stand.room.placement = Placement((ON_CARD, BESIDE))
    stand.room.refresh()
    stand.nodes = stand.nodes[:1]
    assert [ON_CARD] * 2 + [BESIDE] * 2 == stand.ask()
    stand.nodes = [*stand.nodes, Node("cpu", 2, 0, "b again")]
    assert [] == stand.ask(), "nobody has looked"
    stand.room.refresh()
    assert [BESIDE] * 2 == stand.ask()
    assert {ON_CARD: 2, BESIDE: 2} == {share: len(since) for share, since in stand.crew.waits.items()}
    stand.nodes = []
    stand.room.refresh()
    assert {ON_CARD: 2, BESIDE: 0} == {share: len(since) for share, since in stand.crew.waits.items()}
