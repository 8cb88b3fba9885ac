"""Tables of robustness."""

from __future__ import annotations

from tcray.results.robustness.tables import build_robustness_tables
from tcray.statistics.estimate import Estimate
from tests.claims.factories import MOSI
from tests.results.factories import make_robustness
from tests.results.output.terminal.fakes import tables_to_text

TABLE = """\
mosi (real): relative robustness, the mean of test MAE over severities
                                     noise     noise
cell                        clean  on text  on audio    PGD
───────────────────────────────────────────────────────────
rank=2, conditioning=none   0.900        –     1.000  2.000
rank=12, conditioning=none  0.900    1.260         –      –

"""

PARTS = [
    make_robustness(MOSI, 2, "none", "noise:text", area=Estimate(None)),
    make_robustness(MOSI, 2, "none", "pgd", area=Estimate(2.0)),
    make_robustness(MOSI, 2, "none", "noise:audio", area=Estimate(1.0)),
    make_robustness(MOSI, 2, "none", "missing"),
    make_robustness(MOSI, 12, "none", "noise:text"),
]


def test_each_cell_has_a_row_and_each_corruption_a_column():
    """Noises are neighbors, and missing modalities have no severities to average over."""
    assert TABLE == tables_to_text(build_robustness_tables(PARTS))


def test_corruptions_that_do_not_fit_are_left_out():
    """The names of the cells are always shown."""
    text = tables_to_text(build_robustness_tables(PARTS), 42)
    assert "rank=12, conditioning=none  0.900    1.260\n" in text
    assert "PGD" not in text


def test_effective_robustness_has_a_table_of_its_own():
    """Only cells that can be compared have a row."""
    _, table = build_robustness_tables([*PARTS, make_robustness(MOSI, 2, "jwae", "pgd")])
    assert [("rank=2, conditioning=jwae", "–", "–", "+0.010 ± 0.020")] == [row.texts for row in table.rows]


def test_without_corruptions_there_is_no_table():
    """Missing modalities alone do not count as corruptions with severities."""
    assert [] == list(build_robustness_tables([make_robustness(MOSI, 2, "none", "missing")]))
