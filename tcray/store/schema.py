"""The tables of a sweep: columns with types and descriptions, keys, and the columns of hyperparameters.

Columns of hyperparameters bear the names of the sweep file (`lr`, `modality_dropout.audio`). A name has one type in
every sweep, so the parts of several sweeps unify: a column that a part lacks is null. `pyarrow.dataset.dataset` and
pandas take the columns from the first file; pass a unified schema if sweeps have different hyperparameters:

    parts = pyarrow.dataset.dataset("trials/runs").files
    schema = pyarrow.unify_schemas([pyarrow.parquet.read_schema(part) for part in parts])
    runs = pyarrow.dataset.dataset("trials/runs", schema=schema).to_table()
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from tcray.config.fields import FieldType, Integer, Number
from tcray.config.hyperparameters import HYPERPARAMETERS, find_hyperparameter
from tcray.store.keys import RUN_KEY

SCHEMA_VERSION = 2
"""Version of the tables and the manifest, written into both; raised if a column changes its type or meaning."""

RETRYABLE = ("crash", "memory")
"""Reasons of FAILED runs that are trained again when the sweep is; a later result replaces the failed row."""

MODEL_ARGUMENT = "model."
"""Prefix of the arguments of a custom model; the type of such a column is the type of its values."""


@dataclass(frozen=True)
class TableSchema:
    """One table: its columns, the key of its rows within a sweep, and the columns that a rerun would not repeat.

    volatile_columns    time, place and company of a row's origin; equal stores may differ in them
    measured            columns filled by arithmetic, which is reproducible to the bit only on a CPU
    has_hyperparameters the table has further columns, one per hyperparameter
    """

    name: str
    description: str
    columns: pa.Schema
    key: tuple[str, ...]
    volatile_columns: frozenset[str] = frozenset()
    measured: frozenset[str] = frozenset()
    has_hyperparameters: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all columns in order, without those of hyperparameters."""
        return tuple(self.columns.names)

    @property
    def has_retryable(self) -> bool:
        """True if rows may be failures that a later result replaces (see `RETRYABLE`)."""
        return "reason" in self.names

    def with_hyperparameters(self, given: Mapping[str, Any] = MappingProxyType({})) -> pa.Schema:
        """Return the columns followed by those of hyperparameters: the built-in ones, then those of `given` by name.

        given   names with an example value (or an Arrow scalar), which decides the type of a custom model's argument;
                arguments without any value are left out

        Raises `ValueError` for a name that is not a hyperparameter.
        """
        if not self.has_hyperparameters:
            return self.columns
        others = {name: pa.scalar(value) for name, value in sorted(given.items()) if name not in HYPERPARAMETERS}
        fields = [hyperparameter_field(name, value.type) for name, value in others.items()]
        known = [field for field in fields if field.type != pa.null()]
        return pa.schema([*self.columns, *map(hyperparameter_field, HYPERPARAMETERS), *known])


def hyperparameter_field(name: str, argument_type: pa.DataType | None = None) -> pa.Field:
    """Return the column of a hyperparameter; `argument_type` is the type of a custom model's argument.

    Raises `ValueError` if there is no such hyperparameter, or if its name is that of another column of `runs`.
    """
    if not is_hyperparameter(name):
        raise ValueError(f"{name} is not a hyperparameter, or has the name of a column of the table runs")
    known = find_hyperparameter(name)
    if known is None:
        return _column(name, argument_type or pa.null(), "Argument of the custom model.", nullable=True)
    return _column(name, _arrow_type(known.type), known.description, nullable=True)


def is_hyperparameter(name: str) -> bool:
    """True if a column of `runs` with this name holds a hyperparameter."""
    return name not in RUNS.names and (find_hyperparameter(name) is not None or name.startswith(MODEL_ARGUMENT))


def _arrow_type(kind: FieldType) -> pa.DataType:
    match kind:
        case Integer():
            return pa.int64()
        case Number():
            return pa.float64()
        case _:
            return pa.string()


def _column(name: str, kind: pa.DataType, description: str, *, nullable: bool = False) -> pa.Field:
    return pa.field(name, kind, nullable=nullable, metadata={"description": description})


def _table(
    name: str,
    description: str,
    own: Iterable[pa.Field],
    *,
    lead: tuple[str, ...] = (),
    trail: tuple[str, ...] = (),
    volatile: Iterable[str] = (),
    measured: Iterable[str] = (),
    has_hyperparameters: bool = False,
) -> TableSchema:
    columns = pa.schema([_column("sweep_id", pa.string(), "Id of the sweep."), *own])
    key = (*lead, *RUN_KEY, *trail)
    return TableSchema(name, description, columns, key, frozenset(volatile), frozenset(measured), has_hyperparameters)


def _text(name: str, description: str, *, nullable: bool = False) -> pa.Field:
    return _column(name, pa.string(), description, nullable=nullable)


def _integer(name: str, description: str, *, nullable: bool = False) -> pa.Field:
    return _column(name, pa.int64(), description, nullable=nullable)


def _number(name: str, description: str) -> pa.Field:
    return _column(name, pa.float64(), description, nullable=True)


def _flag(name: str, description: str) -> pa.Field:
    return _column(name, pa.bool_(), description, nullable=True)


def _time(name: str, description: str) -> pa.Field:
    return _column(name, pa.timestamp("us", tz="UTC"), description, nullable=True)


def _metrics(description: str, *, nullable: bool = False) -> pa.Field:
    return _column("metrics", pa.map_(pa.string(), pa.float64()), description, nullable=nullable)


def _outputs(name: str, description: str) -> pa.Field:
    return _column(name, pa.list_(pa.float64()), description, nullable=True)


_RUN = [
    _text("phase", "Phase of the run: search, finalist or confirm."),
    _text("cell", "Dataset and levels of the factors, as `mosi/rank=4`."),
    _integer("repeat", "Index of the repeat, from 0."),
    _integer("trial", "Index of the configuration within the repeat's search, from 0."),
    _integer("seed", "Seed index: equal indices mean equal random draws in every cell of a dataset."),
    _text("run_id", "Digest of everything that determines the result of the training."),
]

_EXECUTION = [
    _time("started_at", "Start of the training, UTC."),
    _number("seconds", "Wall time of the pack divided by its number of runs, in seconds."),
    _text("pack", "Name of the pack that the run was trained in.", nullable=True),
    _integer("pack_size", "Number of runs in the pack.", nullable=True),
    _text("host", "Name of the host.", nullable=True),
    _text("device", "Device: cpu or cuda.", nullable=True),
]
_EXECUTION_NAMES = tuple(field.name for field in _EXECUTION)

# The configuration of a proposal is JSON in one column: only the driver reads the ledger, to replay it, and every
# configuration is also in `runs` with typed columns once its run has ended.
LEDGER = _table(
    "ledger",
    "Proposals, measurements and decisions of the driver, in order. A resumed sweep replays them.",
    [
        _text("kind", "Kind of the row: proposal, value, promotion or exhausted."),
        _text("phase", "Phase of the run: search, finalist or confirm."),
        _text("cell", "Dataset and levels of the factors."),
        _integer("repeat", "Index of the repeat, from 0."),
        _integer("wave", "Index of the wave; null for confirm runs.", nullable=True),
        _integer("trial", "Index of the configuration within the repeat's search, from 0.", nullable=True),
        _integer("seed", "Seed index.", nullable=True),
        _integer("rung", "Epoch at which the segment ends, or the decision is taken.", nullable=True),
        _number("value", "Objective at the rung; null if it is not a number."),
        _flag("promoted", "True if the run was promoted from the rung, false if it was pruned; of kind promotion."),
        _text("state", "TRAINED or FAILED; of kind value.", nullable=True),
        _text("reason", "Reason of a failure, or of the end of a search.", nullable=True),
        _text("configuration", "All hyperparameters as JSON; of kind proposal.", nullable=True),
        _text("run_id", "Digest of everything that determines the result of the training.", nullable=True),
        # The results of a segment, so that the row of `runs` can be written when the run ends, in any session.
        _integer("epoch", "Last epoch trained.", nullable=True),
        _integer("best_epoch", "Epoch with the best objective so far; 0 if there is none.", nullable=True),
        _metrics("Metrics so far; of kind value.", nullable=True),
        *_EXECUTION,
        _time("at", "Time of the decision, or end of the segment, UTC."),
    ],
    lead=("kind",),
    trail=("rung",),
    volatile=("at", *_EXECUTION_NAMES),
    measured=("value", "metrics"),
)

RUNS = _table(
    "runs",
    "One row per finished run. Beside these columns there is one per hyperparameter, named as in the sweep file.",
    [
        *_RUN,
        _text("dataset", "Name of the dataset."),
        _text("source", "`real`, or `twin` for the synthetic stand-in."),
        _text("state", "COMPLETE, PRUNED or FAILED."),
        _text("reason", "Reason of a failure: diverged, memory or crash; empty otherwise.", nullable=True),
        _integer("best_epoch", "Epoch with the best objective; 0 if there is none.", nullable=True),
        _integer("epochs", "Number of epochs trained.", nullable=True),
        _metrics("Metrics by name: `valid.*` and `test.*` at the best epoch, `last.*` at the last epoch."),
        *_EXECUTION,
        _time("ended_at", "End of the training, UTC."),
        _text("reused_from", "Id of the sweep from which the result was taken; null if trained here.", nullable=True),
        _text("arithmetic", "Program and kernels that trained the run: what its bits depend on.", nullable=True),
        _flag("learned", "False if the run collapsed to a constant prediction; null if not determined."),
    ],
    volatile=("ended_at", "reused_from", "arithmetic", *_EXECUTION_NAMES),
    measured=("metrics", "learned"),
    has_hyperparameters=True,
)

CURVES = _table(
    "curves",
    "Learning curves: one row per run and epoch.",
    [*_RUN, _integer("epoch", "Epoch, from 1."), _metrics("Metrics of the epoch by name.")],
    trail=("epoch",),
    measured=("metrics",),
)

_CONDITION = _text("condition", "Test condition: clean, missing:audio, noise:text:0.3, fgsm:0.1, …")

EVALUATIONS = _table(
    "evaluations",
    "One row per confirm run and test condition, at the weights of the best epoch.",
    [*_RUN, _CONDITION, _metrics("Test metrics by name.")],
    trail=("condition",),
    measured=("metrics",),
)

PREDICTIONS = _table(
    "predictions",
    "One row per confirm run, test condition and test example, at the weights of the best epoch.",
    [
        *_RUN,
        _CONDITION,
        _text("example", "Id of the test example."),
        _text("group", "Group of the example, such as its video or speaker."),
        _outputs("label", "Label, one value per output."),
        _outputs("prediction", "Prediction, one value per output: the target's value, or logits of classes."),
    ],
    trail=("condition", "example"),
    measured=("prediction",),
)

SPECTRA = _table(
    "spectra",
    "Energy of the rank factors and singular values of the fusion tensor: one row per confirm run, kind and index.",
    [
        *_RUN,
        _text("kind", "Kind of the spectrum."),
        _integer("index", "Index of the value, from 0."),
        _number("value", "The value."),
    ],
    trail=("kind", "index"),
    measured=("value",),
)

TABLES: Mapping[str, TableSchema] = {t.name: t for t in (LEDGER, RUNS, CURVES, EVALUATIONS, PREDICTIONS, SPECTRA)}
"""Every table of a sweep, in the order in which `tcray store export` writes them."""
