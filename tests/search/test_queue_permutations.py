"""The promise of the search: the results of a sweep depend on the sweep, the data and the engine alone."""

import random
from functools import cache
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tcray.config.sweep import Asha, Confirm, Search
from tcray.search.sampler import TrialSampler

from .factories import export_reproducible, make_plan, make_store, select_rows
from .fakes import DriverKilledError, FakeTrainer, StoreOfKilledDriver, UnreliableCluster

PLAN = make_plan(search=Search("tpe", trials=8, wave=4, pruner=Asha(2, 2.0)), confirm=Confirm(seeds=1, repeats=2))
SMALL = make_plan(factors={}, search=Search("tpe", trials=4, wave=2, pruner=Asha(4, 2.0)), confirm=Confirm(seeds=1))
EDGE = 0.03


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Return the contents of the store of a plan after a sweep without failures."""

    @cache
    def run_undisturbed(sweep_id):
        plan = {plan.sweep_id(): plan for plan in (PLAN, SMALL)}[sweep_id]
        store = make_store(tmp_path_factory.mktemp("quiet"), plan)
        UnreliableCluster(random.Random(0)).run(plan, store, FakeTrainer(EDGE))
        return export_reproducible(store)

    return lambda plan: run_undisturbed(plan.sweep_id())


@settings(
    max_examples=12,
    deadline=None,
    phases=[
        Phase.explicit,
        Phase.reuse,
        Phase.generate,
    ],  # shrinking takes minutes, and its example is no clearer
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    seed=st.integers(0, 2**32),
    workers=st.integers(1, 6),
    limit=st.sampled_from([1, 2, 3, 7, 64]),
    failure_rate=st.sampled_from([0.0, 0.1, 0.3]),
    lives=st.lists(st.integers(1, 60), max_size=3),
)
def test_failures_and_order_change_no_result(
    tmp_path_factory, undisturbed, seed, workers, limit, failure_rate, lives
) -> None:
    """Pack size, workers, order of return, lost hosts, crashes, bisections and a killed driver change no result."""
    store = make_store(tmp_path_factory.mktemp("cluster"), PLAN)
    cluster = UnreliableCluster(random.Random(seed), workers, limit, failure_rate, failure_rate)
    for lives_left in lives:
        try:
            cluster.run(PLAN, StoreOfKilledDriver(store, lives_left), FakeTrainer(EDGE))
        except DriverKilledError:
            continue
    queue = cluster.run(PLAN, store, FakeTrainer(EDGE))
    assert export_reproducible(store) == undisturbed(PLAN)
    assert store.checkpoint_paths() == []
    assert queue.progress().ended == queue.progress().planned


def test_the_undisturbed_sweep_has_every_final_state(undisturbed) -> None:
    """The sweep used above has complete, pruned and diverged runs, and both phases."""
    runs = select_rows(undisturbed(PLAN), "runs")
    assert {(run["state"], run["reason"]) for run in runs} == {("COMPLETE", ""), ("PRUNED", ""), ("FAILED", "diverged")}
    assert {run["phase"] for run in runs} == {"search", "confirm"}
    assert len(runs) == PLAN.planned_runs


def test_a_driver_killed_before_any_write_is_resumed_to_the_same_results(tmp_path, undisturbed, monkeypatch) -> None:
    """Results are the same no matter when the driver is killed; no wave is proposed and no segment trained again."""
    proposed_waves = _spy_on_proposals(monkeypatch)
    for lives_left in count(1):
        store = make_store(tmp_path / str(lives_left), SMALL)
        driver = UnreliableCluster(random.Random(lives_left), workers=2, limit=3)
        proposed_waves.clear()
        try:
            driver.run(SMALL, StoreOfKilledDriver(store, lives_left), FakeTrainer(EDGE))
        except DriverKilledError:
            proposed = {row["wave"] for row in _read_ledger(store, "proposal") if row["phase"] == "search"}
            proposed_waves[:] = [wave for wave in proposed_waves if wave in proposed]
            recorded = {(row["run_id"], row["rung"]) for row in _read_ledger(store, "value")}
            successor = FakeTrainer(EDGE)
            driver.run(SMALL, store, successor)
            assert len(proposed_waves) == len(set(proposed_waves))
            assert not recorded & {(run_id, stop) for run_id, _, stop in successor.trained}
            assert export_reproducible(store) == undisturbed(SMALL)
            assert store.checkpoint_paths() == []
        else:
            break
    assert lives_left > 20


def test_a_finished_sweep_is_replayed_without_a_sampler(tmp_path, undisturbed, monkeypatch) -> None:
    """A queue on a finished store decides nothing, proposes nothing and writes nothing."""
    store = make_store(tmp_path, SMALL)
    UnreliableCluster(random.Random(0)).run(SMALL, store, FakeTrainer(EDGE))
    proposed_waves = _spy_on_proposals(monkeypatch)
    queue = UnreliableCluster(random.Random(0)).run(SMALL, StoreOfKilledDriver(store, lives=1), FakeTrainer(EDGE))
    assert queue.finished
    assert queue.take(64) is None
    assert proposed_waves == []


def _spy_on_proposals(monkeypatch):
    """Return a list to which every call of a sampler from now on appends the number of its wave."""
    proposed_waves = []
    propose = TrialSampler.propose

    def spy(self, observed, count, seed):
        proposed_waves.append(len(observed) // self.wave)
        return propose(self, observed, count, seed)

    monkeypatch.setattr(TrialSampler, "propose", spy)
    return proposed_waves


def _read_ledger(store, kind):
    return [row for row in store.read("ledger").to_pylist() if row["kind"] == kind]
