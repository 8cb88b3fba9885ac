from __future__ import annotations

import os
import time
from typing import Any

import pytest
import ray

from tcray.tune import worker_death
from tcray.tune.worker_death import WorkerDeath, diagnose_worker_death

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("ray_here")]

MISSING_NODE = "0" * 56
"""A node id that does not exist."""
PACK: Any = None
"""The pack is not used by the diagnosis."""


class Victim:
    """An actor whose process dies on request."""

    def take_pack(self) -> None:
        """Take no pack in particular."""

    def die(self) -> None:
        """End the process."""
        os._exit(1)


def kill(*, before_pack: bool) -> Any:
    """Return the reference to `take_pack` of an actor that was killed before or after it."""
    victim = ray.remote(num_cpus=0)(Victim).remote()
    if before_pack:
        victim.die.remote()
        return victim.take_pack.remote()
    taken = victim.take_pack.remote()
    ray.wait([taken])
    ray.wait([victim.die.remote()])
    return taken


def diagnose(node: str, taken: Any) -> str:
    """Return the cause as soon as it is known."""
    death = WorkerDeath.on_node(node, PACK, taken)
    while (cause := diagnose_worker_death(death)) is None:
        time.sleep(0.05)
    return cause


@pytest.mark.parametrize(("before_pack", "cause"), [(False, "crashed"), (True, "failed_to_start")])
def test_a_death_on_a_living_node(before_pack: bool, cause: str) -> None:
    """If the node is alive, the worker crashed, or died before it took its pack."""
    here = ray.get_runtime_context().get_node_id()
    assert cause == diagnose(here, kill(before_pack=before_pack))


@pytest.mark.parametrize("before_pack", [False, True])
def test_a_lost_host(before_pack: bool) -> None:
    """If the node is gone, it does not matter whether the worker took its pack."""
    assert "host_lost" == diagnose(MISSING_NODE, kill(before_pack=before_pack))


def test_a_silent_host_is_lost_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that does not answer counts as lost after the time limit, even if Ray lists it as alive."""
    taken = ray.put(None)
    monkeypatch.setattr(worker_death, "_return_nothing", lambda: time.sleep(60))
    here = ray.get_runtime_context().get_node_id()
    assert diagnose_worker_death(WorkerDeath.on_node(here, PACK, taken)) is None
    monkeypatch.setattr(worker_death, "DIAGNOSIS_SECONDS", -1.0)
    assert "host_lost" == diagnose_worker_death(WorkerDeath.on_node(here, PACK, taken))
