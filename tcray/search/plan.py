"""The plan of a sweep: cells, repeats, rungs, the number of runs, and warnings; computed before any run."""

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
from tcray.search.checks import find_errors, find_missing_modality, find_warnings
from tcray.search.rungs import Rungs
from tcray.search.shapes import SHAPE_HYPERPARAMETERS, list_shape_values
from tcray.search.space import Space

MANY_SHAPES = 64
"""With more shapes than this, runs of a dataset seldom find others of their shape."""
MAX_SHAPES = 1000
"""Combinations for which shapes are counted."""


@dataclass(frozen=True)
class Plan:
    """A sweep on given datasets: everything about its runs except their results.

    cards          of the datasets that have cells
    skipped        the datasets that have none, with the reasons
    merged_cells   combinations of factor levels without a cell, because an earlier cell is the same training
    """

    sweep: Sweep
    cards: Mapping[str, Card]
    cells: tuple[Cell, ...]
    skipped: tuple[SkippedDataset, ...] = ()
    merged_cells: int = 0

    def sweep_id(self, generation: int = 1) -> str:
        """Return the sweep's name and a digest of question, data and engine; `generation` counts fresh starts."""
        data = {name: card.fingerprint for name, card in self.cards.items()}
        identity = digest([self.sweep.to_question_document(), data, ENGINE_VERSION], 12)
        return f"{self.sweep.name}-{identity}" + (f"-g{generation}" if generation > 1 else "")

    @property
    def repeats(self) -> int:
        """The number of independent searches of a cell."""
        return self.sweep.confirm.repeats if self.sweep.confirm else 1

    @property
    def trials(self) -> int:
        """The number of configurations proposed in a repeat; 0 if nothing is tuned."""
        return self.sweep.search.trials if self.sweep.search else 0

    @property
    def wave(self) -> int:
        """The number of trials proposed together; 0 if nothing is tuned."""
        return self.sweep.search.wave if self.sweep.search else 0

    def confirm_seeds(self, repeat: int) -> range:
        """Return the seed indices that a repeat confirms with; empty if nothing is confirmed."""
        count = self.sweep.confirm.seeds if self.sweep.confirm else 0
        return seeds.confirm_seeds(repeat, count, searched=self.trials > 0)

    @property
    def maximize(self) -> bool:
        """True if a larger objective is better."""
        return METRICS[self.sweep.objective.removeprefix("valid.")].maximize

    @cached_property
    def rungs(self) -> Rungs:
        """The rungs of a repeat; its confirm runs stop there as well, to have their checkpoints written."""
        epochs = self.sweep.training.epochs
        pruner = self.sweep.search.pruner if self.sweep.search else None
        return Rungs.asha(epochs, pruner.min_epochs, pruner.reduction_factor) if pruner else Rungs(epochs)

    @property
    def modality_hyperparameters(self) -> tuple[str, ...]:
        """The hyperparameters of all modalities: names of columns that every run of the sweep has in the store."""
        return tuple(sorted({MODALITY_DROPOUT + m for card in self.cards.values() for m in card.modalities}))

    def search_space(self, cell: Cell) -> Space:
        """Return the domains tuned in a cell, without the dropout rate of a modality that the cell does not use."""
        used = self.resolve(cell, {}).modalities
        tuned = self.sweep.tune.items()
        return Space({n: d for n, d in tuned if n.removeprefix(MODALITY_DROPOUT) in (n, *used)})

    def count_trials(self, cell: Cell) -> int:
        """Return the number of configurations proposed in a repeat of a cell, whose space may have fewer than asked."""
        size = self.search_space(cell).size
        return self.trials if size is None else min(self.trials, size)

    def resolve(self, cell: Cell, tuned: Mapping[str, Any]) -> Configuration:
        """Return the configuration of a cell with these values of the tuned hyperparameters."""
        values = {**self.sweep.fixed, **cell.levels, **tuned}
        return Configuration.resolve(values, tuple(self.cards[cell.dataset].modalities))

    def make_run(self, cell: Cell, configuration: Configuration, seed: int) -> Run:
        """Return the run of a configuration in a cell under a seed index."""
        fingerprint = self.cards[cell.dataset].fingerprint
        sweep = self.sweep
        return Run(cell.dataset, fingerprint, configuration, sweep.training.epochs, sweep.objective, sweep.seed, seed)

    @cached_property
    def signatures(self) -> Mapping[str, frozenset[tuple[Any, ...]]]:
        """The possible signatures of the runs of each cell (by key), of `MAX_SHAPES` combinations at most."""
        return {cell.key: frozenset(self._list_signatures(cell)) for cell in self.cells}

    def _list_signatures(self, cell: Cell) -> Iterator[tuple[Any, ...]]:
        for values in islice(list_shape_values(self.search_space(cell)), MAX_SHAPES):
            yield self.make_run(cell, self.resolve(cell, values), 0).signature

    @property
    def search_runs(self) -> int:
        """The number of runs of the search phase, if no search ends early."""
        return self.repeats * sum(self.count_trials(cell) for cell in self.cells)

    @property
    def confirm_runs(self) -> int:
        """The number of runs of the confirm phase."""
        return self.repeats * len(self.cells) * len(self.confirm_seeds(0))

    @property
    def planned_runs(self) -> int:
        """The number of runs of both phases."""
        return self.search_runs + self.confirm_runs

    @property
    def expected_epochs(self) -> float:
        """The expected number of epochs of all runs together, if every rung keeps one run in η."""
        return self.search_runs * self.rungs.expected_epochs() + self.confirm_runs * self.rungs.epochs

    @property
    def notes(self) -> list[str]:
        """Datasets and combinations that are left out, one line each."""
        lines = [f"{skipped.dataset} is left out: {skipped.reason}" for skipped in self.skipped]
        if self.merged_cells:
            lines.append(
                f"{self.merged_cells} combinations of levels are left out: each would train the same as another cell "
                "(it differs in the dropout rate of a modality that is not used)"
            )
        return lines

    @property
    def twin_notes(self) -> list[str]:
        """The datasets that are twins, one line each."""
        root = self.sweep.data.root
        return [format_twin_notice(name, root) for name, card in self.cards.items() if card.source == "twin"]

    @property
    def warnings(self) -> list[str]:
        """Everything that will run but may disappoint, one line each."""
        return [*find_warnings(self.sweep, self.rungs), *self._check_pack_sizes()]

    def _check_pack_sizes(self) -> Iterator[str]:
        for dataset in self.cards:
            shapes = {found for cell in self.cells if cell.dataset == dataset for found in self.signatures[cell.key]}
            if len(shapes) > MANY_SHAPES:
                count = f"{len(shapes)}" if len(shapes) < MAX_SHAPES else f"{MAX_SHAPES} or more"
                tuned = join_words([name for name in self.sweep.tune if name in SHAPE_HYPERPARAMETERS], "and")
                yield (
                    f"tune: runs on {dataset} have {count} shapes, due to {tuned}, and only runs of one shape are "
                    "trained together; with few levels (choice) packs are fuller and the sweep is faster"
                )


def plan(sweep: Sweep, cards: Mapping[str, Card]) -> Plan:
    """Plan a sweep on the datasets of `cards`, which are those that it names.

    Raises InputError with one line for everything that does not fit.
    """
    if errors := find_errors(sweep, cards):
        raise InputError("\n".join(errors))
    skipped = [SkippedDataset(name, why) for name, card in cards.items() if (why := find_missing_modality(sweep, card))]
    used = {name: card for name, card in cards.items() if name not in {dataset.dataset for dataset in skipped}}
    if not used:
        reasons = "; ".join(f"{dataset.dataset}: {dataset.reason}" for dataset in skipped)
        raise InputError(f"datasets: all are left out ({reasons})", "Add a dataset that has it, or drop the key.")
    cells = {name: list_cells(sweep, card) for name, card in used.items()}
    kept = tuple(cell for name, all_cells in cells.items() for cell in merge_equivalent(all_cells, sweep, used[name]))
    return Plan(sweep, used, kept, tuple(skipped), sum(map(len, cells.values())) - len(kept))


def find_cards(sweep: Sweep) -> dict[str, Card]:
    """Return the cards of a sweep's datasets, imported or twins; raise DataError naming every unavailable dataset."""
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
