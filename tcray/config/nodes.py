"""Tree of a YAML file in which every value keeps its position and its path."""

from __future__ import annotations

from dataclasses import dataclass

from tcray.config.messages import format_key
from tcray.errors import Problem

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Place:
    """Position of a value: line and column of the file (1-based), or the `line`-th `--set` of the command."""

    line: int
    column: int
    override: str = ""

    @property
    def order(self) -> tuple[bool, int, int]:
        """Return a sort key: the file from its top, then the overrides from left to right."""
        return bool(self.override), self.line, self.column

    def problem(self, path: str, message: str) -> Problem:
        """Return a problem at this place."""
        return Problem(self.line, self.column, path, message, self.override)


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the file: a scalar, a list of nodes, or nodes by key; `key` is the place of its own key, if any."""

    value: Scalar | list[Node] | dict[str, Node]
    place: Place
    path: str = ""
    key: Place | None = None

    def problem(self, message: str) -> Problem:
        """Return a problem with this value."""
        return self.place.problem(self.path, message)

    @property
    def key_place(self) -> Place:
        """Return the place of the node's key, or of the node itself if it has no key."""
        return self.key or self.place

    def key_problem(self, message: str) -> Problem:
        """Return a problem with the node's key."""
        return self.key_place.problem(self.path, message)

    def at(self, *keys: str) -> Node | None:
        """Return the node that `keys` lead to; None if a key is missing or the last one has no value."""
        node: Node | None = self
        for key in keys:
            node = node.value.get(key) if node and isinstance(node.value, dict) else None
        return node if node and node.value is not None else None

    def below(self, key: str) -> str:
        """Return the path of `key` in this node."""
        return f"{self.path}.{format_key(key)}" if self.path else format_key(key)
