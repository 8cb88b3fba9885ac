from __future__ import annotations

import pickle
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from tcray.tune.callback import StopTuning, TuneCallback


@dataclass
class Stand:
    """A searcher, and somebody who looks on, in one."""

    over: bool = False
    ticks: int = 0
    begun: list[tuple[str, str]] = field(default_factory=list)

    def tick(self) -> None:
        """Counts."""
        self.ticks += 1

    def began(self, trial_id: str, worker: str) -> None:
        """Takes it down."""
        self.begun.append((trial_id, worker))


def a_watch(stand: Any) -> TuneCallback:
    """The callback around it."""
    return TuneCallback(stand, stand.tick)


def test_every_step_is_told_and_shown() -> None:
    """While all is well a step does nothing but tell how far the sweep has come, and show it."""
    stand = Stand()
    a_watch(stand).on_step_begin(iteration=1, trials=[])
    assert 1 == stand.ticks


def test_a_step_ends_the_sweep() -> None:
    """Where nothing more is to be asked for, it leaves Tune's loop by what that does not handle."""
    stand = Stand(over=True)
    with pytest.raises(StopTuning):
        a_watch(stand).on_step_begin()
    assert not issubclass(StopTuning, Exception)
    assert 0 == stand.ticks


def test_a_worker_that_is_there_is_given_something_to_do() -> None:
    """The searcher hears of it before it begins."""
    stand = Stand()
    trial = SimpleNamespace(trial_id="ab", temporary_state=SimpleNamespace(ray_actor="the worker"))
    a_watch(stand).on_trial_start(iteration=1, trials=[], trial=trial)
    assert [("ab", "the worker")] == stand.begun


def test_nothing_of_it_is_kept_by_tune() -> None:
    """Tune pickles its callbacks for a restore that never comes."""
    stand = SimpleNamespace(tick=lambda: "cannot be pickled")
    assert {} == pickle.loads(pickle.dumps(a_watch(stand))).__dict__
