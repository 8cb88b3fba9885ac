"""Checks of a well-formed sweep file against its datasets: errors that prevent the sweep, and warnings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tcray.config.claims import CLAIMS
from tcray.config.messages import format_value, join_words, suggest_names
from tcray.config.metrics import METRICS, list_metrics
from tcray.config.run import MODALITY_DROPOUT
from tcray.config.sections import SUBSETS
from tcray.config.sweep import Search, Sweep
from tcray.data.catalog import Card
from tcray.search.rungs import Rungs
from tcray.search.seeds import MAX_CONFIRM_SEEDS

MIN_COMPLETE_TRIALS = 3
"""A search that trains fewer configurations to the end has hardly any choice."""


def find_errors(sweep: Sweep, cards: Mapping[str, Card]) -> list[str]:
    """Return everything that does not fit the datasets or this engine, each as `path: what is wrong`."""
    used = [card for card in cards.values() if not find_missing_modality(sweep, card)]
    return [*_check_modalities(sweep, cards), *_check_objective(sweep, used), *_check_seeds(sweep)]


def find_missing_modality(sweep: Sweep, card: Card) -> str:
    """Return the reason to leave a dataset out: the first named modality that it lacks; empty if it lacks none."""
    missing = ((path, m) for path, m in _list_named_modalities(sweep) if m not in card.modalities)
    return next((f"it has no {modality}, but {path} names it" for path, modality in missing), "")


def find_warnings(sweep: Sweep, rungs: Rungs) -> list[str]:
    """Return everything that will run but may disappoint, each as `path: what is wrong`."""
    return [*_check_claims(sweep), *(_check_search(sweep.search, rungs) if sweep.search else ())]


def _check_modalities(sweep: Sweep, cards: Mapping[str, Card]) -> Iterator[str]:
    known = dict.fromkeys(m for card in cards.values() for m in card.modalities)
    for path, modality in _list_named_modalities(sweep):
        if modality not in known:
            hint = suggest_names(modality, known)
            yield f"{path}: no dataset of this sweep has a modality {format_value(modality)}; {hint}"


def _check_objective(sweep: Sweep, cards: Sequence[Card]) -> Iterator[str]:
    metric = sweep.objective.removeprefix("valid.")
    for card in cards:
        if card.task not in METRICS[metric].tasks:
            known = join_words([f"valid.{m.name}" for m in list_metrics(card.task)], "and")
            yield f"search.objective: {card.name} is a {card.task} task and has no {sweep.objective}; it has {known}"


def _check_seeds(sweep: Sweep) -> Iterator[str]:
    if sweep.search and sweep.confirm and sweep.confirm.seeds > MAX_CONFIRM_SEEDS:
        yield f"confirm.seeds: expected at most {MAX_CONFIRM_SEEDS}, found {sweep.confirm.seeds}"


def _list_named_modalities(sweep: Sweep) -> Iterator[tuple[str, str]]:
    """Yield each modality that the sweep names, after the path of the key that names it."""
    for section, entries in (("factors", sweep.factors), ("tune", sweep.tune), ("fixed", sweep.fixed)):
        for name, value in entries.items():
            if name.startswith(MODALITY_DROPOUT):
                yield f"{section}.{name}", name.removeprefix(MODALITY_DROPOUT)
            elif name == "modalities" and value != SUBSETS:
                yield from ((f"{section}.{name}", m) for m in dict.fromkeys(_flatten(value)))


def _flatten(value: Any) -> Iterator[str]:
    """Yield the names in a list of modalities, or in levels that are such lists."""
    if isinstance(value, str):
        yield value
    else:
        for part in value:
            yield from _flatten(part)


def _check_claims(sweep: Sweep) -> Iterator[str]:
    for name in sweep.claims:
        missing = [factor for factor in CLAIMS[name].needs if factor not in sweep.factors]
        if missing:
            yield f"claims: {name} will not be testable: it needs {join_words(missing, 'and')} among the factors"
    if sweep.claims and sweep.confirm is None:
        yield "claims: none will be testable: tests use confirm runs, and the sweep has no confirm section"


def _check_search(search: Search, rungs: Rungs) -> Iterator[str]:
    if search.sampler == "tpe" and search.trials <= search.wave:
        yield (
            "search.wave: no proposal will be model-based: TPE learns from earlier waves, "
            f"and {search.trials} trials in waves of {search.wave} are a single wave"
        )
    complete = search.trials * rungs.expected_share(rungs.epochs)
    if complete < MIN_COMPLETE_TRIALS:
        advice = "raise search.trials, or min_epochs for fewer rungs" if rungs.milestones else "raise search.trials"
        yield f"search.trials: of {search.trials} trials about {complete:.2g} will be trained in full; {advice}"
