"""The shipped sweep files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcray.config.claims import CLAIMS
from tcray.config.load import load_sweep
from tcray.config.sweep import Sweep

FOLDER = Path(__file__).parents[2] / "sweeps"
PATHS = sorted(FOLDER.glob("*.yaml"))


def test_there_are_seven_sweep_files() -> None:
    """They are those of the README."""
    assert [path.stem for path in PATHS] == ["best", "dropout", "modalities", "prior", "quick", "rank", "rank_fixed"]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_each_file_begins_with_its_question(path: Path) -> None:
    """The first line is a comment with a question mark, and so does `question` end."""
    sweep = load_sweep(path)
    assert path.read_text(encoding="utf-8").startswith("# ")
    assert "?" in path.read_text(encoding="utf-8").splitlines()[0]
    assert sweep.question.endswith("?")
    assert sweep == Sweep.from_document(sweep.to_document())


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_each_file_has_the_factors_that_its_claims_need(path: Path) -> None:
    """None of its claims is `not testable` from the start."""
    sweep = load_sweep(path)
    assert [claim for claim in sweep.claims if not set(CLAIMS[claim].needs) <= set(sweep.factors)] == []


def test_rank_fixed_has_the_levels_of_rank() -> None:
    """`rank_fixed.yaml` compares one configuration, `rank.yaml` each level at its best."""
    tuned, fixed = load_sweep(FOLDER / "rank.yaml"), load_sweep(FOLDER / "rank_fixed.yaml")
    assert (tuned.factors, tuned.datasets) == (fixed.factors, fixed.datasets)
    assert (set(), None, 12) == (set(fixed.tune), fixed.search, fixed.confirm and fixed.confirm.seeds)
    assert set(tuned.tune) | set(tuned.fixed) == set(fixed.fixed)
