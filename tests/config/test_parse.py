"""The YAML parser: scalars of YAML 1.2, places, and refused files."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

from tcray.config.nodes import Node, Place
from tcray.config.parse import parse_yaml
from tcray.errors import Problem
from tests.config.conftest import Load, Problems


def to_plain(node: Node) -> Any:
    """Return the values of a tree without their places."""
    match node.value:
        case dict():
            return {key: to_plain(child) for key, child in node.value.items()}
        case list():
            return [to_plain(child) for child in node.value]
        case _:
            return node.value


def read(text: str) -> Any:
    """Return the values of a valid text."""
    found: list[Problem] = []
    node = parse_yaml(text, found)
    assert found == []
    assert node is not None
    return to_plain(node)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4", 4),
        ("-4", -4),
        ("012", 12),
        ("1e-5", 1e-5),
        ("3.0e-4", 3e-4),
        (".5", 0.5),
        ("1.", 1.0),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("true", True),
        ("False", False),
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("~", None),
        ("null", None),
        ("'4'", "4"),
        ('"true"', "true"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("9" * 18, int("9" * 18)),
        ("9" * 19, 1e19),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    """`1e-5` is a number; `no`, `on`, dates and sexagesimals are words; quoted scalars are texts."""
    assert (value, type(value)) == (read(text), type(read(text)))


def test_nan_is_a_number() -> None:
    """`.nan` is read as NaN; types refuse it."""
    assert math.isnan(read(".nan"))


def test_every_value_has_its_place_and_path() -> None:
    """Lines and columns count from 1; a key has a place of its own."""
    root = parse_yaml("a:\n  b: [1, 2]\n", [])
    assert root is not None
    b = root.at("a", "b")
    assert b is not None
    assert isinstance(b.value, list)
    assert (Place(2, 6), "a.b", Place(2, 3)) == (b.place, b.path, b.key)
    assert (Place(2, 10), "a.b[1]") == (b.value[1].place, b.value[1].path)


def test_aliases_are_expanded() -> None:
    """Anchors are allowed as long as the expanded tree is small."""
    assert read("a: &levels [1, 2]\nb: {c: *levels}\n") == {"a": [1, 2], "b": {"c": [1, 2]}}


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(load: Load) -> None:
    """A file from another editor gives the same sweep."""
    assert load() == load(
        "\r\n", least="\ufeffname: x\r\ndatasets: [mosi]\r\ntraining: {epochs: 9}\r\nconfirm: {seeds: 2}"
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "datasets: [mosi\ntraining: {epochs: 3}\n",
            (
                "2:9: not valid YAML: while parsing a flow sequence that starts on line 1, "
                "expected ',' or ']', but got ':'"
            ),
        ),
        (
            "question: why: not\n",
            '1:14: not valid YAML: mapping values are not allowed here; quote a text that contains ": "',
        ),
        ("training:\n\tepochs: 3\n", "2:1: a tab; YAML is indented with spaces"),
        (
            "name: 'x\n",
            "2:1: not valid YAML: while scanning a quoted scalar that starts on line 1, found unexpected end of stream",
        ),
        (
            "a: 1\n---\nb: 2\n",
            (
                "2:1: not valid YAML: expected a single document in the stream that starts on line 1, "
                "but found another document"
            ),
        ),
        ("name: *rank\n", "1:7: not valid YAML: found undefined alias 'rank'"),
        ('name: "\\U7FFFFFFF"\n', "1:10: not valid YAML: a number that is out of range"),
        ("%YAML " + "9" * 5000 + ".1\n---\n", "1:7: not valid YAML: a number that is out of range"),
        ("name: x\x07\n", "1:8: the character U+0007 is not allowed in YAML"),
        ('name: "\\uD800"\n', "1:7: half of a surrogate pair, which no file can contain"),
        (
            "name: !!python/object/apply:os.system [ls]\n",
            '1:7: a tag ("tag:yaml.org,2002:python/object/apply:o…"); only plain values are allowed',
        ),
        ("? [a, b]\n: 3\n", "1:3: expected a name as key, found a list or mapping"),
        ("a: 1\na: 2\n", "2:1: a: given twice; first on line 1"),
        ("[" * 100_000, "1:33: values nested more than 32 deep, aliases followed"),
        ("a: &a [*a]\n", "1:4: values nested more than 32 deep, aliases followed"),
        ("[" + "1," * 20_000 + "]", "1:20000: more than 10,000 values, aliases followed"),
    ],
)
def test_invalid_text_is_reported_with_its_place(text: str, sentence: str, problems: Problems) -> None:
    """An unreadable text gives one message and no traceback."""
    assert f"x.yaml:{sentence}" in problems(least=text)


def test_a_bomb_of_aliases_is_refused(problems: Problems) -> None:
    """Nine levels of nine aliases would be 387 million values."""
    names = "abcdefghi"
    bomb = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in itertools.pairwise(names)
    )
    assert problems(least=bomb) == ["x.yaml:1:14: more than 10,000 values, aliases followed"]


def test_a_key_given_twice_is_a_problem_at_any_depth(problems: Problems) -> None:
    """The problem is at the second one, with the line of the first."""
    assert problems("fixed: {rank: 2,\n  rank: 4}\n") == ["x.yaml:6:3: fixed.rank: given twice; first on line 5"]
