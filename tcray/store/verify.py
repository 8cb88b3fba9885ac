"""Verification of a store: readable parts, no conflicting duplicates, and complete, correctly named runs."""

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
    """A defect of a sweep's tables or files."""

    sweep_id: str
    message: str

    def __str__(self) -> str:
        """Return the line that `tcray store verify` prints."""
        return f"{self.sweep_id}: {self.message}"


@dataclass(frozen=True, slots=True)
class SweepHealth:
    """Result of verifying a sweep: issues make the store unsound, notes are informational."""

    sweep_id: str
    runs: int
    parts: int
    issues: tuple[Issue, ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        """Return the summary line, such as `rank-1a2b3c4d5e6f: 4,032 runs in 310 parts, sound`."""
        found = _format_count(len(self.issues), "issue") if self.issues else "sound"
        return f"{self.sweep_id}: {_format_count(self.runs, 'run')} in {_format_count(self.parts, 'part')}, {found}"


def verify(store: Store, sweep_id: str | None = None) -> list[Issue]:
    """Return all issues of one sweep, or of all sweeps; empty for a sound store."""
    ids = list_sweep_ids(store) if sweep_id is None else [sweep_id]
    return [issue for one in ids for issue in check_sweep(store.sweep(one)).issues]


def list_sweep_ids(store: Store) -> list[str]:
    """Return the ids of all sweeps that have a manifest or a table, sorted."""
    folders = [entry.name for table in TABLES for entry in store.filesystem.list_folder(table) if not entry.is_file]
    return sorted({*store.sweep_ids(), *folders})


def check_sweep(sweep: SweepStore) -> SweepHealth:
    """Return the issues and notes of one sweep; the result is also valid while a driver is running the sweep."""
    messages: list[str] = []
    manifest = _read_manifest(sweep, messages)
    if manifest.get("schema", SCHEMA_VERSION) != SCHEMA_VERSION:
        return SweepHealth(sweep.sweep_id, 0, 0, (Issue(sweep.sweep_id, messages[0]),), ())
    # `runs` is read first: a driver writes a run's row only after everything that belongs to the run.
    names = sorted(TABLES, key=lambda name: name != "runs")
    parts = {name: _read_sound_parts(sweep, TABLES[name], messages) for name in names}
    written = {name: unify(parts[name], TABLES[name]) for name in parts}
    tables = {name: deduplicate(rows, TABLES[name]) for name, rows in written.items()}
    runs = tables["runs"].to_pylist(maps_as_pydicts="strict")
    for name, rows in written.items():
        messages += _find_conflicts(rows, TABLES[name], exact=manifest.get("device") == "cpu")
    messages += _find_unproposed(runs, tables["ledger"])
    weights = {entry.name for entry in sweep.filesystem.list_folder(sweep.paths.all_weights)}
    messages += _find_incomplete(runs, tables, weights)
    messages += _find_wrong_run_ids(runs, manifest)
    return SweepHealth(
        sweep_id=sweep.sweep_id,
        runs=len(runs),
        parts=sum(len(rows) for rows in parts.values()),
        issues=tuple(Issue(sweep.sweep_id, message) for message in messages),
        notes=tuple(_list_notes(sweep, manifest)),
    )


def _read_manifest(sweep: SweepStore, messages: list[str]) -> Row:
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


def _read_sound_parts(sweep: SweepStore, table: TableSchema, messages: list[str]) -> list[pa.Table]:
    """Return the readable parts in the order of writing; append a message for each of the others."""
    folder = sweep.paths.table(table.name)
    sound = []
    for entry in sweep.filesystem.list_folder(folder):
        try:
            if is_part(entry, sweep.filesystem.display_path(f"{folder}/{entry.name}")):
                sound.append(sweep.read_part(table.name, entry.name, None))
        except StoreError as error:
            messages.append(error.message)
    return sound


def _find_conflicts(rows: pa.Table, table: TableSchema, *, exact: bool) -> Iterator[str]:
    """Yield a message if rows with the same key differ; volatile columns may, and measured ones unless `exact`."""
    loose = table.volatile_columns if exact else table.volatile_columns | table.measured
    if table.has_retryable:
        rows = rows.filter(pc.invert(find_retryable(rows)))
    ordered = sort_rows(rows.select([name for name in table.names if name not in loose]), table.key)
    again = pc.indices_nonzero(find_duplicates(ordered, table.key))
    first, second = ordered.take(again), ordered.take(pc.add(again, 1))
    differing = [one for one, other in zip(_row_texts(first), _row_texts(second), strict=True) if one[1] != other[1]]
    if differing:
        yield (
            f"table {table.name} contains conflicting duplicates of {_format_count(len(differing), 'row')} "
            f"(the first written counts), for example of {differing[0][0]}"
        )


def _row_texts(rows: pa.Table) -> Iterator[tuple[str, str]]:
    """Yield each row's run and the content of the row as text, so that NaN equals NaN."""
    for row in rows.to_pylist(maps_as_pydicts="strict"):
        yield _format_key(row), repr(row)


def _find_unproposed(runs: Sequence[Row], ledger: pa.Table) -> Iterator[str]:
    """Yield a message for each run that has no proposal in the ledger, or one with another run id."""
    proposals = [row for row in ledger.to_pylist() if row["kind"] == "proposal"]
    proposed = {RunKey.from_row(row): row["run_id"] for row in proposals}
    for run in runs:
        key = RunKey.from_row(run)
        if key not in proposed:
            yield f"{_format_key(run)} has no proposal in the ledger"
        elif proposed[key] != run["run_id"]:
            yield f"{_format_key(run)} has run id {run['run_id']}, but was proposed as {proposed[key]}"


def _find_incomplete(runs: Sequence[Row], tables: Mapping[str, pa.Table], weights: Collection[str]) -> Iterator[str]:
    """Yield a message for each COMPLETE confirm run that lacks rows or weights."""
    evaluations = tables["evaluations"]
    clean = evaluations.filter(pc.equal(evaluations["condition"], "clean"))
    recorded = {
        "curves": _run_keys(tables["curves"]),
        "a clean evaluation": _run_keys(clean),
        "predictions": _run_keys(tables["predictions"]),
        "spectra": _run_keys(tables["spectra"]),
    }
    for run in runs:
        if (run["phase"], run["state"]) != ("confirm", "COMPLETE"):
            continue
        lacking = [what for what, keys in recorded.items() if RunKey.from_row(run) not in keys]
        if run["fusion"] == "concat":  # concatenation has no fusion tensor
            lacking = [what for what in lacking if what != "spectra"]
        if run["run_id"] not in weights:
            lacking.append("weights")
        if lacking:
            yield f"{_format_key(run)} lacks {', '.join(lacking)}"


def _find_wrong_run_ids(runs: Sequence[Row], manifest: Row) -> Iterator[str]:
    """Yield a message for each run whose id is not the digest of its dataset, configuration and training."""
    if not _can_check_run_ids(manifest):
        return
    fingerprints = {card["name"]: card["fingerprint"] for card in manifest["cards"]}
    sweep = manifest["sweep"]
    for run in runs:
        configuration = Configuration.from_flat(run)
        fingerprint = fingerprints.get(run["dataset"], "")
        training = (sweep["training"]["epochs"], sweep["objective"], sweep["seed"])
        digest = Run(run["dataset"], fingerprint, configuration, *training, run["seed"]).run_id
        if digest != run["run_id"]:
            yield f"{_format_key(run)} has run id {run['run_id']}, but its columns give {digest}"


def _can_check_run_ids(manifest: Row) -> bool:
    return {"cards", "sweep", "engine"} <= manifest.keys() and manifest["engine"] == ENGINE_VERSION


def _list_notes(sweep: SweepStore, manifest: Row) -> Iterator[str]:
    """Yield remarks on leftovers and on the sweep's driver, which do not make the store unsound."""
    paths = sweep.paths
    for folder in (paths.home, *map(paths.table, TABLES), paths.all_weights, paths.checkpoints):
        for entry in sweep.filesystem.list_folder(folder):
            if entry.name.endswith(TMP_SUFFIX):
                yield f"{sweep.filesystem.display_path(f'{folder}/{entry.name}')} was never completed; it is ignored"
    checkpoints = len(sweep.checkpoint_paths())
    if checkpoints and manifest.get("finished_at"):
        yield f"{_format_count(checkpoints, 'checkpoint')} left over from ended runs"
    last = last_holder(sweep)
    if last is not None and last.is_alive:
        yield f"it is being run by {last}{', which was asked to stop' if is_stop_requested(sweep, last) else ''}"
    elif last is not None and not last.released:
        yield f"its last driver ({last}) ended without releasing its lease; run the same command to resume"
    if manifest and not _can_check_run_ids(manifest):
        yield "its run ids were not checked because another version of the training engine wrote them"


def _format_count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _run_keys(rows: pa.Table) -> set[RunKey]:
    distinct = rows.select(RUN_KEY).group_by(list(RUN_KEY)).aggregate([])
    return {RunKey.from_row(row) for row in distinct.to_pylist()}


def _format_key(row: Row) -> str:
    return " ".join(f"{name} {row[name]}" for name in RUN_KEY if row[name] is not None)
