"""The TensorBoard comparison of sweeps: one run per cell, with means and intervals by epoch, HParams and figures.

    <logdir>/rank-1a2b3c/mosi (twin)/rank=4,conditioning=jwae    a cell
    <logdir>/rank-1a2b3c/mosi (twin)/verdicts                    the verdicts of the sweep on the dataset, with figures
    <logdir>-more/rank-1a2b3c/mustard/…                          folders for which there is no room in <logdir>

TensorBoard selects all runs of a logdir only if there are at most 40, and none otherwise. So every folder of a sweep
and dataset has at most 40 runs, and `<logdir>` holds the latest of these folders, with at most 40 runs together.

The files are a function of the stores, down to the bytes. The name of a file changes with its content, because a
running TensorBoard follows files that appear and disappear, but does not reread a file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tcray.errors import InputError
from tcray.results.analysis import Results, analyze
from tcray.results.output.tensorboard.dashboard import Dashboard
from tcray.results.output.tensorboard.events import event_file
from tcray.results.output.tensorboard.output_folder import OutputFolder, is_output_folder
from tcray.results.output.tensorboard.runs import ComparedSweep
from tcray.results.output.tensorboard.verdicts import build_verdict_values
from tcray.store.store import SweepStore

if TYPE_CHECKING:
    from tensorboard.compat.proto.summary_pb2 import Summary

VERDICTS = "verdicts"
"""The run with the verdicts of a dataset."""

COLUMNS = "columns"
"""The end of the name of the file with the columns of the HParams tab."""

MAX_RUNS = 40
"""The largest number of runs that TensorBoard selects by itself."""

TICK = 1e-3
"""Seconds between the start times of two runs in their files; TensorBoard lists runs in this order."""


@dataclass(frozen=True, slots=True)
class WrittenFolder:
    """A folder that was written for a sweep and a dataset.

    path            of the folder, which is itself a logdir with at most `MAX_RUNS` runs
    cells           number of cells that have runs
    shown           number of cells in the folder: all of them, or the best by validation
    without_curves  the cells without curves, by the names of their runs
    """

    sweep_id: str
    path: Path
    cells: int
    shown: int
    without_curves: tuple[str, ...]


def write_comparison(
    sweeps: Sequence[SweepStore], logdir: Path, known: Sequence[Results] = ()
) -> tuple[WrittenFolder, ...]:
    """Write the current state of sweeps for `tensorboard --logdir`, one folder per sweep and dataset.

    known   results of sweeps that need not be analyzed again

    Folders for which there is no room in `logdir` are written beside it, and older folders are moved there. Raises
    `InputError` if a folder cannot be written or was not written by tcray, and `StoreError` if a store is damaged.
    """
    if logdir.exists() and not logdir.is_dir():
        raise InputError(f"{logdir} is a file", "Name a folder with --logdir.")
    analyzed = {results.sweep_id: results for results in known}
    more = logdir.with_name(f"{logdir.name}-more")
    written: list[WrittenFolder] = []
    room = MAX_RUNS - _count_runs_of_others(logdir)
    for store in sweeps:
        sweep = ComparedSweep.load(store)
        results = analyzed.get(store.sweep_id) or analyze(store)
        for dataset, part in sweep.by_dataset().items():
            shown = part.select_best(MAX_RUNS - 1)
            runs = len(shown.cells) + 1
            home, other = (logdir, more) if runs <= room else (more, logdir)
            room -= runs if home is logdir else 0
            name = Path(sweep.name) / dataset
            OutputFolder(other / name).delete()
            _write_folder(OutputFolder(home / name), shown, part, results)
            written.append(
                WrittenFolder(store.sweep_id, home / name, len(part.cells), len(shown.cells), shown.without_curves)
            )
    _move_older(logdir, more, {folder.path for folder in written}, room)
    _write_columns([OutputFolder(path) for path in _find_folders(logdir)])
    return tuple(written)


def _write_folder(folder: OutputFolder, shown: ComparedSweep, part: ComparedSweep, results: Results) -> None:
    """Write the runs of a sweep on a dataset; `part` has all of its cells, and `shown` those that are written."""
    other = folder.read_info().get("sweep_id", results.sweep_id)
    if other != results.sweep_id:
        raise InputError(f"{folder.path} holds sweep {other}", "Name another folder with --logdir.")
    dashboard = shown.dashboard
    files = dict([*_build_runs(shown, part, results), _build_columns(dashboard)])
    info = {"sweep_id": results.sweep_id, "runs": len(shown.cells) + 1, "dashboard": dashboard.to_document()}
    folder.replace(files, info)


def _build_runs(shown: ComparedSweep, part: ComparedSweep, results: Results) -> Iterator[tuple[str, bytes]]:
    """Yield the event files of the verdicts and of each cell."""
    datasets = {card["name"] for card in shown.manifest["cards"]}
    own = replace(results, findings=tuple(f for f in results.findings if f.measured.dataset in datasets))
    yield _build_file(VERDICTS, {0: build_verdict_values(own, shown, part)}, shown.started_at, shown.ended_at)
    for place, cell in enumerate(shown.cells, 1):
        yield _build_file(cell.name, shown.steps(cell), shown.started_at + place * TICK, cell.span[1])


def _build_columns(dashboard: Dashboard) -> tuple[str, bytes]:
    """Return the event file with the columns of HParams and the charts of Custom Scalars."""
    name, content = _build_file(VERDICTS, {0: dashboard.values()}, dashboard.at, dashboard.at)
    return f"{name}.{COLUMNS}", content


def _build_file(
    name: str, steps: Mapping[int, Iterable[Summary.Value]], started_at: float, ended_at: float
) -> tuple[str, bytes]:
    """Return the path and the content of the event file of a run."""
    content = event_file(steps, started_at=started_at, ended_at=ended_at)
    file = f"events.out.tfevents.{hashlib.sha256(content).hexdigest()[:12]}"
    return f"{name}/{file}" if name else file, content


def _write_columns(folders: Sequence[OutputFolder]) -> None:
    """Write the columns of all folders into each of them, because TensorBoard reads the columns of any one run."""
    infos = [folder.read_info() for folder in folders]
    merged = _build_columns(Dashboard.merge(Dashboard.from_document(info["dashboard"]) for info in infos))
    for folder, info in zip(folders, infos, strict=True):
        files = {name: content for name, content in folder.read_files().items() if not name.endswith(COLUMNS)}
        folder.replace(dict([*files.items(), merged]), info)


def _move_older(logdir: Path, more: Path, written: set[Path], room: int) -> None:
    """Move folders out of the logdir that do not fit into it beside those just written; the newest ones stay."""
    older = {path: OutputFolder(path).read_info() for path in _find_folders(logdir) if path not in written}
    for path, info in sorted(older.items(), key=lambda item: (-item[1]["dashboard"]["at"], item[0])):
        if info["runs"] <= room:
            room -= info["runs"]
        else:
            OutputFolder(path).move(more / path.relative_to(logdir))


def _find_folders(logdir: Path) -> list[Path]:
    """Return the folders of tcray in a logdir, one per sweep and dataset."""
    return [path for path in sorted(logdir.glob("*/*")) if is_output_folder(path) and not path.name.startswith(".")]


def _count_runs_of_others(logdir: Path) -> int:
    """Return the number of runs in a logdir that tcray did not write."""
    own = _find_folders(logdir) if logdir.is_dir() else []
    runs = {path.parent for path in logdir.rglob("*tfevents*") if path.is_file()}
    return sum(not any(run.is_relative_to(folder) for folder in own) for run in runs)
