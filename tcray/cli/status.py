"""`tcray status`: how far every sweep of a store has come, or one in detail, now or for as long as it is run."""

from __future__ import annotations

from collections.abc import Sequence

import click

from tcray.cli.on_cluster import cluster_option, say_there
from tcray.cli.resolve_sweep import store_option, which
from tcray.errors import InputError
from tcray.results.display.labels import format_dataset_short, format_time
from tcray.results.output.terminal.table import Column, plain
from tcray.store.driver_status import DriverStatus, read_activity
from tcray.store.store import Store, SweepStore
from tcray.store.summary import STATES, Summary, best_by_dataset
from tcray.store.trials import Record, records
from tcray.tune.status.display import HOST_HEADER, format_host_rows, format_time_left


@click.command("status")
@click.argument("sweep", required=False)
@store_option
@click.option("--follow", is_flag=True, help="Show SWEEP until nobody runs it; exit 1 if it is not finished then.")
@cluster_option
def command(sweep: str | None, store: str, cluster: str | None, *, follow: bool) -> None:
    """Show how far every sweep of the store has come, or SWEEP in detail."""
    if cluster is not None:
        say_there(cluster, "status", sweep, *["--follow"] * follow)
    opened = Store.open(store)
    if sweep is not None and follow:
        from tcray.cli.following import follow as show_to_its_end

        show_to_its_end(which(opened, sweep))
    elif follow:
        raise InputError(
            "--follow shows one sweep, and none is named",
            "Say which: `tcray status SWEEP --follow`; `tcray status` lists them.",
        )
    else:
        click.echo(overview(opened) if sweep is None else detail(which(opened, sweep)))


def overview(store: Store) -> str:
    """One line a sweep, first started first."""
    summaries = [Summary.of(store.sweep(manifest["sweep_id"])) for manifest in store.manifests()]
    if not summaries:
        return f"{store.volume.shown()} has no sweep yet"
    columns = [
        Column.of("sweep", [one.manifest["sweep_id"] for one in summaries]),
        Column.of("started", [format_time(one.manifest["started_at"]) for one in summaries]),
        *(Column.of(state.lower(), [one.runs(state=state) for one in summaries]) for state in STATES),
        Column.of("planned", [one.manifest["planned_runs"] for one in summaries]),
        Column.of("state", [standing(one) for one in summaries]),
        Column.of(
            "datasets", [", ".join(format_dataset_short(*dataset) for dataset in one.datasets) for one in summaries]
        ),
    ]
    return plain(columns)


def detail(sweep: SweepStore) -> str:
    """What one sweep asks, how far it has come, what failed, what is best so far, and what its driver is at."""
    runs = records(sweep)
    summary = Summary.of_runs(sweep, runs)
    manifest = summary.manifest
    at_work = read_activity(sweep, summary.holder.token) if summary.holder else None
    state = standing(summary) + (format_time_left(at_work) if at_work else "")
    sections = [
        "\n".join(filter(None, [manifest.get("question", ""), progress(summary), state])),
        by_dataset(summary),
        "\n".join(f"{count:,} FAILED on {dataset}: {reason}" for dataset, reason, count in summary.failures),
        best_so_far(runs, manifest["objective"]),
        *((by_host(at_work), "\n".join(at_work.why.values())) if at_work else ()),
    ]
    return "\n\n".join(section for section in sections if section)


def progress(summary: Summary) -> str:
    """As `4,000 complete, 30 pruned, 2 failed of 4,032`."""
    ended = ", ".join(f"{summary.runs(state=state):,} {state.lower()}" for state in STATES)
    return f"{ended} of {summary.manifest['planned_runs']:,}"


def standing(summary: Summary) -> str:
    """Whether anyone is at it now."""
    if summary.holder is not None:
        return f"running on {summary.holder.process.host} (pid {summary.holder.process.pid})"
    return "finished" if summary.manifest.get("finished_at") else "stopped"


def by_dataset(summary: Summary) -> str:
    """A row a dataset and phase, a column a state."""
    rows = [
        {"dataset": dataset, "source": source, "phase": phase}
        for dataset, source in summary.datasets
        for phase in ("search", "confirm")
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


def best_so_far(runs: Sequence[Record], objective: str) -> str:
    """A row a dataset: its complete run with the best objective."""
    best = list(best_by_dataset(runs, objective).values())
    if not best:
        return ""
    columns = [
        Column.of("best so far", [format_dataset_short(run["dataset"], run["source"]) for run in best]),
        Column.of(objective, [run[objective] for run in best]),
        *(Column.of(name, [run[name] for run in best]) for name in ("phase", "repeat", "trial", "seed", "cell")),
    ]
    return plain(columns)


def by_host(at_work: DriverStatus) -> str:
    """A row a host."""
    if not at_work.hosts:
        return ""
    columns = zip(HOST_HEADER, zip(*format_host_rows(at_work.hosts), strict=True), strict=True)
    return plain([Column((name,), texts, right=name not in ("host", "state")) for name, texts in columns])
