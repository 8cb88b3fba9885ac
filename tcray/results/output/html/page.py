"""The page itself: the template, filled."""

from __future__ import annotations

from collections import Counter

from jinja2 import Environment, PackageLoader, StrictUndefined

from tcray.claims.verdicts import ALL, Verdict
from tcray.claims.wording import capitalize
from tcray.results.analysis import Results
from tcray.results.display.labels import format_time
from tcray.results.output.html.findings import claim_shown
from tcray.results.output.html.method import method
from tcray.results.output.html.provenance import (
    commands,
    data_notes,
    data_table,
    sessions_table,
    sweep_file,
)
from tcray.results.output.html.sections import sections
from tcray.results.output.verdict_text import format_unbeaten
from tcray.results.ranking.tables import ranked

SIGNS: dict[Verdict, str] = {
    "supported": "✓",
    "contradicted": "✕",
    "inconclusive": "?",
    "not testable": "–",
    "descriptive": "·",
}


def page(results: Results) -> str:
    """The report as HTML."""
    environment = Environment(
        loader=PackageLoader("tcray.results.output.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    manifest = results.manifest
    return environment.get_template("report.html.jinja").render(
        title=results.sweep.question or f"Sweep {results.sweep.name}",
        sweep_id=results.sweep_id,
        datasets=[(card["name"], card["source"]) for card in manifest["cards"]],
        twins=[card["name"] for card in manifest["cards"] if card["source"] == "twin"],
        planned_runs=manifest["planned_runs"],
        device=manifest["device"],
        engine=manifest["engine"],
        started=format_time(manifest["started_at"]),
        finished=format_time(manifest["finished_at"]) if manifest["finished_at"] else "",
        claims=[claim_shown(claim, results) for claim in results.sweep.claims],
        tally=Counter(finding.verdict for finding in results.findings if finding.measured.component == ALL),
        signs=SIGNS,
        data=data_table(results),
        data_notes=list(data_notes(results)),
        unbeaten=format_unbeaten(results.findings),
        sections=list(sections(results)),
        ranking=results.ranking,
        ranked=[ranked(table) for table in results.ranking.tables],
        method=list(method(results)),
        sessions=sessions_table(results),
        commands=commands(results),
        sweep_file=sweep_file(results.sweep),
        capitalize=capitalize,
    )
