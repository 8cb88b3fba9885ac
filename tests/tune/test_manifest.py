from __future__ import annotations

import json
from pathlib import Path

import pytest

from tcray.config.run import ENGINE_VERSION
from tcray.config.sweep import Sweep
from tcray.search.plan import find_cards, plan
from tcray.tune import manifest

from .factories import make_sweep


def test_a_new_manifest_contains_the_sweep(tmp_path: Path) -> None:
    """The manifest holds the sweep, its data and the engine in JSON's types; the sweep can be restored from it."""
    sweep = make_sweep(tmp_path)
    planned = plan(sweep, find_cards(sweep))
    written = json.loads(json.dumps(manifest.new_manifest(planned, "small-1", {"mosi": []})))
    assert sweep == Sweep.from_document(written["sweep"])
    assert ["mosi"] == [card["name"] for card in written["cards"]]
    expected = {"sweep_id": "small-1", "name": "small", "question": "Does a rank help?", "planned_runs": 32}
    assert expected.items() <= written.items()
    assert (ENGINE_VERSION, "valid.loss", None) == (written["engine"], written["objective"], written["finished_at"])


def test_each_start_adds_a_session(tmp_path: Path) -> None:
    """The sweep's device is that of its sessions, or mixed; a new session makes a finished sweep unfinished."""
    sweep = make_sweep(tmp_path)
    empty = manifest.new_manifest(plan(sweep, find_cards(sweep)), "small-1", {})
    one = manifest.add_session(empty, manifest.new_session("cpu"))
    two = manifest.add_session({**one, "finished_at": manifest.format_now()}, manifest.new_session("cpu"))
    three = manifest.add_session(two, manifest.new_session("cuda"))
    assert ["cpu", "cpu", "mixed"] == [written["device"] for written in (one, two, three)]
    assert 3 == len(three["sessions"])
    assert three["finished_at"] is None
    assert {"tcray", "python", "torch", "ray", "optuna"} <= three["sessions"][0]["versions"].keys()


def test_no_commit_outside_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit is None if the working directory is not in a repository or if git is not installed."""
    monkeypatch.chdir(tmp_path)
    assert manifest.read_commit() is None
    monkeypatch.setenv("PATH", "")
    assert manifest.read_commit() is None
