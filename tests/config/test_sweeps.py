"""The sweep files that come with the house."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcray.config.claims import CLAIMS
from tcray.config.load import load_sweep
from tcray.config.sweep import Sweep

FOLDER = Path(__file__).parents[2] / "sweeps"
PATHS = sorted(FOLDER.glob("*.yaml"))


def test_there_is_one_for_each_research_question() -> None:
    """The seven of the README."""
    assert [path.stem for path in PATHS] == ["best", "dropout", "modalities", "prior", "quick", "rank", "rank_fixed"]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_each_opens_with_its_question_and_asks_it(path: Path) -> None:
    """The first line is a comment that ends in a question mark or is followed by more of it; so does `question`."""
    sweep = load_sweep(path)
    assert path.read_text(encoding="utf-8").startswith("# ")
    assert "?" in path.read_text(encoding="utf-8").splitlines()[0]
    assert sweep.question.endswith("?")
    assert sweep == Sweep.from_document(sweep.to_document())


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_each_has_the_factors_that_its_claims_need(path: Path) -> None:
    """None of its claims is `not testable` from the start."""
    sweep = load_sweep(path)
    assert [claim for claim in sweep.claims if not set(CLAIMS[claim].needs) <= set(sweep.factors)] == []


def test_the_fixed_estimand_has_the_levels_of_the_tuned_one() -> None:
    """`rank_fixed.yaml` asks of one configuration what `rank.yaml` asks of each level at its best."""
    tuned, fixed = load_sweep(FOLDER / "rank.yaml"), load_sweep(FOLDER / "rank_fixed.yaml")
    assert (tuned.factors, tuned.datasets) == (fixed.factors, fixed.datasets)
    assert (set(), None, 12) == (set(fixed.tune), fixed.search, fixed.confirm and fixed.confirm.seeds)
    assert set(tuned.tune) | set(tuned.fixed) == set(fixed.fixed)
