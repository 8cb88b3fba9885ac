"""Runs per hour: tcray against plain Ray Tune, Ray Tune with reused actors, and Optuna in one process.

All train the same kind of runs (MOSI-sized twin, batch 32, ranks 1-16, with and without the prior, about 450 steps), in
rounds of one measurement each, so that a drift of the machine affects every contender. Startup is excluded: tcray's
time is from the start of its first pack to the end of its last, Ray Tune's from its second completed trial on. Prints
each contender's median and range, and tcray's ratio to the others round by round.

    python -m tests.benchmarks.throughput [--rounds 3] [--runs 512] [--plain-runs 24] [--gpu 0.25]
"""

from __future__ import annotations

import argparse
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from statistics import median
from time import perf_counter, time
from typing import Any

from tests.benchmarks import plain

SWEEP = """
name: throughput
question: How many runs an hour?
datasets: [mosi]
data: {{root: {root}, missing: twin}}
factors: {{rank: [1, 2, 3, 4, 6, 8, 12, 16], conditioning: [none, jwae]}}
tune: {{lr: {{log_uniform: [9.0e-4, 1.1e-3]}}}}
fixed: {{dropout: 0.2, latent_dim: 16, hidden_dim: 32, batch_size: 32}}
training: {{epochs: {epochs}}}
search: {{sampler: random, trials: {trials}, wave: {trials}}}
resources: {{device: {device}, cpu: 1, gpu: {gpu}}}
seed: 0
"""


def tcray(runs: int, gpu: float) -> float:
    """Return the runs per hour of `tcray sweep`, from its store."""
    from tcray.store.store import Store
    from tcray.store.trials import read_records

    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "throughput.yaml"
        where = {"device": "cuda" if gpu else "cpu", "gpu": gpu}
        spec.write_text(SWEEP.format(root=folder, epochs=plain.EPOCHS, trials=runs // 16, **where))
        command = [sys.executable, "-m", "tcray", "sweep", str(spec), "--store", f"{folder}/trials"]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        store = Store.open(f"{folder}/trials")
        found = read_records(store.sweep(store.resolve("throughput")[0]))
    assert [r["state"] for r in found] == ["COMPLETE"] * runs, "every run is in the store"
    began = min(datetime.fromisoformat(r["started_at"]) for r in found)
    ended = max(datetime.fromisoformat(r["ended_at"]) for r in found)
    return 3600 * runs / (ended - began).total_seconds()


def ray_tune(runs: int, *, reuse_actors: bool) -> float:
    """Return the runs per hour of Ray Tune with one run per trial."""
    from ray import tune

    class OneRun(tune.Trainable):  # type: ignore[misc]  # Ray has no types
        def setup(self, config: Mapping[str, Any], data: plain.Data) -> None:
            self.data = data
            self.reset_config(config)

        def reset_config(self, new_config: Mapping[str, Any]) -> bool:
            self.progress = plain.epochs(self.data, new_config["run"])
            return True

        def step(self) -> dict[str, Any]:
            loss = next(self.progress)
            return {"loss": loss, "ended": time(), "done": self.iteration + 1 == plain.EPOCHS}

    with tempfile.TemporaryDirectory() as folder:
        tuner = tune.Tuner(
            tune.with_resources(tune.with_parameters(OneRun, data=data()), {"cpu": 1}),
            param_space={"run": tune.grid_search(plain.configurations(runs))},
            tune_config=tune.TuneConfig(reuse_actors=reuse_actors),
            run_config=tune.RunConfig(
                storage_path=folder, verbose=0, checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False)
            ),
        )
        results = tuner.fit()
    assert not results.errors, "every trial trained"
    ends = sorted(result.metrics["ended"] for result in results)
    return 3600 * (runs - 2) / (ends[-1] - ends[1])


def optuna_alone(runs: int) -> float:
    """Return the runs per hour of one process in which Optuna proposes and plain PyTorch trains."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    known, chosen = data(), plain.configurations(runs)

    def objective(trial: optuna.Trial) -> float:
        configuration = {**chosen[trial.number], "lr": trial.suggest_float("lr", 9e-4, 1.1e-3, log=True)}
        return list(plain.epochs(known, configuration))[-1]

    study = optuna.create_study()
    began = perf_counter()
    study.optimize(objective, n_trials=runs)
    return 3600 * runs / (perf_counter() - began)


def data() -> plain.Data:
    """Return the MOSI-sized twin that every contender trains on."""
    from tcray.data.catalog import find_card
    from tcray.data.dataset import load_dataset

    with tempfile.TemporaryDirectory() as root:
        return plain.Data(load_dataset(find_card("mosi", root, "twin"), root))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=512, help="runs that tcray trains each round, a multiple of 16")
    parser.add_argument("--plain-runs", type=int, default=24, help="runs that each of the others trains each round")
    parser.add_argument("--gpu", type=float, default=0.0, help="share of a GPU that a pack of tcray gets; 0: the CPU")
    arguments = parser.parse_args()
    contenders: dict[str, Callable[[], float]] = {
        "tcray sweep": lambda: tcray(arguments.runs, arguments.gpu),
        "Ray Tune, one run a trial": lambda: ray_tune(arguments.plain_runs, reuse_actors=False),
        "Ray Tune, reused actors": lambda: ray_tune(arguments.plain_runs, reuse_actors=True),
        "Optuna in one process": lambda: optuna_alone(arguments.plain_runs),
    }
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0", "RAY_AIR_NEW_OUTPUT": "0"}
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(1, arguments.rounds + 1):
        for name, measure in contenders.items():
            rates[name].append(_alone(measure) if name.startswith("Ray") else measure())
            print(f"round {number}: {name}: {rates[name][-1]:,.0f} runs/h", flush=True)
    ours = rates["tcray sweep"]
    print(f"\n{'':28}{'runs/h':>10}{'range':>20}{'tcray is':>12}{'range':>18}")
    for name, values in rates.items():
        ratios = [a / b for a, b in zip(ours, values, strict=True)]
        spread, times = f"{min(values):,.0f} - {max(values):,.0f}", f"{min(ratios):.1f} - {max(ratios):.1f} x"
        print(f"{name:28}{median(values):>10,.0f}{spread:>20}{median(ratios):>10.1f} x{times:>18}")


def _alone(measure: Callable[[], float]) -> float:
    """Run a measurement inside a local Ray cluster that is stopped afterwards."""
    import ray

    ray.init("local", include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    try:
        return measure()
    finally:
        ray.shutdown()


if __name__ == "__main__":
    main()
