"""The columns of every table, and what makes a row of it one of a kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from tcray.store.keys import RUN_KEY

SCHEMA_VERSION = 1
"""Raised whenever a column of any table changes; written into every part."""

RETRYABLE = ("crash", "memory")
"""Why a run FAILED without a result: it is tried again when its sweep is, and a result then takes the row's place."""


@dataclass(frozen=True)
class TableSchema:
    """One table: its columns, the columns that name a row within a sweep, and those that no rerun would repeat."""

    name: str
    columns: pa.Schema
    key: tuple[str, ...]
    volatile_columns: frozenset[str] = frozenset()
    """When, where and with whom a row came about; two stores are equal whatever these say."""
    measured: frozenset[str] = frozenset()
    """Columns that arithmetic fills: bit-stable on a CPU, and only there."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every column, in order."""
        return tuple(self.columns.names)

    @property
    def has_retryable(self) -> bool:
        """Whether a row may be an attempt without a result (see `NO_RESULT`)."""
        return "reason" in self.names


def _table(
    name: str,
    own: Sequence[pa.Field],
    *,
    lead: tuple[str, ...] = (),
    trail: tuple[str, ...] = (),
    volatile_columns: tuple[str, ...] = (),
    measured: tuple[str, ...] = (),
) -> TableSchema:
    columns = pa.schema([_text("sweep_id"), *own])
    return TableSchema(name, columns, (*lead, *RUN_KEY, *trail), frozenset(volatile_columns), frozenset(measured))


def _text(name: str, *, nullable: bool = False) -> pa.Field:
    return pa.field(name, pa.string(), nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> pa.Field:
    return pa.field(name, pa.int64(), nullable=nullable)


def _real(name: str) -> pa.Field:
    return pa.field(name, pa.float64())


def _instant(name: str) -> pa.Field:
    return pa.field(name, pa.timestamp("us", tz="UTC"))


def _metrics(*, nullable: bool = False) -> pa.Field:
    return pa.field("metrics", pa.map_(pa.string(), pa.float64()), nullable=nullable)


_CIRCUMSTANCES = [
    _instant("started_at"),
    _real("seconds"),
    _text("pack", nullable=True),
    _number("pack_size", nullable=True),
    _text("host", nullable=True),
    _text("device", nullable=True),
]
"""When, how long, with whom and where something was trained."""

_RUN = [_text("phase"), _text("cell"), _number("repeat"), _number("trial"), _number("seed"), _text("run_id")]

LEDGER = _table(
    "ledger",
    [
        _text("kind"),
        _text("phase"),
        _text("cell"),
        _number("repeat"),
        _number("wave", nullable=True),
        _number("trial", nullable=True),
        _number("seed", nullable=True),
        _number("rung", nullable=True),
        _real("value"),
        pa.field("goes_on", pa.bool_()),
        _text("state", nullable=True),
        _text("reason", nullable=True),
        _text("configuration", nullable=True),
        _text("run_id", nullable=True),
        # What a segment left, so that a row of `runs` can be written whenever its verdict comes, in whatever session.
        _number("epoch", nullable=True),
        _number("best_epoch", nullable=True),
        _metrics(nullable=True),
        *_CIRCUMSTANCES,
        _instant("at"),
    ],
    lead=("kind",),
    trail=("rung",),
    volatile_columns=("at", *(f.name for f in _CIRCUMSTANCES)),
    measured=("value", "metrics"),
)

RUNS = _table(
    "runs",
    [
        *_RUN,
        _text("dataset"),
        _text("source"),
        _text("configuration"),
        _text("state"),
        _text("reason", nullable=True),
        _number("best_epoch", nullable=True),
        _number("epochs", nullable=True),
        _metrics(),
        *_CIRCUMSTANCES,
        _instant("ended_at"),
    ],
    volatile_columns=("ended_at", *(f.name for f in _CIRCUMSTANCES)),
    measured=("metrics",),
)

CURVES = _table("curves", [*_RUN, _number("epoch"), _metrics()], trail=("epoch",), measured=("metrics",))

EVALUATIONS = _table(
    "evaluations",
    [*_RUN, _text("condition"), _metrics()],
    trail=("condition",),
    measured=("metrics",),
)

PREDICTIONS = _table(
    "predictions",
    [*_RUN, _text("condition"), _text("example"), _text("group"), _real("label"), _real("prediction")],
    trail=("condition", "example"),
    measured=("prediction",),
)

SPECTRA = _table(
    "spectra",
    [*_RUN, _text("kind"), _number("index"), _real("value")],
    trail=("kind", "index"),
    measured=("value",),
)

TABLES: Mapping[str, TableSchema] = {t.name: t for t in (LEDGER, RUNS, CURVES, EVALUATIONS, PREDICTIONS, SPECTRA)}
"""Every table of a sweep, in the order in which `tcray store export` writes them."""
