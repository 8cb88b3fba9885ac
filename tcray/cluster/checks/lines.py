"""The lines that a cluster file says to shells: its commands, and the options of its containers."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tcray.cluster.cluster_file import ClusterFile
from tcray.cluster.node_types import TYPES
from tcray.config.nodes import Node

RUN_OPTIONS = ("run_options", "head_run_options", "worker_run_options")
"""Lists of options that containers get."""

COMMANDS = (
    *("initialization_commands", "setup_commands", "head_setup_commands", "worker_setup_commands"),
    *("head_start_ray_commands", "worker_start_ray_commands"),
)
"""Lists of commands."""

Lists = tuple[tuple[str, ...], ...]
"""Lists of lines, by their keys."""


def lines(file: ClusterFile, names: Collection[str]) -> Iterator[tuple[str, Node]]:
    """Every line of the lists with these names, for machines of all types and of one, and where it stands."""
    above: list[tuple[str, ...]] = [(), ("docker",)]
    for kind in file.mapping(TYPES):
        above += [(TYPES, kind), (TYPES, kind, "docker")]
    for keys in above:
        for name in names:
            for i, line in enumerate(file.texts(*keys, name)):
                yield line, file.node(*keys, name, i)


def container(file: ClusterFile, role: str, kind: str) -> Lists:
    """The options of the container of a head or worker; what the worker's type gives comes for what all workers get."""
    own = TYPES, kind, "docker", f"{role}_run_options"
    last = own if role == "worker" and file.value(*own) is not None else ("docker", f"{role}_run_options")
    return ("docker", "run_options"), last
