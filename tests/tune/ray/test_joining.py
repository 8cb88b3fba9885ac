from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tcray.errors import InputError
from tcray.tune.ray import joining
from tcray.tune.ray.joining import expect_cluster

ASK = """\
import sys
from tcray.errors import InputError
from tcray.tune.ray.joining import expect_cluster
try:
    expect_cluster(sys.argv[1])
except InputError as error:
    print(error)
"""


def test_nobody_answers() -> None:
    """An address where nothing listens is wrong input at once; Ray would try for a quarter of an hour."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(InputError, match=f"no Ray cluster answers at {address}"):
        expect_cluster(address)


@pytest.mark.parametrize("address", ["ray://127.0.0.1:10001", "http://127.0.0.1:8265"])
def test_the_driver_is_no_client(address: str) -> None:
    """An address of Ray's client or of its dashboard is wrong input: the driver is part of the cluster."""
    with pytest.raises(InputError, match="is an address for Ray's client"):
        expect_cluster(address)


@pytest.mark.parametrize("address", ["somewhere", ":6379"])
def test_what_is_no_address(address: str) -> None:
    """What has no host and port is said to be no address."""
    with pytest.raises(InputError, match=f"^{address} is no address of a Ray cluster\n"):
        expect_cluster(address)


def test_there_is_none_to_find(monkeypatch: pytest.MonkeyPatch) -> None:
    """`auto` where no Ray runs is wrong input."""
    from ray._private import services

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(services, "find_gcs_addresses", set)
    monkeypatch.setattr(services, "find_bootstrap_address", lambda temp_dir: None)
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with pytest.raises(InputError, match="no Ray cluster runs on this machine, for --address auto to find"):
        expect_cluster("auto")


def test_something_else_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of something else is said to be no cluster."""
    from ray import _raylet
    from ray.exceptions import RpcError

    def silent(address: str) -> None:
        raise RpcError("Timed out while waiting for GCS to become available.")

    monkeypatch.setattr(_raylet, "GcsClient", silent)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(joining, "_found", lambda address: address)
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(
            InputError, match=f"what answers at {address} is no Ray cluster, or not one of this version"
        ):
            expect_cluster(address)


class TestWhatAClusterSaysOfItself:
    """Of one that answers."""

    def said(self, monkeypatch: pytest.MonkeyPatch, **changed: Any) -> str:
        """What is raised where a cluster says that; nothing where it may be joined."""
        from ray._private.utils import compute_version_info

        ray_version, python_version, *_ = compute_version_info()
        metadata = {"ray_version": ray_version, "python_version": python_version, "ray_init_cluster": False, **changed}
        monkeypatch.setattr(joining, "answers", lambda address: True)
        monkeypatch.setattr(joining, "_metadata", lambda address, named: metadata)
        try:
            expect_cluster("10.0.0.1:6379")
        except InputError as error:
            return str(error)
        return ""

    def test_a_cluster_that_fits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One that others started, with the same versions, may be joined."""
        assert "" == self.said(monkeypatch)

    @pytest.mark.parametrize("changed", [{"ray_version": "2.1.0"}, {"python_version": "3.9.1"}])
    def test_another_version(self, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str]) -> None:
        """Where Ray or Python is another, both are named, and what to do."""
        said = self.said(monkeypatch, **changed)
        assert said.startswith("the Ray cluster at 10.0.0.1:6379 runs Ray ")
        assert set(changed.values()) <= set(said.replace(",", "").split())
        assert "Install the same here" in said


@pytest.mark.slow
@pytest.mark.usefixtures("ray_here")
class TestThePrivateRayOfAnother:
    """The Ray of this process, as another one sees it; like every Ray of `ray.init` it demands a token."""

    def said(self, home: Path, **environment: str) -> str:
        """What a process in that home says when it is to join it."""
        import ray

        address = ray.get_runtime_context().gcs_address
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        done = subprocess.run(
            [sys.executable, "-c", ASK, address],
            env={**kept, "HOME": str(home), **environment},
            capture_output=True,
            text=True,
            check=True,
            timeout=100,
        )
        assert "" == done.stderr
        return done.stdout.replace(address, "ADDRESS")

    def test_a_token_that_is_not_there(self, tmp_path: Path) -> None:
        """Without a token it is said at once where to find it, whether or not one is to be shown."""
        said = self.said(tmp_path)
        assert said.startswith(
            "the Ray cluster at ADDRESS demands a token, and there is none here\nCopy ~/.ray/auth_to"
        )
        said = self.said(tmp_path, RAY_AUTH_MODE="token")
        assert said.startswith("RAY_AUTH_MODE is token, and there is no token here\nCopy ~/.ray/auth_token")

    def test_a_token_that_is_not_shown(self, tmp_path: Path) -> None:
        """Ray shows its token to nobody unless told to."""
        said = self.said(tmp_path, RAY_AUTH_TOKEN="a" * 64)
        assert said.startswith("the Ray cluster at ADDRESS demands a token, and is shown none\nSet RAY_AUTH_MODE=token")

    def test_a_token_that_is_wrong(self, tmp_path: Path) -> None:
        """A token that is not the cluster's is said at once."""
        said = self.said(tmp_path, RAY_AUTH_TOKEN="a" * 64, RAY_AUTH_MODE="token")
        assert said.startswith("the Ray cluster at ADDRESS does not accept the token here\nCopy ~/.ray/auth_token")

    def test_it_ends_with_its_process(self) -> None:
        """Whoever is let in by its token is told that it belongs to another."""
        said = self.said(Path.home(), RAY_AUTH_MODE="token")
        assert said.startswith("the Ray at ADDRESS belongs to another process (as to a sweep that was started without")
        assert "ray start --head" in said
