"""Choices of Ray's autoscaler for gpu.yaml, and the limitation because of which `SpotFirst` exists."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import MagicMock

import pytest
from ray.autoscaler.v2.instance_manager.config import AutoscalingConfig
from ray.autoscaler.v2.instance_manager.instance_manager import InstanceManager
from ray.autoscaler.v2.instance_manager.instance_storage import InstanceStorage
from ray.autoscaler.v2.instance_manager.node_provider import NodeProviderAdapter
from ray.autoscaler.v2.instance_manager.reconciler import Reconciler
from ray.autoscaler.v2.instance_manager.storage import InMemoryStorage
from ray.autoscaler.v2.instance_manager.subscribers.cloud_instance_updater import CloudInstanceUpdater
from ray.autoscaler.v2.instance_manager.subscribers.cloud_resource_monitor import CloudResourceMonitor
from ray.autoscaler.v2.scheduler import ResourceDemandScheduler, SchedulingRequest
from ray.autoscaler.v2.utils import ResourceRequestUtil
from ray.core.generated.autoscaler_pb2 import ClusterResourceState, GangResourceRequest, NodeState, NodeStatus

from tests.cluster.factories import load_edited

pytestmark = pytest.mark.usefixtures("checkout")

PACK = {"CPU": 1, "GPU": 0.25}


def packs(count: int) -> list[Any]:
    """Return the demand of packs that wait for resources: one placement group each."""
    return [GangResourceRequest(requests=[ResourceRequestUtil.make(PACK)]) for _ in range(count)]


def config(changes: Mapping[str, str] | None = None) -> Any:
    """Return the autoscaler's configuration for `gpu.yaml`."""
    return AutoscalingConfig(dict(load_edited("gpu", dict(changes or {})).config), skip_content_hash=True)


@pytest.mark.parametrize(
    ("waiting", "requested"),
    [
        (0, {}),
        (1, {"gpu": 1}),
        (5, {"gpu": 2}),
        (32, {"gpu": 8}),
        (33, {"gpu": 8, "gpus": 1}),
        (64, {"gpu": 8, "gpus": 2}),
        (400, {"gpu": 8, "gpus": 2}),
    ],
)
def test_single_gpu_nodes_are_requested_first(waiting: int, requested: dict[str, int]) -> None:
    """Up to their maximum, as many as the packs fill; then nodes with four GPUs."""
    cluster = config()
    request = SchedulingRequest(
        disable_launch_config_check=True,
        node_type_configs=cluster.get_node_type_configs(),
        max_num_nodes=cluster.get_max_num_nodes() - 1,  # without the head, which runs already
        gang_resource_requests=packs(waiting),
    )
    reply = ResourceDemandScheduler().schedule(request)
    assert {launch.instance_type: launch.count for launch in reply.to_launch} == requested


@dataclass
class Cloud:
    """Fake node provider without capacity for one node type; records all requests."""

    unavailable: str
    requested: list[str] = field(default_factory=list)
    nodes: dict[str, dict[str, str]] = field(
        default_factory=lambda: {"head": {"ray-node-type": "head", "ray-user-node-type": "head"}}
    )

    def non_terminated_nodes(self, _: object) -> list[str]:
        """Return the ids of all nodes."""
        return list(self.nodes)

    def node_tags(self, node: str) -> dict[str, str]:
        """Return the tags of a node."""
        return self.nodes[node]

    def is_running(self, _: str) -> bool:
        """Return True for every node."""
        return True

    def create_node_with_resources_and_labels(
        self, _config: object, tags: dict[str, str], count: int, _resources: object, _labels: object
    ) -> None:
        """Start nodes; raise RuntimeError if there is no capacity."""
        kind = tags["ray-user-node-type"]
        self.requested += [kind] * count
        if kind == self.unavailable:
            raise RuntimeError("InsufficientInstanceCapacity")
        self.nodes |= {f"{kind}-{len(self.nodes) + i}": dict(tags) for i in range(count)}


def test_ray_retries_an_unavailable_node_type_forever() -> None:
    """It does not fall back to a type with the same resources and a lower priority.

    When this test fails, Ray falls back, and two node types with priorities can replace `SpotFirst`.
    """
    both = {
        "  gpu:\n    resources: {CPU: 4, GPU: 1}": "  gpu:\n    priority: 1\n    resources: {CPU: 4, GPU: 1}",
        "{CPU: 16, GPU: 4, after_single_gpus: 1}": "{CPU: 4, GPU: 1}",
    }
    cluster, cloud = config(both), Cloud(unavailable="gpu")
    reader = MagicMock()
    reader.get_cached_autoscaling_config.return_value = cluster
    provider, monitor = NodeProviderAdapter(cloud, reader), CloudResourceMonitor()
    manager = InstanceManager(
        instance_storage=InstanceStorage("x", InMemoryStorage()),
        instance_status_update_subscribers=[CloudInstanceUpdater(cloud_provider=provider), monitor],
    )
    head = NodeState(
        node_id=b"1" * 28,
        instance_id="head",
        ray_node_type_name="head",
        status=NodeStatus.RUNNING,
        total_resources={"node:__internal_head__": 1.0},
    )
    rounds = 5
    for version in range(rounds):
        state = ClusterResourceState(
            cluster_resource_state_version=version, pending_gang_resource_requests=packs(4), node_states=[head]
        )
        found, errors = provider.get_non_terminated(), provider.poll_errors()
        Reconciler.reconcile(manager, ResourceDemandScheduler(), provider, monitor, state, found, cluster, errors)
        while not _has_answered(cloud, provider, version):  # the request runs in a thread
            time.sleep(0.01)
    assert Counter(cloud.requested) == {"gpu": rounds}


def _has_answered(cloud: Cloud, provider: NodeProviderAdapter, requested_before: int) -> bool:
    refused = cloud.requested[requested_before:] == [cloud.unavailable]
    return len(cloud.requested) > requested_before and not (refused and provider._errors_queue.empty())
