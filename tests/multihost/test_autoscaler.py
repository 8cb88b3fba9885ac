"""A cluster that has no GPU until a sweep asks for one: Ray's autoscaler brings workers up from zero, and down again.

The workers are what Ray's fake provider starts on the head's own host; all else is the real autoscaler.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tune.factories import write_sweep_file

from .conftest import Tell
from .driver import AUTH, Driver
from .healthy import Healthy
from .hosts import HOME, REPOSITORY, Host, Hosts, several
from .patience import until

pytestmark = pytest.mark.timeout(900)

HEAD = "f" * 51 + "00000"
"""The fake provider's name for the head, which Ray is to know it by."""

PROVIDER = "ray.autoscaler._private.fake_multi_node.node_provider.FakeMultiNodeProvider"
"""Named like somebody else's: for its own, Ray looks for defaults in a file that it is not packaged with."""

MOST = 3

CLUSTER: dict[str, Any] = {
    "cluster_name": "fake",
    "max_workers": MOST + 1,  # that host is one of them
    "idle_timeout_minutes": 0.1,
    "upscaling_speed": 1.0,
    "provider": {"type": "external", "module": PROVIDER, "launch_multiple": True, "head_node_id": HEAD},
    "head_node_type": "ray.head.default",
    "available_node_types": {
        "ray.head.default": {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0},
        "gpu": {"resources": {"CPU": 4, "GPU": 1}, "node_config": {}, "min_workers": 0, "max_workers": MOST},
    },
    **{f"{what}_commands": [] for what in ("initialization", "setup", "head_setup", "worker_setup")},
    **{f"{what}_start_ray_commands": [] for what in ("head", "worker")},
    **{what: {} for what in ("auth", "docker", "file_mounts")},
    **{what: [] for what in ("cluster_synced_files", "rsync_exclude", "rsync_filter")},
    "file_mounts_sync_continuously": False,
}

AUTOSCALER = [
    "RAY_FAKE_CLUSTER=1",
    "RAY_enable_autoscaler_v2=1",
    f"RAY_CLOUD_INSTANCE_ID={HEAD}",
    f"RAY_OVERRIDE_NODE_ID_FOR_TESTING={HEAD}",
    "AUTOSCALER_UPDATE_INTERVAL_S=1",
]

MONITOR = "/tmp/ray/session_latest/logs/monitor.log"  # noqa: S108  of the host


@pytest.fixture(scope="module")
def hosts() -> Iterator[tuple[Host, Host]]:
    """The head of a cluster without workers, and a host that has nothing to give."""
    with several(2, number=12, environment={"PYTHONPATH": str(REPOSITORY)}) as hosts:
        head, other = hosts.all()
        head.run("ray", "get-auth-token", "--generate")
        (head.home / "ray_bootstrap_config.yaml").write_text(json.dumps(CLUSTER))  # where the launcher leaves it
        start = ["ray", "start", "--head", "--num-cpus=0", "--include-dashboard=false", "--disable-usage-stats"]
        head.run("env", AUTH, *AUTOSCALER, *start, f"--autoscaling-config={HOME}/ray_bootstrap_config.yaml")
        shutil.copytree(head.home / ".ray", other.home / ".ray")
        other.run("env", AUTH, "ray", "start", f"--address={head.address}:6379", "--num-cpus=0")
        yield head, other


@pytest.mark.parametrize("place", [0, 1], ids=["on the head", "elsewhere"])
def test_from_zero_and_back(hosts: tuple[Host, Host], place: int, tmp_path: Path, tell: Tell) -> None:
    """The whole demand of a sweep is seen at once, and met; when the sweep is over the workers go.

    Wherever its driver is: only the head knows how far the cluster may grow.
    """
    head = hosts[0]
    shared, before = Hosts(head.number).shared, len(added(head))
    store = shared / f"trials{place}"
    options = ["--set=resources.device=auto", "--set=resources.gpu=0.25", "--set=resources.pack=1"]
    driver = Driver(hosts[place], f"sweep{place}", write_sweep_file(shared), f"--store={store}", *options)
    up = driver.wait_for(driver.trace.told, "a pack under way")
    driver.end()
    down = until(lambda: raylets(head) == 1, "a head without workers")
    assert not Healthy.swept(tmp_path, []).begun_again(store, driver.trace)
    assert [str(MOST)] == added(head)[before:], "not one after the other"
    where = "on the head" if place == 0 else "on another host"
    found = f"{MOST} workers started at once, training after {up:.0f} s, gone {down:.0f} s after its end"
    tell(f"from no GPU, the driver {where}: {found}")


def added(head: Host) -> list[str]:
    """How many workers the autoscaler has begun to start, each time that it did."""
    return re.findall(r"Adding (\d+) node\(s\) of type gpu", head.run("cat", MONITOR))


def raylets(host: Host) -> int:
    """How many nodes of Ray are on a host."""
    return int(host.run("pgrep", "--full", "--count", "raylet/[r]aylet"))
