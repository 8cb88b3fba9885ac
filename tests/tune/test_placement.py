from __future__ import annotations

from dataclasses import replace

import pytest

from tcray.config.sweep import Resources
from tcray.errors import InputError
from tcray.tune import placement
from tcray.tune.nodes import AutoscalingLimits, Node, NodeType
from tcray.tune.placement import Capacity, Placement, WorkerResources, place

LAPTOP = Node("laptop", cpus=2, gpus=0, id="l")
SERVER = Node("server", cpus=16, gpus=2, id="s")
HEAD = Node("head", cpus=0, gpus=0, id="h")
SPOT = NodeType("gpu-spot", cpus=4, gpus=1, most=2)
NONE = AutoscalingLimits()
BLIND = "torch does not see the GPUs that nodes declare: packs are placed by them, and compute on the CPU"


def sees(_: WorkerResources) -> bool:
    """A torch that sees the GPU."""
    return True


def blind(_: WorkerResources) -> bool:
    """A torch that does not."""
    return False


def unasked(_: WorkerResources) -> bool:
    """A torch that is nobody's business."""
    pytest.fail("torch was asked for a GPU")


def test_cpu_is_cpu() -> None:
    """Under `device: cpu` no GPU is asked for, whatever there is."""
    expected = Placement((WorkerResources(1.0, 0.0, "cpu"),))
    assert expected == place(Resources(device="cpu", gpu=0.25), [LAPTOP, SERVER], NONE, unasked)


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_a_gpu_that_is_there_is_used(device: str) -> None:
    """Where any node declares a GPU and torch sees it, packs go there, and hosts without one are named."""
    found = place(Resources(device=device, gpu=0.25), [HEAD, LAPTOP, SERVER], NONE, sees)  # type: ignore[arg-type]
    note = "laptop has no GPU and takes no part; resources.device: any would use it too"
    assert Placement((WorkerResources(1.0, 0.25, "cuda"),), (note,)) == found
    assert "cuda" == found.device


def test_many_hosts_are_not_all_named() -> None:
    """Five hosts without a GPU are named, and the others counted."""
    fleet = [replace(LAPTOP, name=f"h{i}") for i in range(9)]
    (note,) = place(Resources(gpu=1), [SERVER, *fleet], NONE, sees).notes
    assert note.startswith("h0, h1, h2, h3, h4 and 4 more have no GPU and take no part; ")


def test_auto_falls_back_and_says_so() -> None:
    """Under `auto` a machine without a GPU computes on the CPU, with one line."""
    expected = Placement((WorkerResources(1.0, 0.0, "cpu"),), ("no node has a GPU: packs compute on the CPU",))
    assert expected == place(Resources(gpu=0.25), [LAPTOP], NONE, unasked)


def test_a_gpu_that_may_come_is_used() -> None:
    """A host that the autoscaler may start counts as one that is up."""
    found = place(Resources(gpu=0.25), [HEAD, LAPTOP], AutoscalingLimits((SPOT,)), sees)
    assert (WorkerResources(1.0, 0.25, "cuda"),) == found.shares


def test_any_uses_both() -> None:
    """Under `any` packs go to cards and to hosts without one, and what that costs is said."""
    found = place(Resources(device="any", cpu=2, gpu=0.25), [LAPTOP, SERVER], NONE, sees)
    assert (WorkerResources(2.0, 0.25, "cuda"), WorkerResources(1.0, 0.0, "cpu", cpu_only=True)) == found.shares
    note = "resources.device is any: decisions depend on who computed what, so nobody can repeat the results exactly"
    assert (note,) == found.notes
    assert "mixed" == found.device
    assert [2, 8, 0] == [found.slots_of(node) for node in (LAPTOP, SERVER, HEAD)]


def test_any_need_not_wait() -> None:
    """Under `any` hosts without a GPU begin; one with a GPU that may come is believed to have it until it is there."""
    any_device = Resources(device="any", gpu=0.25)
    assert "mixed" == place(any_device, [LAPTOP], AutoscalingLimits((SPOT,)), unasked).device
    assert "cpu" == place(any_device, [HEAD], AutoscalingLimits((SPOT,)), blind).device
    assert "cpu" == place(any_device, [LAPTOP, SERVER], AutoscalingLimits((SPOT,)), blind).device


def test_any_without_a_gpu_is_cpu() -> None:
    """Where there is no GPU, `any` is the CPU, with one line."""
    expected = Placement((WorkerResources(1.0, 0.0, "cpu"),), ("no node has a GPU: packs compute on the CPU",))
    assert expected == place(Resources(device="any", gpu=0.25), [LAPTOP], NONE, unasked)


@pytest.mark.parametrize("device", ["auto", "any"])
def test_a_declared_gpu_places_packs_even_where_torch_is_blind(device: str) -> None:
    """Placement follows what nodes declare, arithmetic what torch sees."""
    found = place(Resources(device=device, gpu=0.25), [SERVER], NONE, blind)  # type: ignore[arg-type]
    assert WorkerResources(1.0, 0.25, "cpu") == found.shares[0]
    assert "cpu" == found.device
    assert (BLIND,) == found.notes


def test_auto_without_a_share_leaves_the_gpu_alone() -> None:
    """`gpu: 0` asks for no GPU; where there is one, that is said."""
    assert () == place(Resources(), [LAPTOP], NONE, unasked).notes
    found = place(Resources(), [SERVER], NONE, unasked)
    assert ("resources.gpu is 0: packs compute on the CPU, and leave the GPU alone",) == found.notes
    assert "cpu" == found.device


@pytest.mark.parametrize(
    ("resources", "nodes", "limits", "torch", "message"),
    [
        (
            Resources(device="cuda", gpu=0.25),
            [LAPTOP],
            NONE,
            unasked,
            "resources.device is cuda, but no node has a GPU",
        ),
        (Resources(device="cuda"), [SERVER], NONE, unasked, "resources.device is cuda, but resources.gpu is 0"),
        (Resources(device="cuda", gpu=1), [SERVER], NONE, blind, "torch sees no GPU in a worker that Ray gave one"),
        (Resources(cpu=1.5), [LAPTOP], NONE, unasked, "above 1 Ray gives out whole CPUs, and a pack asks for 1.5"),
        (Resources(cpu=2.5, gpu=1), [SERVER], NONE, unasked, "above 1 Ray gives out whole CPUs"),
        (Resources(cpu=1e-5), [LAPTOP], NONE, unasked, "Ray gives out no less than 0.0001 of a CPU or a GPU"),
        (Resources(gpu=1e-5), [SERVER], NONE, unasked, "Ray gives out no less than 0.0001 of a CPU or a GPU"),
        (
            Resources(cpu=3),
            [LAPTOP],
            NONE,
            unasked,
            "a pack asks for 3 CPUs, which no node can give (laptop has 2 CPUs and 0 GPUs)",
        ),
        (
            Resources(cpu=17, gpu=0.5),
            [LAPTOP, SERVER],
            NONE,
            unasked,
            "a pack asks for 17 CPUs and 0.5 of a GPU, which no node",
        ),
        (
            Resources(cpu=8, gpu=0.5),
            [LAPTOP],
            AutoscalingLimits((SPOT,)),
            unasked,
            "(laptop has 2 CPUs and 0 GPUs; a host of type gpu-spot would have 4 CPUs and 1 GPUs)",
        ),
        (Resources(), [], NONE, unasked, "there is no node"),
    ],
)
def test_what_cannot_be_had_is_said(
    resources: Resources, nodes: list[Node], limits: AutoscalingLimits, torch: object, message: str
) -> None:
    """A request that no node can meet, nor any that may come, is wrong input, in a sentence, and torch is not asked."""
    with pytest.raises(InputError) as wrong:
        place(resources, nodes, limits, torch)  # type: ignore[arg-type]  # a function, one of three
    assert message in wrong.value.message
    assert wrong.value.remedy
    assert 2 == wrong.value.exit_code


def test_a_cpu_pack_computes_on_one_thread() -> None:
    """`cpu: 2` is the room of two packs."""
    shares = [
        place(resources, [LAPTOP, SERVER], NONE, sees).shares[0]
        for resources in (Resources(cpu=2), Resources(cpu=0.5), Resources(cpu=4, gpu=0.5))
    ]
    assert [
        WorkerResources(1.0, 0.0, "cpu"),
        WorkerResources(0.5, 0.0, "cpu"),
        WorkerResources(4.0, 0.5, "cuda"),
    ] == shares


@pytest.mark.parametrize(
    ("share", "on_laptop", "on_server"),
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
        (WorkerResources(1, 0, "cpu", cpu_only=True), 2, 0),
    ],
)
def test_slots(share: WorkerResources, on_laptop: int, on_server: int) -> None:
    """A node holds as many packs as its CPUs have room for, and on each card as many as there are shares.

    Ray drops what is less than a ten-thousandth, in floating point: six packs of 0.1667 CPUs do find room on one.
    """
    assert [on_laptop, on_server] == [share.slots(LAPTOP), share.slots(SERVER)]


def test_room_follows_the_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slots are counted anew as nodes come and go; those of a node that is about to leave count no more."""
    monkeypatch.setattr(placement, "REFRESH_SECONDS", 0.0)
    share, nodes = WorkerResources(1, 0, "cpu"), [LAPTOP]
    room = Capacity(Placement((share,)), lambda: nodes, NONE)
    assert (2, frozenset({"l"})) == (room.slots(share), room.staying())
    nodes.append(SERVER)
    assert (18, frozenset({"l", "s"})) == (room.slots(share), room.staying())
    nodes[0] = replace(LAPTOP, draining=True)
    assert (16, frozenset({"s"})) == (room.slots(share), room.staying())


def test_a_node_is_looked_at_now_and_then() -> None:
    """What was seen a moment ago is not asked again, unless that is wanted."""
    looks = []

    def look() -> list[Node]:
        looks.append(LAPTOP)
        return looks

    share = WorkerResources(1, 0, "cpu")
    room = Capacity(Placement((share,)), look, NONE)
    assert [2, 2, 2] == [room.slots(share) for _ in range(3)]
    assert frozenset({"l"}) == room.staying()
    assert 1 == len(looks)
    room.refresh()
    assert 2 == len(looks)


def test_a_node_may_be_of_no_use() -> None:
    """It has no slots from here, but is there: an autoscaler starts no other for it."""
    share = WorkerResources(1, 0.5, "cuda")
    nodes = [Node("a", 4, 1, "a"), Node("b", 4, 1, "b")]
    room = Capacity(Placement((share,)), lambda: nodes, AutoscalingLimits((NodeType("gpu", 4, 1, most=3),)))
    assert (4, 2) == (room.slots(share), room.growth(share))
    assert [True, False] == [room.bar("b"), room.bar("b")]
    assert (2, 2, frozenset({"a"}), ("b",)) == (room.slots(share), room.growth(share), room.staying(), room.barred)


def test_room_to_grow() -> None:
    """The slots of hosts that may come; a share that is pinned to hosts that are up has none."""
    on_card, beside = WorkerResources(1, 0.25, "cuda"), WorkerResources(1, 0, "cpu", cpu_only=True)
    room = Capacity(Placement((on_card, beside)), lambda: [LAPTOP], AutoscalingLimits((SPOT, NodeType("cpu", 8, 0, 5))))
    assert [8, 0] == [room.growth(on_card), room.growth(beside)]
    assert [(), ("l",)] == [room.pins(on_card), room.pins(beside)]
