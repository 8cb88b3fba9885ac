"""What one value may be."""

from __future__ import annotations

from tcray.config.fields import Kind, ListOf, Name, Number, OneOf, Range, Text, Whole, WordOr
from tcray.config.parse import parse_yaml
from tcray.errors import Problem


def read(kind: Kind, text: str) -> object:
    """What a kind reads in YAML text, or the messages of its problems."""
    problems: list[Problem] = []
    node = parse_yaml(text, problems)
    assert node is not None
    value = kind.read(node, problems)
    return [problem.message for problem in problems] or value


def test_a_whole_number_has_no_fraction_and_a_minimum() -> None:
    """Booleans, texts, fractions and lists are told for what they are."""
    kind = Whole(1)
    assert read(kind, "3") == 3
    assert read(kind, "0") == ["expected at least 1, found 0"]
    assert read(kind, "four") == ['expected a whole number, found "four"']
    assert read(kind, "'4'") == ['expected a whole number, found "4"']
    assert read(kind, "true") == ["expected a whole number, found true"]
    assert read(kind, "4.0") == ["expected a whole number, found 4.0"]
    assert read(kind, "[4]") == ["expected a whole number, found a list"]


def test_a_number_is_finite_within_its_range_and_always_a_float() -> None:
    """The ends belong to the range as its words say; 1 and 1.0 are one value, and so are 0.0 and -0.0."""
    kind = Number(Range(at_least=0, below=1))
    assert (read(kind, "0"), type(read(kind, "0"))) == (0.0, float)
    assert str(read(kind, "-0.0")) == "0.0"
    assert read(kind, "1.0") == ["expected at least 0 and below 1, found 1.0"]
    assert read(kind, "-0.1") == ["expected at least 0 and below 1, found -0.1"]
    assert read(kind, ".nan") == ["expected a finite number, found nan"]
    assert read(kind, "1e999") == ["expected a finite number, found inf"]
    assert read(kind, "false") == ["expected a number, found false"]
    assert read(kind, "much") == ['expected a number, found "much"']
    assert read(Number(Range(above=0, at_most=2)), "0") == ["expected above 0 and at most 2, found 0"]


def test_a_few_words_are_listed_and_of_many_the_nearest_is_offered() -> None:
    """Up to four words fit in the sentence."""
    assert read(OneOf(("auto", "cpu", "cuda")), "gpu") == ['expected auto, cpu or cuda, found "gpu"']
    many = OneOf(("alpha", "beta", "gamma", "delta", "epsilon"))
    assert read(many, "gama") == ['there is no "gama"; did you mean "gamma"?']
    assert read(many, "omega minus") == ['expected alpha, beta, gamma, delta or epsilon, found "omega minus"']
    assert read(many, "[alpha]") == ["expected alpha, beta, gamma, delta or epsilon, found a list"]


def test_a_name_can_stand_in_a_path() -> None:
    """Neither dots, slashes and spaces nor 65 characters."""
    expected = "expected a name (a letter, then letters, digits, _ and -, 64 at most), found "
    assert read(Name(), "mosi-heldout_2") == "mosi-heldout_2"
    assert read(Name(), "../x") == [expected + '"../x"']
    assert read(Name(), "mösi") == [expected + '"mösi"']
    assert read(Name(), "a" * 64) == "a" * 64
    assert read(Name(), "a" * 65) == [expected + f'"{"a" * 39}…"']


def test_a_text_says_something() -> None:
    """Blank texts and numbers are no texts."""
    assert read(Text(), "' why? '") == "why?"
    assert read(Text(), "' '") == ['expected a text, found " "']
    assert read(Text(), "3") == ["expected a text, found 3"]


def test_a_special_word_stands_beside_another_kind() -> None:
    """A wrong word hears of both, a wrong number of its range."""
    kind = WordOr("auto", Whole(1), "a whole number")
    assert read(kind, "auto") == "auto"
    assert read(kind, "8") == 8
    assert read(kind, "many") == ['expected auto or a whole number, found "many"']
    assert read(kind, "0") == ["expected at least 1, found 0"]


def test_a_list_has_each_value_once() -> None:
    """Repeats are found after conversion, and whatever the order within a list of names."""
    kind = ListOf(Number(Range()), "level")
    assert read(kind, "[1, 2.5]") == (1.0, 2.5)
    assert read(kind, "[]") == ["expected at least one level, found an empty list"]
    assert read(kind, "[1, 2, 1.0]") == ["1.0 is given twice"]
    assert read(kind, "1") == ["expected a list of levels, found 1"]
    assert read(ListOf(ListOf(Name(), "name"), "level"), "[[a, b], [b, a]]") == ["[b, a] is given twice"]
    assert read(ListOf(Name(), "claim", least=0), "[]") == ()
