from __future__ import annotations

import pickle
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from tcray.tune.tuner import StopTuning, TuneCallback


@dataclass
class FakeSearcher:
    """A searcher that records started workers, with a status reporter that counts its ticks."""

    is_over: bool = False
    ticks: int = 0
    ready: list[tuple[str, str]] = field(default_factory=list)

    def tick(self) -> None:
        """Count the call."""
        self.ticks += 1

    def on_worker_ready(self, trial_id: str, worker: str) -> None:
        """Record the worker."""
        self.ready.append((trial_id, worker))


def make_callback(searcher: Any) -> TuneCallback:
    """Return the callback with the searcher in both roles."""
    return TuneCallback(searcher, searcher.tick)


def test_each_step_reports_the_status() -> None:
    """A step only reports the status as long as the sweep is not over."""
    searcher = FakeSearcher()
    make_callback(searcher).on_step_begin(iteration=1, trials=[])
    assert 1 == searcher.ticks


def test_a_step_ends_tune() -> None:
    """If the sweep is over, the step raises an exception that Tune does not catch."""
    searcher = FakeSearcher(is_over=True)
    with pytest.raises(StopTuning):
        make_callback(searcher).on_step_begin()
    assert not issubclass(StopTuning, Exception)
    assert 0 == searcher.ticks


def test_a_started_worker_is_passed_to_the_searcher() -> None:
    """The searcher gets the actor of a trial before its first step."""
    searcher = FakeSearcher()
    trial = SimpleNamespace(trial_id="ab", temporary_state=SimpleNamespace(ray_actor="the worker"))
    make_callback(searcher).on_trial_start(iteration=1, trials=[], trial=trial)
    assert [("ab", "the worker")] == searcher.ready


def test_the_callback_pickles_to_nothing() -> None:
    """Tune pickles its callbacks for a restore that never happens."""
    searcher = SimpleNamespace(tick=lambda: "cannot be pickled")
    assert {} == pickle.loads(pickle.dumps(make_callback(searcher))).__dict__
