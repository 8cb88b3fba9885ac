"""A sweep file as a tree in which every value knows its place and its path."""

from __future__ import annotations

from dataclasses import dataclass

from tcray.config.messages import format_key
from tcray.errors import Problem

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a line and column of the file (1-based), or the `line`-th `--set` of the command."""

    line: int
    column: int
    override: str = ""

    @property
    def order(self) -> tuple[bool, int, int]:
        """Sorts places as they are read: the file from its top, then the overrides from left to right."""
        return bool(self.override), self.line, self.column

    def problem(self, path: str, message: str) -> Problem:
        """A problem at this place."""
        return Problem(self.line, self.column, path, message, self.override)


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the file: a scalar, a list of nodes, or nodes by key; `key` is where its own key stands, if any."""

    value: Scalar | list[Node] | dict[str, Node]
    place: Place
    path: str = ""
    key: Place | None = None

    def problem(self, message: str) -> Problem:
        """What is wrong with this value."""
        return self.place.problem(self.path, message)

    @property
    def key_place(self) -> Place:
        """Where its key stands; its own place where it has none."""
        return self.key or self.place

    def key_problem(self, message: str) -> Problem:
        """What is wrong with its standing here at all."""
        return self.key_place.problem(self.path, message)

    def at(self, *keys: str) -> Node | None:
        """The node that `keys` lead to; None where there is none, or nothing after the last key."""
        node: Node | None = self
        for key in keys:
            node = node.value.get(key) if node and isinstance(node.value, dict) else None
        return node if node and node.value is not None else None

    def below(self, key: str) -> str:
        """The path of `key` in this node."""
        return f"{self.path}.{format_key(key)}" if self.path else format_key(key)
