"""Whether a store holds what it should: sound parts, agreeing repeats, and of each run all that belongs to it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tcray.config.run import ENGINE_VERSION, Configuration, Run
from tcray.errors import StoreError
from tcray.store.deduplicate import deduplicate, find_duplicates, find_retryable, sort_rows
from tcray.store.keys import RUN_KEY, RunKey
from tcray.store.lease import is_stop_requested, last_holder
from tcray.store.parts import is_part
from tcray.store.paths import TMP_SUFFIX
from tcray.store.schema import SCHEMA_VERSION, TABLES, TableSchema
from tcray.store.store import Store, SweepStore, unify

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing wrong with a sweep's store."""

    sweep_id: str
    message: str

    def __str__(self) -> str:
        """The line that `tcray store verify` prints."""
        return f"{self.sweep_id}: {self.message}"


@dataclass(frozen=True, slots=True)
class SweepHealth:
    """What an examination found: issues make a store unsound, notes do not."""

    sweep_id: str
    runs: int
    parts: int
    issues: tuple[Issue, ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        """The line that sums it up, as `rank-1a2b3c4d5e6f: 4,032 runs in 310 parts, sound`."""
        found = _counted(len(self.issues), "issue") if self.issues else "sound"
        return f"{self.sweep_id}: {_counted(self.runs, 'run')} in {_counted(self.parts, 'part')}, {found}"


def verify(store: Store, sweep_id: str | None = None) -> list[Issue]:
    """Everything wrong with one sweep, or with all; empty for a sound store."""
    ids = list_sweep_ids(store) if sweep_id is None else [sweep_id]
    return [issue for one in ids for issue in check_sweep(store.sweep(one)).issues]


def list_sweep_ids(store: Store) -> list[str]:
    """The ids of all sweeps that have a manifest or a table, sorted."""
    folders = [entry.name for table in TABLES for entry in store.filesystem.list_folder(table) if not entry.is_file]
    return sorted({*store.sweep_ids(), *folders})


def check_sweep(sweep: SweepStore) -> SweepHealth:
    """All that can be said of one sweep's health; whoever runs it meanwhile is not disturbed, nor is the verdict."""
    messages: list[str] = []
    manifest = _manifest(sweep, messages)
    if manifest.get("schema", SCHEMA_VERSION) != SCHEMA_VERSION:
        return SweepHealth(sweep.sweep_id, 0, 0, (Issue(sweep.sweep_id, messages[0]),), ())
    # Runs first: what belongs to a run is written before its row is.
    names = sorted(TABLES, key=lambda name: name != "runs")
    parts = {name: _sound_parts(sweep, TABLES[name], messages) for name in names}
    written = {name: unify(parts[name], TABLES[name]) for name in parts}
    tables = {name: deduplicate(rows, TABLES[name]) for name, rows in written.items()}
    runs = tables["runs"].to_pylist(maps_as_pydicts="strict")
    for name, rows in written.items():
        messages += _conflicts(rows, TABLES[name], exact=manifest.get("device") == "cpu")
    messages += _unproposed(runs, tables["ledger"])
    weights = {entry.name for entry in sweep.filesystem.list_folder(sweep.paths.all_weights)}
    messages += _incomplete(runs, tables, weights)
    messages += _misnamed(runs, manifest)
    return SweepHealth(
        sweep_id=sweep.sweep_id,
        runs=len(runs),
        parts=sum(len(rows) for rows in parts.values()),
        issues=tuple(Issue(sweep.sweep_id, message) for message in messages),
        notes=tuple(_notes(sweep, manifest)),
    )


def _manifest(sweep: SweepStore, messages: list[str]) -> Row:
    try:
        manifest = sweep.read_manifest(any_version=True)
    except StoreError as error:
        messages.append(error.message)
        return {}
    try:
        return sweep.read_manifest()
    except StoreError as error:
        messages.append(str(error).replace("\n", ". "))
        return {**manifest, "schema": manifest.get("schema", 1)}


def _sound_parts(sweep: SweepStore, table: TableSchema, messages: list[str]) -> list[pa.Table]:
    """The parts that can be read, in the order of writing; the others go into `messages`."""
    folder = sweep.paths.table(table.name)
    sound = []
    for entry in sweep.filesystem.list_folder(folder):
        try:
            if is_part(entry, sweep.filesystem.display_path(f"{folder}/{entry.name}")):
                sound.append(sweep.read_part(table.name, entry.name, None))
        except StoreError as error:
            messages.append(error.message)
    return sound


def _conflicts(rows: pa.Table, table: TableSchema, *, exact: bool) -> Iterator[str]:
    """Rows of one key that tell different things. Circumstances may differ, measurements unless `exact`."""
    loose = table.volatile_columns if exact else table.volatile_columns | table.measured
    if table.has_retryable:
        rows = rows.filter(pc.invert(find_retryable(rows)))
    ordered = sort_rows(rows.select([name for name in table.names if name not in loose]), table.key)
    again = pc.indices_nonzero(find_duplicates(ordered, table.key))
    first, second = ordered.take(again), ordered.take(pc.add(again, 1))
    differing = [one for one, other in zip(_said(first), _said(second), strict=True) if one[1] != other[1]]
    if differing:
        yield (
            f"table {table.name} tells {len(differing):,} rows twice and differently (the first written counts), "
            f"as that of {differing[0][0]}"
        )


def _said(rows: pa.Table) -> Iterator[tuple[str, str]]:
    """Each row's run, and all that the row says as text, in which NaN equals NaN."""
    for row in rows.to_pylist(maps_as_pydicts="strict"):
        yield _name(row), repr(row)


def _unproposed(runs: Sequence[Row], ledger: pa.Table) -> Iterator[str]:
    """Runs that the ledger does not know, or knows under another name."""
    proposals = [row for row in ledger.to_pylist() if row["kind"] == "proposal"]
    proposed = {RunKey.from_row(row): row["run_id"] for row in proposals}
    for run in runs:
        key = RunKey.from_row(run)
        if key not in proposed:
            yield f"{_name(run)} was never proposed in the ledger"
        elif proposed[key] != run["run_id"]:
            yield f"{_name(run)} has run id {run['run_id']}, and was proposed as {proposed[key]}"


def _incomplete(runs: Sequence[Row], tables: Mapping[str, pa.Table], weights: Collection[str]) -> Iterator[str]:
    """Confirm runs that are COMPLETE, and lack something that a confirm run leaves."""
    evaluations = tables["evaluations"]
    clean = evaluations.filter(pc.equal(evaluations["condition"], "clean"))
    told = {
        "curves": _keys(tables["curves"]),
        "a clean evaluation": _keys(clean),
        "predictions": _keys(tables["predictions"]),
        "spectra": _keys(tables["spectra"]),
    }
    for run in runs:
        if (run["phase"], run["state"]) != ("confirm", "COMPLETE"):
            continue
        lacking = [what for what, keys in told.items() if RunKey.from_row(run) not in keys]
        if run["fusion"] == "concat":  # it has no fusion tensor
            lacking = [what for what in lacking if what != "spectra"]
        if run["run_id"] not in weights:
            lacking.append("weights")
        if lacking:
            yield f"{_name(run)} lacks {', '.join(lacking)}"


def _misnamed(runs: Sequence[Row], manifest: Row) -> Iterator[str]:
    """Runs whose id is not the digest of what they say they trained."""
    if not _tells_run_ids(manifest):
        return
    fingerprints = {card["name"]: card["fingerprint"] for card in manifest["cards"]}
    sweep = manifest["sweep"]
    for run in runs:
        configuration = Configuration.from_flat(run)
        fingerprint = fingerprints.get(run["dataset"], "")
        asked = (sweep["training"]["epochs"], sweep["objective"], sweep["seed"])
        digest = Run(run["dataset"], fingerprint, configuration, *asked, run["seed"]).run_id
        if digest != run["run_id"]:
            yield f"{_name(run)} has run id {run['run_id']}, and what it says it trained has {digest}"


def _tells_run_ids(manifest: Row) -> bool:
    return {"cards", "sweep", "engine"} <= manifest.keys() and manifest["engine"] == ENGINE_VERSION


def _notes(sweep: SweepStore, manifest: Row) -> Iterator[str]:
    """What is worth knowing and harms nobody."""
    paths = sweep.paths
    for folder in (paths.home, *map(paths.table, TABLES), paths.all_weights, paths.checkpoints):
        for entry in sweep.filesystem.list_folder(folder):
            if entry.name.endswith(TMP_SUFFIX):
                yield f"{sweep.filesystem.display_path(f'{folder}/{entry.name}')} was never finished; nobody reads it"
    states = len(sweep.checkpoint_paths())
    if states and manifest.get("finished_at"):
        yield f"checkpoints are left that no run needs any more: {states:,}"
    last = last_holder(sweep)
    if last is not None and last.is_alive:
        yield f"it is being run by {last}{', who was asked to stop' if is_stop_requested(sweep, last) else ''}"
    elif last is not None and not last.released:
        yield f"its last driver ({last}) ended without a word; the same command goes on from what it recorded"
    if manifest and not _tells_run_ids(manifest):
        yield "its run ids were not checked, since another version of the training engine made them"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _keys(rows: pa.Table) -> set[RunKey]:
    distinct = rows.select(RUN_KEY).group_by(list(RUN_KEY)).aggregate([])
    return {RunKey.from_row(row) for row in distinct.to_pylist()}


def _name(row: Row) -> str:
    return " ".join(f"{name} {row[name]}" for name in RUN_KEY if row[name] is not None)
