"""`results.json`: what was asked, of which data, with which versions; what was found, and the numbers behind figures.

The document and its JSON Schema are two readings of one table of keys, so neither can say what the other does not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter, itemgetter
from typing import Any, get_args

from tcray.claims.verdicts import ALL, Finding, Verdict
from tcray.results.analysis import Results
from tcray.results.modalities.analysis import Contribution
from tcray.results.output.json_values import (
    FLAG,
    NUMBER,
    OPEN,
    TEXT,
    WHOLE,
    Entry,
    Kind,
    kind_of,
    list_of,
    one_of,
    record,
)
from tcray.results.prior.analysis import Conditioning
from tcray.results.rank.analysis import Profile
from tcray.results.ranking.analysis import DatasetTable
from tcray.results.robustness.analysis import Robustness
from tcray.results.search.analysis import SearchAnalysis
from tcray.results.spectrum.analysis import Spectrum

FORMAT = 1
"""Of the document; raised where a key goes or changes its meaning."""


def build_document(results: Results) -> dict[str, Any]:
    """The results of a sweep as JSON has them: a pure function of its store, with null where there is no number."""
    written: dict[str, Any] = _DOCUMENT.write(results)
    return written


def build_results_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of every `build_document`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tcray results",
        "description": "What may be concluded from a sweep over hyperparameters of low-rank multimodal fusion",
        **_DOCUMENT.schema,
    }


def format_document(document: Mapping[str, Any]) -> str:
    """A document as its file has it: equal documents, equal bytes. What holds plain values alone stands in one line."""
    return "".join(_pieces(document, "\n")) + "\n"


def _pieces(value: Any, newline: str) -> Iterator[str]:
    """As `json.dumps` does, which would give each number of a matrix a line of its own."""
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
    """Reads a field of the component that a finding measured; of an interval one end, where there is an interval."""
    field = attrgetter(f"measured.{name}")
    return (lambda finding: getattr(field(finding), end, None)) if end else field


_SOURCE = one_of("real", "twin")
_SOURCE_IF_ANY = Kind(lambda source: source or None, {"enum": ["real", "twin", None]})

_DETAILS = record(
    {
        "stratum": Entry(OPEN, "levels of the other factors, by name", _measured("stratum")),
        "estimand": Entry(TEXT, "what the estimate estimates", _measured("estimand")),
        "people_ci_low": Entry(
            NUMBER, "of the 95 % interval over retraining and people", _measured("ci_people", "low")
        ),
        "people_ci_high": Entry(NUMBER, "of the same", _measured("ci_people", "high")),
        "margin": Entry(NUMBER, "the smallest effect of interest", _measured("margin")),
        "p_opposite": Entry(NUMBER, "for the opposite of what is claimed, before correction", _measured("p_opposes")),
        "p_against": Entry(
            NUMBER,
            "of what contradicts it, corrected (Holm) for components, datasets and strata",
            attrgetter("p_against"),
        ),
        "negligible": Entry(FLAG, "whether the effect is shown to be below the margin", _measured("negligible")),
        "unit": Entry(TEXT, "what is independent: a repeat (the mean of its seeds), or a seed", _measured("unit")),
        "sd_repeats": Entry(
            NUMBER, "standard deviation between repeats, without the share of their seeds", _measured("sd_repeats")
        ),
        "sd_seeds": Entry(NUMBER, "standard deviation between the seeds of a repeat", _measured("sd_seeds")),
        "units_needed": Entry(
            WHOLE.or_null(), "units that show an effect of the margin with 80 % power", _measured("units_needed")
        ),
        "beats_linear": Entry(FLAG.or_null(), "whether any cell beats the linear model; null where that is not known"),
        "specific": Entry(OPEN, "what this component alone measures", _measured("details")),
    }
)

_FINDING = record(
    {
        "claim": Entry(TEXT, "", _measured("claim")),
        "component": Entry(TEXT, f"a part of the claim, or {ALL} for the claim as a whole", _measured("component")),
        "dataset": Entry(TEXT, "", _measured("dataset")),
        "metric": Entry(TEXT, "as test.mae", _measured("metric")),
        "source": Entry(_SOURCE_IF_ANY, "a twin is synthetic; null: the dataset was left out", _measured("source")),
        "verdict": Entry(one_of(*get_args(Verdict))),
        "estimate": Entry(NUMBER, "the effect", _measured("estimate")),
        "ci_low": Entry(
            NUMBER, "of the 95 % interval over retraining, on this test set", _measured("ci_retraining", "low")
        ),
        "ci_high": Entry(NUMBER, "of the same", _measured("ci_retraining", "high")),
        "p_value": Entry(NUMBER, "for what is claimed, before correction"),
        "p_adjusted": Entry(
            NUMBER, "the same, corrected (Holm) for datasets and strata; alpha is what it is held against"
        ),
        "n_units": Entry(WHOLE, "", _measured("n_units")),
        "n_seeds": Entry(WHOLE, "confirm runs that the mean of a cell rests on", _measured("n_seeds")),
        "sentence": Entry(TEXT, "the verdict in plain words"),
        "remark": Entry(TEXT, "a remark on the dataset; empty if there is none"),
        "details": Entry(_DETAILS, "", lambda finding: finding),
    }
)

_DATA_SOURCE = record(
    {
        "dataset": Entry(TEXT, "", itemgetter("name")),
        "source": Entry(_SOURCE, "", itemgetter("source")),
        "fingerprint": Entry(TEXT, "equal fingerprints, equal data", itemgetter("fingerprint")),
        "task": Entry(one_of("regression", "classification"), "", itemgetter("task")),
        "primary_metric": Entry(TEXT, "the one that bears verdicts", itemgetter("primary_metric")),
        "modalities": Entry(OPEN, "width of the features of each", itemgetter("modalities")),
        "sizes": Entry(list_of(WHOLE), "train, valid and test examples", itemgetter("sizes")),
        "folds": Entry(WHOLE, "1 for a single split", itemgetter("folds")),
        "groups": Entry(TEXT, "what test examples are grouped by; empty where each stands alone", itemgetter("groups")),
        "saw_labels": Entry(
            FLAG, "the features of the train split were learned from its labels", itemgetter("saw_labels")
        ),
        "notes": Entry(list_of(TEXT), "what a reader should know", itemgetter("notes")),
    }
)

_SESSION = record(
    {
        "started_at": Entry(TEXT, "UTC", itemgetter("started_at")),
        "device": Entry(TEXT, "", itemgetter("device")),
        "commit": Entry(TEXT.or_null(), "of the working directory, where that is a repository", itemgetter("commit")),
        "packages": Entry(OPEN, "version by name", itemgetter("versions")),
    }
)

_VERSIONS = record(
    {
        "document": Entry(WHOLE, "the format of this document", lambda _: FORMAT),
        "engine": Entry(TEXT, "of the arithmetic of training", itemgetter("engine")),
        "sessions": Entry(list_of(_SESSION), "every time that the sweep was begun or resumed", itemgetter("sessions")),
    }
)

_PARTS = record(
    {
        "profiles": Entry(list_of(kind_of(Profile))),
        "conditionings": Entry(list_of(kind_of(Conditioning))),
        "spectra": Entry(list_of(kind_of(Spectrum))),
        "contributions": Entry(list_of(kind_of(Contribution))),
        "robustness": Entry(list_of(kind_of(Robustness))),
        "search": Entry(kind_of(SearchAnalysis)),
        "tables": Entry(list_of(kind_of(DatasetTable)), "", attrgetter("ranking.tables")),
    }
)


def _manifest(key: str) -> Callable[[Results], Any]:
    return lambda results: results.manifest[key]


_DOCUMENT = record(
    {
        "sweep_id": Entry(TEXT),
        "name": Entry(TEXT, "", attrgetter("sweep.name")),
        "question": Entry(TEXT, "", attrgetter("sweep.question")),
        "claims": Entry(list_of(TEXT), "hypotheses put to the test", attrgetter("sweep.claims")),
        "started_at": Entry(TEXT, "UTC", _manifest("started_at")),
        "finished_at": Entry(TEXT.or_null(), "null: not yet", _manifest("finished_at")),
        "asked": Entry(OPEN, "all that can change a result", lambda results: results.sweep.to_question_document()),
        "data_sources": Entry(list_of(_DATA_SOURCE), "", _manifest("cards")),
        "left_out": Entry(list_of(OPEN), "datasets that could not be swept, and why", _manifest("left_out")),
        "versions": Entry(_VERSIONS, "", attrgetter("manifest")),
        "alpha": Entry(NUMBER, "what adjusted p-values are held against: 0.05 over the number of looks"),
        "looks": Entry(WHOLE, "how often this was asked of these data with other confirm runs, this sweep included"),
        "findings": Entry(
            list_of(_FINDING), "the claims as a whole, a dataset and stratum each, then their components"
        ),
        "parts": Entry(_PARTS, "the numbers behind the figures", lambda results: results),
    }
)
