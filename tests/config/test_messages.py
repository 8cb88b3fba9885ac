"""How problems are worded."""

from __future__ import annotations

import pytest

from tcray.config.messages import clipped, found, listed, nearest, quoted, shown, unknown


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
def test_every_kind_of_value_has_its_words(value: object, words: str) -> None:
    """What was found is told as YAML would write it, or by its kind."""
    assert words == found(value)


def test_long_and_unprintable_texts_stay_on_one_harmless_line() -> None:
    """A text is cut at 40 characters, and control characters are escaped."""
    assert quoted("a" * 1000) == '"' + "a" * 39 + '…"'
    assert quoted("a\n\x1b[2J") == r'"a\n\u001b[2J"'
    assert clipped("\udcff") == r"\udcff"


def test_a_key_that_is_no_name_is_quoted_in_a_path() -> None:
    """Dots and hyphens belong to names, spaces and newlines do not."""
    assert [shown(key) for key in ("modality_dropout.audio", "a b", "")] == ["modality_dropout.audio", '"a b"', '""']


def test_names_are_listed_as_in_a_sentence() -> None:
    """One name stands alone; the last of several follows its conjunction."""
    assert [listed("a"), listed("ab"), listed("abc", "and")] == ["a", "a or b", "a, b and c"]


def test_the_nearest_name_is_offered_if_there_is_one() -> None:
    """Where no name is near, all of them are told."""
    assert nearest("epoch", ["epochs", "seed"]) == "epochs"
    assert nearest("gamma", ["epochs", "seed"]) == ""
    assert unknown("epoch", ["epochs", "seed"]) == 'did you mean "epochs"?'
    assert unknown("gamma", ["epochs", "seed"]) == "there are epochs and seed"
    assert unknown("gamma", ["epochs"]) == "there is epochs"
