"""A cluster without GPUs until a sweep requests them: Ray's autoscaler starts workers from zero and stops them.

Ray's fake provider starts the workers on the head's own host; the autoscaler is the real one.
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

from .conftest import Report
from .driver import AUTH, Driver
from .healthy import Healthy
from .hosts import HOME, REPOSITORY, Host, Hosts, several
from .patience import until

pytestmark = pytest.mark.timeout(900)

HEAD = "f" * 51 + "00000"
"""The fake provider's id of the head, which Ray must use too."""

PROVIDER = "ray.autoscaler._private.fake_multi_node.node_provider.FakeMultiNodeProvider"
"""Given as an external module: for its own providers, Ray reads defaults from a file that its package lacks."""

MOST = 3

CLUSTER: dict[str, Any] = {
    "cluster_name": "fake",
    "max_workers": MOST + 1,  # the second host counts
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
    """Yield the head of a cluster without workers, and a host without CPUs or GPUs."""
    with several(2, number=12, environment={"PYTHONPATH": str(REPOSITORY)}) as hosts:
        head, other = hosts.all()
        head.run("ray", "get-auth-token", "--generate")
        (head.home / "ray_bootstrap_config.yaml").write_text(json.dumps(CLUSTER))  # the launcher writes it there
        start = ["ray", "start", "--head", "--num-cpus=0", "--include-dashboard=false", "--disable-usage-stats"]
        head.run("env", AUTH, *AUTOSCALER, *start, f"--autoscaling-config={HOME}/ray_bootstrap_config.yaml")
        shutil.copytree(head.home / ".ray", other.home / ".ray")
        other.run("env", AUTH, "ray", "start", f"--address={head.address}:6379", "--num-cpus=0")
        yield head, other


@pytest.mark.parametrize("place", [0, 1], ids=["on the head", "elsewhere"])
def test_workers_start_from_zero_and_stop(hosts: tuple[Host, Host], place: int, tmp_path: Path, report: Report) -> None:
    """The autoscaler sees the whole demand of a sweep at once and meets it; after the sweep the workers stop.

    The driver may run on any host, although the limits of the cluster are stored on the head only.
    """
    head = hosts[0]
    shared, before = Hosts(head.number).shared, len(read_launches(head))
    store = shared / f"trials{place}"
    options = ["--set=resources.device=auto", "--set=resources.gpu=0.25", "--set=resources.pack=1"]
    driver = Driver(hosts[place], f"sweep{place}", write_sweep_file(shared), f"--store={store}", *options)
    up = driver.wait_for(driver.trace.records, "a pack in training")
    driver.end()
    down = until(lambda: count_raylets(head) == 1, "a head without workers")
    assert not Healthy.train(tmp_path, []).repeated_segments(store, driver.trace)
    assert [str(MOST)] == read_launches(head)[before:], "not one after the other"
    where = "on the head" if place == 0 else "on another host"
    found = f"{MOST} workers started at once, training after {up:.0f} s, gone {down:.0f} s after its end"
    report(f"from no GPU, the driver {where}: {found}")


def read_launches(head: Host) -> list[str]:
    """Return the number of workers of each launch of the autoscaler."""
    return re.findall(r"Adding (\d+) node\(s\) of type gpu", head.run("cat", MONITOR))


def count_raylets(host: Host) -> int:
    """Return the number of Ray nodes on a host."""
    return int(host.run("pgrep", "--full", "--count", "raylet/[r]aylet"))
