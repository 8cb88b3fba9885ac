from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tcray.sweep import watch as watching
from tcray.sweep.watch import Leave, Watch


@dataclass
class Stand:
    """A searcher, an interrupt and a display in one, that do as they are told."""

    failure: Exception | None = None
    asked: bool = False
    waits_for_workers: bool = False
    said: list[str] = field(default_factory=list)
    ticks: int = 0

    def tick(self) -> None:
        """Counts."""
        self.ticks += 1

    def say(self, note: str) -> None:
        """Takes it down."""
        self.said.append(note)


def a_watch(stand: Any) -> Watch:
    """The callback around it."""
    return Watch(stand, stand, stand)


def test_every_step_moves_the_display() -> None:
    """While all is well a step does nothing but show how far it has come."""
    stand = Stand()
    a_watch(stand).on_step_begin(iteration=1, trials=[])
    assert 1 == stand.ticks


@pytest.mark.parametrize("stand", [Stand(asked=True), Stand(failure=ValueError("no"))])
def test_a_step_ends_the_sweep(stand: Stand) -> None:
    """Ctrl-C, and a failure that Tune has swallowed, leave its loop by an exception that it does not handle."""
    with pytest.raises(Leave):
        a_watch(stand).on_step_begin()
    assert not issubclass(Leave, Exception)


def test_waiting_for_room_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packs that no worker begins for a minute are spoken of, once a minute."""
    now = [0.0]
    monkeypatch.setattr(watching.time, "monotonic", lambda: now[0])
    stand = Stand()
    watch = a_watch(stand)
    for second in range(200):
        now[0] = float(second)
        stand.waits_for_workers = 10 <= second < 140
        watch.on_step_begin()
    expected = "no worker has begun for 60 s: the nodes are busy, or slow to start one"
    assert [expected] * 2 == stand.said
