"""The trial store: sweeps by id, each with its manifest, its tables and its blobs."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from tcray.errors import InputError, StoreError
from tcray.store.deduplicate import deduplicate
from tcray.store.filesystem import StoreFilesystem
from tcray.store.json_values import to_json_value
from tcray.store.parts import check_version, checksum, decode, encode, list_parts
from tcray.store.paths import PART, SWEEPS, SweepPaths
from tcray.store.retry import retry
from tcray.store.schema import SCHEMA_VERSION, TABLES, TableSchema, hyperparameter_field

RETRY_SECONDS = 60.0
REQUIRED = frozenset({"sweep_id", "name", "started_at"})
"""Keys that every manifest must have."""

READERS = 8
"""Number of parts read at a time: a bucket answers slowly, but many requests at once."""


@dataclass
class SweepStore:
    """The records of one sweep. Any number of processes may read it; one writes its tables, the holder of its `Lease`.

    It can be pickled and sent to other processes.
    """

    filesystem: StoreFilesystem
    sweep_id: str
    _next_part: dict[str, int] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the location alone: the numbers of parts are the writer's."""
        return SweepStore, (self.filesystem, self.sweep_id)

    @property
    def paths(self) -> SweepPaths:
        """The paths of the sweep's files."""
        return SweepPaths(self.sweep_id)

    @property
    def uri(self) -> str:
        """The store's absolute path or URI: `Store.open(uri).sweep(sweep_id)` is this sweep, in any process."""
        return self.filesystem.uri

    @property
    def exists(self) -> bool:
        """True if the sweep was ever started: if it has a manifest."""
        return self.filesystem.kind(self.paths.manifest) is not None

    def read_manifest(self, *, any_version: bool = False) -> dict[str, Any]:
        """Return the manifest.

        any_version   accept manifests of other schema versions

        Raises `StoreError` if it is missing, damaged or of another schema version.
        """
        shown = self.filesystem.display_path(self.paths.manifest)
        content = self.filesystem.read(self.paths.manifest)
        if content is None:
            raise StoreError(
                f"{shown} is missing: the sweep was never started", "`tcray status` lists the started sweeps."
            )
        try:
            manifest = json.loads(content)
        except ValueError as error:
            raise StoreError(f"{shown} is truncated or damaged", "Restore it from a copy.") from error
        if not isinstance(manifest, dict) or not manifest.keys() >= REQUIRED or manifest["sweep_id"] != self.sweep_id:
            raise StoreError(f"{shown} is not the manifest of {self.sweep_id}", "Restore it from a copy.")
        if not any_version:
            check_version(str(manifest.get("schema", 1)), shown, self.filesystem.display_path())
        return manifest

    def write_manifest(self, manifest: Mapping[str, Any], *, retry_seconds: float = RETRY_SECONDS) -> None:
        """Write or replace the manifest atomically, with the schema version; NaN becomes null (`to_json_value`)."""
        document = to_json_value({"schema": SCHEMA_VERSION, **manifest})
        content = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False).encode()
        retry(lambda: self.filesystem.write(self.paths.manifest, content), retry_seconds)

    def append(self, table: str, rows: Sequence[Mapping[str, Any]], *, retry_seconds: float = RETRY_SECONDS) -> None:
        """Add one immutable part with `rows`, none if there are no rows; `sweep_id` is filled in.

        After the return the rows survive a crash. Raises `StoreError` if the part still cannot be written after
        `retry_seconds`, and `ValueError` for rows that do not fit the table.
        """
        if not rows:
            return
        content = encode(rows, TABLES[table], self.sweep_id)
        retry(lambda: self._append_part(table, content), retry_seconds)

    def read(self, table: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Return a table with one row per key, sorted by key.

        columns   names of columns, those of hyperparameters included; default: all, the hyperparameters last

        Raises `StoreError` with the file's name for anything in the table's folder that is not a sound part of it.
        """
        schema = TABLES[table]
        deciding = (*schema.key, "state", "reason") if schema.has_retryable else schema.key
        wanted = None if columns is None else [*dict.fromkeys([*columns, *deciding])]
        parts = list_parts(self.filesystem, self.paths.table(table))
        with ThreadPoolExecutor(READERS) as readers:
            loaded = list(readers.map(lambda part: self.read_part(table, part, wanted), parts))
        rows = unify(loaded, schema, wanted)
        return deduplicate(rows, schema).select(rows.column_names if columns is None else list(columns))

    def read_part(self, table: str, part: str, columns: Sequence[str] | None) -> pa.Table:
        """Return the columns of one part as written, or those of `columns` that it has; `StoreError` if unsound."""
        path = f"{self.paths.table(table)}/{part}"
        shown = self.filesystem.display_path(path)
        content = self.filesystem.read(path)
        if content is None:
            raise StoreError(f"{shown} was deleted while being read", "Run the command again.")
        return decode(content, TABLES[table], self.sweep_id, columns, shown)

    def checkpoint_path(self, run_id: str, epoch: int) -> str:
        """Return the path of the checkpoint of a run after `epoch` epochs."""
        return self.paths.checkpoint(run_id, epoch)

    def checkpoint_paths(self) -> list[str]:
        """Return the paths of all checkpoints, sorted."""
        folder = self.paths.checkpoints
        return [f"{folder}/{entry.name}" for entry in self.filesystem.list_folder(folder)]

    def write_blob(self, path: str, content: bytes) -> None:
        """Write or replace a blob atomically. Raises `StoreError` if it cannot be written."""
        self.filesystem.write(path, content)

    def read_blob(self, path: str) -> bytes | None:
        """Return the content of a blob; None if it does not exist."""
        return self.filesystem.read(path)

    def delete_blob(self, path: str) -> None:
        """Delete a blob if it exists."""
        self.filesystem.delete(path)

    def _append_part(self, table: str, content: bytes) -> None:
        if table not in self._next_part:
            written = list_parts(self.filesystem, self.paths.table(table))
            self._next_part[table] = part_number(written[-1]) + 1 if written else 1
        self.filesystem.write(self.paths.part(table, self._next_part[table], checksum(content)), content)
        self._next_part[table] += 1


def unify(parts: Sequence[pa.Table], schema: TableSchema, columns: Sequence[str] | None = None) -> pa.Table:
    """Return the rows of several parts in one table; columns that a part lacks are null.

    columns   names of the columns, in any order; default: all
    """
    examples = {name: pa.scalar(None, part.schema.field(name).type) for part in parts for name in part.column_names}
    found = {name: example for name, example in examples.items() if name not in schema.names}
    fields = {f.name: f for f in schema.with_hyperparameters(found)}
    if columns is not None:
        fields = {name: fields[name] if name in fields else hyperparameter_field(name) for name in columns}
    empty = pa.schema([f.remove_metadata() for f in fields.values()]).empty_table()
    return pa.concat_tables([empty, *parts], promote_options="default")


@dataclass(frozen=True)
class Store:
    """A folder or bucket of sweeps. It can be pickled and sent to other processes."""

    filesystem: StoreFilesystem

    @classmethod
    def open(cls, uri: str, *, create: bool = False) -> Store:
        """Open the store at a path (relative to the working directory) or URI; with `create`, create it if missing.

        Raises `InputError` if there is no store and `create` is false, or if the path is a file.
        """
        filesystem = StoreFilesystem.from_uri(uri)
        if filesystem.kind("") == "file":
            raise InputError(
                f"the store {filesystem.display_path()} is a file", "Pass a folder or a bucket with --store."
            )
        if filesystem.kind(SWEEPS) is None:
            if not create:
                raise InputError(
                    f"there is no trial store at {filesystem.display_path()}",
                    "Run `tcray sweep FILE` first, or pass the store with --store.",
                )
            filesystem.make_folder(SWEEPS)
        return cls(filesystem)

    @property
    def uri(self) -> str:
        """An absolute path or URI that is valid in any process."""
        return self.filesystem.uri

    def sweep(self, sweep_id: str) -> SweepStore:
        """Return the records of the sweep with this id, which may be none yet."""
        return SweepStore(self.filesystem, sweep_id)

    def sweep_ids(self) -> list[str]:
        """Return the ids of all started sweeps, sorted. Raises `StoreError` for files that no store contains."""
        ids = []
        for entry in self.filesystem.list_folder(SWEEPS):
            if entry.is_file:
                shown = self.filesystem.display_path(f"{SWEEPS}/{entry.name}")
                raise StoreError(f"{shown} is no part of a trial store", "Pass another folder with --store.")
            if self.sweep(entry.name).exists:
                ids.append(entry.name)
        return ids

    def list_generations(self, sweep_id: str) -> list[str]:
        """Return the ids under which a question was started (again with --fresh), in order; `sweep_id` is the first."""
        later = re.compile(re.escape(sweep_id) + r"-g(\d+)")
        begun = {1: sweep_id} | {int(found[1]): found[0] for one in self.sweep_ids() if (found := later.fullmatch(one))}
        return [begun[number] for number in sorted(begun) if self.sweep(begun[number]).exists]

    def generation(self, sweep_id: str, *, fresh: bool) -> int:
        """Return the number of the latest generation of a sweep, or with `fresh` that of the next one."""
        begun = self.list_generations(sweep_id)
        if not begun:
            return 1
        suffix = begun[-1].removeprefix(sweep_id).removeprefix("-g")
        return int(suffix or 1) + fresh

    def manifests(self, *, any_version: bool = False) -> list[dict[str, Any]]:
        """Return the manifests of all sweeps in the order of their start; `any_version` as in `read_manifest`."""
        manifests = [self.sweep(sweep_id).read_manifest(any_version=any_version) for sweep_id in self.sweep_ids()]
        return sorted(manifests, key=lambda manifest: (manifest["started_at"], manifest["sweep_id"]))

    def resolve(self, text: str, *, any_version: bool = False) -> tuple[str, int]:
        """Return the id of the sweep that `text` refers to, and the number of other sweeps with the same name.

        `text` is an id, a name (the most recently started sweep of this name is taken) or a unique prefix of an id.
        Raises `InputError` if there is no such sweep, with similar names, or several, with their ids.
        """
        names = {manifest["sweep_id"]: str(manifest["name"]) for manifest in self.manifests(any_version=any_version)}
        found = _find_id(text, names)
        if found is None:
            raise InputError(f"no sweep is called {text!r} in {self.filesystem.display_path()}", _suggest(text, names))
        return found, sum(name == names[found] for name in names.values()) - 1


def _find_id(text: str, names: Mapping[str, str]) -> str | None:
    """Return the id that `text` refers to; `names` are by id, in the order of their start."""
    if text in names:
        return text
    namesakes = [sweep_id for sweep_id, name in names.items() if name == text]
    if namesakes:
        return namesakes[-1]
    candidates = [sweep_id for sweep_id in names if text and sweep_id.startswith(text)]
    if len(candidates) > 1:
        raise InputError(f"{text!r} is the beginning of several ids", f"Pass one of: {', '.join(candidates)}.")
    return candidates[0] if candidates else None


def _suggest(text: str, names: Mapping[str, str]) -> str:
    if not names:
        return "It has no sweep yet. Run `tcray sweep FILE` first."
    known = sorted({*names, *names.values()})
    near = difflib.get_close_matches(text, known)
    return f"Did you mean {' or '.join(near)}?" if near else f"It has: {', '.join(sorted(set(names.values())))}."


def part_number(part: str) -> int:
    """Return the number in the name of a part."""
    matched = PART.fullmatch(part)
    assert matched is not None, part
    return int(matched[1])
