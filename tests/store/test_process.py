"""Tests of the identification of processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tcray.store import process
from tcray.store.process import Process, read_start_time


def test_this_process_is_local_and_running() -> None:
    """The current process is identified by its pid and start time."""
    me = Process.current()
    assert (me.pid, me.is_local, me.is_running) == (os.getpid(), True, True)


def test_a_reused_pid_is_another_process() -> None:
    """A process with the same pid and another start time counts as ended."""
    assert not replace(Process.current(), started="long ago").is_running


def test_a_process_of_another_machine_is_not_local() -> None:
    """Another host, or another container on this host, is another machine."""
    assert not replace(Process.current(), host="other-host").is_local
    assert not replace(Process.current(), machine="another pid namespace").is_local


def test_a_killed_process_has_ended_before_it_is_reaped() -> None:
    """A zombie does not count as running."""
    child = subprocess.Popen(["sleep", "60"])
    assert read_start_time(child.pid) is not None
    child.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while read_start_time(child.pid) is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert read_start_time(child.pid) is None
    child.wait()
    assert read_start_time(child.pid) is None


@pytest.mark.skipif(shutil.which("ps") is None, reason="there is no ps")
def test_without_proc_the_start_time_comes_from_ps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On a system without /proc, the start time is read from the output of `ps`."""
    monkeypatch.setattr(process, "_PROC", tmp_path)
    started = read_start_time(os.getpid())
    assert started is not None
    assert str(time.localtime().tm_year) in started
    child = subprocess.Popen(["true"])
    child.wait()
    assert read_start_time(child.pid) is None
