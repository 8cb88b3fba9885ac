"""How findings say numbers: three decimals, a true minus, intervals and what they are over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tcray.config.messages import join_words
from tcray.config.metrics import METRICS
from tcray.statistics.mean import Interval


def phrase_number(value: float) -> str:
    """Three decimals, as `−0.031`; nothing is said to be minus zero."""
    text = f"{value:.3f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def phrase_signed(value: float) -> str:
    """The same with its sign, as `+0.031`."""
    text = phrase_number(value)
    return text if text.startswith("−") or float(text) == 0 else f"+{text}"


def phrase_interval(interval: Interval, orient: int = 1) -> str:
    """An interval as `0.012 to 0.050`; of the negated quantity where `orient` is -1."""
    low, high = (interval.low, interval.high) if orient > 0 else (-interval.high, -interval.low)
    return f"{phrase_number(low)} to {phrase_number(high)}"


def phrase_intervals(retraining: Interval, people: Interval | None, groups: str, orient: int = 1) -> str:
    """Both intervals of a finding; `groups` is what test examples are grouped by, as `video`."""
    said = f"95 % interval {phrase_interval(retraining, orient)}"
    if people is None:
        return said
    return f"{said} over retraining, {phrase_interval(people, orient)} over retraining and {groups}s"


def phrase_metric(metric: str) -> str:
    """What a metric of the store is called in a sentence, as `test MAE`."""
    split, _, name = metric.rpartition(".")
    return f"{split.rpartition('.')[2]} {METRICS[name].label}".strip() if name in METRICS else metric


def phrase_level(value: Any) -> str:
    """A factor's level, as `0.3` or `jwae`."""
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def phrase_levels(values: Sequence[Any], last: str = "and") -> str:
    """Some levels of a factor, as `1, 2 and 4`."""
    return join_words([phrase_level(value) for value in values], last)


def phrase_factor(factor: str) -> str:
    """What a factor is called in a sentence: `rank`, `audio dropout`, `prior strength`."""
    if factor.startswith("modality_dropout."):
        return f"{factor.partition('.')[2]} dropout"
    return factor.replace("_", " ")


def capitalize(sentence: str) -> str:
    """The sentence with its first letter raised, and no other touched."""
    return sentence[:1].upper() + sentence[1:]
