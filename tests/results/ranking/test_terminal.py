"""A sweep's ranking as a table a dataset."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tcray.config.domains import LogUniform
from tcray.config.sweep import Confirm
from tcray.results.ranking.analysis import Ranking
from tcray.results.ranking.terminal import show_ranking
from tests.results.recorded import MOSI, MUSTARD, a_run, a_store, a_sweep, ranked


def shown(ranked: Ranking, width: int, **console: Any) -> list[str]:
    """What is printed at a width, line by line."""
    file = io.StringIO()
    show_ranking(ranked, Console(file=file, width=width, **console))
    return file.getvalue().splitlines()


@pytest.fixture
def two_datasets(tmp_path: Path) -> Ranking:
    """Real MOSI: two cells, two repeats, two seeds. MUStARD's twin: a confirm run, one that diverged, a pruned trial.

    The repeats of a cell are 0.01 off its mean, either way: half an interval is tan(0.475 π) · 0.01 = 0.127.
    """
    cells = (
        (2, "jwae", {"valid.loss": 1.0, "test.mae": 0.9, "test.acc2": 0.75, "test.r": 0.6, "test.f1": 0.74}),
        (12, "none", {"valid.loss": 1.05, "test.mae": 0.94, "test.acc2": 0.76, "test.r": 0.61, "test.f1": 0.75}),
    )
    rest = {"test.acc7": 0.3, "test.acc2_nonzero": 0.77, "test.f1_nonzero": 0.76, "train.loss": 0.5}
    mosi = [
        a_run(
            {name: value + step for name, value in {**metrics, **rest}.items()},
            repeat=repeat,
            seed=1000 * repeat + seed,
            rank=rank,
            conditioning=conditioning,
        )
        for rank, conditioning, metrics in cells
        for repeat, step in enumerate((-0.01, 0.01))
        for seed in (1, 2)
    ]
    first, second = {"rank": 12, "conditioning": "none"}, {"rank": 2, "conditioning": "jwae"}
    metrics = {"valid.loss": 0.6, "test.f1": 0.69, "test.auroc": 0.76, "test.accuracy": math.nan, "train.loss": 0.4}
    mustard = [
        a_run(metrics, card=MUSTARD, **first),
        a_run({}, card=MUSTARD, seed=2, state="FAILED", reason="diverged", **first),
        a_run({"valid.loss": 0.7}, card=MUSTARD, phase="search", seed=0, state="PRUNED", **second),
    ]
    sweep = a_sweep(factors={"rank": (2, 12), "conditioning": ("none", "jwae")})
    return ranked(a_store(tmp_path, [*mosi, *mustard], sweep=sweep, cards=(MOSI, MUSTARD)))


IN_80 = """
mosi
                    repeats  test           test acc-2     valid  train
rank  conditioning  × seeds  MAE            (≥ 0)           loss   loss
───────────────────────────────────────────────────────────────────────
   2  jwae            2 × 2  0.900 ± 0.127  0.750 ± 0.127  1.000  0.500
  12  none            2 × 2  0.940 ± 0.127  0.760 ± 0.127  1.050  0.500
───────────────────────────────────────────────────────────────────────
median                       1.400          0.500          1.300
ridge: all                   0.950          0.750          1.000
best single: text            1.000          0.700          1.100

mustard (twin)
                    repeats  test         test       valid  train
rank  conditioning  × seeds  weighted F1  AUROC       loss   loss  failed
─────────────────────────────────────────────────────────────────────────
  12  none            1 × 1  0.690 ± –    0.760 ± –  0.600  0.400       1
   2  jwae            0 × 0      –            –          –      –
─────────────────────────────────────────────────────────────────────────
majority                     0.330        0.500      0.690
logistic: all                0.700        0.770      0.600
best single: text            0.600        0.600      0.650
Failed runs are in no mean (diverged 1).
mustard/rank=12,conditioning=none is best on validation, and does not beat
"logistic: all" on test: weighted F1 0.6900 against 0.7000.

Confirm runs: mean ± half the 95 % interval over repeats (a repeat counts as the
mean of its confirm seeds). The order is that of valid.loss; the test split has
no say in it. Validation and test are measured at the epoch that is best on
validation, train loss at the last.
Columns that do not fit are left out; in a terminal of 149 characters all do.
"""

IN_140 = """
mosi
                    repeats  test           test acc-2     test           test           test           test acc-2     valid  train
rank  conditioning  × seeds  MAE            (≥ 0)          Pearson r      weighted F1    acc-7          (non-zero)      loss   loss
───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
   2  jwae            2 × 2  0.900 ± 0.127  0.750 ± 0.127  0.600 ± 0.127  0.740 ± 0.127  0.300 ± 0.127  0.770 ± 0.127  1.000  0.500
  12  none            2 × 2  0.940 ± 0.127  0.760 ± 0.127  0.610 ± 0.127  0.750 ± 0.127  0.300 ± 0.127  0.770 ± 0.127  1.050  0.500
───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
median                       1.400          0.500              –                                                       1.300
ridge: all                   0.950          0.750          0.600                                                       1.000
best single: text            1.000          0.700          0.550                                                       1.100

mustard (twin)
                    repeats  test         test       test      valid  train
rank  conditioning  × seeds  weighted F1  AUROC      accuracy   loss   loss  failed  pruned
───────────────────────────────────────────────────────────────────────────────────────────
  12  none            1 × 1  0.690 ± –    0.760 ± –      –     0.600  0.400       1
   2  jwae            0 × 0      –            –          –         –      –               1
───────────────────────────────────────────────────────────────────────────────────────────
majority                     0.330        0.500      0.500     0.690
logistic: all                0.700        0.770      0.700     0.600
best single: text            0.600        0.600      0.600     0.650
Failed runs are in no mean (diverged 1).
mustard/rank=12,conditioning=none is best on validation, and does not beat "logistic: all" on test:
weighted F1 0.6900 against 0.7000.

Confirm runs: mean ± half the 95 % interval over repeats (a repeat counts as the mean of its confirm
seeds). The order is that of valid.loss; the test split has no say in it. Validation and test are
measured at the epoch that is best on validation, train loss at the last.
Columns that do not fit are left out; in a terminal of 149 characters all do.
"""  # noqa: E501 as wide as the terminal it was made for


def test_a_ranking_in_80_columns(two_datasets: Ranking) -> None:
    """Means and half intervals stand beneath one another, references below a rule, and no line is longer."""
    lines = shown(two_datasets, 80)
    assert lines == IN_80.strip("\n").splitlines()
    assert max(map(len, lines)) <= 80


def test_a_ranking_in_140_columns(two_datasets: Ranking) -> None:
    """A wide terminal has room for more metrics, and for the pruned runs."""
    lines = shown(two_datasets, 140)
    assert lines == IN_140.strip("\n").splitlines()
    assert max(map(len, lines)) <= 140


def test_no_control_character_where_there_is_no_terminal(two_datasets: Ranking) -> None:
    """What goes into a file is text; a terminal shows the names of the datasets in bold."""
    assert all(line.isprintable() for line in shown(two_datasets, 80))
    assert shown(two_datasets, 80, force_terminal=True)[0] == "\x1b[1mmosi\x1b[0m"


def test_what_names_a_row_is_shown_in_any_width(two_datasets: Ranking) -> None:
    """In 30 columns the cells and the references are still named."""
    lines = shown(two_datasets, 30)
    assert lines[1:4] == ["                    repeats", "rank  conditioning  × seeds", "─" * 27]
    assert lines[7:10] == ["median", "ridge: all", "best single: text"]


def test_seeds_are_counted_alone_where_nothing_is_tuned(tmp_path: Path) -> None:
    """Without a search there are no repeats to speak of."""
    sweep = a_sweep(tune={}, search=None, confirm=Confirm(seeds=3))
    runs = [a_run({"valid.loss": 1.0, "test.mae": 0.9}, seed=seed, rank=2) for seed in range(3)]
    lines = shown(ranked(a_store(tmp_path, runs, sweep=sweep)), 40)
    assert lines[1:5] == [
        "                          test",
        "cell               seeds  MAE",
        "─" * 39,
        "mosi/rank=2            3  0.900 ± 0.000",
    ]


def test_trials_of_a_search_stand_with_what_they_tuned(tmp_path: Path) -> None:
    """Where nothing is confirmed a row is a trial, with no interval; long names are broken."""
    tune = {"lr": LogUniform(1e-4, 1e-1), "prior_strength": LogUniform(0.1, 100)}
    metrics = {"valid.loss": 1.0, "test.mae": 0.9, "train.loss": 0.5}
    runs = [a_run(metrics, phase="search", trial=7, seed=0, lr=0.00123456, prior_strength=10.0)]
    sweep = a_sweep(factors={}, tune=tune, confirm=None)
    runs[0]["cell"] = "mosi"
    lines = shown(ranked(a_store(tmp_path, runs, sweep=sweep)), 46)
    assert lines[1:8] == [
        "                   prior_   test  valid  train",
        "trial        lr  strength    MAE   loss   loss",
        "─" * 46,
        "    7  0.001235        10  0.900  1.000  0.500",
        "─" * 46,
        "median                     1.400  1.300",
        "ridge: all                 0.950  1.000",
    ]


def test_numbers_are_short(tmp_path: Path) -> None:
    """No minus before zero, and no long row of digits where a loss ran away."""
    runs = [a_run({"valid.loss": 123456.0, "test.mae": 0.9, "train.loss": -0.0001}, rank=2)]
    lines = shown(ranked(a_store(tmp_path, runs)), 80)
    assert lines[4].split()[-2:] == ["1.2e+05", "0.000"]
