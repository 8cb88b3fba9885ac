"""How datasets, strata, levels, metrics and numbers are written in the figures and the report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tcray.results.estimate import Estimate
from tcray.spec.metrics import METRICS

NONE = "–"
"""What stands where there is no number."""

LARGE = 10_000.0
"""A number from here on is written by its magnitude."""

GAP = "gap"
"""The derived metric: test loss less train loss, both at the last epoch."""

SPLITS: Mapping[str, str] = {
    "test": "test",
    "train": "train",
    "valid": "validation",
    "last.test": "last-epoch test",
    "last.valid": "last-epoch validation",
    "check": "",
}

FACTORS: Mapping[str, str] = {
    "rank": "rank",
    "prior_strength": "prior strength",
    "modality_dropout.audio": "rate of audio dropout in training",
}


def dataset_label(dataset: str, source: str) -> str:
    """A dataset, never without saying whether it is real or a twin; one that was left out is neither."""
    return f"{dataset} ({source})" if source else dataset


def level_label(level: Any) -> str:
    """A level of a factor: modalities joined by `+`, four digits of a real number."""
    if isinstance(level, str):
        return level
    if isinstance(level, Sequence):
        return " + ".join(map(str, level)) or "none"
    if isinstance(level, frozenset):
        return " + ".join(sorted(map(str, level))) or "none"
    return f"{level:.4g}" if isinstance(level, float) else str(level)


def stratum_label(stratum: Mapping[str, Any]) -> str:
    """The levels that a stratum fixes, as `conditioning=none, rank=4`; empty where it fixes none."""
    return ", ".join(f"{name}={level_label(level)}" for name, level in stratum.items() if level is not None)


def factor_label(factor: str) -> str:
    """A factor as an axis names it."""
    if factor in FACTORS:
        return FACTORS[factor]
    family, _, member = factor.partition(".")
    return f"rate of {member} dropout in training" if family == "modality_dropout" else factor.replace("_", " ")


def metric_label(metric: str) -> str:
    """`test.mae` as `test MAE`, `train.loss` as `train loss`."""
    if metric == GAP:
        return "test − train loss"
    split, _, name = metric.rpartition(".")
    label = METRICS[name].label.replace(">=", "≥") if name in METRICS else name.replace("_", " ")
    return f"{SPLITS.get(split, split)} {label}".strip()


def better_label(*, maximize: bool) -> str:
    """Which way is better."""
    return "higher is better" if maximize else "lower is better"


def number_label(value: float | None, decimals: int = 3) -> str:
    """Three decimals, which suit every metric here, with a true minus; – where there is no number."""
    if value is None or not math.isfinite(value):
        return NONE
    if abs(value) >= LARGE:
        return f"{value:.1e}".replace("-", "−")
    return f"{value:z.{decimals}f}".replace("-", "−")


def signed_label(value: float | None) -> str:
    """A difference, with its sign."""
    text = number_label(value)
    return f"+{text}" if text[0].isdigit() and text.strip("0.") else text


def change_label(estimate: Estimate) -> str:
    """A mean difference, with its sign, ± half its 95 % interval."""
    half = number_label(estimate.half_width)
    return signed_label(estimate.mean) + ("" if half == NONE else f" ± {half}")


def estimate_label(estimate: Estimate | None) -> str:
    """A mean ± half its 95 % interval; without the half where there is none."""
    if estimate is None or number_label(estimate.mean) == NONE:
        return NONE
    half = number_label(estimate.half_width)
    return number_label(estimate.mean) + ("" if half == NONE else f" ± {half}")


def interval_label(low: float | None, high: float | None) -> str:
    """`0.012 to 0.050`."""
    ends = number_label(low), number_label(high)
    return NONE if NONE in ends else " to ".join(ends)


def p_label(p: float | None) -> str:
    """A p-value, three decimals of it."""
    if p is None or not math.isfinite(p):
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def list_label(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def plural(count: int, noun: str) -> str:
    """`1 repeat`, `12 repeats`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def capitalised(text: str) -> str:
    """With its first letter raised, and no other touched."""
    return text[:1].upper() + text[1:]
