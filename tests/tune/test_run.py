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
from tcray.store.trials import records
from tcray.store.verify import verify
from tcray.tune.run import SweepResult, run_sweep

from .factories import export, ledger_values, make_sweep, run_without_ray
from .fakes import FakeTrain


def run(folder: Path, toy: FakeTrain, *overrides: str, **options: Any) -> tuple[SweepResult, str]:
    """Runs the small sweep in this process, and gives what it came to and what it said."""
    said = io.StringIO()
    console = Console(file=said, width=200)
    sweep = make_sweep(folder, *overrides)
    return run_sweep(sweep, str(folder / "trials"), console=console, train=toy, **options), said.getvalue()


def undisturbed(folder: Path) -> SweepStore:
    """The store of the small sweep when nothing goes wrong."""
    return run_without_ray(folder / "by hand", make_sweep(folder), FakeTrain(str(folder / "trace by hand")))


@pytest.fixture
def toy(tmp_path: Path) -> FakeTrain:
    """A trainer that does as it should."""
    return FakeTrain(str(tmp_path / "trace"))


@pytest.mark.slow
@pytest.mark.usefixtures("ray_here")
class TestUnderRay:
    """Sweeps in this process, by the Ray that it has."""

    def test_leaves_what_a_plain_loop_leaves(self, tmp_path: Path, toy: FakeTrain) -> None:
        """A sweep by Ray Tune leaves the store that a loop over the queue leaves, and trains nothing twice."""
        result, said = run(tmp_path, toy)
        assert export(undisturbed(tmp_path)) == export(result.store)
        assert [] == verify(Store.open(str(tmp_path / "trials")))
        segments = [(s["run_id"], s["start"]) for s in toy.trained()]
        assert len(set(segments)) == len(segments)
        assert (32, False) == (result.progress.ended, result.was_finished)
        assert "mosi is not imported: its twin stands in (tcray data import mosi --from PATH" in said
        assert "small: 32 of 32 runs done" in said

    def test_a_killed_worker_leaves_no_trace(self, tmp_path: Path, toy: FakeTrain) -> None:
        """A worker killed with -9 in the middle of a pack has the pack trained again in halves, to the same store."""
        killer = FakeTrain(toy.trace, dies_once=str(tmp_path / "pid"))
        result, said = run(tmp_path, killer)
        assert export(undisturbed(tmp_path)) == export(result.store)
        assert "the worker of a pack of 6 runs (mosi/rank=1, …) died; its halves are tried apart" in said
        pid = int((tmp_path / "pid").read_text())
        assert {(6, pid)} == {(s["size"], s["pid"]) for s in toy.trained() if s["pid"] == pid and s["size"] == 6}
        assert [] == verify(Store.open(str(tmp_path / "trials")))

    def test_a_run_that_kills_its_process_is_found(self, tmp_path: Path, toy: FakeTrain) -> None:
        """A run that kills every process that trains it ends FAILED: crash, alone; all others are as they would be."""
        expected = undisturbed(tmp_path)
        culprit = next(r for r in records(expected) if r["phase"] == "confirm" and r["dataset"] == "mosi")
        result, _ = run(tmp_path, FakeTrain(toy.trace, culprit=culprit["run_id"]), "resources.pack=2")
        failed = [r for r in records(result.store) if r["state"] == "FAILED"]
        assert [(culprit["run_id"], "crash")] == [(r["run_id"], r["reason"]) for r in failed]
        assert 31 == sum(r["state"] != "FAILED" for r in records(result.store))
        sizes = [s["size"] for s in toy.trained() if s["run_id"] == culprit["run_id"]]
        assert [2, 1, 1] == sizes, "in a pack, and alone max_failures times"
        # Started again, the sweep tries it again, and nothing else.
        again, _ = run(tmp_path, toy)
        assert export(expected) == export(again.store)

    def test_a_run_that_raises_is_found(self, tmp_path: Path, toy: FakeTrain) -> None:
        """A run whose training raises ends FAILED: crash, alone, and the exception is shown."""
        expected = undisturbed(tmp_path)
        culprit = next(r for r in records(expected) if r["phase"] == "confirm")["run_id"]
        result, said = run(tmp_path, FakeTrain(toy.trace, raises=culprit))
        assert [culprit] == [r["run_id"] for r in records(result.store) if r["reason"] == "crash"]
        assert f"a pack of 1 run ({'mosi/rank=1'}) failed: ValueError: {culprit} is not for me" in said

    def test_what_does_not_fit_is_trained_in_parts(self, tmp_path: Path, toy: FakeTrain) -> None:
        """A worker whose memory does not hold a pack trains it in parts, and nothing else comes of it."""
        result, said = run(tmp_path, FakeTrain(toy.trace, most=2))
        assert export(undisturbed(tmp_path)) == export(result.store)
        assert 1 == said.count(f"{socket.gethostname()} has memory for 2 runs of a pack of 6, and trains such packs in")
        assert {6, 3, 2, 1} == {s["size"] for s in toy.trained()}

    def test_a_failing_store_ends_the_sweep_and_it_resumes(
        self, tmp_path: Path, toy: FakeTrain, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A write that still fails after its minute ends the sweep; later it goes on, and trains nothing twice."""
        append, written = SweepStore.append, []

        def failing(store: SweepStore, table: str, rows: Any, **options: Any) -> None:
            if table == "ledger" and len(written) > 20:
                raise StoreError("trials/ledger cannot be written: No space left on device", "Make room.")
            written.append(table)
            append(store, table, rows, **options)

        with monkeypatch.context() as patched:
            patched.setattr(SweepStore, "append", failing)
            with pytest.raises(StoreError, match="No space left on device"):
                run(tmp_path, toy)
        result, _ = run(tmp_path, toy)
        assert export(undisturbed(tmp_path)) == export(result.store)
        values = ledger_values(result.store)
        assert len(set(values)) == len(values)

    def test_a_worker_that_cannot_write_ends_the_sweep(self, tmp_path: Path, toy: FakeTrain) -> None:
        """A store that a worker cannot write is no run's fault: the sweep ends and says on which host."""
        with pytest.raises(SweepError, match="trials/ cannot be written"):
            run(tmp_path, FakeTrain(toy.trace, unwritable=True))

    def test_cuda_wants_a_gpu(self, tmp_path: Path, toy: FakeTrain) -> None:
        """Under `device: cuda` a cluster without a GPU is wrong input, and nothing of the sweep is begun."""
        with pytest.raises(InputError, match=r"resources\.device is cuda, but no node has a GPU"):
            run(tmp_path, toy, "resources.device=cuda", "resources.gpu=0.25")
        assert [] == Store.open(str(tmp_path / "trials")).manifests()

    def test_more_than_there_is_is_said(self, tmp_path: Path, toy: FakeTrain) -> None:
        """A request that no node can meet is wrong input, and is not waited for."""
        with pytest.raises(InputError, match="a pack asks for 512 CPUs, which no node can give"):
            run(tmp_path, toy, "resources.cpu=512")


class TestWithoutRay:
    """What ends before Ray is started."""

    @pytest.fixture(autouse=True)
    def _no_ray(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Ray is not to be started."""
        monkeypatch.setattr("tcray.tune.run.connected", lambda address: pytest.fail("Ray was started"))

    def test_a_finished_sweep_is_left_as_it_is(self, tmp_path: Path, toy: FakeTrain) -> None:
        """A sweep that is finished trains nothing, starts no Ray, and says that it was."""
        store = run_without_ray(tmp_path / "trials", make_sweep(tmp_path), toy)
        store.write_manifest({"sweep_id": store.sweep_id, "name": "small", "started_at": "2026-01-01T00:00:00+00:00"})
        before = export(store)
        result, _ = run(tmp_path, toy, "resources.cpu=512")
        assert (True, 32) == (result.was_finished, result.progress.ended)
        assert before == export(result.store)

    def test_a_second_driver_is_turned_away(self, tmp_path: Path, toy: FakeTrain) -> None:
        """While one driver runs a sweep a second one is told who does, with exit code 1."""
        sweep = make_sweep(tmp_path)
        planned = plan(sweep, find_cards(sweep))
        store = Store.open(str(tmp_path / "trials"), create=True).sweep(planned.sweep_id())
        with Lease(store), pytest.raises(StoreBusyError, match=r"is already being run, by pid \d+ on") as busy:
            run(tmp_path, toy)
        assert 1 == busy.value.exit_code

    def test_a_store_that_is_a_file(self, tmp_path: Path, toy: FakeTrain) -> None:
        """A store that is a file is wrong input."""
        (tmp_path / "trials").write_text("")
        with pytest.raises(InputError, match="is a file"):
            run(tmp_path, toy)
