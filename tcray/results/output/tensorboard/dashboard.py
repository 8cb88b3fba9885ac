"""What TensorBoard shows of all sweeps of a logdir at once: columns of its HParams tab, charts of its Custom Scalars.

TensorBoard takes the columns from a single run. So every sweep says what it has, and a run above them says it together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from tcray.results.display.grouping import group_by
from tcray.results.display.labels import SPLITS, format_metric
from tcray.results.output.tensorboard.events import Band, Column, Level, experiment, layout

if TYPE_CHECKING:
    from tensorboard.compat.proto.summary_pb2 import Summary

SWEEP = "sweep"
"""The hyperparameter that says whose cell a run is."""

SOURCE = "source"
"""The one that says whether its data are real or a twin's."""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """What there is to show.

    at       when the last of it was measured, in seconds since 1970
    hparams  by name, all levels
    columns  of metrics, in order
    curves   metrics measured by epoch, as `valid.loss`
    """

    at: float
    hparams: Mapping[str, tuple[Level, ...]]
    columns: tuple[Column, ...]
    curves: tuple[str, ...]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `document`."""
        return cls(
            document["at"],
            {name: tuple(levels) for name, levels in document["hparams"].items()},
            tuple(Column(**column) for column in document["columns"]),
            tuple(document["curves"]),
        )

    @classmethod
    def together(cls, dashboards: Iterable[Dashboard]) -> Self:
        """All of what each of `dashboards` has."""
        each = list(dashboards)
        names = dict.fromkeys(name for one in each for name in one.hparams)
        return cls(
            max((one.at for one in each), default=0.0),
            {name: ordered(level for one in each for level in one.hparams.get(name, ())) for name in names},
            tuple(dict.fromkeys(column for one in each for column in one.columns)),
            tuple(sorted({metric for one in each for metric in one.curves})),
        )

    def document(self) -> dict[str, Any]:
        """In JSON's types."""
        return asdict(self)

    def values(self) -> list[Summary.Value]:
        """What to write into the run above all others."""
        by_split = group_by(self.curves, lambda metric: metric.partition(".")[0])
        charts = {SPLITS.get(split, split): list(map(band, metrics)) for split, metrics in by_split.items()}
        shown = {name: levels for name, levels in self.hparams.items() if not _known(name, levels)}
        return [experiment(shown, self.columns), layout(charts)]


def _known(name: str, levels: tuple[Level, ...]) -> bool:
    """Whether a column would only take room: that of the one sweep there is, or of sources where all is real."""
    return (name == SWEEP and len(levels) == 1) or (name == SOURCE and levels == ("real",))


def band(metric: str) -> Band:
    """The chart of a metric's mean and interval, and with it the tags that they bear."""
    return Band(format_metric(metric), f"{metric}/mean", f"{metric}/low", f"{metric}/high")


def ordered(levels: Iterable[Level]) -> tuple[Level, ...]:
    """Each level once: numbers by size, else as they come."""
    once = tuple(dict.fromkeys(levels))
    return once if any(isinstance(level, str) for level in once) else tuple(sorted(once))
