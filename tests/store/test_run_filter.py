"""Tests of `--where` expressions."""

from __future__ import annotations

from math import nan
from typing import Any

import pytest

from tcray.errors import InputError
from tcray.store.run_filter import parse_filter

RECORD: dict[str, Any] = {
    "rank": 4,
    "state": "COMPLETE",
    "conditioning": "jwae",
    "modalities": "text+audio",
    "lr": 0.01,
    "test.mae": 0.95,
    "last.test.mae": nan,
    "modality_dropout.audio": None,
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rank == 4", True),
        ("rank != 4", False),
        ("4 == rank", True),
        ("rank == 4.0", True),
        ('rank == 4 and state == "COMPLETE"', True),
        ("rank == 5 or state == 'COMPLETE'", True),
        ("not rank == 4", False),
        ("not (rank == 5 or rank == 6) and lr > 0", True),
        ("rank == 5 and lr > 0 or lr < 1", True),
        ("test.mae < 1.0", True),
        ("test.mae >= 1e-3", True),
        ("0 < test.mae <= 0.95", True),
        ("0.5 < rank < 2", False),
        ("lr > -1", True),
        ('conditioning in ["none", "jwae"]', True),
        ('conditioning not in ("none", "jwae")', False),
        ("rank in [1, 2, 3]", False),
        ("rank in []", False),
        ('"audio" in modalities', True),
        ('"video" in modalities', False),
        ("modality_dropout.audio == None", True),
        ("modality_dropout.audio != None", False),
        ("modality_dropout.audio < 1", False),
        ("modality_dropout.audio >= 1", False),
        ("modality_dropout.audio == 0.3", False),
        ("last.test.mae == None", True),
        ("last.test.mae < 1", False),
        ("test.mae != None", True),
        ("  rank == 4\n", True),
        ("rank == True", False),
        ("'\\d' != state != '1'and rank == 4", True),
    ],
)
def test_an_expression_is_true_or_false(expression: str, expected: bool) -> None:
    """Comparisons may be chained and combined with and, or, not; a missing value equals only None."""
    assert parse_filter(expression, RECORD.keys())(RECORD) is expected


@pytest.mark.parametrize(
    ("expression", "message", "remedy"),
    [
        ("rnak == 4", "--where: there is no column 'rnak'", 'Did you mean rank? Write a text in quotes: "rnak".'),
        (
            "state == COMPLETE",
            "--where: there is no column 'COMPLETE'",
            'Write a text in quotes: "COMPLETE".',
        ),
        (
            "test.mea < 1",
            "--where: there is no column 'test.mea'",
            'Did you mean test.mae? Write a text in quotes: "test.mea".',
        ),
    ],
)
def test_an_unknown_column_is_an_error_with_the_nearest_name(expression: str, message: str, remedy: str) -> None:
    """The remedy also shows how to write a text, since missing quotes are the more likely mistake."""
    with pytest.raises(InputError) as caught:
        parse_filter(expression, RECORD.keys())
    assert (caught.value.message, caught.value.remedy) == (message, remedy)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("rank", "--where: `rank` is not a comparison"),
        ("True", "--where: `True` is not a comparison"),
        ("rank == 4 and lr", "--where: `lr` is not a comparison"),
        ("rank + 1 == 5", "--where: `rank + 1` is neither a column nor a value"),
        ("rank == 2 ** 2", "--where: `2 ** 2` is neither a column nor a value"),
        ("rank == -lr", "--where: `-lr` is neither a column nor a value"),
        ("rank == b'4'", "--where: `b'4'` is neither a column nor a value"),
        ("rank == 4j", "--where: `4j` is neither a column nor a value"),
        ("rank == ...", "--where: `...` is neither a column nor a value"),
        ("rank is None", "--where: `is` is not supported, use == or !="),
        ("(rank == 4) == True", "--where: `rank == 4` is neither a column nor a value"),
        ("rank == {1: 2}", "--where: `{1: 2}` is neither a column nor a value"),
        ("[r for r in [1]] == rank", "--where: `[r for r in [1]]` is neither a column nor a value"),
        ("rank if rank == 4 else lr", "--where: `rank if rank == 4 else lr` is not a comparison"),
        ("(lambda: 1)() == rank", "--where: `(lambda: 1)()` is neither a column nor a value"),
        ("(rank := 5) == 5", "--where: `rank := 5` is neither a column nor a value"),
        ("f'{rank}' == '4'", "--where: `f'{rank}'` is neither a column nor a value"),
        ("*rank == 4", "--where '*rank == 4' cannot be read"),
        ("rank = 4", "--where 'rank = 4' cannot be read"),
        ("rank == ", "--where 'rank == ' cannot be read"),
        ("", "--where '' cannot be read"),
        ("rank == 4; lr == 1", "--where 'rank == 4; lr == 1' cannot be read"),
        ("rank == 4\x00", "--where 'rank == 4\\x00' cannot be read"),
    ],
)
def test_other_python_expressions_are_refused(expression: str, message: str) -> None:
    """The message quotes the invalid part, and the remedy shows a valid expression."""
    with pytest.raises(InputError) as caught:
        parse_filter(expression, RECORD.keys())
    assert caught.value.message == message
    assert caught.value.remedy == (
        'Compare columns with values, for example: rank == 4 and state == "COMPLETE" and not test.mae >= 1.0'
    )


@pytest.mark.parametrize(
    "attack",
    [
        "__import__('os').system('touch owned') == 0",
        "().__class__.__bases__[0].__subclasses__() == 0",
        "state.__class__ == 0",
        "state.format == 0",
        "rank.real == 4",
        "open('/etc/passwd').read() == ''",
        "exec('x') == None",
        "state[0] == 'C'",
        "rank == 9 ** 9 ** 9 ** 9",
        "rank == " + "9" * 5000,
        "rank == 4 and " + "(" * 300 + "rank == 4" + ")" * 300,
        "not " * 3000 + "rank == 4",
        "rank == " + "-" * 9000 + "1",
        "rank == 4" + " and rank == 4" * 5000,
        "a" + ".a" * 4000 + " == 1",
        "rank == " + "[" * 150 + "]" * 150,
    ],
    ids=lambda attack: attack[:24],
)
def test_an_attack_is_refused(attack: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is called, looked up or computed; too deep and too long expressions are errors, not crashes."""
    monkeypatch.chdir(str(tmp_path))
    with pytest.raises(InputError, match="--where"):
        parse_filter(attack, RECORD.keys())(RECORD)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ('rank == "4"', "--where compares 4, a number, with '4', a text"),
        ('rank < "a"', "--where compares 4, a number, with 'a', a text"),
        ("state > 1", "--where compares 'COMPLETE', a text, with 1, a number"),
        ('rank in [4, "a"] and rank in ["a", 4]', "--where compares 4, a number, with 'a', a text"),
        ("rank == [4]", "--where compares 4, a number, with [4], a list"),
        ("[1] < [2]", "--where: a list cannot be compared with <, <=, > or >="),
        ("rank in 4", "--where: `in` requires a list or a text after it"),
        ("rank in state", "--where: `in` requires a list or a text after it"),
    ],
)
def test_comparing_different_types_is_an_error(expression: str, message: str) -> None:
    """Such a comparison would never be true, which the user cannot have intended."""
    with pytest.raises(InputError) as caught:
        parse_filter(expression, RECORD.keys())(RECORD)
    assert caught.value.message == message
