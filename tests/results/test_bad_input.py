"""Stores with missing, constant or undefined results: `tcray results` handles each and prints no NaN."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from tcray.claims.conditions import list_missing_patterns, missing_condition
from tcray.claims.verdicts import ALL
from tcray.cli import main
from tcray.config.claims import CLAIMS
from tcray.config.sweep import Confirm, Sweep
from tcray.results.analysis import analyze
from tcray.store.store import Store
from tests.claims.factories import (
    MOSI,
    MUSTARD,
    OutcomeFunction,
    RunOutcome,
    SyntheticDataset,
    make_labels,
    make_predictions,
    make_recorded_store,
    make_run,
    make_store,
    make_sweep,
)

RANKS = {"rank": (1, 2, 4, 8), "conditioning": ("none", "jwae")}
SUBSETS = {"modalities": "subsets"}
RATES = {"modality_dropout.audio": (0.0, 0.2, 0.4, 0.6)}
EVERY_CLAIM = tuple(CLAIMS)


def make_fixed_sweep(factors: Mapping[str, Any], **changes: Any) -> Sweep:
    """Return a sweep with every claim, one configuration and three seeds."""
    given = {"factors": factors, "claims": EVERY_CLAIM, "tune": {}, "search": None, "confirm": Confirm(seeds=3)}
    return make_sweep(**{**given, **changes})


def make_tuned_sweep(factors: Mapping[str, Any], **changes: Any) -> Sweep:
    """Return a sweep with every claim, a tuned configuration per cell and three repeats of two seeds."""
    return make_sweep(**{"factors": factors, "claims": EVERY_CLAIM, **changes})


def complete_runs(card: Any = MOSI, **metrics: float) -> OutcomeFunction:
    """Return complete runs with all results; `metrics` replace the metrics of every run."""
    label = make_labels(card)

    def outcome(levels: Mapping[str, Any], repeat: int, seed: int) -> RunOutcome:
        rng = np.random.default_rng([seed, *str(sorted(levels.items())).encode()])

        def draw_predictions() -> Any:
            error = rng.normal(1, 0.3, len(label))
            return make_predictions(label, error) if card.task == "regression" else (2 * label - 1) * error

        modalities = levels.get("modalities") or tuple(card.modalities)
        rank = levels.get("rank", 4)
        measured = {"train.loss": rng.random(), "last.test.loss": rng.random(), "valid.loss": rng.random()}
        checks = {f"check.mmd2.{m}": 0.01 if levels.get("conditioning") == "jwae" else 0.1 for m in modalities}
        return RunOutcome(
            draw_predictions(),
            also={missing_condition(missing): draw_predictions() for missing in list_missing_patterns(modalities)[1:]},
            metrics={**measured, **checks, **metrics},
            evaluations={f"pgd:{size}": {card.primary_metric: rng.random()} for size in (0.03, 0.1)},
            spectra={"factor energy": rng.random(rank).tolist(), "effective rank": [1 + rng.random()]},
        )

    return outcome


def no_run(levels: Mapping[str, Any], repeat: int, seed: int) -> None:
    """Return None: there is no run."""


def runs_that_end(state: str) -> OutcomeFunction:
    """Return runs that all end in `state`, without results."""
    return lambda levels, repeat, seed: RunOutcome(np.zeros(60), state=state)


def some_runs(
    keep: Callable[[Mapping[str, Any], int, int], bool], card: Any = MOSI, state: str = ""
) -> OutcomeFunction:
    """Return complete runs if `keep` is true; the others do not exist, or end in `state`."""
    lost = runs_that_end(state) if state else no_run
    return lambda levels, repeat, seed: (complete_runs(card) if keep(levels, repeat, seed) else lost)(
        levels, repeat, seed
    )


def constant_run(levels: Mapping[str, Any], repeat: int, seed: int) -> RunOutcome:
    """Return a run with the same prediction for every example under every condition."""
    zeros = np.zeros(60)
    also = {
        missing_condition(missing): zeros
        for missing in list_missing_patterns(levels.get("modalities") or tuple(MOSI.modalities))[1:]
    }
    metrics = {"train.loss": 1.0, "last.test.loss": 1.0, "check.mmd2.text": 0.1, "check.mmd2.audio": 0.1}
    return RunOutcome(zeros, also=also, metrics=metrics, spectra={"factor energy": [0.0], "effective rank": [0.0]})


def undefined_run(levels: Mapping[str, Any], repeat: int, seed: int) -> RunOutcome:
    """Return a run whose metrics are all NaN."""
    names = ("test.mae", "test.acc2", "train.loss", "last.test.loss", "valid.loss", "check.mmd2.text", "test.r")
    found = complete_runs()(levels, repeat, seed)
    assert found is not None
    spectra = {"factor energy": [math.nan], "effective rank": [math.nan]}
    evaluations = {"clean": {"mae": math.nan}, "pgd:0.1": {"mae": math.inf}}
    return replace(found, metrics=dict.fromkeys(names, math.nan), spectra=spectra, evaluations=evaluations)


@dataclass(frozen=True)
class Case:
    """A store: a sweep, the outcomes of its runs, and further keys of the manifest.

    verdict   of every whole claim that is not descriptive or left out; empty if there may be several
    group     the group name of each test example, if it differs from the card's
    """

    sweep: Sweep
    outcome_of: OutcomeFunction
    card: Any = MOSI
    verdict: str = "not testable"
    group: Callable[[int], str] | None = None
    manifest: Mapping[str, Any] = field(default_factory=dict)
    beside: tuple[SyntheticDataset, ...] = ()


LABELS_SEEN = replace(MOSI, saw_labels=True)
TEXT_ONLY = replace(MOSI, modalities={"text": 4})
EMPTY = SyntheticDataset.of(MUSTARD, no_run)

CASES: Mapping[str, Case] = {
    "nothing was recorded": Case(make_fixed_sweep(RANKS), no_run),
    "every run failed": Case(make_fixed_sweep(RANKS), runs_that_end("FAILED")),
    "every run was pruned": Case(make_tuned_sweep(RANKS), runs_that_end("PRUNED")),
    "one seed": Case(make_fixed_sweep(RANKS, confirm=Confirm(seeds=1)), complete_runs()),
    "one repeat": Case(make_tuned_sweep(RANKS, confirm=Confirm(seeds=2, repeats=1)), complete_runs()),
    "one repeat of subsets": Case(make_tuned_sweep(SUBSETS, confirm=Confirm(seeds=2, repeats=1)), complete_runs()),
    "two seeds": Case(make_fixed_sweep(RANKS, confirm=Confirm(seeds=2)), complete_runs(), verdict=""),
    "two seeds of rates": Case(make_fixed_sweep(RATES, confirm=Confirm(seeds=2)), complete_runs()),
    "two ranks": Case(make_fixed_sweep({**RANKS, "rank": (1, 16)}), complete_runs(), verdict=""),
    "one rank": Case(make_fixed_sweep({**RANKS, "rank": (4,)}), complete_runs(), verdict=""),
    "one rate": Case(make_fixed_sweep({"modality_dropout.audio": (0.4,)}), complete_runs()),
    "one modality": Case(make_fixed_sweep(SUBSETS), complete_runs(TEXT_ONLY), card=TEXT_ONLY),
    "one modality at some ranks": Case(make_fixed_sweep(RANKS), complete_runs(TEXT_ONLY), card=TEXT_ONLY, verdict=""),
    "a missing subset": Case(
        make_fixed_sweep(SUBSETS), some_runs(lambda levels, *_: levels["modalities"] != ("audio",))
    ),
    "constant ranks": Case(make_fixed_sweep(RANKS), constant_run),
    "constant subsets": Case(make_fixed_sweep(SUBSETS), constant_run),
    "constant rates": Case(make_fixed_sweep(RATES), constant_run),
    "NaN at every rank": Case(make_fixed_sweep(RANKS), undefined_run),
    "NaN in every subset": Case(make_tuned_sweep(SUBSETS), undefined_run),
    "NaN in one seed": Case(
        make_fixed_sweep(RATES), lambda levels, r, s: (undefined_run if s == 1 else complete_runs())(levels, r, s)
    ),
    "one test group": Case(make_fixed_sweep(RANKS), complete_runs(), verdict="", group=lambda n: "video-1"),
    "one test group of subsets": Case(make_fixed_sweep(SUBSETS), complete_runs(), group=lambda n: "video-1"),
    "two test groups": Case(make_fixed_sweep(RATES), complete_runs(), group=lambda n: f"video-{n % 2}"),
    "a group for each example": Case(
        make_fixed_sweep(RANKS), complete_runs(), group=lambda n: f"video-{n}", verdict=""
    ),
    "a group of one class": Case(
        make_fixed_sweep(SUBSETS, datasets=("mustard",)),
        complete_runs(MUSTARD),
        card=MUSTARD,
        group=lambda n: f"speaker-{n % 2}",
        verdict="",
    ),
    "no predictions of one class": Case(
        make_fixed_sweep(SUBSETS, datasets=("mustard",)),
        lambda levels, r, s: replace(
            complete_runs(MUSTARD)(levels, r, s) or RunOutcome(0), prediction=np.full(60, -1.0)
        ),
        card=MUSTARD,
        verdict="",
    ),
    "MMD² that never fell": Case(
        make_fixed_sweep(RANKS), complete_runs(**{"check.mmd2.text": 0.1, "check.mmd2.audio": 0.1}), verdict=""
    ),
    "MMD² of zero": Case(
        make_fixed_sweep(RANKS), complete_runs(**{"check.mmd2.text": 0.0, "check.mmd2.audio": 0.0}), verdict=""
    ),
    "features that saw the labels": Case(
        make_fixed_sweep(RANKS), complete_runs(LABELS_SEEN), card=LABELS_SEEN, verdict=""
    ),
    "one arm failed": Case(
        make_fixed_sweep(RANKS),
        some_runs(lambda levels, *_: levels["conditioning"] == "none", state="FAILED"),
        verdict="",
    ),
    "no confirm section": Case(make_tuned_sweep(RANKS, confirm=None), no_run),
    "no factors": Case(make_fixed_sweep({}), complete_runs()),
    "no claims": Case(make_fixed_sweep(RANKS, claims=()), complete_runs()),
    "unfinished": Case(
        make_fixed_sweep(RANKS), some_runs(lambda levels, _, seed: seed < 2), verdict="", manifest={"finished_at": None}
    ),
    "unfinished in the middle of a cell": Case(
        make_tuned_sweep(RANKS),
        some_runs(lambda levels, repeat, seed: levels["rank"] < 4 and seed < 3),
        verdict="",
        manifest={"finished_at": None},
    ),
    "one dataset of two is empty": Case(
        make_fixed_sweep(RANKS, datasets=("mosi", "mustard")), complete_runs(), verdict="", beside=(EMPTY,)
    ),
    "no reference rows": Case(
        make_fixed_sweep(SUBSETS), complete_runs(), verdict="", manifest={"baselines": {"mosi": ()}}
    ),
    "every dataset left out": Case(
        make_fixed_sweep(RATES), no_run, manifest={"left_out": [{"dataset": "mosi", "reason": "it has no audio"}]}
    ),
}


def run_results(folder: Path, case: Case) -> tuple[str, str, dict[str, Any]]:
    """Return the terminal output, the HTML report and the JSON document of a case's store."""
    dataset = SyntheticDataset.of(case.card, case.outcome_of)
    if case.group is not None:
        dataset = replace(dataset, group=tuple(map(case.group, range(len(dataset.label)))))
    manifest = {"engine": "2", "sessions": [], "planned_runs": 30, "device": "cpu", "objective": "valid.loss"}
    manifest_keys = {**manifest, **case.manifest}
    if case.sweep.confirm is None:
        store = make_store(folder, [], sweep=case.sweep, cards=[case.card], **manifest_keys)
    else:
        store = make_recorded_store(
            folder, case.sweep, *[dataset] * (not manifest_keys.get("left_out")), *case.beside, **manifest_keys
        )
    if case.sweep.search is not None:
        store.append("runs", [make_run({}, phase="search", state="PRUNED", rank=1, trial=trial) for trial in range(3)])
    files = [folder / "report.html", folder / "results.json"]
    options = ["--store", folder / "trials", "--html", files[0], "--json", files[1]]
    result = CliRunner().invoke(main, ["results", "small", *map(str, options)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output, files[0].read_text(), json.loads(files[1].read_text(), parse_constant=reject_constant)


def reject_constant(constant: str) -> Any:
    """Raise an AssertionError for NaN and infinities, which are not valid JSON."""
    raise AssertionError(constant)


class VisibleText(HTMLParser):
    """Parser that collects the visible text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.texts = 0, [""]

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        """Skip styles and scripts."""
        self.hidden += tag in {"style", "script"}

    def handle_endtag(self, tag: str) -> None:
        """Resume after styles and scripts."""
        self.hidden -= tag in {"style", "script"}

    def handle_data(self, data: str) -> None:
        """Collect the text between tags."""
        self.texts += [data] * (not self.hidden)


def extract_text(html: str) -> str:
    """Return the visible text of a page."""
    parser = VisibleText()
    parser.feed(html)
    return " ".join(parser.texts)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_incomplete_results_give_reasons_and_no_nan(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing crashes or prints NaN or None; an untestable component has one sentence with reason and remedy."""
    monkeypatch.setenv("COLUMNS", "100")
    case = CASES[name]
    terminal, html, document = run_results(tmp_path, case)
    for text in (terminal, extract_text(html)):
        assert re.search(r"\b(nan|inf)\b|\bNone\b", text) is None
    for finding in document["findings"]:
        assert finding["sentence"].endswith(".")
        if finding["verdict"] == "not testable" and finding["component"] != ALL:
            assert ": " in finding["sentence"]
            assert finding["sentence"].count(". ") == 0
        if finding["verdict"] in {"supported", "contradicted", "inconclusive"}:
            assert finding["n_units"] > 1
    if case.verdict:
        wholes = {f["verdict"] for f in document["findings"] if f["component"] == ALL}
        assert wholes <= {case.verdict}


def test_a_restarted_sweep_has_its_own_results(tmp_path: Path) -> None:
    """Results are those of the restarted sweep, even if it has no runs yet; a restart is not a second look."""
    first = make_recorded_store(
        tmp_path, make_fixed_sweep(RATES), SyntheticDataset.of(MOSI, complete_runs()), engine="2", sessions=[]
    )
    again = Store.open(str(tmp_path / "trials")).sweep("small-1-g2")
    begun = {"sweep_id": "small-1-g2", "started_at": "2026-01-02T00:00:00+00:00", "finished_at": None}
    again.write_manifest({**first.read_manifest(), **begun})
    for store, reason in ((first, False), (again, True)):
        results = analyze(store)
        (whole,) = [f for f in results.findings if (f.measured.claim, f.measured.component) == ("audio-dropout", ALL)]
        assert (results.looks, whole.sentence.startswith("No confirm run on mosi is complete")) == (1, reason)
