"""A sweep that is run on the head of a cluster, and watched from outside."""

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
from .traced import ObservedTrial, Traced

AUTH = "RAY_AUTH_MODE=token"
"""What everything that speaks to Ray on a host is to find in its environment."""


class Driver:
    """`tcray sweep FILE --address auto`, under a trace that all hosts write to."""

    def __init__(self, head: Host, name: str, file: Path, *options: str) -> None:
        """Starts it; `name` tells its trace from others, and one that is started again goes on with it."""
        shared = Hosts(head.number).shared
        self.trace = Traced(str(shared / f"{name}.trace"))
        self._began = time.time()
        self.log = shared / f"{name}.{self._began:.0f}.log"
        traced = ["env", AUTH, "python", "-m", "tests.multihost.traced", self.trace.path]
        sweep = ["sweep", str(file), "--address", "auto", *options]
        with self.log.open("w") as log:
            self._process = subprocess.Popen(head.command(*traced, *sweep), stdout=log, stderr=log)

    def said(self) -> str:
        """What it has said so far."""
        return self.log.read_text()

    def packs(self, host: Host) -> list[ObservedTrial]:
        """Those that are being trained on a host for this driver, and not for one that was killed."""
        return [pack for pack in self.trace.under_way() if pack.host == host.name and pack.at > self._began]

    def wait_for(self, holds: Callable[[], object], what: str) -> float:
        """Until something holds while it runs; after how many seconds it did."""

        def looked() -> object:
            ended = self._process.poll() is not None  # before it is looked for the last time
            held = holds()
            assert held or not ended, f"the driver ended before {what}"
            return held

        try:
            return until(looked, what)
        except AssertionError as error:
            error.add_note(self.said())
            raise

    def wait_for_sentence(self, pattern: str) -> float:
        """Until it has said something that matches; after how many seconds it had."""
        return self.wait_for(lambda: re.search(pattern, self.said()), repr(pattern))

    def kill(self) -> None:
        """As `kill -9` on the head: it has no time for a word."""
        (driver,) = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        os.kill(int(driver), signal.SIGKILL)
        self._process.wait()

    def end(self, expected: int = 0) -> str:
        """What it has said once it has ended, with the exit code that is expected."""
        code = self._process.wait(PATIENCE_SECONDS)
        assert expected == code, self.said()
        assert not re.search(r"\.cc:\d+\]", self.said()), "what Ray's C++ side remarks is for no user"
        return self.said()
