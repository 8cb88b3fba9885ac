"""tcray's command line, with training that tells what it trains, and where.

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
"""How often a run was trained from one epoch to another: run id, from, to."""


@dataclass(frozen=True, slots=True)
class ObservedTrial:
    """That a process began to train runs from one epoch to another, or had ended that."""

    ended: bool
    host: str
    pid: int
    at: float
    runs: tuple[str, ...]
    start: int
    stop: int

    @property
    def segments(self) -> Segments:
        """What was trained."""
        return Counter((run, self.start, self.stop) for run in self.runs)


@dataclass(frozen=True)
class Traced:
    """`tcray.training.pack.train`, telling of every pack in a file that all hosts see."""

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
        """Trains, and tells before and after."""
        self._tell(False, runs, start, stop)
        trained = train(dataset, runs, start=start, stop=stop, checkpoints=checkpoints, device=device, confirm=confirm)
        self._tell(True, runs, start, stop)
        return trained

    def told(self) -> list[ObservedTrial]:
        """Everything, in order."""
        path = Path(self.path)
        lines = path.read_text().splitlines() if path.exists() else []
        return [ObservedTrial(**{**fields, "runs": tuple(fields["runs"])}) for fields in map(json.loads, lines)]

    def begun(self) -> Segments:
        """How often each segment of a run was begun."""
        return sum((told.segments for told in self.told() if not told.ended), Counter())

    def under_way(self) -> list[ObservedTrial]:
        """The packs that were begun and have not ended."""
        told = self.told()
        ended = Counter((one.host, one.pid, one.runs, one.start) for one in told if one.ended)
        begun = (one for one in told if not one.ended)
        return [one for one in begun if not ended[one.host, one.pid, one.runs, one.start]]

    def _tell(self, ended: bool, runs: Sequence[Run], start: int, stop: int) -> None:
        ids = [run.run_id for run in runs]
        fields = {"ended": ended, "host": socket.gethostname(), "pid": os.getpid(), "at": time.time()}
        with Path(self.path).open("a") as trace:  # in one write, so that hosts do not mix their lines
            trace.write(json.dumps({**fields, "runs": ids, "start": start, "stop": stop}) + "\n")


if __name__ == "__main__":
    # Workers find the class in the module of its name, and not in the one that is run.
    from tcray.cli import main
    from tests.multihost.traced import Traced as Imported

    trace = sys.argv.pop(1)
    engine.train = Imported(trace)  # type: ignore[assignment]  # it takes what workers say, and no more
    main(prog_name="tcray")
