from __future__ import annotations

import os
import time
from typing import Any

import pytest
import ray

from tcray.tune import worker_death as inquest
from tcray.tune.worker_death import Inquest

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("ray_here")]

NOWHERE = "0" * 56
"""The id of no node."""


class Victim:
    """An actor whose process dies when it is told to."""

    def take(self) -> None:
        """Takes nothing in particular."""

    def die(self) -> None:
        """Ends the process."""
        os._exit(1)


def killed(*, before_it_began: bool) -> Any:
    """What came of `take`, where the process died after it or before."""
    victim = ray.remote(num_cpus=0)(Victim).remote()
    if before_it_began:
        victim.die.remote()
        return victim.take.remote()
    taken = victim.take.remote()
    ray.wait([taken])
    ray.wait([victim.die.remote()])
    return taken


def verdict(inquest: Inquest) -> str:
    """What it comes to in the end."""
    while (found := inquest.verdict()) is None:
        time.sleep(0.05)
    return found


@pytest.mark.parametrize(("before_it_began", "found"), [(False, "crashed"), (True, "not begun")])
def test_a_process_may_die_alone(before_it_began: bool, found: str) -> None:
    """Where the node lives, the worker crashed, or had not come to its pack."""
    here = ray.get_runtime_context().get_node_id()
    assert found == verdict(Inquest(here, killed(before_it_began=before_it_began)))


@pytest.mark.parametrize("before_it_began", [False, True])
def test_a_host_may_be_lost(before_it_began: bool) -> None:
    """Where the node is no more, nobody is asked whether the worker had begun."""
    assert "lost" == verdict(Inquest(NOWHERE, killed(before_it_began=before_it_began)))


def test_a_silent_host_is_lost_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that neither answers nor is given up by Ray is waited for, and then not any more."""
    taken = ray.put(None)
    monkeypatch.setattr(inquest, "_alive", lambda: time.sleep(60))
    here = ray.get_runtime_context().get_node_id()
    assert Inquest(here, taken).verdict() is None
    monkeypatch.setattr(inquest, "PATIENCE_SECONDS", -1.0)
    assert "lost" == Inquest(here, taken).verdict()
