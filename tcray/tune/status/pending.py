"""What waits and why, in sentences."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tcray.store.driver_status import Host
from tcray.tune.nodes import Node
from tcray.tune.placement import WorkerResources
from tcray.tune.ray.autoscaler_status import AutoscalerStatus

SLOW_SECONDS = 15.0
"""A worker that has not begun by then is told of, if no host has room for it: they take some seconds to start."""
STUCK_SECONDS = 60.0
"""The same where there is room: Ray waits without a word."""

BUSY, JUDGED = "busy", "judged"
USUAL = frozenset({BUSY, JUDGED})
"""Reasons that are no news: every slot has a pack, or some have none until it is judged which runs go on."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Packs that have waited for a worker for a while.

    packs     all of them
    short     those for which no slot is free
    stuck     those for which one is, for so long that it must be said, though it cannot be explained
    nowhere   whether no host that is up could hold those that are short
    """

    packs: int = 0
    short: int = 0
    stuck: int = 0
    nowhere: bool = False


def waiting(
    waits: Mapping[WorkerResources, Sequence[float]], nodes: Sequence[Node], packs: Mapping[str, int]
) -> Waiting:
    """Of the workers that were asked for, by share and since when, those for which it is taking long.

    nodes   that are up
    packs   under way on a node, by its id
    """
    now, slow, short, stuck, nowhere = time.monotonic(), 0, 0, 0, True
    for share, since in waits.items():
        able = [node for node in nodes if not node.draining and share.slots(node)]
        room = sum(share.slots(node) - packs.get(node.id, 0) for node in able)
        late = sum(now - at >= SLOW_SECONDS or not able for at in since)
        beyond = max(0, late - max(0, room))
        slow, short = slow + late, short + beyond
        stuck += 0 if beyond else sum(now - at >= STUCK_SECONDS for at in since)
        nowhere = nowhere and not (beyond and able)
    return Waiting(slow, short, stuck, nowhere)


def why(hosts: Sequence[Host], launches: AutoscalerStatus, packs: Waiting, *, runs: int, more: bool) -> dict[str, str]:
    """The reasons there are, by what they are about.

    runs    that could be trained now, and are in no pack yet
    more    whether there will be further runs once those under way have been judged
    """
    up = [host for host in hosts if host.state == "up"]
    slots = sum(host.slots for host in up)
    room = slots - sum(host.packs for host in up)
    starting = _starting(launches.starting)
    reasons = {
        BUSY: _busy(runs) if runs and slots and room <= 0 else "",
        JUDGED: _judged(room) if room > 0 and more and not runs and not packs.packs else "",
        "hosts": _no_host(packs.short, _NOWHERE if packs.nowhere else _FULL) if packs.short and not starting else "",
        "starting": _no_host(packs.short, starting) if packs.short and starting else starting,
        "workers": _no_worker(packs.stuck) if packs.stuck else "",
        **{f"type {node_type}": _refused(node_type, launches) for node_type in launches.refused},
        **{f"host {host.name} {host.address}": _leaving(host) for host in hosts if host.state == "leaving"},
    }
    return {about: reason for about, reason in reasons.items() if reason}


_NOWHERE = "none is up that could hold one"
_FULL = "every slot that could hold one is busy"


def _busy(runs: int) -> str:
    return f"{_counted(runs, 'run waits', 'runs wait')}: every slot is busy"


def _judged(room: int) -> str:
    return f"{_counted(room, 'slot is', 'slots are')} free: further runs wait until those under way are judged"


def _no_host(packs: int, reason: str) -> str:
    return f"{_counted(packs, 'pack waits', 'packs wait')} for a host: {reason}"


def _no_worker(packs: int) -> str:
    waiting = _counted(packs, "pack waits", "packs wait")
    return f"{waiting} for a worker: the hosts are busy with something else, or slow to start one"


def _starting(starting: Mapping[str, int]) -> str:
    types = [f"{count:,} of {node_type}" for node_type, count in starting.items()]
    return f"{_listed(types)} {'is' if sum(starting.values()) == 1 else 'are'} being started" if types else ""


def _refused(node_type: str, launches: AutoscalerStatus) -> str:
    others = [other for other in launches.starting if other != node_type]
    tried = f"; {_listed(others)} {'is' if len(others) == 1 else 'are'} tried" if others else ""
    return f"{node_type} cannot be had now: {launches.refused[node_type]}{tried}"


def _leaving(host: Host) -> str:
    return f"{host.name} is leaving: no new pack begins there"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
