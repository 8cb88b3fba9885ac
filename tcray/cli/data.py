"""`tcray data`: what datasets there are, what is in one, importing one, and writing out a twin."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tcray.config.metrics import METRICS
from tcray.data.catalog import TWIN_ONLY, Card, card_path, dataset_names, find_card, format_import_command
from tcray.results.output.terminal.table import GAP, Column, plain

if TYPE_CHECKING:
    from tcray.data.describe import Description

WIDTH = 80

CONSTANT_AND_CLIPPED = (
    "Columns that are constant on the train rows become 0; values more than 8 standard deviations off are clipped."
)

root_option = click.option(
    "--root", default="data", show_default=True, metavar="DIR", help="Where imported datasets are."
)


@click.group("data")
def command() -> None:
    """Look at datasets, import them, or write out their synthetic twins."""


@command.command("list")
@root_option
def list_(root: str) -> None:
    """Show every dataset there is: as imported, or else its twin; and the synthetic ones whose truth is known."""
    cards = [find_card(name, root) for name in dataset_names() if name not in TWIN_ONLY]
    click.echo(overview(cards))
    if twins := [card for card in cards if card.source == "twin"]:
        click.echo("\nA twin is synthetic and stands in until the data is imported:")
        for line in dict.fromkeys(format_import_command(card.name, root) for card in twins):
            click.echo(f"  {line}")
    click.echo("\nThese exist only as twins, and what a sweep of each should find is known:\n")
    click.echo(overview([find_card(name, root) for name in TWIN_ONLY]))


@command.command("describe")
@click.argument("name")
@root_option
def describe(name: str, root: str) -> None:
    """Show what is in dataset NAME: splits, labels, modalities, and what to know about it."""
    from tcray.data.describe import describe
    from tcray.data.loading import load_examples

    card = find_card(name, root)
    click.echo(detail(card, describe(load_examples(card, root))))


@command.command("import")
@click.argument("name")
@click.option("--from", "folder", required=True, metavar="PATH", help="The folder with the dataset's files.")
@root_option
def import_(name: str, folder: str, root: str) -> None:
    """Read the files of dataset NAME and write it, in every protocol it has, for sweeps to use."""
    from tcray.data.loading import import_dataset

    for card in import_dataset(name, Path(folder), Path(root)):
        _say_written(card, root)


@command.command("twin")
@click.argument("name")
@click.option("--to", "folder", required=True, metavar="DIR", help="The folder to write into.")
def twin(name: str, folder: str) -> None:
    """Write out the twin of dataset NAME, with the recipe it is made from."""
    from tcray.data.twins import write_twin

    _say_written(write_twin(name, Path(folder)), folder)


def overview(cards: Sequence[Card]) -> str:
    """A table of datasets, the modalities of each and their widths on a line below it."""
    named = Column.of("dataset", [card.name for card in cards])
    columns = [
        named,
        Column.of("source", [card.source for card in cards]),
        Column.of("train/valid/test", [sizes(card) for card in cards]),
        Column.of("fingerprint", [card.fingerprint for card in cards]),
    ]
    header, *rows = plain(columns).splitlines()
    indent = " " * (named.width + len(GAP))
    below = [indent + modalities(card) for card in cards]
    return "\n".join([header, *(line for pair in zip(rows, below, strict=True) for line in pair)])


def detail(card: Card, description: Description) -> str:
    """What a dataset is, tables of its labels and of its features, and what is notable, a line each."""
    ends = range(-3, 4) if card.task == "regression" else ("no", "yes")
    labels, features = description.labels, description.features
    groups = [Column.of(f"{card.groups}s", [part.groups for part in labels])] if card.groups else []
    counts = zip(*(part.counts for part in labels), strict=True)
    judged = f"{card.name} ({card.source}): {card.task}, judged by {METRICS[card.primary_metric].label}"
    sections = [
        f"{judged}\n{sizes(card)}; fingerprint {card.fingerprint}",
        plain(
            [
                Column.of("labels", [part.part for part in labels]),
                Column.of("examples", [part.examples for part in labels]),
                *groups,
                Column.of("mean", [part.mean for part in labels]),
                Column.of("sd", [part.deviation for part in labels]),
                *(Column.of(str(end), list(count)) for end, count in zip(ends, counts, strict=True)),
            ]
        ),
        plain(
            [
                Column.of("features", [one.modality for one in features]),
                Column.of("width", [one.width for one in features]),
                Column.of("mean", [one.mean for one in features]),
                Column.of("sd", [one.deviation for one in features]),
                Column.of("min", [one.low for one in features]),
                Column.of("max", [one.high for one in features]),
                Column.of("constant", [one.constant for one in features]),
                Column.of("clipped", [one.clipped for one in features]),
            ]
        ),
        "\n".join(map(_filled, (CONSTANT_AND_CLIPPED, *description.notable))),
    ]
    return "\n\n".join(sections)


def _filled(note: str) -> str:
    return textwrap.fill(note, WIDTH, initial_indent="- ", subsequent_indent="  ")


def sizes(card: Card) -> str:
    """Train, valid and test examples as `1444/215/536`, or `751 in 5 folds`."""
    return f"{card.sizes[2]} in {card.folds} folds" if card.folds > 1 else "/".join(map(str, card.sizes))


def modalities(card: Card) -> str:
    """As `text 100, audio 73, video 100`."""
    return ", ".join(f"{name} {width}" for name, width in card.modalities.items())


def _say_written(card: Card, root: str) -> None:
    click.echo(f"{card_path(card.name, root)}: {sizes(card)}; {modalities(card)}")
    for note in card.notes:
        click.echo(_filled(note))
