"""From YAML text to a tree of nodes, by the scalars of YAML 1.2: `1e-5` is a number, `no` is a word."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import yaml

from tcray.config.messages import format_key, quote_text
from tcray.config.nodes import Node, Place, Scalar
from tcray.errors import Problem

MOST_VALUES = 10_000
MOST_LEVELS = 32

_WHOLE = re.compile(r"[-+]?[0-9]+")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE_OR_NAN = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LITERALS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_EXACT_DIGITS = 18
"""Whole numbers of more digits than this do not fit in 64 bits; they are read as floating-point numbers."""


def parse_yaml(text: str, problems: list[Problem], override: Place | None = None, path: str = "") -> Node | None:
    """The tree of `text`, every value at its place (or at `override`); None, and the reason in `problems`, if broken.

    A text that says nothing is a node whose value is None.
    """

    def place(mark: yaml.Mark) -> Place:
        return override or Place(mark.line + 1, mark.column + 1)

    composer = None
    try:
        composer = _Composer(text)
        root = composer.get_single_node()
        if root is None:
            return Node(None, override or Place(1, 1), path)
        return _Growth(place, problems).grow(root, path, None, level=1)
    except _RefusedError as error:
        problems.append(place(error.mark).problem(path, error.sentence))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        assert mark is not None
        problems.append(place(mark).problem(path, _sentence(error, override)))
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        column = error.position - before.rfind("\n")
        where = override or Place(before.count("\n") + 1, column)
        problems.append(where.problem(path, f"the character U+{ord(text[error.position]):04X} may not stand in YAML"))
    except (ValueError, OverflowError):
        # PyYAML hands escapes such as "\UFFFFFFFF" and overlong version numbers to `chr` and `int` unchecked.
        assert composer is not None
        problems.append(place(composer.get_mark()).problem(path, "not valid YAML: a number that is out of range"))
    return None


def _sentence(error: yaml.MarkedYAMLError, override: Place | None) -> str:
    problem, context = (" ".join((said or "").split()) for said in (error.problem, error.context))
    if r"character '\t'" in problem:
        return "a tab; YAML is indented with spaces"
    if problem == "mapping values are not allowed here":
        problem += '; a text that holds ": " needs quotes'
    if context and error.context_mark:
        begun = "" if override else f" begun on line {error.context_mark.line + 1}"
        problem = f"{context}{begun}, {problem}"
    return f"not valid YAML: {problem}"


class _RefusedError(Exception):
    """YAML that is valid, and that no such file needs."""

    def __init__(self, mark: yaml.Mark, sentence: str) -> None:
        super().__init__(mark, sentence)
        self.mark = mark
        self.sentence = sentence


class _Composer(yaml.BaseLoader):
    """PyYAML's composer without tags, and without sizes that would exhaust time or stack."""

    values = 0
    level = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # types-PyYAML has no annotations for it
        if getattr(event, "tag", None):
            raise _RefusedError(event.start_mark, f"a tag ({quote_text(event.tag)}); only plain values may stand here")
        self.values += 1
        self.level += 1
        _check_size(event.start_mark, self.values, self.level)
        node = super().compose_node(parent, index)
        self.level -= 1
        return node


@dataclass
class _Growth:
    """Turns PyYAML's nodes into ours, following aliases as far as a sweep file can need."""

    place: Callable[[yaml.Mark], Place]
    problems: list[Problem]
    values: int = field(default=0, init=False)

    def grow(self, source: yaml.Node, path: str, key: Place | None, level: int) -> Node:
        self.values += 1
        _check_size(source.start_mark, self.values, level)
        place = self.place(source.start_mark)
        match source:
            case yaml.MappingNode():
                return Node(dict(self.entries(source, path, level)), place, path, key)
            case yaml.SequenceNode():
                items = [self.grow(item, f"{path}[{i}]", None, level + 1) for i, item in enumerate(source.value)]
                return Node(items, place, path, key)
            case yaml.ScalarNode():
                return Node(_scalar(source), place, path, key)
            case _:
                raise AssertionError(source)

    def entries(self, source: yaml.MappingNode, path: str, level: int) -> Iterator[tuple[str, Node]]:
        first: dict[str, Place] = {}
        for key_source, value_source in source.value:
            place = self.place(key_source.start_mark)
            if not isinstance(key_source, yaml.ScalarNode):
                self.problems.append(place.problem(path, "expected a name as key, found a list or mapping"))
                continue
            key = _text(key_source)
            below = f"{path}.{format_key(key)}" if path else format_key(key)
            if key in first:
                again = "" if place.override else f"; first on line {first[key].line}"
                self.problems.append(place.problem(below, f"given twice{again}"))
                continue
            first[key] = place
            yield key, self.grow(value_source, below, place, level + 1)


def _check_size(mark: yaml.Mark, values: int, level: int) -> None:
    if values > MOST_VALUES:
        raise _RefusedError(mark, f"more than {MOST_VALUES:,} values, aliases followed")
    if level > MOST_LEVELS:
        raise _RefusedError(mark, f"values nested more than {MOST_LEVELS} deep, aliases followed")


def _scalar(source: yaml.ScalarNode) -> Scalar:
    text = _text(source)
    if source.style is not None:  # in quotes, or a block: always a text
        return text
    if text in _LITERALS:
        return _LITERALS[text]
    if _WHOLE.fullmatch(text) and len(text) <= _EXACT_DIGITS:
        return int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    if _INFINITE_OR_NAN.fullmatch(text):
        return float(text.replace(".", ""))
    return text


def _text(source: yaml.ScalarNode) -> str:
    text: str = source.value
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise _RefusedError(source.start_mark, "half of a surrogate pair, which no file can hold")
    return text
