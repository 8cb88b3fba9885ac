from __future__ import annotations

import io
import socket
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tcray.errors import InputError, StoreBusyError, StoreError, SweepError
from tcray.search.plan import find_cards, plan
from tcray.store.lease import Lease
from tcray.store.store import Store, SweepStore
from tcray.store.trials import read_records
from tcray.store.verify import verify
from tcray.tune.run import SweepResult, run_sweep

from .factories import export, ledger_values, make_sweep, run_without_ray
from .fakes import FakeTrain


def run(folder: Path, train: FakeTrain, *overrides: str, **options: Any) -> tuple[SweepResult, str]:
    """Run the small sweep in this process; return its result and its output."""
    out = io.StringIO()
    console = Console(file=out, width=200)
    sweep = make_sweep(folder, *overrides)
    return run_sweep(sweep, str(folder / "trials"), console=console, train=train, **options), out.getvalue()


def run_undisturbed(folder: Path) -> SweepStore:
    """Return the store of the small sweep after a run without any failure."""
    return run_without_ray(folder / "expected", make_sweep(folder), FakeTrain(str(folder / "expected trace")))


@pytest.fixture
def train(tmp_path: Path) -> FakeTrain:
    """Return a trainer that never fails."""
    return FakeTrain(str(tmp_path / "trace"))


@pytest.mark.slow
@pytest.mark.usefixtures("ray_here")
class TestUnderRay:
    """Sweeps in this process, on its Ray cluster."""

    def test_the_store_equals_that_of_a_plain_loop(self, tmp_path: Path, train: FakeTrain) -> None:
        """A sweep under Ray Tune leaves the same store as a loop over the queue, and trains nothing twice."""
        result, output = run(tmp_path, train)
        assert export(run_undisturbed(tmp_path)) == export(result.store)
        assert [] == verify(Store.open(str(tmp_path / "trials")))
        segments = [(s["run_id"], s["start"]) for s in train.read_trace()]
        assert len(set(segments)) == len(segments)
        assert (32, False) == (result.progress.ended, result.was_finished)
        assert "mosi is not imported: using its synthetic twin (tcray data import mosi --from PATH" in output
        assert "small: 32 of 32 runs done" in output

    def test_a_killed_worker_changes_no_result(self, tmp_path: Path, train: FakeTrain) -> None:
        """If a worker is killed with -9 during a pack, the pack is trained again in halves, to the same store."""
        killer = FakeTrain(train.trace, dies_once=str(tmp_path / "pid"))
        result, output = run(tmp_path, killer)
        assert export(run_undisturbed(tmp_path)) == export(result.store)
        assert "the worker of a pack of 6 runs (mosi/rank=1, …) died; its halves are tried separately" in output
        pid = int((tmp_path / "pid").read_text())
        assert {(6, pid)} == {(s["size"], s["pid"]) for s in train.read_trace() if s["pid"] == pid and s["size"] == 6}
        assert [] == verify(Store.open(str(tmp_path / "trials")))

    def test_a_run_that_kills_its_process_is_found(self, tmp_path: Path, train: FakeTrain) -> None:
        """A run that kills every process that trains it is FAILED: crash; all other runs have their usual results."""
        expected = run_undisturbed(tmp_path)
        culprit = next(r for r in read_records(expected) if r["phase"] == "confirm" and r["dataset"] == "mosi")
        result, _ = run(tmp_path, FakeTrain(train.trace, culprit=culprit["run_id"]), "resources.pack=2")
        failed = [r for r in read_records(result.store) if r["state"] == "FAILED"]
        assert [(culprit["run_id"], "crash")] == [(r["run_id"], r["reason"]) for r in failed]
        assert 31 == sum(r["state"] != "FAILED" for r in read_records(result.store))
        sizes = [s["size"] for s in train.read_trace() if s["run_id"] == culprit["run_id"]]
        assert [2, 1, 1] == sizes, "once in a pack, then alone max_failures times"
        # A second run of the sweep retries only the failed run.
        again, _ = run(tmp_path, train)
        assert export(expected) == export(again.store)

    def test_a_run_that_raises_is_found(self, tmp_path: Path, train: FakeTrain) -> None:
        """A run whose training raises is FAILED: crash, alone, and the exception is printed."""
        expected = run_undisturbed(tmp_path)
        culprit = next(r for r in read_records(expected) if r["phase"] == "confirm")["run_id"]
        result, output = run(tmp_path, FakeTrain(train.trace, raises=culprit))
        assert [culprit] == [r["run_id"] for r in read_records(result.store) if r["reason"] == "crash"]
        assert f"a pack of 1 run (mosi/rank=1) failed: ValueError: {culprit} cannot be trained" in output

    def test_a_pack_that_does_not_fit_is_trained_in_parts(self, tmp_path: Path, train: FakeTrain) -> None:
        """A worker with too little memory for a pack trains it in parts, to the same store."""
        result, output = run(tmp_path, FakeTrain(train.trace, most=2))
        assert export(run_undisturbed(tmp_path)) == export(result.store)
        assert 1 == output.count(f"{socket.gethostname()} has memory for 2 runs of a pack of 6: it trains packs in")
        assert {6, 3, 2, 1} == {s["size"] for s in train.read_trace()}

    def test_a_sweep_resumes_after_a_failure_of_the_store(
        self, tmp_path: Path, train: FakeTrain, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A write that fails after all retries ends the sweep; the next run resumes it and trains nothing twice."""
        append, written = SweepStore.append, list[str]()

        def failing(store: SweepStore, table: str, rows: Any, **options: Any) -> None:
            if table == "ledger" and len(written) > 20:
                raise StoreError("trials/ledger cannot be written: No space left on device", "Make room.")
            written.append(table)
            append(store, table, rows, **options)

        with monkeypatch.context() as patched:
            patched.setattr(SweepStore, "append", failing)
            with pytest.raises(StoreError, match="No space left on device"):
                run(tmp_path, train)
        result, _ = run(tmp_path, train)
        assert export(run_undisturbed(tmp_path)) == export(result.store)
        values = ledger_values(result.store)
        assert len(set(values)) == len(values)

    def test_a_worker_that_cannot_write_ends_the_sweep(self, tmp_path: Path, train: FakeTrain) -> None:
        """If a worker cannot write to the store, no run fails: the sweep ends and names the host."""
        with pytest.raises(SweepError, match="trials/ cannot be written"):
            run(tmp_path, FakeTrain(train.trace, unwritable=True))

    def test_cuda_requires_a_gpu(self, tmp_path: Path, train: FakeTrain) -> None:
        """Under `device: cuda` a cluster without a GPU is an input error, and no sweep is written."""
        with pytest.raises(InputError, match=r"resources\.device is cuda, but no node has a GPU"):
            run(tmp_path, train, "resources.device=cuda", "resources.gpu=0.25")
        assert [] == Store.open(str(tmp_path / "trials")).manifests()

    def test_an_impossible_request_is_an_error(self, tmp_path: Path, train: FakeTrain) -> None:
        """A request that no node can meet is an input error without a wait."""
        with pytest.raises(InputError, match="a pack requests 512 CPUs, but no node has that"):
            run(tmp_path, train, "resources.cpu=512")


class TestWithoutRay:
    """Sweeps that end before Ray is started."""

    @pytest.fixture(autouse=True)
    def _no_ray(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Fail if Ray is started."""
        monkeypatch.setattr("tcray.tune.run.connect", lambda address: pytest.fail("Ray was started"))

    def test_a_finished_sweep_stays_as_it_is(self, tmp_path: Path, train: FakeTrain) -> None:
        """A finished sweep trains nothing, starts no Ray, and its result says that it was finished."""
        store = run_without_ray(tmp_path / "trials", make_sweep(tmp_path), train)
        store.write_manifest({"sweep_id": store.sweep_id, "name": "small", "started_at": "2026-01-01T00:00:00+00:00"})
        before = export(store)
        result, _ = run(tmp_path, train, "resources.cpu=512")
        assert (True, 32) == (result.was_finished, result.progress.ended)
        assert before == export(result.store)

    def test_an_upgraded_sweep_is_not_resumed(self, tmp_path: Path, train: FakeTrain) -> None:
        """A sweep of an earlier version is shown if it was finished, and refused if it was not."""
        store = run_without_ray(tmp_path / "trials", make_sweep(tmp_path), train)
        manifest = {"sweep_id": store.sweep_id, "name": "small", "started_at": "2026", "upgraded_from": 1}
        store.write_manifest({**manifest, "finished_at": None})
        with pytest.raises(InputError, match="was upgraded from an earlier version of tcray and cannot be resumed"):
            run(tmp_path, train)
        store.write_manifest({**manifest, "finished_at": "2027"})
        result, _ = run(tmp_path, train)
        assert (True, 32) == (result.was_finished, result.progress.ended)

    def test_a_store_with_an_older_schema_is_rejected(self, tmp_path: Path, train: FakeTrain) -> None:
        """Nothing is trained in a store with sweeps that the results could not read."""
        other = Store.open(str(tmp_path / "trials"), create=True).sweep("other-1")
        other.write_manifest({"sweep_id": "other-1", "name": "other", "started_at": "2026", "schema": 1})
        with pytest.raises(StoreError, match="has schema version 1"):
            run(tmp_path, train)

    def test_a_second_driver_is_rejected(self, tmp_path: Path, train: FakeTrain) -> None:
        """While one driver runs a sweep, a second one ends with exit code 1 and names the first."""
        sweep = make_sweep(tmp_path)
        planned = plan(sweep, find_cards(sweep))
        store = Store.open(str(tmp_path / "trials"), create=True).sweep(planned.sweep_id())
        with Lease(store), pytest.raises(StoreBusyError, match=r"is already being run by pid \d+ on") as busy:
            run(tmp_path, train)
        assert 1 == busy.value.exit_code

    def test_a_store_that_is_a_file(self, tmp_path: Path, train: FakeTrain) -> None:
        """A store that is a file is an input error."""
        (tmp_path / "trials").write_text("")
        with pytest.raises(InputError, match="is a file"):
            run(tmp_path, train)
