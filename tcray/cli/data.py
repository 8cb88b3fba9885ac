"""`tcray data`: list datasets, describe one, import one, and write a twin."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tcray.cli.completion import complete_dataset
from tcray.config.metrics import METRICS
from tcray.data.catalog import TWIN_ONLY, Card, card_path, dataset_names, find_card, format_import_command
from tcray.results.output.terminal.table import GAP, Column, plain

if TYPE_CHECKING:
    from tcray.data.describe import Description

WIDTH = 80

CONSTANT_AND_CLIPPED = (
    "Columns that are constant on the train rows become 0; values beyond 8 standard deviations are clipped."
)

dataset_argument = click.argument("name", shell_complete=complete_dataset)

root_option = click.option(
    "--root", default="data", show_default=True, metavar="DIR", help="Folder of the imported datasets."
)


@click.group("data")
def command() -> None:
    """List, describe and import datasets, or write their synthetic twins."""


@command.command("list")
@root_option
def list_(root: str) -> None:
    """List the datasets: imported ones, twins of the others, and synthetic ones with a known truth."""
    cards = [find_card(name, root) for name in dataset_names() if name not in TWIN_ONLY]
    click.echo(format_overview(cards))
    if twins := [card for card in cards if card.source == "twin"]:
        click.echo("\nA synthetic twin replaces a dataset until it is imported:")
        for line in dict.fromkeys(format_import_command(card.name, root) for card in twins):
            click.echo(f"  {line}")
    click.echo("\nThese datasets are synthetic; the correct result of a sweep of each is known:\n")
    click.echo(format_overview([find_card(name, root) for name in TWIN_ONLY]))


@command.command("describe")
@dataset_argument
@root_option
def describe(name: str, root: str) -> None:
    """Show the splits, labels and features of dataset NAME, and remarks on it."""
    from tcray.data.describe import describe as describe_examples
    from tcray.data.loading import load_examples

    card = find_card(name, root)
    click.echo(format_details(card, describe_examples(load_examples(card, root))))


@command.command("import")
@dataset_argument
@click.option("--from", "folder", required=True, metavar="PATH", help="Folder with the dataset's original files.")
@root_option
def import_(name: str, folder: str, root: str) -> None:
    """Read the original files of dataset NAME and write it, in every protocol it has, for sweeps to use."""
    from tcray.data.loading import import_dataset

    for card in import_dataset(name, Path(folder), Path(root)):
        _print_written(card, root)


@command.command("twin")
@dataset_argument
@click.option("--to", "folder", required=True, metavar="DIR", help="Folder to write into.")
def twin(name: str, folder: str) -> None:
    """Write the synthetic twin of dataset NAME, with the recipe it is made from."""
    from tcray.data.twins import write_twin

    _print_written(write_twin(name, Path(folder)), folder)


def format_overview(cards: Sequence[Card]) -> str:
    """Return a table of datasets, with the modalities of each and their widths on the line below it."""
    named = Column.of("dataset", [card.name for card in cards])
    columns = [
        named,
        Column.of("source", [card.source for card in cards]),
        Column.of("train/valid/test", [format_sizes(card) for card in cards]),
        Column.of("fingerprint", [card.fingerprint for card in cards]),
    ]
    header, *rows = plain(columns).splitlines()
    indent = " " * (named.width + len(GAP))
    below = [indent + format_modalities(card) for card in cards]
    return "\n".join([header, *(line for pair in zip(rows, below, strict=True) for line in pair)])


def format_details(card: Card, description: Description) -> str:
    """Return a summary of a dataset, tables of its labels and features, and one line per remark."""
    ends = range(-3, 4) if card.task == "regression" else ("no", "yes")
    labels, features = description.labels, description.features
    groups = [Column.of(f"{card.groups}s", [part.groups for part in labels])] if card.groups else []
    counts = zip(*(part.counts for part in labels), strict=True)
    title = f"{card.name} ({card.source}): {card.task}, measured by {METRICS[card.primary_metric].label}"
    sections = [
        f"{title}\n{format_sizes(card)}; fingerprint {card.fingerprint}",
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
        "\n".join(map(_wrap, (CONSTANT_AND_CLIPPED, *description.remarks))),
    ]
    return "\n\n".join(sections)


def _wrap(note: str) -> str:
    return textwrap.fill(note, WIDTH, initial_indent="- ", subsequent_indent="  ")


def format_sizes(card: Card) -> str:
    """Return the number of train, valid and test examples, as `1444/215/536`, or `751 in 5 folds`."""
    return f"{card.sizes[2]} in {card.folds} folds" if card.folds > 1 else "/".join(map(str, card.sizes))


def format_modalities(card: Card) -> str:
    """Return the modalities with their widths, as `text 100, audio 73, video 100`."""
    return ", ".join(f"{name} {width}" for name, width in card.modalities.items())


def _print_written(card: Card, root: str) -> None:
    click.echo(f"{card_path(card.name, root)}: {format_sizes(card)}; {format_modalities(card)}")
    for note in card.notes:
        click.echo(_wrap(note))
