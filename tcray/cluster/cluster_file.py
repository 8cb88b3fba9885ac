"""A cluster file as Ray's launcher reads it, with the line and column of every value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml

from tcray.config.messages import format_value
from tcray.config.nodes import Node
from tcray.config.parse import parse_yaml
from tcray.config.read_file import read_text
from tcray.errors import ConfigError, Problem

PLACEHOLDER = "FILL_IN"
"""Placeholder of a value that the user has to fill in."""

SPOT_FIRST = "tcray.cluster.ray.spot_first.SpotFirst"
"""Module path of tcray's AWS provider, as a cluster file names it."""

Key = str | int

_LIMIT = 10**15
"""Ray counts resources in ten-thousandths, as 64-bit integers."""

_MERGE = "<<"


@dataclass(frozen=True, slots=True)
class ClusterFile:
    """A file for `ray up`."""

    path: str
    text: str
    root: Node
    """Tree of the file; every value has its line and column."""
    config: Mapping[str, Any]
    """The same values as Ray's launcher reads them: as YAML 1.1, with `yes`, `0600` and merged mappings (`<<`)."""

    @property
    def is_local(self) -> bool:
        """True for machines that exist already and have addresses (provider type `local`)."""
        return self.string("provider", "type") == "local"

    @property
    def is_aws(self) -> bool:
        """True for machines of AWS, from Ray's provider or from `SpotFirst`."""
        kind = self.string("provider", "type")
        return kind == "aws" or (kind == "external" and self.string("provider", "module") == SPOT_FIRST)

    @property
    def unfilled(self) -> tuple[Problem, ...]:
        """Return a problem per placeholder, with the file's comment on that line."""
        lines = self.text.splitlines()
        nodes = {node.place: node for node in reversed([*_find_placeholders(self.root)])}
        problems = (node.problem(_format_request(lines[place.line - 1])) for place, node in nodes.items())
        return tuple(sorted(problems))

    def require_filled(self) -> None:
        """Raise ConfigError if a placeholder is left."""
        if unfilled := self.unfilled:
            raise ConfigError(self.path, unfilled)

    def value(self, *keys: Key) -> Any:
        """Return the value at `keys` as Ray reads it; None if there is none."""
        value: Any = self.config
        for key in keys:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def mapping(self, *keys: Key) -> dict[str, Any]:
        """Return the mapping at `keys`; an empty one if there is none."""
        value = self.value(*keys)
        return value if isinstance(value, dict) else {}

    def strings(self, *keys: Key) -> list[str]:
        """Return the list of strings at `keys`, with empty strings for items of other types; empty if there is none."""
        value = self.value(*keys)
        return [item if isinstance(item, str) else "" for item in value] if isinstance(value, list) else []

    def string(self, *keys: Key) -> str:
        """Return the string at `keys`; an empty one if there is none."""
        value = self.value(*keys)
        return value if isinstance(value, str) else ""

    def node(self, *keys: Key) -> Node:
        """Return the node at `keys`, or the innermost mapping or list around it if the file has no such node."""
        node = self.root
        for key in keys:
            below = _child(node, key)
            if below is None:
                break
            path = f"{node.path}[{key}]" if isinstance(node.value, list) else node.below(str(key))
            node = replace(below, path=path)  # without the `<<` of a merged mapping
        return node


def load_cluster_file(path: str) -> ClusterFile:
    """Read a cluster file; `check_cluster_file` validates what is in it.

    Raises:
        ConfigError: if the file cannot be read, is not YAML, or is not a mapping with string keys.
    """
    text = read_text(path, "cluster file", "cluster")
    problems: list[Problem] = []
    root = parse_yaml(text, problems)
    if root is not None and root.value is None:
        problems.append(root.problem("the file is empty; a cluster needs cluster_name and provider"))
    elif root is not None and not isinstance(root.value, dict):
        problems.append(root.problem(f"expected keys, as in cluster_name: tcray, found {format_value(root.value)}"))
    if problems or root is None:
        raise ConfigError(path, problems)
    file = ClusterFile(path, text, root, _load_as_ray(path, text))
    if problems := [*_find_unsupported(file, file.config)]:
        raise ConfigError(path, problems)
    return file


def _load_as_ray(path: str, text: str) -> dict[str, Any]:
    try:
        config = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:  # invalid in YAML 1.1 only: the merge of a value that is no mapping
        mark = error.problem_mark
        assert mark is not None
        raise ConfigError(
            path, [Problem(mark.line + 1, mark.column + 1, "", f"not valid YAML: {error.problem}")]
        ) from None
    except ValueError as error:  # invalid in YAML 1.1 only: an impossible date
        raise ConfigError(path, [Problem(0, 0, "", f"not valid YAML 1.1, which Ray reads: {error}")]) from None
    assert isinstance(config, dict)
    return config


def _find_unsupported(file: ClusterFile, value: Any, *above: Key) -> Iterator[Problem]:
    """Yield a problem per key that is no string and per number that Ray cannot represent."""
    keys = [key for key in value if not isinstance(key, str)] if isinstance(value, dict) else []
    if any(map(_is_too_large, (value, *keys))):
        yield file.node(*above).problem("Ray cannot represent this number; expected at most 15 digits")
        return
    for key in keys:
        yield file.node(*above).key_problem(f"the key {key} is not a string in YAML 1.1, which Ray reads; quote it")
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield from _find_unsupported(file, entry, *above, key)


def _is_too_large(value: object) -> bool:
    return isinstance(value, int | float) and not abs(value) < _LIMIT


def _format_request(line: str) -> str:
    comment = line.partition(" # ")[2].strip()
    return f"to be filled in: {comment}" if comment else "to be filled in"


def _child(node: Node, key: Key) -> Node | None:
    value = node.value
    if isinstance(value, list) and isinstance(key, int):
        return value[key] if key < len(value) else None
    if not isinstance(value, dict):
        return None
    if str(key) in value:
        return value[str(key)]
    sources = _merged_nodes(value[_MERGE]) if _MERGE in value else ()
    return next((below for source in sources if (below := _child(source, key))), None)


def _merged_nodes(node: Node) -> Sequence[Node]:
    return node.value if isinstance(node.value, list) else [node]


def _find_placeholders(node: Node) -> Iterator[Node]:
    match node.value:
        case dict() as entries:
            for entry in entries.values():
                yield from _find_placeholders(entry)
        case list() as items:
            for item in items:
                yield from _find_placeholders(item)
        case str() as text if PLACEHOLDER in text:
            yield node
