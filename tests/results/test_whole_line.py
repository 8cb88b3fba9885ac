"""End-to-end runs from a sweep file to verdicts on twins with a known truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcray.config.load import load_sweep
from tcray.results.analysis import analyze
from tcray.results.output.document import build_document, format_document
from tests.recording import record_sweep

KNOWN = Path(__file__).parents[1] / "known"

VERDICTS = {
    "twin-overfit": {"rank-generalisation/all": "supported"},
    "twin-flat": {"rank-generalisation/non-monotone": "inconclusive"},
    "twin-saturating": {"rank-generalisation/non-monotone": "inconclusive"},
    "twin-harmful": {"weak-modality/all": "supported", "modal-asymmetry/all": "supported"},
    "twin-harmless": {"weak-modality/all": "contradicted", "modal-asymmetry/all": "supported"},
}
"""Verdicts of 12 seeds of sweep seed 0: only planted effects are found."""


@pytest.mark.slow
@pytest.mark.parametrize("name", VERDICTS)
def test_verdicts_match_the_known_truth(name: str, tmp_path: Path) -> None:
    """The verdicts match the planted truth, and the same store gives an identical document."""
    store = record_sweep(tmp_path, load_sweep(KNOWN / f"{name}.yaml"))
    results = analyze(store)
    verdicts = {f"{f.measured.claim}/{f.measured.component}": f.verdict for f in results.findings}
    assert verdicts.items() >= VERDICTS[name].items()
    assert format_document(build_document(results)) == format_document(build_document(analyze(store)))
