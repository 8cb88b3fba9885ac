"""The cache of analyses."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from tcray.cli import cached_analysis
from tcray.cli.cached_analysis import MAX_FILES, compute_key, load_or_analyze
from tcray.results import analysis
from tcray.store.store import Store, SweepStore
from tests.results.output.tensorboard.factories import make_recorded_store, make_runs

open_cache = cached_analysis.open_cache
"""The function itself; the fixture `cache` replaces it in the module."""


@pytest.fixture
def sweep(tmp_path: Path) -> SweepStore:
    """Ranks 2 and 12 in a store."""
    return make_recorded_store(tmp_path, make_runs([{"rank": 2}, {"rank": 12}]))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of analyzed sweeps."""
    analyze, seen = analysis.analyze, []

    def count(store: SweepStore) -> Any:
        seen.append(store.sweep_id)
        return analyze(store)

    monkeypatch.setattr(analysis, "analyze", count)
    return seen


def test_an_unchanged_store_is_analyzed_once(sweep: SweepStore, calls: list[str], cache: Path) -> None:
    """The second result equals the first; its file is readable by the user alone."""
    first = load_or_analyze(sweep)
    assert pickle.dumps(first) == pickle.dumps(load_or_analyze(Store.open(sweep.uri).sweep(sweep.sweep_id)))
    assert calls == [sweep.sweep_id]
    (file,) = cache.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_changed_store_is_analyzed_again(sweep: SweepStore, calls: list[str]) -> None:
    """New runs, a changed manifest, and another sweep in the store each give a new analysis."""
    load_or_analyze(sweep)
    sweep.append("runs", make_runs([{"rank": 4}]))
    load_or_analyze(sweep)
    sweep.write_manifest({**sweep.read_manifest(), "finished_at": "2026-05-04T12:40:00+00:00"})
    load_or_analyze(sweep)
    other = Store.open(sweep.uri).sweep("other-1")
    other.write_manifest({**sweep.read_manifest(), "sweep_id": "other-1", "name": "other"})
    load_or_analyze(sweep)
    assert len(calls) == 4


def test_changed_code_gives_another_key(sweep: SweepStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The key contains the version, and sizes and times of tcray's files."""
    key = compute_key(sweep)
    assert key == compute_key(sweep)
    monkeypatch.setattr("tcray.cli.cached_analysis.__version__", "0.0.1")
    assert key != compute_key(sweep)
    monkeypatch.undo()
    (tmp_path / "package").mkdir()
    (tmp_path / "package/__init__.py").touch()
    monkeypatch.setattr("tcray.cli.cached_analysis.__file__", str(tmp_path / "package/cli/cached_analysis.py"))
    assert key != compute_key(sweep)


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps("another object")])
def test_a_damaged_file_is_ignored(sweep: SweepStore, calls: list[str], cache: Path, content: bytes) -> None:
    """The sweep is analyzed again, and the file replaced."""
    load_or_analyze(sweep)
    (file,) = cache.iterdir()
    file.write_bytes(content)
    load_or_analyze(sweep)
    load_or_analyze(sweep)
    assert len(calls) == 2


def test_a_file_that_others_can_write_is_not_read(sweep: SweepStore, calls: list[str], cache: Path) -> None:
    """Unpickling a file of another user would run that user's code."""
    load_or_analyze(sweep)
    (file,) = cache.iterdir()
    file.chmod(0o622)
    load_or_analyze(sweep)
    assert len(calls) == 2


def test_without_a_cache_the_sweep_is_analyzed(
    sweep: SweepStore, calls: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither a missing home folder nor one that cannot be written to is an error."""
    (tmp_path / "file").touch()
    monkeypatch.setattr(cached_analysis, "open_cache", open_cache)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    load_or_analyze(sweep)
    load_or_analyze(sweep)
    assert len(calls) == 2


def test_the_cache_is_a_private_folder_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is made below XDG_CACHE_HOME or ~/.cache, and not used if others can write to it or if it is a link."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = open_cache()
    assert folder == tmp_path / "tcray"
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)
    assert open_cache() is None
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    assert open_cache() is None
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert open_cache() == tmp_path / "home/.cache/tcray"


def test_the_cache_keeps_the_analyses_that_were_used_last(sweep: SweepStore, cache: Path) -> None:
    """Older files are deleted when another one is written."""
    for number in range(MAX_FILES + 5):
        file = cache / f"{number:02}.pickle"
        file.touch()
        os.utime(file, (number, number))
    load_or_analyze(sweep)
    (written,) = cache.glob(f"{compute_key(sweep)}.pickle")
    older = [f"{number:02}.pickle" for number in range(6, MAX_FILES + 5)]
    assert sorted(path.name for path in cache.iterdir()) == sorted([written.name, *older])
