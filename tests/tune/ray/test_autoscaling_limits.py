from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ray._private.state import state
from ray.core.generated.autoscaler_pb2 import ClusterConfig

from tcray.tune.capacity import AutoscalingLimits, NodeType
from tcray.tune.ray.autoscaling_limits import limits_of_cluster_file, limits_of_platform, read_limits

CLUSTER_YAML = """\
cluster_name: gpu
max_workers: 5
provider: {type: aws, region: us-west-2}
auth: {ssh_user: ubuntu}
head_node_type: head
available_node_types:
  head: {resources: {CPU: 0}, node_config: {InstanceType: m6i.large}, min_workers: 0, max_workers: 0}
  gpu-spot: {resources: {CPU: 8, GPU: 1}, node_config: {InstanceType: g5.2xlarge}, min_workers: 0, max_workers: 4}
  gpu: {resources: {CPU: 48, GPU: 4}, node_config: {InstanceType: g5.12xlarge}}
"""


def platform_config(**max_resources: int) -> ClusterConfig:
    """Return a platform's configuration with two types, one of them unlimited."""
    config = ClusterConfig()
    for name, gpus, count in (("one", 1, 3), ("four", 4, -1)):
        group = config.node_group_configs.add(name=name, max_count=count)
        group.resources.update({"CPU": 8 * gpus, "GPU": gpus})
    config.max_resources.update(max_resources)
    return config


def test_limits_of_a_platform() -> None:
    """Node groups have their maximum count, -1 means no limit, and total resources are limited if given."""
    types = (NodeType("one", 8, 1, 3), NodeType("four", 32, 4, sys.maxsize))
    assert AutoscalingLimits(types) == limits_of_platform(platform_config())
    assert AutoscalingLimits(types, cpus=64, gpus=8) == limits_of_platform(platform_config(CPU=64, GPU=8))


def test_limits_of_a_cluster_file(tmp_path: Path) -> None:
    """Each worker type has its maximum, or else that of all workers; the head is one more host."""
    (tmp_path / "cluster.yaml").write_text(CLUSTER_YAML)
    expected = AutoscalingLimits((NodeType("gpu-spot", 8, 1, 4), NodeType("gpu", 48, 4, 5)), hosts=6)
    assert expected == limits_of_cluster_file(tmp_path / "cluster.yaml")


def test_on_prem_hosts_have_no_headroom(tmp_path: Path) -> None:
    """A cluster file for one's own hosts does not list their resources, so they add no headroom."""
    file = tmp_path / "cluster.yaml"
    provider = "{type: local, head_ip: 10.0.0.1, worker_ips: [10.0.0.2]}"
    file.write_text(f"cluster_name: desk\nprovider: {provider}\nauth: {{ssh_user: me}}\n")
    assert 0 == limits_of_cluster_file(file).headroom([], lambda kind: int(kind.cpus))


@pytest.mark.parametrize(("logs", "has_platform", "types"), [("a", False, 2), ("b", False, 0), ("b", True, 2)])
def test_source_of_the_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logs: str, has_platform: bool, types: int
) -> None:
    """A platform's limits apply everywhere; a cluster file only if this cluster's autoscaler runs on this machine."""
    (tmp_path / "cluster.yaml").write_text(CLUSTER_YAML)
    options = [f"--logs-dir={tmp_path}/a", f"--autoscaling-config={tmp_path}/cluster.yaml"]
    autoscaler = subprocess.Popen([sys.executable, "-c", "input()", *options], stdin=subprocess.PIPE)
    monkeypatch.setattr(state, "get_cluster_config", lambda: platform_config() if has_platform else None)
    try:
        assert types == len(read_limits(f"{tmp_path}/{logs}").types)
    finally:
        autoscaler.communicate(b"\n")
