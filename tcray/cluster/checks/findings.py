"""What a check finds: what is wrong, with which no cluster should be brought up, and notes, which one may know."""

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
    """A sentence on one place of a cluster file."""

    said: Problem
    is_note: bool = False
    reads: tuple[str, ...] = ()
    """The paths that it draws conclusions from, beside its own."""

    def rests_on(self, path: str) -> bool:
        """Whether it is said of what stands at this path or below, or concluded from anything there."""
        return _holds(path, self.said.path) or any(_holds(path, read) or _holds(read, path) for read in self.reads)


def _holds(outer: str, inner: str) -> bool:
    """Whether a path is another, or leads below it."""
    return f"{inner}.".startswith((f"{outer}.", f"{outer}["))


def wrong(node: Node, sentence: str, *reads: str) -> Finding:
    """What is wrong with a value, if the values at `reads` are to be believed."""
    return Finding(node.problem(sentence), reads=reads)


def wrong_key(node: Node, sentence: str) -> Finding:
    """What is wrong with its standing there."""
    return Finding(node.key_problem(sentence))


def lacking(node: Node, key: str, sentence: str = MISSING, *reads: str) -> Finding:
    """What is wrong with there being no `key` in a mapping, if the values at `reads` are to be believed."""
    return Finding(node.key_place.problem(node.below(key), sentence), reads=reads)


def required(
    file: ClusterFile, above: tuple[Key, ...], key: str, known: Collection[str], sentence: str = MISSING
) -> Iterator[Finding]:
    """That the mapping `above` lacks `key`, unless one of its keys that are not `known` was probably meant to be it."""
    mapping = file.mapping(*above)
    meant = {find_nearest(str(other), known) for other in mapping if other not in known}
    if mapping.get(key) is None and key not in meant:
        yield lacking(file.node(*above), key, sentence)


def note(node: Node, sentence: str) -> Finding:
    """What one may know of a value."""
    return Finding(node.problem(sentence), is_note=True)
