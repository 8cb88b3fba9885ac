from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tcray.store.driver_status import Host
from tcray.tune.capacity import Node, WorkerResources
from tcray.tune.ray.autoscaler_status import NO_AUTOSCALER, AutoscalerStatus
from tcray.tune.status import pending as pending_module
from tcray.tune.status.pending import SLOW_SECONDS, STUCK_SECONDS, PendingPacks, count_pending, pending_reasons
from tests.tune.fakes import FakeClock

NO_HOST_FITS = "1 pack waits for a host: no host that is up can hold one"
FULL = Host("h1", "10.0.0.1", "up", 4, 4, 0, None)
HALF = Host("h2", "10.0.0.2", "up", 4, 2, 0, None)
LEAVING = Host("h3", "10.0.0.3", "leaving", 4, 1, 0, None)
GONE = Host("h4", "10.0.0.4", "gone", 0, 0, 0, None)
SPOT = AutoscalerStatus({"gpu-spot": 2}, {})
REFUSED = AutoscalerStatus({}, {"gpu-spot": "InsufficientInstanceCapacity: there is none"})


def reasons(
    hosts: list[Host],
    autoscaler: AutoscalerStatus = NO_AUTOSCALER,
    pending: PendingPacks = PendingPacks(),  # noqa: B008  it is frozen
    runs: int = 0,
    more: bool = False,
) -> list[str]:
    """Return the sentences."""
    return list(pending_reasons(hosts, autoscaler, pending, runs=runs, more=more).values())


@pytest.mark.parametrize(
    ("hosts", "waiting", "expected"),
    [
        ([FULL, HALF], {"runs": 70}, []),
        ([FULL], {"runs": 1204}, ["1,204 runs wait: every slot is busy"]),
        ([FULL], {"runs": 1}, ["1 run waits: every slot is busy"]),
        ([FULL, GONE], {"runs": 70}, ["70 runs wait: every slot is busy"]),
        (
            [HALF],
            {"more": True},
            ["2 slots are free: further runs depend on the results of those in training"],
        ),
        ([HALF], {"more": True, "runs": 3}, []),
        ([HALF], {"more": True, "pending": PendingPacks(1)}, []),
        ([FULL], {"more": True}, []),
        ([HALF], {}, []),
        ([FULL], {"pending": PendingPacks(3, 3)}, ["3 packs wait for a host: every suitable slot is busy"]),
        ([HALF], {"pending": PendingPacks(2)}, []),
        ([], {"pending": PendingPacks(1, 1, no_host_fits=True)}, [NO_HOST_FITS]),
        ([GONE], {"pending": PendingPacks(1, 1, no_host_fits=True), "runs": 70}, [NO_HOST_FITS]),
        (
            [HALF],
            {"pending": PendingPacks(2, stuck=2)},
            ["2 packs wait for a worker: the hosts are busy with other work or slow to start one"],
        ),
        ([FULL, LEAVING], {}, ["h3 is leaving: no new pack starts there"]),
    ],
)
def test_reasons_for_waiting(hosts: list[Host], waiting: dict[str, Any], expected: list[str]) -> None:
    """Runs wait for slots or for results, packs for a host or for a worker; each has its own sentence."""
    assert expected == reasons(hosts, **waiting)


@pytest.mark.parametrize(
    ("autoscaler", "packs", "expected"),
    [
        (SPOT, 0, ["2 of gpu-spot are being started"]),
        (SPOT, 3, ["3 packs wait for a host: 2 of gpu-spot are being started"]),
        (AutoscalerStatus({"gpu-spot": 1}, {}), 1, ["1 pack waits for a host: 1 of gpu-spot is being started"]),
        (
            AutoscalerStatus({"gpu-spot": 1, "cpu": 1, "big": 10}, {}),
            0,
            ["1 of gpu-spot, 1 of cpu and 10 of big are being started"],
        ),
        (REFUSED, 0, ["gpu-spot is not available now: InsufficientInstanceCapacity: there is none"]),
        (
            AutoscalerStatus({"gpu-ondemand": 1}, REFUSED.refused),
            1,
            [
                "1 pack waits for a host: 1 of gpu-ondemand is being started",
                (
                    "gpu-spot is not available now: InsufficientInstanceCapacity: there is none; "
                    "gpu-ondemand is being tried instead"
                ),
            ],
        ),
    ],
)
def test_reasons_from_the_autoscaler(autoscaler: AutoscalerStatus, packs: int, expected: list[str]) -> None:
    """Packs wait for hosts that are being started; if the cloud refuses a host, its reason is shown."""
    assert expected == reasons([FULL], autoscaler, PendingPacks(packs, packs))


def test_keys_do_not_depend_on_numbers() -> None:
    """The key of a reason stays the same while the numbers in its sentence change."""
    two, one = (
        pending_reasons(
            [FULL], AutoscalerStatus({"gpu-spot": n}, {"hosts": "none"}), PendingPacks(n, n), runs=n, more=True
        )
        for n in (2, 1)
    )
    assert two.keys() == one.keys() == {"busy", "starting", "type hosts"}
    assert two != one


ON_GPU = WorkerResources(1, 0.5, "cuda")
GPU_NODE, CPU_NODE = Node("gpu", 4, 1, "a"), Node("cpu", 2, 0, "b")


@pytest.mark.parametrize(
    ("waited", "nodes", "packs", "expected"),
    [
        ([1], [GPU_NODE, CPU_NODE], {}, PendingPacks()),
        ([1], [CPU_NODE], {}, PendingPacks(1, 1, 0, no_host_fits=True)),
        ([1], [replace(GPU_NODE, draining=True)], {}, PendingPacks(1, 1, 0, no_host_fits=True)),
        ([SLOW_SECONDS] * 3, [GPU_NODE, CPU_NODE], {"a": 2}, PendingPacks(3, 3)),
        ([SLOW_SECONDS] * 3, [GPU_NODE, CPU_NODE], {"a": 1}, PendingPacks(3, 2)),
        ([STUCK_SECONDS] * 3, [GPU_NODE, CPU_NODE], {"a": 1}, PendingPacks(3, 2)),
        ([STUCK_SECONDS, 1], [GPU_NODE], {}, PendingPacks(1, 0, 1)),
    ],
)
def test_unusually_long_waits_are_counted(
    monkeypatch: pytest.MonkeyPatch,
    waited: list[float],
    nodes: list[Node],
    packs: dict[str, int],
    expected: PendingPacks,
) -> None:
    """A wait counts after a grace period, or at once if no node could hold the pack."""
    clock = FakeClock(monkeypatch, pending_module)
    assert expected == count_pending([clock.now - seconds for seconds in waited], nodes, ON_GPU, packs)
