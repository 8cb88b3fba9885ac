"""The ranking of a sweep: one table per dataset, one row per cell, with the baselines below.

The order comes from validation alone. Every estimate is a mean over units: repeats (the mean over their confirm seeds),
or seeds if nothing is tuned. The rows of a sweep without confirm runs are its best trials, and it has no units.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tcray.claims.units import (
    LINEAR_BASELINES,
    TEST_METRICS,
    Record,
    Unit,
    get_unit_kind,
    group_confirm_runs,
    mean_over_runs,
)
from tcray.config.metrics import METRICS
from tcray.config.sweep import Sweep
from tcray.results.display.grouping import group_by
from tcray.statistics.estimate import Estimate, to_finite

MAX_TRIALS = 10
"""Number of rows of a sweep without confirm runs."""

TRAIN_LOSS = "train.loss"


@dataclass(frozen=True, slots=True)
class Row:
    """A cell, a trial of the search, or a baseline: its name, and estimates by metric such as `test.mae`.

    levels   hyperparameters that distinguish the row from the others
    repeats  searches in its estimates
    seeds    fewest and most confirm runs in a repeat
    failed, pruned   number of its runs, of both phases, in that state
    """

    name: str
    values: Mapping[str, Estimate]
    levels: Mapping[str, Any]
    repeats: int = 0
    seeds: tuple[int, int] = (0, 0)
    failed: int = 0
    pruned: int = 0


@dataclass(frozen=True, slots=True)
class DatasetTable:
    """The table of one dataset, real or its twin: rows best first by the mean of `objective`, baselines in their own
    order.

    metrics  test metrics such as `test.mae`, the primary one first
    levels   hyperparameters in which the rows differ; empty if there is only one cell
    notes    remarks for the reader, one sentence each
    """

    dataset: str
    source: str
    unit: Unit
    objective: str
    metrics: tuple[str, ...]
    levels: tuple[str, ...]
    rows: tuple[Row, ...]
    baselines: tuple[Row, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ranking:
    """The tables of a sweep, a caption that explains them, and notes on what they omit."""

    sweep_id: str
    tables: tuple[DatasetTable, ...]
    caption: str
    notes: tuple[str, ...]


def build_ranking(manifest: Mapping[str, Any], runs: Sequence[Record]) -> Ranking:
    """Return the tables of a sweep, in the order of its datasets.

    Args:
        manifest: the sweep's manifest.
        runs: all runs that have ended, as returned by `tcray.store.trials.records`.
    """
    sweep = Sweep.from_document(manifest["sweep"])
    tables = tuple(
        _table(
            sweep,
            card,
            [run for run in runs if (run["dataset"], run["source"]) == (card["name"], card["source"])],
            [_to_baseline_row(row) for row in manifest["baselines"][card["name"]]],
        )
        for card in manifest["cards"]
    )
    return Ranking(manifest["sweep_id"], tables, _caption(sweep), tuple(_sweep_notes(manifest, len(runs))))


def _table(sweep: Sweep, card: Mapping[str, Any], runs: Sequence[Record], baselines: Sequence[Row]) -> DatasetTable:
    unit = get_unit_kind(sweep)
    primary = card["primary_metric"]
    tested = (primary, *(name for name in TEST_METRICS[card["task"]] if name != primary))
    metrics = tuple(f"test.{name}" for name in tested)
    factors = [name for name in sweep.factors if len({run.get(name) for run in runs}) > 1]
    names = (sweep.objective, *metrics, TRAIN_LOSS)
    if unit == "trial":
        levels = tuple(
            name for name in ("trial", *factors, *sweep.tune) if any(run.get(name) is not None for run in runs)
        )
        rows = _best_trials(runs, levels, names)
    else:
        levels = tuple(factors)
        rows = _cells(runs, levels, names, unit)
    return DatasetTable(
        dataset=card["name"],
        source=card["source"],
        unit=unit,
        objective=sweep.objective,
        metrics=metrics,
        levels=levels,
        rows=tuple(rows),
        baselines=tuple(baselines),
        notes=tuple(_notes(sweep, card, runs, rows, baselines)),
    )


def _cells(runs: Sequence[Record], levels: Sequence[str], names: Sequence[str], unit: Unit) -> list[Row]:
    """Return one row per cell, best first by the first of `names`; cells without that estimate come last."""
    cells = group_by(runs, lambda run: str(run["cell"]))
    rows = [_cell(name, of_cell, levels, names, unit) for name, of_cell in cells.items()]
    return sorted(rows, key=lambda row: _order(names[0], row.values[names[0]].mean))


def _cell(name: str, runs: Sequence[Record], levels: Sequence[str], names: Sequence[str], unit: Unit) -> Row:
    repeats = group_confirm_runs(runs)
    units = [[run] for repeat in repeats for run in repeat] if unit == "seed" else repeats
    seeds = [len(repeat) for repeat in repeats]
    states = Counter(run["state"] for run in runs)
    return Row(
        name=name,
        values={metric: Estimate.from_units([mean_over_runs(unit, metric) for unit in units]) for metric in names},
        levels={level: runs[0].get(level) for level in levels},
        repeats=len(repeats),
        seeds=(min(seeds, default=0), max(seeds, default=0)),
        failed=states["FAILED"],
        pruned=states["PRUNED"],
    )


def _best_trials(runs: Sequence[Record], levels: Sequence[str], names: Sequence[str]) -> list[Row]:
    """Return the best complete trials of the search, one row each."""
    complete = [run for run in runs if run["state"] == "COMPLETE"]
    best = sorted(complete, key=lambda run: _order(names[0], to_finite(run.get(names[0]))))[:MAX_TRIALS]
    return [
        Row(
            name=f"{run['cell']}, trial {run['trial']}",
            values={metric: Estimate(to_finite(run.get(metric))) for metric in names},
            levels={level: run.get(level) for level in levels},
        )
        for run in best
    ]


def _to_baseline_row(row: Mapping[str, Any]) -> Row:
    values = {metric: Estimate(to_finite(value)) for metric, value in row["metrics"].items()}
    return Row(row["name"], values, {})


def _maximize(metric: str) -> bool:
    return METRICS[metric.rpartition(".")[2]].maximize


def _order(metric: str, value: float | None) -> float:
    """Return a sort key: smaller for better values, infinity for a missing one."""
    if value is None:
        return float("inf")
    return -value if _maximize(metric) else value


def _caption(sweep: Sweep) -> str:
    """Return the caption of the tables."""
    unit = get_unit_kind(sweep)
    read = f"The order is that of {sweep.objective}; the test split has no say in it. "
    read += "Validation and test are measured at the epoch that is best on validation, train loss at the last."
    if unit == "trial":
        return f"Search results, optimistic: chosen on the validation they show, confirmed by no fresh seed. {read}"
    units = "repeats (a repeat counts as the mean of its confirm seeds)" if unit == "repeat" else "seeds"
    return f"Confirm runs: mean ± half the 95 % interval over {units}. {read}"


def _notes(
    sweep: Sweep, card: Mapping[str, Any], runs: Sequence[Record], rows: Sequence[Row], baselines: Sequence[Row]
) -> Iterator[str]:
    """Yield the remarks on a dataset's table."""
    if not rows:
        yield "No run of it is complete yet."
    if card["saw_labels"]:
        yield "The features of its train split were learned from its labels: train loss flatters."
    failed = Counter(run["reason"] for run in runs if run["state"] == "FAILED")
    if failed:
        reasons = ", ".join(f"{reason} {count}" for reason, count in failed.most_common())
        yield f"Failed runs are in no mean ({reasons})."
    if not sweep.factors and get_unit_kind(sweep) == "repeat":
        yield from _chosen(sweep, runs)
    if rows:
        yield from _not_better(rows[0], baselines, f"test.{card['primary_metric']}")


def _chosen(sweep: Sweep, runs: Sequence[Record]) -> Iterator[str]:
    """Yield the configuration that the best repeat of a cell confirmed."""
    repeats = [repeat for repeat in group_confirm_runs(runs) if mean_over_runs(repeat, sweep.objective) is not None]
    if repeats:
        best = min(repeats, key=lambda repeat: _order(sweep.objective, mean_over_runs(repeat, sweep.objective)))[0]
        values = [f"{name} {format_cell_value(best[name])}" for name in sweep.tune if best.get(name) is not None]
        yield f"The repeat that is best on validation chose {', '.join(values)}."


def _not_better(best: Row, baselines: Sequence[Row], metric: str) -> Iterator[str]:
    """Yield a remark if the row that is best on validation does not beat the linear baseline on test."""
    for linear in baselines:
        if linear.name not in LINEAR_BASELINES:
            continue
        own, rival = (row.values.get(metric, Estimate(None)).mean for row in (best, linear))
        if own is not None and rival is not None and _order(metric, own) >= _order(metric, rival):
            label = METRICS[metric.removeprefix("test.")].label
            yield (
                f'{best.name} is best on validation, and does not beat "{linear.name}" on test: '
                f"{label} {own:.4f} against {rival:.4f}."
            )


def _sweep_notes(manifest: Mapping[str, Any], ended: int) -> Iterator[str]:
    for left in manifest["left_out"]:
        yield f"{left['dataset']} is left out: {left['reason']}."
    if not manifest["finished_at"]:
        yield f"The sweep is not finished: {ended:,} of its runs have ended."


def format_cell_value(value: Any) -> str:
    """Return a hyperparameter's value in a table: four digits for a real number, – if it does not apply."""
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
