from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import pytest

from tcray.config.sweep import Resources
from tcray.errors import InputError
from tcray.tune.capacity import AutoscalingLimits, Node, NodeType, WorkerResources
from tcray.tune.placement import Placement, choose_placement

LAPTOP = Node("laptop", cpus=2, gpus=0, id="l")
SERVER = Node("server", cpus=16, gpus=2, id="s")
HEAD = Node("head", cpus=0, gpus=0, id="h")
SPOT = NodeType("gpu-spot", cpus=4, gpus=1, max_count=2)
NONE = AutoscalingLimits()
GPU_NOT_VISIBLE = "torch does not see the GPUs that nodes declare: packs are placed by them, and compute on the CPU"


def sees_gpu(_: WorkerResources) -> bool:
    """Stand in for a torch that sees the GPU."""
    return True


def sees_no_gpu(_: WorkerResources) -> bool:
    """Stand in for a torch that sees no GPU."""
    return False


def not_called(_: WorkerResources) -> bool:
    """Fail, because torch should not be asked."""
    pytest.fail("torch was asked for a GPU")


def test_device_cpu_uses_the_cpu() -> None:
    """Under `device: cpu` no GPU is requested, even if nodes have some."""
    expected = Placement(WorkerResources(1.0, 0.0, "cpu"))
    assert expected == choose_placement(Resources(device="cpu", gpu=0.25), [LAPTOP, SERVER], NONE, not_called)


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_an_available_gpu_is_used(device: Literal["auto", "cuda"]) -> None:
    """If a node declares a GPU and torch sees it, packs go there, and unused hosts without a GPU are named."""
    resources = Resources(device=device, gpu=0.25)
    found = choose_placement(resources, [HEAD, LAPTOP, SERVER], NONE, sees_gpu)
    assert Placement(WorkerResources(1.0, 0.25, "cuda"), ("laptop has no GPU and is not used",)) == found
    assert "cuda" == found.device


def test_only_a_few_unused_hosts_are_named() -> None:
    """Five hosts without a GPU are named, and the others are counted."""
    fleet = [replace(LAPTOP, name=f"h{i}") for i in range(9)]
    placement = choose_placement(Resources(gpu=1), [SERVER, *fleet], NONE, sees_gpu)
    assert ("h0, h1, h2, h3, h4 and 4 more have no GPU and are not used",) == placement.notes


def test_auto_falls_back_to_the_cpu() -> None:
    """Under `auto` a cluster without a GPU computes on the CPU, with a note."""
    expected = Placement(WorkerResources(1.0, 0.0, "cpu"), ("no node has a GPU: packs compute on the CPU",))
    assert expected == choose_placement(Resources(gpu=0.25), [LAPTOP], NONE, not_called)


def test_a_gpu_that_may_come_is_used() -> None:
    """A host type of the autoscaler counts like a node that is up."""
    found = choose_placement(Resources(gpu=0.25), [HEAD, LAPTOP], AutoscalingLimits((SPOT,)), sees_gpu)
    assert WorkerResources(1.0, 0.25, "cuda") == found.resources


def test_placement_follows_nodes_and_arithmetic_follows_torch() -> None:
    """If a declared GPU is not visible to torch, packs are placed by the GPU and compute on the CPU."""
    found = choose_placement(Resources(gpu=0.25), [SERVER], NONE, sees_no_gpu)
    assert Placement(WorkerResources(1.0, 0.25, "cpu"), (GPU_NOT_VISIBLE,)) == found
    assert "cpu" == found.device


def test_gpu_0_leaves_the_gpu_idle() -> None:
    """`gpu: 0` requests no GPU; if there is one, a note says that it stays idle."""
    assert () == choose_placement(Resources(), [LAPTOP], NONE, not_called).notes
    found = choose_placement(Resources(), [SERVER], NONE, not_called)
    assert ("resources.gpu is 0: packs compute on the CPU and leave the GPU idle",) == found.notes
    assert "cpu" == found.device


@pytest.mark.parametrize(
    ("resources", "nodes", "limits", "torch", "message"),
    [
        (
            Resources(device="cuda", gpu=0.25),
            [LAPTOP],
            NONE,
            not_called,
            "resources.device is cuda, but no node has a GPU",
        ),
        (Resources(device="cuda"), [SERVER], NONE, not_called, "resources.device is cuda, but resources.gpu is 0"),
        (Resources(device="cuda", gpu=1), [SERVER], NONE, sees_no_gpu, "torch sees no GPU in a worker that Ray gave"),
        (Resources(cpu=1.5), [LAPTOP], NONE, not_called, "above 1 Ray assigns whole CPUs, and a pack requests 1.5"),
        (Resources(cpu=2.5, gpu=1), [SERVER], NONE, not_called, "above 1 Ray assigns whole CPUs"),
        (Resources(cpu=1e-5), [LAPTOP], NONE, not_called, "0.0001 of a CPU or a GPU is the least that Ray assigns"),
        (Resources(gpu=1e-5), [SERVER], NONE, not_called, "0.0001 of a CPU or a GPU is the least that Ray assigns"),
        (
            Resources(cpu=3),
            [LAPTOP],
            NONE,
            not_called,
            "a pack requests 3 CPUs, but no node has that (laptop has 2 CPUs and 0 GPUs)",
        ),
        (
            Resources(cpu=17, gpu=0.5),
            [LAPTOP, SERVER],
            NONE,
            not_called,
            "a pack requests 17 CPUs and 0.5 of a GPU, but no node",
        ),
        (
            Resources(cpu=8, gpu=0.5),
            [LAPTOP],
            AutoscalingLimits((SPOT,)),
            not_called,
            "(laptop has 2 CPUs and 0 GPUs; a host of type gpu-spot would have 4 CPUs and 1 GPUs)",
        ),
        (Resources(), [], NONE, not_called, "there is no node"),
    ],
)
def test_an_impossible_request_is_an_error(
    resources: Resources,
    nodes: list[Node],
    limits: AutoscalingLimits,
    torch: Callable[[WorkerResources], bool],
    message: str,
) -> None:
    """A request that no present or future node can meet is an input error, raised before torch is asked."""
    with pytest.raises(InputError) as wrong:
        choose_placement(resources, nodes, limits, torch)
    assert message in wrong.value.message
    assert wrong.value.remedy
    assert 2 == wrong.value.exit_code


def test_a_pack_on_the_cpu_takes_one_cpu() -> None:
    """`cpu: 2` leaves room for two packs, because a pack on the CPU computes on one thread."""
    placed = [
        choose_placement(resources, [LAPTOP, SERVER], NONE, sees_gpu).resources
        for resources in (Resources(cpu=2), Resources(cpu=0.5), Resources(cpu=4, gpu=0.5))
    ]
    assert [
        WorkerResources(1.0, 0.0, "cpu"),
        WorkerResources(0.5, 0.0, "cpu"),
        WorkerResources(4.0, 0.5, "cuda"),
    ] == placed
