"""Machines: resources of cloud node types, addresses of on-premises hosts, and machines that cost money when down."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tcray.cluster.checks.findings import MISSING, Finding, error, key_error, missing, note, require
from tcray.cluster.cluster_file import PLACEHOLDER, ClusterFile
from tcray.cluster.node_types import TYPES, NodeType, read_node_types
from tcray.config.messages import clip_text, find_nearest, format_value

RESOURCES = ("CPU", "GPU", "memory", "object_store_memory")
"""Ray's own resources; every other name is a custom resource."""

_COMMON_KEYS = ("type", "use_internal_ips", "disable_node_updaters", "disable_launch_config_check")
_LOCAL_KEYS = (*_COMMON_KEYS, "head_ip", "worker_ips", "external_head_ip", "coordinator_address")
_AUTH_KEYS = ("ssh_user", "ssh_private_key", "ssh_public_key", "ssh_proxy_command", "ssh_proxy_use_node_id")
_ADDRESS = re.compile(r"[\w.:-]+")


def check_machines(file: ClusterFile) -> Iterator[Finding]:
    """Yield findings about the hosts of an on-premises cluster, or about the node types of a cloud cluster."""
    if file.mapping("auth"):
        yield from require(file, ("auth",), "ssh_user", _AUTH_KEYS)
    if file.is_local:
        yield from _check_hosts(file)
        return
    for node_type in read_node_types(file):
        yield from _check_resource_names(file, node_type)
        if node_type.instance_type and PLACEHOLDER not in node_type.instance_type:
            yield from _check_resource_amounts(file, node_type)
    if file.is_aws and file.value("provider", "cache_stopped_nodes") is not False:
        message = "`ray down` stops instances and keeps their disks, which cost money; false terminates them"
        yield note(file.node("provider", "cache_stopped_nodes"), message)
    elif not file.is_aws and file.string("provider", "type"):
        key = "module" if file.value("provider", "module") is not None else "type"
        yield note(file.node("provider", key), "only Ray's schema is checked for this provider; its machines are not")


def _check_hosts(file: ClusterFile) -> Iterator[Finding]:
    if file.value("provider", "coordinator_address") is not None:
        return  # the coordinator lists the hosts, not the file
    provider = file.mapping("provider")
    for key in provider:
        if key not in _LOCAL_KEYS and (near := find_nearest(key, _LOCAL_KEYS)) and near not in provider:
            yield key_error(file.node("provider", key), f'no such key; did you mean "{near}"?')
    for key in ("head_ip", "worker_ips"):
        yield from require(file, ("provider",), key, _LOCAL_KEYS)
    workers = file.value("provider", "worker_ips")
    for i, address in enumerate(workers if isinstance(workers, list) else ()):
        node = file.node("provider", "worker_ips", i)
        if isinstance(address, str) and PLACEHOLDER in address:
            continue
        if not (isinstance(address, str) and _ADDRESS.fullmatch(address)):
            yield error(node, f"expected an address, found {format_value(address)}")
        elif address == provider.get("head_ip"):
            yield error(node, f"{clip_text(address)} is the head, which also runs packs; remove it from worker_ips")
        elif address in workers[:i]:
            yield error(node, f"{clip_text(address)} is given twice")


def _check_resource_names(file: ClusterFile, node_type: NodeType) -> Iterator[Finding]:
    """Yield errors for names that differ from Ray's in case, in the order of letters or by a plural s."""
    keys = TYPES, node_type.name, "resources"
    letters = {"".join(sorted(name.casefold())): name for name in RESOURCES}
    names = [*file.mapping(*keys)]
    meant = {name: letters.get("".join(sorted(name.casefold().removesuffix("s")))) for name in names}
    for name, own in meant.items():
        if own and name != own:
            yield key_error(file.node(*keys, name), f'no resource of Ray; did you mean "{own}"?')
    if names and "CPU" not in meant.values() and not (node_type.asks_aws or node_type.is_head):
        yield missing(file.node(*keys), "CPU", f"{MISSING}: no such node would be started for a pack")


def _check_resource_amounts(file: ClusterFile, node_type: NodeType) -> Iterator[Finding]:
    """Yield errors for more CPUs or GPUs than the instance type has, and a note if GPUs stay unused."""
    instance, name = node_type.instance, clip_text(node_type.instance_type)
    if instance is None:
        node = file.node(TYPES, node_type.name, "node_config", "InstanceType")
        yield note(node, f"{name} is not in tcray's list of instance types; its resources were not checked")
        return
    for resource, amount in (("CPU", instance.cpus), ("GPU", instance.gpus)):
        declared = node_type.declared.get(resource, 0)
        if declared > amount:
            has = f"{amount or 'no'} {resource}{'' if amount == 1 else 's'}"
            node = file.node(TYPES, node_type.name, "resources", resource)
            yield error(node, f"{name} has {has}, found {format_value(declared)}")
    offered = node_type.resource("GPU")
    if offered is not None and offered < instance.gpus:
        node = file.node(TYPES, node_type.name, "resources")
        yield note(node, f"declares {offered:g} GPUs, and {name} has {instance.gpus}; you pay for all of them")
