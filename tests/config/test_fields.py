"""Types of single values."""

from __future__ import annotations

from tcray.config.fields import FieldType, Integer, ListOf, Name, Number, OneOf, Range, Text, WordOr
from tcray.config.parse import parse_yaml
from tcray.errors import Problem


def read(type_: FieldType, text: str) -> object:
    """Return the value that a type reads from YAML text, or the messages of its problems."""
    problems: list[Problem] = []
    node = parse_yaml(text, problems)
    assert node is not None
    value = type_.read(node, problems)
    return [problem.message for problem in problems] or value


def test_integer_accepts_whole_numbers_from_a_minimum() -> None:
    """The message names a boolean, text, fraction or list that was found instead."""
    type_ = Integer(1)
    assert read(type_, "3") == 3
    assert read(type_, "0") == ["expected at least 1, found 0"]
    assert read(type_, "four") == ['expected a whole number, found "four"']
    assert read(type_, "'4'") == ['expected a whole number, found "4"']
    assert read(type_, "true") == ["expected a whole number, found true"]
    assert read(type_, "4.0") == ["expected a whole number, found 4.0"]
    assert read(type_, "[4]") == ["expected a whole number, found a list"]


def test_number_accepts_finite_numbers_in_range_and_returns_floats() -> None:
    """Bounds are inclusive or exclusive as declared; 1 and 1.0 are the same value, and so are 0.0 and -0.0."""
    type_ = Number(Range(at_least=0, below=1))
    assert (read(type_, "0"), type(read(type_, "0"))) == (0.0, float)
    assert str(read(type_, "-0.0")) == "0.0"
    assert read(type_, "1.0") == ["expected at least 0 and below 1, found 1.0"]
    assert read(type_, "-0.1") == ["expected at least 0 and below 1, found -0.1"]
    assert read(type_, ".nan") == ["expected a finite number, found nan"]
    assert read(type_, "1e999") == ["expected a finite number, found inf"]
    assert read(type_, "false") == ["expected a number, found false"]
    assert read(type_, "much") == ['expected a number, found "much"']
    assert read(Number(Range(above=0, at_most=2)), "0") == ["expected above 0 and at most 2, found 0"]


def test_one_of_lists_few_options_and_suggests_the_nearest_of_many() -> None:
    """Up to four options are listed in the message."""
    assert read(OneOf(("auto", "cpu", "cuda")), "gpu") == ['expected auto, cpu or cuda, found "gpu"']
    many = OneOf(("alpha", "beta", "gamma", "delta", "epsilon"))
    assert read(many, "gama") == ['there is no "gama"; did you mean "gamma"?']
    assert read(many, "omega minus") == ['expected alpha, beta, gamma, delta or epsilon, found "omega minus"']
    assert read(many, "[alpha]") == ["expected alpha, beta, gamma, delta or epsilon, found a list"]


def test_name_accepts_only_names_that_are_safe_in_paths() -> None:
    """Dots, slashes, spaces, umlauts and more than 64 characters are refused."""
    expected = "expected a name (a letter, then letters, digits, _ and -, 64 at most), found "
    assert read(Name(), "mosi-heldout_2") == "mosi-heldout_2"
    assert read(Name(), "../x") == [expected + '"../x"']
    assert read(Name(), "mösi") == [expected + '"mösi"']
    assert read(Name(), "a" * 64) == "a" * 64
    assert read(Name(), "a" * 65) == [expected + f'"{"a" * 39}…"']


def test_text_is_not_blank() -> None:
    """Blank texts and numbers are refused."""
    assert read(Text(), "' why? '") == "why?"
    assert read(Text(), "' '") == ['expected a text, found " "']
    assert read(Text(), "3") == ["expected a text, found 3"]


def test_word_or_accepts_a_word_and_values_of_another_type() -> None:
    """The message for a wrong word names both; the message for a wrong number names its range."""
    type_ = WordOr("auto", Integer(1), "a whole number")
    assert read(type_, "auto") == "auto"
    assert read(type_, "8") == 8
    assert read(type_, "many") == ['expected auto or a whole number, found "many"']
    assert read(type_, "0") == ["expected at least 1, found 0"]


def test_list_of_refuses_duplicates() -> None:
    """Values are compared after conversion, and lists of names regardless of their order."""
    type_ = ListOf(Number(Range()), "level")
    assert read(type_, "[1, 2.5]") == (1.0, 2.5)
    assert read(type_, "[]") == ["expected at least one level, found an empty list"]
    assert read(type_, "[1, 2, 1.0]") == ["1.0 is given twice"]
    assert read(type_, "1") == ["expected a list of levels, found 1"]
    assert read(ListOf(ListOf(Name(), "name"), "level"), "[[a, b], [b, a]]") == ["[b, a] is given twice"]
    assert read(ListOf(Name(), "claim", min_length=0), "[]") == ()
