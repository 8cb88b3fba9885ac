"""A sweep recorded in this process has everything that `tcray sweep` records."""

from __future__ import annotations

from pathlib import Path

from tcray.store.store import Store
from tcray.store.verify import check_sweep
from tests.recording import record_sweep
from tests.tune.factories import make_sweep
from tests.tune.fakes import FakeTrain


def test_a_recorded_sweep_is_finished_and_sound(tmp_path: Path) -> None:
    """All 32 runs of both phases end, and the store passes verification as that of a finished sweep."""
    store = record_sweep(tmp_path / "trials", make_sweep(tmp_path), FakeTrain(str(tmp_path / "trace")))
    health = check_sweep(store)
    assert (32, ()) == (health.runs, health.issues)
    written = store.read_manifest()
    assert ("small", 32, "cpu") == (written["name"], written["planned_runs"], written["device"])
    assert written["finished_at"] > written["started_at"]
    assert {"mosi"} == written["baselines"].keys()
    assert [store.sweep_id] == Store.open(str(tmp_path / "trials")).sweep_ids()
