"""Overhead per run: 10,000 runs without training are proposed, placed, recorded, and read back.

Timed from the moment Ray is up: the whole of `run_sweep`, then one reading of every run.

    python -m tests.benchmarks.bookkeeping [--rounds 3]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from rich.console import Console

from tcray.config.load import load_sweep
from tcray.config.run import Run
from tcray.store.outcome import Outcome
from tcray.store.trials import read_records
from tcray.training.pack import TrainResult
from tcray.training.packed_dataset import PackedDataset
from tcray.tune.ray.cluster import connect
from tcray.tune.run import run_sweep

RUNS = 10_000
SWEEP = """
name: bookkeeping
question: What does a run cost beside its training?
datasets: [mosi]
data: {{root: {root}, missing: twin}}
factors: {{rank: [1, 2, 3, 4, 6, 8, 12, 16], conditioning: [none, prior]}}
tune: {{lr: {{log_uniform: [1.0e-4, 1.0e-2]}}}}
training: {{epochs: 1}}
search: {{sampler: random, trials: {trials}, wave: {trials}}}
confirm: {{repeats: 1, seeds: 1}}
resources: {{device: cpu, cpu: 1, pack: 64}}
seed: 0
"""


def train_nothing(dataset: PackedDataset, runs: Sequence[Run], *, stop: int, **__: Any) -> list[TrainResult]:
    """Return an outcome for each run immediately, without training."""
    metrics = {"valid.loss": 1.0, "valid.mae": 1.0, "test.loss": 1.0, "test.mae": 1.0, "train.loss": 1.0}
    curve = [{"epoch": float(stop), "valid.loss": 1.0}]
    outcome = Outcome("TRAINED", epoch=stop, value=1.0, best_epoch=stop, metrics=metrics, curve=curve)
    return [TrainResult(outcome, None, None) for _ in runs]


def measure() -> tuple[float, float]:
    """Return the seconds to sweep `RUNS` runs and the seconds to read them back."""
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "bookkeeping.yaml"
        spec.write_text(SWEEP.format(root=folder, trials=RUNS // 16 - 1))
        sweep = load_sweep(spec)
        began = perf_counter()
        result = run_sweep(sweep, f"{folder}/trials", console=Console(quiet=True), train=train_nothing)
        swept = perf_counter()
        found = read_records(result.store)
        read = perf_counter()
    assert [r["state"] for r in found] == ["COMPLETE"] * RUNS, "every run is in the store"
    return swept - began, read - swept


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = []
    for number in range(1, parser.parse_args().rounds + 1):
        with connect(None):
            rounds.append(measure())
        swept, read = rounds[-1]
        print(f"round {number}: {RUNS:,} runs swept in {swept:.1f} s, read back in {read:.2f} s", flush=True)
    total = median(swept + read for swept, read in rounds)
    print(f"median {total:.1f} s beyond Ray's start: {3600 * RUNS / total:,.0f} runs/h of bookkeeping")


if __name__ == "__main__":
    main()
