"""The work of one process: to train packs, and to keep what their runs need to go on."""

from __future__ import annotations

import socket
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

import torch

from tcray.config.run import Run
from tcray.data.dataset import MultimodalDataset
from tcray.errors import StoreError
from tcray.search.pending import Signature
from tcray.search.queue import Execution, Pack, Segment
from tcray.store.outcome import Outcome
from tcray.store.paths import SweepPaths
from tcray.store.retry import retrying
from tcray.store.store import RETRY_SECONDS
from tcray.training import pack as engine
from tcray.training.pack import TrainResult
from tcray.training.packed_dataset import PackedDataset
from tcray.tune.report import Failure, Report

WRITERS = 8
"""Blobs read or written at a time: a bucket answers slowly, but many at once."""

_NO_ROOM = ("can't allocate memory", "out of memory", "ALLOC_FAILED")
"""What torch's CPU allocator, the CUDA driver, and CUDA's libraries say in a RuntimeError of no kind of its own."""


class Train(Protocol):
    """What trains: `tcray.training.pack.train`."""

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
        """Trains epochs `start` + 1 … `stop` of runs that share a signature."""


class Blobs(Protocol):
    """Where states and weights are kept: a `SweepStore`, or what stands for one on a host that does not see it."""

    @property
    def paths(self) -> SweepPaths:
        """Where everything of the sweep lies."""

    def read_blob(self, path: str) -> bytes | None:
        """A blob's content; None where there is no such blob. Raises `StoreError` where it cannot be read."""

    def write_blob(self, path: str, content: bytes) -> None:
        """Writes or replaces a blob whole. Raises `StoreError` where it cannot be written."""


@dataclass
class Worker:
    """Trains one pack after another; a dataset is made ready when its first pack comes.

    datasets    gives a dataset by name
    relayed     whether `blobs` stands for a store that this host does not see
    """

    blobs: Blobs
    datasets: Callable[[str], MultimodalDataset]
    device: str
    train: Train = engine.train
    relayed: bool = False
    _tables: dict[str, PackedDataset] = field(default_factory=dict, init=False)
    _most: dict[Signature, int] = field(default_factory=dict, init=False)
    """How many runs of a signature memory holds, where it was seen not to hold more."""

    def work(self, pack: Pack, name: str) -> Report:
        """What came of a pack; `name` is for the record. No exception leaves, so that a dead process means a crash."""
        began = datetime.now(UTC)
        outcomes, failure, reason = self._attempt(pack)
        ended = datetime.now(UTC)
        return Report(
            Execution(socket.gethostname(), self.device, name, len(pack.segments), began, ended),
            outcomes,
            failure,
            reason,
            together=min(len(pack.segments), self._most.get(pack.signature, len(pack.segments))),
            arithmetic=_arithmetic(self.device),
            relayed=self.relayed,
        )

    def _attempt(self, pack: Pack) -> tuple[tuple[Outcome, ...], Failure | None, str]:
        try:
            return self._trained(pack), None, ""
        except StoreError as error:
            return (), "store", str(error)
        except Exception as error:  # noqa: BLE001  whatever it is, the driver decides what becomes of the pack
            traceback.print_exc()  # into the worker's log, which Ray keeps
            return (), "crash", in_words(error)

    def _trained(self, pack: Pack) -> tuple[Outcome, ...]:
        """Trains a pack, those whose state is missing from epoch 0, and keeps states and weights."""
        segments = pack.segments
        with ThreadPoolExecutor(WRITERS) as blobs:
            checkpoints = list(blobs.map(self._state, segments))
            trained: dict[int, TrainResult] = {}
            for start in sorted({_start(s, state) for s, state in zip(segments, checkpoints, strict=True)}):
                group = [i for i, s in enumerate(segments) if _start(s, checkpoints[i]) == start]
                found = self._train([segments[i] for i in group], start, [checkpoints[i] for i in group])
                trained.update(zip(group, found, strict=True))
            list(blobs.map(self._keep, segments, (trained[i] for i in range(len(segments)))))
        return tuple(_after(trained[i].outcome, pack.start) for i in range(len(segments)))

    def _train(self, segments: Sequence[Segment], start: int, checkpoints: Sequence[bytes | None]) -> list[TrainResult]:
        """Trains runs together, or as many at a time as memory holds; one that does not fit alone FAILED."""
        first = segments[0]
        most = self._most.get(first.run.signature, len(segments))
        if most < len(segments):
            parts = [slice(i, i + most) for i in range(0, len(segments), most)]
            return [trained for part in parts for trained in self._train(segments[part], start, checkpoints[part])]
        try:
            return self.train(
                self._ready(first.run.dataset),
                [segment.run for segment in segments],
                start=start,
                stop=first.stop,
                checkpoints=checkpoints,
                device=self.device,
                confirm=first.confirm,
            )
        except Exception as error:
            if not _is_memory(error):
                raise
            traceback.print_exc()
        # Out of the handler, so that what the frames of the attempt held is free by now.
        if self.device == "cuda":
            torch.cuda.empty_cache()
        if len(segments) == 1:
            return [TrainResult(Outcome("FAILED", "memory", epoch=first.start), None, None)]
        self._most[first.run.signature] = (len(segments) + 1) // 2
        return self._train(segments, start, checkpoints)

    def _ready(self, dataset: str) -> PackedDataset:
        if dataset not in self._tables:
            self._tables[dataset] = PackedDataset.from_dataset(self.datasets(dataset), self.device)
        return self._tables[dataset]

    def _state(self, segment: Segment) -> bytes | None:
        """The state at the segment's start; None if there is none, be it that it was lost."""
        if segment.start == 0:
            return None
        return self.blobs.read_blob(self.blobs.paths.state(segment.run.run_id, segment.start))

    def _keep(self, segment: Segment, trained: TrainResult) -> None:
        """Writes what the run goes on from, and what it leaves."""
        run_id = segment.run.run_id
        if trained.checkpoint is not None:
            self._write(self.blobs.paths.state(run_id, segment.stop), trained.checkpoint)
        if trained.weights is not None:
            self._write(self.blobs.paths.weights(run_id), trained.weights)

    def _write(self, path: str, content: bytes) -> None:
        retrying(lambda: self.blobs.write_blob(path, content), RETRY_SECONDS)


def _start(segment: Segment, state: bytes | None) -> int:
    """The epoch to train from: 0 to the same bits, where the state is missing."""
    return segment.start if state is not None else 0


def _after(outcome: Outcome, start: int) -> Outcome:
    """The outcome without the epochs of its curve that were recorded before."""
    return replace(outcome, curve=[point for point in outcome.curve if point["epoch"] > start])


def _is_memory(error: Exception) -> bool:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _NO_ROOM)


def _arithmetic(device: str) -> str:
    """What the bits of a result depend on; what is more, on a GPU, they are not promised."""
    torch_version = f"torch {torch.__version__}"
    return torch_version if device == "cuda" else f"{torch_version} with {torch.backends.cpu.get_cpu_capability()}"


def in_words(error: Exception) -> str:
    """The exception's name and its first line."""
    return ": ".join([type(error).__name__, *str(error).splitlines()[:1]])
