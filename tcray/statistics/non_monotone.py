"""The test that a metric is non-monotone in an ordered factor: better up to an inner optimum, and worse after it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from tcray.statistics.contrasts import ContrastEstimates, Floats, SampleMoments
from tcray.statistics.flat import critical_value, p_value
from tcray.statistics.negligible import negligible_p_value
from tcray.statistics.optimum import optimum_p_values, pairwise_contrasts
from tcray.statistics.peak import peak_contrasts, peak_statistic, simulate_peak_nulls
from tcray.statistics.two_lines import TwoLines, two_lines

Level = str | float
ShapeVerdict = Literal["supported", "contradicted", "inconclusive", "not testable"]

MIN_LEVELS = 3
MIN_UNITS = 3
"""With two units, a contrast's own variance would have one degree of freedom."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference of the best level from another, in the metric's units, with 1 - alpha intervals.

    `ci_low`, `ci_high`: over retraining; `people_low`, `people_high`: over retraining and people (None without groups).
    The intervals are for these two levels and do not account for choosing the best by its mean.
    """

    estimate: float
    ci_low: float
    ci_high: float
    people_low: float | None = None
    people_high: float | None = None


@dataclass(frozen=True, slots=True)
class Nonmonotonicity:
    """The result of the test. If `verdict` is "not testable", `reason` gives the cause and the remedy.

    - `p_value`: of no inner peak (`peak.py`), over retraining; `people_p_value`: the same over retraining and people;
    - `opposite_p_value`: of no inner *worst* level; `negligible_p_value`: of a peak as large as the margin;
    - `statistic` and `critical_value`: a z, and the value it must reach at `alpha`;
    - `optimum`: the level of best mean; `optimum_set`: the levels with `level_p_values` above `alpha`, which contain
    each
      truly best level with 1 - alpha, over retraining; every level if nothing is testable;
    - `rise`, `fall`: difference of the optimum from the first and the last level (None if it is that level);
    - `two_lines`: Simonsohn's test, for comparison, without influence on the verdict; on the levels' numbers or ranks;
    - `residual_sd`: of one unit at one level around the unit's own mean;
    - `units_needed`: for 80 % power if rise and fall equal the margin (None without a margin or a critical value: an
      `alpha` below the resolution of the simulation, 1 in 40,000, is never significant);
    - `n_units` complete units were used, `dropped` units lacked a level.
    """

    verdict: ShapeVerdict
    reason: str | None
    optimum: Level | None
    optimum_set: tuple[Level, ...]
    level_p_values: Mapping[Level, float]
    n_units: int
    dropped: int
    statistic: float | None = None
    critical_value: float | None = None
    p_value: float | None = None
    people_p_value: float | None = None
    opposite_p_value: float | None = None
    negligible_p_value: float | None = None
    rise: Difference | None = None
    fall: Difference | None = None
    two_lines: TwoLines | None = None
    residual_sd: float | None = None
    units_needed: int | None = None


def nonmonotonicity(
    levels: Sequence[Level],
    values: ArrayLike,
    *,
    maximize: bool,
    alpha: float = 0.05,
    margin: float | None = None,
) -> Nonmonotonicity:
    """Test whether `values` rise to an inner level and fall from it (with `maximize` false: fall, then rise).

    *Supported*: p ≤ `alpha`, over people too. *Contradicted*: the same for an inner worst level, or, with a `margin`,
    the rise or fall of any peak is shown to be smaller. Otherwise *inconclusive*; too few or constant values are *not
    testable*.

    Args:
        levels: the L levels in order. Numbers must ascend; their spacing does not matter.
        values: (U, L) paired by unit, an independent repeat of everything. Groups of test examples may be a third axis
            (U, L, G), crossed with units: the verdict then also holds over people. Units that lack a level (not finite)
            are dropped.
        maximize: True if larger values are better.
        alpha: level of the tests.
        margin: the smallest rise and fall of interest, in the metric's units.

    Raises:
        ValueError: if levels, shapes, `alpha` or `margin` are invalid.
    """
    given = _checked(levels, values, alpha, margin)
    complete = given[np.isfinite(given).all(axis=tuple(range(1, given.ndim)))]
    dropped = len(given) - len(complete)
    reason = _untestable(complete, dropped)
    if reason is not None:
        return Nonmonotonicity(
            "not testable", reason, None, tuple(levels), dict.fromkeys(levels, 1.0), len(complete), dropped
        )
    return _tested(tuple(levels), complete if maximize else -complete, dropped, alpha, margin)


def _tested(
    levels: tuple[Level, ...], values: Floats, dropped: int, alpha: float, margin: float | None
) -> Nonmonotonicity:
    """Return the test results for complete units, with larger values being better."""
    crossed = values.ndim == 3
    sample = SampleMoments.from_crossed(values) if crossed else SampleMoments.from_values(values)
    units, count = sample.units, len(levels)
    nulls = simulate_peak_nulls(units, count)
    critical = critical_value(nulls, alpha)

    views = [sample.over_units, sample.over_units_and_groups][: 1 + crossed]
    peaks = [float(peak_statistic(view(peak_contrasts(count)))) for view in views]
    valleys = [float(peak_statistic(view(-peak_contrasts(count)))) for view in views]
    p, opposite = ([float(p_value(nulls, statistic)) for statistic in side] for side in (peaks, valleys))
    negligible = None
    if margin is not None:
        rivals = [view(pairwise_contrasts(count)) for view in views]
        negligible = max(float(negligible_p_value(contrasted, margin, units, count)) for contrasted in rivals)

    verdict: ShapeVerdict = "inconclusive"
    if max(p) <= alpha:
        verdict = "supported"
    elif max(opposite) <= alpha or (negligible is not None and negligible <= alpha):
        verdict = "contradicted"

    level_p = dict(zip(levels, optimum_p_values(sample).tolist(), strict=True))
    best = int(np.argmax(sample.mean))
    sd = float(np.sqrt(sample.residual_variance))
    by_unit = values.mean(axis=2) if crossed else values
    return Nonmonotonicity(
        verdict=verdict,
        reason=None,
        optimum=levels[best],
        optimum_set=tuple(level for level in levels if level_p[level] > alpha),
        level_p_values=level_p,
        n_units=units,
        dropped=dropped,
        statistic=peaks[0],
        critical_value=critical,
        p_value=p[0],
        people_p_value=p[1] if crossed else None,
        opposite_p_value=max(opposite),
        negligible_p_value=negligible,
        rise=_difference(sample, best, 0, alpha),
        fall=_difference(sample, best, count - 1, alpha),
        two_lines=two_lines(_numbers(levels), by_unit),
        residual_sd=sd,
        units_needed=None if margin is None or math.isinf(critical) else units_for_peak(count, sd, margin, critical),
    )


def units_for_peak(levels: int, sd: float, margin: float, critical: float, *, power: float = 0.8) -> int:
    """Return the approximate number of units that show a peak which rises and falls by `margin` with this `power`.

    The peak is the one that is hardest to detect: a rise in one step, to the second level, and an even fall from there.
    Power is that of the best placed pair of contrasts, treated as independent and normal with the residual's `sd`.
    """
    from scipy.special import ndtr

    truth = -np.maximum(np.arange(levels) - 1, 0) / (levels - 2)
    truth[0] = -1
    signals = np.split(peak_contrasts(levels) @ truth * (margin / sd), 2)

    def reached(units: int) -> bool:
        rising, falling = (ndtr(math.sqrt(units) * signal - critical) for signal in signals)
        return bool((rising * falling).max() >= power)

    most = MIN_UNITS
    while not reached(most):
        most *= 2
    least = MIN_UNITS
    while least < most:
        middle = (least + most) // 2
        least, most = (least, middle) if reached(middle) else (middle + 1, most)
    return most


def _difference(sample: SampleMoments, best: int, other: int, alpha: float) -> Difference | None:
    """Return level `best` minus level `other`, with Student's t and Satterthwaite's degrees of freedom.

    None if equal.
    """
    if best == other:
        return None
    weights = np.zeros((1, len(sample.mean)))
    weights[0, best], weights[0, other] = 1, -1
    low, high = _interval(sample.over_units(weights), alpha)
    people = (None, None) if sample.between_groups is None else _interval(sample.over_units_and_groups(weights), alpha)
    return Difference(float(sample.mean[best] - sample.mean[other]), low, high, *people)


def _interval(contrasted: ContrastEstimates, alpha: float) -> tuple[float, float]:
    """Return the 1 - alpha interval of the only contrast."""
    from scipy.special import stdtrit

    estimate, half = contrasted.estimate[0], stdtrit(contrasted.df[0], 1 - alpha / 2) * np.sqrt(contrasted.variance[0])
    return float(estimate - half), float(estimate + half)


def _numbers(levels: tuple[Level, ...]) -> Floats:
    """Return the levels as numbers, or their ranks if one of them is a word."""
    if any(isinstance(level, str) for level in levels):
        return np.arange(float(len(levels)))
    return np.array(levels, dtype=float)


def _checked(levels: Sequence[Level], values: ArrayLike, alpha: float, margin: float | None) -> Floats:
    """Return the values as an array.

    Raises:
        ValueError: if an argument is invalid.
    """
    array = np.asarray(values, dtype=float)
    if array.ndim not in {2, 3} or array.shape[1] != len(levels):
        raise ValueError(
            f"values must be (units, {len(levels)} levels) or (units, {len(levels)} levels, groups), not {array.shape}"
        )
    if len(set(levels)) < len(levels) or (len(levels) and np.any(np.diff(_numbers(tuple(levels))) <= 0)):
        raise ValueError(f"levels must be distinct and ascend: {list(levels)}")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1, not {alpha}")
    if margin is not None and not margin > 0:
        raise ValueError(f"margin must be greater than 0, not {margin}")
    return array


def _untestable(values: Floats, dropped: int) -> str | None:
    """Return why these complete units cannot be tested, and the remedy; None if they can."""
    units, levels = values.shape[:2]
    if levels < MIN_LEVELS:
        return f"{levels} level{'s' * (levels != 1)}, and an inner optimum needs {MIN_LEVELS}: add levels to the factor"
    if units < MIN_UNITS:
        lacking = f" ({dropped} lack a level)" if dropped else ""
        remedy = "run what they lack" if dropped else "add repeats"
        return f"{units} complete unit{'s' * (units != 1)}{lacking}, and the test needs {MIN_UNITS}: {remedy}"
    if values.ndim == 3 and values.shape[2] < MIN_UNITS:
        few = f"{values.shape[2]} group{'s' * (values.shape[2] != 1)} of test examples"
        return f"{few}, and the test over people needs {MIN_UNITS}: test on more, or omit the groups"
    by_unit = values.mean(axis=2) if values.ndim == 3 else values
    sample = SampleMoments.from_values(by_unit)
    if not np.ptp(by_unit, axis=1).any():
        return "every unit is constant over the levels: check that the factor reaches the model"
    if sample.residual_variance <= (1e-12 * np.abs(by_unit).max()) ** 2:
        return "units differ only by constants, so there is no noise to test against: use different seeds for repeats"
    return None
