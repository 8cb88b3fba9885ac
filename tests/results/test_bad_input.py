"""Stores that no one would wish for: `tcray results` gets through each of them, and shows no NaN for a number."""

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


def asked(factors: Mapping[str, Any], **changes: Any) -> Sweep:
    """Every claim there is, at one configuration, on three seeds."""
    given = {"factors": factors, "claims": EVERY_CLAIM, "tune": {}, "search": None, "confirm": Confirm(seeds=3)}
    return make_sweep(**{**given, **changes})


def tuned(factors: Mapping[str, Any], **changes: Any) -> Sweep:
    """Every claim, each cell at its own best configuration, three repeats of two seeds."""
    return make_sweep(**{"factors": factors, "claims": EVERY_CLAIM, **changes})


def well(card: Any = MOSI, **metrics: float) -> OutcomeFunction:
    """Runs of which everything was recorded; `metrics` take the place of what it was."""
    label = make_labels(card)

    def outcome(levels: Mapping[str, Any], repeat: int, seed: int) -> RunOutcome:
        rng = np.random.default_rng([seed, *str(sorted(levels.items())).encode()])

        def predicted() -> Any:
            error = rng.normal(1, 0.3, len(label))
            return make_predictions(label, error) if card.task == "regression" else (2 * label - 1) * error

        modalities = levels.get("modalities") or tuple(card.modalities)
        rank = levels.get("rank", 4)
        measured = {"train.loss": rng.random(), "last.test.loss": rng.random(), "valid.loss": rng.random()}
        checks = {f"check.mmd2.{m}": 0.01 if levels.get("conditioning") == "jwae" else 0.1 for m in modalities}
        return RunOutcome(
            predicted(),
            also={missing_condition(missing): predicted() for missing in list_missing_patterns(modalities)[1:]},
            metrics={**measured, **checks, **metrics},
            evaluations={f"pgd:{size}": {card.primary_metric: rng.random()} for size in (0.03, 0.1)},
            spectra={"factor energy": rng.random(rank).tolist(), "effective rank": [1 + rng.random()]},
        )

    return outcome


def silent(levels: Mapping[str, Any], repeat: int, seed: int) -> None:
    """No run at all."""


def ended(state: str) -> OutcomeFunction:
    """Runs that all ended so, with nothing recorded."""
    return lambda levels, repeat, seed: RunOutcome(np.zeros(60), state=state)


def only(keep: Callable[[Mapping[str, Any], int, int], bool], card: Any = MOSI, state: str = "") -> OutcomeFunction:
    """Some of the runs; the others are not there, or ended in `state`."""
    lost = ended(state) if state else silent
    return lambda levels, repeat, seed: (well(card) if keep(levels, repeat, seed) else lost)(levels, repeat, seed)


def constant(levels: Mapping[str, Any], repeat: int, seed: int) -> RunOutcome:
    """Every run says the same, under every condition."""
    zeros = np.zeros(60)
    also = {
        missing_condition(missing): zeros
        for missing in list_missing_patterns(levels.get("modalities") or tuple(MOSI.modalities))[1:]
    }
    same = {"train.loss": 1.0, "last.test.loss": 1.0, "check.mmd2.text": 0.1, "check.mmd2.audio": 0.1}
    return RunOutcome(zeros, also=also, metrics=same, spectra={"factor energy": [0.0], "effective rank": [0.0]})


def undefined(levels: Mapping[str, Any], repeat: int, seed: int) -> RunOutcome:
    """Every metric is NaN."""
    names = ("test.mae", "test.acc2", "train.loss", "last.test.loss", "valid.loss", "check.mmd2.text", "test.r")
    found = well()(levels, repeat, seed)
    assert found is not None
    spectra = {"factor energy": [math.nan], "effective rank": [math.nan]}
    evaluations = {"clean": {"mae": math.nan}, "pgd:0.1": {"mae": math.inf}}
    return replace(found, metrics=dict.fromkeys(names, math.nan), spectra=spectra, evaluations=evaluations)


@dataclass(frozen=True)
class Case:
    """A store: what was asked, what came of it, and what the manifest has otherwise.

    verdict   that of every whole claim that is not described or left out; empty where there may be several
    group     the name of each test example's group, where it is not the card's
    """

    sweep: Sweep
    outcome_of: OutcomeFunction
    card: Any = MOSI
    verdict: str = "not testable"
    group: Callable[[int], str] | None = None
    manifest: Mapping[str, Any] = field(default_factory=dict)
    beside: tuple[SyntheticDataset, ...] = ()


SAW = replace(MOSI, saw_labels=True)
LONE = replace(MOSI, modalities={"text": 4})
EMPTY = SyntheticDataset.of(MUSTARD, silent)

CASES: Mapping[str, Case] = {
    "nothing was recorded": Case(asked(RANKS), silent),
    "every run failed": Case(asked(RANKS), ended("FAILED")),
    "every run was pruned": Case(tuned(RANKS), ended("PRUNED")),
    "one seed": Case(asked(RANKS, confirm=Confirm(seeds=1)), well()),
    "one repeat": Case(tuned(RANKS, confirm=Confirm(seeds=2, repeats=1)), well()),
    "one repeat of subsets": Case(tuned(SUBSETS, confirm=Confirm(seeds=2, repeats=1)), well()),
    "two seeds": Case(asked(RANKS, confirm=Confirm(seeds=2)), well(), verdict=""),
    "two seeds of rates": Case(asked(RATES, confirm=Confirm(seeds=2)), well()),
    "two ranks": Case(asked({**RANKS, "rank": (1, 16)}), well(), verdict=""),
    "one rank": Case(asked({**RANKS, "rank": (4,)}), well(), verdict=""),
    "one rate": Case(asked({"modality_dropout.audio": (0.4,)}), well()),
    "one modality": Case(asked(SUBSETS), well(LONE), card=LONE),
    "one modality at some ranks": Case(asked(RANKS), well(LONE), card=LONE, verdict=""),
    "a missing subset": Case(asked(SUBSETS), only(lambda levels, *_: levels["modalities"] != ("audio",))),
    "constant ranks": Case(asked(RANKS), constant),
    "constant subsets": Case(asked(SUBSETS), constant),
    "constant rates": Case(asked(RATES), constant),
    "NaN at every rank": Case(asked(RANKS), undefined),
    "NaN in every subset": Case(tuned(SUBSETS), undefined),
    "NaN in one seed": Case(asked(RATES), lambda levels, r, s: (undefined if s == 1 else well())(levels, r, s)),
    "one test group": Case(asked(RANKS), well(), verdict="", group=lambda n: "video-1"),
    "one test group of subsets": Case(asked(SUBSETS), well(), group=lambda n: "video-1"),
    "two test groups": Case(asked(RATES), well(), group=lambda n: f"video-{n % 2}"),
    "a group for each example": Case(asked(RANKS), well(), group=lambda n: f"video-{n}", verdict=""),
    "a group of one class": Case(
        asked(SUBSETS, datasets=("mustard",)),
        well(MUSTARD),
        card=MUSTARD,
        group=lambda n: f"speaker-{n % 2}",
        verdict="",
    ),
    "no predictions of one class": Case(
        asked(SUBSETS, datasets=("mustard",)),
        lambda levels, r, s: replace(well(MUSTARD)(levels, r, s) or RunOutcome(0), prediction=np.full(60, -1.0)),
        card=MUSTARD,
        verdict="",
    ),
    "MMD² that never fell": Case(asked(RANKS), well(**{"check.mmd2.text": 0.1, "check.mmd2.audio": 0.1}), verdict=""),
    "MMD² of zero": Case(asked(RANKS), well(**{"check.mmd2.text": 0.0, "check.mmd2.audio": 0.0}), verdict=""),
    "features that saw the labels": Case(asked(RANKS), well(SAW), card=SAW, verdict=""),
    "one arm failed": Case(
        asked(RANKS), only(lambda levels, *_: levels["conditioning"] == "none", state="FAILED"), verdict=""
    ),
    "no confirm section": Case(tuned(RANKS, confirm=None), silent),
    "no factors": Case(asked({}), well()),
    "no claims": Case(asked(RANKS, claims=()), well()),
    "unfinished": Case(
        asked(RANKS), only(lambda levels, _, seed: seed < 2), verdict="", manifest={"finished_at": None}
    ),
    "unfinished in the middle of a cell": Case(
        tuned(RANKS),
        only(lambda levels, repeat, seed: levels["rank"] < 4 and seed < 3),
        verdict="",
        manifest={"finished_at": None},
    ),
    "one dataset of two is empty": Case(
        asked(RANKS, datasets=("mosi", "mustard")), well(), verdict="", beside=(EMPTY,)
    ),
    "no reference rows": Case(asked(SUBSETS), well(), verdict="", manifest={"baselines": {"mosi": ()}}),
    "every dataset left out": Case(
        asked(RATES), silent, manifest={"left_out": [{"dataset": "mosi", "reason": "it has no audio"}]}
    ),
}


def told(folder: Path, case: Case) -> tuple[str, str, dict[str, Any]]:
    """What the terminal, the report and the JSON say of a case's store."""
    dataset = SyntheticDataset.of(case.card, case.outcome_of)
    if case.group is not None:
        dataset = replace(dataset, group=tuple(map(case.group, range(len(dataset.label)))))
    manifest = {"engine": "2", "sessions": [], "planned_runs": 30, "device": "cpu", "objective": "valid.loss"}
    told_of = {**manifest, **case.manifest}
    if case.sweep.confirm is None:
        store = make_store(folder, [], sweep=case.sweep, cards=[case.card], **told_of)
    else:
        store = make_recorded_store(
            folder, case.sweep, *[dataset] * (not told_of.get("left_out")), *case.beside, **told_of
        )
    if case.sweep.search is not None:
        store.append("runs", [make_run({}, phase="search", state="PRUNED", rank=1, trial=trial) for trial in range(3)])
    files = [folder / "report.html", folder / "results.json"]
    options = ["--store", folder / "trials", "--html", files[0], "--json", files[1]]
    said = CliRunner().invoke(main, ["results", "small", *map(str, options)], catch_exceptions=False)
    assert said.exit_code == 0, said.output
    return said.output, files[0].read_text(), json.loads(files[1].read_text(), parse_constant=no_number)


def no_number(constant: str) -> Any:
    """JSON has no word for what is not a number."""
    raise AssertionError(constant)


class Words(HTMLParser):
    """The text that a page shows."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.said = 0, [""]

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        """Styles and scripts are not shown."""
        self.hidden += tag in {"style", "script"}

    def handle_endtag(self, tag: str) -> None:
        """What follows them is."""
        self.hidden -= tag in {"style", "script"}

    def handle_data(self, data: str) -> None:
        """The text between tags."""
        self.said += [data] * (not self.hidden)


def words(html: str) -> str:
    """What a page says."""
    parser = Words()
    parser.feed(html)
    return " ".join(parser.said)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_nothing_is_made_of_nothing(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No crash, no NaN or None shown; what is not testable says why and what to do, in one sentence."""
    monkeypatch.setenv("COLUMNS", "100")
    case = CASES[name]
    terminal, html, document = told(tmp_path, case)
    for text in (terminal, words(html)):
        assert re.search(r"\b(nan|inf)\b|\bNone\b(?!, for want)", text) is None
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


def test_a_sweep_begun_afresh_has_results_of_its_own(tmp_path: Path) -> None:
    """Those of its latest beginning are shown, be they nothing yet; the same question again is no second look."""
    first = make_recorded_store(tmp_path, asked(RATES), SyntheticDataset.of(MOSI, well()), engine="2", sessions=[])
    again = Store.open(str(tmp_path / "trials")).sweep("small-1-g2")
    begun = {"sweep_id": "small-1-g2", "started_at": "2026-01-02T00:00:00+00:00", "finished_at": None}
    again.write_manifest({**first.read_manifest(), **begun})
    for store, reason in ((first, False), (again, True)):
        results = analyze(store)
        (whole,) = [f for f in results.findings if (f.measured.claim, f.measured.component) == ("audio-dropout", ALL)]
        assert (results.looks, whole.sentence.startswith("No confirm run on mosi is complete")) == (1, reason)
