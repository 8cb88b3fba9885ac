"""Security: ports open to the world, Ray's token, and secrets in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from os.path import exists, expanduser
from typing import Any

from tcray.cluster.checks.findings import MISSING, Finding, error, missing, note
from tcray.cluster.cluster_file import PLACEHOLDER, ClusterFile, Key
from tcray.cluster.node_types import TYPES, read_node_types
from tcray.config.messages import clip_text, format_value, quote_text
from tcray.config.nodes import Node

TOKEN = "~/.ray/auth_token"  # noqa: S105  the path of the token, not a password

_OPEN_PREFIX: Mapping[int, int] = {4: 7, 6: 15}
"""Longest prefix, by IP version, of networks that no single organization owns."""

_RUN_OPTIONS = ("run_options", "head_run_options", "worker_run_options")
_PUBLISHED = re.compile(r"(?:^|\s)(-p|--publish(?:-all)?|-P)(?:[= ]*)(\S*)")
_LOOPBACK = re.compile(r"[\"']?(127\.|localhost|\[?::1)")
_DASHBOARD = re.compile(r"--dashboard-host[= ][\"']?([^\s;\"']+)")
_STARTS_RAY = re.compile(r"\bray\s+start\b")
_ASSIGNS_TOKEN_MODE = re.compile(
    r"(^|[;&|\n({]|\b(then|else|do|env)\b)\s*(\w+=\S*\s+)*RAY_AUTH_MODE=[\"']?token\b[^;&|\n]*\bray\s+start\b"
    r"|\bexport\s[^;&|\n]*\bRAY_AUTH_MODE=[\"']?token\b(.|\n)*\bray\s+start\b"
)
_CONTAINER_MODE = re.compile(r"(?:^|\s)(?:-e|--env)[=\s]+[\"']?RAY_AUTH_MODE=([^\s\"']*)")
_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "RAY_AUTH_TOKEN")
_SECRET = re.compile(rf"\b({'|'.join(_SECRETS)})=[\"']?[^\s\"'$]")
_URL_PASSWORD = re.compile(r"://[^\s:/@]+:(?!\d+/)[^\s@$\"']+@")

_UNLOCKED = {
    "head": "anyone who reaches the head can run code on it",
    "worker": "a head that requires the token rejects it",
}


def check_security(file: ClusterFile) -> Iterator[Finding]:
    """Yield findings about open ports, the token and secrets."""
    yield from _check_security_groups(file)
    yield from _check_published_ports(file)
    yield from _check_token(file)
    for role in ("head", "worker"):
        yield from _check_start_commands(file, role)
    yield from _check_secrets(file.root)


def _check_security_groups(file: ClusterFile) -> Iterator[Finding]:
    rules = file.value("provider", "security_group", "IpPermissions")
    for i, rule in enumerate(rules if isinstance(rules, list) else ()):
        node = file.node("provider", "security_group", "IpPermissions", i)
        opened = None
        for addresses in (
            *_read_addresses(rule, "IpRanges", "CidrIp"),
            *_read_addresses(rule, "Ipv6Ranges", "CidrIpv6"),
        ):
            try:
                network = ip_network(addresses, strict=False)
            except ValueError:
                if PLACEHOLDER not in addresses:
                    yield error(node, f"expected addresses, as 203.0.113.7/32, found {format_value(addresses)}")
                continue
            if network.prefixlen <= _OPEN_PREFIX[network.version]:
                opened = opened or addresses
        if opened:
            yield error(node, f"opens {_format_ports(rule)} to the world ({opened})")
    if file.string("provider", "type") == "aws" and file.value(TYPES) is None:
        yield missing(file.root, TYPES, "not given; the security group of Ray's defaults opens port 22 to the world")
    for node_type in read_node_types(file) if file.is_aws else ():
        node = file.node(TYPES, node_type.name, "node_config")
        groups = node_type.config.get("SecurityGroupIds")
        if not ({"NetworkInterfaces", "LaunchTemplate"} & node_type.config.keys() or groups):
            yield missing(
                node, "SecurityGroupIds", f"{MISSING}: Ray would create a group that opens port 22 to the world"
            )


def _read_addresses(rule: object, ranges: str, key: str) -> Iterator[str]:
    listed = rule.get(ranges) if isinstance(rule, dict) else None
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and isinstance(one.get(key), str):
            yield one[key]


def _format_ports(rule: Mapping[str, Any]) -> str:
    low, high = rule.get("FromPort"), rule.get("ToPort")
    if low in (None, -1):
        return "every port"
    return f"port {clip_text(str(low))}" if low == high else f"ports {clip_text(str(low))} to {clip_text(str(high))}"


def _check_published_ports(file: ClusterFile) -> Iterator[Finding]:
    above: list[tuple[Key, ...]] = [("docker",), *((TYPES, name, "docker") for name in file.mapping(TYPES))]
    for keys in [(*keys, name) for keys in above for name in _RUN_OPTIONS]:
        for i, option in enumerate(file.strings(*keys)):
            for match in _PUBLISHED.finditer(option):
                if not _LOOPBACK.match(match[2]):
                    what = quote_text(" ".join(filter(None, match.groups())))
                    advice = "remove it, containers share the host's network"
                    yield error(file.node(*keys, i), f"{what} publishes a port to every network; {advice}")


def _check_token(file: ClusterFile) -> Iterator[Finding]:
    """Yield an error if the token is not sent to the nodes, and a note per file to be sent that is missing here."""
    mounts = file.mapping("file_mounts")
    if TOKEN not in mounts:
        where = (file.node("file_mounts"), TOKEN) if mounts else (file.root, "file_mounts")
        yield missing(*where, f"the nodes need the token; add `{TOKEN}: {TOKEN}` to file_mounts")
    for there, here in mounts.items():
        # os.path accepts any text; pathlib raises for unknown users and for names that are too long
        if isinstance(here, str) and PLACEHOLDER not in here and not exists(expanduser(here)):  # noqa: PTH110, PTH111
            advice = "create it with `ray get-auth-token --generate`" if here == TOKEN else "run `ray up` where it is"
            yield note(file.node("file_mounts", there), f"{clip_text(here, 100)} does not exist here; {advice}")


def _check_start_commands(file: ClusterFile, role: str) -> Iterator[Finding]:
    """Yield errors if Ray starts without authentication, or with a dashboard that is open to other hosts."""
    key = f"{role}_start_ray_commands"
    if file.value(key) is None:
        yield missing(file.root, key, "not given; Ray's default starts without a token")
    for i, command in enumerate(file.strings(key)):
        if not _STARTS_RAY.search(command):
            continue
        node = file.node(key, i)
        if not _ASSIGNS_TOKEN_MODE.search(command):
            modes = _read_container_modes(file, role)
            mode = next((mode for mode in modes if mode != "token"), "token")
            if mode != "token":
                what = f"RAY_AUTH_MODE is {clip_text(mode)}" if mode else "`ray start` without RAY_AUTH_MODE=token"
                yield error(node, f"{what}: {_UNLOCKED[role]}")
        if (host := _DASHBOARD.search(command)) and not _LOOPBACK.match(host[1]):
            danger = "opens the dashboard, which runs any code it is sent; use --dashboard-host=127.0.0.1"
            yield error(node, f"--dashboard-host={clip_text(host[1])} {danger}")


def _read_container_modes(file: ClusterFile, role: str) -> Iterator[str]:
    """Yield the RAY_AUTH_MODE of the containers of `role`, one per node type; empty if it is not set."""
    names = [one.name for one in read_node_types(file) if one.is_head == (role == "head")] or [""]
    for name in names:
        own: tuple[Key, ...] = (TYPES, name, "docker", "worker_run_options")  # replaces the options of all workers
        keys = own if role == "worker" and file.value(*own) is not None else ("docker", f"{role}_run_options")
        options = " ".join([*file.strings("docker", "run_options"), *file.strings(*keys)])
        yield next(reversed(_CONTAINER_MODE.findall(options)), "")


def _check_secrets(node: Node) -> Iterator[Finding]:
    """Yield an error per secret: a value under a key that is named like one, or an assignment in a text."""
    match node.value:
        case dict() as entries:
            for key, entry in entries.items():
                if key.upper() in _SECRETS and isinstance(entry.value, str) and entry.value:
                    yield error(entry, f"a secret ({key}), which must not be in a file")
                yield from _check_secrets(entry)
        case list() as items:
            for item in items:
                yield from _check_secrets(item)
        case str() as text:
            if match := _SECRET.search(text):
                yield error(node, f"a secret ({match[1]}), which must not be in a file")
            elif _URL_PASSWORD.search(text):
                yield error(node, "a secret (the password of a URL), which must not be in a file")
