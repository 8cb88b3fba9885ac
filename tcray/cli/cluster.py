"""`tcray cluster`: what a cluster file would bring up, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from tcray.cluster.cluster_file import ClusterFile, load_cluster_file
from tcray.cluster.summary import CPU, ClusterSummary
from tcray.errors import ConfigError, Problem
from tcray.results.output.terminal.table import Column, plain

_PLACES = {"aws": "on AWS", "azure": "on Azure", "gcp": "on Google Cloud"}


@click.group("cluster")
def command() -> None:
    """Check the files that clusters are brought up by."""


@command.command("check")
@click.argument("file")
def check(file: str) -> None:
    """Say what is wrong with the cluster file FILE, or what it would bring up; nothing is started, and nobody asked."""
    cluster = load_cluster_file(file)

    from tcray.cluster.check import expect_sound

    notes = expect_sound(cluster).notes
    click.echo("\n".join(_outline(cluster)))
    for note in notes:
        click.echo(_line(cluster, note, "note: "))
    for blank in cluster.unfilled:
        click.echo(_line(cluster, blank))


def _line(cluster: ClusterFile, said: Problem, kind: str = "") -> str:
    """As `ConfigError` says it."""
    return str(ConfigError(cluster.path, [Problem(said.line, said.column, said.path, kind + said.message)]))


def _outline(cluster: ClusterFile) -> Iterator[str]:
    name = cluster.text_at("cluster_name")
    if cluster.is_local:
        workers = len(cluster.texts("provider", "worker_ips"))
        yield f"{name}: a head and {_counted(workers, 'worker')} of your own; what they have, Ray finds out on them"
        return
    outline = ClusterSummary.of(cluster)
    yield f"{name}: {_place(cluster)}"
    yield plain(_table(outline))
    packs = outline.most_packs
    at_once = "" if packs is None else f", which hold {_counted(packs, 'pack')} at a time"
    yield f"at most the head and {_counted(outline.workers, 'worker')}{at_once}"


def _place(cluster: ClusterFile) -> str:
    provider = "aws" if cluster.is_aws else cluster.text_at("provider", "type")
    region = cluster.text_at("provider", "region")
    return f"{_PLACES.get(provider, f'by provider {provider}')}{f', in {region}' if region else ''}"


def _table(outline: ClusterSummary) -> list[Column]:
    types = outline.types
    share = f" of {outline.share:g} GPU" if outline.share else f" of {CPU:g} CPU"
    market = f"spot{', or on demand' if outline.stands_in else ''}"
    return [
        Column.of("type", [kind.name for kind in types]),
        Column.of("nodes", ["1" if kind.is_head else f"{kind.least}–{kind.most}" for kind in types]),
        Column.of("machine", [kind.machine for kind in types]),
        Column.of("market", [(market if kind.is_spot else "on demand") if kind.machine else "" for kind in types]),
        Column.of("CPUs", [kind.has("CPU") for kind in types]),
        Column.of("GPUs", [kind.has("GPU") for kind in types]),
        Column.of(f"packs{share}", [outline.packs(kind) for kind in types]),
    ]


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
