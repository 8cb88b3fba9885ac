"""The provenance of a report: data, versions, and the commands that reproduce it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from tcray.config.sweep import Sweep
from tcray.results.analysis import Results
from tcray.results.display.labels import MISSING, format_metric, format_time
from tcray.results.display.table import ColumnSpec, Table, TableRow

NOT_RECORDED = "not recorded"


def build_data_table(results: Results) -> Table:
    """Return the table of datasets: source, task, widths, metric, groups, fingerprint and sizes."""
    columns = (
        ColumnSpec("dataset", "name"),
        ColumnSpec("source", "source"),
        *(ColumnSpec(h, "text") for h in ("task", "modalities (width)", "metric", "test groups", "fingerprint")),
        ColumnSpec("train / validation / test"),
    )
    rows = tuple(
        TableRow(
            (
                card["name"],
                card["source"],
                card["task"],
                ", ".join(f"{modality} ({width})" for modality, width in card["modalities"].items()),
                format_metric(card["primary_metric"]),
                card["groups"] or "each example",
                card["fingerprint"],
                " / ".join(f"{size:,}" for size in card["sizes"]),
            )
        )
        for card in results.manifest["cards"]
    )
    return Table("The datasets, each real or a twin; verdicts use the metric", columns, rows)


def build_data_notes(results: Results) -> Iterator[str]:
    """Yield what a reader must know about the data, one sentence each."""
    for card in results.manifest["cards"]:
        for note in card["notes"]:
            yield f"{card['name']}: {note}"
        if card["saw_labels"]:
            yield (
                f"{card['name']}: the features of its train split were learned from its labels, so train loss is "
                "too optimistic."
            )
    for left_out in results.manifest["left_out"]:
        yield f"{left_out['dataset']} is left out: {left_out['reason']}."


def build_sessions_table(results: Results) -> Table:
    """Return the table of driver sessions: start, device, commit and package versions."""
    sessions = results.manifest["sessions"]
    packages = list(dict.fromkeys(package for session in sessions for package in session["versions"]))
    rows = tuple(
        TableRow(
            (
                format_time(session["started_at"]),
                session["device"] or MISSING,
                _shorten_commit(session["commit"]) if session["commit"] else NOT_RECORDED,
                *(session["versions"].get(package, MISSING) for package in packages),
            )
        )
        for session in sessions
    )
    columns = (
        ColumnSpec("started (UTC)", "name"),
        *(ColumnSpec(header, "text") for header in ("device", "commit", *packages)),
    )
    return Table("Sessions and versions", columns, rows)


def _shorten_commit(commit: str) -> str:
    """Return the first twelve digits of a commit, with `-dirty` if files were changed."""
    digits, dash, dirty = commit.partition("-")
    return f"{digits[:12]}{dash}{dirty}"


def format_commands(results: Results) -> str:
    """Return the commands that reproduce the sweep and this report."""
    sessions = results.manifest["sessions"]
    commit = (sessions[-1]["commit"] or "") if sessions else ""
    version = sessions[-1]["versions"].get("tcray") if sessions else None
    lines = []
    if commit:
        dirty = "   # plus changes that were not committed" if commit.endswith("-dirty") else ""
        lines.append(f"git checkout {commit.removesuffix('-dirty')}{dirty}")
    if version:
        lines.append(f"pip install .   # tcray {version}")
    file = f"{results.sweep.name}.yaml"
    lines += [
        f"tcray sweep {file}   # the sweep file below",
        f"tcray results {results.sweep_id} --html report.html --json results.json",
    ]
    return "\n".join(lines)


def format_sweep_file(sweep: Sweep) -> str:
    """Return a sweep file that asks the same question, with all defaults written out and without resources."""
    document = sweep.to_document()
    pruner = document["search"] and document["search"]["pruner"]
    search: Mapping[str, Any] = document["search"] or {}
    sections: dict[str, Any] = {
        "name": document["name"],
        "question": document["question"],
        "claims": document["claims"],
        "datasets": document["datasets"],
        "data": {"missing": document["data"]["missing"]},
        "factors": dict(document["factors"]),
        "tune": dict(document["tune"]),
        "fixed": document["fixed"],
        "training": document["training"],
        "search": {**search, "objective": document["objective"], "pruner": pruner and {"asha": pruner}},
        "confirm": document["confirm"],
        "seed": document["seed"],
    }
    if pruner is None:
        del sections["search"]["pruner"]
    given = {key: value for key, value in sections.items() if value not in (None, {}, [], "")}
    return yaml.safe_dump(given, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)
