"""Where the numbers of a report come from: data, versions, and the commands that make them again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from tcray.config.sweep import Sweep
from tcray.results.analysis import Results
from tcray.results.display.labels import NONE, format_metric, format_time
from tcray.results.display.table import Cell, Table, heads, name, words

UNTOLD = "not recorded"


def data_table(results: Results) -> Table:
    """A row a dataset: real or twin, its sizes, widths, metric and fingerprint."""
    head = heads(
        ("dataset", "source", "task", "modalities (width)", "metric", "test groups", "fingerprint"),
        ("train / validation / test",),
    )
    rows = tuple(
        (
            name(card["name"]),
            Cell(card["source"], "source"),
            words(card["task"]),
            words(", ".join(f"{modality} ({width})" for modality, width in card["modalities"].items())),
            words(format_metric(card["primary_metric"])),
            words(card["groups"] or "each example"),
            words(card["fingerprint"]),
            Cell(" / ".join(f"{size:,}" for size in card["sizes"])),
        )
        for card in results.manifest["cards"]
    )
    return Table("The datasets, each real or a twin; the metric is the one that bears verdicts", (head,), rows)


def data_notes(results: Results) -> Iterator[str]:
    """What the reader must know of the data, a sentence each."""
    for card in results.manifest["cards"]:
        for note in card["notes"]:
            yield f"{card['name']}: {note}"
        if card["saw_labels"]:
            yield f"{card['name']}: the features of its train split were learned from its labels: train loss flatters."
    for left in results.manifest["left_out"]:
        yield f"{left['dataset']} is left out: {left['reason']}."


def sessions_table(results: Results) -> Table:
    """A row a session in which a driver worked on the sweep: when, on what, and with which versions."""
    sessions = results.manifest["sessions"]
    packages = list(dict.fromkeys(package for session in sessions for package in session["versions"]))
    rows = tuple(
        (
            name(format_time(session["started_at"])),
            words(session["device"] or NONE),
            words(_short(session["commit"]) if session["commit"] else UNTOLD),
            *(words(session["versions"].get(package, NONE)) for package in packages),
        )
        for session in sessions
    )
    return Table("Sessions and versions", (heads(("started (UTC)", "device", "commit", *packages), ()),), rows)


def _short(commit: str) -> str:
    """Twelve digits of a commit, and whether files were changed."""
    digits, dash, dirty = commit.partition("-")
    return f"{digits[:12]}{dash}{dirty}"


def commands(results: Results) -> str:
    """What to type to make the sweep, and this report, again."""
    sessions = results.manifest["sessions"]
    commit = (sessions[-1]["commit"] or "") if sessions else ""
    version = sessions[-1]["versions"].get("tcray") if sessions else None
    lines = []
    if commit:
        dirty = "   # with changes that were not committed" if commit.endswith("-dirty") else ""
        lines.append(f"git checkout {commit.removesuffix('-dirty')}{dirty}")
    if version:
        lines.append(f"pip install .   # tcray {version}")
    file = f"{results.sweep.name}.yaml"
    lines += [
        f"tcray sweep {file}   # the sweep file below",
        f"tcray results {results.sweep_id} --html report.html --json results.json",
    ]
    return "\n".join(lines)


def sweep_file(sweep: Sweep) -> str:
    """The sweep as a file that asks the same question, every default written out; without resources."""
    document = sweep.to_document()
    pruner = document["search"] and document["search"]["pruner"]
    search: Mapping[str, Any] = document["search"] or {}
    said: dict[str, Any] = {
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
        del said["search"]["pruner"]
    given = {key: value for key, value in said.items() if value not in (None, {}, [], "")}
    return yaml.safe_dump(given, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)
