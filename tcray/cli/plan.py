"""`tcray plan`: what a sweep file would run, how long that takes, and what of it the store already has."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import click

from tcray.cli.resolve_sweep import store_option
from tcray.config.load import load_sweep
from tcray.config.messages import join_words
from tcray.results.display.labels import format_count
from tcray.results.output.terminal.table import Column, plain
from tcray.search.estimate import estimate_time, load_epoch_seconds
from tcray.search.plan import Plan, find_cards, plan
from tcray.store.filesystem import StoreFilesystem
from tcray.store.store import Store


@click.command("plan")
@click.argument("file")
@store_option
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key, as resources.pack=8.")
def command(file: str, store: str, overrides: tuple[str, ...]) -> None:
    """Check FILE and say what it would run; start nothing."""
    sweep = load_sweep(file, overrides)
    planned = plan(sweep, find_cards(sweep))
    click.echo("\n\n".join(_paragraphs(planned, store)))


def _paragraphs(planned: Plan, uri: str) -> Iterator[str]:
    opened = _opened(uri)
    yield "\n".join(filter(None, [planned.sweep_id(), planned.sweep.question]))
    yield "\n".join([_datasets(planned), *planned.twin_notes])
    lines = {
        "cells": _cells(planned),
        "search": _search(planned),
        "confirm": _confirm(planned),
        "runs": f"{planned.planned_runs:,}, about {planned.expected_epochs:,.0f} epochs of training",
        "packs": _packs(planned),
        "resources": _resources(planned),
        "store": _recorded(planned, opened, uri),
        "time": _time(planned, opened),
    }
    yield "\n".join(f"{name:<11}{text}" for name, text in lines.items() if text)
    if said := [*planned.notes, *(f"warning: {warning}" for warning in planned.warnings)]:
        yield "\n".join(said)


def _opened(uri: str) -> Store | None:
    """The store, if there is one yet; InputError if there is something else."""
    volume = StoreFilesystem.at(uri)
    return None if volume.kind("sweeps") is None and volume.kind("") != "file" else Store.open(uri)


def _datasets(planned: Plan) -> str:
    cards = planned.cards.values()
    columns = [
        Column.of("dataset", list(planned.cards)),
        Column.of("source", [card.source for card in cards]),
        *(Column.of(name, [card.sizes[i] for card in cards]) for i, name in enumerate(("train", "valid", "test"))),
        Column.of("modalities", [", ".join(f"{m} {width}" for m, width in card.modalities.items()) for card in cards]),
    ]
    return plain(columns)


def _cells(planned: Plan) -> str:
    by = [
        f"{len(levels)} of {name}" if isinstance(levels, tuple) else f"every subset of {name}"
        for name, levels in planned.sweep.factors.items()
    ]
    return f"{len(planned.cells):,}: {' × '.join([format_count(len(planned.cards), 'dataset'), *by])}"


def _search(planned: Plan) -> str:
    search, rungs = planned.sweep.search, planned.rungs
    if search is None:
        return "none: nothing is tuned"
    waves = f"in waves of {search.wave} ({search.sampler})"
    at = f"{'epoch' if len(rungs.milestones) == 1 else 'epochs'} {join_words(map(str, rungs.milestones), 'and')}" if rungs.milestones else ""
    compared = f", compared at {at} of {rungs.epochs}" if at else ""
    repeats = format_count(planned.repeats, "repeat")
    return f"{repeats} of {format_count(search.trials, 'trial')} {waves}{compared}: {planned.search_runs:,} runs"


def _confirm(planned: Plan) -> str:
    confirm = planned.sweep.confirm
    if confirm is None:
        return "none"
    what = f"{format_count(planned.repeats, 'repeat')} × " if planned.trials else ""
    return f"{what}{format_count(confirm.seeds, 'seed')}: {planned.confirm_runs:,} runs"


def _packs(planned: Plan) -> str:
    kinds = set().union(*planned.signatures.values())
    size = planned.sweep.resources.pack
    together = "as many runs as fit and help" if size == "auto" else f"{format_count(size, 'run')} at most"
    return f"{format_count(len(kinds), 'kind')} of run, each in packs of its own, {together}"


def _resources(planned: Plan) -> str:
    resources = planned.sweep.resources
    gpu = f" and {resources.gpu:g} GPU" if resources.gpu else ""
    return f"{resources.cpu:g} CPU{gpu} a pack; device: {resources.device}"


def _recorded(planned: Plan, store: Store | None, uri: str) -> str:
    ended = _ended(planned, store)
    if not ended:
        return f"{uri}: nothing of this sweep yet"
    states = ", ".join(f"{count:,} {state.lower()}" for state, count in sorted(ended.items()))
    return f"{uri}: {ended.total():,} of {planned.planned_runs:,} runs of this sweep ({states})"


def _ended(planned: Plan, store: Store | None) -> Counter[str]:
    """How the runs ended that the last beginning of this sweep has recorded."""
    begun = store.generations(planned.sweep_id()) if store else []
    if store is None or not begun:
        return Counter()
    return Counter(store.sweep(begun[-1]).read("runs", ("state",))["state"].to_pylist())


def _time(planned: Plan, store: Store | None) -> str:
    found = estimate_time(planned, load_epoch_seconds(planned, store) if store else {})
    left = max(0.0, 1 - _ended(planned, store).total() / planned.planned_runs)
    if not left:
        return "none: all is done"
    cores = os.cpu_count() or 1
    slots = max(1, int(cores // planned.sweep.resources.cpu))
    source = "as runs like these took before" if found.measured else "a rough figure, by the size of the data"
    return f"about {_rounded(left * found.seconds / slots)} on the {format_count(cores, 'CPU core')} here ({source})"


def _rounded(seconds: float) -> str:
    for size, unit in ((3600, "hour"), (60, "minute")):
        if seconds >= 1.5 * size:
            return format_count(round(seconds / size), unit)
    return format_count(max(1, round(seconds)), "second")
