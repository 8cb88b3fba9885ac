"""What waits and why, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tcray.store.activity import Host
from tcray.sweep.autoscaler import Launches

BUSY, JUDGED = "busy", "judged"
USUAL = frozenset({BUSY, JUDGED})
"""Reasons that are no news: every slot has a pack, or some have none until it is judged which runs go on."""


def why(hosts: Sequence[Host], launches: Launches, *, runs: int, packs: int, stuck: int, more: bool) -> dict[str, str]:
    """The reasons there are, by what they are about.

    runs    that could be trained now, and are in no pack yet
    packs   that have waited for a worker for a while
    stuck   those of them that have done so for so long that it must be said, whether or not it can be explained
    more    whether there will be further runs once those under way have been judged
    """
    up = [host for host in hosts if host.state == "up"]
    slots = sum(host.slots for host in up)
    room = slots - sum(host.packs for host in up)
    reasons = {
        BUSY: _busy(runs) if runs and slots and room <= 0 else "",
        JUDGED: _judged(room) if room > 0 and more and not runs and not packs else "",
        "hosts": _no_host(packs, slots, launches.starting) if packs > room else _starting(launches.starting),
        "workers": _no_worker(stuck) if stuck and packs <= room else "",
        **{node_type: _refused(node_type, launches) for node_type in launches.refused},
        **{f"{host.name} {host.address}": _leaving(host) for host in hosts if host.state == "leaving"},
    }
    return {about: reason for about, reason in reasons.items() if reason}


def _busy(runs: int) -> str:
    return f"{_counted(runs, 'run waits', 'runs wait')}: every slot is busy"


def _judged(room: int) -> str:
    return f"{_counted(room, 'slot is', 'slots are')} free: further runs wait until those under way are judged"


def _no_host(packs: int, slots: int, starting: Mapping[str, int]) -> str:
    reason = _starting(starting) or ("every slot is busy" if slots else "none is up that could hold one")
    return f"{_counted(packs, 'pack waits', 'packs wait')} for a host: {reason}"


def _no_worker(packs: int) -> str:
    waiting = _counted(packs, "pack waits", "packs wait")
    return f"{waiting} for a worker: the hosts are busy with something else, or slow to start one"


def _starting(starting: Mapping[str, int]) -> str:
    types = [f"{count:,} of {node_type}" for node_type, count in starting.items()]
    return f"{_listed(types)} {'is' if sum(starting.values()) == 1 else 'are'} being started" if types else ""


def _refused(node_type: str, launches: Launches) -> str:
    others = [other for other in launches.starting if other != node_type]
    tried = f"; {_listed(others)} {'is' if len(others) == 1 else 'are'} tried" if others else ""
    return f"{node_type} cannot be had now: {launches.refused[node_type]}{tried}"


def _leaving(host: Host) -> str:
    return f"{host.name} is leaving: no new pack begins there"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
