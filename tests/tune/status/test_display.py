from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from tcray.store.driver_status import DriverStatus
from tcray.tune.status import display as watched
from tcray.tune.status.display import HOST_HEADER, Display, format_host_rows, format_time_left, line, say
from tests.store.recorded import an_activity

BEGUN = an_activity("t")
ALONE = replace(BEGUN, hosts=BEGUN.hosts[:1], why={})


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Takes the place of the display's clock."""
        self.now = 0.0
        monkeypatch.setattr(watched.time, "monotonic", lambda: self.now)


def a_terminal(out: io.StringIO, term: str = "xterm") -> Console:
    """A terminal of 120 columns."""
    return Console(file=out, force_terminal=True, width=120, legacy_windows=False, _environ={"TERM": term})


def shown(activity: DriverStatus, *, lone: bool = True) -> str:
    """What stands on a terminal at the end."""
    out = io.StringIO()
    with Display(a_terminal(out), "rank", lambda: activity, lone=lone):
        out.truncate(0)
    return out.getvalue()


def test_a_line_tells_it_all() -> None:
    """A line counts runs by what became of them, says how long it will take, and the best of each dataset."""
    assert line(BEGUN) == (
        "389 of 1,234 runs done (88 pruned, 1 failed), 32 running on 2 hosts, about 14 min left; "
        "best valid.loss: mosi 0.9123"
    )
    assert "32 running, about" in line(ALONE), "on one host nobody asks where"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, ""),
        (0.2, ", about 1 s left"),
        (89, ", about 89 s left"),
        (91, ", about 2 min left"),
        (5000, ", about 83 min left"),
        (5400, ", about 1.5 h left"),
    ],
)
def test_time_left(seconds: float | None, said: str) -> None:
    """Time left is told in the unit that fits; not at all before anything has come back."""
    assert said == format_time_left(replace(BEGUN, seconds_left=seconds))
    assert "" == format_time_left(replace(BEGUN, seconds_left=seconds, planned=389)), "nor when all is done"


def test_a_row_a_host() -> None:
    """One that is gone keeps what it did; hosts of one name are told apart by their addresses."""
    rows = format_host_rows(BEGUN.hosts)
    assert {len(HOST_HEADER)} == {len(row) for row in rows}
    assert [
        ("h1", "up", "4", "4", "240", "1,234"),
        ("h2", "leaving", "4", "1", "120", ""),
        ("h3", "gone", "", "", "29", ""),
    ] == rows
    twins = [replace(host, name="box") for host in BEGUN.hosts[:2]]
    assert ["box (10.0.0.1)", "box (10.0.0.2)", "h3"] == [row[0] for row in format_host_rows([*twins, BEGUN.hosts[2]])]


def test_no_terminal_gets_a_plain_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the output is no terminal there is a plain line at the start, about every ten seconds, and at the end."""
    clock, out = Clock(monkeypatch), io.StringIO()
    console, now = Console(file=out, width=40), [replace(ALONE, seconds_left=None)]
    with Display(console, "rank", lambda: now[0], lone=True) as display:
        for second in range(25):
            clock.now = float(second)
            display.tick()
        now[0] = replace(ALONE, complete=400, seconds_left=200.0)
        say(console, "a note [of its own]")
    said = out.getvalue().splitlines()
    begun = "rank: 389 of 1,234 runs done (88 pruned, 1 failed), 32 running; best valid.loss: mosi 0.9123"
    assert [begun] * 3 + ["a note [of its own]"] == said[:4], "in one line each, however narrow the output"
    assert "rank: 489 of 1,234 runs done (88 pruned, 1 failed), 32 running, about 3 min left" in said[4]
    assert "\x1b" not in out.getvalue()


def test_a_reason_is_said_once_when_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its numbers are later, and again if it came to an end between; that every slot is busy is no news."""
    clock, out = Clock(monkeypatch), io.StringIO()
    reasons = [
        {"busy": "9 runs wait: every slot is busy"},
        {"hosts": "3 packs wait for a host: 2 of gpu-spot are being started"},
        {"hosts": "1 pack waits for a host: 1 of gpu-spot is being started", "judged": "1 slot is free"},
        {},
        {"hosts": "2 packs wait for a host: 1 of gpu-spot is being started"},
    ]
    now = [ALONE]
    with Display(Console(file=out), "rank", lambda: now[0], lone=True) as display:
        for why in reasons:
            now[0] = replace(ALONE, why=why)
            clock.now += 10.0
            display.tick()
    said = [told for told in out.getvalue().splitlines() if "runs done" not in told]
    assert [f"rank: {reasons[1]['hosts']}", f"rank: {reasons[4]['hosts']}"] == said


def test_a_terminal_gets_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bar moves, below it stand the best of each dataset, what waits and a line a host, and notes stay above."""
    clock, out = Clock(monkeypatch), io.StringIO()
    console = a_terminal(out)
    with Display(console, "rank", lambda: BEGUN, lone=False) as display:
        clock.now = 1.0
        display.tick()
        say(console, "the worker of a pack of 4 runs died")
    said = out.getvalue()
    assert "━" in said
    assert "the worker of a pack of 4 runs died" in said
    for told in (
        "389 of 1,234 runs done",
        "rank=4,conditioning=jwae",
        "70 runs wait: every slot is busy",
        "h2 is leaving: no new pack begins there",
        "runs/h",
        "1,234",
        "gone",
    ):
        assert told in said


def test_a_lone_host_is_shown_to_those_who_look_on_from_elsewhere() -> None:
    """Whoever runs a sweep on his own machine knows where it runs."""
    assert "h1" in shown(ALONE, lone=True)
    assert "h1" not in shown(ALONE, lone=False)
    assert "h1" in shown(replace(ALONE, hosts=BEGUN.hosts[:2]), lone=False)


def test_a_dumb_terminal_gets_plain_lines() -> None:
    """A terminal that cannot move its cursor gets lines."""
    out = io.StringIO()
    with Display(a_terminal(out, "dumb"), "rank", lambda: BEGUN, lone=True):
        pass
    assert 2 == out.getvalue().count("389 of 1,234 runs done")
