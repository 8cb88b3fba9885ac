"""Everything that is decided before a run: cells, repeats, rungs, how much there is to train, and what looks amiss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from tcray.config.messages import join_words
from tcray.config.metrics import METRICS
from tcray.config.run import ENGINE_VERSION, MODALITY_DROPOUT, Configuration, Run, digest
from tcray.config.sweep import Sweep
from tcray.data.catalog import Card, find_card, format_twin_notice
from tcray.errors import DataError, InputError
from tcray.search import seeds
from tcray.search.cells import Cell, SkippedDataset, list_cells, merge_equivalent
from tcray.search.checks import lacking, problems, warnings
from tcray.search.rungs import Rungs
from tcray.search.shapes import SHAPE_HYPERPARAMETERS, list_shape_values
from tcray.search.space import Space

MANY_SHAPES = 64
"""Above this, runs of a dataset seldom find others of their shape."""
MAX_SHAPES = 1000
"""As many as are counted."""


@dataclass(frozen=True)
class Plan:
    """A sweep on given datasets, with nothing left open but what training will tell.

    cards       of the datasets that have cells
    left_out    those that have none, with the reason
    merged      how many combinations of factor levels are no cell, since an earlier one means the same training
    """

    sweep: Sweep
    cards: Mapping[str, Card]
    cells: tuple[Cell, ...]
    skipped: tuple[SkippedDataset, ...] = ()
    merged: int = 0

    def sweep_id(self, generation: int = 1) -> str:
        """The sweep's name and a digest of question, data and engine; `generation` counts the times it began afresh."""
        data = {name: card.fingerprint for name, card in self.cards.items()}
        asked = digest([self.sweep.to_question_document(), data, ENGINE_VERSION], 12)
        return f"{self.sweep.name}-{asked}" + (f"-g{generation}" if generation > 1 else "")

    @property
    def repeats(self) -> int:
        """Independent searches of a cell."""
        return self.sweep.confirm.repeats if self.sweep.confirm else 1

    @property
    def trials(self) -> int:
        """Configurations proposed in a repeat; 0 where nothing is tuned."""
        return self.sweep.search.trials if self.sweep.search else 0

    @property
    def wave(self) -> int:
        """Trials proposed together; 0 where nothing is tuned."""
        return self.sweep.search.wave if self.sweep.search else 0

    def confirm_seeds(self, repeat: int) -> range:
        """The seed indices that a repeat confirms with; none where nothing is confirmed."""
        count = self.sweep.confirm.seeds if self.sweep.confirm else 0
        return seeds.confirm_seeds(repeat, count, searched=self.trials > 0)

    @property
    def maximize(self) -> bool:
        """Whether a larger objective is better."""
        return METRICS[self.sweep.objective.removeprefix("valid.")].maximize

    @cached_property
    def rungs(self) -> Rungs:
        """Where the runs of a repeat are compared; its confirm runs stop there too, for their state to be kept."""
        epochs = self.sweep.training.epochs
        pruner = self.sweep.search.pruner if self.sweep.search else None
        return Rungs.asha(epochs, pruner.min_epochs, pruner.reduction_factor) if pruner else Rungs(epochs)

    def search_space(self, cell: Cell) -> Space:
        """What is tuned in a cell: not the dropout rate of a modality that the cell does not use."""
        used = self.resolve(cell, {}).modalities
        tuned = self.sweep.tune.items()
        return Space({n: d for n, d in tuned if n.removeprefix(MODALITY_DROPOUT) in (n, *used)})

    def count_trials(self, cell: Cell) -> int:
        """Configurations proposed in a repeat of a cell, where its space may have fewer than asked for."""
        size = self.search_space(cell).size
        return self.trials if size is None else min(self.trials, size)

    def resolve(self, cell: Cell, tuned: Mapping[str, Any]) -> Configuration:
        """The configuration that values of the tuned hyperparameters mean in a cell."""
        values = {**self.sweep.fixed, **cell.levels, **tuned}
        return Configuration.resolve(values, tuple(self.cards[cell.dataset].modalities))

    def make_run(self, cell: Cell, configuration: Configuration, seed: int) -> Run:
        """A configuration to be trained in a cell under a seed index."""
        fingerprint = self.cards[cell.dataset].fingerprint
        sweep = self.sweep
        return Run(cell.dataset, fingerprint, configuration, sweep.training.epochs, sweep.objective, sweep.seed, seed)

    @cached_property
    def signatures(self) -> Mapping[str, frozenset[tuple[Any, ...]]]:
        """The signatures that the runs of each cell (by key) may have, of `MAX_SHAPES` combinations at most."""
        return {cell.key: frozenset(self._signatures(cell)) for cell in self.cells}

    def _signatures(self, cell: Cell) -> Iterator[tuple[Any, ...]]:
        for values in islice(list_shape_values(self.search_space(cell)), MAX_SHAPES):
            yield self.make_run(cell, self.resolve(cell, values), 0).signature

    @property
    def search_runs(self) -> int:
        """Runs of the search phase, if no search ends early."""
        return self.repeats * sum(self.count_trials(cell) for cell in self.cells)

    @property
    def confirm_runs(self) -> int:
        """Runs of the confirm phase."""
        return self.repeats * len(self.cells) * len(self.confirm_seeds(0))

    @property
    def planned_runs(self) -> int:
        """Runs of both phases."""
        return self.search_runs + self.confirm_runs

    @property
    def expected_epochs(self) -> float:
        """Epochs of all runs together, if every rung keeps one in η."""
        return self.search_runs * self.rungs.expected_epochs() + self.confirm_runs * self.rungs.epochs

    @property
    def notes(self) -> list[str]:
        """What is left out, a line each."""
        lines = [f"{left.dataset} is left out: {left.reason}" for left in self.skipped]
        if self.merged:
            lines.append(
                f"{self.merged} combinations of levels are left out: they would train what another cell trains "
                "(the dropout rate of a modality that is not used)"
            )
        return lines

    @property
    def twin_notes(self) -> list[str]:
        """The twins among the datasets, a line each."""
        root = self.sweep.data.root
        return [format_twin_notice(name, root) for name, card in self.cards.items() if card.source == "twin"]

    @property
    def warnings(self) -> list[str]:
        """What will run and may disappoint, a line each."""
        return [*warnings(self.sweep, self.rungs), *self._thin_packs()]

    def _thin_packs(self) -> Iterator[str]:
        for name in self.cards:
            shapes = {found for cell in self.cells if cell.dataset == name for found in self.signatures[cell.key]}
            if len(shapes) > MANY_SHAPES:
                count = f"{len(shapes)}" if len(shapes) < MAX_SHAPES else f"{MAX_SHAPES} or more"
                by = join_words([tuned for tuned in self.sweep.tune if tuned in SHAPE_HYPERPARAMETERS], "and")
                yield (
                    f"tune: runs on {name} have {count} shapes, by {by}, and only runs of one shape are trained "
                    "together; with few levels (choice) of what shapes them, packs are fuller and the sweep is faster"
                )


def plan(sweep: Sweep, cards: Mapping[str, Card]) -> Plan:
    """The plan of a sweep on the datasets of `cards`, which are those it names.

    Raises InputError with a line for everything that does not fit.
    """
    if wrong := problems(sweep, cards):
        raise InputError("\n".join(wrong))
    left_out = [SkippedDataset(name, why) for name, card in cards.items() if (why := lacking(sweep, card))]
    used = {name: card for name, card in cards.items() if name not in {left.dataset for left in left_out}}
    if not used:
        reasons = "; ".join(f"{left.dataset}: {left.reason}" for left in left_out)
        raise InputError(f"datasets: none is left ({reasons})", "Add a dataset that has it, or take the key out.")
    every = {name: list_cells(sweep, card) for name, card in used.items()}
    kept = tuple(cell for name, cells in every.items() for cell in merge_equivalent(cells, sweep, used[name]))
    return Plan(sweep, used, kept, tuple(left_out), sum(map(len, every.values())) - len(kept))


def find_cards(sweep: Sweep) -> dict[str, Card]:
    """The cards of a sweep's datasets, imported or twins as it allows; DataError names every one that cannot be had."""
    cards: dict[str, Card] = {}
    errors: list[DataError] = []
    for name in sweep.datasets:
        try:
            cards[name] = find_card(name, sweep.data.root, sweep.data.missing)
        except DataError as error:
            errors.append(error)
    if errors:
        remedies = dict.fromkeys(error.remedy for error in errors if error.remedy)
        raise DataError("\n".join(f"datasets: {error.message}" for error in errors), "\n".join(remedies))
    return cards
