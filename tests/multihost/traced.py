"""tcray's command line, with training that records what is trained on which host.

python -m tests.multihost.traced TRACE sweep FILE …
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tcray.config.run import Run
from tcray.training import pack as engine
from tcray.training.pack import TrainResult, train
from tcray.training.packed_dataset import PackedDataset

Segments = Counter[tuple[str, int, int]]
"""Number of times that each run was trained from one epoch to another: run id, start, stop."""


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """Record of a process that started, or ended, training runs from one epoch to another."""

    ended: bool
    host: str
    pid: int
    at: float
    runs: tuple[str, ...]
    start: int
    stop: int

    @property
    def segments(self) -> Segments:
        """Return the segments that were trained."""
        return Counter((run, self.start, self.stop) for run in self.runs)


@dataclass(frozen=True)
class Traced:
    """`tcray.training.pack.train` that records every pack in a file that all hosts see."""

    path: str

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
        """Train, with a record before and after."""
        self._record(False, runs, start, stop)
        trained = train(dataset, runs, start=start, stop=stop, checkpoints=checkpoints, device=device, confirm=confirm)
        self._record(True, runs, start, stop)
        return trained

    def records(self) -> list[TraceRecord]:
        """Return all records in order."""
        path = Path(self.path)
        lines = path.read_text().splitlines() if path.exists() else []
        return [TraceRecord(**{**fields, "runs": tuple(fields["runs"])}) for fields in map(json.loads, lines)]

    def started(self) -> Segments:
        """Return how often each segment of a run was started."""
        return sum((record.segments for record in self.records() if not record.ended), Counter())

    def in_flight(self) -> list[TraceRecord]:
        """Return the packs that were started and have not ended."""
        records = self.records()
        ended = Counter((one.host, one.pid, one.runs, one.start) for one in records if one.ended)
        started = (one for one in records if not one.ended)
        return [one for one in started if not ended[one.host, one.pid, one.runs, one.start]]

    def _record(self, ended: bool, runs: Sequence[Run], start: int, stop: int) -> None:
        ids = [run.run_id for run in runs]
        fields = {"ended": ended, "host": socket.gethostname(), "pid": os.getpid(), "at": time.time()}
        with Path(self.path).open("a") as trace:  # one write per line, so that lines of hosts are not interleaved
            trace.write(json.dumps({**fields, "runs": ids, "start": start, "stop": stop}) + "\n")


if __name__ == "__main__":
    # Workers unpickle the class from its module, not from __main__.
    from tcray.cli import main
    from tests.multihost.traced import Traced as Imported

    trace = sys.argv.pop(1)
    engine.train = Imported(trace)  # type: ignore[assignment]  # it takes the arguments that workers pass
    main(prog_name="tcray")
