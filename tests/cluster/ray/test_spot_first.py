"""Which machines Ray's autoscaler asks for, and what it does where a cloud has none: why there is `SpotFirst`."""

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
    """What Ray hears of packs that wait for a place: a placement group each."""
    return [GangResourceRequest(requests=[ResourceRequestUtil.make(PACK)]) for _ in range(count)]


def config(changes: Mapping[str, str] | None = None) -> Any:
    """What the autoscaler works by, of `gpu.yaml`."""
    return AutoscalingConfig(dict(load_edited("gpu", dict(changes or {})).config), skip_content_hash=True)


@pytest.mark.parametrize(
    ("waiting", "asked"),
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
def test_machines_with_one_card_come_first(waiting: int, asked: dict[str, int]) -> None:
    """As many as the packs fill, up to the most; then those with four."""
    cluster = config()
    request = SchedulingRequest(
        disable_launch_config_check=True,
        node_type_configs=cluster.get_node_type_configs(),
        max_num_nodes=cluster.get_max_num_nodes() - 1,  # the head is there already
        gang_resource_requests=packs(waiting),
    )
    reply = ResourceDemandScheduler().schedule(request)
    assert {launch.instance_type: launch.count for launch in reply.to_launch} == asked


@dataclass
class Cloud:
    """A provider without machines of one type; it notes what it is asked for."""

    lacks: str
    asked: list[str] = field(default_factory=list)
    nodes: dict[str, dict[str, str]] = field(
        default_factory=lambda: {"head": {"ray-node-type": "head", "ray-user-node-type": "head"}}
    )

    def non_terminated_nodes(self, _: object) -> list[str]:
        """The machines there are."""
        return list(self.nodes)

    def node_tags(self, node: str) -> dict[str, str]:
        """What a machine is marked by."""
        return self.nodes[node]

    def is_running(self, _: str) -> bool:
        """Each of them."""
        return True

    def create_node_with_resources_and_labels(
        self, _config: object, tags: dict[str, str], count: int, _resources: object, _labels: object
    ) -> None:
        """Starts machines, unless there are none."""
        kind = tags["ray-user-node-type"]
        self.asked += [kind] * count
        if kind == self.lacks:
            raise RuntimeError("InsufficientInstanceCapacity")
        self.nodes |= {f"{kind}-{len(self.nodes) + i}": dict(tags) for i in range(count)}


def test_ray_goes_on_asking_for_a_type_that_the_cloud_does_not_have() -> None:
    """Though another of the same resources is there, of lower priority.

    When this fails, Ray has learned it: then two types with priorities can do what `tcray.cluster.ray.spot_first.SpotFirst` does.
    """
    both = {
        "  gpu:\n    resources: {CPU: 4, GPU: 1}": "  gpu:\n    priority: 1\n    resources: {CPU: 4, GPU: 1}",
        "{CPU: 16, GPU: 4, after_single_gpus: 1}": "{CPU: 4, GPU: 1}",
    }
    cluster, cloud = config(both), Cloud(lacks="gpu")
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
        while not _answered(cloud, provider, version):  # it asks in a thread of its own
            time.sleep(0.01)
    assert Counter(cloud.asked) == {"gpu": rounds}


def _answered(cloud: Cloud, provider: NodeProviderAdapter, asked_before: int) -> bool:
    refused = cloud.asked[asked_before:] == [cloud.lacks]
    return len(cloud.asked) > asked_before and not (refused and provider._errors_queue.empty())
