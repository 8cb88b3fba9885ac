from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from tcray.store.driver_status import DriverStatus
from tcray.tune.status import display as display_module
from tcray.tune.status.display import (
    HOST_HEADER,
    Display,
    format_host_rows,
    format_status,
    format_time_left,
    print_note,
)
from tests.store.factories import make_driver_status
from tests.tune.fakes import FakeClock

STATUS = make_driver_status("t")
ONE_HOST = replace(STATUS, hosts=STATUS.hosts[:1], pending_reasons={})


def make_terminal(out: io.StringIO, term: str = "xterm") -> Console:
    """Return a terminal of 120 columns."""
    return Console(file=out, force_terminal=True, width=120, legacy_windows=False, _environ={"TERM": term})


def show(status: DriverStatus, *, show_single_host: bool = True) -> str:
    """Return the final display of a status on a terminal."""
    out = io.StringIO()
    with Display(make_terminal(out), "rank", lambda: status, show_single_host=show_single_host):
        out.truncate(0)
    return out.getvalue()


def test_a_status_fits_on_one_line() -> None:
    """The line counts runs by state, and has the time left and the best value of each dataset."""
    assert format_status(STATUS) == (
        "389 of 1,234 runs done (88 pruned, 1 failed), 32 running on 2 hosts, about 14 min left; "
        "best valid.loss: mosi 0.9123"
    )
    assert "32 running, about" in format_status(ONE_HOST), "the number of hosts is shown only if there are several"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, ""),
        (0.2, ", about 1 s left"),
        (89, ", about 89 s left"),
        (91, ", about 2 min left"),
        (5000, ", about 83 min left"),
        (5400, ", about 1.5 h left"),
    ],
)
def test_time_left(seconds: float | None, expected: str) -> None:
    """The time left is shown in a suitable unit, and not at all if it is unknown or all runs are done."""
    assert expected == format_time_left(replace(STATUS, seconds_left=seconds))
    assert "" == format_time_left(replace(STATUS, seconds_left=seconds, planned=389))


def test_one_row_per_host() -> None:
    """A host that is gone keeps its runs; hosts with the same name also show their addresses."""
    rows = format_host_rows(STATUS.hosts)
    assert {len(HOST_HEADER)} == {len(row) for row in rows}
    assert [
        ("h1", "up", "4", "4", "240", "1,234"),
        ("h2", "leaving", "4", "1", "120", ""),
        ("h3", "gone", "", "", "29", ""),
    ] == rows
    boxes = [replace(host, name="box") for host in STATUS.hosts[:2]]
    names = [row[0] for row in format_host_rows([*boxes, STATUS.hosts[2]])]
    assert ["box (10.0.0.1)", "box (10.0.0.2)", "h3"] == names


def test_plain_lines_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the output is not a terminal, there is a line at the start, every ten seconds, and at the end."""
    clock, out = FakeClock(monkeypatch, display_module), io.StringIO()
    console, now = Console(file=out, width=40), [replace(ONE_HOST, seconds_left=None)]
    with Display(console, "rank", lambda: now[0], show_single_host=True) as display:
        for _ in range(25):
            display.tick()
            clock.now += 1.0
        now[0] = replace(ONE_HOST, complete=400, seconds_left=200.0)
        print_note(console, "a note [with brackets]")
    lines = out.getvalue().splitlines()
    progress = "rank: 389 of 1,234 runs done (88 pruned, 1 failed), 32 running; best valid.loss: mosi 0.9123"
    assert [progress] * 3 + ["a note [with brackets]"] == lines[:4], "lines are not wrapped in a narrow output"
    assert "rank: 489 of 1,234 runs done (88 pruned, 1 failed), 32 running, about 3 min left" in lines[4]
    assert "\x1b" not in out.getvalue()


def test_a_reason_is_printed_once_when_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reason is printed again only after it has ended, even if its numbers change; routine reasons never are."""
    clock, out = FakeClock(monkeypatch, display_module), io.StringIO()
    reasons = [
        {"busy": "9 runs wait: every slot is busy"},
        {"hosts": "3 packs wait for a host: 2 of gpu-spot are being started"},
        {"hosts": "1 pack waits for a host: 1 of gpu-spot is being started", "results": "1 slot is free"},
        {},
        {"hosts": "2 packs wait for a host: 1 of gpu-spot is being started"},
    ]
    now = [ONE_HOST]
    with Display(Console(file=out), "rank", lambda: now[0], show_single_host=True) as display:
        for why in reasons:
            now[0] = replace(ONE_HOST, pending_reasons=why)
            clock.now += 10.0
            display.tick()
    printed = [line for line in out.getvalue().splitlines() if "runs done" not in line]
    assert [f"rank: {reasons[1]['hosts']}", f"rank: {reasons[4]['hosts']}"] == printed


def test_a_live_view_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The live view has a bar, the best of each dataset, the reasons and the hosts; notes stay above it."""
    clock, out = FakeClock(monkeypatch, display_module), io.StringIO()
    console = make_terminal(out)
    with Display(console, "rank", lambda: STATUS, show_single_host=False) as display:
        clock.now += 1.0
        display.tick()
        print_note(console, "the worker of a pack of 4 runs died")
    shown = out.getvalue()
    for text in (
        "━",
        "the worker of a pack of 4 runs died",
        "389 of 1,234 runs done",
        "rank=4,conditioning=jwae",
        *STATUS.pending_reasons.values(),
        "runs/h",
        "1,234",
        "gone",
    ):
        assert text in shown


def test_a_single_host_is_shown_on_request() -> None:
    """The driver does not show its only host, but `tcray status --follow` does."""
    assert "h1" in show(ONE_HOST, show_single_host=True)
    assert "h1" not in show(ONE_HOST, show_single_host=False)
    assert "h1" in show(replace(ONE_HOST, hosts=STATUS.hosts[:2]), show_single_host=False)


def test_plain_lines_on_a_dumb_terminal() -> None:
    """A terminal that cannot move its cursor gets plain lines."""
    out = io.StringIO()
    with Display(make_terminal(out, "dumb"), "rank", lambda: STATUS, show_single_host=True):
        pass
    assert 2 == out.getvalue().count("389 of 1,234 runs done")
