"""The trial store: sweeps by id, and of each sweep its manifest, its tables and its blobs."""

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
from tcray.store.parts import checksum, decode, encode, list_parts
from tcray.store.paths import PART, SWEEPS, SweepPaths
from tcray.store.retry import retry
from tcray.store.schema import TABLES

RETRY_SECONDS = 60.0
REQUIRED = frozenset({"sweep_id", "name", "started_at"})
"""What a manifest must say for its sweep to be found."""

READERS = 8
"""Parts read at a time: a bucket answers slowly, but many at once."""


@dataclass
class SweepStore:
    """What one sweep has recorded. Any number may read it; its tables have one writer, who holds the `Lease`."""

    filesystem: StoreFilesystem
    sweep_id: str
    _next_part: dict[str, int] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def paths(self) -> SweepPaths:
        """Where everything of the sweep lies."""
        return SweepPaths(self.sweep_id)

    @property
    def uri(self) -> str:
        """The store's absolute uri: `Store.open(uri).sweep(sweep_id)` is this sweep, in any process."""
        return self.filesystem.uri

    @property
    def exists(self) -> bool:
        """Whether the sweep was ever started: whether it has a manifest."""
        return self.filesystem.kind(self.paths.manifest) is not None

    def read_manifest(self) -> dict[str, Any]:
        """The question as run. Raises `StoreError` where there is none or it is damaged."""
        shown = self.filesystem.display_path(self.paths.manifest)
        content = self.filesystem.read(self.paths.manifest)
        if content is None:
            raise StoreError(
                f"{shown} is missing: the sweep was never started", "`tcray status` lists the sweeps that were."
            )
        try:
            manifest = json.loads(content)
        except ValueError as error:
            raise StoreError(f"{shown} is truncated or damaged", "Restore it from a copy.") from error
        if not isinstance(manifest, dict) or not manifest.keys() >= REQUIRED or manifest["sweep_id"] != self.sweep_id:
            raise StoreError(f"{shown} is not the manifest of {self.sweep_id}", "Restore it from a copy.")
        return manifest

    def write_manifest(self, manifest: Mapping[str, Any], *, retry_seconds: float = RETRY_SECONDS) -> None:
        """Writes or replaces the manifest whole; NaN and infinities are written as in `finite`."""
        content = json.dumps(to_json_value(manifest), indent=1, ensure_ascii=False, allow_nan=False).encode()
        retry(lambda: self.filesystem.write(self.paths.manifest, content), retry_seconds)

    def append(self, table: str, rows: Sequence[Mapping[str, Any]], *, retry_seconds: float = RETRY_SECONDS) -> None:
        """Adds one immutable part that holds `rows` (no part where there are none); `sweep_id` is filled in.

        Once this returns the rows survive a crash. Raises `StoreError` when the part still cannot be written after
        `retry_seconds`, and `ValueError` for rows that do not fit the table.
        """
        if not rows:
            return
        content = encode(rows, TABLES[table], self.sweep_id)
        retry(lambda: self._append_part(table, content), retry_seconds)

    def read(self, table: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Every row of a table, one for each key, sorted by key; of some `columns` where these are named.

        Raises `StoreError`, naming the file, for whatever in the table's folder is not a sound part of it.
        """
        schema = TABLES[table]
        wanted = schema.names if columns is None else tuple(columns)
        deciding = (*schema.key, "state", "reason") if schema.has_retryable else schema.key
        fields = [name for name in schema.names if name in {*wanted, *deciding}]
        parts = list_parts(self.filesystem, self.paths.table(table))
        with ThreadPoolExecutor(READERS) as readers:
            loaded = list(readers.map(lambda part: self.read_part(table, part, fields), parts))
        empty = schema.columns.empty_table().select(fields)
        return deduplicate(pa.concat_tables([empty, *loaded]), schema).select(wanted)

    def read_part(self, table: str, part: str, columns: Sequence[str]) -> pa.Table:
        """Some columns of one part of a table, as written. Raises `StoreError` where the part is not sound."""
        path = f"{self.paths.table(table)}/{part}"
        shown = self.filesystem.display_path(path)
        content = self.filesystem.read(path)
        if content is None:
            raise StoreError(f"{shown} was taken away while it was read", "Say the command again.")
        return decode(content, TABLES[table], self.sweep_id, columns, shown)

    def checkpoint_path(self, run_id: str, epoch: int) -> str:
        """Where the checkpoint of a run after `epoch` epochs goes."""
        return self.paths.checkpoint(run_id, epoch)

    def checkpoint_paths(self) -> list[str]:
        """The checkpoints there are, sorted."""
        return [f"{self.paths.checkpoints}/{entry.name}" for entry in self.filesystem.entries(self.paths.checkpoints)]

    def write_blob(self, path: str, content: bytes) -> None:
        """Writes or replaces a blob whole. Raises `StoreError` where it cannot be written."""
        self.filesystem.write(path, content)

    def read_blob(self, path: str) -> bytes | None:
        """A blob's content; None where there is no such blob."""
        return self.filesystem.read(path)

    def delete_blob(self, path: str) -> None:
        """Deletes a blob, if it is there."""
        self.filesystem.delete(path)

    def _append_part(self, table: str, content: bytes) -> None:
        if table not in self._next_part:
            written = list_parts(self.filesystem, self.paths.table(table))
            self._next_part[table] = _number(written[-1]) + 1 if written else 1
        self.filesystem.write(self.paths.part(table, self._next_part[table], checksum(content)), content)
        self._next_part[table] += 1


@dataclass(frozen=True)
class Store:
    """A folder or bucket of sweeps."""

    filesystem: StoreFilesystem

    @classmethod
    def open(cls, uri: str, *, create: bool = False) -> Store:
        """The store at a path (relative to the working directory) or URI, made where there is none and `create` is set.

        Raises `InputError` where there is none and `create` is not set, or where something else is.
        """
        filesystem = StoreFilesystem.from_uri(uri)
        if filesystem.kind("") == "file":
            raise InputError(
                f"the store {filesystem.display_path()} is a file", "Name a folder or a bucket with --store."
            )
        if filesystem.kind(SWEEPS) is None:
            if not create:
                raise InputError(
                    f"there is no trial store at {filesystem.display_path()}",
                    "Run `tcray sweep FILE` first, or name the store with --store.",
                )
            filesystem.make_folder(SWEEPS)
        return cls(filesystem)

    @property
    def uri(self) -> str:
        """An absolute path or URI, good in any process."""
        return self.filesystem.uri

    def sweep(self, sweep_id: str) -> SweepStore:
        """What the sweep of this id has recorded, be it nothing yet."""
        return SweepStore(self.filesystem, sweep_id)

    def sweep_ids(self) -> list[str]:
        """The ids of all sweeps that were started, sorted. Raises `StoreError` for what does not belong in a store."""
        ids = []
        for entry in self.filesystem.entries(SWEEPS):
            if entry.is_file:
                shown = self.filesystem.display_path(f"{SWEEPS}/{entry.name}")
                raise StoreError(f"{shown} is no part of a trial store", "Name another folder with --store.")
            if self.sweep(entry.name).exists:
                ids.append(entry.name)
        return ids

    def list_generations(self, sweep_id: str) -> list[str]:
        """The ids of the times a question was begun afresh, first to last; `sweep_id` is that of the first."""
        later = re.compile(re.escape(sweep_id) + r"-g(\d+)")
        begun = {1: sweep_id} | {int(found[1]): found[0] for one in self.sweep_ids() if (found := later.fullmatch(one))}
        return [begun[number] for number in sorted(begun) if self.sweep(begun[number]).exists]

    def generation(self, sweep_id: str, *, fresh: bool) -> int:
        """Which time a question is begun: the last that was, or if `fresh` the next; `sweep_id` is the first one's."""
        begun = self.list_generations(sweep_id)
        if not begun:
            return 1
        suffix = begun[-1].removeprefix(sweep_id).removeprefix("-g")
        return int(suffix or 1) + fresh

    def manifests(self) -> list[dict[str, Any]]:
        """The manifests of all sweeps, first started first."""
        manifests = [self.sweep(sweep_id).read_manifest() for sweep_id in self.sweep_ids()]
        return sorted(manifests, key=lambda manifest: (manifest["started_at"], manifest["sweep_id"]))

    def resolve(self, text: str) -> tuple[str, int]:
        """The sweep that `text` means, and how many others bear the same name.

        An id, a name (the most recently started sweep that bears it) or the beginning of a single id.
        Raises `InputError` where it means none, naming the nearest, or several, naming them.
        """
        names = {manifest["sweep_id"]: str(manifest["name"]) for manifest in self.manifests()}
        found = _meant(text, names)
        if found is None:
            raise InputError(f"no sweep is called {text!r} in {self.filesystem.display_path()}", _nearest(text, names))
        return found, sum(name == names[found] for name in names.values()) - 1


def _meant(text: str, names: Mapping[str, str]) -> str | None:
    """The id that `text` means among `names` (by id, first started first)."""
    if text in names:
        return text
    namesakes = [sweep_id for sweep_id, name in names.items() if name == text]
    if namesakes:
        return namesakes[-1]
    candidates = [sweep_id for sweep_id in names if text and sweep_id.startswith(text)]
    if len(candidates) > 1:
        raise InputError(f"{text!r} is the beginning of several sweeps' ids", f"Say which: {', '.join(candidates)}.")
    return candidates[0] if candidates else None


def _nearest(text: str, names: Mapping[str, str]) -> str:
    if not names:
        return "It has no sweep yet: run `tcray sweep FILE` first."
    known = sorted({*names, *names.values()})
    near = difflib.get_close_matches(text, known)
    return f"Did you mean {' or '.join(near)}?" if near else f"It has: {', '.join(sorted(set(names.values())))}."


def _number(part: str) -> int:
    matched = PART.fullmatch(part)
    assert matched is not None, part
    return int(matched[1])
