"""An undisturbed sweep, and the comparison of disturbed sweeps with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tcray.store.store import Store
from tcray.store.verify import verify
from tests.tune.factories import export, ledger_values, make_sweep, run_without_ray

from .traced import Segments, Traced

LARGER = [
    "fixed.batch_size=16",
    "training.epochs=54",
    "search.trials=16",
    "search.wave=8",
    "search.pruner.asha.min_epochs=18",
]
"""64 search runs with rungs at epochs 18 and 36, and 8 confirm runs: packs long enough to be hit by a fault."""


@dataclass(frozen=True)
class Healthy:
    """Exported rows and trained segments of an undisturbed sweep."""

    rows: list[str]
    segments: Segments

    @classmethod
    def train(cls, folder: Path, overrides: Iterable[str] = LARGER) -> Healthy:
        """Train the sweep in this process, without Ray."""
        trace = Traced(str(folder / "trace"))
        rows = export(run_without_ray(folder / "store", make_sweep(folder, *overrides), trace))
        return cls(rows, trace.started())

    def repeated_segments(self, store: Path | str, trace: Traced) -> Segments:
        """Return the segments that a sweep started more than once; require that it equals this one bit for bit."""
        opened = Store.open(str(store))
        sweep = opened.sweep(opened.resolve("small")[0])
        assert self.rows == export(sweep)
        assert [] == verify(opened)
        values = ledger_values(sweep)
        assert len(values) == len(set(values)), "no run is recorded twice"
        started = trace.started()
        assert set(self.segments) == set(started), "a requeued run resumes from its last rung"
        return started - self.segments


def format_segments(repeated: Segments) -> str:
    """Return how much was trained again: an upper bound, as the progress of a lost pack is unknown."""
    runs, epochs = (
        repeated.total(),
        Counter({segment: (segment[2] - segment[1]) * n for segment, n in repeated.items()}),
    )
    return f"{runs} runs repeated a rung, at most {epochs.total()} epochs"
