"""The rows of the ledger: proposals, measurements and decisions.

proposal    a run that was added to the sweep, with its configuration and seed
value       the measurement of one segment of a run: the objective at its rung, its metrics so far, and its execution
promotion   the decision to promote a run from a rung, or to prune it there
exhausted   the end of a repeat's search before all of its trials were proposed, with the reason
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tcray.config.run import Configuration, canonical_json
from tcray.search.repeat import Repeat
from tcray.search.run_history import Measurement, RunHistory
from tcray.search.seeds import search_seed
from tcray.store.keys import RunKey

Row = dict[str, Any]


def proposal_row(history: RunHistory) -> Row:
    """Return the row that makes a run part of the sweep."""
    configuration = canonical_json(history.run.configuration.to_flat())
    return {"kind": "proposal", **_run_columns(history), "configuration": configuration, "at": datetime.now(UTC)}


def value_row(history: RunHistory, measurement: Measurement) -> Row:
    """Return the row of one segment's measurement."""
    return {"kind": "value", **_run_columns(history), **measurement.as_row()}


def promotion_row(history: RunHistory) -> Row:
    """Return the row of the decision at the rung that the run has reached."""
    rung = history.position
    promoted = history.promotions[rung]
    return {
        "kind": "promotion",
        **_run_columns(history),
        "rung": rung,
        "promoted": promoted,
        "at": datetime.now(UTC),
    }


def exhausted_row(repeat: Repeat, wave: int) -> Row:
    """Return the row that ends a search; it names the wave and the trial that could not be proposed."""
    key = RunKey("search", repeat.cell.key, repeat.index, len(repeat.search_histories), search_seed(repeat.index))
    return {"kind": "exhausted", **key.columns(), "wave": wave, "reason": repeat.exhausted, "at": datetime.now(UTC)}


def read_configuration(row: Mapping[str, Any]) -> Configuration:
    """Return the configuration in a `proposal` row."""
    return Configuration.from_flat(json.loads(row["configuration"]))


def _run_columns(history: RunHistory) -> Row:
    wave = history.wave if history.key.phase == "search" else None
    return {**history.key.columns(), "wave": wave, "run_id": history.run.run_id}
