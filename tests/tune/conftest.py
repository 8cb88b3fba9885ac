"""One Ray for all tests of this folder that need one in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tcray.tune.ray.cluster import connect


@pytest.fixture(scope="session")
def ray_here() -> Iterator[None]:
    """A Ray of two CPUs, which `run_sweep` finds and leaves as it is."""
    with connect("local"):
        yield
