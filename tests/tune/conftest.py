"""One Ray cluster for all tests of this folder that need one in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tcray.tune.ray.cluster import connect


@pytest.fixture(scope="session")
def ray_here() -> Iterator[None]:
    """Connect this process to a Ray cluster of two CPUs, which `run_sweep` uses and leaves running."""
    with connect("local"):
        yield
