"""Parser of `--where` expressions: comparisons of columns and values, combined with and, or, not.

expression = comparison | expression ("and" | "or") expression | "not" expression | "(" expression ")"
comparison = operand (("==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in") operand)…
operand    = column | number | text in quotes | True | False | None | "[" operand, … "]"

A column is a name, which may contain dots (`modality_dropout.audio`). A missing value (None, NaN) equals only None, and
is neither less nor greater than anything. `in` searches for a value in a list, or for a text in a text.
"""

from __future__ import annotations

import ast
import difflib
import math
import operator
import warnings
from collections.abc import Callable, Collection, Mapping
from typing import Any

from tcray.errors import InputError

Record = Mapping[str, Any]
Predicate = Callable[[Record], bool]
_Operand = Callable[[Record], Any]

_GRAMMAR = 'Compare columns with values, for example: rank == 4 and state == "COMPLETE" and not test.mae >= 1.0'
_MAX_LENGTH = 10_000

_EQUAL = {ast.Eq: operator.eq, ast.NotEq: operator.ne}
_ORDER = {ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge}


def parse_filter(expression: str, columns: Collection[str]) -> Predicate:
    """Return the predicate on records that `expression` describes.

    The predicate raises `InputError` if it compares a number with a text.

    Raises `InputError` for anything outside the grammar, and for a name that is not in `columns` (the message suggests
    the nearest).
    """
    if len(expression) > _MAX_LENGTH:
        raise InputError(f"--where is longer than {_MAX_LENGTH:,} characters", _GRAMMAR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(expression.strip(), mode="eval")
        return _Compiler(expression.strip(), columns).predicate(tree.body)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"--where {expression[:80]!r} cannot be read", _GRAMMAR) from error


class _Compiler:
    def __init__(self, source: str, columns: Collection[str]) -> None:
        self.source = source
        self.columns = columns

    def predicate(self, node: ast.expr) -> Predicate:
        match node:
            case ast.BoolOp(op=op, values=values):
                parts = [self.predicate(value) for value in values]
                joined = all if isinstance(op, ast.And) else any
                return lambda record: joined(part(record) for part in parts)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                negated = self.predicate(operand)
                return lambda record: not negated(record)
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                operands = [self.operand(one) for one in (left, *comparators)]
                links = [self.link(op, one, other) for op, one, other in zip(ops, operands, operands[1:], strict=False)]
                return lambda record: all(link(record) for link in links)
        raise InputError(f"--where: {self.quote(node)} is not a comparison", _GRAMMAR)

    def link(self, op: ast.cmpop, one: _Operand, other: _Operand) -> Predicate:
        """Return the predicate of one comparison in a chain such as `0 < rank <= 4`."""
        kind = type(op)
        if kind in _EQUAL:
            equal = _EQUAL[kind]
            return lambda record: bool(equal(*_check_comparable(one(record), other(record))))
        if kind in _ORDER:
            order = _ORDER[kind]
            return lambda record: _ordered(order, one(record), other(record))
        if kind in (ast.In, ast.NotIn):
            wanted = kind is ast.In
            return lambda record: _is_in(one(record), other(record)) == wanted
        raise InputError("--where: `is` is not supported, use == or !=", _GRAMMAR)

    def operand(self, node: ast.expr) -> _Operand:
        match node:
            case ast.Constant(value=None | bool() | int() | float() | str() as value):
                return lambda _: value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return lambda _: -value
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                parts = [self.operand(element) for element in elements]
                return lambda record: [part(record) for part in parts]
            case ast.Name() | ast.Attribute():
                name = self.column(node)
                return lambda record: _present(record[name])
        raise InputError(f"--where: {self.quote(node)} is neither a column nor a value", _GRAMMAR)

    def column(self, node: ast.expr) -> str:
        name = _dotted(node)
        if name is None:
            raise InputError(f"--where: {self.quote(node)} is neither a column nor a value", _GRAMMAR)
        if name not in self.columns:
            near = difflib.get_close_matches(name, self.columns, n=1)
            advice = f"Did you mean {near[0]}? " if near else ""
            raise InputError(f"--where: there is no column {name!r}", f'{advice}Write a text in quotes: "{name}".')
        return name

    def quote(self, node: ast.expr) -> str:
        return f"`{(ast.get_source_segment(self.source, node) or self.source)[:80]}`"


def _dotted(node: ast.expr) -> str | None:
    """Return `a.b.c` for nested attributes of a name; None for other expressions."""
    if isinstance(node, ast.Name):
        return node.id
    below = _dotted(node.value) if isinstance(node, ast.Attribute) else None
    return f"{below}.{node.attr}" if below is not None and isinstance(node, ast.Attribute) else None


def _present(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _ordered(order: Callable[[Any, Any], bool], one: Any, other: Any) -> bool:
    one, other = _check_comparable(one, other)
    if isinstance(one, list) or isinstance(other, list):
        raise InputError("--where: a list cannot be compared with <, <=, > or >=", _GRAMMAR)
    return one is not None and other is not None and order(one, other)


def _is_in(value: Any, container: Any) -> bool:
    if isinstance(container, str) and isinstance(value, str):
        return value in container
    if not isinstance(container, list):
        if container is None:
            return False
        raise InputError(
            "--where: `in` requires a list or a text after it", 'For example: conditioning in ["none", "jwae"]'
        )
    return any(operator.eq(*_check_comparable(value, item)) for item in container)


def _check_comparable(one: Any, other: Any) -> tuple[Any, Any]:
    """Return the two values. Raises `InputError` unless they have the same type or one of them is missing."""
    if one is not None and other is not None and _type_name(one) != _type_name(other):
        raise InputError(
            f"--where compares {one!r}, a {_type_name(one)}, with {other!r}, a {_type_name(other)}", _GRAMMAR
        )
    return one, other


def _type_name(value: Any) -> str:
    if isinstance(value, str):
        return "text"
    return "list" if isinstance(value, list) else "number"
