"""Verdicts on the known twins, from training to verdict: how often sweeps find the planted effects.

    python -m tests.benchmarks.known_curves [NAME …] [--sweeps 200]

Every sweep has its own sweep seed, and so fresh units; the population curves use sweep seed 0, which is none of them.
Verdicts are over retraining, on the twin's own test split. A rate is followed by its Monte-Carlo error.
On one core, 12 minutes for `twin-overfit` and about 3 for each of the others.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from math import sqrt
from multiprocessing import get_context

import numpy as np

from tcray.data.catalog import TWIN_ONLY
from tcray.data.recipe import read_recipe
from tcray.statistics import nonmonotonicity, paired_difference
from tests.population import (
    PopulationCurve,
    Values,
    level_names,
    levels_are_ordered,
    load_known_sweep,
    residual_sd,
    train_units,
)

ALPHA = 0.05
SWEEPS = 200
CHUNK = 10
"""Number of sweeps that a process trains at a time."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Verdicts of `sweeps` sweeps of one twin; `mean` and `sd` are over all their units."""

    name: str
    sweeps: int
    counts: Counter[str]
    mean: Sequence[float]
    sd: float

    def rate(self, finding: str) -> float:
        """Return the share of sweeps with this verdict."""
        return self.counts[finding] / self.sweeps

    def __str__(self) -> str:
        """Return the verdicts, most frequent first, and the measured curve with its shape error.

        The twin's own test examples are harder or easier than average, equally at every level; this shift is left out.
        """
        shares = [(finding, self.rate(finding)) for finding, _ in self.counts.most_common()]
        rates = ", ".join(f"{finding} {p:.3f} ± {sqrt(p * (1 - p) / self.sweeps):.3f}" for finding, p in shares)
        above = np.array(self.mean) - PopulationCurve.read(self.name).mean
        shape = (above - above.mean()) / self.sd
        return (
            f"{self.name}, {self.sweeps} sweeps: {rates}\n"
            f"  here     {' '.join(f'{value:5.3f}' for value in self.mean)}   SD {self.sd:.4f}\n"
            f"  - truth  {' '.join(f'{value:+.2f}' for value in shape)}   in SD"
        )


def count_units(name: str) -> int:
    """Return the number of units in a sweep of the twin."""
    confirm = load_known_sweep(name).confirm
    assert confirm is not None
    return confirm.seeds


def run_sweeps(name: str, sweep_seeds: Sequence[int]) -> Values:
    """Return the units (S, U, L) of a sweep of the twin under each sweep seed."""
    seeds = range(count_units(name))
    asked, recipe = load_known_sweep(name), read_recipe(name)
    values = train_units(asked, [(sweep_seed, seed) for sweep_seed in sweep_seeds for seed in seeds], recipe)
    return values.reshape(len(sweep_seeds), len(seeds), -1)


def conclude_sweep(name: str, values: Values) -> str:
    """Return the verdict of one sweep (U, L): on non-monotonicity, or the modalities found harmful."""
    asked = load_known_sweep(name)
    levels = level_names(asked)
    if levels_are_ordered(asked):
        return nonmonotonicity(levels, values, maximize=False, alpha=ALPHA).verdict
    harmful = harmful_modalities(dict(zip(map(str, levels), values.T, strict=True)))
    return f"harm by {'+'.join(harmful)}" if harmful else "no harm"


def harmful_modalities(values: dict[str, Values]) -> list[str]:
    """Return modalities without which the error (U,) is lower, α divided among them; `values` by subset "a+b"."""
    every = max(values, key=len).split("+")
    found = []
    for modality in every:
        without = values["+".join(m for m in every if m != modality)]
        difference = paired_difference(without, values["+".join(every)], alpha=ALPHA / len(every))
        if difference.ci_high < 0:
            found.append(modality)
    return found


def conclude_sweeps(name: str, values: Values) -> Verdicts:
    """Return the verdicts of sweeps (S, U, L) of the twin."""
    pooled = values.reshape(-1, values.shape[2])
    counts = Counter(conclude_sweep(name, sweep) for sweep in values)
    return Verdicts(name, len(values), counts, pooled.mean(axis=0).tolist(), residual_sd(pooled))


def main() -> None:
    """Print the verdicts on the named twins, or on all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(TWIN_ONLY)}")
    parser.add_argument("--sweeps", type=int, default=SWEEPS)
    asked = parser.parse_args()
    seeds = range(1, asked.sweeps + 1)
    chunks = [seeds[begin : begin + CHUNK] for begin in range(0, len(seeds), CHUNK)]
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), mp_context=get_context("spawn")) as workers:
        for name in asked.names or TWIN_ONLY:
            values = np.concatenate(list(workers.map(run_sweeps, [name] * len(chunks), chunks)))
            print(conclude_sweeps(name, values), flush=True)


if __name__ == "__main__":
    main()
