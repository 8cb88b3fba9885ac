"""Reasons why packs and runs are waiting."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tcray.config.messages import join_words
from tcray.store.driver_status import Host
from tcray.tune.capacity import Node, WorkerResources
from tcray.tune.ray.autoscaler_status import AutoscalerStatus

SLOW_SECONDS = 15.0
"""A worker normally starts within this time; afterwards it is reported as waiting if no slot is free for it."""
STUCK_SECONDS = 60.0
"""The same limit if a slot is free: Ray does not report why a worker is slow to start."""

BUSY, RESULTS = "busy", "results"
ROUTINE = frozenset({BUSY, RESULTS})
"""Keys of reasons that occur in every sweep: all slots are busy, or further runs depend on results."""


@dataclass(frozen=True, slots=True)
class PendingPacks:
    """Packs that have waited unusually long for a worker.

    packs          all of them
    without_slot   those for which no slot is free
    stuck          those for which a slot has been free for `STUCK_SECONDS`
    no_host_fits   True if there are packs without a slot and no host could ever hold one of them
    """

    packs: int = 0
    without_slot: int = 0
    stuck: int = 0
    no_host_fits: bool = False


def count_pending(
    waiting_since: Sequence[float], nodes: Sequence[Node], resources: WorkerResources, packs_by_node: Mapping[str, int]
) -> PendingPacks:
    """Count the workers that have been requested for unusually long; immediately if no host can hold one.

    waiting_since   times of the requests, by `time.monotonic`
    nodes           the nodes that are up
    packs_by_node   number of packs in training, by node id
    """
    now = time.monotonic()
    usable = [node for node in nodes if not node.draining and resources.slots(node)]
    free = max(0, sum(resources.slots(node) - packs_by_node.get(node.id, 0) for node in usable))
    slow = sum(now - since >= SLOW_SECONDS or not usable for since in waiting_since)
    without_slot = max(0, slow - free)
    stuck = 0 if without_slot else sum(now - since >= STUCK_SECONDS for since in waiting_since)
    return PendingPacks(slow, without_slot, stuck, no_host_fits=without_slot > 0 and not usable)


def pending_reasons(
    hosts: Sequence[Host], autoscaler: AutoscalerStatus, pending: PendingPacks, *, runs: int, more: bool
) -> dict[str, str]:
    """Return the reasons as sentences, by a key that stays the same while the numbers in a sentence change.

    runs    number of runs that could start now but are in no pack yet
    more    True if the runs in training may lead to further runs
    """
    up = [host for host in hosts if host.state == "up"]
    slots = sum(host.slots for host in up)
    free = slots - sum(host.packs for host in up)
    starting, short = _describe_starting(autoscaler.starting), pending.without_slot
    no_slot = "no host that is up can hold one" if pending.no_host_fits else "every suitable slot is busy"
    reasons = {
        BUSY: f"{_count(runs, 'run waits', 'runs wait')}: every slot is busy" if runs and slots and free <= 0 else "",
        RESULTS: _describe_free(free) if free > 0 and more and not runs and not pending.packs else "",
        "hosts": _describe_packs(short, f"a host: {no_slot}") if short and not starting else "",
        "starting": _describe_packs(short, f"a host: {starting}") if short and starting else starting,
        "workers": _describe_packs(pending.stuck, f"a worker: {_STUCK}") if pending.stuck else "",
        **{f"type {node_type}": _describe_refusal(node_type, autoscaler) for node_type in autoscaler.refused},
        **{f"host {host.name} {host.address}": _describe_leaving(host) for host in hosts if host.state == "leaving"},
    }
    return {key: reason for key, reason in reasons.items() if reason}


_STUCK = "the hosts are busy with other work or slow to start one"


def _describe_free(slots: int) -> str:
    return f"{_count(slots, 'slot is', 'slots are')} free: further runs depend on the results of those in training"


def _describe_packs(packs: int, awaited: str) -> str:
    return f"{_count(packs, 'pack waits', 'packs wait')} for {awaited}"


def _describe_starting(starting: Mapping[str, int]) -> str:
    types = [f"{count:,} of {node_type}" for node_type, count in starting.items()]
    return f"{join_words(types, 'and')} {'is' if sum(starting.values()) == 1 else 'are'} being started" if types else ""


def _describe_refusal(node_type: str, autoscaler: AutoscalerStatus) -> str:
    others = [other for other in autoscaler.starting if other != node_type]
    verb = "is" if len(others) == 1 else "are"
    tried = f"; {join_words(others, 'and')} {verb} being tried instead" if others else ""
    return f"{node_type} is not available now: {autoscaler.refused[node_type]}{tried}"


def _describe_leaving(host: Host) -> str:
    return f"{host.name} is leaving: no new pack starts there"


def _count(number: int, singular: str, plural: str) -> str:
    return f"{number:,} {singular if number == 1 else plural}"
