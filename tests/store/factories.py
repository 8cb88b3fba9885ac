"""A small sweep as a driver writes it to the store: two datasets, two ranks, a search and a confirm phase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tcray.config.run import ENGINE_VERSION, Configuration, Run, canonical_json
from tcray.store.driver_status import BestRun, DriverStatus, Host
from tcray.store.keys import RunKey
from tcray.store.schema import SCHEMA_VERSION
from tcray.store.store import Store, SweepStore

Row = dict[str, Any]

SWEEP_ID = "rank-1a2b3c4d5e6f"
BEGAN = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)
CARDS = [
    {"name": "mosi", "source": "real", "fingerprint": "f-mosi", "primary_metric": "mae"},
    {"name": "mustard", "source": "twin", "fingerprint": "f-mustard", "primary_metric": "f1"},
]
MODALITIES = {"mosi": ("text", "audio"), "mustard": ("text", "video")}
METRICS = {"mosi": "mae", "mustard": "f1"}
EPOCHS = 3


def make_manifest(sweep_id: str = SWEEP_ID, **changes: Any) -> Row:
    """Return a manifest with every key that a driver writes and a reader needs."""
    return {
        "schema": SCHEMA_VERSION,
        "sweep_id": sweep_id,
        "name": "rank",
        "question": "Does rank matter?",
        "started_at": BEGAN.isoformat(),
        "sweep": {
            "factors": [["rank", [1, 4]]],
            "training": {"epochs": EPOCHS},
            "objective": "valid.loss",
            "seed": 0,
        },
        "cards": CARDS,
        "objective": "valid.loss",
        "planned_runs": 20,
        "engine": ENGINE_VERSION,
        "device": "cpu",
        **changes,
    }


@dataclass(frozen=True)
class RecordedRun:
    """A run and its rows in all tables."""

    dataset: str
    key: RunKey
    configuration: Configuration
    state: str = "COMPLETE"
    reason: str = ""
    loss: float = 0.5
    later: timedelta = timedelta()
    """Offset of all its times from `BEGAN`; the names of its host and pack contain it."""

    @property
    def run_id(self) -> str:
        """Return the run id that the engine would compute."""
        card = next(card for card in CARDS if card["name"] == self.dataset)
        run = Run(self.dataset, card["fingerprint"], self.configuration, EPOCHS, "valid.loss", 0, self.key.seed)
        return run.run_id

    @property
    def name(self) -> Row:
        """Return the columns that identify the run in every table."""
        return {**self.key.columns(), "run_id": self.run_id}

    def proposal(self) -> Row:
        """Return its first row in the ledger."""
        configuration = canonical_json(self.configuration.to_flat())
        at = BEGAN + self.later
        return {"kind": "proposal", **self.name, "wave": 0, "configuration": configuration, "at": at}

    def value(self) -> Row:
        """Return its second row in the ledger."""
        state = "FAILED" if self.state == "FAILED" else "TRAINED"
        result = {"rung": EPOCHS, "value": self.loss, "state": state, "reason": self.reason}
        return {"kind": "value", **self.name, **result, **self.volatile_columns(), "at": BEGAN + self.later}

    def run(self) -> Row:
        """Return its row in `runs`."""
        card = next(card for card in CARDS if card["name"] == self.dataset)
        return {
            **self.name,
            "dataset": self.dataset,
            "source": card["source"],
            **self.configuration.to_flat(),
            "state": self.state,
            "reason": self.reason,
            "best_epoch": 2,
            "epochs": EPOCHS,
            "metrics": self.metrics(),
            **self.volatile_columns(),
            "ended_at": BEGAN + self.later + timedelta(seconds=2),
        }

    def metrics(self) -> Row:
        """Return an objective, a test metric and a NaN."""
        return {"valid.loss": self.loss, f"test.{METRICS[self.dataset]}": self.loss + 0.25, "train.loss": float("nan")}

    def volatile_columns(self) -> Row:
        """Return the columns on time, host and pack."""
        return {
            "started_at": BEGAN + self.later,
            "seconds": 2.0 + self.later.total_seconds(),
            "pack": f"pack-{self.later}",
            "pack_size": 2,
            "host": f"host-{self.later}",
            "device": "cpu",
        }

    def curve(self) -> list[Row]:
        """Return its rows in `curves`."""
        return [{**self.name, "epoch": epoch, "metrics": {"train.loss": 1 / epoch}} for epoch in range(1, EPOCHS + 1)]

    def evaluations(self) -> list[Row]:
        """Return its rows in `evaluations`."""
        conditions = ("clean", "missing:text")
        return [{**self.name, "condition": condition, "metrics": {"loss": self.loss}} for condition in conditions]

    def predictions(self) -> list[Row]:
        """Return its rows in `predictions`."""
        rows = [{"example": f"v{n}", "group": "v", "label": [float(n)], "prediction": [n / 3]} for n in range(4)]
        return [{**self.name, "condition": "clean", **row} for row in rows]

    def spectra(self) -> list[Row]:
        """Return its rows in `spectra`."""
        return [{**self.name, "kind": "factor energy", "index": n, "value": 1.0 / (n + 1)} for n in range(2)]


def make_run(
    dataset: str = "mosi", rank: int = 1, phase: Any = "search", trial: int = 0, **changes: Any
) -> RecordedRun:
    """Return a run of the small sweep."""
    seed = changes.pop("seed", 1 if phase == "confirm" else 0)
    configuration = Configuration.resolve({"rank": rank, "lr": 0.01 * (trial + 1)}, MODALITIES[dataset])
    return RecordedRun(dataset, RunKey(phase, f"{dataset}/rank={rank}", 0, trial, seed), configuration, **changes)


def runs(**changes: Any) -> list[RecordedRun]:
    """Return all runs of the small sweep: per cell two search runs, one pruned or diverged, and a confirm run."""
    found = []
    for dataset, failure in (("mosi", ("PRUNED", "")), ("mustard", ("FAILED", "diverged"))):
        for rank in (1, 4):
            state, reason = failure
            found += [
                make_run(dataset, rank, trial=0, loss=0.4 / rank, **changes),
                make_run(dataset, rank, trial=1, loss=0.9, state=state, reason=reason, **changes),
                make_run(dataset, rank, "confirm", trial=0, loss=0.5 / rank, **changes),
            ]
    return found


def record(sweep: SweepStore, pack: Sequence[RecordedRun]) -> None:
    """Write a pack of runs in the order in which a driver does."""
    confirm = [run for run in pack if run.key.phase == "confirm"]
    sweep.append("ledger", [run.proposal() for run in pack])
    for run in confirm:
        sweep.write_blob(sweep.paths.weights(run.run_id), b"weights")
    sweep.append("curves", [row for run in pack for row in run.curve()])
    sweep.append("evaluations", [row for run in confirm for row in run.evaluations()])
    sweep.append("predictions", [row for run in confirm for row in run.predictions()])
    sweep.append("spectra", [row for run in confirm for row in run.spectra()])
    sweep.append("ledger", [run.value() for run in pack])
    sweep.append("runs", [run.run() for run in pack])


def make_stored_sweep(
    store: Store, sweep_id: str = SWEEP_ID, manifest: Mapping[str, Any] = {}, **changes: Any
) -> SweepStore:
    """Write the small sweep in two packs; `manifest` and `changes` change its manifest and its runs."""
    sweep = store.sweep(sweep_id)
    sweep.write_manifest(make_manifest(sweep_id, **manifest))
    for phase in ("search", "confirm"):
        record(sweep, [run for run in runs(**changes) if run.key.phase == phase])
    return sweep


def make_driver_status(token: str, **changes: Any) -> DriverStatus:
    """Return the status of the driver whose lease has this token, with two hosts and one that was lost."""
    activity = DriverStatus(
        token=token,
        at=BEGAN.timestamp(),
        objective="valid.loss",
        planned=1234,
        complete=300,
        pruned=88,
        failed=1,
        running=32,
        seconds_left=840.0,
        best=(BestRun("mosi", "mosi/rank=4,conditioning=jwae", 0.91234),),
        hosts=(
            Host("h1", "10.0.0.1", "up", 4, 4, 240, 1234.5),
            Host("h2", "10.0.0.2", "leaving", 4, 1, 120, None),
            Host("h3", "10.0.0.3", "gone", 0, 0, 29, None),
        ),
        pending_reasons={
            "busy": "70 runs wait: every slot is busy",
            "h2 10.0.0.2": "h2 is leaving: no new pack begins there",
        },
    )
    return replace(activity, **changes)
