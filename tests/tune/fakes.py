"""A trainer that knows its answers at once, and misbehaves where it is told to."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray

from tcray.config.run import Run, digest
from tcray.errors import StoreError
from tcray.store.outcome import Evaluation, Outcome
from tcray.training.pack import TrainResult
from tcray.training.packed_dataset import PackedDataset


@dataclass(frozen=True)
class FakeTrain:
    """Stands in for `tcray.training.pack.train`: a run's values follow from its id and its state, epoch by epoch.

    trace       file to which every segment trained is added, a line of JSON each
    seconds     how long a pack takes
    dies_once   file that a worker makes, with its pid, before it kills itself; where it is, no worker does
    culprit     id of a run that kills every process that trains it
    raises      id of a run whose training raises a ValueError
    most        more runs than these do not fit into memory
    unwritable  the store cannot be written
    visits      file to which every pack adds where it is, when it begins and when it ends, a line of JSON each
    hold        file; as long as it is there no pack ends
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
        """Trains nothing."""
        told = [json.dumps([os.getpid(), len(runs), run.run_id, start, stop]) for run in runs]
        with Path(self.trace).open("a") as trace:
            trace.write("\n".join(told) + "\n")
        self._visit("begins")
        if self.seconds:
            time.sleep(self.seconds)
        while self.hold and Path(self.hold).exists():
            time.sleep(0.05)
        self._visit("ends")
        ids = {run.run_id for run in runs}
        if self.dies_once and not Path(self.dies_once).exists():
            Path(self.dies_once).write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)
        if self.culprit in ids:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.raises in ids:
            raise ValueError(f"{self.raises} is not for me")
        if len(runs) > self.most:
            raise MemoryError
        if self.unwritable:
            raise StoreError("trials/ cannot be written", "Make room.")
        pairs = zip(runs, checkpoints, strict=True)
        return [_trained(run, state, start, stop, confirm, dataset) for run, state in pairs]

    def _visit(self, what: str) -> None:
        if not self.visits:
            return
        node, cards = ray.get_runtime_context().get_node_id(), ray.get_gpu_ids()
        assert ",".join(map(str, cards)) == os.environ.get("CUDA_VISIBLE_DEVICES", "")
        told = {"what": what, "at": time.time(), "pid": os.getpid(), "node": node, "cards": cards}
        with Path(self.visits).open("a") as visits:
            visits.write(json.dumps(told) + "\n")

    def trained(self) -> list[dict[str, Any]]:
        """Every segment of a run that was set out to be trained, in order."""
        names = ("pid", "size", "run_id", "start", "stop")
        return [dict(zip(names, json.loads(told), strict=True)) for told in Path(self.trace).read_text().splitlines()]


def _trained(
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
    left = json.dumps([memory, best, best_epoch]).encode()
    return TrainResult(outcome, None if last else left, left if ends else None)
