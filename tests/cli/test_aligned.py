"""Tables in plain text."""

from __future__ import annotations

from tcray.cli.aligned import Column, aligned, fitting

NAME = Column.of("name", ["text", None, "x"])
LOSS = Column.of("loss", [0.123456, None, 12345678.0])
RANK = Column.of("rank", [1, 16, None])


def test_numbers_stand_to_the_right_and_texts_to_the_left():
    """Four digits of a float, nothing where there is nothing."""
    assert aligned([NAME, LOSS, RANK]).splitlines() == [
        "name       loss  rank",
        "text     0.1235     1",
        "                   16",
        "x     1.235e+07",
    ]


def test_columns_are_taken_while_they_fit():
    """In order, and a narrower one after one that did not fit; the first always."""
    assert fitting([NAME, LOSS, RANK], 21) == [NAME, LOSS, RANK]
    assert fitting([NAME, LOSS, RANK], 20) == [NAME, LOSS]
    assert fitting([NAME, LOSS, RANK], 10) == [NAME, RANK]
    assert fitting([NAME, LOSS, RANK], 1) == [NAME]
    assert fitting([], 80) == []


def test_a_table_without_rows_is_its_header():
    """A column is as wide as its name then."""
    assert aligned([Column.of("a", []), Column.of("b", [])]) == "a  b"
