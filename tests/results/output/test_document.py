"""The document `results.json`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from tcray.claims.verdicts import conclude
from tcray.config.sweep import Confirm
from tcray.results.analysis import analyze
from tcray.results.output.document import build_document, build_results_schema, format_document
from tcray.statistics.estimate import Estimate
from tests.claims.factories import (
    MOSI,
    MUSTARD,
    RunOutcome,
    SyntheticDataset,
    make_labels,
    make_predictions,
    make_recorded_store,
    make_run,
    make_store,
    make_sweep,
)
from tests.results.factories import (
    CLAIMS,
    RANKS,
    make_component,
    make_full_results,
    make_full_sweep,
    make_manifest,
    make_profile,
)

KEYS = (
    *("claim", "component", "dataset", "metric", "source", "verdict", "estimate", "ci_low", "ci_high"),
    *("p_value", "p_adjusted", "n_units", "n_seeds", "sentence", "remark", "details"),
)


def validate(written: dict[str, Any]) -> None:
    """Raise a ValidationError if a document does not fit its schema."""
    jsonschema.Draft202012Validator(build_results_schema()).validate(written)


def test_the_schema_is_valid():
    """The schema is valid in the draft that it names."""
    assert build_results_schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(build_results_schema())


def test_results_with_every_verdict_fit_the_schema():
    """Results that contain NaN and None fit the schema as well."""
    written = build_document(make_full_results())
    validate(written)
    assert {finding["verdict"] for finding in written["findings"]} == {
        *("supported", "contradicted", "inconclusive", "not testable", "descriptive")
    }


def test_the_document_names_the_sweep_the_data_and_the_versions():
    """Twins are labeled, and the host name is omitted."""
    written = build_document(
        make_full_results(manifest=make_manifest(make_full_sweep(), finished_at=None), alpha=0.025, looks=2)
    )
    assert {
        key: written[key] for key in ("sweep_id", "name", "question", "claims", "finished_at", "alpha", "looks")
    } == {
        "sweep_id": "rank-1",
        "name": "rank",
        "question": "Does rank matter?",
        "claims": list(CLAIMS),
        "finished_at": None,
        "alpha": 0.025,
        "looks": 2,
    }
    assert [(data["dataset"], data["source"], data["fingerprint"]) for data in written["data_sources"]] == [
        ("mosi", "real", "m"),
        ("mustard", "twin", "u"),
    ]
    assert written["asked"]["factors"] == [["rank", list(RANKS)], ["conditioning", ["none", "jwae"]]]
    assert written["versions"] == {
        "document": 1,
        "engine": "2",
        "sessions": [
            {
                "started_at": "2026-01-01T10:00:00+00:00",
                "device": "cpu",
                "commit": "0123456789abcdef0123456789abcdef01234567-dirty",
                "packages": {"tcray": "0.1.0", "torch": "2.13.0"},
            }
        ],
    }


def test_keys_of_a_finding():
    """The interval is over retraining; the interval over people and everything else are in `details`."""
    component = make_component("non-monotone", MUSTARD, units_needed=40, p_supports=0.5, details={"two_lines_p": 0.25})
    findings = conclude([component], alpha=0.05, beats_linear={"mustard": True})
    whole, part = build_document(make_full_results(findings=findings))["findings"]
    assert tuple(part) == KEYS
    assert part == {
        "claim": "rank-generalisation",
        "component": "non-monotone",
        "dataset": "mustard",
        "metric": "test.f1",
        "source": "twin",
        "verdict": "inconclusive",
        "estimate": 0.031,
        "ci_low": 0.012,
        "ci_high": 0.05,
        "p_value": 0.5,
        "p_adjusted": 0.5,
        "n_units": 6,
        "n_seeds": 12,
        "sentence": findings[1].sentence,
        "remark": findings[1].remark,
        "details": {
            "stratum": {"conditioning": "none"},
            "estimand": "What non-monotone measures",
            "people_ci_low": 0.001,
            "people_ci_high": 0.061,
            "margin": 0.02,
            "p_opposite": 1.0,
            "p_against": 1.0,
            "negligible": False,
            "unit": "repeat",
            "sd_repeats": 0.011,
            "sd_seeds": 0.02,
            "units_needed": 40,
            "beats_linear": None,
            "specific": {"two_lines_p": 0.25},
        },
    }
    assert (whole["component"], whole["estimate"], whole["details"]["beats_linear"]) == ("all", None, True)


def test_parts_have_the_fields_of_the_analyses():
    """A profile has its values by unit and level, means with half-widths, and the optimum set."""
    values, means = np.array([[0.9, 1.0], [0.92, np.nan]]), (Estimate(0.91, 0.127), Estimate(1.0))
    made = make_profile(levels=(2, 12), values=values, means=means, optimum_set=(2, 12))
    (profile,) = build_document(make_full_results(profiles=(made,)))["parts"]["profiles"]
    assert {key: profile[key] for key in ("levels", "values", "means", "optimum_set")} == {
        "levels": [2, 12],
        "values": [[0.9, 1.0], [0.92, None]],
        "means": [{"mean": 0.91, "half_width": 0.127}, {"mean": 1.0, "half_width": None}],
        "optimum_set": [2, 12],
    }


def test_the_same_results_give_the_same_bytes():
    """The file parses to the document and contains no NaN."""

    def reject(constant: str) -> None:
        raise AssertionError(constant)

    text = format_document(build_document(make_full_results()))
    assert text == format_document(build_document(make_full_results()))
    assert json.loads(text, parse_constant=reject) == build_document(make_full_results())


def test_lists_of_plain_values_are_on_one_line():
    """Each row of a matrix is on one line."""
    assert format_document({"a": [[1.0, None], [2.0, "é"]], "b": {}, "c": {"d": []}}) == (
        '{\n  "a": [\n    [1.0, null],\n    [2.0, "é"]\n  ],\n  "b": {},\n  "c": {\n    "d": []\n  }\n}\n'
    )


def test_formatting_nan_raises_a_value_error():
    """`format_document` only accepts documents, which contain no NaN."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        format_document({"a": math.nan})


def test_a_sweep_in_the_store_fits_the_schema(tmp_path: Path):
    """An unfinished sweep with too few runs, a diverged run and a left-out dataset fits the schema."""
    sweep = make_sweep(claims=("rank-generalisation", "rank-spectrum", "robustness"))
    metrics = {"valid.loss": 1.0, "test.mae": 0.9, "train.loss": math.nan}
    runs = [
        make_run(metrics, rank=2),
        make_run({}, rank=12, state="FAILED", reason="diverged"),
        make_run({"valid.loss": math.inf}, rank=12, phase="search", state="PRUNED", seed=0),
    ]
    left_out = [{"dataset": "mustard", "reason": "it has no audio"}]
    store = make_store(tmp_path, runs, sweep=sweep, finished_at=None, left_out=left_out, engine="2", sessions=[])
    written = build_document(analyze(store))
    validate(written)
    assert written["left_out"] == left_out
    assert {finding["verdict"] for finding in written["findings"]} == {"not testable"}
    assert {(finding["dataset"], finding["source"]) for finding in written["findings"]} == {
        ("mosi", "real"),
        ("mustard", None),
    }


def make_outcome(levels: Mapping[str, Any], repeat: int, seed: int) -> RunOutcome:
    """Return a confirm run with all results; its error decreases with the number of modalities."""
    names = levels.get("modalities", tuple(MOSI.modalities))
    label = make_labels(MOSI)
    noise = np.random.default_rng([seed, len(names), levels.get("rank", 0)]).normal(0, 0.05, len(label))
    missing = {f"missing:{'+'.join(gone)}": noise for k in range(1, len(names) + 1) for gone in combinations(names, k)}
    return RunOutcome(
        make_predictions(label, 1.0 / len(names) + noise),
        also=missing,
        metrics={"valid.loss": 1.0, "train.loss": 0.5 + noise[0], "last.test.loss": 1.0, "check.mmd2.text": 0.1},
        evaluations={f"{attack}:0.1": {"mae": 2.0 + noise[0]} for attack in ("fgsm", "pgd", "noise:text")},
        spectra={"effective rank": [1.5 + noise[0]], "factor energy": [2.0, 1.0], "unfolded:text": [3.0, 0.0]},
    )


@pytest.mark.parametrize(
    ("claims", "factors", "parts"),
    [
        (
            ("rank-generalisation", "rank-spectrum", "conditioning"),
            {"rank": (1, 4, 16), "conditioning": ("none", "jwae")},
            {"profiles", "conditionings", "spectra", "robustness", "tables"},
        ),
        (
            ("weak-modality", "modal-asymmetry", "robustness"),
            {"modalities": "subsets"},
            {"contributions", "robustness", "tables"},
        ),
    ],
)
def test_every_part_of_a_sweep_fits_the_schema(
    tmp_path: Path, claims: tuple[str, ...], factors: Mapping[str, Any], parts: set[str]
):
    """Results of real analyses fit the schema; the modalities of a subset are joined by `+`."""
    sweep = make_sweep(claims=claims, factors=factors, tune={}, search=None, confirm=Confirm(seeds=4))
    store = make_recorded_store(tmp_path, sweep, SyntheticDataset.of(MOSI, make_outcome), engine="2", sessions=[])
    written = build_document(analyze(store))
    validate(written)
    assert {name for name, part in written["parts"].items() if part and name != "search"} == parts
    for contribution in written["parts"]["contributions"]:
        assert list(contribution["by_subset"]) == ["none", "text", "audio", "audio+text"]
        assert list(contribution["shapley"]["interactions"]) == ["audio+text"]
