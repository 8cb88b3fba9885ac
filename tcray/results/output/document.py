"""`results.json`: question, data, versions, findings, and the numbers behind the figures.

The document and its JSON Schema are built from one table of properties, so they always agree.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter, itemgetter
from typing import Any, get_args

from tcray.claims.verdicts import ALL, Finding, VerdictLabel
from tcray.results.analysis import Results
from tcray.results.modalities.analysis import Contribution
from tcray.results.output.json_values import (
    BOOLEAN,
    INTEGER,
    NUMBER,
    OBJECT,
    STRING,
    JsonType,
    Property,
    array_of,
    enum_of,
    json_type_of,
    object_of,
)
from tcray.results.prior.analysis import Conditioning
from tcray.results.rank.analysis import Profile
from tcray.results.ranking.analysis import DatasetTable
from tcray.results.robustness.analysis import Robustness
from tcray.results.search.analysis import SearchAnalysis
from tcray.results.spectrum.analysis import Spectrum

FORMAT = 1
"""The format of the document; increased when a key is removed or changes its meaning."""


def build_document(results: Results) -> dict[str, Any]:
    """Return the results of a sweep in JSON types: a pure function of its store; missing numbers are None."""
    written: dict[str, Any] = _DOCUMENT.write(results)
    return written


def build_results_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of `build_document`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tcray results",
        "description": "Results of a sweep over hyperparameters of low-rank multimodal fusion",
        **_DOCUMENT.schema,
    }


def format_document(document: Mapping[str, Any]) -> str:
    """Return a document as the text of its file; objects and arrays of plain values are on one line each."""
    return "".join(_pieces(document, "\n")) + "\n"


def _pieces(value: Any, newline: str) -> Iterator[str]:
    """Yield the pieces of a text like that of `json.dumps(indent=2)`, which has one line for each number."""
    items: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
    nested = list(items.values()) if items else value if isinstance(value, list) else []
    if not any(isinstance(item, Mapping | list) for item in nested):
        yield json.dumps(value, ensure_ascii=False, allow_nan=False)
        return
    keys = [f"{json.dumps(key, ensure_ascii=False)}: " for key in items] or [""] * len(nested)
    inner = f"{newline}  "
    yield "{" if items else "["
    for place, (key, item) in enumerate(zip(keys, nested, strict=True)):
        yield f"{',' if place else ''}{inner}{key}"
        yield from _pieces(item, inner)
    yield newline + ("}" if items else "]")


def _measured(name: str, end: str = "") -> Callable[[Finding], Any]:
    """Return a reader for a field of a finding's component; with `end`, for one end of an interval, if there is one."""
    field = attrgetter(f"measured.{name}")
    return (lambda finding: getattr(field(finding), end, None)) if end else field


_SOURCE = enum_of("real", "twin")
_SOURCE_IF_ANY = JsonType(lambda source: source or None, {"enum": ["real", "twin", None]})

_DETAILS = object_of(
    {
        "stratum": Property(OBJECT, "levels of the other factors, by name", _measured("stratum")),
        "estimand": Property(STRING, "what the estimate estimates", _measured("estimand")),
        "people_ci_low": Property(
            NUMBER, "lower end of the 95 % interval over retraining and people", _measured("ci_people", "low")
        ),
        "people_ci_high": Property(NUMBER, "its upper end", _measured("ci_people", "high")),
        "margin": Property(NUMBER, "the smallest effect of interest", _measured("margin")),
        "p_opposite": Property(
            NUMBER, "p-value of the opposite of what is claimed, before correction", _measured("p_opposes")
        ),
        "p_against": Property(
            NUMBER,
            "p-value of what contradicts the claim, corrected (Holm) for components, datasets and strata",
            attrgetter("p_against"),
        ),
        "negligible": Property(BOOLEAN, "whether the effect is shown to be below the margin", _measured("negligible")),
        "unit": Property(
            STRING, "the independent unit: a repeat (the mean of its seeds), or a seed", _measured("unit")
        ),
        "sd_repeats": Property(
            NUMBER, "standard deviation between repeats, without that between seeds", _measured("sd_repeats")
        ),
        "sd_seeds": Property(NUMBER, "standard deviation between the seeds of a repeat", _measured("sd_seeds")),
        "units_needed": Property(
            INTEGER.or_null(), "units that show an effect of the margin with 80 % power", _measured("units_needed")
        ),
        "beats_linear": Property(BOOLEAN.or_null(), "whether any cell beats the linear model; null if unknown"),
        "specific": Property(OBJECT, "values that only this component measures", _measured("details")),
    }
)

_FINDING = object_of(
    {
        "claim": Property(STRING, "", _measured("claim")),
        "component": Property(
            STRING, f"a part of the claim, or {ALL} for the claim as a whole", _measured("component")
        ),
        "dataset": Property(STRING, "", _measured("dataset")),
        "metric": Property(STRING, "such as test.mae", _measured("metric")),
        "source": Property(_SOURCE_IF_ANY, "a twin is synthetic; null: the dataset was left out", _measured("source")),
        "verdict": Property(enum_of(*get_args(VerdictLabel))),
        "estimate": Property(NUMBER, "the effect", _measured("estimate")),
        "ci_low": Property(
            NUMBER,
            "lower end of the 95 % interval over retraining, on this test set",
            _measured("ci_retraining", "low"),
        ),
        "ci_high": Property(NUMBER, "its upper end", _measured("ci_retraining", "high")),
        "p_value": Property(NUMBER, "p-value of what is claimed, before correction"),
        "p_adjusted": Property(NUMBER, "the same, corrected (Holm) for datasets and strata; compared with alpha"),
        "n_units": Property(INTEGER, "", _measured("n_units")),
        "n_seeds": Property(INTEGER, "confirm runs in the mean of a cell", _measured("n_seeds")),
        "sentence": Property(STRING, "the verdict in plain words"),
        "remark": Property(STRING, "a remark on the dataset; empty if there is none"),
        "details": Property(_DETAILS, "", lambda finding: finding),
    }
)

_DATA_SOURCE = object_of(
    {
        "dataset": Property(STRING, "", itemgetter("name")),
        "source": Property(_SOURCE, "", itemgetter("source")),
        "fingerprint": Property(STRING, "equal fingerprints mean equal data", itemgetter("fingerprint")),
        "task": Property(enum_of("regression", "classification"), "", itemgetter("task")),
        "primary_metric": Property(STRING, "the metric of the verdicts", itemgetter("primary_metric")),
        "modalities": Property(OBJECT, "feature width of each modality", itemgetter("modalities")),
        "sizes": Property(array_of(INTEGER), "train, valid and test examples", itemgetter("sizes")),
        "folds": Property(INTEGER, "1 for a single split", itemgetter("folds")),
        "groups": Property(
            STRING, "how test examples are grouped; empty if each is a group of its own", itemgetter("groups")
        ),
        "saw_labels": Property(
            BOOLEAN, "true if the features of the train split were learned from its labels", itemgetter("saw_labels")
        ),
        "notes": Property(array_of(STRING), "remarks for the reader", itemgetter("notes")),
    }
)

_SESSION = object_of(
    {
        "started_at": Property(STRING, "UTC", itemgetter("started_at")),
        "device": Property(STRING, "", itemgetter("device")),
        "commit": Property(
            STRING.or_null(), "of the working directory; null if it is not a repository", itemgetter("commit")
        ),
        "packages": Property(OBJECT, "version by name", itemgetter("versions")),
    }
)

_VERSIONS = object_of(
    {
        "document": Property(INTEGER, "the format of this document", lambda _: FORMAT),
        "engine": Property(STRING, "version of the training arithmetic", itemgetter("engine")),
        "sessions": Property(array_of(_SESSION), "one per start or resumption of the sweep", itemgetter("sessions")),
    }
)

_PARTS = object_of(
    {
        "profiles": Property(array_of(json_type_of(Profile))),
        "conditionings": Property(array_of(json_type_of(Conditioning))),
        "spectra": Property(array_of(json_type_of(Spectrum))),
        "contributions": Property(array_of(json_type_of(Contribution))),
        "robustness": Property(array_of(json_type_of(Robustness))),
        "search": Property(json_type_of(SearchAnalysis)),
        "tables": Property(array_of(json_type_of(DatasetTable)), "", attrgetter("ranking.tables")),
    }
)


def _manifest(key: str) -> Callable[[Results], Any]:
    return lambda results: results.manifest[key]


_DOCUMENT = object_of(
    {
        "sweep_id": Property(STRING),
        "name": Property(STRING, "", attrgetter("sweep.name")),
        "question": Property(STRING, "", attrgetter("sweep.question")),
        "claims": Property(array_of(STRING), "tested hypotheses", attrgetter("sweep.claims")),
        "started_at": Property(STRING, "UTC", _manifest("started_at")),
        "finished_at": Property(STRING.or_null(), "null if not finished", _manifest("finished_at")),
        "asked": Property(
            OBJECT, "everything that can change a result", lambda results: results.sweep.to_question_document()
        ),
        "data_sources": Property(array_of(_DATA_SOURCE), "", _manifest("cards")),
        "left_out": Property(array_of(OBJECT), "datasets that could not be swept, with reasons", _manifest("left_out")),
        "versions": Property(_VERSIONS, "", attrgetter("manifest")),
        "alpha": Property(NUMBER, "level for adjusted p-values: 0.05 divided by the number of looks"),
        "looks": Property(
            INTEGER,
            "sweeps that asked this question of these data with other confirm runs, this one included",
        ),
        "findings": Property(
            array_of(_FINDING), "the whole claims, one finding per dataset and stratum, then their components"
        ),
        "parts": Property(_PARTS, "the numbers behind the figures", lambda results: results),
    }
)
