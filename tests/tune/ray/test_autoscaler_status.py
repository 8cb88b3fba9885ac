from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import pytest
import ray
from ray._raylet import GcsClient
from ray.autoscaler.node_launch_exception import NodeLaunchException
from ray.autoscaler.v2.instance_manager.node_provider import NodeProviderAdapter
from ray.autoscaler.v2.schema import Stats
from ray.autoscaler.v2.utils import ClusterStatusParser
from ray.core.generated.autoscaler_pb2 import (
    AutoscalingState,
    FailedInstanceRequest,
    GetClusterStatusReply,
    PendingInstance,
    PendingInstanceRequest,
)

from tcray.tune.ray.autoscaler_status import NONE, RECENT_SECONDS, UNKNOWN, WORDS, AutoscalerStatus, launches, told


def failed(node_type: str, reason: str, ago: float = 5.0) -> FailedInstanceRequest:
    """What the autoscaler says of a host that the cloud did not give."""
    return FailedInstanceRequest(ray_node_type_name=node_type, reason=reason, count=1, failed_ts=int(time.time() - ago))


def status(**state: Any) -> Any:
    """Ray's view of an autoscaler in this state."""
    reply = GetClusterStatusReply(autoscaling_state=AutoscalingState(**state))
    return ClusterStatusParser.from_get_cluster_status_reply(reply, Stats())


class Cloud:
    """A cloud that refuses, behind Ray's own adapter; also the autoscaler's configuration, which is empty."""

    def create_node_with_resources_and_labels(self, *_: Any) -> None:
        """As the AWS provider does it."""
        raise NodeLaunchException("InsufficientInstanceCapacity", "There is no g5.xlarge.\nRequest 12.", None)

    def get_cached_autoscaling_config(self) -> Cloud:
        """Itself."""
        return self

    def get_config(self, name: str, otherwise: Any) -> Any:
        """Nothing."""
        return otherwise

    def get_cloud_node_config(self, node_type: str) -> dict[str, Any]:
        """Nothing."""
        return {}

    get_node_resources = get_node_labels = get_cloud_node_config


def refused(node_type: str, log: Path) -> str:
    """Has Ray's autoscaler ask for two hosts; what its status says, while its log is written."""
    adapter = NodeProviderAdapter(Cloud(), Cloud())
    logger = logging.getLogger("ray.autoscaler.v2.instance_manager.node_provider")
    handler, level = logging.FileHandler(log), logger.level
    logger.addHandler(handler)
    logger.setLevel("INFO")
    try:
        adapter._launch_nodes_by_type(node_type, 2, "request-1")
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        handler.close()
    (error,) = adapter.poll_errors()
    details = f"launch failed with {error}"
    with log.open("a") as file:
        file.write(f"Update instance REQUESTED->ALLOCATION_FAILED (type={node_type}): {details}\n")
    return details


def test_hosts_being_started_are_counted_by_type(tmp_path: Path) -> None:
    """Those that were asked for, and those that the cloud has given and that are not part of the cluster yet."""
    found = status(
        pending_instance_requests=[
            PendingInstanceRequest(ray_node_type_name="gpu-spot", count=2),
            PendingInstanceRequest(ray_node_type_name="gpu-ondemand", count=1),
        ],
        pending_instances=[PendingInstance(ray_node_type_name="gpu-spot")],
    )
    assert AutoscalerStatus({"gpu-spot": 3, "gpu-ondemand": 1}, {}) == told(found, tmp_path / "none")


def test_the_clouds_words_are_passed_on(tmp_path: Path) -> None:
    """They are in the status on Kubernetes, and in the autoscaler's log where it asks a cloud itself."""
    log = tmp_path / "monitor.log"
    details = refused("gpu-spot", log)
    assert "InsufficientInstanceCapacity" not in details, "or its log need not be read"
    kubernetes = "launch failed with Failed to launch 1 nodes of type big with request id r-1: no room"
    given_up = "failed to allocate cloud instance after 4 attempts > max_num_retry_request_to_allocate=3"
    found = status(
        failed_instance_requests=[
            failed("gpu-spot", details),
            failed("big", kubernetes),
            failed("small", given_up),
            failed("other", details.replace("gpu-spot", "other")),
        ]
    )
    words = {
        "gpu-spot": "InsufficientInstanceCapacity: There is no g5.xlarge.",
        "big": "no room",
        "small": given_up,
        "other": UNKNOWN,
    }
    assert words == told(found, log).refused
    assert UNKNOWN == told(found, tmp_path / "none").refused["gpu-spot"], "where this is not the head"


def test_the_last_refusal_counts(tmp_path: Path) -> None:
    """Not one of long ago, nor one of a type that was given after all; and no page of words."""
    found = status(
        failed_instance_requests=[
            failed("gpu-spot", "second", ago=5),
            failed("gpu-spot", "first", ago=60),
            failed("once", "long ago", ago=RECENT_SECONDS + 5),
            failed("given", "before"),
            failed("talkative", "word " * 1000),
        ],
        pending_instances=[PendingInstance(ray_node_type_name="given")],
    )
    refusals = told(found, tmp_path / "none").refused
    assert {"gpu-spot": "second", "talkative": ("word " * 1000)[:WORDS].strip()} == refusals


def test_what_was_refused_and_is_asked_for_again_is_not_being_started(tmp_path: Path) -> None:
    """The autoscaler asks for it again at once, and may go on so for hours."""
    found = status(
        failed_instance_requests=[failed("gpu-spot", "none left")],
        pending_instance_requests=[PendingInstanceRequest(ray_node_type_name="gpu-spot", count=1)],
    )
    assert AutoscalerStatus({}, {"gpu-spot": "none left"}) == told(found, tmp_path / "none")


@pytest.mark.slow
@pytest.mark.usefixtures("ray_here")
def test_ray_tells_what_its_autoscaler_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster without an autoscaler starts no hosts; of one that has it, its state is asked from Ray."""
    assert NONE == launches(str(tmp_path))
    gcs = GcsClient(ray.get_runtime_context().gcs_address)
    asked = [PendingInstanceRequest(ray_node_type_name="gpu", count=2)]
    state = AutoscalingState(autoscaler_state_version=1, pending_instance_requests=asked)
    gcs.report_autoscaling_state(state.SerializeToString())
    assert AutoscalerStatus({"gpu": 2}, {}) == launches(str(tmp_path))
    gcs.report_autoscaling_state(AutoscalingState(autoscaler_state_version=2).SerializeToString())
    assert NONE == launches(str(tmp_path))
