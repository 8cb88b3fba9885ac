"""The columns of TensorBoard's HParams tab and the charts of its Custom Scalars tab.

TensorBoard reads the columns of one arbitrary run, so every run with columns must have those of all sweeps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from tcray.results.display.grouping import group_by
from tcray.results.display.labels import SPLITS, format_metric
from tcray.results.output.tensorboard.events import Level, MarginChart, MetricColumn, experiment, layout

if TYPE_CHECKING:
    from tensorboard.compat.proto.summary_pb2 import Summary

SWEEP = "sweep"
"""The hyperparameter that names the sweep of a cell."""

SOURCE = "source"
"""The hyperparameter that is `real` or `twin`."""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Columns and charts of some cells.

    at       end of the last run, in seconds since 1970
    hparams  all levels, by name
    columns  of metrics, in order
    curves   metrics measured by epoch, as `valid.loss`
    """

    at: float
    hparams: Mapping[str, tuple[Level, ...]]
    columns: tuple[MetricColumn, ...]
    curves: tuple[str, ...]

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the dashboard of a document made by `to_document`."""
        return cls(
            document["at"],
            {name: tuple(levels) for name, levels in document["hparams"].items()},
            tuple(MetricColumn(**column) for column in document["columns"]),
            tuple(document["curves"]),
        )

    @classmethod
    def merge(cls, dashboards: Iterable[Dashboard]) -> Self:
        """Return the union of dashboards."""
        each = list(dashboards)
        names = dict.fromkeys(name for one in each for name in one.hparams)
        return cls(
            max((one.at for one in each), default=0.0),
            {name: order_levels(level for one in each for level in one.hparams.get(name, ())) for name in names},
            tuple(dict.fromkeys(column for one in each for column in one.columns)),
            tuple(sorted({metric for one in each for metric in one.curves})),
        )

    def to_document(self) -> dict[str, Any]:
        """Return the dashboard in the types of JSON."""
        return asdict(self)

    def values(self) -> list[Summary.Value]:
        """Return the values to write into a run."""
        by_split = group_by(self.curves, lambda metric: metric.partition(".")[0])
        charts = {SPLITS.get(split, split): list(map(to_margin_chart, metrics)) for split, metrics in by_split.items()}
        shown = {name: levels for name, levels in self.hparams.items() if not _is_constant(name, levels)}
        return [experiment(shown, self.columns), layout(charts)]


def _is_constant(name: str, levels: tuple[Level, ...]) -> bool:
    """True if a column has no information: that of a single sweep, or of sources if all data are real."""
    return (name == SWEEP and len(levels) == 1) or (name == SOURCE and levels == ("real",))


def to_margin_chart(metric: str) -> MarginChart:
    """Return the chart of a metric's mean and interval, with their tags."""
    return MarginChart(format_metric(metric), f"{metric}/mean", f"{metric}/low", f"{metric}/high")


def order_levels(levels: Iterable[Level]) -> tuple[Level, ...]:
    """Return each level once: numbers by size, other levels in order of appearance."""
    once = tuple(dict.fromkeys(levels))
    return once if any(isinstance(level, str) for level in once) else tuple(sorted(once))
