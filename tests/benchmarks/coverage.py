"""Coverage of 95 % intervals over retraining and people, in simulated sweeps with a known truth.

Every sweep draws new units (seeds) and groups (videos); the truth is that of the whole population of both. Beside each
interval stands the naive one, Student's t over units alone, which treats these groups as the whole population.
Effects are in standard deviations of one unit's residual in one group; each coverage has its Monte-Carlo error.

    python -m tests.benchmarks.coverage [--sweeps 2000]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from tcray.claims.pseudovalues import pseudovalues
from tcray.config.metrics import Task
from tcray.statistics.mean import Floats, crossed_variance, mean_over_units, mean_over_units_and_groups
from tcray.statistics.shapley_values import shapley

Shape = tuple[int, int, int]
Draw = Callable[[np.random.Generator, Shape], Floats]

UNITS = (5, 12, 20)
GROUPS = 21
EFFECTS = ((0.0, 0.0), (0.3, 0.0), (0.3, 0.3), (0.3, 1.0), (0.3, 3.0))
"""Standard deviations of unit and of group effects."""
NOISES: Mapping[str, Draw] = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "t₃": lambda rng, shape: rng.standard_t(3, shape) / np.sqrt(3.0),
}
SIZES = {"equal": 0.0, "unequal": 0.5, "very unequal": 1.0}
"""Standard deviations of the logarithm of the number of examples in a group."""
MODALITIES = ("audio", "text", "video")
TARGET = (0.93, 0.98)


def tables(sweeps: int) -> Iterator[str]:
    """Yield the tables, line by line, in Markdown; each row is based on `sweeps` simulated sweeps."""
    outside = []
    yield from _heading("estimate", "noise", "unit, group effect")
    for (quantity, simulate), noise in product(SIMULATIONS.items(), NOISES):
        for (unit, group), units in product(EFFECTS, UNITS):
            rng = np.random.default_rng([units, round(10 * unit), round(10 * group)])
            row = (quantity, noise, f"{unit:g}, {group:g}", str(units))
            people, seeds = _coverages(simulate(rng, NOISES[noise], unit, group, (sweeps, units, GROUPS)))
            yield _line(*row, *people.cells(), *seeds.cells())
            outside += [] if people.within(TARGET) else [", ".join(row)]
    yield ""
    yield from _heading("estimate by pseudo-values", "group sizes", "group effect")
    for metric, (sizes, spread), group, units in product(("mae", "auroc"), SIZES.items(), (0.0, 0.3), UNITS[:2]):
        rng = np.random.default_rng([units, round(10 * spread), round(10 * group)])
        row = (f"difference of {metric.upper()}", sizes, f"{group:g}", str(units))
        people, seeds = _coverages(np.stack([_measured(rng, metric, spread, group, units) for _ in range(sweeps)]))
        yield _line(*row, *people.cells(), *seeds.cells())
        outside += [] if people.within(TARGET) else [", ".join(row)]
    yield ""
    yield f"Outside {TARGET[0]:.0%}-{TARGET[1]:.0%}: {'; '.join(outside) or 'none'}."


@dataclass(frozen=True, slots=True)
class Coverage:
    """Coverage of intervals, its Monte-Carlo error, and their mean width."""

    rate: float
    error: float
    width: float

    def within(self, target: tuple[float, float]) -> bool:
        """True if the rate is at its target."""
        return target[0] <= self.rate <= target[1]

    def cells(self) -> tuple[str, str]:
        """Return the rate with its error, and the width."""
        return f"{self.rate:.3f} ± {self.error:.3f}", f"{self.width:.2f}"


def _coverages(errors: Floats) -> tuple[Coverage, Coverage]:
    """Return the coverage over units and groups, and over units alone, of deviations (..., sweeps, units, groups).

    Intervals are computed for all sweeps at once, and in the first one found to be those of `statistics.mean`.
    """
    units = errors.shape[-2]
    variance, df = crossed_variance(errors)
    half_widths = (
        stdtrit(df, 0.975) * np.sqrt(variance),
        stdtrit(units - 1.0, 0.975) * errors.mean(-1).std(-1, ddof=1) / np.sqrt(units),
    )
    first = errors.reshape(-1, *errors.shape[-2:])[0]
    shipped = mean_over_units_and_groups(first).interval(), mean_over_units(first.mean(1)).interval()
    for half, interval in zip(half_widths, shipped, strict=True):
        assert np.isclose(half.flat[0], (interval.high - interval.low) / 2)
    people, seeds = (_coverage(np.abs(errors.mean((-2, -1))) <= half, half) for half in half_widths)
    return people, seeds


def _coverage(covered: NDArray[np.bool_], half_width: NDArray[np.floating]) -> Coverage:
    """Return the coverage of intervals (sweeps,), or (intervals, sweeps) to average each sweep's fraction."""
    by_sweep = covered.reshape(-1, covered.shape[-1]).mean(0)
    return Coverage(by_sweep.mean(), by_sweep.std(ddof=1) / np.sqrt(by_sweep.size), 2 * half_width.mean())


def _differences(rng: np.random.Generator, draw: Draw, unit: float, group: float, shape: Shape) -> Floats:
    """Return deviations from the truth (sweeps, units, groups) of a difference of two conditions."""
    sweeps, units, groups = shape
    return unit * draw(rng, (sweeps, units, 1)) + group * draw(rng, (sweeps, 1, groups)) + draw(rng, shape)


def _shapley_values(rng: np.random.Generator, draw: Draw, unit: float, group: float, shape: Shape) -> Floats:
    """Return deviations from the truth (modalities, sweeps, units, groups) of retrained Shapley values."""
    subsets = [frozenset(chosen) for size in range(4) for chosen in combinations(MODALITIES, size)]
    phi = np.zeros((len(MODALITIES), *shape))
    for subset in subsets:  # φ is linear: a subset contributes what it does where it alone is worth anything
        weight = shapley({s: float(s == subset) for s in subsets}).values
        phi += np.multiply.outer([weight[m] for m in MODALITIES], _differences(rng, draw, unit, group, shape))
    return phi


SIMULATIONS = {"paired difference": _differences, "Shapley value": _shapley_values}


def _measured(rng: np.random.Generator, metric: str, unequal: float, group: float, units: int) -> Floats:
    """Return deviations from the truth (units, groups) of one sweep's difference in a metric, by pseudo-values.

    Groups have some 24 examples, as the videos of CMU-MOSI. MAE: condition a errs by one half more than b, plus what is
    the group's; an example's difficulty is common to both. AUROC: both separate the classes alike, but for the groups,
    so that the truth is 0.
    """
    size = np.maximum(4, np.rint(24 * np.exp(unequal * rng.standard_normal(GROUPS) - unequal**2 / 2))).astype(int)
    of_group = np.repeat(np.arange(GROUPS), size)
    examples = of_group.size
    difficulty = 1.5 * rng.standard_normal(examples)
    own = 0.1 * rng.standard_normal((2, units, 1)) + rng.standard_normal((2, units, examples))
    taste = group * rng.standard_normal((2, 1, GROUPS))[:, :, of_group]
    task: Task
    if metric == "mae":
        task, label, truth = "regression", rng.uniform(-3, 3, examples), 0.5
        error = 12.0 + difficulty + own + taste + np.array([truth, 0.0])[:, None, None]  # far from 0: |error| is error
        prediction = label + np.where(rng.uniform(size=examples) < 0.5, 1, -1) * error
    else:
        task, label, truth = "classification", (rng.uniform(size=examples) < 0.5).astype(np.float64), 0.0
        prediction = (1.5 + taste) * (label - 0.5) + difficulty / 2 + own
    names = [f"{g:02}" for g in of_group]
    values = pseudovalues(metric, prediction.reshape(2 * units, -1), label, names, task=task)
    return values[:units] - values[units:] - truth


def _heading(*columns: str) -> Iterator[str]:
    names = (*columns, "units", "covers", "width", "seeds alone cover", "width")
    yield _line(*names)
    yield _line(*("---" for _ in names))


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sweeps", type=int, default=2000, help="simulated sweeps a row")
    for line in tables(parser.parse_args().sweeps):
        print(line, flush=True)


if __name__ == "__main__":
    main()
