"""The sweep of these tests as one healthy host runs it, and what another that went through something may differ in."""

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
"""64 search runs with rungs at epochs 18 and 36, and 8 confirm runs: packs that last long enough to be hit."""


@dataclass(frozen=True)
class Healthy:
    """What an undisturbed sweep exports, and which segments of runs it trains."""

    rows: list[str]
    segments: Segments

    @classmethod
    def swept(cls, folder: Path, overrides: Iterable[str] = LARGER) -> Healthy:
        """Trains it by hand: a loop in this process, without Ray."""
        trace = Traced(str(folder / "trace"))
        rows = export(run_without_ray(folder / "store", make_sweep(folder, *overrides), trace))
        return cls(rows, trace.begun())

    def begun_again(self, store: Path | str, trace: Traced) -> Segments:
        """Which segments a sweep began once more than needed; in all else it is found to be this one, bit for bit."""
        opened = Store.open(str(store))
        sweep = opened.sweep(opened.resolve("small")[0])
        assert self.rows == export(sweep)
        assert [] == verify(opened)
        values = ledger_values(sweep)
        assert len(values) == len(set(values)), "what is recorded is never recorded again"
        begun = trace.begun()
        assert set(self.segments) == set(begun), "a run that waits again goes on from its last rung"
        return begun - self.segments


def in_words(again: Segments) -> str:
    """How much was begun again: an upper bound, since nobody knows how far a lost pack had come."""
    runs, epochs = again.total(), Counter({segment: (segment[2] - segment[1]) * n for segment, n in again.items()})
    return f"{runs} runs began a rung again, {epochs.total()} epochs at most"
