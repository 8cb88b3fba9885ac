"""A driver on the head of a cluster, observed from outside."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from .hosts import Host, Hosts
from .patience import PATIENCE_SECONDS, until
from .traced import Traced, TraceRecord

AUTH = "RAY_AUTH_MODE=token"
"""Environment of every process that connects to Ray on a host."""


class Driver:
    """`tcray sweep FILE --address auto`, with a trace that all hosts write to."""

    def __init__(self, head: Host, name: str, file: Path, *options: str) -> None:
        """Start the driver; `name` is that of its trace, which a driver of the same name continues."""
        shared = Hosts(head.number).shared
        self.trace = Traced(str(shared / f"{name}.trace"))
        self._began = time.time()
        self.log = shared / f"{name}.{self._began:.0f}.log"
        traced = ["env", AUTH, "python", "-m", "tests.multihost.traced", self.trace.path]
        sweep = ["sweep", str(file), "--address", "auto", *options]
        with self.log.open("w") as log:
            self._process = subprocess.Popen(head.command(*traced, *sweep), stdout=log, stderr=log)

    def output(self) -> str:
        """Return the output so far."""
        return self.log.read_text()

    def packs(self, host: Host) -> list[TraceRecord]:
        """Return the packs in training on a host for this driver, without those of a killed driver."""
        return [pack for pack in self.trace.in_flight() if pack.host == host.name and pack.at > self._began]

    def wait_for(self, holds: Callable[[], object], what: str) -> float:
        """Wait until a condition holds while the driver runs; return the seconds it took."""

        def check() -> object:
            ended = self._process.poll() is not None  # before the last check of the condition
            held = holds()
            assert held or not ended, f"the driver ended before {what}"
            return held

        try:
            return until(check, what)
        except AssertionError as error:
            error.add_note(self.output())
            raise

    def wait_for_output(self, pattern: str) -> float:
        """Wait until the output matches a pattern; return the seconds it took."""
        return self.wait_for(lambda: re.search(pattern, self.output()), repr(pattern))

    def kill(self) -> None:
        """Kill the driver with `kill -9`."""
        (driver,) = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        os.kill(int(driver), signal.SIGKILL)
        self._process.wait()

    def end(self, expected: int = 0) -> str:
        """Wait for the end, require the expected exit code, and return the output."""
        code = self._process.wait(PATIENCE_SECONDS)
        assert expected == code, self.output()
        assert not re.search(r"\.cc:\d+\]", self.output()), "users must not see log lines of Ray's C++ code"
        return self.output()
