"""The commands that start Ray: that they do, that the cluster has a password, and to whom they open its dashboard."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tcray.cluster.checks.findings import Finding, lacking, note, wrong
from tcray.cluster.checks.lines import Lists, container
from tcray.cluster.checks.shell import said_to_container, said_to_ray
from tcray.cluster.cluster_file import ClusterFile
from tcray.cluster.node_types import node_types
from tcray.config.messages import clip_text, format_key
from tcray.config.nodes import Node

_STARTS = re.compile(r"\bray\s+start\b")
_MODE = "RAY_AUTH_MODE"
_DASHBOARD = re.compile(r"--dashboard-host[= ][\"']?([^\s;\"']+)")
_CLIENT = re.compile(r"--ray-client-server-port[= ](\S+)")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")

_WANTED = {
    "head": {
        "--head": "connects to another cluster's head",
        "--autoscaling-config": "never starts a worker; say --autoscaling-config=~/ray_bootstrap_config.yaml",
    },
    "worker": {"--address": "does not find the head; say --address=$RAY_HEAD_IP:6379"},
}

_UNLOCKED = {
    "head": "whoever reaches the head can run anything on it",
    "worker": "a head that asks for the token turns it away",
}


def check(file: ClusterFile) -> Iterator[Finding]:
    """Both start commands."""
    for role in ("head", "worker"):
        yield from _commands(file, role)


def _commands(file: ClusterFile, role: str) -> Iterator[Finding]:
    key = f"{role}_start_ray_commands"
    if file.value(key) is None:
        yield lacking(file.root, key, "not given, and Ray's own start without a token")
        return
    commands = {i: command for i, command in enumerate(file.texts(key)) if _STARTS.search(command)}
    if not commands:
        yield wrong(file.node(key), "none of the commands says `ray start`")
    for i, command in commands.items():
        node = file.node(key, i)
        for option, consequence in _WANTED[role].items():
            if option not in command:
                yield wrong(node, f"`ray start` without {option} {consequence}")
        yield from _authentication(file, role, command, node)
        yield from _ports(command, node)


def _authentication(file: ClusterFile, role: str, command: str, node: Node) -> Iterator[Finding]:
    """By the command itself, or else by the container of each type that it starts Ray on."""
    mode, reads = said_to_ray(command).get(_MODE), set[str]()
    if mode is None:
        kinds = [kind.name for kind in node_types(file) if kind.is_head == (role == "head")] or [""]
        places = [container(file, role, kind) for kind in kinds]
        modes = [said_to_container(_joined(file, lists)).get(_MODE) for lists in places]
        mode = next((mode for mode in modes if mode != "token"), "token")
        reads = {".".join(map(format_key, keys)) for lists in places for keys in lists}
    if mode != "token":
        said = f"`ray start` without {_MODE}=token" if mode is None else f"{_MODE} is {clip_text(mode)}, not token"
        yield wrong(node, f"{said}: {_UNLOCKED[role]}", *reads)


def _joined(file: ClusterFile, lists: Lists) -> str:
    return " ".join(option for keys in lists for option in file.texts(*keys))


def _ports(command: str, node: Node) -> Iterator[Finding]:
    if (host := _DASHBOARD.search(command)) and host[1] not in _LOOPBACK:
        sentence = "opens the dashboard, which runs whatever it is sent; say --dashboard-host=127.0.0.1"
        yield wrong(node, f"--dashboard-host={clip_text(host[1])} {sentence}")
    if port := _CLIENT.search(command):
        yield note(node, f"Ray's client server listens on port {clip_text(port[1])}; tcray does without it")
