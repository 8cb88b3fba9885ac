"""Where packs may go: what one is given of a node, on which device it computes, and how many run at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tcray.errors import InputError
from tcray.spec.sweep import Resources

Device = Literal["cpu", "cuda"]

LOOK_SECONDS = 1.0
"""Nodes come and go; how often they are looked at."""

_ROUNDING = 1e-6
"""Ten packs of 0.1 CPUs fill a CPU, whatever floating point says."""


@dataclass(frozen=True, slots=True)
class Node:
    """A host that is up, and all that it declares to have."""

    name: str
    cpus: float
    gpus: float


@dataclass(frozen=True, slots=True)
class Placement:
    """What a pack is given, and on which device it computes; `note` says what a user might not expect of that."""

    cpu: float
    gpu: float
    device: Device
    note: str = ""

    @property
    def request(self) -> dict[str, float]:
        """The request as Ray Tune takes it."""
        return {"cpu": self.cpu, "gpu": self.gpu}

    def slots(self, nodes: Sequence[Node]) -> int:
        """How many packs these nodes hold at a time."""
        return sum(self._fits(node) for node in nodes)

    def _fits(self, node: Node) -> int:
        by_cpu = math.floor(node.cpus / self.cpu + _ROUNDING)
        if not self.gpu:
            return by_cpu
        return min(by_cpu, math.floor(node.gpus) * math.floor(1 / self.gpu + _ROUNDING))


@dataclass(slots=True)
class Slots:
    """How many packs the nodes that are up hold now; at least one, which then waits until a node is there."""

    placement: Placement
    nodes: Callable[[], Sequence[Node]]
    _count: int = field(default=1, init=False)
    _looked_at: float = field(default=-math.inf, init=False)

    def __call__(self) -> int:
        """As it was at most `LOOK_SECONDS` ago."""
        if time.monotonic() - self._looked_at >= LOOK_SECONDS:
            self._count = max(1, self.placement.slots(self.nodes()))
            self._looked_at = time.monotonic()
        return self._count


def place(resources: Resources, nodes: Sequence[Node], sees_cuda: Callable[[], bool]) -> Placement:
    """Decides, once a sweep, how its packs are placed on `nodes`.

    sees_cuda   whether torch, in a worker that was given a GPU, sees it; asked only where a node declares one

    Under `auto` a GPU is used if any node declares one. Placement follows what nodes declare, arithmetic what torch
    sees: a node may declare GPUs that are not there. Raises InputError for what no node can give.
    """
    has_gpu = any(node.gpus > 0 for node in nodes)
    if resources.device == "cuda":
        _demand_gpu(resources, has_gpu)
        if not sees_cuda():
            raise InputError("resources.device is cuda, but torch sees no GPU in a worker that Ray gave one", _NO_CUDA)
        return _checked(Placement(resources.cpu, resources.gpu, "cuda"), nodes)
    if resources.device == "cpu" or not (resources.gpu and has_gpu):
        return _checked(Placement(resources.cpu, 0.0, "cpu", _why_cpu(resources, has_gpu)), nodes)
    if sees_cuda():
        return _checked(Placement(resources.cpu, resources.gpu, "cuda"), nodes)
    note = "torch does not see the GPUs that nodes declare: packs are placed by them, and compute on the CPU"
    return _checked(Placement(resources.cpu, resources.gpu, "cpu", note), nodes)


_NO_CUDA = "Install a torch built for CUDA there, or say --set resources.device=auto."


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


def _why_cpu(resources: Resources, has_gpu: bool) -> str:
    """Why a sweep under `auto` computes on the CPU, where that may surprise."""
    if resources.device == "cpu":
        return ""
    if resources.gpu:
        return "no node has a GPU: packs compute on the CPU"
    return "resources.gpu is 0: packs compute on the CPU, and leave the GPU alone" if has_gpu else ""


def _checked(asked: Placement, nodes: Sequence[Node]) -> Placement:
    """The placement, if some node can give what it asks for."""
    if asked.gpu > 1:
        raise InputError(
            f"resources.gpu: a pack computes on one card, and asks for {asked.gpu:g}",
            "Say a share of a card, as 0.25 or 1.",
        )
    if asked.cpu > 1 and asked.cpu != int(asked.cpu):
        raise InputError(
            f"resources.cpu: above 1 Ray gives out whole CPUs, and a pack asks for {asked.cpu:g}",
            "Say a whole number, or less than 1.",
        )
    if not any(node.cpus >= asked.cpu and node.gpus >= asked.gpu for node in nodes):
        wanted = f"{asked.cpu:g} CPUs" + (f" and {asked.gpu:g} of a GPU" if asked.gpu else "")
        has = "; ".join(f"{node.name} has {node.cpus:g} CPUs and {node.gpus:g} GPUs" for node in nodes)
        raise InputError(
            f"resources: a pack asks for {wanted}, which no node can give ({has or 'there is no node'})",
            "Ask for less, or join a larger cluster with --address.",
        )
    return _one_thread_each(asked)


def _one_thread_each(asked: Placement) -> Placement:
    """A CPU pack computes on one thread, so n CPUs are the room of n packs with one each."""
    alone = asked.device == "cuda" or asked.gpu or asked.cpu < 1
    return asked if alone else Placement(1.0, 0.0, asked.device, asked.note)
