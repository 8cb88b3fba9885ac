"""Tables in plain text."""

from __future__ import annotations

from tcray.results.output.terminal.table import Column, fitting, plain, ruled, width_of

NAME = Column.of("name", ["text", None, "x"])
LOSS = Column.of("loss", [0.123456, None, 12345678.0])
RANK = Column.of("rank", [1, 16, None])


def test_numbers_stand_to_the_right_and_texts_to_the_left() -> None:
    """Four digits of a float, nothing where there is nothing."""
    assert [
        "name       loss  rank",
        "text     0.1235     1",
        "                   16",
        "x     1.235e+07",
    ] == plain([NAME, LOSS, RANK]).splitlines()


def test_headers_stand_on_the_rule() -> None:
    """However many lines each has; reference rows stand below another."""
    ranks = Column(("rank of", "the fusion"), ("2", "16", "–"))
    assert [
        "         rank of",
        "name  the fusion",
        "─" * 16,
        "text           2",
        "              16",
        "─" * 16,
        "x              –",
    ] == ruled([NAME, ranks], baselines=1)


def test_columns_side_by_side_can_be_one() -> None:
    """As wide as they are together."""
    block = Column.block([NAME, RANK])
    assert (("name  rank",), ("text     1", "        16", "x")) == (block.header, block.texts)


def test_columns_are_taken_while_they_fit() -> None:
    """In order, and a narrower one after one that did not fit; the first always."""
    columns = [NAME, LOSS, RANK]
    kept = [fitting(columns, width, taken=width_of) for width in (21, 20, 10, 1)]
    assert [columns, [NAME, LOSS], [NAME, RANK], [NAME]] == kept
    assert [NAME, LOSS] == fitting(columns, 1, taken=width_of, always=2)
    assert [] == fitting([], 80, taken=width_of)


def test_a_table_without_rows_is_its_header() -> None:
    """A column is as wide as its name then."""
    assert "a  b" == plain([Column.of("a", []), Column.of("b", [])])
