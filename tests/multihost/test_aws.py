"""cluster/aws/account.yaml and cluster/gpu.yaml on a simulated AWS (moto)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tcray.cluster.check import require_valid
from tcray.cluster.cluster_file import load_cluster_file
from tcray.cluster.node_types import GPUS, Instance, find_instance
from tcray.version import __version__
from tests.cluster.factories import FOLDER

pytest.importorskip("boto3", reason="the extra tcray[cluster] is not installed")
pytest.importorskip("moto", reason="the dependency group cluster is not installed")

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws
from ray.autoscaler._private.commands import _bootstrap_config
from ray.autoscaler._private.providers import _clear_provider_cache, _get_node_provider
from ray.autoscaler.node_launch_exception import NodeLaunchException

REGION = "us-west-2"
MINE = "198.51.100.7/32"


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Create the stack of account.yaml in an account; yield its outputs."""
    from ray.autoscaler._private.aws import utils

    for name, value in {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": REGION,
        "HOME": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("token")
    with mock_aws():
        for cached in (utils.resource_cache, utils.client_cache):
            cached.cache_clear()
        _clear_provider_cache()
        stacks = boto3.client("cloudformation")
        stacks.create_stack(
            StackName="tcray",
            TemplateBody=(FOLDER / "aws" / "account.yaml").read_text(),
            Parameters=[{"ParameterKey": "Mine", "ParameterValue": MINE}],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        (stack,) = stacks.describe_stacks(StackName="tcray")["Stacks"]
        yield {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


@pytest.fixture
def cluster(aws: dict[str, str]) -> dict[str, Any]:
    """Return gpu.yaml, filled in from the outputs of the stack, as `ray up` completes it."""
    text = (FOLDER / "gpu.yaml").read_text()
    text = text.replace("image: FILL_IN", f"image: {aws['Registry']}:{__version__}-cuda")
    text = text.replace("s3://FILL_IN", f"s3://{aws['Bucket']}").replace("[FILL_IN]", f"[{aws['SecurityGroup']}]")
    Path("gpu.yaml").write_text(text)
    file = load_cluster_file("gpu.yaml")
    assert (require_valid(file).notes, file.unfilled) == ((), ())
    completed: dict[str, Any] = _bootstrap_config(dict(file.config), no_config_cache=True)
    return completed


def start_nodes(cluster: dict[str, Any], kind: str, count: int = 1) -> list[dict[str, Any]]:
    """Let Ray start nodes of a type; return their descriptions by AWS."""
    provider = _get_node_provider(cluster["provider"], cluster["cluster_name"])
    tags = {
        "ray-node-type": "head" if kind == cluster["head_node_type"] else "worker",
        "ray-node-name": f"ray-{kind}",
        "ray-user-node-type": kind,
        "ray-launch-config": "x",
    }
    config = cluster["available_node_types"][kind]["node_config"]
    nodes = provider.create_node_with_resources_and_labels(config, tags, count, {}, {})
    return describe([*nodes])


def describe(nodes: list[str]) -> list[dict[str, Any]]:
    """Return AWS's descriptions of nodes."""
    answer = boto3.client("ec2").describe_instances(InstanceIds=nodes)
    return [machine for reservation in answer["Reservations"] for machine in reservation["Instances"]]


class Market:
    """Fake of boto3's EC2 resource with `spot` spot instances; Ray's provider calls `create_instances` only.

    refusal    error code if there is no spot capacity
    on_demand  error code of every on-demand request; empty if they succeed
    """

    def __init__(
        self, provider: Any, spot: int, refusal: str = "InsufficientInstanceCapacity", on_demand: str = ""
    ) -> None:
        self.requests: list[bool] = []
        """For each request, True if it was for the spot market."""
        self._ask, self._spot = provider.ec2_fail_fast.create_instances, spot
        self._refusals = {True: "" if spot else refusal, False: on_demand}
        provider.ec2_fail_fast = self

    def create_instances(self, **request: Any) -> Any:
        """Start as many instances as AWS would; moto would start `MinCount`."""
        spot = "InstanceMarketOptions" in request
        self.requests.append(spot)
        if refusal := self._refusals[spot]:
            raise ClientError({"Error": {"Code": refusal, "Message": "There is none"}}, "RunInstances")
        count = min(self._spot, request["MaxCount"]) if spot else request["MaxCount"]
        return self._ask(**{**request, "MinCount": count, "MaxCount": count})


def test_security_group_admits_the_owner_only(aws: dict[str, str]) -> None:
    """The owner may use ssh; instances reach each other on every port."""
    (group,) = boto3.client("ec2").describe_security_groups(GroupIds=[aws["SecurityGroup"]])["SecurityGroups"]
    ways = [
        (
            rule["IpProtocol"],
            rule.get("FromPort"),
            [one["CidrIp"] for one in rule["IpRanges"]],
            [one["CidrIpv6"] for one in rule["Ipv6Ranges"]],
            [one["GroupId"] for one in rule["UserIdGroupPairs"]],
        )
        for rule in group["IpPermissions"]
    ]
    assert ways == [("tcp", 22, [MINE], [], []), ("-1", None, [], [], [aws["SecurityGroup"]])]


def test_instances_are_as_the_file_declares(aws: dict[str, str], cluster: dict[str, Any]) -> None:
    """They have the stack's security group and profile, encrypted disks, and metadata that require a token."""
    profiles = {"head": "tcray-head", "gpu": "tcray-worker", "gpus": "tcray-worker"}
    machines = {kind: start_nodes(cluster, kind)[0] for kind in profiles}
    assert {kind: machine["InstanceType"] for kind, machine in machines.items()} == {
        "head": "m5.xlarge",
        "gpu": "g5.xlarge",
        "gpus": "g5.12xlarge",
    }
    for kind, machine in machines.items():
        assert [group["GroupId"] for group in machine["SecurityGroups"]] == [aws["SecurityGroup"]]
        assert machine["IamInstanceProfile"]["Arn"].rpartition("/")[2] == profiles[kind]
        assert machine["MetadataOptions"]["HttpTokens"] == "required"
        disks = [disk["Ebs"]["VolumeId"] for disk in machine["BlockDeviceMappings"]]
        volumes = boto3.client("ec2").describe_volumes(VolumeIds=disks)["Volumes"]
        assert [(volume["Encrypted"], volume["Size"]) for volume in volumes] == [(True, 100)]


def test_ray_creates_no_group_and_no_role(aws: dict[str, str], cluster: dict[str, Any]) -> None:
    """Its group would open ssh to the world, and its role would have every right on EC2 and S3."""
    groups = boto3.client("ec2").describe_security_groups()["SecurityGroups"]
    assert [group["GroupName"] for group in groups if group["GroupName"] != "default"] == ["tcray"]
    roles = boto3.client("iam").list_roles()["Roles"]
    assert sorted(role["RoleName"] for role in roles if "ray" in role["RoleName"]) == ["tcray-head", "tcray-worker"]
    assert {
        group for kind in cluster["available_node_types"].values() for group in kind["node_config"]["SecurityGroupIds"]
    } == {aws["SecurityGroup"]}


def test_workers_are_spot_instances_and_the_head_is_not(cluster: dict[str, Any]) -> None:
    """With spot capacity, workers are started on the spot market."""
    lifecycles = {kind: start_nodes(cluster, kind)[0].get("InstanceLifecycle") for kind in ("head", "gpu", "gpus")}
    assert lifecycles == {"head": None, "gpu": "spot", "gpus": "spot"}


def test_all_workers_are_on_demand_without_spot_capacity(
    cluster: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """The autoscaler's log gets one line."""
    provider = _get_node_provider(cluster["provider"], cluster["cluster_name"])
    market = Market(provider, spot=0)
    with caplog.at_level(logging.WARNING, logger="tcray.cluster.ray.spot_first"):
        machines = start_nodes(cluster, "gpu", count=3)
    assert [machine.get("InstanceLifecycle") for machine in machines] == [None] * 3
    assert market.requests[-1] is False
    assert set(market.requests[:-1]) == {True}
    assert [record.getMessage() for record in caplog.records] == [
        "g5.xlarge: no spot capacity (InsufficientInstanceCapacity)"
    ]


def test_missing_spot_instances_are_started_on_demand(cluster: dict[str, Any]) -> None:
    """Together they are as many as requested."""
    provider = _get_node_provider(cluster["provider"], cluster["cluster_name"])
    Market(provider, spot=2)
    machines = start_nodes(cluster, "gpu", count=5)
    assert sorted(str(machine.get("InstanceLifecycle")) for machine in machines) == ["None"] * 3 + ["spot"] * 2


def test_started_spot_instances_are_returned_if_on_demand_fails(
    cluster: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Without an on-demand quota, Ray must still track the spot instances, which cost money."""
    provider = _get_node_provider(cluster["provider"], cluster["cluster_name"])
    Market(provider, spot=3, on_demand="VcpuLimitExceeded")
    with caplog.at_level(logging.WARNING, logger="tcray.cluster.ray.spot_first"):
        machines = start_nodes(cluster, "gpu", count=5)
    assert [machine["InstanceLifecycle"] for machine in machines] == ["spot"] * 3
    assert [record.getMessage() for record in caplog.records] == [
        "g5.xlarge: started 3 of 5; no on-demand capacity (VcpuLimitExceeded)"
    ]


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "InvalidAMIID.NotFound"])
def test_other_errors_do_not_fall_back_to_on_demand(cluster: dict[str, Any], code: str) -> None:
    """A missing permission or a wrong image is raised; no on-demand instance is tried."""
    provider = _get_node_provider(cluster["provider"], cluster["cluster_name"])
    market = Market(provider, spot=0, refusal=code)
    with pytest.raises(NodeLaunchException) as caught:
        start_nodes(cluster, "gpu")
    assert caught.value.category == code
    assert set(market.requests) == {True}


@pytest.mark.parametrize("code", ["SpotMaxPriceTooLow", "MaxSpotInstanceCountExceeded", "UnfulfillableCapacity"])
def test_limits_of_the_spot_market_fall_back_to_on_demand(cluster: dict[str, Any], code: str) -> None:
    """Price and quota of the spot market do not hold on demand."""
    provider = _get_node_provider(cluster["provider"], cluster["cluster_name"])
    Market(provider, spot=0, refusal=code)
    (machine,) = start_nodes(cluster, "gpu")
    assert "InstanceLifecycle" not in machine


def test_error_of_aws_is_raised_without_any_capacity(cluster: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """`tcray status` shows its message."""
    provider = _get_node_provider(cluster["provider"], cluster["cluster_name"])

    def create_instances(_: object, **__: object) -> None:
        raise ClientError({"Error": {"Code": "VcpuLimitExceeded", "Message": "more than your limit"}}, "RunInstances")

    monkeypatch.setattr(Market, "create_instances", create_instances)
    Market(provider, spot=0)
    with pytest.raises(NodeLaunchException) as caught:
        start_nodes(cluster, "gpu")
    assert (caught.value.category, caught.value.description) == ("VcpuLimitExceeded", "more than your limit")


def test_ray_down_terminates_every_instance(cluster: dict[str, Any]) -> None:
    """No instance is stopped and kept."""
    machines = [start_nodes(cluster, kind)[0]["InstanceId"] for kind in ("head", "gpu")]
    provider = _get_node_provider(cluster["provider"], cluster["cluster_name"])
    provider.terminate_nodes(provider.non_terminated_nodes({}))
    assert [machine["State"]["Name"] for machine in describe(machines)] == ["terminated"] * 2


def test_stack_passes_cfn_lint() -> None:
    """The linter reports nothing above informational."""
    api = pytest.importorskip("cfnlint.api")
    found = api.lint_all((FOLDER / "aws" / "account.yaml").read_text())
    assert [str(match) for match in found if match.rule.severity != "informational"] == []


@pytest.mark.usefixtures("aws")
def test_instance_types_agree_with_aws() -> None:
    """All instance types in both tables have the same CPUs and GPUs."""
    pages = boto3.client("ec2").get_paginator("describe_instance_types").paginate()
    types = {kind["InstanceType"]: kind for page in pages for kind in page["InstanceTypes"]}
    known = {name: find_instance(name) for name in types}
    wrong = {name: has for name, has in known.items() if has is not None and has != _has(types[name])}
    assert wrong == {}
    ours = {f"{family}.{size}" for family, sizes in GPUS.items() for size in sizes if family != "p3"}
    assert ours - types.keys() == set()


def _has(kind: dict[str, Any]) -> Instance:
    cards = kind.get("GpuInfo", {}).get("Gpus", [])
    return Instance(kind["VCpuInfo"]["DefaultVCpus"], sum(card["Count"] for card in cards))
