"""What happens between two steps of Ray Tune: the display moves on, and the sweep stops if it has to."""

from __future__ import annotations

import time
from typing import Any

from ray import tune

from tcray.sweep.interrupt import Interrupt
from tcray.sweep.progress import Display
from tcray.sweep.searcher import PackSearcher

ROOM_SECONDS = 60.0
"""How long packs may be handed out and no worker be at any, until that is said: Ray waits for room without a word."""


class Leave(BaseException):
    """Leaves Tune's loop at once. An Exception would have Tune wait for every worker to finish what it does."""


class Watch(tune.Callback):  # type: ignore[misc]  # Ray has no types
    """Tune's callback."""

    def __init__(self, searcher: PackSearcher, interrupt: Interrupt, display: Display) -> None:
        """Between a searcher and whoever watches, or stops it."""
        self._searcher = searcher
        self._interrupt = interrupt
        self._display = display
        self._worked_at = time.monotonic()

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles it for a restore that never comes."""
        return {}

    def on_step_begin(self, **_: Any) -> None:
        """Before Tune asks for further packs."""
        if self._interrupt.asked or self._searcher.failure is not None:
            raise Leave
        self._look_for_room()
        self._display.tick()

    def on_trial_start(self, *, trial: Any, **_: Any) -> None:
        """A worker is about to begin a pack; before that, it tells where it is."""
        self._searcher.began(trial.trial_id, trial.temporary_state.ray_actor.node.remote())

    def _look_for_room(self) -> None:
        now = time.monotonic()
        if not self._searcher.waits_for_workers:
            self._worked_at = now
        elif now - self._worked_at > ROOM_SECONDS:
            self._display.say(f"no worker has begun for {ROOM_SECONDS:.0f} s: the nodes are busy, or slow to start one")
            self._worked_at = now
