"""Which process, of all that ever ran, a pid means."""

from __future__ import annotations

import functools
import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_GONE = ("Z", "X")
"""States of a process that has ended and only waits to be reaped."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process by its machine, pid and start: pids are used again, a pid with its start is not."""

    host: str
    machine: str
    """Tells hosts of one name apart, and containers of one host, whose pids mean different processes."""
    pid: int
    started: str

    @classmethod
    def current(cls) -> Process:
        """This process."""
        pid = os.getpid()
        return cls(socket.gethostname(), _machine(), pid, read_start_time(pid) or "")

    @property
    def is_local(self) -> bool:
        """Whether it ran on this machine, so that `is_running` can tell."""
        return (self.host, self.machine) == (socket.gethostname(), _machine())

    @property
    def is_running(self) -> bool:
        """Whether it still runs; only for a process that `is_here`."""
        return read_start_time(self.pid) == self.started


def read_start_time(pid: int) -> str | None:
    """When the process of that pid started, in the system's own notation; None where none runs."""
    state, started = _from_proc(pid) if (_PROC / "self" / "stat").exists() else _from_ps(pid)
    return None if not started or state.startswith(_GONE) else started


def _from_proc(pid: int) -> tuple[str, str]:
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return "", ""
    fields = stat.rpartition(")")[2].split()  # the name before it may hold anything
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
