"""From a sweep file to its verdicts, by the real queue, engine, store and analyses: twins whose truth is known."""

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
"""What 12 seeds of sweep seed 0 say: what was planted, and no more."""


@pytest.mark.slow
@pytest.mark.parametrize("name", VERDICTS)
def test_a_known_truth_is_found_and_nothing_else(name: str, tmp_path: Path) -> None:
    """The verdicts are those of the planted truth, and the same store gives the same document to the last digit."""
    store = record_sweep(tmp_path, load_sweep(KNOWN / f"{name}.yaml"))
    results = analyze(store)
    said = {f"{f.measured.claim}/{f.measured.component}": f.verdict for f in results.findings}
    assert said.items() >= VERDICTS[name].items()
    assert format_document(build_document(results)) == format_document(build_document(analyze(store)))
