"""Tables of the ordered factors."""

from __future__ import annotations

from tcray.results.rank.tables import build_level_tables, build_optimum_tables
from tests.results.factories import RANKS, make_profile
from tests.results.output.terminal.fakes import tables_to_text

OPTIMA = """\
                         test    by its  in truth, with
best rank                metric    mean  95 %
───────────────────────────────────────────────────────
mosi, conditioning=none  MAE          3  2–4
mosi (twin)              MAE          3  1–2, 8
mosi, conditioning=jwae  MAE          3  any

best rate of audio       test    by its  in truth, with
dropout in training      metric    mean  95 %
───────────────────────────────────────────────────────
mosi, conditioning=none  MAE        0.3  0.3

"""


def test_optima_are_those_of_primary_metrics():
    """Each row has the best level by the mean, and the levels that may be best with 95 % confidence."""
    profiles = [
        make_profile(),
        make_profile(optimum_set=(1, 2, 8), source="twin", stratum={}),
        make_profile(optimum_set=RANKS, stratum={"conditioning": "jwae"}),
        make_profile(purpose="train", metric="train.loss"),
        make_profile(optimum=None),
        make_profile(factor="modality_dropout.audio", levels=(0.0, 0.3), optimum=0.3, optimum_set=(0.3,)),
    ]
    assert OPTIMA == tables_to_text(build_optimum_tables(profiles))


def test_optima_have_the_p_values_of_a_peak():
    """The p-value of the two-lines test is shown if there is room."""
    profiles = [make_profile(p_peak=0.012, p_two_lines=0.2)]
    heads, names, _, mosi, *_ = tables_to_text(build_optimum_tables(profiles), 100).splitlines()
    assert heads.split()[-4:] == ["between", "the", "two", "lines,"]
    assert names.split()[-3:] == ["ends,", "p", "p"]
    assert mosi.split() == ["mosi,", "conditioning=none", "MAE", "3", "2–4", "0.012", "0.200"]


def test_levels_are_rows_and_strata_are_groups_of_columns():
    """The best mean is bold, and ◆ marks the levels that may be best."""
    (table,) = build_level_tables([make_profile(), make_profile(stratum={"conditioning": "jwae"}, optimum=2)])
    assert [("", 1), ("conditioning=none", 1), ("conditioning=jwae", 1)] == table.groups
    assert list(map(str, RANKS)) == [row.texts[0] for row in table.rows]
    assert {"2": {2}, "3": {1}} == {row.texts[0]: set(row.bold) for row in table.rows if row.bold}
    assert ["2", "3", "4"] == [row.texts[0] for row in table.rows if row.texts[1].endswith(" ◆")]
    assert ("rank-generalisation", "mosi") == (table.topic, table.dataset)


def test_peaks_are_tested_below_the_levels():
    """A stratum without a test has a dash."""
    (table,) = build_level_tables(
        [make_profile(p_peak=0.012, p_two_lines=0.2), make_profile(stratum={"conditioning": "jwae"})]
    )
    assert [("best between the ends, p", "0.012", "–"), ("two lines, p", "0.200", "–")] == [
        row.texts for row in table.rows[-2:]
    ]
