"""The TensorBoard comparison of sweeps: a run a cell, with means and intervals by epoch, HParams, figures and verdicts.

    <logdir>/rank-1a2b3c/mosi (twin)/rank=4,conditioning=jwae    a cell
    <logdir>/rank-1a2b3c/verdicts                                what the sweep concludes, in words and figures
    <logdir>                                                     what is shown of all sweeps together

It is a function of the stores, down to the bytes. A file's name changes with its content, since a TensorBoard that is
running follows files that come and go, but does not look again at one that it has read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tcray.errors import InputError
from tcray.results.analysis import Results, analyze
from tcray.results.output.tensorboard.dashboard import Dashboard
from tcray.results.output.tensorboard.events import event_file
from tcray.results.output.tensorboard.output_folder import OutputFolder, foreign
from tcray.results.output.tensorboard.runs import ComparisonRuns
from tcray.results.output.tensorboard.verdicts import build_verdict_values
from tcray.store.store import SweepStore

if TYPE_CHECKING:
    from tensorboard.compat.proto.summary_pb2 import Summary

VERDICTS = "verdicts"
"""The run of a sweep that speaks of all its cells."""

TICK = 1e-3
"""Seconds between the times at which two runs are said to begin, so that TensorBoard lists them in our order."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What was written of a sweep: where, of how many cells, and which of them have no curve, by run."""

    sweep_id: str
    folder: Path
    cells: int
    bare: tuple[str, ...]


def compare(sweeps: Sequence[SweepStore], logdir: Path, known: Sequence[Results] = ()) -> tuple[Compared, ...]:
    """Writes sweeps, as their stores have them by now, into a folder for `tensorboard --logdir`.

    known   results of sweeps, as far as they need not be worked out anew

    What else was compared there stays, and is shown beside these. Raises `InputError` where the folder cannot be
    written or holds another's files in the way, and `StoreError` where a store is not sound.
    """
    if logdir.exists() and not logdir.is_dir():
        raise InputError(f"{logdir} is a file", "Name a folder with --logdir.")
    concluded = {results.sweep_id: results for results in known}
    compared = tuple(_compare(store, logdir, concluded.get(store.sweep_id)) for store in sweeps)
    remembered = [OutputFolder(folder).remembered() for folder in sorted(logdir.iterdir()) if folder.is_dir()]
    together = Dashboard.together(Dashboard.of(one["dashboard"]) for one in remembered if one)
    name, content = _run("", {0: together.values()}, together.at, together.at)
    OutputFolder(logdir).rewrite({name: content}, {})
    return compared


def _compare(store: SweepStore, logdir: Path, results: Results | None) -> Compared:
    """Writes one sweep."""
    picture = ComparisonRuns.of(store)
    folder = OutputFolder(logdir / picture.name)
    if folder.is_foreign:
        raise foreign(folder.path)
    other = folder.remembered().get("sweep_id", store.sweep_id)
    if other != store.sweep_id:
        raise InputError(f"{folder.path} holds sweep {other}", "Name another folder with --logdir.")
    folder.rewrite(
        dict(_runs(picture, results or analyze(store))),
        {"sweep_id": store.sweep_id, "dashboard": picture.dashboard.document()},
    )
    return Compared(store.sweep_id, folder.path, len(picture.cells), picture.bare)


def _runs(picture: ComparisonRuns, results: Results) -> Iterator[tuple[str, bytes]]:
    """The event files of a sweep: its own, and one a cell."""
    yield _run(VERDICTS, {0: build_verdict_values(results, picture.bare)}, picture.began, picture.ended)
    for place, cell in enumerate(picture.cells, 1):
        yield _run(cell.name, picture.steps(cell), picture.began + place * TICK, cell.span[1])


def _run(name: str, steps: Mapping[int, Iterable[Summary.Value]], began: float, ended: float) -> tuple[str, bytes]:
    """The path and the content of a run's event file."""
    content = event_file(steps, began=began, ended=ended)
    file = f"events.out.tfevents.{hashlib.sha256(content).hexdigest()[:12]}"
    return f"{name}/{file}" if name else file, content
