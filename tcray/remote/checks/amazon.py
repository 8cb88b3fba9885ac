"""Machines of AWS: the region, and what RunInstances is told of each type."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tcray.remote.checks.findings import MISSING, Finding, lacking, note, required, wrong, wrong_key
from tcray.remote.checks.form import schema
from tcray.remote.checks.providers import AWS
from tcray.remote.cluster_file import UNFILLED, ClusterFile
from tcray.remote.node_types import TYPES
from tcray.spec.words import found, nearest

_NO_DEFAULT = (
    *("auth", "max_workers", TYPES, "file_mounts", "cluster_synced_files"),
    *("initialization_commands", "setup_commands", "head_setup_commands", "worker_setup_commands"),
)

RUN_INSTANCES = (
    *("BlockDeviceMappings", "CapacityReservationSpecification", "CpuOptions", "CreditSpecification"),
    *("DisableApiStop", "DisableApiTermination", "EbsOptimized", "EnablePrimaryIpv6", "EnclaveOptions"),
    *("HibernationOptions", "IamInstanceProfile", "ImageId", "InstanceInitiatedShutdownBehavior"),
    *("InstanceMarketOptions", "InstanceType", "Ipv6AddressCount", "Ipv6Addresses", "KernelId", "KeyName"),
    *("LaunchTemplate", "LicenseSpecifications", "MaintenanceOptions", "MetadataOptions", "Monitoring"),
    *("NetworkInterfaces", "NetworkPerformanceOptions", "Operator", "Placement", "PrivateDnsNameOptions"),
    *("PrivateIpAddress", "RamdiskId", "SecondaryInterfaces", "SecurityGroupIds", "SecurityGroups"),
    *("SubnetId", "SubnetIds", "TagSpecifications", "UserData"),
)
"""What AWS may be told of a machine, and Ray's `SubnetIds`."""

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_NAMED = re.compile(r"\b[a-z]{2}(?:-gov)?-(?:north|south|east|west|central)(?:east|west)?-\d\b")


def check(file: ClusterFile) -> Iterator[Finding]:
    """The region, what each type says of its machines, and what becomes of them at the end."""
    if not file.is_aws:
        return
    region = file.text_at("provider", "region")
    yield from required(file, ("provider",), "region", AWS)
    if region and UNFILLED not in region and not _REGION.fullmatch(region):
        yield wrong(file.node("provider", "region"), f"expected a region, as us-west-2, found {found(region)}")
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
    for i, command in enumerate(file.texts("initialization_commands")):
        if other := set(_NAMED.findall(command)) - {region}:
            yield note(file.node("initialization_commands", i), f"names {min(other)}, and provider.region is {region}")


def _machine(file: ClusterFile, name: str) -> Iterator[Finding]:
    """What one type says of its machines, in the words of AWS's RunInstances."""
    keys = TYPES, name, "node_config"
    meant = {str(key): nearest(str(key), RUN_INSTANCES) for key in file.mapping(*keys)}
    for key, near in meant.items():
        if near not in (key, "") and near not in meant:
            yield wrong_key(file.node(*keys, key), f'no such key; did you mean "{near}"?')
    if not {"InstanceType", "LaunchTemplate"} & set(meant.values()):
        yield lacking(file.node(*keys), "InstanceType")
