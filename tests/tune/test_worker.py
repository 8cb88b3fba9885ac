from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import torch

from tcray.config.run import Run
from tcray.data.dataset import MultimodalDataset
from tcray.errors import StoreError
from tcray.search.plan import find_cards, plan
from tcray.search.queue import Pack, Queue
from tcray.store.store import Store, SweepStore
from tcray.training.pack import TrainResult
from tcray.tune import worker as at_work
from tcray.tune.datasets import LazyDatasets, LazyTestExamples
from tcray.tune.worker import Train, Worker

from .factories import make_sweep
from .fakes import FakeTrain


class Bench:
    """A store, a queue and a library of the small sweep, for workers to work on."""

    def __init__(self, folder: Path) -> None:
        """Begins the sweep."""
        sweep = make_sweep(folder)
        planned = plan(sweep, find_cards(sweep))
        self.store: SweepStore = Store.open(str(folder / "trials"), create=True).sweep(planned.sweep_id())
        self.library = LazyDatasets(planned.cards, sweep.data.root)
        self.queue = Queue(planned, self.store, LazyTestExamples(self.library))
        self.toy = FakeTrain(str(folder / "trace"))

    def worker(self, train: Train | None = None) -> Worker:
        """A worker that trains with `train`."""
        return Worker(self.store, self.library.__getitem__, "cpu", train or self.toy)

    def second_pack(self) -> Pack:
        """A pack that goes on from a state."""
        while (pack := self.queue.take(3)) is not None:
            if pack.start:
                return pack
            report = self.worker().work(pack, "first")
            self.queue.record(pack, report.outcomes, report.execution)
        raise AssertionError("every run was pruned at its first rung")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A sweep that nothing was trained of."""
    return Bench(tmp_path)


def first_pack(bench: Bench) -> Pack:
    """Three runs at their first epoch."""
    pack = bench.queue.take(3)
    assert pack is not None
    return pack


def failing(error: Exception) -> Any:
    """A training that fails."""

    def train(dataset: Any, runs: Sequence[Run], **_: Any) -> list[TrainResult]:
        raise error

    return train


def test_a_pack_comes_back_with_an_outcome_a_run(bench: Bench) -> None:
    """A worker gives an outcome for each run, in order, and says where and when it was trained."""
    pack = first_pack(bench)
    began = datetime.now(UTC)
    report = bench.worker().work(pack, "1-abc")
    assert [pack.stop] * 3 == [outcome.epoch for outcome in report.outcomes]
    assert ("cpu", "1-abc", 3) == (
        report.execution.device,
        report.execution.pack,
        report.execution.pack_size,
    )
    assert began <= report.execution.started_at <= report.execution.ended_at <= datetime.now(UTC)
    assert 0 <= report.seconds


def test_states_are_kept(bench: Bench) -> None:
    """What a run goes on from is in the store before anybody hears that it was trained."""
    pack = first_pack(bench)
    bench.worker().work(pack, "")
    paths = [bench.store.state_path(segment.run.run_id, pack.stop) for segment in pack.segments]
    assert all(bench.store.read_blob(path) for path in paths)


def test_a_missing_state_means_training_again(bench: Bench) -> None:
    """A run whose state is gone is trained from epoch 0 to the same outcome; its curve has the new epochs alone."""
    pack = bench.second_pack()
    expected = bench.worker().work(pack, "").outcomes
    bench.store.delete_blob(bench.store.state_path(pack.segments[0].run.run_id, pack.start))
    assert expected == bench.worker().work(pack, "").outcomes
    again = [(s["run_id"], s["start"]) for s in bench.toy.trained()[-len(pack.segments) :]]
    lost, *kept = [segment.run.run_id for segment in pack.segments]
    assert [(lost, 0), *((run_id, pack.start) for run_id in kept)] == again
    assert [pack.stop] == [point["epoch"] for point in expected[0].curve]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you tried to allocate"
        ),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_memory_is_told_apart(bench: Bench, error: Exception) -> None:
    """Whatever way torch says that memory is short, runs that do not fit even alone FAILED: memory where they were."""
    pack = bench.second_pack()
    report = bench.worker(failing(error)).work(pack, "")
    assert (None, 1) == (report.failure, report.together)
    assert [("FAILED", "memory", pack.start)] * len(pack.segments) == [
        (outcome.state, outcome.reason, outcome.epoch) for outcome in report.outcomes
    ]


def test_memory_is_really_short(bench: Bench) -> None:
    """A tensor that no machine has room for is memory, by torch's own word."""

    def train(dataset: Any, runs: Sequence[Run], **_: Any) -> list[TrainResult]:
        torch.empty(2**60)
        return []

    report = bench.worker(train).work(first_pack(bench), "")
    assert ["memory"] * 3 == [outcome.reason for outcome in report.outcomes]


def test_what_does_not_fit_is_trained_in_parts(bench: Bench) -> None:
    """A pack that memory does not hold is trained in halves, to the same outcomes, and later ones at once in such."""
    packs = [bench.queue.take(6), bench.queue.take(6)]
    assert [6, 6] == [len(pack.segments) for pack in packs if pack]
    expected = [bench.worker().work(pack, "").outcomes for pack in packs if pack]
    tight = replace(bench.toy, trace=f"{bench.toy.trace} of few", most=3)
    worker = bench.worker(tight)
    reports = [worker.work(pack, "") for pack in packs if pack]
    assert expected == [report.outcomes for report in reports]
    assert [3, 3] == [report.together for report in reports]
    assert [6] * 6 + [3] * 12 == [segment["size"] for segment in tight.trained()]


def test_one_run_that_does_not_fit_leaves_the_others(bench: Bench) -> None:
    """Of a pack with a run that is too large by itself, that run alone FAILED, and the others are as they would be."""
    pack = first_pack(bench)
    large = pack.segments[1].run.run_id
    expected = bench.worker().work(pack, "").outcomes

    def train(dataset: Any, runs: Sequence[Run], **options: Any) -> list[TrainResult]:
        if large in {run.run_id for run in runs}:
            raise MemoryError
        return bench.toy(dataset, runs, **options)

    outcomes = bench.worker(train).work(pack, "").outcomes
    assert ["", "memory", ""] == [outcome.reason for outcome in outcomes]
    assert [expected[0], expected[2]] == [outcomes[0], outcomes[2]]


def test_a_dataset_is_fetched_once(bench: Bench) -> None:
    """Whatever the number of packs, a worker asks for a dataset when its first pack comes, and never again."""
    fetched: list[str] = []

    def fetch(name: str) -> MultimodalDataset:
        fetched.append(name)
        return bench.library[name]

    worker = Worker(bench.store, fetch, "cpu", bench.toy)
    for _ in range(2):
        worker.work(first_pack(bench), "")
    assert ["mosi"] == fetched


def test_what_bits_depend_on_is_told(bench: Bench) -> None:
    """A report names torch and the processor's abilities."""
    told = bench.worker().work(first_pack(bench), "").arithmetic
    assert f"torch {torch.__version__} with {torch.backends.cpu.get_cpu_capability()}" == told


def test_any_other_exception_is_a_crash(bench: Bench) -> None:
    """An exception of training does not leave the worker: it comes back in words."""
    report = bench.worker(failing(ValueError("no such thing\nat all"))).work(first_pack(bench), "")
    assert ("crash", "ValueError: no such thing") == (report.failure, report.reason)


def test_a_store_that_fails_is_no_runs_fault(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state that still cannot be written after a while is the store's failure, in its words."""

    def broken(store: SweepStore, path: str, content: bytes) -> None:
        raise StoreError("states/ cannot be written: No space left on device", "Make room.")

    monkeypatch.setattr(at_work, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(SweepStore, "write_blob", broken)
    report = bench.worker().work(first_pack(bench), "")
    assert "store" == report.failure
    assert report.reason.startswith("states/ cannot be written: No space left on device")
