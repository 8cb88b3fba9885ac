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

    def __init__(self, node: ray.ObjectRef) -> None:
        """`node` is the id of the node, as the worker told it when it began."""
        self._end = time.monotonic() + PATIENCE_SECONDS
        try:
            here = NodeAffinitySchedulingStrategy(ray.get(node), soft=False)
            self._answer = ray.remote(num_cpus=0)(_alive).options(scheduling_strategy=here).remote()
        except RayError:  # it was gone before it had told where it was, which is the first thing it does
            self._answer = None

    def verdict(self) -> Literal["lost", "crashed", "not begun"] | None:
        """`crashed` if the node lives, `lost` if it does not, `not begun` if the worker had not come to its pack.

        None as long as that is not known.
        """
        if self._answer is None:
            return "not begun"
        if time.monotonic() > self._end:
            return "lost"
        if not ray.wait([self._answer], timeout=0)[0]:
            return None
        try:
            ray.get(self._answer)
        except RayError:
            return "lost"
        return "crashed"


def _alive() -> None:
    """Nothing: that it was run is all there is to know."""
