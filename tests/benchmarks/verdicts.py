"""Error rates of whole claims, from paired values to `conclude`.

    python -m tests.benchmarks.verdicts [--sweeps 400]

Sweeps of one regression dataset are drawn with a known truth: ten seeds, 21 test groups, and noise of both. In a truth
the claim either just fails (*null*: no effect, or none of the claimed shape) or just holds (*margin*: every part as
small as the smallest effect of interest). A null may be supported in 5 % of sweeps, a margin contradicted in 5 %, over
all datasets and strata that a sweep tests (Holm). Rates have their Monte-Carlo errors. Under a minute.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from math import sqrt
from typing import Any, cast

import numpy as np

from tcray.claims.sweep_runs import ALPHA, DatasetRuns, Floats, PairedValues, SweepRuns
from tcray.claims.verdicts import ALL, ComponentTest, conclude
from tcray.config.sweep import Confirm
from tcray.results.modalities.coalition_values import NOTHING, CoalitionGame
from tcray.results.modalities.contribution_tests import measure_combination_gain, measure_share_differences
from tcray.results.modalities.leave_one_out import measure_leave_one_out
from tcray.results.prior import analysis as conditioning
from tcray.results.rank import analysis as profiles
from tests.claims.factories import BASELINES, MOSI, make_sweep

UNITS, GROUPS = 10, 21
SWEEPS = 400
CARD = replace(MOSI, modalities={"text": 4, "audio": 3, "video": 2})
MARGIN = {"test.mae": 0.02, "train.loss": 0.02, "gap": 0.02, "test.acc2": 0.01}
NOISE = (1.5, 2.0, 4.0)
"""Standard deviations in margins: of a unit in a cell, of a group in a cell, and of what both leave."""

Levels = Mapping[str, Any]
TruthOf = Callable[[str, Levels], float]
"""From a metric and a cell's levels to the expected metric, in margins."""


@dataclass(frozen=True)
class Drawn(DatasetRuns):
    """Runs of a dataset whose values are drawn on demand around a known truth."""

    truth: TruthOf = field(default=lambda metric, levels: 0.0)
    draws: dict[tuple[str, str], Floats] = field(default_factory=dict)
    rng: np.random.Generator = field(default_factory=np.random.default_rng)

    def paired_values(self, metric: str, cells: Sequence[str], *, by_group: bool = False) -> PairedValues:
        """Return values of `UNITS` units and `GROUPS` groups; train losses have no groups."""
        values = np.stack([self._draw(metric, cell) for cell in cells], axis=1)
        return PairedValues(values.mean(2), values if by_group else None, tuple(range(UNITS)), 1, 0, None, 0.1)

    def _draw(self, metric: str, cell: str) -> Floats:
        levels = self.cells[cell][0]
        if metric.startswith("check.mmd2"):
            return np.full((UNITS, GROUPS), 0.01 if levels["conditioning"] == "jwae" else 0.1)
        if (metric, cell) not in self.draws:
            of_unit, of_group, rest = NOISE
            drawn = of_unit * self.rng.standard_normal((UNITS, 1)) + rest * self.rng.standard_normal((UNITS, GROUPS))
            if metric.startswith("test."):
                drawn += of_group * self.rng.standard_normal(GROUPS)
            self.draws[metric, cell] = MARGIN[metric] * (50 + self.truth(metric, levels) + drawn)
        return self.draws[metric, cell]


@dataclass(frozen=True)
class Truth:
    """The planted truth in every stratum of one claim, and the error that its verdict can make."""

    claim: str
    name: str
    cells: Sequence[Levels]
    truth: TruthOf
    wrong: str

    def components(self, rng: np.random.Generator) -> list[ComponentTest]:
        """Return the component tests of one sweep."""
        runs = [
            {**levels, "cell": f"mosi/{place}", "dataset": "mosi", "source": "real", "seed": 0, "repeat": 0}
            for place, levels in enumerate(self.cells)
        ]
        factors = tuple(self.cells[0])
        listed = {name: tuple(dict.fromkeys(levels[name] for levels in self.cells)) for name in factors}
        dataset_runs = Drawn(
            CARD.document(), "seed", factors, runs, cast("Any", None), BASELINES["mosi"], truth=self.truth, rng=rng
        )
        sweep = make_sweep(factors=listed, claims=(self.claim,), tune={}, search=None, confirm=Confirm(seeds=UNITS))
        return list(
            _COMPONENTS[self.claim](SweepRuns({}, sweep, (dataset_runs,), 1, (), cast("Any", None)), dataset_runs)
        )


def _test_modalities(sweep_runs: SweepRuns, dataset_runs: DatasetRuns) -> Iterator[ComponentTest]:
    if sweep_runs.sweep.claims == ("weak-modality",):
        yield measure_leave_one_out(dataset_runs, {}, ALPHA)
        return
    paired = dataset_runs.paired_values("test.mae", list(dataset_runs.cells), by_group=True)
    assert paired.by_group is not None
    coalition_values = {frozenset(subset.split("+")): paired.by_group[:, place] for place, subset in enumerate(SUBSETS)}
    coalition_values[NOTHING] = np.full((UNITS, GROUPS), 60 * MARGIN["test.mae"])
    means = {subset: values.mean(1) for subset, values in coalition_values.items()}
    yield measure_share_differences(
        dataset_runs,
        {},
        CoalitionGame(dataset_runs, {}, "retrained", tuple(CARD.modalities), means, coalition_values, paired),
        ALPHA,
    )
    yield measure_combination_gain(dataset_runs, {}, ALPHA)


_COMPONENTS: Mapping[str, Callable[[SweepRuns, DatasetRuns], Iterator[ComponentTest]]] = {
    "conditioning": lambda sweep_runs, dataset_runs: conditioning._components(dataset_runs, sweep_runs),
    "rank-generalisation": profiles._test_rank_claim,
    "audio-dropout": profiles._test_dropout_claim,
    "weak-modality": _test_modalities,
    "modal-asymmetry": _test_modalities,
}

MODALITIES = tuple(CARD.modalities)
SUBSETS = tuple("+".join(chosen) for size in (1, 2, 3) for chosen in combinations(MODALITIES, size))
RANKS = (1, 2, 3, 4, 6, 8, 12, 16)
RATES = tuple(tenths / 10 for tenths in range(10))


def _cells(strata: int = 1, **factors: Sequence[Any]) -> list[dict[str, Any]]:
    """Return every combination of levels, in each of `strata` strata."""
    cells: list[dict[str, Any]] = [{"latent_dim": stratum} for stratum in range(strata)]
    for name, levels in factors.items():
        cells = [{**cell, name: level} for cell in cells for level in levels]
    return cells


def _conditioned(low: float, medium: float, high: float) -> TruthOf:
    """Return the effect of jWAE by rank band."""
    effect = {1: low, 2: low, 3: medium, 4: medium, 6: medium, 8: high, 12: high, 16: high}
    return lambda _, levels: effect[levels["rank"]] if levels["conditioning"] == "jwae" else 0.0


def _over_rank(heights: Sequence[float], *, train: float, gap: float) -> TruthOf:
    """Return the drop in MAE by rank, and the change in train loss and gap from the lowest rank to the highest."""
    change = {"train.loss": train, "gap": gap}

    def truth(metric: str, levels: Levels) -> float:
        place = RANKS.index(levels["rank"])
        return -heights[place] if metric == "test.mae" else change[metric] * place / (len(RANKS) - 1)

    return truth


def _over_rate(heights: Sequence[float]) -> TruthOf:
    """Return the rise in MAE by rate."""
    return lambda _, levels: heights[RATES.index(levels["modality_dropout.audio"])]


def _fused(*maes: float) -> TruthOf:
    """Return the MAE of the fusion of every subset, in the order of `SUBSETS`."""
    by_subset = dict(zip(SUBSETS, maes, strict=True))
    return lambda _, levels: by_subset[levels["modalities"]]


BOTH_ARMS: dict[str, Any] = {"rank": RANKS, "conditioning": ("none", "jwae")}
AT_RATES: dict[str, Any] = {"modality_dropout.audio": RATES}
OF_SUBSETS: dict[str, Any] = {"modalities": SUBSETS}
FLAT = (0.0,) * len(RANKS)
PEAK = (0.0, 0.5, 1.0, 0.8, 0.6, 0.4, 0.2, 0.0)
HUMP = (0.0, 0.25, 0.5, 0.75, 1.0, 0.8, 0.6, 0.4, 0.2, 0.0)
SUPPORTED, CONTRADICTED = "supported", "contradicted"

TRUTHS = (
    Truth("conditioning", "null: no effect", _cells(**BOTH_ARMS), _conditioned(0, 0, 0), SUPPORTED),
    Truth("conditioning", "null in one band", _cells(**BOTH_ARMS), _conditioned(20, 20, 0), SUPPORTED),
    Truth("conditioning", "null in one band, 3 strata", _cells(3, **BOTH_ARMS), _conditioned(20, 20, 0), SUPPORTED),
    Truth("conditioning", "margin in all bands", _cells(**BOTH_ARMS), _conditioned(1, 1, 1), CONTRADICTED),
    Truth("conditioning", "margin, 3 strata", _cells(3, **BOTH_ARMS), _conditioned(1, 1, 1), CONTRADICTED),
    Truth("rank-generalisation", "null: flat", _cells(rank=RANKS), _over_rank(FLAT, train=-20, gap=20), SUPPORTED),
    Truth(
        "rank-generalisation",
        "null: best from rank 3 on",
        _cells(rank=RANKS),
        _over_rank((0, 10, *(20,) * 6), train=-20, gap=20),
        SUPPORTED,
    ),
    Truth(
        "rank-generalisation",
        "null: best at rank 6",
        _cells(rank=RANKS),
        _over_rank((0, 5, 10, 15, 20, 15, 10, 0), train=-20, gap=20),
        SUPPORTED,
    ),
    Truth(
        "rank-generalisation",
        "null: the gap stays",
        _cells(rank=RANKS),
        _over_rank(tuple(20 * x for x in PEAK), train=-20, gap=0),
        SUPPORTED,
    ),
    Truth("rank-generalisation", "margin", _cells(rank=RANKS), _over_rank(PEAK, train=-1, gap=1), CONTRADICTED),
    Truth(
        "rank-generalisation",
        "margin, 3 strata",
        _cells(3, rank=RANKS),
        _over_rank(PEAK, train=-1, gap=1),
        CONTRADICTED,
    ),
    Truth("audio-dropout", "null: flat", _cells(**AT_RATES), _over_rate((0.0,) * 10), SUPPORTED),
    Truth(
        "audio-dropout", "null: worst from .4 on", _cells(**AT_RATES), _over_rate((0, 5, 10, 15, *(20,) * 6)), SUPPORTED
    ),
    Truth(
        "audio-dropout",
        "null: worst at .6",
        _cells(**AT_RATES),
        _over_rate((0, 4, 8, 12, 16, 18, 20, 10, 5, 0)),
        SUPPORTED,
    ),
    Truth("audio-dropout", "margin", _cells(**AT_RATES), _over_rate(HUMP), CONTRADICTED),
    Truth("audio-dropout", "margin, 3 strata", _cells(3, **AT_RATES), _over_rate(HUMP), CONTRADICTED),
    Truth("weak-modality", "null of each", _cells(**OF_SUBSETS), _fused(*(0,) * 7), SUPPORTED),
    Truth("weak-modality", "null of one", _cells(**OF_SUBSETS), _fused(20, 20, 20, 20, 0, 20, 0), SUPPORTED),
    Truth("weak-modality", "margin of one", _cells(**OF_SUBSETS), _fused(20, 20, 20, 20, -1, 20, 0), CONTRADICTED),
    Truth("weak-modality", "margin of each", _cells(**OF_SUBSETS), _fused(20, 20, 20, -1, -1, -1, 0), CONTRADICTED),
    Truth(
        "modal-asymmetry", "null: equal shares", _cells(**OF_SUBSETS), _fused(0, 0, 0, -20, -20, -20, -40), SUPPORTED
    ),
    Truth(
        "modal-asymmetry",
        "null: no fusion is better",
        _cells(**OF_SUBSETS),
        _fused(-20, 0, 20, -20, -20, 0, -20),
        SUPPORTED,
    ),
    Truth(
        "modal-asymmetry", "margin of shares", _cells(**OF_SUBSETS), _fused(0, 0, 1, -20, -19, -19, -39), CONTRADICTED
    ),
    Truth(
        "modal-asymmetry", "margin of fusions", _cells(**OF_SUBSETS), _fused(-20, 0, 0, -21, -21, 0, -21), CONTRADICTED
    ),
    Truth("modal-asymmetry", "margin of both", _cells(**OF_SUBSETS), _fused(0, 1, 1, -1, -1, 0, -1), CONTRADICTED),
)


def count_verdicts(truth: Truth, sweeps: int) -> Counter[str]:
    """Return how many sweeps gave each verdict on the whole claim in some stratum."""
    counted: Counter[str] = Counter()
    for seed in range(sweeps):
        findings = conclude(truth.components(np.random.default_rng(seed)), alpha=ALPHA, beats_linear={})
        counted.update({f.verdict for f in findings if f.measured.component == ALL})
    return counted


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sweeps", type=int, default=SWEEPS)
    sweeps = parser.parse_args().sweeps
    print(f"{'claim':20} {'truth':28} {'wrong is':13} {'rate':>15}  supported  contradicted")
    for truth in TRUTHS:
        verdicts = count_verdicts(truth, sweeps)
        rate, supported, contradicted = (verdicts[name] / sweeps for name in (truth.wrong, SUPPORTED, CONTRADICTED))
        error = sqrt(rate * (1 - rate) / sweeps)
        rounded = f"{rate:.3f} ± {error:.3f}"
        print(
            f"{truth.claim:20} {truth.name:28} {truth.wrong:13} {rounded:>15}  {supported:9.3f}  {contradicted:12.3f}"
        )


if __name__ == "__main__":
    main()
