"""Wording of problems."""

from __future__ import annotations

import pytest

from tcray.config.messages import (
    clip_text,
    find_nearest,
    format_key,
    format_value,
    join_words,
    quote_text,
    suggest_names,
)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "nothing"),
        (True, "true"),
        ("four", '"four"'),
        (0.5, "0.5"),
        (3, "3"),
        ([1], "a list"),
        ({"a": 1}, "a mapping"),
    ],
)
def test_every_value_is_formatted(value: object, words: str) -> None:
    """Scalars are written as in YAML, lists and mappings by their type."""
    assert words == format_value(value)


def test_long_and_unprintable_texts_stay_on_one_harmless_line() -> None:
    """A text is cut at 40 characters, and control characters are escaped."""
    assert quote_text("a" * 1000) == '"' + "a" * 39 + '…"'
    assert quote_text("a\n\x1b[2J") == r'"a\n\u001b[2J"'
    assert clip_text("\udcff") == r"\udcff"


def test_a_key_that_is_no_name_is_quoted_in_a_path() -> None:
    """Names may contain dots and hyphens, but neither spaces nor newlines."""
    assert [format_key(key) for key in ("modality_dropout.audio", "a b", "")] == [
        "modality_dropout.audio",
        '"a b"',
        '""',
    ]


def test_words_are_joined_as_in_a_sentence() -> None:
    """A single word has no conjunction."""
    assert [join_words("a"), join_words("ab"), join_words("abc", "and")] == ["a", "a or b", "a, b and c"]


def test_the_nearest_name_is_suggested() -> None:
    """If no name is close, all names are listed."""
    assert find_nearest("epoch", ["epochs", "seed"]) == "epochs"
    assert find_nearest("gamma", ["epochs", "seed"]) == ""
    assert suggest_names("epoch", ["epochs", "seed"]) == 'did you mean "epochs"?'
    assert suggest_names("gamma", ["epochs", "seed"]) == "there are epochs and seed"
    assert suggest_names("gamma", ["epochs"]) == "there is epochs"
