"""What is open to the world: security groups, published ports, and secrets that a file should not hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tcray.remote.checks.findings import MISSING, Finding, lacking, wrong
from tcray.remote.cluster_file import COMMANDS, RUN_OPTIONS, ClusterFile
from tcray.remote.node_types import TYPES, node_types
from tcray.spec.words import quoted

_WORLD = ("0.0.0.0/0", "::/0")

_PUBLISHED = re.compile(r"(?:^|\s)(-p|--publish(?:-all)?|-P)(?:[= ]*)(\S*)")
_SECRET = re.compile(r"\b(AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|RAY_AUTH_TOKEN)=[\"']?([^\s\"'$]+)")


def check(file: ClusterFile) -> Iterator[Finding]:
    """Every way in that the file opens."""
    yield from _groups(file)
    yield from _published(file)
    yield from _secrets(file)


def _groups(file: ClusterFile) -> Iterator[Finding]:
    group = ("provider", "security_group")
    rules = file.value(*group, "IpPermissions")
    for i, rule in enumerate(rules if isinstance(rules, list) else ()):
        ranges = [*_addresses(rule, "IpRanges", "CidrIp"), *_addresses(rule, "Ipv6Ranges", "CidrIpv6")]
        if world := [one for one in ranges if one in _WORLD]:
            yield wrong(file.node(*group, "IpPermissions", i), f"opens {_ports(rule)} to the world ({world[0]})")
    if not file.is_aws:
        return
    if file.text_at("provider", "type") == "aws" and file.value(TYPES) is None:
        yield lacking(file.root, TYPES, "not given, and Ray's own are in a group that opens port 22 to the world")
    for kind in node_types(file):
        node = file.node(TYPES, kind.name, "node_config")
        if not {"SecurityGroupIds", "NetworkInterfaces", "LaunchTemplate"} & kind.config.keys():
            sentence = f"{MISSING}: Ray would make a group that opens port 22 to the world"
            yield lacking(node, "SecurityGroupIds", sentence)


def _addresses(rule: object, ranges: str, key: str) -> Iterator[str]:
    listed = rule.get(ranges) if isinstance(rule, dict) else None
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and isinstance(one.get(key), str):
            yield one[key]


def _ports(rule: Mapping[str, Any]) -> str:
    low, high = rule.get("FromPort"), rule.get("ToPort")
    if low in (None, -1):
        return "every port"
    return f"port {low}" if low == high else f"ports {low} to {high}"


def _published(file: ClusterFile) -> Iterator[Finding]:
    for options in RUN_OPTIONS:
        for i, option in enumerate(file.texts("docker", options)):
            if said := _PUBLISHED.search(option):
                what = " ".join(filter(None, said.groups()))
                sentence = "publishes a port to every network; take it out: containers share the host's network"
                yield wrong(file.node("docker", options, i), f"{quoted(what)} {sentence}")


def _secrets(file: ClusterFile) -> Iterator[Finding]:
    for keys in (*(("docker", options) for options in RUN_OPTIONS), *((name,) for name in COMMANDS)):
        for i, text in enumerate(file.texts(*keys)):
            if said := _SECRET.search(text):
                yield wrong(file.node(*keys, i), f"a secret ({said[1]}), which no file should hold")
