"""Placement of a sweep: the device on which its packs compute, and the share of a node that each worker gets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tcray.config.messages import join_words
from tcray.config.sweep import Resources
from tcray.errors import InputError
from tcray.tune.capacity import UNITS, AutoscalingLimits, Device, Node, NodeType, WorkerResources

MAX_NAMED_HOSTS = 5
"""Further hosts are counted, not named."""

_NO_CUDA = "Install a torch built for CUDA there, or pass --set resources.device=auto."
_GPU_NOT_VISIBLE = "torch does not see the GPUs that nodes declare: packs are placed by them, and compute on the CPU"


@dataclass(frozen=True, slots=True)
class Placement:
    """The resources of every worker of a sweep.

    notes    consequences that a user may not expect, one line each
    """

    resources: WorkerResources
    notes: tuple[str, ...] = ()

    @property
    def device(self) -> Device:
        """Return the device on which packs compute."""
        return self.resources.device


def choose_placement(
    resources: Resources, nodes: Sequence[Node], limits: AutoscalingLimits, sees_cuda: Callable[[WorkerResources], bool]
) -> Placement:
    """Return the placement of a sweep's packs on `nodes` and on the hosts that the autoscaler may add.

    sees_cuda   returns True if torch sees a GPU in a worker with these resources; called last, and only if a node has
                a GPU or may come with one

    Under `auto` a GPU is used if any node declares one. Placement follows the resources that nodes declare, arithmetic
    follows torch: a node may declare GPUs that do not exist. Raises InputError if no node, present or future, can meet
    the request.
    """
    hosts: tuple[Node | NodeType, ...] = (*nodes, *limits.types)
    has_gpu = any(host.gpus > 0 for host in hosts)
    if resources.device == "cuda":
        _require_gpu(resources, has_gpu)
    # A pack on the CPU computes on one thread, so n CPUs hold n packs.
    on_cpu = WorkerResources(min(resources.cpu, 1.0), 0.0, "cpu")
    if resources.device == "cpu" or not (resources.gpu and has_gpu):
        _check_request(replace(on_cpu, cpu=resources.cpu), nodes, limits)
        return Placement(on_cpu, _explain_cpu(resources, has_gpu))
    on_gpu = WorkerResources(resources.cpu, resources.gpu, "cuda")
    _check_request(on_gpu, nodes, limits)
    unused = _name_unused_hosts([node.name for node in nodes if not node.gpus and on_cpu.slots(node)])
    if sees_cuda(on_gpu):
        return Placement(on_gpu, unused)
    if resources.device == "cuda":
        raise InputError("resources.device is cuda, but torch sees no GPU in a worker that Ray gave one", _NO_CUDA)
    return Placement(replace(on_gpu, device="cpu"), (_GPU_NOT_VISIBLE, *unused))


def _require_gpu(resources: Resources, has_gpu: bool) -> None:
    """Raise InputError if `device: cuda` cannot be met."""
    if not has_gpu:
        raise InputError(
            "resources.device is cuda, but no node has a GPU",
            "Pass --set resources.device=auto to compute on the CPU, or join a cluster with --address.",
        )
    if not resources.gpu:
        raise InputError(
            "resources.device is cuda, but resources.gpu is 0",
            "Set the share of a card that a pack takes, for example --set resources.gpu=0.25.",
        )


def _explain_cpu(resources: Resources, has_gpu: bool) -> tuple[str, ...]:
    """Return the reason for computing on the CPU, if a user might have expected a GPU."""
    if resources.device == "cpu":
        return ()
    if resources.gpu:
        return ("no node has a GPU: packs compute on the CPU",)
    return ("resources.gpu is 0: packs compute on the CPU and leave the GPU idle",) if has_gpu else ()


def _name_unused_hosts(names: Sequence[str]) -> tuple[str, ...]:
    """Return a note that names the hosts that a sweep on GPUs does not use."""
    if not names:
        return ()
    more = len(names) - MAX_NAMED_HOSTS
    shown = join_words([*names[:MAX_NAMED_HOSTS], *([f"{more} more"] if more > 0 else [])], "and")
    return (f"{shown} {'has no GPU and is' if len(names) == 1 else 'have no GPU and are'} not used",)


def _check_request(wanted: WorkerResources, nodes: Sequence[Node], limits: AutoscalingLimits) -> None:
    """Raise InputError if no node and no host type has these resources."""
    if min(wanted.cpu, wanted.gpu or 1) < 1 / UNITS:
        raise InputError(f"resources: {1 / UNITS:g} of a CPU or a GPU is the least that Ray assigns", "Request more.")
    if wanted.cpu > 1 and wanted.cpu != int(wanted.cpu):
        raise InputError(
            f"resources.cpu: above 1 Ray assigns whole CPUs, and a pack requests {wanted.cpu:g}",
            "Set a whole number, or less than 1.",
        )
    if any(map(wanted.slots, nodes)) or any(map(wanted.slots, limits.types)):
        return
    request = f"{wanted.cpu:g} CPUs" + (f" and {wanted.gpu:g} of a GPU" if wanted.gpu else "")
    has = [f"{node.name} has {node.cpus:g} CPUs and {node.gpus:g} GPUs" for node in nodes]
    has += [f"a host of type {kind.name} would have {kind.cpus:g} CPUs and {kind.gpus:g} GPUs" for kind in limits.types]
    raise InputError(
        f"resources: a pack requests {request}, but no node has that ({'; '.join(has) or 'there is no node'})",
        "Request less, or join a larger cluster with --address.",
    )
