from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import pytest
import ray
from ray._raylet import GcsClient  # type: ignore[attr-defined]  # missing from Ray's stub
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

from tcray.tune.ray.autoscaler_status import (
    MAX_REASON_LENGTH,
    NO_AUTOSCALER,
    RECENT_SECONDS,
    UNKNOWN_REASON,
    AutoscalerStatus,
    parse_cluster_status,
    read_autoscaler_status,
)


def failed(node_type: str, reason: str, ago: float = 5.0) -> FailedInstanceRequest:
    """Return the autoscaler's entry for a host that the cloud refused."""
    return FailedInstanceRequest(ray_node_type_name=node_type, reason=reason, count=1, failed_ts=int(time.time() - ago))


def cluster_status(**state: Any) -> Any:
    """Return Ray's `ClusterStatus` for this state of the autoscaler."""
    reply = GetClusterStatusReply(autoscaling_state=AutoscalingState(**state))
    return ClusterStatusParser.from_get_cluster_status_reply(reply, Stats())


class FakeCloud:
    """A cloud that refuses every host, behind Ray's own adapter; also the autoscaler's configuration, empty."""

    def create_node_with_resources_and_labels(self, *_: Any) -> None:
        """Raise the error that Ray's AWS provider raises."""
        raise NodeLaunchException("InsufficientInstanceCapacity", "There is no g5.xlarge.\nRequest 12.", None)

    def get_cached_autoscaling_config(self) -> FakeCloud:
        """Return itself."""
        return self

    def get_config(self, name: str, default: Any) -> Any:
        """Return the default."""
        return default

    def get_cloud_node_config(self, node_type: str) -> dict[str, Any]:
        """Return an empty configuration."""
        return {}

    get_node_resources = get_node_labels = get_cloud_node_config


def launch_and_refuse(node_type: str, log: Path) -> str:
    """Let Ray's autoscaler request two hosts and write its log; return the details in its status."""
    adapter = NodeProviderAdapter(FakeCloud(), FakeCloud())
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


def test_starting_hosts_are_counted_by_type(tmp_path: Path) -> None:
    """Requested hosts count, and hosts that the cloud has provided but that have not joined the cluster yet."""
    status = cluster_status(
        pending_instance_requests=[
            PendingInstanceRequest(ray_node_type_name="gpu-spot", count=2),
            PendingInstanceRequest(ray_node_type_name="gpu-ondemand", count=1),
        ],
        pending_instances=[PendingInstance(ray_node_type_name="gpu-spot")],
    )
    expected = AutoscalerStatus({"gpu-spot": 3, "gpu-ondemand": 1}, {})
    assert expected == parse_cluster_status(status, tmp_path / "none")


def test_the_clouds_reason_is_found(tmp_path: Path) -> None:
    """The reason is in the status on Kubernetes, and in the autoscaler's log on a cloud."""
    log = tmp_path / "monitor.log"
    details = launch_and_refuse("gpu-spot", log)
    assert "InsufficientInstanceCapacity" not in details, "otherwise the log would not be needed"
    kubernetes = "launch failed with Failed to launch 1 nodes of type big with request id r-1: no room"
    given_up = "failed to allocate cloud instance after 4 attempts > max_num_retry_request_to_allocate=3"
    status = cluster_status(
        failed_instance_requests=[
            failed("gpu-spot", details),
            failed("big", kubernetes),
            failed("small", given_up),
            failed("other", details.replace("gpu-spot", "other")),
        ]
    )
    reasons = {
        "gpu-spot": "InsufficientInstanceCapacity: There is no g5.xlarge.",
        "big": "no room",
        "small": given_up,
        "other": UNKNOWN_REASON,
    }
    assert reasons == parse_cluster_status(status, log).refused
    assert UNKNOWN_REASON == parse_cluster_status(status, tmp_path / "none").refused["gpu-spot"], "not on the head"


def test_only_the_last_refusal_counts(tmp_path: Path) -> None:
    """Old refusals and refusals of a type that was provided later are dropped, and long reasons are shortened."""
    status = cluster_status(
        failed_instance_requests=[
            failed("gpu-spot", "second", ago=5),
            failed("gpu-spot", "first", ago=60),
            failed("once", "long ago", ago=RECENT_SECONDS + 5),
            failed("provided", "before"),
            failed("long", "word " * 1000),
        ],
        pending_instances=[PendingInstance(ray_node_type_name="provided")],
    )
    refused = parse_cluster_status(status, tmp_path / "none").refused
    assert {"gpu-spot": "second", "long": ("word " * 1000)[:MAX_REASON_LENGTH].strip()} == refused


def test_a_retry_after_a_refusal_is_not_starting(tmp_path: Path) -> None:
    """The autoscaler requests a refused host again at once, possibly for hours."""
    status = cluster_status(
        failed_instance_requests=[failed("gpu-spot", "none left")],
        pending_instance_requests=[PendingInstanceRequest(ray_node_type_name="gpu-spot", count=1)],
    )
    assert AutoscalerStatus({}, {"gpu-spot": "none left"}) == parse_cluster_status(status, tmp_path / "none")


@pytest.mark.slow
@pytest.mark.usefixtures("ray_here")
def test_the_status_is_read_from_ray(tmp_path: Path) -> None:
    """A cluster without an autoscaler starts no hosts; the state that an autoscaler reports is read from Ray."""
    assert NO_AUTOSCALER == read_autoscaler_status(str(tmp_path))
    gcs = GcsClient(ray.get_runtime_context().gcs_address)
    requests = [PendingInstanceRequest(ray_node_type_name="gpu", count=2)]
    state = AutoscalingState(autoscaler_state_version=1, pending_instance_requests=requests)
    gcs.report_autoscaling_state(state.SerializeToString())
    assert AutoscalerStatus({"gpu": 2}, {}) == read_autoscaler_status(str(tmp_path))
    gcs.report_autoscaling_state(AutoscalingState(autoscaler_state_version=2).SerializeToString())
    assert NO_AUTOSCALER == read_autoscaler_status(str(tmp_path))
