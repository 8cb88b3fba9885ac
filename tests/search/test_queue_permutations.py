"""The promise of the search: what comes of a sweep depends on the sweep, the data and the engine alone."""

import random
from functools import cache
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tcray.config.sweep import Asha, Confirm, Search
from tcray.search.sampler import TrialSampler

from .laboratory import Trainer, a_plan, a_store, exported, of_table
from .misfortune import Killed, Misfortune, MortalStore

PLAN = a_plan(search=Search("tpe", trials=8, wave=4, pruner=Asha(2, 2.0)), confirm=Confirm(seeds=1, repeats=2))
SMALL = a_plan(factors={}, search=Search("tpe", trials=4, wave=2, pruner=Asha(4, 2.0)), confirm=Confirm(seeds=1))
EDGE = 0.03


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What the store of a plan holds after a quiet day."""

    @cache
    def held(sweep_id):
        plan = {plan.sweep_id(): plan for plan in (PLAN, SMALL)}[sweep_id]
        store = a_store(tmp_path_factory.mktemp("quiet"), plan)
        Misfortune(random.Random(0)).drive(plan, store, Trainer(EDGE))
        return exported(store)

    return lambda plan: held(plan.sweep_id())


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a shorter day is no clearer, and takes minutes to find
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    seed=st.integers(0, 2**32),
    workers=st.integers(1, 6),
    limit=st.sampled_from([1, 2, 3, 7, 64]),
    trouble=st.sampled_from([0.0, 0.1, 0.3]),
    lives=st.lists(st.integers(1, 60), max_size=3),
)
def test_a_sweep_ends_the_same_on_any_day(tmp_path_factory, undisturbed, seed, workers, limit, trouble, lives):
    """Pack size, workers, order of return, lost hosts, dead processes, halvings and a killed driver change nothing."""
    store = a_store(tmp_path_factory.mktemp("day"), PLAN)
    day = Misfortune(random.Random(seed), workers, limit, trouble, trouble)
    for life in lives:
        try:
            day.drive(PLAN, MortalStore(store, life), Trainer(EDGE))
        except Killed:
            continue
    queue = day.drive(PLAN, store, Trainer(EDGE))
    assert exported(store) == undisturbed(PLAN)
    assert store.state_paths() == []
    assert queue.progress().ended == queue.progress().planned


def test_the_undisturbed_sweep_has_every_ending(undisturbed):
    """The sweep that the promise is tested on has complete, pruned and diverged runs, and both phases."""
    runs = of_table(undisturbed(PLAN), "runs")
    assert {(run["state"], run["reason"]) for run in runs} == {("COMPLETE", ""), ("PRUNED", ""), ("FAILED", "diverged")}
    assert {run["phase"] for run in runs} == {"search", "confirm"}
    assert len(runs) == PLAN.planned_runs


def test_a_driver_killed_at_any_write_is_resumed_to_the_same_end(tmp_path, undisturbed, monkeypatch):
    """However many writes a driver lives for, its heir ends alike, asks for no wave twice and repeats no segment."""
    asked = _spied(monkeypatch)
    for life in count(1):
        store = a_store(tmp_path / str(life), SMALL)
        driver = Misfortune(random.Random(life), most_in_flight=2, limit=3)
        asked.clear()
        try:
            driver.drive(SMALL, MortalStore(store, life), Trainer(EDGE))
        except Killed:
            proposed = {row["wave"] for row in _ledger(store, "proposal") if row["phase"] == "search"}
            asked[:] = [wave for wave in asked if wave in proposed]
            recorded = {(row["run_id"], row["rung"]) for row in _ledger(store, "value")}
            heir = Trainer(EDGE)
            driver.drive(SMALL, store, heir)
            assert len(asked) == len(set(asked))
            assert not recorded & {(run_id, stop) for run_id, _, stop in heir.trained}
            assert exported(store) == undisturbed(SMALL)
            assert store.state_paths() == []
        else:
            break
    assert life > 20


def test_a_finished_sweep_is_replayed_without_a_sampler(tmp_path, undisturbed, monkeypatch):
    """A queue on a finished store decides nothing, proposes nothing and writes nothing."""
    store = a_store(tmp_path, SMALL)
    Misfortune(random.Random(0)).drive(SMALL, store, Trainer(EDGE))
    asked = _spied(monkeypatch)
    queue = Misfortune(random.Random(0)).drive(SMALL, MortalStore(store, lives=1), Trainer(EDGE))
    assert queue.finished
    assert queue.take(64) is None
    assert asked == []


def _spied(monkeypatch):
    """The waves that any proposer is asked for from now on, in order."""
    asked = []
    propose = TrialSampler.propose

    def spy(self, told, count, seed):
        asked.append(len(told) // self.wave)
        return propose(self, told, count, seed)

    monkeypatch.setattr(TrialSampler, "propose", spy)
    return asked


def _ledger(store, kind):
    return [row for row in store.read("ledger").to_pylist() if row["kind"] == kind]
