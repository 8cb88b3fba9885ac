"""Results of a check: errors (do not launch) and notes (informational)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from tcray.cluster.cluster_file import ClusterFile, Key
from tcray.config.messages import find_nearest
from tcray.config.nodes import Node
from tcray.errors import Problem

MISSING = "required, and missing"


@dataclass(frozen=True, slots=True)
class Finding:
    """A message about one place of a cluster file."""

    problem: Problem
    is_note: bool = False

    def is_about(self, path: str) -> bool:
        """True if the finding is about the value at `path` or a value in it."""
        return f"{self.problem.path}.".startswith((f"{path}.", f"{path}["))


def error(node: Node, message: str) -> Finding:
    """Return an error about a value."""
    return Finding(node.problem(message))


def key_error(node: Node, message: str) -> Finding:
    """Return an error about a key."""
    return Finding(node.key_problem(message))


def missing(node: Node, key: str, message: str = MISSING) -> Finding:
    """Return an error for a missing `key` of the mapping `node`."""
    return Finding(node.key_place.problem(node.below(key), message))


def note(node: Node, message: str) -> Finding:
    """Return a note about a value."""
    return Finding(node.problem(message), is_note=True)


def require(file: ClusterFile, above: tuple[Key, ...], key: str, valid: Collection[str]) -> Iterator[Finding]:
    """Yield an error if the mapping at `above` lacks `key`, unless another key of it looks like a misspelled `key`."""
    mapping = file.mapping(*above)
    meant = {find_nearest(str(other), valid) for other in mapping if other not in valid}
    if mapping.get(key) is None and key not in meant:
        yield missing(file.node(*above), key)
