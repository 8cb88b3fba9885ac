"""`tcray cluster check`: validate a cluster file, and show the nodes it can start."""

from __future__ import annotations

from collections.abc import Iterator

import click

from tcray.cluster.cluster_file import ClusterFile, load_cluster_file
from tcray.cluster.summary import CPUS_PER_PACK, ClusterSummary
from tcray.errors import ConfigError, Problem
from tcray.results.output.terminal.table import Column, plain

_PLACES = {"aws": "on AWS", "azure": "on Azure", "gcp": "on Google Cloud"}


@click.group("cluster")
def command() -> None:
    """Check the files that `ray up` starts clusters from."""


@command.command("check")
@click.argument("file")
def check(file: str) -> None:
    """Validate the cluster file FILE and show which nodes it can start. Works offline and starts nothing."""
    cluster = load_cluster_file(file)

    from tcray.cluster.check import require_valid

    notes = require_valid(cluster).notes
    click.echo("\n".join(_format_summary(cluster)))
    for note in notes:
        click.echo(_format_line(cluster, note, "note: "))
    for problem in cluster.unfilled:
        click.echo(_format_line(cluster, problem))


def _format_line(cluster: ClusterFile, problem: Problem, kind: str = "") -> str:
    """Return the line that `ConfigError` prints for a problem."""
    return str(ConfigError(cluster.path, [Problem(problem.line, problem.column, problem.path, kind + problem.message)]))


def _format_summary(cluster: ClusterFile) -> Iterator[str]:
    name = cluster.string("cluster_name")
    if cluster.is_local:
        workers = _format_count(len(cluster.strings("provider", "worker_ips")), "worker")
        yield f"{name}: a head and {workers} of your own; Ray detects their CPUs and GPUs when it starts"
        return
    summary = ClusterSummary.from_file(cluster)
    yield f"{name}: {_format_place(cluster)}"
    yield plain(_format_table(summary))
    packs = summary.max_packs
    at_once = "" if packs is None else f", which run {_format_count(packs, 'pack')} at a time"
    yield f"at most the head and {_format_count(summary.workers, 'worker')}{at_once}"


def _format_place(cluster: ClusterFile) -> str:
    provider = "aws" if cluster.is_aws else cluster.string("provider", "type")
    region = cluster.string("provider", "region")
    return f"{_PLACES.get(provider, f'by provider {provider}')}{f', in {region}' if region else ''}"


def _format_table(summary: ClusterSummary) -> list[Column]:
    types = summary.types
    share = f" of {summary.gpus_per_pack:g} GPU" if summary.gpus_per_pack else f" of {CPUS_PER_PACK:g} CPU"
    spot = f"spot{', or on demand' if summary.uses_spot_first else ''}"
    return [
        Column.of("type", [one.name for one in types]),
        Column.of("nodes", ["1" if one.is_head else f"{one.min_workers}–{one.max_workers}" for one in types]),
        Column.of("instance", [one.instance_type for one in types]),
        Column.of("market", [(spot if one.is_spot else "on demand") if one.instance_type else "" for one in types]),
        Column.of("CPUs", [one.resource("CPU") for one in types]),
        Column.of("GPUs", [one.resource("GPU") for one in types]),
        Column.of(f"packs{share}", [summary.count_packs(one) for one in types]),
    ]


def _format_count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
