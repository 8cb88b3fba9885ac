"""Parser from YAML text to a tree of nodes, with the scalars of YAML 1.2: `1e-5` is a number, `no` is a word."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import yaml

from tcray.config.messages import format_key, quote_text
from tcray.config.nodes import Node, Place, Scalar
from tcray.errors import Problem

MAX_VALUES = 10_000
MAX_DEPTH = 32

_WHOLE = re.compile(r"[-+]?[0-9]+")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE_OR_NAN = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LITERALS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_EXACT_DIGITS = 18
"""Whole numbers with more digits may not fit into 64 bits; they are read as floating-point numbers."""


def parse_yaml(text: str, problems: list[Problem], override: Place | None = None, path: str = "") -> Node | None:
    """Parse `text` to a tree in which every value has its place, or the place `override` if that is given.

    Return None, with the reason appended to `problems`, if the text is not valid YAML. An empty text is a node whose
    value is None.
    """

    def place(mark: yaml.Mark) -> Place:
        return override or Place(mark.line + 1, mark.column + 1)

    composer = None
    try:
        composer = _Composer(text)
        root = composer.get_single_node()
        if root is None:
            return Node(None, override or Place(1, 1), path)
        return _TreeBuilder(place, problems).build(root, path, None, level=1)
    except _RefusedError as error:
        problems.append(place(error.mark).problem(path, error.message))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        assert mark is not None
        problems.append(place(mark).problem(path, _describe_error(error, override)))
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        column = error.position - before.rfind("\n")
        where = override or Place(before.count("\n") + 1, column)
        problems.append(where.problem(path, f"the character U+{ord(text[error.position]):04X} is not allowed in YAML"))
    except (ValueError, OverflowError):
        # PyYAML passes escapes such as "\UFFFFFFFF" and overlong version numbers to `chr` and `int` unchecked.
        assert composer is not None
        problems.append(place(composer.get_mark()).problem(path, "not valid YAML: a number that is out of range"))
    return None


def _describe_error(error: yaml.MarkedYAMLError, override: Place | None) -> str:
    problem, context = (" ".join((part or "").split()) for part in (error.problem, error.context))
    if r"character '\t'" in problem:
        return "a tab; YAML is indented with spaces"
    if problem == "mapping values are not allowed here":
        problem += '; quote a text that contains ": "'
    if context and error.context_mark:
        start = "" if override else f" that starts on line {error.context_mark.line + 1}"
        problem = f"{context}{start}, {problem}"
    return f"not valid YAML: {problem}"


class _RefusedError(Exception):
    """Valid YAML that configuration files may not use."""

    def __init__(self, mark: yaml.Mark, message: str) -> None:
        super().__init__(mark, message)
        self.mark = mark
        self.message = message


class _Composer(yaml.BaseLoader):
    """PyYAML's composer without tags, and with limits on sizes that would exhaust time or stack."""

    values = 0
    level = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # types-PyYAML has no annotations for it
        if getattr(event, "tag", None):
            raise _RefusedError(event.start_mark, f"a tag ({quote_text(event.tag)}); only plain values are allowed")
        self.values += 1
        self.level += 1
        _check_size(event.start_mark, self.values, self.level)
        node = super().compose_node(parent, index)
        self.level -= 1
        return node


@dataclass
class _TreeBuilder:
    """Converter of PyYAML's nodes to `Node`; follows aliases up to `MAX_VALUES` and `MAX_DEPTH`."""

    place: Callable[[yaml.Mark], Place]
    problems: list[Problem]
    values: int = field(default=0, init=False)

    def build(self, source: yaml.Node, path: str, key: Place | None, level: int) -> Node:
        self.values += 1
        _check_size(source.start_mark, self.values, level)
        place = self.place(source.start_mark)
        match source:
            case yaml.MappingNode():
                return Node(dict(self.build_entries(source, path, level)), place, path, key)
            case yaml.SequenceNode():
                items = [self.build(item, f"{path}[{i}]", None, level + 1) for i, item in enumerate(source.value)]
                return Node(items, place, path, key)
            case yaml.ScalarNode():
                return Node(_scalar(source), place, path, key)
            case _:
                raise AssertionError(source)

    def build_entries(self, source: yaml.MappingNode, path: str, level: int) -> Iterator[tuple[str, Node]]:
        first: dict[str, Place] = {}
        for key_source, value_source in source.value:
            place = self.place(key_source.start_mark)
            if not isinstance(key_source, yaml.ScalarNode):
                self.problems.append(place.problem(path, "expected a name as key, found a list or mapping"))
                continue
            key = _text(key_source)
            below = f"{path}.{format_key(key)}" if path else format_key(key)
            if key in first:
                line = "" if place.override else f"; first on line {first[key].line}"
                self.problems.append(place.problem(below, f"given twice{line}"))
                continue
            first[key] = place
            yield key, self.build(value_source, below, place, level + 1)


def _check_size(mark: yaml.Mark, values: int, level: int) -> None:
    if values > MAX_VALUES:
        raise _RefusedError(mark, f"more than {MAX_VALUES:,} values, aliases followed")
    if level > MAX_DEPTH:
        raise _RefusedError(mark, f"values nested more than {MAX_DEPTH} deep, aliases followed")


def _scalar(source: yaml.ScalarNode) -> Scalar:
    text = _text(source)
    if source.style is not None:  # quoted, or a block: always a text
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
        raise _RefusedError(source.start_mark, "half of a surrogate pair, which no file can contain")
    return text
