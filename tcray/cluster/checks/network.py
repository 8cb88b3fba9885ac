"""What is open to the world: security groups, published ports, and secrets that a file should not hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Any

from tcray.cluster.checks.findings import MISSING, Finding, lacking, wrong
from tcray.cluster.checks.lines import RUN_OPTIONS, lines
from tcray.cluster.cluster_file import UNFILLED, ClusterFile
from tcray.cluster.node_types import TYPES, node_types
from tcray.config.messages import clip_text, format_value, quote_text
from tcray.config.nodes import Node

_NARROWEST_WORLD: Mapping[int, int] = {4: 7, 6: 15}
"""Bits, by IP version, of the smallest networks that belong to nobody alone."""

_PUBLISHED = re.compile(r"(?:^|\s)(-p|--publish(?:-all)?|-P)(?:[= ]*)(\S*)")
_LOOPBACK = re.compile(r"[\"']?(127\.|localhost:|\[::1\])")
_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "RAY_AUTH_TOKEN")
_SECRET = re.compile(rf"\b({'|'.join(_SECRETS)})=[\"']?[^\s\"'$]")
_PASSWORD = re.compile(r"://[^\s:/@]+:(?!\d+/)[^\s@$\"']+@")


def check(file: ClusterFile) -> Iterator[Finding]:
    """Every way in that the file opens."""
    yield from _groups(file)
    yield from _published(file)
    yield from _secrets(file.root)


def _groups(file: ClusterFile) -> Iterator[Finding]:
    group = ("provider", "security_group")
    rules = file.value(*group, "IpPermissions")
    for i, rule in enumerate(rules if isinstance(rules, list) else ()):
        ranges = [*_addresses(rule, "IpRanges", "CidrIp"), *_addresses(rule, "Ipv6Ranges", "CidrIpv6")]
        node = file.node(*group, "IpPermissions", i)
        for one in ranges:
            if UNFILLED not in one and not _is_network(one):
                yield wrong(node, f"expected addresses, as 203.0.113.7/32, found {format_value(one)}")
        if world := [one for one in ranges if _is_world(one)]:
            yield wrong(node, f"opens {_ports(rule)} to the world ({world[0]})")
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


def _is_network(addresses: str) -> bool:
    try:
        ip_network(addresses, strict=False)
    except ValueError:
        return False
    return True


def _is_world(addresses: str) -> bool:
    if not _is_network(addresses):
        return False
    network = ip_network(addresses, strict=False)
    return network.prefixlen <= _NARROWEST_WORLD[network.version]


def _ports(rule: Mapping[str, Any]) -> str:
    low, high = rule.get("FromPort"), rule.get("ToPort")
    if low in (None, -1):
        return "every port"
    return f"port {clip_text(str(low))}" if low == high else f"ports {clip_text(str(low))} to {clip_text(str(high))}"


def _published(file: ClusterFile) -> Iterator[Finding]:
    for option, node in lines(file, RUN_OPTIONS):
        for said in _PUBLISHED.finditer(option):
            if not _LOOPBACK.match(said[2]):
                what = " ".join(filter(None, said.groups()))
                sentence = "publishes a port to every network; take it out: containers share the host's network"
                yield wrong(node, f"{quote_text(what)} {sentence}")


def _secrets(node: Node) -> Iterator[Finding]:
    """Wherever they stand: as a value under the name of one, or in any text."""
    match node.value:
        case dict() as entries:
            for key, entry in entries.items():
                if key.upper() in _SECRETS and isinstance(entry.value, str) and entry.value:
                    yield wrong(entry, f"a secret ({key}), which no file should hold")
                yield from _secrets(entry)
        case list() as items:
            for item in items:
                yield from _secrets(item)
        case str() as text:
            if said := _SECRET.search(text):
                yield wrong(node, f"a secret ({said[1]}), which no file should hold")
            elif _PASSWORD.search(text):
                yield wrong(node, "a secret (the password of an address), which no file should hold")
