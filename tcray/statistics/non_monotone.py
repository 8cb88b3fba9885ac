"""Is a metric non-monotone in an ordered factor: an inner optimum, better up to it and worse after it?"""

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
Verdict = Literal["supported", "contradicted", "inconclusive", "not testable"]

MIN_LEVELS = 3
MIN_UNITS = 3
"""With two, a contrast's own variance has one degree of freedom."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better the best level is than another, in the metric's units, with 1 - alpha intervals.

    `ci_low`, `ci_high`: over retraining; `people_low`, `people_high`: over retraining and people (None without groups).
    The intervals are for these two levels, and do not know that the best was chosen by its mean.
    """

    estimate: float
    ci_low: float
    ci_high: float
    people_low: float | None = None
    people_high: float | None = None


@dataclass(frozen=True, slots=True)
class Nonmonotonicity:
    """What units say about an inner optimum. Where `verdict` is "not testable", `reason` says why and what to do.

    - `p_value`: of no peak within (`peak.py`), over retraining; `people_p_value`: the same over retraining and people;
    - `opposite_p_value`: of no inner *worst* level; `negligible_p_value`: of a peak as large as the margin;
    - `statistic` and `critical_value`: a z, and what it must reach at `alpha`;
    - `optimum`: the level of best mean; `optimum_set`: the levels with `level_p_values` above `alpha`, which hold each
      truly best level with 1 - alpha, over retraining; every level where nothing is testable;
    - `rise`, `fall`: how much better the optimum is than the first and the last level (None where it is that level);
    - `two_lines`: Simonsohn's test, a yardstick without a say in the verdict; on the levels' numbers, else their ranks;
    - `residual_sd`: of one unit at one level, its own level taken out;
    - `units_needed`: for 80 % power if rise and fall were the margin (None without one, or without a critical value:
      where `alpha` is below what the simulation resolves, 1 in 40,000, nothing is ever significant);
    - `n_units` complete units were used, `dropped` lacked a level.
    """

    verdict: Verdict
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
    """Tests whether `values` rise to an inner level and fall from it (with `maximize` false: fall, then rise).

    `values` (units, levels) are paired by unit, an independent repeat of everything, and `levels` in their order;
    numbers must ascend, their spacing does not matter. Groups of test examples may be a third axis, crossed with units:
    the verdict then also holds over people. Units that lack a level (not finite) are dropped.

    *Supported*: p ≤ `alpha`, over people too. *Contradicted*: the same of an inner worst level, or, with a `margin` in
    the metric's units, any peak's rise or fall is shown to be smaller. Else *inconclusive*; thin or constant values,
    *not testable*.

    Raises ValueError for an input that cannot be meant.
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
    """The tests, on complete units, larger values being better."""
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

    verdict: Verdict = "inconclusive"
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
    """The units that show a peak which rises and falls by `margin`, with this `power` (about).

    The peak meant is the hardest to see: a rise in one step, to the second level, and an even fall from there. Power is
    taken to be that of the best placed pair of contrasts, the two independent and normal with the residual's `sd`.
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
    """Level `best` less level `other`, with Student's t on Satterthwaite's degrees of freedom; None for the same."""
    if best == other:
        return None
    weights = np.zeros((1, len(sample.mean)))
    weights[0, best], weights[0, other] = 1, -1
    low, high = _interval(sample.over_units(weights), alpha)
    people = (None, None) if sample.between_groups is None else _interval(sample.over_units_and_groups(weights), alpha)
    return Difference(float(sample.mean[best] - sample.mean[other]), low, high, *people)


def _interval(contrasted: ContrastEstimates, alpha: float) -> tuple[float, float]:
    """The 1 - alpha interval of the only contrast."""
    from scipy.special import stdtrit

    estimate, half = contrasted.estimate[0], stdtrit(contrasted.df[0], 1 - alpha / 2) * np.sqrt(contrasted.variance[0])
    return float(estimate - half), float(estimate + half)


def _numbers(levels: tuple[Level, ...]) -> Floats:
    """The levels as numbers; their ranks where one of them is a word."""
    if any(isinstance(level, str) for level in levels):
        return np.arange(float(len(levels)))
    return np.array(levels, dtype=float)


def _checked(levels: Sequence[Level], values: ArrayLike, alpha: float, margin: float | None) -> Floats:
    """The values as an array; ValueError for what cannot be meant."""
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
    """Why these complete units bear no test, and the remedy; None where they do."""
    units, levels = values.shape[:2]
    if levels < MIN_LEVELS:
        return f"{levels} level{'s' * (levels != 1)}, and an inner optimum takes {MIN_LEVELS}: give the factor more"
    if units < MIN_UNITS:
        lacking = f" ({dropped} lack a level)" if dropped else ""
        remedy = "run what they lack" if dropped else "add repeats"
        return f"{units} complete unit{'s' * (units != 1)}{lacking}, and the test takes {MIN_UNITS}: {remedy}"
    if values.ndim == 3 and values.shape[2] < MIN_UNITS:
        few = f"{values.shape[2]} group{'s' * (values.shape[2] != 1)} of test examples"
        return f"{few}, and people take {MIN_UNITS}: test on more, or leave the groups out"
    by_unit = values.mean(axis=2) if values.ndim == 3 else values
    sample = SampleMoments.from_values(by_unit)
    if not np.ptp(by_unit, axis=1).any():
        return "every unit is constant over the levels: look whether the factor reaches the model"
    if sample.residual_variance <= (1e-12 * np.abs(by_unit).max()) ** 2:
        return "units differ by constants only, which shows no chance at work: give repeats seeds of their own"
    return None
