"""`tcray cluster`: check a cluster file and summarize the cluster that it describes."""

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
    """Check cluster files."""


@command.command("check")
@click.argument("file")
def check(file: str) -> None:
    """Check the cluster file FILE offline and summarize the cluster that `ray up FILE` would start; start nothing."""
    cluster = load_cluster_file(file)

    from tcray.cluster.check import expect_sound

    notes = expect_sound(cluster).notes
    click.echo("\n".join(_summarize(cluster)))
    for note in notes:
        click.echo(_format_problem(cluster, note, "note: "))
    for blank in cluster.unfilled:
        click.echo(_format_problem(cluster, blank))


def _format_problem(cluster: ClusterFile, problem: Problem, prefix: str = "") -> str:
    """Return a problem with its position, in the form of `ConfigError`."""
    prefixed = Problem(problem.line, problem.column, problem.path, prefix + problem.message)
    return str(ConfigError(cluster.path, [prefixed]))


def _summarize(cluster: ClusterFile) -> Iterator[str]:
    name = cluster.text_at("cluster_name")
    if cluster.is_local:
        workers = len(cluster.texts("provider", "worker_ips"))
        machines = f"a head and {_count(workers, 'worker')} of your own"
        yield f"{name}: {machines}; Ray detects their CPUs and GPUs when it starts"
        return
    summary = ClusterSummary.of(cluster)
    yield f"{name}: {_describe_place(cluster)}"
    yield plain(_format_types(summary))
    packs = summary.most_packs
    at_once = "" if packs is None else f", which hold {_count(packs, 'pack')} at a time"
    yield f"at most the head and {_count(summary.workers, 'worker')}{at_once}"


def _describe_place(cluster: ClusterFile) -> str:
    provider = "aws" if cluster.is_aws else cluster.text_at("provider", "type")
    region = cluster.text_at("provider", "region")
    return f"{_PLACES.get(provider, f'by provider {provider}')}{f', in {region}' if region else ''}"


def _format_types(summary: ClusterSummary) -> list[Column]:
    types = summary.types
    share = f" of {summary.share:g} GPU" if summary.share else f" of {CPU:g} CPU"
    market = f"spot{', or on demand' if summary.stands_in else ''}"
    return [
        Column.of("type", [kind.name for kind in types]),
        Column.of("nodes", ["1" if kind.is_head else f"{kind.least}–{kind.most}" for kind in types]),
        Column.of("machine", [kind.machine for kind in types]),
        Column.of("market", [(market if kind.is_spot else "on demand") if kind.machine else "" for kind in types]),
        Column.of("CPUs", [kind.has("CPU") for kind in types]),
        Column.of("GPUs", [kind.has("GPU") for kind in types]),
        Column.of(f"packs{share}", [summary.packs(kind) for kind in types]),
    ]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
