"""Numbers, intervals, levels and metrics as they appear in the sentences of findings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tcray.config.messages import join_words
from tcray.config.metrics import METRICS
from tcray.statistics.mean import Interval


def phrase_number(value: float) -> str:
    """Return a number with three decimals and a true minus sign, such as `−0.031`; zero has no sign."""
    text = f"{value:.3f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def phrase_signed(value: float) -> str:
    """Return a number with its sign, such as `+0.031`."""
    text = phrase_number(value)
    return text if text.startswith("−") or float(text) == 0 else f"+{text}"


def phrase_interval(interval: Interval, orient: int = 1) -> str:
    """Return an interval such as `0.012 to 0.050`; with `orient` -1 that of the negated quantity."""
    low, high = (interval.low, interval.high) if orient > 0 else (-interval.high, -interval.low)
    return f"{phrase_number(low)} to {phrase_number(high)}"


def phrase_intervals(retraining: Interval, people: Interval | None, groups: str, orient: int = 1) -> str:
    """Return both intervals of a finding; `groups` is what test examples are grouped by, such as `video`."""
    text = f"95 % interval {phrase_interval(retraining, orient)}"
    if people is None:
        return text
    return f"{text} over retraining, {phrase_interval(people, orient)} over retraining and {groups}s"


def phrase_metric(metric: str) -> str:
    """Return the name of a stored metric in a sentence, such as `test MAE` for `test.mae`."""
    split, _, name = metric.rpartition(".")
    return f"{split.rpartition('.')[2]} {METRICS[name].label}".strip() if name in METRICS else metric


def phrase_level(value: Any) -> str:
    """Return a factor's level, such as `0.3` or `jwae`."""
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def phrase_levels(values: Sequence[Any], last: str = "and") -> str:
    """Return several levels of a factor, such as `1, 2 and 4`."""
    return join_words([phrase_level(value) for value in values], last)


def phrase_factor(factor: str) -> str:
    """Return the name of a factor in a sentence: `rank`, `audio dropout`, `prior strength`."""
    if factor.startswith("modality_dropout."):
        return f"{factor.partition('.')[2]} dropout"
    return factor.replace("_", " ")


def capitalize(sentence: str) -> str:
    """Return the sentence with its first letter in upper case and everything else unchanged."""
    return sentence[:1].upper() + sentence[1:]
