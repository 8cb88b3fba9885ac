"""Worker process: trains packs, and keeps checkpoints and weights of their runs in the store."""

from __future__ import annotations

import socket
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal, Protocol

import torch

from tcray.config.run import Run
from tcray.data.dataset import MultimodalDataset
from tcray.errors import StoreError
from tcray.search.pending import Signature
from tcray.search.queue import Execution, Pack, Segment
from tcray.store.outcome import Outcome
from tcray.store.paths import SweepPaths
from tcray.store.retry import retry
from tcray.store.store import RETRY_SECONDS
from tcray.training import pack as engine
from tcray.training.pack import TrainResult
from tcray.training.packed_dataset import PackedDataset

IO_THREADS = 8
"""Blobs read or written at a time, because object storage is slow per request but serves many at once."""

_OUT_OF_MEMORY = ("can't allocate memory", "out of memory", "ALLOC_FAILED")
"""Texts by which torch's CPU allocator, the CUDA driver, and CUDA's libraries report it in a plain RuntimeError."""


class Train(Protocol):
    """Training function of a pack, such as `tcray.training.pack.train`."""

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
        """Train epochs `start` + 1 … `stop` of runs that share a signature; return one result per run."""


class Blobs(Protocol):
    """Storage of checkpoints and weights: a `SweepStore`, or a relay to it on a host that does not see the store."""

    @property
    def paths(self) -> SweepPaths:
        """Return the paths of the sweep's files."""

    def read_blob(self, path: str) -> bytes | None:
        """Read a blob; None if it does not exist. Raises `StoreError` if it cannot be read."""

    def write_blob(self, path: str, content: bytes) -> None:
        """Write or replace a blob atomically. Raises `StoreError` if it cannot be written."""


@dataclass(frozen=True, slots=True)
class Report:
    """Result of a pack: one outcome for each of its runs, in order; or a failure and its reason.

    failure        crash: training raised an exception; store: the store could not be read or written; start: the worker
                   could not start, which does not depend on the pack
    runs_at_once   most runs that were trained together: fewer than the pack has if memory does not hold them all
    arithmetic     determines, besides the runs, the bits of a result, such as `torch 2.13.0 with AVX512`
    relayed        True if checkpoints and weights passed through the driver's host because the worker does not see the
                   store
    """

    execution: Execution
    outcomes: tuple[Outcome, ...] = ()
    failure: Literal["crash", "store", "start"] | None = None
    reason: str = ""
    runs_at_once: int = 0
    arithmetic: str = ""
    relayed: bool = False

    @property
    def seconds(self) -> float:
        """Return the wall time of the pack."""
        return (self.execution.ended_at - self.execution.started_at).total_seconds()


@dataclass
class Worker:
    """Trains one pack after another; a dataset is loaded for the first pack that needs it.

    datasets    returns a dataset by name
    relayed     True if `blobs` is a relay to a store that this host does not see
    """

    blobs: Blobs
    datasets: Callable[[str], MultimodalDataset]
    device: str
    train: Train = engine.train
    relayed: bool = False
    _packed_datasets: dict[str, PackedDataset] = field(default_factory=dict, init=False)
    _memory_limits: dict[Signature, int] = field(default_factory=dict, init=False)
    """Number of runs that fit into memory, for signatures that were found to be limited."""

    def train_pack(self, pack: Pack, name: str) -> Report:
        """Train a pack and return its report; `name` identifies the pack in the store.

        No exception is raised, so a dead process always means a crash.
        """
        started_at = datetime.now(UTC)
        outcomes, failure, reason = self._try(pack)
        ended_at = datetime.now(UTC)
        return Report(
            Execution(socket.gethostname(), self.device, name, len(pack.segments), started_at, ended_at),
            outcomes,
            failure,
            reason,
            runs_at_once=min(len(pack.segments), self._memory_limits.get(pack.signature, len(pack.segments))),
            arithmetic=_describe_arithmetic(self.device),
            relayed=self.relayed,
        )

    def _try(self, pack: Pack) -> tuple[tuple[Outcome, ...], Literal["crash", "store"] | None, str]:
        """Return the outcomes of a pack, or a failure and its reason."""
        try:
            return self._train_pack(pack), None, ""
        except StoreError as error:
            return (), "store", str(error)
        except Exception as error:  # noqa: BLE001  the driver decides how to proceed, for any exception
            traceback.print_exc()  # into the worker's log, which Ray keeps
            return (), "crash", summarize_error(error)

    def _train_pack(self, pack: Pack) -> tuple[Outcome, ...]:
        """Load checkpoints, train, and save checkpoints and weights; runs without a checkpoint start at epoch 0."""
        segments = pack.segments
        with ThreadPoolExecutor(IO_THREADS) as threads:
            checkpoints = list(threads.map(self._load_checkpoint, segments))
            starts = [s.start if content is not None else 0 for s, content in zip(segments, checkpoints, strict=True)]
            results: dict[int, TrainResult] = {}
            for start in sorted(set(starts)):
                group = [i for i in range(len(segments)) if starts[i] == start]
                trained = self._train([segments[i] for i in group], start, [checkpoints[i] for i in group])
                results.update(zip(group, trained, strict=True))
            list(threads.map(self._save, segments, (results[i] for i in range(len(segments)))))
        return tuple(_drop_recorded_epochs(results[i].outcome, pack.start) for i in range(len(segments)))

    def _train(self, segments: Sequence[Segment], start: int, checkpoints: Sequence[bytes | None]) -> list[TrainResult]:
        """Train runs together, or in halves as long as memory is short; a run that does not fit alone is FAILED."""
        first = segments[0]
        limit = self._memory_limits.get(first.run.signature, len(segments))
        if limit < len(segments):
            parts = [slice(i, i + limit) for i in range(0, len(segments), limit)]
            return [result for part in parts for result in self._train(segments[part], start, checkpoints[part])]
        try:
            return self.train(
                self._load_dataset(first.run.dataset),
                [segment.run for segment in segments],
                start=start,
                stop=first.stop,
                checkpoints=checkpoints,
                device=self.device,
                confirm=first.confirm,
            )
        except Exception as error:
            if not _is_out_of_memory(error):
                raise
            traceback.print_exc()
        # Retry outside the handler, where the frames of the failed attempt no longer hold memory.
        if self.device == "cuda":
            torch.cuda.empty_cache()
        if len(segments) == 1:
            return [TrainResult(Outcome("FAILED", "memory", epoch=first.start), None, None)]
        self._memory_limits[first.run.signature] = (len(segments) + 1) // 2
        return self._train(segments, start, checkpoints)

    def _load_dataset(self, name: str) -> PackedDataset:
        if name not in self._packed_datasets:
            self._packed_datasets[name] = PackedDataset.from_dataset(self.datasets(name), self.device)
        return self._packed_datasets[name]

    def _load_checkpoint(self, segment: Segment) -> bytes | None:
        """Load the checkpoint to resume from; None if it is missing (the run then restarts from epoch 0)."""
        if segment.start == 0:
            return None
        return self.blobs.read_blob(self.blobs.paths.checkpoint(segment.run.run_id, segment.start))

    def _save(self, segment: Segment, result: TrainResult) -> None:
        """Write the checkpoint for the next segment, and the weights of a run that has ended."""
        run_id = segment.run.run_id
        if result.checkpoint is not None:
            self._write(self.blobs.paths.checkpoint(run_id, segment.stop), result.checkpoint)
        if result.weights is not None:
            self._write(self.blobs.paths.weights(run_id), result.weights)

    def _write(self, path: str, content: bytes) -> None:
        retry(lambda: self.blobs.write_blob(path, content), RETRY_SECONDS)


def _drop_recorded_epochs(outcome: Outcome, start: int) -> Outcome:
    """Return the outcome without the epochs up to `start`, which are in the store if a run restarted from epoch 0."""
    return replace(outcome, curve=[point for point in outcome.curve if point["epoch"] > start])


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _OUT_OF_MEMORY)


def _describe_arithmetic(device: str) -> str:
    """Return the software and hardware that determine the bits of a result; on a GPU they may vary even so."""
    torch_version = f"torch {torch.__version__}"
    return torch_version if device == "cuda" else f"{torch_version} with {torch.backends.cpu.get_cpu_capability()}"


def summarize_error(error: Exception) -> str:
    """Return the exception's name and the first line of its message."""
    return ": ".join([type(error).__name__, *str(error).splitlines()[:1]])
