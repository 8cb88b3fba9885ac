"""Why a worker died: alone, or with its host."""

from __future__ import annotations

import time
from typing import Literal

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

PATIENCE_SECONDS = 120.0
"""How long a host may neither answer nor be given up by Ray, which does so after a minute of silence at most."""


class Inquest:
    """Asks the node of a worker that died for a sign of life. It may take a while, and others go on meanwhile."""

    def __init__(self, node: str, taken: ray.ObjectRef) -> None:
        """`node` is the node's id; `taken` came true when the worker took its pack."""
        self._end = time.monotonic() + PATIENCE_SECONDS
        self._taken = taken
        here = NodeAffinitySchedulingStrategy(node, soft=False)
        self._answer = ray.remote(num_cpus=0)(_alive).options(scheduling_strategy=here).remote()

    def verdict(self) -> Literal["lost", "crashed", "not begun"] | None:
        """`lost` if the node lives no more; else `not begun` if the worker had not come to its pack, or `crashed`.

        None as long as that is not known.
        """
        if time.monotonic() > self._end:
            return "lost"
        if not ray.wait([self._answer], timeout=0)[0]:
            return None
        if not _came_true(self._answer):
            return "lost"
        return "crashed" if _came_true(self._taken) else "not begun"


def _alive() -> None:
    """Nothing: that it was run is all there is to know."""


def _came_true(answer: ray.ObjectRef) -> bool:
    try:
        ray.get(answer)
    except RayError:
        return False
    return True
