"""Machines of AWS: the region, and what RunInstances is told of each type."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tcray.cluster.checks.findings import MISSING, Finding, lacking, note, required, wrong, wrong_key
from tcray.cluster.checks.form import KINDS, is_a, schema
from tcray.cluster.checks.lines import lines
from tcray.cluster.checks.providers import AWS
from tcray.cluster.cluster_file import UNFILLED, ClusterFile
from tcray.cluster.instances import architecture
from tcray.cluster.node_types import TYPES
from tcray.config.messages import clip_text, find_nearest, format_value, suggest_names

_NO_DEFAULT = (
    *("auth", "max_workers", TYPES, "file_mounts", "cluster_synced_files"),
    *("initialization_commands", "setup_commands", "head_setup_commands", "worker_setup_commands"),
)

RUN_INSTANCES: Mapping[str, str] = {
    **dict.fromkeys(("BlockDeviceMappings", "Ipv6Addresses", "LicenseSpecifications", "NetworkInterfaces"), "array"),
    **dict.fromkeys(("SecondaryInterfaces", "SecurityGroupIds", "SecurityGroups", "SubnetIds"), "array"),
    "TagSpecifications": "array",
    **dict.fromkeys(("CapacityReservationSpecification", "CpuOptions", "CreditSpecification"), "object"),
    **dict.fromkeys(("EnclaveOptions", "HibernationOptions", "IamInstanceProfile", "InstanceMarketOptions"), "object"),
    **dict.fromkeys(("LaunchTemplate", "MaintenanceOptions", "MetadataOptions", "Monitoring"), "object"),
    **dict.fromkeys(("NetworkPerformanceOptions", "Operator", "Placement", "PrivateDnsNameOptions"), "object"),
    **dict.fromkeys(("ImageId", "InstanceInitiatedShutdownBehavior", "InstanceType", "KernelId", "KeyName"), "string"),
    **dict.fromkeys(("PrivateIpAddress", "RamdiskId", "SubnetId", "UserData"), "string"),
    **dict.fromkeys(("DisableApiStop", "DisableApiTermination", "EbsOptimized", "EnablePrimaryIpv6"), "boolean"),
    "Ipv6AddressCount": "integer",
}
"""What AWS may be told of a machine, and Ray's `SubnetIds`, each of its kind in the words of JSON Schema."""

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_ARCHITECTURES = {"amd64": "x86_64", "aarch64": "arm64"}
_NONE_LIKE_IT = "AWS's RunInstances knows none like it"
_NAMED = re.compile(r"\b[a-z]{2}(?:-gov)?-(?:north|south|east|west|central)(?:east|west)?-\d\b")


def check(file: ClusterFile) -> Iterator[Finding]:
    """The region, what each type says of its machines, and what becomes of them at the end."""
    if not file.is_aws:
        return
    region = file.text_at("provider", "region")
    yield from required(file, ("provider",), "region", AWS)
    if region and UNFILLED not in region and not _REGION.fullmatch(region):
        yield wrong(file.node("provider", "region"), f"expected a region, as us-west-2, found {format_value(region)}")
    elif region:
        yield from _other_regions(file, region)
    if file.text_at("provider", "type") == "external":
        for key in _NO_DEFAULT:
            yield from required(
                file, (), key, schema()["properties"], f"{MISSING}: Ray has no default beside an external provider"
            )
    for name in file.mapping(TYPES):
        yield from _machine(file, name)
    if file.value("provider", "cache_stopped_nodes") is not False:
        sentence = "`ray down` stops machines and keeps them, with disks that go on costing; false ends them"
        yield note(file.node("provider", "cache_stopped_nodes"), sentence)


def _other_regions(file: ClusterFile, region: str) -> Iterator[Finding]:
    """Other regions that commands name; half of a file that was moved, perhaps."""
    for command, node in lines(file, ("initialization_commands",)):
        if other := set(_NAMED.findall(command)) - {region}:
            yield note(node, f"names {min(other)}, and provider.region is {region}")


def _machine(file: ClusterFile, name: str) -> Iterator[Finding]:
    """What one type says of its machines, in the words of AWS's RunInstances."""
    keys = TYPES, name, "node_config"
    config = file.mapping(*keys)
    for key, value in config.items():
        if key not in RUN_INSTANCES:
            near = find_nearest(key, RUN_INSTANCES)
            yield wrong_key(
                file.node(*keys, key), f"no such key; {suggest_names(key, RUN_INSTANCES) if near else _NONE_LIKE_IT}"
            )
        elif not is_a(RUN_INSTANCES[key], value):
            yield wrong(file.node(*keys, key), f"expected {KINDS[RUN_INSTANCES[key]]}, found {format_value(value)}")
    groups = config.get("SecurityGroupIds", ["none asked for"])
    if isinstance(groups, list) and not (groups and all(isinstance(group, str) and group for group in groups)):
        yield wrong(file.node(*keys, "SecurityGroupIds"), "expected the ids of security groups, at least of one")
    meant = {key if key in RUN_INSTANCES else find_nearest(key, RUN_INSTANCES) for key in config}
    if not {"InstanceType", "LaunchTemplate"} & meant:
        yield lacking(file.node(*keys), "InstanceType")
    yield from _processors(file, name)


def _processors(file: ClusterFile, name: str) -> Iterator[Finding]:
    """That machine, AMI and container are made for one another, where AWS's own processors have a part in it."""
    keys = TYPES, name, "node_config"
    machine = file.text_at(*keys, "InstanceType")
    has = architecture(machine)
    ami = re.search("x86_64|amd64|arm64|aarch64", file.text_at(*keys, "ImageId"))
    made = ami and _ARCHITECTURES.get(ami[0], ami[0])
    if machine and UNFILLED not in machine and made and made != has:
        sentence = f"made for {made}, and a {clip_text(machine)} is a machine for {has}"
        yield wrong(file.node(*keys, "ImageId"), sentence, file.node(*keys, "InstanceType").path)
    elif has == "arm64":
        yield note(
            file.node(*keys, "InstanceType"), "a machine for arm64: its AMI and the image have to be made for that"
        )
