"""A cluster file: what it says to Ray's launcher, and where it says it."""

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

UNFILLED = "FILL_IN"
"""What stands in a cluster file where its user has to say something."""

SPOT_FIRST = "tcray.cluster.aws.SpotFirst"
"""Our provider of machines from AWS, as a cluster file names it."""

Key = str | int

_ENDLESS = 10**15
"""Ray counts in ten-thousandths, and has 64 bits for them."""

_MERGE = "<<"


@dataclass(frozen=True, slots=True)
class ClusterFile:
    """A file for `ray up`."""

    path: str
    text: str
    root: Node
    """Everything in it, each value at its place."""
    config: Mapping[str, Any]
    """The same, as Ray's launcher reads it: by YAML 1.1, which knows `yes`, `0600` and merged mappings (`<<`)."""

    @property
    def is_local(self) -> bool:
        """Whether its machines are there already, and have addresses."""
        return self.text_at("provider", "type") == "local"

    @property
    def is_aws(self) -> bool:
        """Whether its machines come from AWS."""
        kind = self.text_at("provider", "type")
        return kind == "aws" or (kind == "external" and self.text_at("provider", "module") == SPOT_FIRST)

    @property
    def unfilled(self) -> tuple[Problem, ...]:
        """Where the user has still to say something, each with what the file's comment there asks for."""
        lines = self.text.splitlines()
        nodes = {node.place: node for node in reversed([*_unfilled(self.root)])}
        asked = (node.problem(_asked(lines[place.line - 1])) for place, node in nodes.items())
        return tuple(sorted(asked))

    def expect_filled(self) -> None:
        """Raises ConfigError where something has still to be filled in."""
        if unfilled := self.unfilled:
            raise ConfigError(self.path, unfilled)

    def value(self, *keys: Key) -> Any:
        """What Ray reads at `keys`; None where there is nothing."""
        value: Any = self.config
        for key in keys:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def mapping(self, *keys: Key) -> dict[str, Any]:
        """The mapping at `keys`; an empty one where there is none."""
        value = self.value(*keys)
        return value if isinstance(value, dict) else {}

    def texts(self, *keys: Key) -> list[str]:
        """The texts of the list at `keys`, each at its index; empty ones in the place of what is no text."""
        value = self.value(*keys)
        return [item if isinstance(item, str) else "" for item in value] if isinstance(value, list) else []

    def text_at(self, *keys: Key) -> str:
        """The text at `keys`; an empty one where there is none."""
        value = self.value(*keys)
        return value if isinstance(value, str) else ""

    def node(self, *keys: Key) -> Node:
        """What stands at `keys`; where the file has nothing there, the innermost mapping or list around it."""
        node = self.root
        for key in keys:
            below = _below(node, key)
            if below is None:
                break
            path = f"{node.path}[{key}]" if isinstance(node.value, list) else node.below(str(key))
            node = replace(below, path=path)  # without the `<<` that it may have come by
        return node


def load_cluster_file(path: str) -> ClusterFile:
    """The cluster file at `path`, of which nothing is known yet but that it has keys.

    Raises:
        ConfigError: where the file cannot be read, is not YAML, or has no keys.
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
    file = ClusterFile(path, text, root, _as_ray_reads(path, text))
    if problems := [*_strangers(file, file.config)]:
        raise ConfigError(path, problems)
    return file


def _as_ray_reads(path: str, text: str) -> dict[str, Any]:
    try:
        config = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:  # what only YAML 1.1 knows: a merge of what is no mapping
        mark = error.problem_mark
        assert mark is not None
        raise ConfigError(
            path, [Problem(mark.line + 1, mark.column + 1, "", f"not valid YAML: {error.problem}")]
        ) from None
    except ValueError as error:  # likewise: a date that is none
        raise ConfigError(path, [Problem(0, 0, "", f"not valid YAML 1.1, which Ray reads: {error}")]) from None
    assert isinstance(config, dict)
    return config


def _strangers(file: ClusterFile, value: Any, *above: Key) -> Iterator[Problem]:
    """Keys that are no texts, and numbers that nothing counts with; Ray and its schema expect neither."""
    keys = [key for key in value if not isinstance(key, str)] if isinstance(value, dict) else []
    if any(map(_is_beyond_counting, (value, *keys))):
        yield file.node(*above).problem("no number that Ray could count with; expected one of at most 15 digits")
        return
    for key in keys:
        sentence = f"the key {key} is no text to YAML 1.1, by which Ray reads it; put it in quotes"
        yield file.node(*above).key_problem(sentence)
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield from _strangers(file, entry, *above, key)


def _is_beyond_counting(value: object) -> bool:
    return isinstance(value, int | float) and not abs(value) < _ENDLESS


def _asked(line: str) -> str:
    comment = line.partition(" # ")[2].strip()
    return f"to be filled in: {comment}" if comment else "to be filled in"


def _below(node: Node, key: Key) -> Node | None:
    value = node.value
    if isinstance(value, list) and isinstance(key, int):
        return value[key] if key < len(value) else None
    if not isinstance(value, dict):
        return None
    if str(key) in value:
        return value[str(key)]
    sources = _merged(value[_MERGE]) if _MERGE in value else ()
    return next((below for source in sources if (below := _below(source, key))), None)


def _merged(node: Node) -> Sequence[Node]:
    return node.value if isinstance(node.value, list) else [node]


def _unfilled(node: Node) -> Iterator[Node]:
    match node.value:
        case dict() as entries:
            for entry in entries.values():
                yield from _unfilled(entry)
        case list() as items:
            for item in items:
                yield from _unfilled(item)
        case str() as text if UNFILLED in text:
            yield node
