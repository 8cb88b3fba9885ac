from __future__ import annotations

import json
from pathlib import Path

import pytest

from tcray.config.run import ENGINE_VERSION
from tcray.config.sweep import Sweep
from tcray.search.plan import find_cards, plan
from tcray.tune import manifest

from .factories import make_sweep


def test_a_manifest_tells_the_question_as_run(tmp_path: Path) -> None:
    """The manifest holds the sweep, its data and the engine in JSON's types; the sweep can be had back from it."""
    sweep = make_sweep(tmp_path)
    planned = plan(sweep, find_cards(sweep))
    written = json.loads(json.dumps(manifest.first(planned, "small-1", {"mosi": []})))
    assert sweep == Sweep.from_document(written["sweep"])
    assert ["mosi"] == [card["name"] for card in written["cards"]]
    expected = {"sweep_id": "small-1", "name": "small", "question": "Does a rank help?", "planned_runs": 32}
    assert expected.items() <= written.items()
    assert (ENGINE_VERSION, "valid.loss", None) == (written["engine"], written["objective"], written["finished_at"])


def test_sessions_add_up(tmp_path: Path) -> None:
    """Every start is a session; the sweep's device is theirs, or mixed, and what had finished is begun again."""
    sweep = make_sweep(tmp_path)
    begun = manifest.first(plan(sweep, find_cards(sweep)), "small-1", {})
    once = manifest.with_session(begun, manifest.session("cpu"))
    again = manifest.with_session({**once, "finished_at": manifest.now()}, manifest.session("cpu"))
    other = manifest.with_session(again, manifest.session("cuda"))
    assert ["cpu", "cpu", "mixed"] == [one["device"] for one in (once, again, other)]
    assert 3 == len(other["sessions"])
    assert other["finished_at"] is None
    assert {"tcray", "python", "torch", "ray", "optuna"} <= other["sessions"][0]["versions"].keys()


def test_outside_a_repository_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory that git does not know has no commit, and nor has a machine without git."""
    monkeypatch.chdir(tmp_path)
    assert manifest.commit() is None
    monkeypatch.setenv("PATH", "")
    assert manifest.commit() is None
