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
from tcray.search.queue import Pack
from tcray.store.store import SweepStore
from tcray.training.pack import TrainResult
from tcray.tune import worker as worker_module
from tcray.tune.worker import Train, Worker

from .factories import make_queue, make_sweep
from .fakes import FakeTrain


class Setup:
    """Store, queue and datasets of the small sweep."""

    def __init__(self, folder: Path) -> None:
        """Create the sweep."""
        self.queue, self.store, self.datasets = make_queue(folder / "trials", make_sweep(folder))
        self.train = FakeTrain(str(folder / "trace"))

    def worker(self, train: Train | None = None) -> Worker:
        """Return a worker that trains with `train`."""
        return Worker(self.store, self.datasets.__getitem__, "cpu", train or self.train)

    def first_pack(self) -> Pack:
        """Return three runs at their first epoch."""
        pack = self.queue.take(3)
        assert pack is not None
        return pack

    def second_pack(self) -> Pack:
        """Return the first pack that resumes from checkpoints; earlier packs are trained."""
        while (pack := self.queue.take(3)) is not None:
            if pack.start:
                return pack
            report = self.worker().train_pack(pack, "first")
            self.queue.record(pack, report.outcomes, report.execution)
        raise AssertionError("every run was pruned at its first rung")


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    """Return a sweep without trained runs."""
    return Setup(tmp_path)


def raising(error: Exception) -> Any:
    """Return a training function that raises this error."""

    def train(dataset: Any, runs: Sequence[Run], **_: Any) -> list[TrainResult]:
        raise error

    return train


def test_a_report_has_one_outcome_per_run(setup: Setup) -> None:
    """A report has one outcome per run, in order, and the host, device and time of the training."""
    pack = setup.first_pack()
    before = datetime.now(UTC)
    report = setup.worker().train_pack(pack, "1-abc")
    assert [pack.stop] * 3 == [outcome.epoch for outcome in report.outcomes]
    execution = report.execution
    assert ("cpu", "1-abc", 3) == (execution.device, execution.pack, execution.pack_size)
    assert before <= execution.started_at <= execution.ended_at <= datetime.now(UTC)
    assert 0 <= report.seconds


def test_checkpoints_are_saved(setup: Setup) -> None:
    """The checkpoints of a pack are in the store before its report is returned."""
    pack = setup.first_pack()
    setup.worker().train_pack(pack, "")
    paths = [setup.store.checkpoint_path(segment.run.run_id, pack.stop) for segment in pack.segments]
    assert all(setup.store.read_blob(path) for path in paths)


def test_a_run_without_its_checkpoint_restarts(setup: Setup) -> None:
    """A run whose checkpoint is missing restarts from epoch 0 with the same outcome; its curve has new epochs only."""
    pack = setup.second_pack()
    expected = setup.worker().train_pack(pack, "").outcomes
    setup.store.delete_blob(setup.store.checkpoint_path(pack.segments[0].run.run_id, pack.start))
    assert expected == setup.worker().train_pack(pack, "").outcomes
    again = [(s["run_id"], s["start"]) for s in setup.train.read_trace()[-len(pack.segments) :]]
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
def test_every_kind_of_memory_error_is_recognized(setup: Setup, error: Exception) -> None:
    """Runs that do not fit into memory alone are FAILED with reason memory, at the epoch of their checkpoint."""
    pack = setup.second_pack()
    report = setup.worker(raising(error)).train_pack(pack, "")
    assert (None, 1) == (report.failure, report.runs_at_once)
    assert [("FAILED", "memory", pack.start)] * len(pack.segments) == [
        (outcome.state, outcome.reason, outcome.epoch) for outcome in report.outcomes
    ]


def test_a_real_memory_error_is_recognized(setup: Setup) -> None:
    """A tensor that is too large for any machine gives a memory error of torch itself."""

    def train(dataset: Any, runs: Sequence[Run], **_: Any) -> list[TrainResult]:
        torch.empty(2**60)
        return []

    report = setup.worker(train).train_pack(setup.first_pack(), "")
    assert ["memory"] * 3 == [outcome.reason for outcome in report.outcomes]


def test_a_pack_that_does_not_fit_is_trained_in_parts(setup: Setup) -> None:
    """A pack that does not fit into memory is trained in halves, with the same outcomes; later packs start in parts."""
    packs = [setup.queue.take(6), setup.queue.take(6)]
    assert [6, 6] == [len(pack.segments) for pack in packs if pack]
    expected = [setup.worker().train_pack(pack, "").outcomes for pack in packs if pack]
    limited = replace(setup.train, trace=f"{setup.train.trace} limited", most=3)
    worker = setup.worker(limited)
    reports = [worker.train_pack(pack, "") for pack in packs if pack]
    assert expected == [report.outcomes for report in reports]
    assert [3, 3] == [report.runs_at_once for report in reports]
    assert [6] * 6 + [3] * 12 == [segment["size"] for segment in limited.read_trace()]


def test_one_run_that_does_not_fit_leaves_the_others(setup: Setup) -> None:
    """If one run does not fit into memory alone, only that run is FAILED; the others have their usual outcomes."""
    pack = setup.first_pack()
    large = pack.segments[1].run.run_id
    expected = setup.worker().train_pack(pack, "").outcomes

    def train(dataset: Any, runs: Sequence[Run], **options: Any) -> list[TrainResult]:
        if large in {run.run_id for run in runs}:
            raise MemoryError
        return setup.train(dataset, runs, **options)

    outcomes = setup.worker(train).train_pack(pack, "").outcomes
    assert ["", "memory", ""] == [outcome.reason for outcome in outcomes]
    assert [expected[0], expected[2]] == [outcomes[0], outcomes[2]]


def test_a_dataset_is_fetched_once(setup: Setup) -> None:
    """A worker fetches a dataset for the first pack that needs it, and keeps it."""
    fetched: list[str] = []

    def fetch(name: str) -> MultimodalDataset:
        fetched.append(name)
        return setup.datasets[name]

    worker = Worker(setup.store, fetch, "cpu", setup.train)
    for _ in range(2):
        worker.train_pack(setup.first_pack(), "")
    assert ["mosi"] == fetched


def test_a_report_describes_the_arithmetic(setup: Setup) -> None:
    """A report has torch's version and the CPU's capability, which determine the bits of a result."""
    arithmetic = setup.worker().train_pack(setup.first_pack(), "").arithmetic
    assert f"torch {torch.__version__} with {torch.backends.cpu.get_cpu_capability()}" == arithmetic


def test_any_other_exception_is_a_crash(setup: Setup) -> None:
    """An exception of training is part of the report and is not raised."""
    report = setup.worker(raising(ValueError("no such thing\nat all"))).train_pack(setup.first_pack(), "")
    assert ("crash", "ValueError: no such thing") == (report.failure, report.reason)


def test_a_failing_store_is_not_a_crash(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a checkpoint cannot be written after all retries, the failure is the store's, with its message."""

    def broken(store: SweepStore, path: str, content: bytes) -> None:
        raise StoreError("checkpoints/ cannot be written: No space left on device", "Make room.")

    monkeypatch.setattr(worker_module, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(SweepStore, "write_blob", broken)
    report = setup.worker().train_pack(setup.first_pack(), "")
    assert "store" == report.failure
    assert report.reason.startswith("checkpoints/ cannot be written: No space left on device")
