from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ray._private.state import state
from ray.core.generated.autoscaler_pb2 import ClusterConfig

from tcray.tune.nodes import AutoscalingLimits, NodeType
from tcray.tune.ray import autoscaling_limits as growth

LAUNCHED = """\
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


def platform(**most: int) -> ClusterConfig:
    """What a platform tells Ray: two types, one without bounds."""
    told = ClusterConfig()
    for name, gpus, count in (("one", 1, 3), ("four", 4, -1)):
        group = told.node_group_configs.add(name=name, max_count=count)
        group.resources.update({"CPU": 8 * gpus, "GPU": gpus})
    told.max_resources.update(most)
    return told


def test_a_platform_tells_ray() -> None:
    """Groups of nodes with their most, where -1 is no limit, and the most of resources where they are given."""
    types = (NodeType("one", 8, 1, 3), NodeType("four", 32, 4, sys.maxsize))
    assert AutoscalingLimits(types) == growth.of_platform(platform())
    assert AutoscalingLimits(types, cpus=64, gpus=8) == growth.of_platform(platform(CPU=64, GPU=8))


def test_the_launcher_leaves_a_file(tmp_path: Path) -> None:
    """Workers of each type with their most, which is that of all where none is given; the head is one host more."""
    (tmp_path / "cluster.yaml").write_text(LAUNCHED)
    expected = AutoscalingLimits((NodeType("gpu-spot", 8, 1, 4), NodeType("gpu", 48, 4, 5)), hosts=6)
    assert expected == growth.of_launcher(tmp_path / "cluster.yaml")


def test_ones_own_hosts_do_not_multiply(tmp_path: Path) -> None:
    """A cluster file of one's own hosts says nothing of what they have, so nothing is expected of them."""
    file = tmp_path / "cluster.yaml"
    provider = "{type: local, head_ip: 10.0.0.1, worker_ips: [10.0.0.2]}"
    file.write_text(f"cluster_name: desk\nprovider: {provider}\nauth: {{ssh_user: me}}\n")
    assert 0 == growth.of_launcher(file).growth([], lambda kind: int(kind.cpus))


@pytest.mark.parametrize(("logs", "told", "types"), [("a", False, 2), ("b", False, 0), ("b", True, 2)])
def test_who_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logs: str, told: bool, types: int) -> None:
    """What a platform tells Ray holds everywhere; the launcher's file only where this cluster's autoscaler runs."""
    (tmp_path / "cluster.yaml").write_text(LAUNCHED)
    options = [f"--logs-dir={tmp_path}/a", f"--autoscaling-config={tmp_path}/cluster.yaml"]
    autoscaler = subprocess.Popen([sys.executable, "-c", "input()", *options], stdin=subprocess.PIPE)
    monkeypatch.setattr(state, "get_cluster_config", lambda: platform() if told else None)
    try:
        assert types == len(growth.limits(f"{tmp_path}/{logs}").types)
    finally:
        autoscaler.communicate(b"\n")
