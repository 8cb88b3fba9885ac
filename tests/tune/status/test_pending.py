from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tcray.store.driver_status import Host
from tcray.tune.nodes import Node
from tcray.tune.placement import WorkerResources
from tcray.tune.ray.autoscaler_status import NONE, AutoscalerStatus
from tcray.tune.status import pending as watched
from tcray.tune.status.pending import SLOW_SECONDS, STUCK_SECONDS, Waiting, waiting, why

NOWHERE = "1 pack waits for a host: none is up that could hold one"
FULL = Host("h1", "10.0.0.1", "up", 4, 4, 0, None)
HALF = Host("h2", "10.0.0.2", "up", 4, 2, 0, None)
LEAVING = Host("h3", "10.0.0.3", "leaving", 4, 1, 0, None)
GONE = Host("h4", "10.0.0.4", "gone", 0, 0, 0, None)
SPOT = AutoscalerStatus({"gpu-spot": 2}, {})
REFUSED = AutoscalerStatus({}, {"gpu-spot": "InsufficientInstanceCapacity: there is none"})


def reasons(hosts: list[Host], launches: AutoscalerStatus = NONE, **changes: Any) -> list[str]:
    """Why anything waits, where nothing does unless `changes` says so."""
    packs = Waiting(**{name: changes.pop(name) for name in ("packs", "short", "stuck", "nowhere") if name in changes})
    return list(why(hosts, launches, packs, **{"runs": 0, "more": False, **changes}).values())


@pytest.mark.parametrize(
    ("hosts", "waiting", "said"),
    [
        ([FULL, HALF], {"runs": 70}, []),
        ([FULL], {"runs": 1204}, ["1,204 runs wait: every slot is busy"]),
        ([FULL], {"runs": 1}, ["1 run waits: every slot is busy"]),
        ([FULL, GONE], {"runs": 70}, ["70 runs wait: every slot is busy"]),
        ([HALF], {"more": True}, ["2 slots are free: further runs wait until those under way are judged"]),
        ([HALF], {"more": True, "runs": 3}, []),
        ([HALF], {"more": True, "packs": 1}, []),
        ([FULL], {"more": True}, []),
        ([HALF], {}, []),
        ([FULL], {"packs": 3, "short": 3}, ["3 packs wait for a host: every slot that could hold one is busy"]),
        ([HALF], {"packs": 2}, []),
        ([], {"packs": 1, "short": 1, "nowhere": True}, [NOWHERE]),
        ([GONE], {"packs": 1, "short": 1, "nowhere": True, "runs": 70}, [NOWHERE]),
        (
            [HALF],
            {"packs": 2, "stuck": 2},
            ["2 packs wait for a worker: the hosts are busy with something else, or slow to start one"],
        ),
        ([FULL, LEAVING], {}, ["h3 is leaving: no new pack begins there"]),
    ],
)
def test_what_waits_and_why(hosts: list[Host], waiting: dict[str, Any], said: list[str]) -> None:
    """Runs wait for slots or for a verdict, packs for a host or for a worker; each is said where it is the case."""
    assert said == reasons(hosts, **waiting)


@pytest.mark.parametrize(
    ("launches", "packs", "said"),
    [
        (SPOT, 0, ["2 of gpu-spot are being started"]),
        (SPOT, 3, ["3 packs wait for a host: 2 of gpu-spot are being started"]),
        (AutoscalerStatus({"gpu-spot": 1}, {}), 1, ["1 pack waits for a host: 1 of gpu-spot is being started"]),
        (
            AutoscalerStatus({"gpu-spot": 1, "cpu": 1, "big": 10}, {}),
            0,
            ["1 of gpu-spot, 1 of cpu and 10 of big are being started"],
        ),
        (REFUSED, 0, ["gpu-spot cannot be had now: InsufficientInstanceCapacity: there is none"]),
        (
            AutoscalerStatus({"gpu-ondemand": 1}, REFUSED.refused),
            1,
            [
                "1 pack waits for a host: 1 of gpu-ondemand is being started",
                "gpu-spot cannot be had now: InsufficientInstanceCapacity: there is none; gpu-ondemand is tried",
            ],
        ),
    ],
)
def test_what_the_autoscaler_is_at(launches: AutoscalerStatus, packs: int, said: list[str]) -> None:
    """Hosts that are being started are what packs wait for; where the cloud has none, its words are passed on."""
    assert said == reasons([FULL], launches, packs=packs, short=packs)


def test_what_a_reason_is_about_stays() -> None:
    """A reason is told again only if it is about something else, whatever the numbers in it."""
    two, one = (
        why([FULL], AutoscalerStatus({"gpu-spot": n}, {"hosts": "none"}), Waiting(n, n), runs=n, more=True)
        for n in (2, 1)
    )
    assert two.keys() == one.keys() == {"busy", "starting", "type hosts"}
    assert two != one


ON_CARD, BESIDE = WorkerResources(1, 0.5, "cuda"), WorkerResources(1, 0, "cpu", cpu_only=True)
CARD, CPUS = Node("card", 4, 1, "a"), Node("cpus", 2, 0, "b")


@pytest.mark.parametrize(
    ("waits", "nodes", "packs", "found"),
    [
        ({ON_CARD: [1], BESIDE: [1]}, [CARD, CPUS], {}, Waiting(nowhere=True)),
        ({ON_CARD: [1]}, [CPUS], {}, Waiting(1, 1, 0, nowhere=True)),
        ({ON_CARD: [1]}, [replace(CARD, draining=True)], {}, Waiting(1, 1, 0, nowhere=True)),
        ({ON_CARD: [SLOW_SECONDS] * 3}, [CARD, CPUS], {"a": 2}, Waiting(3, 3)),
        ({ON_CARD: [SLOW_SECONDS] * 3}, [CARD, CPUS], {"a": 1}, Waiting(3, 2)),
        ({ON_CARD: [SLOW_SECONDS] * 2, BESIDE: [STUCK_SECONDS]}, [CARD, CPUS], {"a": 2}, Waiting(3, 2, 1)),
        ({ON_CARD: [STUCK_SECONDS, 1]}, [CARD], {}, Waiting(1, 0, 1, nowhere=True)),
    ],
)
def test_for_whom_it_takes_long(
    monkeypatch: pytest.MonkeyPatch, waits: Any, nodes: list[Node], packs: dict[str, int], found: Waiting
) -> None:
    """Each kind of pack waits for its own kind of slot; where no host has one, that is told at once."""
    monkeypatch.setattr(watched.time, "monotonic", lambda: 1000.0)
    assert found == waiting({share: [1000.0 - for_ for for_ in since] for share, since in waits.items()}, nodes, packs)
