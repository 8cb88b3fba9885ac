"""Proposals from Optuna, and the trials that the study is given."""

import math
from functools import partial

import optuna
import pytest
from optuna.trial import TrialState

from tcray.config.domains import Choice, Int, LogUniform, Uniform
from tcray.config.run import Configuration
from tcray.search.sampler import ObservedTrial, TrialSampler
from tcray.search.space import Space

MODALITIES = ("text", "audio", "video")
LR = Space({"lr": LogUniform(1e-5, 1e-1)})
FEW = Space({"rank": Int(1, 3), "fusion": Choice(("lmf", "tensor"))})


def make_sampler(space=LR, sampler="tpe", wave=8, maximize=False):
    """Return a sampler on a dataset with three modalities."""
    return TrialSampler(space, partial(Configuration.resolve, modalities=MODALITIES), sampler, wave, maximize)


def observe(configuration, state="COMPLETE", value=None, step=27):
    """Return an observed trial; its value is the distance from a learning rate of 0.001 by default."""
    return ObservedTrial(configuration, state, distance(configuration) if value is None else value, step)


def distance(configuration):
    """Return the decades between a learning rate and 0.001."""
    return abs(math.log10(configuration.lr) + 3)


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_proposals_are_a_function_of_observed_trials_and_the_seed(sampler) -> None:
    """A second call returns the same proposals; another seed returns entirely different ones."""
    observed = [observe(c) for c in make_sampler(sampler=sampler).propose([], 8, seed=1)]
    first = make_sampler(sampler=sampler).propose(observed, 8, seed=2)
    assert make_sampler(sampler=sampler).propose(observed, 8, seed=2) == first
    assert not set(make_sampler(sampler=sampler).propose(observed, 8, seed=3)) & set(first)


def last_wave(sampler, seed, observe_trial):
    """Return the fourth wave of a search, if its earlier trials are observed through `observe_trial`."""
    observed: list[ObservedTrial] = []
    for wave in range(4):
        found = make_sampler(sampler=sampler).propose(observed, 8, seed=10 * seed + wave)
        observed += [observe_trial(configuration) for configuration in found]
    return found


def test_tpe_learns_from_earlier_waves() -> None:
    """On the mean of ten searches, the fourth wave of TPE is much nearer to the minimum than random draws."""

    def mean_distance(sampler):
        found = [c for seed in range(10) for c in last_wave(sampler, seed, observe)]
        return sum(map(distance, found)) / len(found)

    assert mean_distance("tpe") < 0.6 * mean_distance("random")


def test_tpe_avoids_the_region_of_diverged_runs() -> None:
    """If rates above 0.01 had the worst value, TPE hardly proposes any; a quarter of random draws is above 0.01."""

    def observe_trial(configuration):
        return observe(configuration) if configuration.lr < 1e-2 else ObservedTrial(configuration, "PRUNED", 2.0)

    diverged = [c.lr >= 1e-2 for seed in range(10) for c in last_wave("tpe", seed, observe_trial)]
    assert sum(diverged) / len(diverged) < 0.1


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_no_configuration_is_proposed_twice(sampler) -> None:
    """Wave after wave, every configuration of a finite space is proposed once, and then none."""
    few, observed = make_sampler(FEW, sampler, wave=4), list[ObservedTrial]()
    sizes = []
    for seed in range(3):
        found = few.propose(observed, 4, seed)
        sizes.append(len(found))
        observed += [ObservedTrial(configuration, "COMPLETE", 1.0, 27) for configuration in found]
    assert sizes == [4, 2, 0]
    assert len({trial.configuration for trial in observed}) == 6


def test_a_tuned_value_without_effect_ends_the_search() -> None:
    """In an infinite space whose every point resolves to one configuration, one is proposed."""
    same = TrialSampler(
        Space({"dropout": Uniform(0.0, 0.5)}), lambda values: Configuration(("text",), (0.0,)), "tpe", 4, False
    )
    assert same.propose([], 4, seed=0) == (Configuration(("text",), (0.0,)),)


def test_the_study_has_the_state_and_value_of_each_trial(monkeypatch) -> None:
    """Complete trials have their objective, pruned ones their value at the rung, crashed ones none."""
    observed = []
    add = optuna.Study.add_trial

    def add_trial(study, trial):
        observed.append(trial)
        add(study, trial)

    monkeypatch.setattr(optuna.Study, "add_trial", add_trial)
    one, two, three, four = make_sampler().propose([], 4, seed=0)
    make_sampler().propose(
        [
            ObservedTrial(one, "COMPLETE", 0.5, 27),
            ObservedTrial(two, "PRUNED", 0.7, 9),
            ObservedTrial(three, "PRUNED"),
            ObservedTrial(four, "FAIL"),
        ],
        1,
        seed=1,
    )
    assert [trial.state for trial in observed] == [TrialState[s] for s in ("COMPLETE", "PRUNED", "PRUNED", "FAIL")]
    assert [trial.value for trial in observed] == [0.5, 0.7, None, None]
    assert [trial.intermediate_values for trial in observed] == [{}, {9: 0.7}, {}, {}]
    assert [trial.params for trial in observed] == [{"lr": c.lr} for c in (one, two, three, four)]


@pytest.mark.parametrize(("maximize", "direction"), [(False, "MINIMIZE"), (True, "MAXIMIZE")])
def test_the_study_has_the_objective_s_direction(monkeypatch, maximize, direction) -> None:
    """A loss is minimized, a correlation maximized."""
    studies = []
    create = optuna.create_study

    def create_study(**given):
        studies.append(create(**given))
        return studies[-1]

    monkeypatch.setattr(optuna, "create_study", create_study)
    make_sampler(maximize=maximize).propose([], 1, seed=0)
    assert [study.direction.name for study in studies] == [direction]
