"""The HTML page of the report: the filled template."""

from __future__ import annotations

from collections import Counter

from jinja2 import Environment, PackageLoader, StrictUndefined

from tcray.claims.verdicts import ALL, VerdictLabel
from tcray.claims.wording import capitalize
from tcray.results.analysis import Results
from tcray.results.display.labels import format_time
from tcray.results.output.component_tables import explain_component_tables
from tcray.results.output.html.findings import summarize_claim
from tcray.results.output.html.method import describe_method
from tcray.results.output.html.provenance import (
    build_data_notes,
    build_data_table,
    build_sessions_table,
    format_commands,
    format_sweep_file,
)
from tcray.results.output.html.sections import build_sections
from tcray.results.output.verdict_text import format_unbeaten
from tcray.results.ranking.tables import build_ranking_tables

SIGNS: dict[VerdictLabel, str] = {
    "supported": "✓",
    "contradicted": "✕",
    "inconclusive": "?",
    "not testable": "–",
    "descriptive": "·",
}


def render_page(results: Results) -> str:
    """Return the report as HTML."""
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
        claims=[summarize_claim(claim, results) for claim in results.sweep.claims],
        tally=Counter(finding.verdict for finding in results.findings if finding.measured.component == ALL),
        signs=SIGNS,
        data=build_data_table(results),
        data_notes=list(build_data_notes(results)),
        unbeaten=format_unbeaten(results.findings),
        sections=list(build_sections(results)),
        component_note=explain_component_tables(results.alpha),
        ranking=results.ranking,
        ranking_tables=list(build_ranking_tables(results.ranking)),
        method=list(describe_method(results)),
        sessions=build_sessions_table(results),
        commands=format_commands(results),
        sweep_file=format_sweep_file(results.sweep),
        capitalize=capitalize,
    )
