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
from tcray.tune.ray.joining import check_cluster

CHECK = """\
import sys
from tcray.errors import InputError
from tcray.tune.ray.joining import check_cluster
try:
    check_cluster(sys.argv[1])
except InputError as error:
    print(error)
"""


def test_nothing_listens() -> None:
    """An address without a server is an input error at once; Ray would retry for a quarter of an hour."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(InputError, match=f"no Ray cluster answers at {address}"):
        check_cluster(address)


@pytest.mark.parametrize("address", ["ray://127.0.0.1:10001", "http://127.0.0.1:8265"])
def test_the_driver_is_not_a_client(address: str) -> None:
    """An address of Ray's client or of its dashboard is an input error, because the driver joins the cluster."""
    with pytest.raises(InputError, match="is an address for Ray's client"):
        check_cluster(address)


@pytest.mark.parametrize("address", ["somewhere", ":6379"])
def test_a_malformed_address(address: str) -> None:
    """An address without host and port is an input error."""
    with pytest.raises(InputError, match=f"^{address} is not the address of a Ray cluster\n"):
        check_cluster(address)


def test_auto_finds_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """`auto` on a machine without Ray is an input error."""
    from ray._private import services

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(services, "find_gcs_addresses", set)
    monkeypatch.setattr(services, "find_bootstrap_address", lambda temp_dir: None)
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with pytest.raises(InputError, match="--address auto found no Ray cluster on this machine"):
        check_cluster("auto")


def test_another_server_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is not Ray's is an input error."""
    from ray import _raylet
    from ray.exceptions import RpcError

    def time_out(address: str) -> None:
        raise RpcError("Timed out while waiting for GCS to become available.")

    monkeypatch.setattr(_raylet, "GcsClient", time_out)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(joining, "_resolve", lambda address: address)
        address = f"127.0.0.1:{server.getsockname()[1]}"
        expected = f"the server at {address} is not a Ray cluster, or has an incompatible version"
        with pytest.raises(InputError, match=expected):
            check_cluster(address)


class TestMetadata:
    """Checks of a cluster that answers."""

    def check(self, monkeypatch: pytest.MonkeyPatch, **changed: Any) -> str:
        """Return the error for a cluster with this metadata; empty if it can be joined."""
        from ray._private.utils import compute_version_info

        ray_version, python_version, *_ = compute_version_info()
        metadata = {"ray_version": ray_version, "python_version": python_version, "ray_init_cluster": False, **changed}
        monkeypatch.setattr(joining, "is_listening", lambda address: True)
        monkeypatch.setattr(joining, "_read_metadata", lambda address, shown: metadata)
        try:
            check_cluster("10.0.0.1:6379")
        except InputError as error:
            return str(error)
        return ""

    def test_a_matching_cluster(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A cluster with the same versions, started by `ray start`, can be joined."""
        assert "" == self.check(monkeypatch)

    @pytest.mark.parametrize("changed", [{"ray_version": "2.1.0"}, {"python_version": "3.9.1"}])
    def test_another_version(self, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str]) -> None:
        """If Ray or Python differs, the error has both versions and a remedy."""
        message = self.check(monkeypatch, **changed)
        assert message.startswith("the Ray cluster at 10.0.0.1:6379 runs Ray ")
        assert set(changed.values()) <= set(message.replace(",", "").split())
        assert "Install the same versions here" in message


@pytest.mark.slow
@pytest.mark.usefixtures("ray_here")
class TestClusterOfAnotherProcess:
    """The Ray of this process, as seen by another one; like every Ray of `ray.init` it requires a token."""

    def check(self, home: Path, **environment: str) -> str:
        """Return the error that a process with this home folder and environment prints."""
        import ray

        address = ray.get_runtime_context().gcs_address
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        done = subprocess.run(
            [sys.executable, "-c", CHECK, address],
            env={**kept, "HOME": str(home), **environment},
            capture_output=True,
            text=True,
            check=True,
            timeout=100,
        )
        assert "" == done.stderr
        return done.stdout.replace(address, "ADDRESS")

    def test_a_missing_token(self, tmp_path: Path) -> None:
        """Without a token, the error says where to copy it from, for every RAY_AUTH_MODE."""
        message = self.check(tmp_path)
        assert message.startswith(
            "the Ray cluster at ADDRESS requires a token, but there is none here\nCopy ~/.ray/auth_token"
        )
        message = self.check(tmp_path, RAY_AUTH_MODE="token")
        assert message.startswith("RAY_AUTH_MODE is token, but there is no token here\nCopy ~/.ray/auth_token")

    def test_a_token_that_is_not_sent(self, tmp_path: Path) -> None:
        """Ray sends its token only if RAY_AUTH_MODE is token."""
        message = self.check(tmp_path, RAY_AUTH_TOKEN="a" * 64)
        assert message.startswith("the Ray cluster at ADDRESS requires a token\nSet RAY_AUTH_MODE=token to use the one")

    def test_a_wrong_token(self, tmp_path: Path) -> None:
        """A token of another cluster is an input error."""
        message = self.check(tmp_path, RAY_AUTH_TOKEN="a" * 64, RAY_AUTH_MODE="token")
        assert message.startswith("the Ray cluster at ADDRESS does not accept the token here\nCopy ~/.ray/auth_token")

    def test_a_cluster_that_ends_with_its_process(self) -> None:
        """A cluster started by `ray.init` is not joined, even with its token."""
        message = self.check(Path.home(), RAY_AUTH_MODE="token")
        assert message.startswith("the Ray at ADDRESS belongs to another process (for example to a sweep that was")
        assert "ray start --head" in message
