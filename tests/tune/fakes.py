"""Fakes: a trainer with values that follow from run ids, a lease, and a clock."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import ray

from tcray.config.run import Run, digest
from tcray.errors import StoreBusyError, StoreError
from tcray.store.outcome import Evaluation, Outcome
from tcray.training.pack import TrainResult
from tcray.training.packed_dataset import PackedDataset


class FakeClock:
    """A clock that stands still until a test sets `now`; it replaces `time.monotonic` and `time.time`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
        """Patch the `time` of these modules."""
        self.now = 1000.0
        for module in modules:
            monkeypatch.setattr(module.time, "monotonic", lambda: self.now)
            monkeypatch.setattr(module.time, "time", lambda: self.now)


@dataclass
class FakeLease:
    """A lease that a test can lose or whose holder it can ask to stop."""

    lost: bool = False
    stop_requested: bool = False

    def check(self) -> None:
        """Raise StoreBusyError if the lease is lost."""
        if self.lost:
            raise StoreBusyError("sweep small-1 was taken over by pid 7 on there")


@dataclass(frozen=True)
class FakeTrain:
    """Stands in for `tcray.training.pack.train`: the values of a run follow from its id and its checkpoint.

    trace       file with one line of JSON per trained segment
    seconds     duration of a pack
    dies_once   file with the pid of a worker that killed itself; while it exists, no worker does so
    culprit     id of a run that kills every process that trains it
    raises      id of a run whose training raises a ValueError
    most        number of runs that fit into memory
    unwritable  the store cannot be written
    visits      file with a line of JSON, with node and card, for the beginning and the end of each pack
    hold        file; as long as it exists no pack ends
    """

    trace: str
    seconds: float = 0.0
    dies_once: str = ""
    culprit: str = ""
    raises: str = ""
    most: int = 1000
    unwritable: bool = False
    visits: str = ""
    hold: str = ""

    def __call__(
        self,
        dataset: PackedDataset,
        runs: Sequence[Run],
        *,
        start: int,
        stop: int,
        checkpoints: Sequence[bytes | None],
        device: str,
        confirm: bool,
    ) -> list[TrainResult]:
        """Return made-up results, or fail as requested."""
        lines = [json.dumps([os.getpid(), len(runs), run.run_id, start, stop]) for run in runs]
        with Path(self.trace).open("a") as trace:
            trace.write("\n".join(lines) + "\n")
        self._record_visit("begins")
        if self.seconds:
            time.sleep(self.seconds)
        while self.hold and Path(self.hold).exists():
            time.sleep(0.05)
        self._record_visit("ends")
        ids = {run.run_id for run in runs}
        if self.dies_once and not Path(self.dies_once).exists():
            Path(self.dies_once).write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)
        if self.culprit in ids:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.raises in ids:
            raise ValueError(f"{self.raises} cannot be trained")
        if len(runs) > self.most:
            raise MemoryError
        if self.unwritable:
            raise StoreError("trials/ cannot be written", "Make room.")
        pairs = zip(runs, checkpoints, strict=True)
        return [_make_result(run, state, start, stop, confirm, dataset) for run, state in pairs]

    def _record_visit(self, event: str) -> None:
        if not self.visits:
            return
        node, cards = ray.get_runtime_context().get_node_id(), ray.get_gpu_ids()
        assert ",".join(map(str, cards)) == os.environ.get("CUDA_VISIBLE_DEVICES", "")
        visit = {"event": event, "at": time.time(), "pid": os.getpid(), "node": node, "cards": cards}
        with Path(self.visits).open("a") as visits:
            visits.write(json.dumps(visit) + "\n")

    def read_trace(self) -> list[dict[str, Any]]:
        """Return every segment whose training was started, in order."""
        names = ("pid", "size", "run_id", "start", "stop")
        return [dict(zip(names, json.loads(line), strict=True)) for line in Path(self.trace).read_text().splitlines()]


def _make_result(
    run: Run, state: bytes | None, start: int, stop: int, confirm: bool, dataset: PackedDataset
) -> TrainResult:
    assert (state is None) == (start == 0)
    memory, best, best_epoch = json.loads(state) if state else (run.run_id, 2.0, 0)
    curve = []
    for epoch in range(start + 1, stop + 1):
        memory = digest([memory, epoch])
        value = int(memory[:8], 16) / 16**8
        curve.append({"epoch": epoch, "valid.loss": value})
        if value < best:
            best, best_epoch = value, epoch
    last = stop == run.epochs
    metrics = {"valid.loss": best, **({"test.mae": best + 1} if last else {})}
    ends = last and confirm
    predictions = [best] * len(dataset.splits["test"].labels)
    outcome = Outcome(
        "TRAINED",
        epoch=stop,
        value=value,
        best_epoch=best_epoch,
        metrics=metrics,
        curve=curve,
        evaluations=[Evaluation("clean", {"test.mae": best + 1}, predictions)] if ends else (),
        spectra={"energy": [1.0, best]} if ends else {},
    )
    checkpoint = json.dumps([memory, best, best_epoch]).encode()
    return TrainResult(outcome, None if last else checkpoint, checkpoint if ends else None)
