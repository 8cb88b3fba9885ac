"""`tcray status`: progress of every sweep of a store, or of one sweep in detail, once or while it runs."""

from __future__ import annotations

from collections.abc import Sequence

import click

from tcray.cli.on_cluster import cluster_option, run_on_head
from tcray.cli.resolve_sweep import optional_sweep_argument, resolve_sweep, store_option
from tcray.errors import InputError
from tcray.results.display.labels import format_dataset_short, format_time
from tcray.results.output.terminal.table import Column, plain
from tcray.store.driver_status import DriverStatus, read_status
from tcray.store.store import Store, SweepStore
from tcray.store.summary import STATES, Summary, find_best_runs
from tcray.store.trials import Record, read_records
from tcray.tune.status.display import HOST_HEADER, format_host_rows, format_time_left


@click.command("status")
@optional_sweep_argument
@store_option
@click.option(
    "--follow", is_flag=True, help="Follow SWEEP until its driver exits; exit code 1 if the sweep is incomplete."
)
@cluster_option
def command(sweep: str | None, store: str, cluster: str | None, *, follow: bool) -> None:
    """Show the progress of every sweep of the store, or of SWEEP in detail."""
    if cluster is not None:
        run_on_head(cluster, "status", sweep, *["--follow"] * follow)
    opened = Store.open(store)
    if sweep is not None and follow:
        from tcray.cli.following import follow as follow_sweep

        follow_sweep(resolve_sweep(opened, sweep))
    elif follow:
        raise InputError(
            "--follow needs a sweep",
            "Name it, as in `tcray status SWEEP --follow`; `tcray status` lists the sweeps.",
        )
    else:
        click.echo(format_overview(opened) if sweep is None else format_details(resolve_sweep(opened, sweep)))


def format_overview(store: Store) -> str:
    """Return a table with one row per sweep, in the order in which they were started."""
    summaries = [Summary.read(store.sweep(manifest["sweep_id"])) for manifest in store.manifests()]
    if not summaries:
        return f"{store.filesystem.display_path()} has no sweep yet"
    columns = [
        Column.of("sweep", [one.manifest["sweep_id"] for one in summaries]),
        Column.of("started", [format_time(one.manifest["started_at"]) for one in summaries]),
        *(Column.of(state.lower(), [one.runs(state=state) for one in summaries]) for state in STATES),
        Column.of("planned", [one.manifest["planned_runs"] for one in summaries]),
        Column.of("state", [describe_state(one) for one in summaries]),
        Column.of(
            "datasets", [", ".join(format_dataset_short(*dataset) for dataset in one.datasets) for one in summaries]
        ),
    ]
    return plain(columns)


def format_details(sweep: SweepStore) -> str:
    """Return a sweep's question, progress, failures and best runs so far, and the status of its driver."""
    runs = read_records(sweep)
    summary = Summary.from_runs(sweep, runs)
    manifest = summary.manifest
    status = read_status(sweep, summary.holder.token) if summary.holder else None
    state = describe_state(summary) + (format_time_left(status) if status else "")
    sections = [
        "\n".join(filter(None, [manifest.get("question", ""), format_progress(summary), state])),
        format_datasets(summary),
        "\n".join(f"{count:,} FAILED on {dataset}: {reason}" for dataset, reason, count in summary.failures),
        format_best(runs, manifest["objective"]),
        *((format_hosts(status), "\n".join(status.pending_reasons.values())) if status else ()),
    ]
    return "\n\n".join(section for section in sections if section)


def format_progress(summary: Summary) -> str:
    """Return the runs by state, as in `4,000 complete, 30 pruned, 2 failed of 4,032`."""
    ended = ", ".join(f"{summary.runs(state=state):,} {state.lower()}" for state in STATES)
    return f"{ended} of {summary.manifest['planned_runs']:,}"


def describe_state(summary: Summary) -> str:
    """Return whether the sweep is running (with host and pid), finished or stopped."""
    if summary.holder is not None:
        return f"running on {summary.holder.process.host} (pid {summary.holder.process.pid})"
    return "finished" if summary.manifest.get("finished_at") else "stopped"


def format_datasets(summary: Summary) -> str:
    """Return a table with one row per dataset and phase, and one column per state."""
    rows = [
        {"dataset": dataset, "source": source, "phase": phase}
        for dataset, source in summary.datasets
        for phase in ("search", "finalist", "confirm")
        if summary.runs(dataset=dataset, source=source, phase=phase)
    ]
    if not rows:
        return ""
    columns = [
        Column.of("dataset", [format_dataset_short(row["dataset"], row["source"]) for row in rows]),
        Column.of("phase", [row["phase"] for row in rows]),
        *(Column.of(state.lower(), [summary.runs(**row, state=state) for row in rows]) for state in STATES),
    ]
    return plain(columns)


def format_best(runs: Sequence[Record], objective: str) -> str:
    """Return a table with the complete run of every dataset that has the best objective."""
    best = list(find_best_runs(runs, objective).values())
    if not best:
        return ""
    columns = [
        Column.of("best so far", [format_dataset_short(run["dataset"], run["source"]) for run in best]),
        Column.of(objective, [run[objective] for run in best]),
        *(Column.of(name, [run[name] for run in best]) for name in ("phase", "repeat", "trial", "seed", "cell")),
    ]
    return plain(columns)


def format_hosts(status: DriverStatus) -> str:
    """Return a table with one row per host."""
    if not status.hosts:
        return ""
    columns = zip(HOST_HEADER, zip(*format_host_rows(status.hosts), strict=True), strict=True)
    return plain([Column(name, texts, right=name not in ("host", "state")) for name, texts in columns])
