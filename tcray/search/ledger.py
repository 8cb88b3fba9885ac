"""The rows of the ledger: what was proposed, what was measured, what was decided.

proposal   a run that is to be: its configuration and seed (a confirm run is proposed by its repeat's selection)
value      what one segment of a run left: the objective at its rung, its metrics so far, and the circumstances
verdict    whether a run goes on from a rung
closed     a repeat's search ends before its trials are spent, and why
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tcray.config.run import Configuration, canonical_json
from tcray.search.repeat import Repeat
from tcray.search.run_history import Execution, Measurement, RunHistory
from tcray.search.seeds import search_seed
from tcray.store.keys import RunKey

Row = dict[str, Any]


def proposal(course: RunHistory) -> Row:
    """The row that makes a run part of the sweep."""
    configuration = canonical_json(course.run.configuration.to_flat())
    return {"kind": "proposal", **_run(course), "configuration": configuration, "at": datetime.now(UTC)}


def value(course: RunHistory, measurement: Measurement) -> Row:
    """The row of what a segment left."""
    m, where = measurement, measurement.circumstances
    return {
        "kind": "value",
        **_run(course),
        "rung": m.rung,
        "value": None if math.isnan(m.value) else m.value,
        "state": m.state,
        "reason": m.reason,
        "epoch": m.epoch,
        "best_epoch": m.best_epoch,
        "metrics": m.metrics,
        "seconds": m.seconds,
        "started_at": where.started_at,
        "pack": where.pack,
        "pack_size": where.pack_size,
        "host": where.host,
        "device": where.device,
        "at": where.ended_at,
    }


def verdict(course: RunHistory) -> Row:
    """The row of the decision at the rung where a run stands."""
    rung = course.position
    return {"kind": "verdict", **_run(course), "rung": rung, "goes_on": course.verdicts[rung], "at": datetime.now(UTC)}


def closed(repeat: Repeat, wave: int) -> Row:
    """The row that ends a search at the wave and the trial that could not be proposed."""
    key = RunKey("search", repeat.cell.key, repeat.index, len(repeat.searching), search_seed(repeat.index))
    return {"kind": "closed", **key.columns(), "wave": wave, "reason": repeat.closed, "at": datetime.now(UTC)}


def configuration_of(row: Mapping[str, Any]) -> Configuration:
    """The configuration of a `proposal` row."""
    return Configuration.from_flat(json.loads(row["configuration"]))


def measurement_of(row: Mapping[str, Any]) -> Measurement:
    """What a `value` row tells."""
    where = Execution(row["host"], row["device"], row["pack"], row["pack_size"], row["started_at"], row["at"])
    return Measurement(
        rung=row["rung"],
        epoch=row["epoch"],
        state=row["state"],
        reason=row["reason"],
        value=math.nan if row["value"] is None else row["value"],
        best_epoch=row["best_epoch"],
        metrics=dict(row["metrics"]),
        seconds=row["seconds"],
        circumstances=where,
    )


def _run(course: RunHistory) -> Row:
    wave = course.wave if course.key.phase == "search" else None
    return {**course.key.columns(), "wave": wave, "run_id": course.run.run_id}
