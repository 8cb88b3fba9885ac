"""Identification of a process by host, pid and start time, which stays unique although pids are reused."""

from __future__ import annotations

import functools
import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_GONE = ("Z", "X")
"""States of a process that has ended but has not been reaped by its parent."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process, identified by its machine, pid and start time: pids are reused, but not with the same start time.

    host      host name
    machine   distinguishes hosts of the same name, and containers of one host, whose pids mean different processes
    started   start time in the system's notation; empty if it could not be read
    """

    host: str
    machine: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> Process:
        """Return this process."""
        pid = os.getpid()
        return cls(socket.gethostname(), _machine(), pid, read_start_time(pid) or "")

    @property
    def is_local(self) -> bool:
        """True if the process belongs to this machine, so that `is_running` is meaningful."""
        return (self.host, self.machine) == (socket.gethostname(), _machine())

    @property
    def is_running(self) -> bool:
        """True if the process is running; valid only if `is_local`."""
        return read_start_time(self.pid) == self.started


def read_start_time(pid: int) -> str | None:
    """Return the start time of the process with this pid, in the system's notation; None if none is running."""
    state, started = _from_proc(pid) if (_PROC / "self" / "stat").exists() else _from_ps(pid)
    return None if not started or state.startswith(_GONE) else started


def _from_proc(pid: int) -> tuple[str, str]:
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return "", ""
    fields = stat.rpartition(")")[2].split()  # the process name before it may contain any character
    return fields[0], fields[19]


def _from_ps(pid: int) -> tuple[str, str]:
    listed = subprocess.run(["ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, started = listed.stdout.strip().partition(" ")
    return state, started.strip()


@functools.cache
def _machine() -> str:
    try:
        boot = (_PROC / "sys" / "kernel" / "random" / "boot_id").read_text().strip()
        return f"{boot}/{(_PROC / 'self' / 'ns' / 'pid').readlink()}"
    except OSError:
        return socket.gethostname()
