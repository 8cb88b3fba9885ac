"""`--set KEY=VALUE`."""

from __future__ import annotations

import pytest

from tcray.config.sweep import Asha, Search
from tests.config.conftest import Load, Problems

TUNED = "tune: {lr: {log_uniform: [1e-4, 1e-2]}, dropout: {uniform: [0, 0.5]}}\n"


def test_an_override_replaces_the_file_s_value(load: Load) -> None:
    """Sections and lists can be replaced, and a later override replaces an earlier one."""
    sweep = load(
        "factors: {rank: [1, 2, 3]}\n",
        "factors.rank=[4, 8]",
        "datasets=[mustard]",
        "resources.pack=1",
        "training.epochs=3",
        "training.epochs=5",
    )
    assert (
        sweep.datasets,
        sweep.factors,
        sweep.resources.pack,
        sweep.training.epochs,
    ) == (("mustard",), {"rank": (4, 8)}, 1, 5)


def test_null_removes_a_key(load: Load) -> None:
    """It may be a key of a section or a whole section."""
    assert list(load(TUNED, "tune.lr=null").tune) == ["dropout"]
    assert load(TUNED, "confirm=null").confirm is None
    assert load(TUNED, "tune=null") == load()


def test_missing_sections_are_created(load: Load) -> None:
    """Several can be, also if the file has the key without a value."""
    sweep = load(TUNED + "search:\n", "search.pruner.asha.min_epochs=3", "data.missing=error")
    assert sweep.search == Search(pruner=Asha(3))
    assert sweep.data.missing == "error"


def test_a_modality_s_dropout_is_one_key(load: Load) -> None:
    """Only the keys of a domain can follow it."""
    assert load("", "fixed.modality_dropout.audio=0.3").fixed == {"modality_dropout.audio": 0.3}
    assert load("", "factors.modality_dropout.audio=[0, 0.3]").factors == {"modality_dropout.audio": (0.0, 0.3)}
    tuned = load("", "tune.modality_dropout.audio.uniform=[0, 0.3]").tune
    assert tuned["modality_dropout.audio"].to_document() == {"uniform": [0.0, 0.3]}


def test_a_role_is_changed_by_two_overrides(load: Load) -> None:
    """One removes the hyperparameter from a section, the other adds it to another."""
    sweep = load(TUNED, "tune.lr=null", "fixed.lr=1e-3")
    assert (list(sweep.tune), sweep.fixed) == (["dropout"], {"lr": 1e-3})


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("rank", "expected KEY=VALUE, as in --set training.epochs=9"),
        ("", "expected KEY=VALUE, as in --set training.epochs=9"),
        ("=3", "expected KEY=VALUE, as in --set training.epochs=9"),
        ("training..epochs=3", "expected KEY=VALUE, as in --set training.epochs=9"),
        ("seed=", "expected a value after the =, or null to remove seed"),
        ("trainnig.epochs=3", 'trainnig: no such key; did you mean "training"?'),
        ("training.epoch=3", 'training.epoch: no such key; did you mean "epochs"?'),
        ("training.epochs=many", 'training.epochs: expected a whole number, found "many"'),
        ("factors.rnk=[1]", 'factors.rnk: no such hyperparameter; did you mean "rank"?'),
        ("factors.rank=[1, 0]", "factors.rank[1]: expected at least 1, found 0"),
        (
            "factors.rank=[1,",
            (
                "factors.rank: not valid YAML: while parsing a flow node, "
                "expected the node content, but found '<stream end>'"
            ),
        ),
        ("fixed={a: 1, a: 2}", "fixed.a: given twice"),
        ("name.first=x", 'name has no keys below it; it is "x"'),
        ("datasets.0=x", "datasets has no keys below it; it is a list"),
        ("tune.lrr=null", "tune.lrr: nothing to remove"),
        ("confrm=null", 'confrm: nothing to remove; did you mean "confirm"?'),
        ("name=y", 'name: expected the file\'s name, "x", found "y"'),
    ],
)
def test_a_problem_names_the_override(override: str, sentence: str, problems: Problems) -> None:
    """The override replaces file and line."""
    said = problems("", override)
    assert f"--set {override}: {sentence}" in said


def test_problems_of_overrides_follow_those_of_the_file(problems: Problems) -> None:
    """They are in the order of the command line."""
    assert problems("sead: 1\n", "seed=x", "b", "a") == [
        'x.yaml:5:1: sead: no such key; did you mean "seed"?',
        '--set seed=x: seed: expected a whole number, found "x"',
        "--set b: expected KEY=VALUE, as in --set training.epochs=9",
        "--set a: expected KEY=VALUE, as in --set training.epochs=9",
    ]


def test_an_invalid_value_can_be_overridden(load: Load) -> None:
    """Only the final value is checked."""
    assert load("seed: x\n", "seed=3").seed == 3
