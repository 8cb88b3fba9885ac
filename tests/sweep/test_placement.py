from __future__ import annotations

import pytest

from tcray.errors import InputError
from tcray.spec.sweep import Resources
from tcray.sweep import placement
from tcray.sweep.placement import Node, Placement, Slots, place

LAPTOP = Node("laptop", cpus=2, gpus=0)
SERVER = Node("server", cpus=16, gpus=2)


def sees() -> bool:
    """A torch that sees the GPU."""
    return True


def blind() -> bool:
    """A torch that does not."""
    return False


def unasked() -> bool:
    """A torch that is nobody's business."""
    pytest.fail("torch was asked for a GPU")


def test_cpu_is_cpu() -> None:
    """Under `device: cpu` no GPU is asked for, whatever there is."""
    assert Placement(1.0, 0.0, "cpu") == place(Resources(device="cpu", gpu=0.25), [SERVER], unasked)


def test_auto_uses_a_gpu_that_is_there() -> None:
    """Under `auto` a GPU is used if any node declares one and torch sees it."""
    assert Placement(1.0, 0.25, "cuda") == place(Resources(gpu=0.25), [LAPTOP, SERVER], sees)


def test_auto_falls_back_and_says_so() -> None:
    """Under `auto` a machine without a GPU computes on the CPU, with one line."""
    expected = Placement(1.0, 0.0, "cpu", "no node has a GPU: packs compute on the CPU")
    assert expected == place(Resources(gpu=0.25), [LAPTOP], unasked)


def test_a_declared_gpu_places_packs_even_where_torch_is_blind() -> None:
    """Placement follows what nodes declare, arithmetic what torch sees."""
    found = place(Resources(gpu=0.25), [SERVER], blind)
    assert (1.0, 0.25, "cpu") == (found.cpu, found.gpu, found.device)
    assert (
        found.note == "torch does not see the GPUs that nodes declare: packs are placed by them, and compute on the CPU"
    )


def test_auto_without_a_share_leaves_the_gpu_alone() -> None:
    """`gpu: 0` asks for no GPU; where there is one, that is said."""
    assert "" == place(Resources(), [LAPTOP], unasked).note
    found = place(Resources(), [SERVER], unasked)
    assert ("cpu", "resources.gpu is 0: packs compute on the CPU, and leave the GPU alone") == (
        found.device,
        found.note,
    )


@pytest.mark.parametrize(
    ("resources", "nodes", "torch", "message"),
    [
        (Resources(device="cuda", gpu=0.25), [LAPTOP], unasked, "resources.device is cuda, but no node has a GPU"),
        (Resources(device="cuda"), [SERVER], unasked, "resources.device is cuda, but resources.gpu is 0"),
        (Resources(device="cuda", gpu=1), [SERVER], blind, "torch sees no GPU in a worker that Ray gave one"),
        (Resources(gpu=2), [SERVER], sees, "resources.gpu: a pack computes on one card, and asks for 2"),
        (Resources(cpu=1.5), [LAPTOP], unasked, "above 1 Ray gives out whole CPUs, and a pack asks for 1.5"),
        (
            Resources(cpu=3),
            [LAPTOP],
            unasked,
            "a pack asks for 3 CPUs, which no node can give (laptop has 2 CPUs and 0 GPUs)",
        ),
        (Resources(cpu=17, gpu=0.5), [LAPTOP, SERVER], sees, "a pack asks for 17 CPUs and 0.5 of a GPU, which no node"),
        (Resources(), [], unasked, "there is no node"),
    ],
)
def test_what_cannot_be_had_is_said(resources: Resources, nodes: list[Node], torch: object, message: str) -> None:
    """A request that no node can meet is wrong input, in a sentence."""
    with pytest.raises(InputError) as wrong:
        place(resources, nodes, torch)  # type: ignore[arg-type]  # a function, one of three
    assert message in wrong.value.message
    assert wrong.value.remedy
    assert 2 == wrong.value.exit_code


def test_a_cpu_pack_computes_on_one_thread() -> None:
    """`cpu: 2` is the room of two packs."""
    assert Placement(1.0, 0.0, "cpu") == place(Resources(cpu=2), [LAPTOP], unasked)
    assert Placement(0.5, 0.0, "cpu") == place(Resources(cpu=0.5), [LAPTOP], unasked)
    assert Placement(4.0, 0.5, "cuda") == place(Resources(cpu=4, gpu=0.5), [SERVER], sees)


@pytest.mark.parametrize(
    ("placed", "slots"),
    [
        (Placement(1, 0, "cpu"), 18),
        (Placement(0.1, 0, "cpu"), 180),
        (Placement(1, 0.25, "cuda"), 8),
        (Placement(1, 0.3, "cuda"), 6),
        (Placement(4, 0.25, "cuda"), 4),
        (Placement(32, 0, "cpu"), 0),
    ],
)
def test_slots(placed: Placement, slots: int) -> None:
    """A node holds as many packs as its CPUs have room for, and on each card as many as there are shares."""
    assert slots == placed.slots([LAPTOP, SERVER])


def test_slots_follow_the_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slots are counted anew as nodes come and go; without a node there is one, and it waits."""
    monkeypatch.setattr(placement, "LOOK_SECONDS", 0.0)
    nodes: list[Node] = []
    slots = Slots(Placement(1, 0, "cpu"), lambda: nodes)
    assert 1 == slots()
    nodes += [LAPTOP, SERVER]
    assert 18 == slots()
