"""Event files for TensorBoard: the summary values of its plugins, and their encoding as bytes.

The `tensorboard` package writes the format without TensorFlow. A file depends on its values alone, not on the time,
the host or the process that writes it: equal values give equal bytes.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.types_pb2 import DT_FLOAT
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import metadata as custom_scalar
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
from tensorboard.plugins.hparams import metadata as hparams_plugin
from tensorboard.plugins.image import metadata as image_plugin
from tensorboard.plugins.scalar import metadata as scalar_plugin
from tensorboard.plugins.text import metadata as text_plugin
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util.tensor_util import make_tensor_proto

Level = str | float | bool
"""The type of a hyperparameter in the HParams tab."""

Status = Literal["unknown", "running", "success", "failure"]
_STATUS = {
    "unknown": api_pb2.STATUS_UNKNOWN,
    "running": api_pb2.STATUS_RUNNING,
    "success": api_pb2.STATUS_SUCCESS,
    "failure": api_pb2.STATUS_FAILURE,
}

_SCALAR = scalar_plugin.create_summary_metadata(display_name="", description="")
FILE_VERSION = "brain.Event:2"
"""The version in the first record of every event file."""


@dataclass(frozen=True, slots=True)
class MetricColumn:
    """A metric column of the HParams tab: the last value of the scalar `tag`, under the header `title`."""

    tag: str
    title: str


@dataclass(frozen=True, slots=True)
class MarginChart:
    """A margin chart of the Custom Scalars tab: the scalar `mean` in a band from `low` to `high`; fields are tags."""

    title: str
    mean: str
    low: str
    high: str


def event_file(steps: Mapping[int, Iterable[Summary.Value]], *, started_at: float, ended_at: float) -> bytes:
    """Return the content of an event file.

    Args:
        steps: values by step; all get the time `ended_at`.
        started_at: the time by which TensorBoard sorts runs, in seconds since 1970.
        ended_at: the end of the run, in seconds since 1970.
    """
    content = io.BytesIO()
    writer = RecordWriter(content)
    writer.write(Event(wall_time=started_at, file_version=FILE_VERSION).SerializeToString())
    described: set[str] = set()
    for step, values in steps.items():
        # One event per step, not per value: readers parse, and writers check, far fewer records.
        event = Event(wall_time=ended_at, step=step, summary=Summary(value=values))
        for value in event.summary.value:
            if value.tag in described:
                value.ClearField("metadata")  # readers take it from the first value of a tag
            described.add(value.tag)
        writer.write(event.SerializeToString())
    return content.getvalue()


def scalar(tag: str, value: float) -> Summary.Value:
    """Return a number, in single precision."""
    made = Summary.Value(tag=tag, metadata=_SCALAR)
    made.tensor.dtype = DT_FLOAT  # a `simple_value` is shorter, but takes Python readers twice the time
    made.tensor.float_val.append(value)
    return made


def text(tag: str, markdown: str) -> Summary.Value:
    """Return a text for the Text tab."""
    about = text_plugin.create_summary_metadata(display_name=tag, description="")
    return Summary.Value(tag=tag, metadata=about, tensor=make_tensor_proto(markdown.encode()))


def image(tag: str, png: bytes) -> Summary.Value:
    """Return an image, encoded as PNG."""
    width, height = struct.unpack(">II", png[16:24])
    about = image_plugin.create_summary_metadata(display_name=tag, description="", converted_to_tensor=True)
    content = [str(width).encode(), str(height).encode(), png]
    return Summary.Value(tag=tag, metadata=about, tensor=make_tensor_proto(content))


def experiment(hparams: Mapping[str, Sequence[Level]], columns: Sequence[MetricColumn]) -> Summary.Value:
    """Return the columns of the HParams tab: hyperparameters with all their levels, and metrics."""
    infos = [_info(name, levels) for name, levels in hparams.items()]
    metrics = [api_pb2.MetricInfo(name=api_pb2.MetricName(tag=c.tag), display_name=c.title) for c in columns]
    shown = api_pb2.Experiment(hparam_infos=infos, metric_infos=metrics)
    return _of_hparams(hparams_plugin.EXPERIMENT_TAG, plugin_data_pb2.HParamsPluginData(experiment=shown))


def session(hparams: Mapping[str, Level], status: Status, *, started_at: float, ended_at: float) -> list[Summary.Value]:
    """Return the row of a run in the HParams tab; it belongs into the event file of that run."""
    start = plugin_data_pb2.SessionStartInfo(start_time_secs=started_at)
    for name, level in sorted(hparams.items()):
        field = {bool: "bool_value", str: "string_value"}.get(type(level), "number_value")
        setattr(start.hparams[name], field, level)
    end = plugin_data_pb2.SessionEndInfo(status=_STATUS[status], end_time_secs=ended_at)
    return [
        _of_hparams(hparams_plugin.SESSION_START_INFO_TAG, plugin_data_pb2.HParamsPluginData(session_start_info=start)),
        _of_hparams(hparams_plugin.SESSION_END_INFO_TAG, plugin_data_pb2.HParamsPluginData(session_end_info=end)),
    ]


def layout(charts: Mapping[str, Sequence[MarginChart]]) -> Summary.Value:
    """Return the layout of the Custom Scalars tab: charts by category."""
    made = layout_pb2.Layout(
        category=[
            layout_pb2.Category(title=title, chart=list(map(_to_chart_proto, of_title)))
            for title, of_title in charts.items()
        ]
    )
    about = custom_scalar.create_summary_metadata()
    tensor = make_tensor_proto(made.SerializeToString())
    return Summary.Value(tag=custom_scalar.CONFIG_SUMMARY_TAG, metadata=about, tensor=tensor)


def _to_chart_proto(chart: MarginChart) -> layout_pb2.Chart:
    series = layout_pb2.MarginChartContent.Series(value=chart.mean, lower=chart.low, upper=chart.high)
    return layout_pb2.Chart(title=chart.title, margin=layout_pb2.MarginChartContent(series=[series]))


def _info(name: str, levels: Sequence[Level]) -> api_pb2.HParamInfo:
    info = api_pb2.HParamInfo(name=name, type=_type(levels), differs=len(levels) > 1)
    info.domain_discrete.extend(levels)
    return info


def _type(levels: Sequence[Level]) -> int:
    kinds = {type(level) for level in levels}
    if kinds == {bool}:
        return int(api_pb2.DATA_TYPE_BOOL)
    return int(api_pb2.DATA_TYPE_STRING if str in kinds else api_pb2.DATA_TYPE_FLOAT64)


def _of_hparams(tag: str, content: plugin_data_pb2.HParamsPluginData) -> Summary.Value:
    content.version = hparams_plugin.PLUGIN_DATA_VERSION
    # As the plugin's own `create_summary_metadata` has it, but with maps always in the same order.
    data = SummaryMetadata.PluginData(
        plugin_name=hparams_plugin.PLUGIN_NAME, content=content.SerializeToString(deterministic=True)
    )
    return Summary.Value(tag=tag, metadata=SummaryMetadata(plugin_data=data), tensor=hparams_plugin.NULL_TENSOR)
