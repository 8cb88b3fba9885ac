"""Which process a pid means."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from dataclasses import replace

import pytest

from tcray.store import process
from tcray.store.process import Process, read_start_time


def test_this_process_is_here_and_running():
    """Its pid and start name it."""
    me = Process.current()
    assert (me.pid, me.is_local, me.is_running) == (os.getpid(), True, True)


def test_a_pid_used_again_is_another_process():
    """The same pid with another start does not run."""
    assert not replace(Process.current(), started="long ago").is_running


def test_a_process_elsewhere_is_not_here():
    """Another host, or another container on this one."""
    assert not replace(Process.current(), host="elsewhere").is_local
    assert not replace(Process.current(), machine="another pid namespace").is_local


def test_a_killed_process_is_gone_before_it_is_reaped():
    """A zombie does not run."""
    child = subprocess.Popen(["sleep", "60"])
    assert read_start_time(child.pid) is not None
    child.send_signal(signal.SIGKILL)
    patience = time.monotonic() + 10
    while read_start_time(child.pid) is not None and time.monotonic() < patience:
        time.sleep(0.01)
    assert read_start_time(child.pid) is None
    child.wait()
    assert read_start_time(child.pid) is None


@pytest.mark.skipif(shutil.which("ps") is None, reason="there is no ps")
def test_ps_tells_it_where_there_is_no_proc(monkeypatch: pytest.MonkeyPatch, tmp_path: os.PathLike[str]):
    """On a system without /proc the start is what `ps` says."""
    monkeypatch.setattr(process, "_PROC", process.Path(tmp_path))
    started = read_start_time(os.getpid())
    assert started is not None
    assert str(time.localtime().tm_year) in started
    child = subprocess.Popen(["true"])
    child.wait()
    assert read_start_time(child.pid) is None
