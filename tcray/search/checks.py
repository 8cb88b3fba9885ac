"""What a well-formed sweep file asks for and cannot have, and what it may have and should not want."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tcray.config.claims import CLAIMS
from tcray.config.messages import format_value, join_words, suggest_names
from tcray.config.metrics import METRICS, list_metrics
from tcray.config.sections import SUBSETS
from tcray.config.run import MODALITY_DROPOUT
from tcray.config.sweep import Search, Sweep
from tcray.data.catalog import Card
from tcray.search.rungs import Rungs
from tcray.search.seeds import MAX_CONFIRM_SEEDS

FEWEST_IN_FULL = 3
"""With fewer configurations trained to the end, a search has hardly had a choice."""


def problems(sweep: Sweep, cards: Mapping[str, Card]) -> list[str]:
    """What does not fit the datasets, or this engine, each as `path: what holds`."""
    kept = [card for card in cards.values() if not lacking(sweep, card)]
    return [*_modalities(sweep, cards), *_objective(sweep, kept), *_seeds(sweep)]


def lacking(sweep: Sweep, card: Card) -> str:
    """Why a dataset is left out: the first thing that the sweep says of a modality it lacks; empty if there is none."""
    return next((f"it has no {m}, and {path} is about it" for path, m in _named(sweep) if m not in card.modalities), "")


def warnings(sweep: Sweep, rungs: Rungs) -> list[str]:
    """What will run and may disappoint, each as `path: what holds`."""
    return [*_untestable(sweep), *(_search(sweep.search, rungs) if sweep.search else ())]


def _modalities(sweep: Sweep, cards: Mapping[str, Card]) -> Iterator[str]:
    known = dict.fromkeys(m for card in cards.values() for m in card.modalities)
    for path, modality in _named(sweep):
        if modality not in known:
            hint = suggest_names(modality, known)
            yield f"{path}: no dataset of this sweep has a modality {format_value(modality)}; {hint}"


def _objective(sweep: Sweep, cards: Sequence[Card]) -> Iterator[str]:
    metric = sweep.objective.removeprefix("valid.")
    for card in cards:
        if card.task not in METRICS[metric].tasks:
            has = join_words([f"valid.{m.name}" for m in list_metrics(card.task)], "and")
            yield f"search.objective: {card.name} is a {card.task} task and has no {sweep.objective}; it has {has}"


def _seeds(sweep: Sweep) -> Iterator[str]:
    if sweep.search and sweep.confirm and sweep.confirm.seeds > MAX_CONFIRM_SEEDS:
        yield f"confirm.seeds: expected at most {MAX_CONFIRM_SEEDS}, found {sweep.confirm.seeds}"


def _named(sweep: Sweep) -> Iterator[tuple[str, str]]:
    """Each modality that the sweep names, after the path of the key that names it."""
    for section, entries in (("factors", sweep.factors), ("tune", sweep.tune), ("fixed", sweep.fixed)):
        for name, value in entries.items():
            if name.startswith(MODALITY_DROPOUT):
                yield f"{section}.{name}", name.removeprefix(MODALITY_DROPOUT)
            elif name == "modalities" and value != SUBSETS:
                yield from ((f"{section}.{name}", m) for m in dict.fromkeys(_flatten(value)))


def _flatten(value: Any) -> Iterator[str]:
    """The names in a list of modalities, or in levels that are such lists."""
    if isinstance(value, str):
        yield value
    else:
        for part in value:
            yield from _flatten(part)


def _untestable(sweep: Sweep) -> Iterator[str]:
    for name in sweep.claims:
        missing = [factor for factor in CLAIMS[name].needs if factor not in sweep.factors]
        if missing:
            yield f"claims: {name} will be not testable: it needs {join_words(missing, 'and')} among the factors"
    if sweep.claims and sweep.confirm is None:
        yield "claims: none will be testable: only confirm runs are tested, and there is no confirm"


def _search(search: Search, rungs: Rungs) -> Iterator[str]:
    if search.sampler == "tpe" and search.trials <= search.wave:
        yield (
            "search.wave: no proposal will be model-based: TPE learns from the waves before, "
            f"and {search.trials} trials in waves of {search.wave} are one wave"
        )
    in_full = search.trials * rungs.expected_share(rungs.epochs)
    if in_full < FEWEST_IN_FULL:
        raised = "raise search.trials, or min_epochs for fewer rungs" if rungs.milestones else "raise search.trials"
        yield f"search.trials: of {search.trials} trials about {in_full:.2g} will be trained in full; {raised}"
