"""Checks between the parts of a sweep file."""

from __future__ import annotations

import pytest

from tests.config.conftest import Load, Problems

TUNED = "tune: {dropout: {uniform: [0, 0.5]}}\n"


def test_the_name_is_the_file_s_stem(problems: Problems) -> None:
    """A copied file with an unchanged name would resume the sweep it was copied from."""
    least = "name: rank\ndatasets: [mosi]\ntraining: {epochs: 9}\nconfirm: {seeds: 2}\n"
    assert problems(least=least) == ['x.yaml:1:7: name: expected the file\'s name, "x", found "rank"']


def test_a_hyperparameter_has_one_role(problems: Problems) -> None:
    """The problem is at every later mention, with the line of the first."""
    more = "tune: {rank: {int: [1, 2]}}\nfactors: {rank: [1]}\nfixed: {rank: 4}\n"
    assert problems(more) == [
        "x.yaml:6:11: factors.rank: rank is already given under tune on line 5",
        "x.yaml:7:9: fixed.rank: rank is already given under tune on line 5",
    ]


def test_an_override_with_a_second_role_names_the_remedy(problems: Problems) -> None:
    """The message has the override that removes the first role."""
    assert problems("factors: {rank: [1]}\n", "fixed.rank=4") == [
        (
            "--set fixed.rank=4: fixed.rank: rank is already given under factors on line 5; "
            "--set factors.rank=null removes it there"
        )
    ]


def test_two_overrides_may_not_give_one_hyperparameter_two_roles(problems: Problems) -> None:
    """The problem is at the later override."""
    assert problems("", "fixed.rank=4", "factors.rank=[1]") == [
        "--set factors.rank=[1]: factors.rank: rank is already given under fixed"
    ]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (TUNED + "search: {trials: 3, wave: 4}", "6:27: search.wave: expected at most the 3 trials, found 4"),
        (TUNED + "search: {wave: 13}", "6:16: search.wave: expected at most the 12 trials, found 13"),
        (
            TUNED + "search: {pruner: {asha: {min_epochs: 10}}}",
            "6:38: search.pruner.asha.min_epochs: expected at most the 9 epochs of training, found 10",
        ),
        (
            "search: {wave: 2}",
            "5:10: search.wave: nothing is tuned, so there is nothing to search; only objective may be given here",
        ),
        (
            "resources: {device: cuda}",
            "5:21: resources.gpu: expected a share above 0 with device: cuda, found 0",
        ),
        (
            "resources: {device: cuda, gpu: 0}",
            "5:32: resources.gpu: expected a share above 0 with device: cuda, found 0",
        ),
        (
            "resources: {device: any, gpu: 0.5}",
            '5:21: resources.device: expected auto, cpu or cuda, found "any"',
        ),
        (
            "resources: {gpu: 1.5}",
            "5:18: resources.gpu: expected at least 0 and at most 1, found 1.5",
        ),
        (
            "resources: {gpu: 2}",
            "5:18: resources.gpu: expected at least 0 and at most 1, found 2",
        ),
    ],
)
def test_conflicting_values_are_reported(more: str, sentence: str, problems: Problems) -> None:
    """There is one problem, at the value to change."""
    assert problems(more + "\n") == [f"x.yaml:{sentence}"]


def test_repeats_need_a_search(problems: Problems, load: Load) -> None:
    """If nothing is tuned, the seed is the unit, and the only number of repeats is one."""
    least = "name: x\ndatasets: [mosi]\ntraining: {epochs: 9}\n"
    assert problems(least=least + "confirm: {repeats: 2, seeds: 2}\n") == [
        "x.yaml:4:20: confirm.repeats: nothing is tuned, so the seed is the unit; expected 1, found 2"
    ]
    assert load(least=least + "confirm: {repeats: 1, seeds: 2}\n") == load()


def test_something_is_trained(problems: Problems, load: Load) -> None:
    """A sweep that tunes nothing needs confirm runs; one that tunes does not."""
    least = "name: x\ndatasets: [mosi]\ntraining: {epochs: 9}\n"
    assert problems(least=least) == [
        "x.yaml:1:1: confirm: nothing is tuned, so nothing would be trained; add confirm: {seeds: 12}"
    ]
    assert load(least=least + TUNED).confirm is None


def test_an_objective_needs_no_search(load: Load) -> None:
    """It also selects each run's best epoch."""
    sweep = load("search: {objective: valid.mae}\n")
    assert (sweep.search, sweep.objective) == (None, "valid.mae")


def test_an_invalid_value_is_reported_once(problems: Problems) -> None:
    """Checks that depend on it are skipped."""
    assert problems(TUNED + "search: {trials: few, wave: 40, pruner: {asha: {min_epochs: 3}}}\n") == [
        'x.yaml:6:18: search.trials: expected a whole number, found "few"'
    ]
    assert problems("tune: 3\nsearch: {trials: 3}\n") == ["x.yaml:5:7: tune: expected hyperparameters by name, found 3"]
