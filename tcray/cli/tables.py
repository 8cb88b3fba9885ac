"""A sweep's ranking as text: aligned columns, as many as there is width for."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.text import Text

from tcray.cli.aligned import GAP
from tcray.cli.which import shown_dataset
from tcray.results.estimate import Estimate
from tcray.results.ranking import TRAIN_LOSS, DatasetTable, Ranking, level_text
from tcray.spec.metrics import METRICS

NONE = "–"
RULE = "─"

LONG = 8
"""The name of a hyperparameter is broken where it is longer, and can be."""


def show(ranking: Ranking, *, console: Console | None = None) -> None:
    """Prints the tables of a sweep, how to read them and, where columns had to go, the width that has room for all."""
    console = console or Console()
    for table in ranking.tables:
        console.print(Text(shown_dataset(table.dataset, table.source), "bold"))
        for line in lines(fitting(table, console.width), len(table.references)):
            console.print(Text(line), soft_wrap=True)
        for note in table.notes:
            _say(console, note)
        console.print()
    for note in (ranking.caption, *ranking.notes):
        _say(console, note)
    widest = max((_width(fitting(table, math.inf)) for table in ranking.tables), default=0)
    if widest > console.width:
        _say(console, f"Columns that do not fit are left out; in a terminal of {widest} characters all do.")


@dataclass(frozen=True)
class Column:
    """The lines of a header, and a text for each row, then one for each reference row."""

    header: tuple[str, ...]
    texts: tuple[str, ...]
    right: bool = True

    @property
    def width(self) -> int:
        """Of the widest text."""
        return max(map(len, (*self.header, *self.texts)))

    def lines(self, height: int) -> Iterator[str]:
        """The header at the foot of `height` lines, then the texts, all of one width."""
        for text in (*[""] * (height - len(self.header)), *self.header, *self.texts):
            yield text.rjust(self.width) if self.right else text.ljust(self.width)


def fitting(table: DatasetTable, width: float) -> list[Column]:
    """The columns of a table that fit in `width` characters; what names a row is among them however narrow that is."""
    named = _named(table)
    counted = _counted(table)
    first, *others = (_tested(table, metric) for metric in table.metrics)
    losses = [_mean(table, metric) for metric in (table.objective, TRAIN_LOSS)]
    failed, pruned = _ended("failed", table), _ended("pruned", table)
    kept = [named]
    for column in (*counted, first, *losses, *failed, *others[:1], *pruned, *others[1:]):
        if _width([*kept, column]) <= width:
            kept.append(column)
    return [column for column in (named, *counted, first, *others, *losses, *failed, *pruned) if column in kept]


def lines(columns: Sequence[Column], references: int) -> list[str]:
    """A table of columns, line by line: header, rows, and below a rule the reference rows."""
    height = max(len(column.header) for column in columns)
    text = [GAP.join(parts).rstrip() for parts in zip(*(column.lines(height) for column in columns), strict=True)]
    rule = RULE * max(map(len, text))
    rows = len(text) - references
    return [*text[:height], rule, *text[height:rows], *([rule] if references else []), *text[rows:]]


def _named(table: DatasetTable) -> Column:
    """What tells the rows apart, a column a hyperparameter, in one block that the name of a reference row may span."""
    references = [row.name for row in table.references]
    if not table.levels:
        return Column(("cell",), (*(row.name for row in table.rows), *references), right=False)
    columns = [
        Column(
            header=_broken(level),
            texts=tuple(level_text(row.levels[level]) for row in table.rows),
            right=not any(isinstance(row.levels[level], str) for row in table.rows),
        )
        for level in table.levels
    ]
    height = max(len(column.header) for column in columns)
    joined = [GAP.join(parts) for parts in zip(*(column.lines(height) for column in columns), strict=True)]
    return Column(tuple(joined[:height]), (*joined[height:], *references), right=False)


def _counted(table: DatasetTable) -> list[Column]:
    """How many searches and confirm runs an estimate rests on."""
    if table.unit == "trial":
        return []
    seeds = [str(row.seeds[1]) if len(set(row.seeds)) == 1 else "–".join(map(str, row.seeds)) for row in table.rows]
    blank = [""] * len(table.references)
    if table.unit == "seed":
        return [Column(("seeds",), (*seeds, *blank))]
    counts = [f"{row.repeats} × {count}" for row, count in zip(table.rows, seeds, strict=True)]
    return [Column(("repeats", "× seeds"), (*counts, *blank))]


def _tested(table: DatasetTable, metric: str) -> Column:
    """A test metric, with half its interval where there is one or could be."""
    means = _mean(table, metric)
    if table.unit == "trial":
        return means
    halves = [_half(row.values[metric]) for row in table.rows] + [""] * len(table.references)
    longest = max(map(len, means.texts), default=0)
    texts = tuple(mean.rjust(longest) + half for mean, half in zip(means.texts, halves, strict=True))
    return Column(means.header, texts, right=False)


def _mean(table: DatasetTable, metric: str) -> Column:
    """A metric without its interval; nothing for a reference row that does not have it."""
    rows = (*table.rows, *table.references)
    return Column(
        _header(metric), tuple(_number(row.values[metric].mean) if metric in row.values else "" for row in rows)
    )


def _ended(state: Literal["failed", "pruned"], table: DatasetTable) -> list[Column]:
    """How many runs of each row ended so, unless none did."""
    counts = [getattr(row, state) for row in table.rows]
    if not any(counts):
        return []
    return [Column((state,), (*(str(count) if count else "" for count in counts), *[""] * len(table.references)))]


def _half(estimate: Estimate) -> str:
    return "" if estimate.mean is None else f" ± {_number(estimate.half_width)}"


def _number(value: float | None) -> str:
    """Three decimals, which suit every metric here; – where there is no number."""
    if value is None:
        return NONE
    return f"{value:z.3f}" if abs(value) < 1000 else f"{value:.1e}"


def _header(metric: str) -> tuple[str, ...]:
    """`test.acc2` as `test acc-2` above `(>= 0)`, `train.loss` as `train` above `loss`."""
    split, _, name = metric.partition(".")
    label, bracket, reading = METRICS[name].label.partition(" (")
    return (f"{split} {label}", f"({reading}") if bracket else (split, label)


def _broken(name: str) -> tuple[str, ...]:
    """A hyperparameter's name, broken after `_` and `.` into lines where it is long."""
    broken: list[str] = []
    for part in re.findall(r"[^_.]+[_.]?", name):
        if broken and len(broken[-1] + part) <= LONG:
            broken[-1] += part
        else:
            broken.append(part)
    return tuple(broken)


def _width(columns: Sequence[Column]) -> int:
    return sum(column.width for column in columns) + len(GAP) * (len(columns) - 1)


def _say(console: Console, sentence: str) -> None:
    for line in textwrap.wrap(sentence, console.width, break_long_words=False, break_on_hyphens=False):
        console.print(Text(line), soft_wrap=True)
