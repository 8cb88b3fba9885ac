"""Tables of the ranking, one per dataset."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from tcray.config.domains import LogUniform
from tcray.config.sweep import Confirm
from tcray.results.ranking.analysis import Ranking, Row
from tcray.results.ranking.tables import build_ranking_tables, format_runs
from tests.claims.factories import MOSI, MUSTARD, make_run, make_store, make_sweep
from tests.results.factories import rank_store
from tests.results.output.terminal.fakes import tables_to_text


def print_ranking(ranking: Ranking, width: int, *, color: bool = False) -> list[str]:
    """Return the lines of the tables at a width."""
    return tables_to_text(build_ranking_tables(ranking), width, color=color).strip("\n").splitlines()


@pytest.fixture
def two_datasets(tmp_path: Path) -> Ranking:
    """Return MOSI with two cells, and the twin of MUStARD with a confirm run, a diverged run and a pruned trial.

    Each cell of MOSI has two repeats of two seeds, 0.01 below and above its mean: half the width of the interval is
    tan(0.475 π) · 0.01 = 0.127.
    """
    cells = (
        (2, "jwae", {"valid.loss": 1.0, "test.mae": 0.9, "test.acc2": 0.75, "test.r": 0.6, "test.f1": 0.74}),
        (12, "none", {"valid.loss": 1.05, "test.mae": 0.94, "test.acc2": 0.76, "test.r": 0.61, "test.f1": 0.75}),
    )
    rest = {"test.acc7": 0.3, "test.acc2_nonzero": 0.77, "test.f1_nonzero": 0.76, "train.loss": 0.5}
    mosi = [
        make_run(
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
    first: dict[str, Any] = {"rank": 12, "conditioning": "none"}
    second: dict[str, Any] = {"rank": 2, "conditioning": "jwae"}
    metrics = {"valid.loss": 0.6, "test.f1": 0.69, "test.auroc": 0.76, "test.accuracy": math.nan, "train.loss": 0.4}
    mustard = [
        make_run(metrics, card=MUSTARD, **first),
        make_run({}, card=MUSTARD, seed=2, state="FAILED", reason="diverged", **first),
        make_run({"valid.loss": 0.7}, card=MUSTARD, phase="search", seed=0, state="PRUNED", **second),
    ]
    sweep = make_sweep(factors={"rank": (2, 12), "conditioning": ("none", "jwae")})
    return rank_store(make_store(tmp_path, [*mosi, *mustard], sweep=sweep, cards=(MOSI, MUSTARD)))


IN_80 = """
mosi (real): best first by validation loss
                    repeats                 test acc-2     validation  train
rank  conditioning  × seeds  test MAE       (≥ 0)                loss   loss
────────────────────────────────────────────────────────────────────────────
   2  jwae            2 × 2  0.900 ± 0.127  0.750 ± 0.127       1.000  0.500
  12  none            2 × 2  0.940 ± 0.127  0.760 ± 0.127       1.050  0.500
────────────────────────────────────────────────────────────────────────────
median                       1.400          0.500               1.300      –
ridge: all                   0.950          0.750               1.000      –
best single: text            1.000          0.700               1.100      –

mustard (twin): best first by validation loss
                                 test
                    repeats  weighted   test  validation  train
rank  conditioning  × seeds        F1  AUROC        loss   loss  failed  pruned
───────────────────────────────────────────────────────────────────────────────
  12  none            1 × 1     0.690  0.760       0.600  0.400       1       –
   2  jwae            0 × 0         –      –           –      –       –       1
───────────────────────────────────────────────────────────────────────────────
majority                        0.330  0.500       0.690      –
logistic: all                   0.700  0.770       0.600      –
best single: text               0.600  0.600       0.650      –
Failed runs are in no mean (diverged 1).
mustard/rank=12,conditioning=none is best on validation, and does not beat
"logistic: all" on test: weighted F1 0.6900 against 0.7000.

"""

IN_140 = """
mosi (real): best first by validation loss
                    repeats                 test acc-2     test           test                          test acc-2     validation  train
rank  conditioning  × seeds  test MAE       (≥ 0)          Pearson r      weighted F1    test acc-7     (non-zero)           loss   loss
────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
   2  jwae            2 × 2  0.900 ± 0.127  0.750 ± 0.127  0.600 ± 0.127  0.740 ± 0.127  0.300 ± 0.127  0.770 ± 0.127       1.000  0.500
  12  none            2 × 2  0.940 ± 0.127  0.760 ± 0.127  0.610 ± 0.127  0.750 ± 0.127  0.300 ± 0.127  0.770 ± 0.127       1.050  0.500
────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
median                       1.400          0.500              –              –              –              –               1.300      –
ridge: all                   0.950          0.750          0.600              –              –              –               1.000      –
best single: text            1.000          0.700          0.550              –              –              –               1.100      –

mustard (twin): best first by validation loss
                                 test
                    repeats  weighted   test      test  validation  train
rank  conditioning  × seeds        F1  AUROC  accuracy        loss   loss  failed  pruned
─────────────────────────────────────────────────────────────────────────────────────────
  12  none            1 × 1     0.690  0.760         –       0.600  0.400       1       –
   2  jwae            0 × 0         –      –         –           –      –       –       1
─────────────────────────────────────────────────────────────────────────────────────────
majority                        0.330  0.500     0.500       0.690      –
logistic: all                   0.700  0.770     0.700       0.600      –
best single: text               0.600  0.600     0.600       0.650      –
Failed runs are in no mean (diverged 1).
mustard/rank=12,conditioning=none is best on validation, and does not beat "logistic: all" on test:
weighted F1 0.6900 against 0.7000.

"""  # noqa: E501 as wide as the terminal it was made for


def test_a_ranking_in_80_columns(two_datasets: Ranking) -> None:
    """Means and intervals are aligned, baselines stand below a rule, and no line is longer than the terminal."""
    lines = print_ranking(two_datasets, 80)
    assert lines == IN_80.strip("\n").splitlines()
    assert max(map(len, lines)) <= 80


def test_a_ranking_in_140_columns(two_datasets: Ranking) -> None:
    """A wide terminal has room for more metrics."""
    lines = print_ranking(two_datasets, 140)
    assert lines == IN_140.strip("\n").splitlines()
    assert max(map(len, lines)) <= 140


def test_control_characters_are_printed_only_to_a_terminal(two_datasets: Ranking) -> None:
    """A file gets plain text; a terminal shows titles in bold."""
    assert all(line.isprintable() for line in print_ranking(two_datasets, 80))
    title = print_ranking(two_datasets, 80, color=True)[0]
    assert title == "\x1b[1mmosi (real): best first by validation loss\x1b[0m"


def test_names_of_rows_are_shown_at_any_width(two_datasets: Ranking) -> None:
    """In 30 columns cells and baselines still have their names."""
    lines = print_ranking(two_datasets, 30)
    assert lines[2:5] == ["                    repeats", "rank  conditioning  × seeds", "─" * 27]
    assert lines[8:11] == ["median", "ridge: all", "best single: text"]


def test_without_a_search_only_seeds_are_counted(tmp_path: Path) -> None:
    """A sweep without a search has no repeats."""
    sweep = make_sweep(tune={}, search=None, confirm=Confirm(seeds=3))
    runs = [make_run({"valid.loss": 1.0, "test.mae": 0.9}, seed=seed, rank=2) for seed in range(3)]
    lines = print_ranking(rank_store(make_store(tmp_path, runs, sweep=sweep)), 52)
    assert lines[1:5] == [
        "                                   validation  train",
        "cell         seeds  test MAE             loss   loss",
        "─" * 52,
        "mosi/rank=2      3  0.900 ± 0.000       1.000      –",
    ]


def test_trials_are_ranked_with_their_tuned_hyperparameters(tmp_path: Path) -> None:
    """Without confirm runs each row is a trial and has no interval; long names are wrapped."""
    tune = {"lr": LogUniform(1e-4, 1e-1), "prior_strength": LogUniform(0.1, 100)}
    metrics = {"valid.loss": 1.0, "test.mae": 0.9, "train.loss": 0.5}
    runs = [make_run(metrics, phase="search", trial=7, seed=0, lr=0.00123456, prior_strength=10.0)]
    sweep = make_sweep(factors={}, tune=tune, confirm=None)
    runs[0]["cell"] = "mosi"
    lines = print_ranking(rank_store(make_store(tmp_path, runs, sweep=sweep)), 55)
    assert lines[1:8] == [
        "                   prior_   test  validation  train",
        "trial        lr  strength    MAE        loss   loss",
        "─" * 51,
        "    7  0.001235        10  0.900       1.000  0.500",
        "─" * 51,
        "median                     1.400       1.300      –",
        "ridge: all                 0.950       1.000      –",
    ]


def test_numbers_are_short(tmp_path: Path) -> None:
    """Zero has no minus, and a diverged loss is in scientific notation."""
    runs = [make_run({"valid.loss": 123456.0, "test.mae": 0.9, "train.loss": -0.0001}, rank=2)]
    lines = print_ranking(rank_store(make_store(tmp_path, runs)), 60)
    assert next(line for line in lines if "rank=2" in line).split()[-2:] == ["1.2e+05", "0.000"]


def test_runs_are_counted_by_repeat_and_seed():
    """A range of seeds goes from the fewest to the most; without a search only seeds are counted."""
    rows = (Row("a", {}, {}, 3, (2, 2)), Row("b", {}, {}, 3, (1, 2)))
    assert ["3 × 2", "3 × 1–2"] == [format_runs(row, "repeat") for row in rows]
    assert ["2", "1–2"] == [format_runs(row, "seed") for row in rows]
