from __future__ import annotations

import os

import pytest

from tcray.errors import InputError
from tcray.tune.ray import cluster
from tcray.tune.ray.cluster import connect


def test_the_address_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """RAY_ADDRESS is joined if no address is given."""

    def join(address: str) -> None:
        raise InputError(f"{address} is joined")

    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    monkeypatch.setattr(cluster, "_join", join)
    monkeypatch.setattr("ray.is_initialized", lambda: False)  # other tests may have connected this process,
    monkeypatch.setattr("ray.shutdown", lambda: None)  # and need that connection
    with pytest.raises(InputError, match=r"10\.0\.0\.1:6379 is joined"), connect(None):
        pass


def test_the_environment_is_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables set for Ray are removed, and variables set before have their old values again."""
    monkeypatch.setenv("RAY_CHDIR_TO_TRIAL_DIR", "1")
    before = dict(os.environ)
    with cluster._environment(cluster.SETTINGS):
        assert "0" == os.environ["RAY_CHDIR_TO_TRIAL_DIR"]
        os.environ["RAY_AUTH_MODE"] = "token"
    assert before == dict(os.environ)


@pytest.mark.slow
@pytest.mark.usefixtures("ray_here")
def test_a_connected_process_stays_connected() -> None:
    """If this process is connected to a cluster, that one is used and not shut down."""
    import ray

    with connect(None) as here:
        (node,) = here.nodes()
        assert node.cpus >= 1
        assert here.logs.endswith("/logs")
    assert ray.is_initialized()
