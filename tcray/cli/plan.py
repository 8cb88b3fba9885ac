"""`tcray plan`: the runs that a sweep file asks for, their duration, and those that the store already has."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import click

from tcray.cli.resolve_sweep import file_argument, set_option, store_option
from tcray.config.load import load_sweep
from tcray.config.messages import join_words
from tcray.results.display.labels import format_count
from tcray.results.output.terminal.table import Column, plain
from tcray.search.estimate import estimate_time, load_epoch_seconds
from tcray.search.plan import Plan, find_cards, plan
from tcray.store.filesystem import StoreFilesystem
from tcray.store.store import Store


@click.command("plan")
@file_argument
@store_option
@set_option
def command(file: str, store: str, overrides: tuple[str, ...]) -> None:
    """Check FILE and print the runs it asks for; start nothing.

    FILE is a sweep file, or the name of one in the current directory or in sweeps/ without its suffix.
    """
    sweep = load_sweep(file, overrides)
    planned = plan(sweep, find_cards(sweep))
    click.echo("\n\n".join(_format_paragraphs(planned, store)))


def _format_paragraphs(planned: Plan, uri: str) -> Iterator[str]:
    opened = _open_store(uri)
    yield "\n".join(filter(None, [planned.sweep_id(), planned.sweep.question]))
    yield "\n".join([_format_datasets(planned), *planned.twin_notes])
    lines = {
        "cells": _describe_cells(planned),
        "search": _describe_search(planned),
        "confirm": _describe_confirm(planned),
        "runs": f"{planned.planned_runs:,}, about {planned.expected_epochs:,.0f} epochs of training",
        "packs": _describe_packs(planned),
        "resources": _describe_resources(planned),
        "store": _describe_store(planned, opened, uri),
        "time": _describe_time(planned, opened),
    }
    yield "\n".join(f"{name:<11}{text}" for name, text in lines.items() if text)
    if remarks := [*planned.notes, *(f"warning: {warning}" for warning in planned.warnings)]:
        yield "\n".join(remarks)


def _open_store(uri: str) -> Store | None:
    """Open the store; None if there is none yet. Raises InputError if there is something else."""
    filesystem = StoreFilesystem.from_uri(uri)
    return None if filesystem.kind("sweeps") is None and filesystem.kind("") != "file" else Store.open(uri)


def _format_datasets(planned: Plan) -> str:
    cards = planned.cards.values()
    columns = [
        Column.of("dataset", list(planned.cards)),
        Column.of("source", [card.source for card in cards]),
        *(Column.of(name, [card.sizes[i] for card in cards]) for i, name in enumerate(("train", "valid", "test"))),
        Column.of("modalities", [", ".join(f"{m} {width}" for m, width in card.modalities.items()) for card in cards]),
    ]
    return plain(columns)


def _describe_cells(planned: Plan) -> str:
    by = [
        f"{len(levels)} of {name}" if isinstance(levels, tuple) else f"every subset of {name}"
        for name, levels in planned.sweep.factors.items()
    ]
    return f"{len(planned.cells):,}: {' × '.join([format_count(len(planned.cards), 'dataset'), *by])}"


def _describe_search(planned: Plan) -> str:
    search, rungs = planned.sweep.search, planned.rungs
    if search is None:
        return "none: nothing is tuned"
    waves = f"in waves of {search.wave} ({search.sampler})"
    at = (
        f"{'epoch' if len(rungs.milestones) == 1 else 'epochs'} {join_words(map(str, rungs.milestones), 'and')}"
        if rungs.milestones
        else ""
    )
    compared = f", compared at {at} of {rungs.epochs}" if at else ""
    repeats = format_count(planned.repeats, "repeat")
    return f"{repeats} of {format_count(search.trials, 'trial')} {waves}{compared}: {planned.search_runs:,} runs"


def _describe_confirm(planned: Plan) -> str:
    confirm = planned.sweep.confirm
    if confirm is None:
        return "none"
    what = f"{format_count(planned.repeats, 'repeat')} × " if planned.trials else ""
    return f"{what}{format_count(confirm.seeds, 'seed')}: {planned.confirm_runs:,} runs"


def _describe_packs(planned: Plan) -> str:
    kinds = set().union(*planned.signatures.values())
    size = planned.sweep.resources.pack
    together = "as many runs as fit and help" if size == "auto" else f"{format_count(size, 'run')} at most"
    return f"{format_count(len(kinds), 'kind')} of run, each in packs of its own, {together}"


def _describe_resources(planned: Plan) -> str:
    resources = planned.sweep.resources
    gpu = f" and {resources.gpu:g} GPU" if resources.gpu else ""
    return f"{resources.cpu:g} CPU{gpu} per pack; device: {resources.device}"


def _describe_store(planned: Plan, store: Store | None, uri: str) -> str:
    ended = _count_ended(planned, store)
    if not ended:
        return f"{uri}: nothing of this sweep yet"
    states = ", ".join(f"{count:,} {state.lower()}" for state, count in sorted(ended.items()))
    return f"{uri}: {ended.total():,} of {planned.planned_runs:,} runs of this sweep ({states})"


def _count_ended(planned: Plan, store: Store | None) -> Counter[str]:
    """Count the recorded runs of the latest generation of this sweep by state."""
    generations = store.list_generations(planned.sweep_id()) if store else []
    if store is None or not generations:
        return Counter()
    return Counter(store.sweep(generations[-1]).read("runs", ("state",))["state"].to_pylist())


def _describe_time(planned: Plan, store: Store | None) -> str:
    found = estimate_time(planned, load_epoch_seconds(planned, store) if store else {})
    left = max(0.0, 1 - _count_ended(planned, store).total() / planned.planned_runs)
    if not left:
        return "none: everything is done"
    cores = os.cpu_count() or 1
    slots = max(1, int(cores // planned.sweep.resources.cpu))
    source = "as similar runs took before" if found.measured else "a rough estimate from the size of the data"
    duration = _format_duration(left * found.seconds / slots)
    return f"about {duration} on the {format_count(cores, 'CPU core')} here ({source})"


def _format_duration(seconds: float) -> str:
    for size, unit in ((3600, "hour"), (60, "minute")):
        if seconds >= 1.5 * size:
            return format_count(round(seconds / size), unit)
    return format_count(max(1, round(seconds)), "second")
