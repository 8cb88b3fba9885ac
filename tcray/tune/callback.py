"""What happens between two steps of Ray Tune: the sweep is told of and shown, and stops if it has to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ray import tune

from tcray.tune.searcher import PackSearcher


class StopTuning(BaseException):
    """Leaves Tune's loop at once. An Exception would have Tune wait for every worker to finish what it does."""


class TuneCallback(tune.Callback):  # type: ignore[misc]  # Ray has no types
    """Tune's callback."""

    def __init__(self, searcher: PackSearcher, tick: Callable[[], None]) -> None:
        """Between a searcher and whoever looks on, by `tick`."""
        self._searcher = searcher
        self._tick = tick

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles it for a restore that never comes."""
        return {}

    def on_step_begin(self, **_: Any) -> None:
        """Before Tune asks for further packs."""
        if self._searcher.over:
            raise StopTuning
        self._tick()

    def on_trial_start(self, *, trial: Any, **_: Any) -> None:
        """A worker is there, and about to begin."""
        self._searcher.began(trial.trial_id, trial.temporary_state.ray_actor)
