"""Display names and number formats for tables and figures; missing values are shown as –."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from tcray.claims.wording import phrase_factor, phrase_level, phrase_metric, phrase_number, phrase_signed
from tcray.statistics.estimate import Estimate
from tcray.statistics.mean import Interval

MISSING = "–"
"""The text of a missing number."""

LARGE = 10_000.0
"""Numbers of at least this size are written in scientific notation."""

GAP = "gap"
"""The derived metric: test loss minus train loss, both at the last epoch."""

SPLITS: Mapping[str, str] = {
    "valid": "validation",
    "last.test": "last-epoch test",
    "last.valid": "last-epoch validation",
    "check": "",
}
"""Display names of splits that are not shown by their own name."""


class Placed(Protocol):
    """Anything measured on a dataset, in one stratum."""

    @property
    def dataset(self) -> str:
        """The name of the dataset."""

    @property
    def source(self) -> str:
        """`real` or `twin`; empty for a dataset that was left out."""

    @property
    def stratum(self) -> Mapping[str, Any]:
        """The levels that the stratum fixes, by factor."""


def format_dataset(dataset: str, source: str) -> str:
    """Return a dataset with its source, as `mosi (real)`; a dataset that was left out has no source."""
    return f"{dataset} ({source})" if source else dataset


def format_dataset_short(dataset: str, source: str) -> str:
    """Return a dataset for narrow places: only a twin is marked."""
    return format_dataset(dataset, source if source == "twin" else "")


def format_place(part: Placed) -> str:
    """Return dataset and stratum, as `mosi (real), conditioning=none`."""
    return _join_place(format_dataset(part.dataset, part.source), part.stratum)


def format_place_short(part: Placed) -> str:
    """Return dataset and stratum for narrow places, as `mosi, conditioning=none`."""
    return _join_place(format_dataset_short(part.dataset, part.source), part.stratum)


def _join_place(dataset: str, stratum: Mapping[str, Any]) -> str:
    return ", ".join(filter(None, [dataset, format_stratum(stratum)]))


def format_level(value: Any) -> str:
    """Return a level of a factor; modalities are joined by `+`."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " + ".join(map(str, value)) or "none"
    return format_level(sorted(value)) if isinstance(value, frozenset) else phrase_level(value)


def format_stratum(stratum: Mapping[str, Any]) -> str:
    """Return the levels that a stratum fixes, as `conditioning=none, rank=4`; empty if it fixes none."""
    return ", ".join(f"{name}={format_level(value)}" for name, value in stratum.items() if value is not None)


def format_factor(factor: str) -> str:
    """Return the name of a factor for an axis."""
    noun = phrase_factor(factor)
    return f"rate of {noun} in training" if factor.startswith("modality_dropout.") else noun


def format_metric(metric: str) -> str:
    """Return the name of a metric: `test.mae` becomes `test MAE`, `train.loss` becomes `train loss`."""
    if metric == GAP:
        return "test − train loss"
    split, _, name = metric.rpartition(".")
    label = phrase_metric(name).replace(">=", "≥").replace("_", " ")
    return f"{SPLITS.get(split, split)} {label}".strip()


def format_direction(*, maximize: bool) -> str:
    """Return `higher is better` or `lower is better`."""
    return "higher is better" if maximize else "lower is better"


def format_number(value: float | None) -> str:
    """Return a number with three decimals, which suit every metric."""
    return _format_if_finite(value, phrase_number)


def format_signed(value: float | None) -> str:
    """Return a difference with its sign."""
    return _format_if_finite(value, phrase_signed)


def _format_if_finite(value: float | None, format_value: Callable[[float], str]) -> str:
    if value is None or not math.isfinite(value):
        return MISSING
    return format_value(value) if abs(value) < LARGE else f"{value:.1e}".replace("-", "−")


def format_estimate(estimate: Estimate | None) -> str:
    """Return a mean ± half the width of its 95 % interval; the mean alone if there is no interval."""
    return _format_with_half_width(estimate, format_number)


def format_change(estimate: Estimate | None) -> str:
    """Return a mean difference with its sign ± half the width of its 95 % interval."""
    return _format_with_half_width(estimate, format_signed)


def _format_with_half_width(estimate: Estimate | None, format_mean: Callable[[float | None], str]) -> str:
    if estimate is None:
        return MISSING
    mean, half = format_mean(estimate.mean), format_number(estimate.half_width)
    return mean if MISSING in (mean, half) else f"{mean} ± {half}"


def format_interval(interval: Interval | None) -> str:
    """Return an interval, as `0.012 to 0.050`; it is missing if either end is."""
    if interval is None:
        return MISSING
    ends = format_number(interval.low), format_number(interval.high)
    return MISSING if MISSING in ends else " to ".join(ends)


def format_p(p: float | None) -> str:
    """Return a p-value with three decimals."""
    return "< 0.001" if p is not None and p < 0.001 else format_number(p)


def format_integer(count: int | None) -> str:
    """Return a number of units or runs; zero counts as missing."""
    return f"{count:,}" if count else MISSING


def format_count(count: int, noun: str) -> str:
    """Return a number of things, as `1 repeat` or `12 repeats`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def format_time(iso: str) -> str:
    """Return a time of the manifest (UTC) to the minute."""
    return iso[:16].replace("T", " ")
