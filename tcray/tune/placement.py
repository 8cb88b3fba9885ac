"""Where packs may go: what one is given of a node, on which device it computes, and how many run at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from tcray.config.messages import join_words
from tcray.config.sweep import Resources
from tcray.errors import InputError
from tcray.tune.nodes import AutoscalingLimits, Node, NodeType

Device = Literal["cpu", "cuda"]

REFRESH_SECONDS = 1.0
"""Nodes come and go; how often they are looked at."""

UNITS = 10_000
"""Of a CPU or a GPU: Ray counts in these, and drops what is less."""


@dataclass(frozen=True, slots=True)
class WorkerResources:
    """What a pack is given of a node, and on which device it computes there; `cpu_only` nodes are without a GPU."""

    cpu: float
    gpu: float
    device: Device
    cpu_only: bool = False

    def slots(self, node: Node | NodeType) -> int:
        """How many packs the node holds at a time; a share of a GPU lies on one card."""
        if self.cpu_only and node.gpus:
            return 0
        by_cpu = int(node.cpus * UNITS) // int(self.cpu * UNITS)
        return min(by_cpu, int(node.gpus) * (UNITS // int(self.gpu * UNITS))) if self.gpu else by_cpu


@dataclass(frozen=True, slots=True)
class Placement:
    """The shares that packs are given, of which a node has room for one kind only.

    notes    what a user might not expect of that, a line each
    """

    shares: tuple[WorkerResources, ...]
    notes: tuple[str, ...] = ()

    @property
    def device(self) -> Literal["cpu", "cuda", "mixed"]:
        """What packs compute on."""
        device, *others = {share.device for share in self.shares}
        return "mixed" if others else device

    def slots_of(self, node: Node) -> int:
        """How many packs the node holds at a time."""
        return sum(share.slots(node) for share in self.shares)


@dataclass(slots=True)
class Capacity:
    """The slots that there are now, and those that there may be: nodes come and go, and some are of no use.

    look    at the nodes that are up
    """

    placement: Placement
    look: Callable[[], Sequence[Node]]
    limits: AutoscalingLimits
    _up: Sequence[Node] = field(default=(), init=False)
    _nodes: Sequence[Node] = field(default=(), init=False)
    _barred: dict[str, None] = field(default_factory=dict, init=False)
    _staying: frozenset[str] = field(default=frozenset(), init=False)
    _looked_at: float = field(default=float("-inf"), init=False)

    def refresh(self) -> None:
        """Looks again, though the last time was a moment ago."""
        self._up, self._looked_at = self.look(), time.monotonic()
        self._nodes = [node for node in self._up if node.id not in self._barred]
        self._staying = frozenset(node.id for node in self._nodes if not node.draining)

    def bar(self, node: str) -> bool:
        """Does without the node of this id from here; whether it did not already."""
        if node in self._barred:
            return False
        self._barred[node] = None
        self.refresh()
        return True

    @property
    def barred(self) -> tuple[str, ...]:
        """The ids of nodes that nothing more is to be given to."""
        return tuple(self._barred)

    def nodes(self) -> Sequence[Node]:
        """Those that are up, and not barred, as it was at most `LOOK_SECONDS` ago."""
        if time.monotonic() - self._looked_at >= REFRESH_SECONDS:
            self.refresh()
        return self._nodes

    def staying(self) -> frozenset[str]:
        """The ids of those that are not about to leave."""
        self.nodes()
        return self._staying

    def slots(self, share: WorkerResources) -> int:
        """How many packs with this share the nodes hold, without those that are about to leave."""
        return sum(share.slots(node) for node in self.nodes() if not node.draining)

    def growth(self, share: WorkerResources) -> int:
        """How many more they would hold if the autoscaler started every host that it may; none for pinned shares."""
        self.nodes()
        return 0 if share.cpu_only else self.limits.growth(self._up, share.slots)

    def pins(self, share: WorkerResources) -> tuple[str, ...]:
        """The ids of the only nodes that the share may be taken from; empty where any will do that has it."""
        return tuple(node.id for node in self.nodes() if share.slots(node)) if share.cpu_only else ()


def place(
    resources: Resources, nodes: Sequence[Node], limits: AutoscalingLimits, sees_cuda: Callable[[WorkerResources], bool]
) -> Placement:
    """Decides, once a sweep, how its packs are placed on `nodes`, and on those that may come.

    sees_cuda   whether torch, in a worker that was given this share, sees a GPU; asked last, and only where there is
                one, or has to be waited for

    Under `auto` a GPU is used if any node declares one. Placement follows what nodes declare, arithmetic what torch
    sees: a node may declare GPUs that are not there. Raises InputError for what no node can give, nor any to come.
    """
    hosts: tuple[Node | NodeType, ...] = (*nodes, *limits.types)
    has_gpu = any(host.gpus > 0 for host in hosts)
    if resources.device == "cuda":
        _demand_gpu(resources, has_gpu)
    if resources.device == "cpu" or not (resources.gpu and has_gpu):
        _check(WorkerResources(resources.cpu, 0.0, "cpu"), nodes, limits)
        return Placement((_one_thread(resources),), _why_cpu(resources, has_gpu))
    on_card = WorkerResources(resources.cpu, resources.gpu, "cuda")
    _check(on_card, nodes, limits)
    beside = replace(_one_thread(resources), cpu_only=True)
    can_begin = resources.device == "any" and any(map(beside.slots, nodes))
    if (any(node.gpus > 0 for node in nodes) or not can_begin) and not sees_cuda(on_card):
        if resources.device == "cuda":
            raise InputError("resources.device is cuda, but torch sees no GPU in a worker that Ray gave one", _NO_CUDA)
        on_card = replace(on_card, device="cpu")
    notes = () if on_card.device == "cuda" else (_BLIND,)
    if resources.device == "any":
        return Placement((on_card, beside), notes or (_MIXED,))
    return Placement((on_card,), (*notes, *_left_out(beside, nodes)))


_NO_CUDA = "Install a torch built for CUDA there, or say --set resources.device=auto."
_BLIND = "torch does not see the GPUs that nodes declare: packs are placed by them, and compute on the CPU"
_MIXED = "resources.device is any: decisions depend on who computed what, so nobody can repeat the results exactly"

NAMED = 5
"""Most hosts that are named in a line."""


def _demand_gpu(resources: Resources, has_gpu: bool) -> None:
    if not has_gpu:
        raise InputError(
            "resources.device is cuda, but no node has a GPU",
            "Say --set resources.device=auto to compute on the CPU, or join a cluster with --address.",
        )
    if not resources.gpu:
        raise InputError(
            "resources.device is cuda, but resources.gpu is 0",
            "Say what share of a card a pack takes, as --set resources.gpu=0.25.",
        )


def _why_cpu(resources: Resources, has_gpu: bool) -> tuple[str, ...]:
    """Why a sweep that might use a GPU computes on the CPU, where that may surprise."""
    if resources.device == "cpu":
        return ()
    if resources.gpu:
        return ("no node has a GPU: packs compute on the CPU",)
    return ("resources.gpu is 0: packs compute on the CPU, and leave the GPU alone",) if has_gpu else ()


def _left_out(share: WorkerResources, nodes: Sequence[Node]) -> tuple[str, ...]:
    """Which hosts a sweep on GPUs has no use for."""
    names = [node.name for node in nodes if share.slots(node)]
    if not names:
        return ()
    shown = join_words([*names[:NAMED], *([f"{len(names) - NAMED} more"] if len(names) > NAMED else [])], "and")
    has, takes, it = ("has", "takes", "it") if len(names) == 1 else ("have", "take", "them")
    return (f"{shown} {has} no GPU and {takes} no part; resources.device: any would use {it} too",)


def _one_thread(resources: Resources) -> WorkerResources:
    """A CPU pack computes on one thread, so n CPUs are the room of n packs."""
    return WorkerResources(min(resources.cpu, 1.0), 0.0, "cpu")


def _check(asked: WorkerResources, nodes: Sequence[Node], limits: AutoscalingLimits) -> None:
    """Raises for what nobody can give."""
    if min(asked.cpu, asked.gpu or 1) < 1 / UNITS:
        raise InputError(f"resources: Ray gives out no less than {1 / UNITS:g} of a CPU or a GPU", "Ask for more.")
    if asked.cpu > 1 and asked.cpu != int(asked.cpu):
        raise InputError(
            f"resources.cpu: above 1 Ray gives out whole CPUs, and a pack asks for {asked.cpu:g}",
            "Say a whole number, or less than 1.",
        )
    if any(map(asked.slots, nodes)) or any(map(asked.slots, limits.types)):
        return
    wanted = f"{asked.cpu:g} CPUs" + (f" and {asked.gpu:g} of a GPU" if asked.gpu else "")
    has = [f"{node.name} has {node.cpus:g} CPUs and {node.gpus:g} GPUs" for node in nodes]
    has += [f"a host of type {kind.name} would have {kind.cpus:g} CPUs and {kind.gpus:g} GPUs" for kind in limits.types]
    raise InputError(
        f"resources: a pack asks for {wanted}, which no node can give ({'; '.join(has) or 'there is no node'})",
        "Ask for less, or join a larger cluster with --address.",
    )
