"""Stores with known learning curves, and readers of the event files of a comparison."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tcray.config.sweep import Confirm, Sweep
from tcray.store.store import SweepStore
from tests.claims.factories import MOSI, make_run, make_store, make_sweep

Levels = Mapping[str, Any]

UNITS = (1.0, 2.0, 6.0)
"""Values of the units of a cell at epoch 1, before the offset of its level is added; their mean is 3."""

HALF = 4.302652729911275 * 7**0.5 / 3**0.5
"""Half-width of the 95 % interval of their mean: variance 7, Student's t with 2 degrees of freedom 4.3027."""


def make_runs(cells: Iterable[Levels], **changes: Any) -> list[dict[str, Any]]:
    """Return three repeats of two confirm seeds per cell; the two seeds differ by ±0.5 from their repeat."""
    return [
        make_run(
            {"test.mae": level_offset(levels) + unit + apart, "valid.loss": unit + apart, "train.loss": 0.25},
            repeat=repeat,
            seed=2 * repeat + (apart > 0),
            **levels,
            **changes,
        )
        for levels in cells
        for repeat, unit in enumerate(UNITS)
        for apart in (-0.5, 0.5)
    ]


def level_offset(levels: Levels) -> float:
    """Return the offset that a cell adds to the values of its units."""
    return float(levels["rank"])


def make_curve(run: Mapping[str, Any], epochs: int = 3) -> list[dict[str, Any]]:
    """Return a run's curve: its test metric times the epoch, and a metric that is undefined at epoch 1."""
    key = {name: run[name] for name in ("phase", "cell", "repeat", "trial", "seed", "run_id")}
    measured = run["metrics"].get("test.mae", 0.0)
    return [
        {**key, "epoch": e, "metrics": {"valid.loss": measured * e, "valid.r": float("nan") if e == 1 else 0.5}}
        for e in range(1, epochs + 1)
    ]


def make_recorded_store(
    folder: Path, runs: Sequence[Mapping[str, Any]], *, sweep: Sweep | None = None, **manifest: Any
) -> SweepStore:
    """Return a store with these runs and their curves; the default sweep has no claims, so there are no verdicts."""
    sweep = sweep or make_sweep(confirm=Confirm(seeds=2, repeats=3))
    store = make_store(folder, runs, sweep=sweep, **{"cards": (MOSI,), **manifest})
    store.append("curves", [row for run in runs if run["state"] == "COMPLETE" for row in make_curve(run)])
    return store


def read_events(run: Path) -> EventAccumulator:
    """Return the events of a run."""
    accumulator = EventAccumulator(str(run), size_guidance={"tensors": 0, "scalars": 0, "images": 0})
    return accumulator.Reload()


def read_scalars(run: Path) -> dict[str, dict[int, float]]:
    """Return the value at every step, by tag."""
    events = read_events(run)
    found: dict[str, dict[int, float]] = {}
    for tag in events.Tags()["tensors"]:
        if events.SummaryMetadata(tag).plugin_data.plugin_name == "scalars":
            found[tag] = {event.step: event.tensor_proto.float_val[0] for event in events.Tensors(tag)}
    return found


def read_files(logdir: Path) -> dict[str, bytes]:
    """Return the content of every file below a folder."""
    return {str(path.relative_to(logdir)): path.read_bytes() for path in sorted(logdir.rglob("*")) if path.is_file()}
