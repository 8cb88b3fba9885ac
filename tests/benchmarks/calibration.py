"""Size, power and coverage of the statistics in simulated sweeps with a known truth.

    python -m tests.benchmarks.calibration [--sweeps 10000]

SD is that of one unit's residual. Every rate is followed by its Monte-Carlo standard error.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np

from tcray.statistics.contrasts import ContrastEstimates, Floats, SampleMoments
from tcray.statistics.flat import critical_value
from tcray.statistics.optimum import optimum_p_values
from tcray.statistics.peak import peak_contrasts, peak_statistic, simulate_peak_nulls
from tcray.statistics.two_lines import two_lines_z
from tests.benchmarks import coverage
from tests.benchmarks.truths import DROPS, PEAKED, PROMISED, ROBUSTNESS, Noise, peakless

ALPHA = 0.05
UNITS = (5, 12, 20)
LEVELS = tuple(range(4, 11))
SOME_LEVELS = (4, 6, 8, 10)
COVERAGE_SWEEPS = 2_000
"""Upper bound for coverage, whose sweeps are drawn group by group and take longer."""


@dataclass(frozen=True, order=True, slots=True)
class Rate:
    """The share of `sweeps` in which an event happened, and `where` it was measured."""

    share: float
    sweeps: int
    where: str = ""

    def __str__(self) -> str:
        error = np.sqrt(self.share * (1 - self.share) / self.sweeps)
        return f"{self.share:.3f} ± {error:.3f}".replace("0.", ".")


@dataclass(frozen=True, slots=True)
class Cell:
    """Sweeps of one design, drawn once and evaluated under many truths."""

    noise: str
    units: int
    levels: int
    sweeps: int

    def __str__(self) -> str:
        return f"{self.noise}, {self.units} units, {self.levels} levels"

    def draw(self) -> Floats:
        """Return noise (S, U, L), the same at every call."""
        kinds: Mapping[str, Noise] = PROMISED | ROBUSTNESS
        seed = [list(kinds).index(self.noise), self.units, self.levels]
        return kinds[self.noise](np.random.default_rng(seed), (self.sweeps, self.units, self.levels))

    @property
    def numbers(self) -> Floats:
        """The levels (L,) as evenly spaced numbers."""
        return np.arange(float(self.levels))


def peak_at(truth: Floats, contrasted: ContrastEstimates) -> Floats:
    """Return our statistic (S,) for `truth` plus noise, given all `peak_contrasts` of the noise."""
    signal = peak_contrasts(len(truth)) @ truth
    return peak_statistic(replace(contrasted, estimate=contrasted.estimate + signal))


def two_lines_at(truth: Floats, cell: Cell, noise: Floats) -> Floats:
    """Return the smaller of the two lines' z (S,), the second with its sign reversed."""
    _, rise, fall = two_lines_z(cell.numbers, noise + truth)
    return np.minimum(rise, -fall)


def largest_size(cell: Cell) -> Rate:
    """Return the largest share of sweeps with a detected peak, over truths without one."""
    critical = critical_value(simulate_peak_nulls(cell.units, cell.levels), ALPHA)
    contrasted = SampleMoments.from_values(cell.draw()).over_units(peak_contrasts(cell.levels))
    return max(
        Rate(float((peak_at(truth, contrasted) >= critical).mean()), cell.sweeps, f"{cell}, {name}")
        for name, truth in peakless(cell.levels).items()
    )


@dataclass(frozen=True, slots=True)
class Power:
    """Shares of sweeps in which our test and two lines detect the peak, and the size of two lines as published."""

    cell: Cell
    ours: Mapping[str, float]
    two_lines: Mapping[str, float]
    two_lines_size: float


def matched_power(cell: Cell) -> Power:
    """Return power by shape and drop; both thresholds give a largest rate of alpha over flat and 2-SD truths."""
    noise = cell.draw()
    contrasted = SampleMoments.from_values(noise).over_units(peak_contrasts(cell.levels))
    null = peakless(cell.levels, (2.0,)).values()
    threshold = max(float(np.quantile(peak_at(truth, contrasted), 1 - ALPHA)) for truth in null)
    nulls = [two_lines_at(truth, cell, noise) for truth in null]
    lines_threshold = max(float(np.quantile(z, 1 - ALPHA)) for z in nulls)
    peaks = {
        f"{name}, {drop:g} SD": drop * curve(np.linspace(0, 1, cell.levels))
        for name, curve in PEAKED.items()
        for drop in DROPS
    }
    return Power(
        cell,
        {name: float((peak_at(truth, contrasted) > threshold).mean()) for name, truth in peaks.items()},
        {name: float((two_lines_at(truth, cell, noise) > lines_threshold).mean()) for name, truth in peaks.items()},
        max(float((z > 1.96).mean()) for z in nulls),
    )


@dataclass(frozen=True, slots=True)
class Sets:
    """Confidence sets of the optimum: the lowest coverage of a truly best level, and mean widths by truth."""

    lowest: Rate
    widths: Mapping[str, float]


def optimum_sets(cell: Cell) -> Sets:
    """Return the coverage over truths with and without a peak."""
    noise = cell.draw()
    x = np.linspace(0, 1, cell.levels)
    peaks = {f"{name}, {drop:g} SD": drop * curve(x) for name, curve in PEAKED.items() for drop in (1.0, 2.0)}
    lowest, widths = [], {}
    for name, truth in (peakless(cell.levels, (2.0,)) | peaks).items():
        held = optimum_p_values(SampleMoments.from_values(noise + truth)) > ALPHA
        best = np.flatnonzero(truth > truth.max() - 1e-9)
        lowest.append(Rate(float(held[:, best].mean(axis=0).min()), cell.sweeps, f"{cell}, {name}"))
        widths[name] = float(held.sum(axis=1).mean())
    return Sets(min(lowest), widths)


def naive_rate(cell: Cell, truth: str) -> Rate:
    """Return how often the best mean is at an inner level."""
    best = (cell.draw() + peakless(cell.levels)[truth]).mean(axis=1).argmax(axis=1)
    return Rate(float(((best > 0) & (best < cell.levels - 1)).mean()), cell.sweeps)


def size(sweeps: int, workers: Executor) -> Iterator[str]:
    """Yield the largest rate over truths, by noise, units and levels."""
    yield "## Size of “non-monotone” at a nominal .05: the largest rate over truths without a peak\n"
    cells = [Cell(noise, units, levels, sweeps) for noise in PROMISED for units in UNITS for levels in LEVELS]
    rates = dict(zip(cells, workers.map(largest_size, cells), strict=True))
    yield row("noise", "units", *(f"{levels} levels" for levels in LEVELS))
    yield rule(2 + len(LEVELS))
    for noise in PROMISED:
        for units in UNITS:
            yield row(noise, units, *(rates[Cell(noise, units, levels, sweeps)] for levels in LEVELS))
    largest = max(rates.values())
    yield f"\nLargest: {largest} ({largest.where}).\n"


def robustness(sweeps: int, workers: Executor) -> Iterator[str]:
    """Yield the same for noise that violates the assumptions of the null distribution."""
    yield "## Size under other noise: the largest rate over truths and 4, 6, 8, 10 levels\n"
    cells = [Cell(noise, units, levels, sweeps) for noise in ROBUSTNESS for units in UNITS for levels in SOME_LEVELS]
    rates = dict(zip(cells, workers.map(largest_size, cells), strict=True))
    yield row("noise", *(f"{units} units" for units in UNITS))
    yield rule(1 + len(UNITS))
    for noise in ROBUSTNESS:
        yield row(noise, *(max(rates[Cell(noise, units, n, sweeps)] for n in SOME_LEVELS) for units in UNITS))
    yield EXPLANATION


EXPLANATION = """
Noise that grows, falls, or is large at one level is covered by the levels' own variances; noise that is correlated on
neighboring levels by the contrasts' own, as far as units allow: with five, a prior of independent levels with the
weight of six units is combined with four degrees of freedom. Random differences from tuning are ordinary noise if every
repeat is tuned separately; if seeds of one configuration are treated as units, these differences are common to all
units, and the data cannot distinguish them from a peak.
"""


def power(sweeps: int, workers: Executor) -> Iterator[str]:
    """Yield the power of our test and of two lines."""
    yield "## Power, with thresholds matched so that the largest rate over flat and 2-SD truths is .05 for each\n"
    cells = [Cell(noise, units, levels, sweeps) for noise in PROMISED for units in UNITS for levels in LEVELS]
    powers = list(workers.map(matched_power, cells))
    names = list(PEAKED)
    yield row("noise", "units", *names, "all", "lowest ratio", "two-lines' size as published")
    yield rule(5 + len(names))
    for noise in PROMISED:
        for units in UNITS:
            here = [power for power in powers if (power.cell.noise, power.cell.units) == (noise, units)]
            ratio, where = lowest_ratio(here)
            means = [
                f"{mean_power(here, name, ours=True):.2f} / {mean_power(here, name, ours=False):.2f}"
                for name in (*names, "")
            ]
            published = max(power.two_lines_size for power in here)
            yield row(noise, units, *means, f"{ratio:.2f} ({where})", f"{published:.2f}")
    error = 0.5 / np.sqrt(sweeps * len(LEVELS) * len(DROPS))
    yield f"\nOurs / two lines, means over 4 to 10 levels and drops of .7, 1, 1.5 SD (± {error:.3f} at most). The ratio"
    yield "is ours to two lines in the cell that is worst for us, of those where two lines exceeds .10.\n"


def mean_power(powers: list[Power], shape: str, *, ours: bool) -> float:
    """Return the mean over levels and drops of the truths whose name begins with `shape`."""
    rates = [power.ours if ours else power.two_lines for power in powers]
    return float(np.mean([rate for by_name in rates for name, rate in by_name.items() if name.startswith(shape)]))


def lowest_ratio(powers: list[Power]) -> tuple[float, str]:
    """Return the lowest ratio of our power to two lines', if theirs exceeds .10, and its cell."""
    return min(
        (power.ours[name] / rate, f"{power.cell.levels} levels, {name}")
        for power in powers
        for name, rate in power.two_lines.items()
        if rate > 0.10
    )


def optimum(sweeps: int, workers: Executor) -> Iterator[str]:
    """Yield the confidence set of the best level."""
    yield "## The optimum set: lowest coverage of a truly best level, and mean width\n"
    cells = [Cell(noise, units, levels, sweeps) for noise in PROMISED for units in UNITS for levels in SOME_LEVELS]
    sets = dict(zip(cells, workers.map(optimum_sets, cells), strict=True))
    shown = ("flat", "inverted U, 1 SD", "inverted U, 2 SD", "early peak, 2 SD")
    yield row("noise", "units", "lowest coverage, 4 to 10 levels", *(f"of 8 levels: {name}" for name in shown))
    yield rule(3 + len(shown))
    for noise in PROMISED:
        for units in UNITS:
            lowest = min(sets[Cell(noise, units, levels, sweeps)].lowest for levels in SOME_LEVELS)
            widths = sets[Cell(noise, units, 8, sweeps)].widths
            yield row(noise, units, lowest, *(f"{widths[name]:.1f}" for name in shown))
    yield ""


def naive(sweeps: int, workers: Executor) -> Iterator[str]:
    """Yield the error rates of the naive reading."""
    yield "## The naive reading, “the best mean is not at an end”: how often it errs, 8 levels\n"
    truths = ("flat", "saturating, 2 SD")
    yield row("truth", *(f"{units} units" for units in UNITS))
    yield rule(1 + len(UNITS))
    for truth in truths:
        yield row(truth, *(naive_rate(Cell("normal", units, 8, sweeps), truth) for units in UNITS))
    yield ""


def coverage_lines(sweeps: int) -> list[str]:
    """Return the section on intervals, which takes longest."""
    return list(coverage.tables(sweeps))


def row(*entries: object) -> str:
    """Return a row of a Markdown table."""
    return f"| {' | '.join(str(entry) for entry in entries)} |"


def rule(columns: int) -> str:
    """Return the line under the header of a Markdown table."""
    return "|" + "---|" * columns


def main() -> None:
    """Print the tables, section by section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sweeps", type=int, default=10_000, help="simulated sweeps a scenario")
    sweeps = parser.parse_args().sweeps
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as workers:
        covered = workers.submit(coverage_lines, min(sweeps, COVERAGE_SWEEPS))
        for section in (size, robustness, power, optimum, naive):
            for line in section(sweeps, workers):
                print(line, flush=True)
        print("## Coverage of 95 % intervals over retraining and people\n")
        print("\n".join(covered.result()))


if __name__ == "__main__":
    main()
