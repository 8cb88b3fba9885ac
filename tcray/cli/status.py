"""`tcray status`: how far every sweep of a store has come, or one in detail."""

from __future__ import annotations

import click

from tcray.cli.terminal.table import Column, plain
from tcray.cli.which import store_option, which
from tcray.results.views.labels import short_dataset_label, time_label
from tcray.store.store import Store, SweepStore
from tcray.store.summary import STATES, Summary, best_by_dataset
from tcray.store.trials import records


@click.command("status")
@click.argument("sweep", required=False)
@store_option
def command(sweep: str | None, store: str) -> None:
    """Show how far every sweep of the store has come, or SWEEP in detail."""
    opened = Store.open(store)
    click.echo(overview(opened) if sweep is None else detail(which(opened, sweep)))


def overview(store: Store) -> str:
    """One line a sweep, first started first."""
    summaries = [Summary.of(store.sweep(manifest["sweep_id"])) for manifest in store.manifests()]
    if not summaries:
        return f"{store.volume.shown()} has no sweep yet"
    columns = [
        Column.of("sweep", [one.manifest["sweep_id"] for one in summaries]),
        Column.of("started", [time_label(one.manifest["started_at"]) for one in summaries]),
        *(Column.of(state.lower(), [one.runs(state=state) for one in summaries]) for state in STATES),
        Column.of("planned", [one.manifest["planned_runs"] for one in summaries]),
        Column.of("state", [activity(one) for one in summaries]),
        Column.of(
            "datasets", [", ".join(short_dataset_label(*dataset) for dataset in one.datasets) for one in summaries]
        ),
    ]
    return plain(columns)


def detail(sweep: SweepStore) -> str:
    """What one sweep asks, how far it has come with each dataset, what failed, and what is best so far."""
    summary = Summary.of(sweep)
    manifest = summary.manifest
    sections = [
        "\n".join(filter(None, [manifest.get("question", ""), progress(summary), activity(summary)])),
        by_dataset(summary),
        "\n".join(f"{count:,} FAILED on {dataset}: {reason}" for dataset, reason, count in summary.failures),
        best_so_far(sweep, manifest["objective"]),
    ]
    return "\n\n".join(section for section in sections if section)


def progress(summary: Summary) -> str:
    """As `4,000 complete, 30 pruned, 2 failed of 4,032`."""
    ended = ", ".join(f"{summary.runs(state=state):,} {state.lower()}" for state in STATES)
    return f"{ended} of {summary.manifest['planned_runs']:,}"


def activity(summary: Summary) -> str:
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
        Column.of("dataset", [short_dataset_label(row["dataset"], row["source"]) for row in rows]),
        Column.of("phase", [row["phase"] for row in rows]),
        *(Column.of(state.lower(), [summary.runs(**row, state=state) for row in rows]) for state in STATES),
    ]
    return plain(columns)


def best_so_far(sweep: SweepStore, objective: str) -> str:
    """A row a dataset: its complete run with the best objective."""
    best = list(best_by_dataset(records(sweep), objective).values())
    if not best:
        return ""
    columns = [
        Column.of("best so far", [short_dataset_label(run["dataset"], run["source"]) for run in best]),
        Column.of(objective, [run[objective] for run in best]),
        *(Column.of(name, [run[name] for run in best]) for name in ("phase", "repeat", "trial", "seed", "cell")),
    ]
    return plain(columns)
