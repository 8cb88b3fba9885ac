"""Tables in plain text."""

from __future__ import annotations

from tcray.results.display.table import ALWAYS, ColumnSpec, Table, TableRow
from tcray.results.output.terminal.table import Column, fit_columns, format_table, plain, table_width, width_of

NAME = Column.of("name", ["text", None, "x"])
LOSS = Column.of("loss", [0.123456, None, 12345678.0])
RANK = Column.of("rank", [1, 16, None])

RANKS = Table(
    "",
    (
        ColumnSpec("name", "name", ALWAYS),
        ColumnSpec("rank of\nthe fusion", priority=1),
        ColumnSpec("test MAE", priority=3),
        ColumnSpec("note", "text", priority=2),
    ),
    (
        TableRow(("text", "2", "0.9 ± 0.1", "a")),
        TableRow(("audio", "16", "10.25", "")),
        TableRow(("best single: text", "", "–", "b"), "baseline"),
    ),
)


def test_plain_tables_align_numbers_right_and_texts_left():
    """Floats have four significant digits, and None is blank."""
    assert [
        "name       loss  rank",
        "text     0.1235     1",
        "                   16",
        "x     1.235e+07",
    ] == plain([NAME, LOSS, RANK]).splitlines()


def test_a_plain_table_without_rows_is_its_header():
    """A column is then as wide as its name."""
    assert "a  b" == plain([Column.of("a", []), Column.of("b", [])])


def test_columns_are_kept_while_they_fit():
    """Columns are tried in order, so a narrower one may fit after a wider one did not; the first is always kept."""
    columns = [NAME, LOSS, RANK]
    kept = [fit_columns(columns, width, measure=width_of) for width in (21, 20, 10, 1)]
    assert [columns, [NAME, LOSS], [NAME, RANK], [NAME]] == kept
    assert [NAME, LOSS] == fit_columns(columns, 1, measure=width_of, always=2)
    assert [] == fit_columns([], 80, measure=width_of)


def test_a_table_has_rules_below_its_headers_and_above_its_baselines():
    """Signs ± are below one another, and a name runs across the blank texts to its right."""
    lines = [
        "          rank of",
        "name   the fusion  test MAE     note",
        "────────────────────────────────────",
        "text            2    0.9 ± 0.1  a",
        "audio          16  10.25",
        "────────────────────────────────────",
        "best single: text      –        b",
    ]
    assert lines == format_table(RANKS)
    assert max(map(len, lines)) == table_width(RANKS)


def test_columns_of_low_priority_are_left_out():
    """The order of the columns stays, and the names are always kept."""
    assert ["name   the fusion  note", "name"] == [
        next(line for line in format_table(RANKS, width) if line.startswith("name")) for width in (30, 1)
    ]


def test_a_long_name_widens_the_columns_that_it_runs_across():
    """The numbers to the right of the blank texts stay aligned."""
    table = Table("", (ColumnSpec("a", "name"), ColumnSpec("b"), ColumnSpec("c")), (
        TableRow(("x", "1", "2")),
        TableRow(("a very long name", "", "3")),
    ))  # fmt: skip
    assert ["x              1  2", "a very long name  3"] == format_table(table)[2:]


def test_headings_stand_out_from_indented_rows():
    """Rows below a heading are indented by two characters."""
    table = Table("", (ColumnSpec("", "name"), ColumnSpec("p")), (
        TableRow(("mosi, conditioning=none", ""), "heading"),
        TableRow(("gap", "0.1")),
    ))  # fmt: skip
    assert ["mosi, conditioning=none", "  gap               0.1"] == format_table(table)[2:]


def test_brief_columns_have_no_intervals():
    """Only the mean is shown."""
    table = Table("", (ColumnSpec("loss", brief=True),), (TableRow(("0.900 ± 0.020",)), TableRow(("–",))))
    assert [" loss", "─────", "0.900", "    –"] == format_table(table)


def test_headers_are_wrapped_to_the_width_of_their_numbers():
    """Lines are of similar length; names of hyperparameters are broken after `_` and `.`, and `≥ 0` is not."""
    headers = ["test Pearson r", "modality_dropout.audio", "test acc-2 (≥ 0)"]
    texts = ["0.600 ± 0.127", "0.5", "0.750 ± 0.127"]
    table = Table("", tuple(map(ColumnSpec, headers)), (TableRow(tuple(texts)),))
    assert [
        "               modality_",
        "test            dropout.  test acc-2",
        "Pearson r          audio  (≥ 0)",
    ] == format_table(table)[:3]
