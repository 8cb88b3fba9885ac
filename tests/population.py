"""Population curves: the expected result of a sweep of each known twin, measured once and committed.

The curve is the mean test metric at each level over many seeds, on a test split so large that the twin's own is a
sample of it. Train and validation examples are the sweep's own: they are part of the question, as in any benchmark.

    python -m tests.population twin-overfit      writes tests/known/twin-overfit.json, reproducibly
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcray.config.load import load_sweep
from tcray.config.run import ENGINE_VERSION, Run
from tcray.config.sweep import Sweep
from tcray.data.catalog import TWIN_ONLY, make_twin_card
from tcray.data.dataset import to_dataset
from tcray.data.recipe import HoldoutSplit, Recipe, read_recipe
from tcray.data.twins import generate_twin
from tcray.search.plan import Plan, plan
from tcray.training.pack import train
from tcray.training.packed_dataset import PackedDataset

FOLDER = Path(__file__).parent / "known"
SEEDS = 240
TEST_EXAMPLES = 20_000
PACK = 64

Values = NDArray[np.float64]
"""(U, L): the metric of each unit at each level."""
Unit = tuple[int, int]
"""A sweep seed and a seed index."""


@dataclass(frozen=True, slots=True)
class PopulationCurve:
    """The committed truth about one twin at one configuration.

    levels               of `factor`; subsets of modalities joined by "+"
    mean                 of `metric` at each level, over seeds 0 … `seeds` - 1 of sweep seed 0
    standard_error       of each mean; it reflects the draw of seeds, because the test split is practically infinite
    reference            the level that the others are compared with: the best rank, or all modalities
    difference           each level's mean minus that of `reference`, with its standard error, paired by seed
    level_sd             between seeds at each level, after subtracting each seed's mean over levels
    residual_sd          the same over all levels: the "SD" in which rises and drops are expressed
    """

    dataset: str
    fingerprint: str
    engine: str
    command: str
    configuration: Mapping[str, Any]
    epochs: int
    seeds: int
    test_examples: int
    metric: str
    factor: str
    levels: tuple[int | str, ...]
    mean: tuple[float, ...]
    standard_error: tuple[float, ...]
    reference: int | str
    difference: tuple[float, ...]
    difference_standard_error: tuple[float, ...]
    level_sd: tuple[float, ...]
    residual_sd: float

    @classmethod
    def read(cls, name: str) -> PopulationCurve:
        """Read the committed curve of the twin `name`."""
        document = json.loads(curve_path(name).read_text(encoding="utf-8"))
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in document.items()}
        return cls(**fields)

    @classmethod
    def measure(cls, name: str, seeds: int = SEEDS, test_examples: int = TEST_EXAMPLES) -> PopulationCurve:
        """Measure the curve of the twin `name`."""
        asked = load_known_sweep(name)
        recipe = read_recipe(name)
        values = train_units(asked, [(0, seed) for seed in range(seeds)], enlarge_test_split(recipe, test_examples))
        means, levels = values.mean(axis=0), level_names(asked)
        best = int(np.argmin(means)) if levels_are_ordered(asked) else len(levels) - 1
        from_reference = values - values[:, [best]]
        residual = residuals(values)
        each = np.sqrt((residual**2).sum(axis=0) / (seeds - 1) * len(levels) / (len(levels) - 1))
        return cls(
            dataset=name,
            fingerprint=recipe.fingerprint,
            engine=ENGINE_VERSION,
            command=f"python -m tests.population {name}",
            configuration=dict(asked.fixed),
            epochs=asked.training.epochs,
            seeds=seeds,
            test_examples=test_examples,
            metric=metric_of(recipe),
            factor=next(iter(asked.factors)),
            levels=levels,
            mean=_rounded(means),
            standard_error=_rounded(_standard_error(values)),
            reference=levels[best],
            difference=_rounded(from_reference.mean(axis=0)),
            difference_standard_error=_rounded(_standard_error(from_reference)),
            level_sd=_rounded(each),
            residual_sd=_rounded([residual_sd(values)])[0],
        )


def load_known_sweep(name: str) -> Sweep:
    """Load the sweep of the twin `name`, whose truth is known."""
    return load_sweep(FOLDER / f"{name}.yaml")


def curve_path(name: str) -> Path:
    """Return the path of the committed curve of the twin `name`."""
    return FOLDER / f"{name}.json"


def enlarge_test_split(recipe: Recipe, test_examples: int) -> Recipe:
    """Return the recipe with more test examples; its train and validation examples are unchanged, bit for bit."""
    assert isinstance(recipe.split, HoldoutSplit)
    assert not recipe.group
    sizes = (*recipe.split.examples[:2], test_examples)
    return replace(recipe, split=HoldoutSplit(sizes, sizes))


def train_units(asked: Sweep, units: Sequence[Unit], recipe: Recipe) -> Values:
    """Train each unit at each level on the twin of `recipe`; return the test metrics (U, L)."""
    planned = plan(asked, {recipe.name: make_twin_card(recipe)})
    runs = list(_runs(planned, units))
    packed = pack_twin(recipe)
    metrics: list[float] = []
    for begin in range(0, len(runs), PACK):
        pack = runs[begin : begin + PACK]
        trained = train(packed, pack, start=0, stop=asked.training.epochs, checkpoints=[None] * len(pack))
        metrics += [one.outcome.metrics[metric_of(recipe)] for one in trained]
    return np.array(metrics).reshape(len(units), len(planned.cells))


def pack_twin(recipe: Recipe) -> PackedDataset:
    """Return the twin of a recipe, prepared for packs."""
    examples = generate_twin(recipe).examples
    return PackedDataset.from_dataset(to_dataset(examples.card("twin", recipe.fingerprint), examples))


def residuals(values: Values) -> Values:
    """Return values (U, L) minus the means of their unit and their level."""
    without_unit = values - values.mean(axis=1, keepdims=True)
    centred: Values = without_unit - without_unit.mean(axis=0)
    return centred


def residual_sd(values: Values) -> float:
    """Return the standard deviation of one unit at one level, unbiased for both subtracted means."""
    units, levels = values.shape
    return float(np.sqrt((residuals(values) ** 2).sum() / ((units - 1) * (levels - 1))))


def metric_of(recipe: Recipe) -> str:
    """Return the metric that verdicts are based on, on the test split."""
    return f"test.{recipe.primary_metric}"


def level_names(asked: Sweep) -> tuple[int | str, ...]:
    """Return the levels of the sweep's only factor, in the order of its cells."""
    (dataset,) = asked.datasets
    cells = plan(asked, {dataset: make_twin_card(read_recipe(dataset))}).cells
    levels = [next(iter(cell.levels.values())) for cell in cells]
    return tuple("+".join(level) if isinstance(level, tuple) else level for level in levels)


def levels_are_ordered(asked: Sweep) -> bool:
    """True if the only factor is a number, False if it is a subset of modalities."""
    return "modalities" not in asked.factors


def _runs(planned: Plan, units: Sequence[Unit]) -> Iterator[Run]:
    for sweep_seed, seed in units:
        for cell in planned.cells:
            yield replace(planned.make_run(cell, planned.resolve(cell, {}), seed), sweep_seed=sweep_seed)


def _standard_error(values: Values) -> Values:
    error: Values = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    return error


def _rounded(values: Values | Sequence[float]) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)


def main(names: Sequence[str]) -> None:
    """Measure and write the curves of the named twins, or of all."""
    for name in names or TWIN_ONLY:
        document = json.dumps(asdict(PopulationCurve.measure(name)), indent=1)
        curve_path(name).write_text(document + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
