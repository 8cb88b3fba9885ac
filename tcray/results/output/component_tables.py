"""Tables of the components of a claim: effects, intervals, p-values and verdicts, by dataset and stratum."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tcray.claims.verdicts import ALL, Finding
from tcray.config.messages import join_words
from tcray.results.display.grouping import group_by
from tcray.results.display.labels import (
    MISSING,
    format_integer,
    format_metric,
    format_number,
    format_p,
    format_place_short,
)
from tcray.results.display.table import ALWAYS, ColumnSpec, Table, TableRow
from tcray.results.output.verdict_text import format_bounds, format_effect, format_two_lines_p, select_findings

Format = Callable[[Finding], str]

EFFECTS: tuple[tuple[ColumnSpec, Format], ...] = (
    (ColumnSpec("metric", "text", 8), lambda f: format_metric(f.measured.metric)),
    (ColumnSpec("effect", priority=2), lambda f: format_effect(f.measured)),
    (
        ColumnSpec("95 % interval\nover retraining", priority=3),
        lambda f: format_bounds(f.measured, f.measured.ci_retraining),
    ),
    (ColumnSpec("and over\npeople too", priority=6), lambda f: format_bounds(f.measured, f.measured.ci_people)),
    (ColumnSpec("margin", priority=15), lambda f: MISSING if f.measured.margin is None else f"{f.measured.margin:g}"),
    (ColumnSpec("SD of\nrepeats", priority=11), lambda f: format_number(f.measured.sd_repeats)),
    (ColumnSpec("SD of\nseeds", priority=12), lambda f: format_number(f.measured.sd_seeds)),
)
"""Columns that are blank for a claim as a whole."""

TESTS: tuple[tuple[ColumnSpec, Format], ...] = (
    (ColumnSpec("p", priority=7), lambda f: format_p(f.p_value)),
    (ColumnSpec("Holm p", priority=4), lambda f: format_p(f.p_adjusted)),
    (ColumnSpec("against\nHolm p", priority=13), lambda f: format_p(f.p_against)),
    (ColumnSpec("two lines\np", priority=14), lambda f: format_two_lines_p(f.measured)),
    (ColumnSpec("units", priority=5), lambda f: format_integer(f.measured.n_units)),
    (ColumnSpec("runs", priority=10), lambda f: format_integer(f.measured.n_seeds)),
    (ColumnSpec("units\nneeded", priority=9), lambda f: format_integer(f.measured.units_needed)),
    (ColumnSpec("verdict", "verdict", ALWAYS), lambda f: f.verdict),
)


def build_component_table(claim: str, findings: Sequence[Finding]) -> Table | None:
    """Return the components of a claim below each dataset and stratum; None if none of them could be tested."""
    own = select_findings(claim, findings)
    if all(finding.measured.component == ALL or finding.verdict == "not testable" for finding in own):
        return None
    columns = (ColumnSpec("", "name", ALWAYS), *(spec for spec, _ in (*EFFECTS, *TESTS)))
    return Table(claim, columns, tuple(_build_rows(own)), tuple(_explain_untestable(own))).drop_empty_columns()


def explain_component_tables(alpha: float) -> str:
    """Return how to read the tables of components."""
    return (
        "Effects are in the units of their metric, with 95 % intervals over retraining (on this test set) and over "
        "retraining and people; p is for what is claimed, and Holm p is corrected for the number of datasets and "
        f"strata: a component is supported at {alpha:.3g} or less."
    )


def _build_rows(findings: Sequence[Finding]) -> Iterator[TableRow]:
    for place, own in group_by(findings, lambda finding: format_place_short(finding.measured)).items():
        whole = next((finding for finding in own if finding.measured.component == ALL), None)
        tests = (format_cell(whole) if whole else "" for _, format_cell in TESTS)
        yield TableRow((place, *[""] * len(EFFECTS), *tests), "heading")
        for finding in own:
            if finding.measured.component != ALL:
                texts = (format_cell(finding) for _, format_cell in (*EFFECTS, *TESTS))
                yield TableRow((finding.measured.component, *texts))


def _explain_untestable(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield each reason for which components are not testable, with their names."""
    parts = [f for f in findings if f.verdict == "not testable" and f.measured.component != ALL]
    for reason, same in group_by(parts, lambda finding: finding.sentence).items():
        yield f"{join_words(dict.fromkeys(finding.measured.component for finding in same), 'and')}: {reason}"
