"""What Optuna proposes, and what it is told."""

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


def proposer(space=LR, sampler="tpe", wave=8, maximize=False):
    """A proposer on a dataset with three modalities."""
    return TrialSampler(space, partial(Configuration.resolve, modalities=MODALITIES), sampler, wave, maximize)


def tell(configuration, state="COMPLETE", value=None, step=27):
    """A trial told with its distance from a learning rate of 0.001, if nothing else is said."""
    return ObservedTrial(configuration, state, distance(configuration) if value is None else value, step)


def distance(configuration):
    """Decades between a learning rate and 0.001."""
    return abs(math.log10(configuration.lr) + 3)


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_proposals_are_a_function_of_what_is_told_and_the_seed(sampler):
    """Asked again, a proposer says the same; with another seed, something else."""
    told = [tell(c) for c in proposer(sampler=sampler).propose([], 8, seed=1)]
    first = proposer(sampler=sampler).propose(told, 8, seed=2)
    assert proposer(sampler=sampler).propose(told, 8, seed=2) == first
    assert not set(proposer(sampler=sampler).propose(told, 8, seed=3)) & set(first)


def last_wave(sampler, seed, told_of):
    """The fourth wave of a search, each trial of the earlier ones told as `told_of` says."""
    told = []
    for wave in range(4):
        found = proposer(sampler=sampler).propose(told, 8, seed=10 * seed + wave)
        told += [told_of(configuration) for configuration in found]
    return found


def test_tpe_learns_from_the_waves_before():
    """In the fourth wave TPE is much nearer to where the loss is least than blind draws, on the mean of ten."""

    def mean_distance(sampler):
        found = [c for seed in range(10) for c in last_wave(sampler, seed, tell)]
        return sum(map(distance, found)) / len(found)

    assert mean_distance("tpe") < 0.6 * mean_distance("random")


def test_tpe_does_not_go_back_to_where_runs_diverged():
    """Told that rates above 0.01 ended worst of all, TPE hardly proposes one; of blind draws a quarter lie there."""

    def told_of(configuration):
        return tell(configuration) if configuration.lr < 1e-2 else ObservedTrial(configuration, "PRUNED", 2.0)

    diverged = [c.lr >= 1e-2 for seed in range(10) for c in last_wave("tpe", seed, told_of)]
    assert sum(diverged) / len(diverged) < 0.1


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_no_configuration_is_proposed_twice(sampler):
    """Over as many waves as it takes, every configuration of a finite space is proposed once, and then none."""
    few, told = proposer(FEW, sampler, wave=4), []
    sizes = []
    for seed in range(3):
        found = few.propose(told, 4, seed)
        sizes.append(len(found))
        told += [ObservedTrial(configuration, "COMPLETE", 1.0, 27) for configuration in found]
    assert sizes == [4, 2, 0]
    assert len({trial.configuration for trial in told}) == 6


def test_a_choice_that_changes_nothing_ends_the_search():
    """In an infinite space of which every point means one configuration, one is proposed."""
    same = TrialSampler(
        Space({"dropout": Uniform(0.0, 0.5)}), lambda values: Configuration(("text",), (0.0,)), "tpe", 4, False
    )
    assert same.propose([], 4, seed=0) == (Configuration(("text",), (0.0,)),)


def test_optuna_is_told_the_truth(monkeypatch):
    """Complete trials have their objective, pruned ones their value at the rung, crashed ones none."""
    told = []
    add = optuna.Study.add_trial
    monkeypatch.setattr(optuna.Study, "add_trial", lambda study, trial: (told.append(trial), add(study, trial)))
    one, two, three, four = proposer().propose([], 4, seed=0)
    proposer().propose(
        [
            ObservedTrial(one, "COMPLETE", 0.5, 27),
            ObservedTrial(two, "PRUNED", 0.7, 9),
            ObservedTrial(three, "PRUNED"),
            ObservedTrial(four, "FAIL"),
        ],
        1,
        seed=1,
    )
    assert [trial.state for trial in told] == [TrialState[s] for s in ("COMPLETE", "PRUNED", "PRUNED", "FAIL")]
    assert [trial.value for trial in told] == [0.5, 0.7, None, None]
    assert [trial.intermediate_values for trial in told] == [{}, {9: 0.7}, {}, {}]
    assert [trial.params for trial in told] == [{"lr": c.lr} for c in (one, two, three, four)]


@pytest.mark.parametrize(("maximize", "direction"), [(False, "MINIMIZE"), (True, "MAXIMIZE")])
def test_the_study_has_the_objective_s_direction(monkeypatch, maximize, direction):
    """A loss is minimised, a correlation maximised."""
    studies = []
    create = optuna.create_study
    monkeypatch.setattr(optuna, "create_study", lambda **given: studies.append(create(**given)) or studies[-1])
    proposer(maximize=maximize).propose([], 1, seed=0)
    assert [study.direction.name for study in studies] == [direction]
