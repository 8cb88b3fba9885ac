from __future__ import annotations

import io
import math
from dataclasses import replace

import pytest
from rich.console import Console

from tcray.search.progress import Best
from tcray.search.queue import Progress
from tcray.sweep import progress as watched
from tcray.sweep.progress import Display, line, until

BEGUN = Progress(
    planned=1234,
    complete=300,
    pruned=88,
    failed=1,
    in_flight=32,
    waiting=70,
    epochs_done=5000,
    epochs_to_do=9000.0,
    best={"mosi": Best(0.91234, "mosi/rank=4,conditioning=jwae")},
    notes=(),
)


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Takes the place of the display's clock."""
        self.now = 0.0
        monkeypatch.setattr(watched.time, "monotonic", lambda: self.now)


def test_a_line_tells_it_all() -> None:
    """A line counts runs by what became of them, says how long it will take, and the best of each dataset."""
    assert line(BEGUN, "valid.loss", 840) == (
        "389 of 1,234 runs done (88 pruned, 1 failed), 32 running, about 14 min left; best valid.loss: mosi 0.9123"
    )


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (math.inf, ""),
        (0.2, ", about 1 s left"),
        (89, ", about 89 s left"),
        (91, ", about 2 min left"),
        (5000, ", about 83 min left"),
        (5400, ", about 1.5 h left"),
    ],
)
def test_time_left(seconds: float, said: str) -> None:
    """Time left is told in the unit that fits; not at all before anything has come back."""
    assert said == until(BEGUN, seconds)
    assert "" == until(replace(BEGUN, planned=389), seconds), "nor when all is done"


def test_no_terminal_gets_a_plain_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the output is no terminal there is a plain line at the start, about every ten seconds, and at the end."""
    clock, out = Clock(monkeypatch), io.StringIO()
    now = [BEGUN]
    with Display(Console(file=out, width=40), "rank", "valid.loss", lambda: now[0]) as display:
        for second in range(25):
            clock.now = float(second)
            display.tick()
        now[0] = replace(BEGUN, complete=400, epochs_done=6000, epochs_to_do=8000.0)
        display.say("a note [of its own]")
    said = out.getvalue().splitlines()
    begun = "rank: 389 of 1,234 runs done (88 pruned, 1 failed), 32 running; best valid.loss: mosi 0.9123"
    assert [begun] * 3 + ["a note [of its own]"] == said[:4], "in one line each, however narrow the output"
    assert "rank: 489 of 1,234 runs done (88 pruned, 1 failed), 32 running, about 3 min left" in said[4]
    assert "\x1b" not in out.getvalue()


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal a bar moves, the best cell of each dataset stands below it, and notes stay above."""
    clock, out = Clock(monkeypatch), io.StringIO()
    console = Console(file=out, force_terminal=True, width=120, legacy_windows=False, _environ={"TERM": "xterm"})
    with Display(console, "rank", "valid.loss", lambda: BEGUN) as display:
        clock.now = 1.0
        display.tick()
        display.say("the worker of a pack of 4 runs died")
    said = out.getvalue()
    assert "━" in said
    assert "389 of 1,234 runs done" in said
    assert "rank=4,conditioning=jwae" in said
    assert "the worker of a pack of 4 runs died" in said


def test_a_dumb_terminal_gets_plain_lines() -> None:
    """A terminal that cannot move its cursor gets lines."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, _environ={"TERM": "dumb"})
    with Display(console, "rank", "valid.loss", lambda: BEGUN):
        pass
    assert 2 == out.getvalue().count("389 of 1,234 runs done")
