"""How places, levels, metrics and numbers stand in tables and figures: as findings word them, – where there is none."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from tcray.claims.units import Unit
from tcray.claims.wording import phrase_factor, phrase_level, phrase_metric, phrase_number, phrase_signed
from tcray.results.ranking.analysis import Row
from tcray.statistics.estimate import Estimate
from tcray.statistics.mean import Interval

NONE = "–"
"""What stands where there is no number."""

LARGE = 10_000.0
"""A number from here on is written by its magnitude."""

GAP = "gap"
"""The derived metric: test loss less train loss, both at the last epoch."""

SPLITS: Mapping[str, str] = {
    "valid": "validation",
    "last.test": "last-epoch test",
    "last.valid": "last-epoch validation",
    "check": "",
}
"""What a split is called, if not by its own name."""


class Placed(Protocol):
    """Whatever was measured on a dataset, in a stratum of it."""

    @property
    def dataset(self) -> str:
        """Its name."""

    @property
    def source(self) -> str:
        """`real` or `twin`; empty for a dataset that was left out."""

    @property
    def stratum(self) -> Mapping[str, Any]:
        """The levels that it fixes, by factor."""


def format_dataset(dataset: str, source: str) -> str:
    """A dataset, never without saying whether it is real or a twin; one that was left out is neither."""
    return f"{dataset} ({source})" if source else dataset


def format_dataset_short(dataset: str, source: str) -> str:
    """A dataset where room is short: a twin is never shown without saying so."""
    return format_dataset(dataset, source if source == "twin" else "")


def format_place(part: Placed) -> str:
    """As `mosi (real), conditioning=none`."""
    return _joined(format_dataset(part.dataset, part.source), part.stratum)


def format_place_short(part: Placed) -> str:
    """As `mosi, conditioning=none`, where room is short."""
    return _joined(format_dataset_short(part.dataset, part.source), part.stratum)


def _joined(dataset: str, stratum: Mapping[str, Any]) -> str:
    return ", ".join(filter(None, [dataset, format_stratum(stratum)]))


def format_level(value: Any) -> str:
    """A level of a factor; modalities are joined by `+`."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " + ".join(map(str, value)) or "none"
    return format_level(sorted(value)) if isinstance(value, frozenset) else phrase_level(value)


def format_stratum(stratum: Mapping[str, Any]) -> str:
    """The levels that a stratum fixes, as `conditioning=none, rank=4`; empty where it fixes none."""
    return ", ".join(f"{name}={format_level(value)}" for name, value in stratum.items() if value is not None)


def format_factor(factor: str) -> str:
    """A factor as an axis names it."""
    noun = phrase_factor(factor)
    return f"rate of {noun} in training" if factor.startswith("modality_dropout.") else noun


def format_metric(metric: str) -> str:
    """`test.mae` as `test MAE`, `train.loss` as `train loss`."""
    if metric == GAP:
        return "test − train loss"
    split, _, name = metric.rpartition(".")
    label = phrase_metric(name).replace(">=", "≥").replace("_", " ")
    return f"{SPLITS.get(split, split)} {label}".strip()


def format_direction(*, maximize: bool) -> str:
    """Which way is better."""
    return "higher is better" if maximize else "lower is better"


def format_number(value: float | None) -> str:
    """Three decimals, which suit every metric here."""
    return _known(value, phrase_number)


def format_signed(value: float | None) -> str:
    """A difference, with its sign."""
    return _known(value, phrase_signed)


def _known(value: float | None, said: Callable[[float], str]) -> str:
    if value is None or not math.isfinite(value):
        return NONE
    return said(value) if abs(value) < LARGE else f"{value:.1e}".replace("-", "−")


def format_estimate(estimate: Estimate | None) -> str:
    """A mean ± half its 95 % interval; without the half where there is none."""
    return _give_or_take(estimate, format_number)


def format_change(estimate: Estimate | None) -> str:
    """A mean difference, with its sign, ± half its 95 % interval."""
    return _give_or_take(estimate, format_signed)


def _give_or_take(estimate: Estimate | None, said: Callable[[float | None], str]) -> str:
    if estimate is None:
        return NONE
    mean, half = said(estimate.mean), format_number(estimate.half_width)
    return mean if NONE in (mean, half) else f"{mean} ± {half}"


def format_interval(interval: Interval | None) -> str:
    """`0.012 to 0.050`."""
    if interval is None:
        return NONE
    ends = format_number(interval.low), format_number(interval.high)
    return NONE if NONE in ends else " to ".join(ends)


def format_p(p: float | None) -> str:
    """A p-value, three decimals of it."""
    return "< 0.001" if p is not None and p < 0.001 else format_number(p)


def format_count(count: int, noun: str) -> str:
    """`1 repeat`, `12 repeats`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def format_runs(row: Row, unit: Unit) -> str:
    """How many runs a row of a ranking rests on: `3 × 2`, repeats of seeds; as `3 × 1–2` where they differ."""
    few, many = row.seeds
    seeds = f"{few}" if few == many else f"{few}–{many}"
    return f"{row.repeats} × {seeds}" if unit == "repeat" else seeds


def format_time(iso: str) -> str:
    """A time of the manifest (UTC) to the minute."""
    return iso[:16].replace("T", " ")
