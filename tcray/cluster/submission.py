"""Submission of a sweep to a cluster: its file and datasets are uploaded to the head, which runs it as a Ray job."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tcray.cluster.head import Head, disconnect
from tcray.cluster.job import FOLLOW_EXIT_CODES
from tcray.config.commands import format_command
from tcray.data.catalog import arrays_path, card_path
from tcray.errors import Interrupted, SweepError
from tcray.search.plan import Plan

SWEEPS, DATA = "sweeps", "data"
"""Folders in the head's work folder: one subfolder per submitted sweep, with its file; and the datasets."""

_JOB = ("python3", "-m", "tcray.cluster.job")


@dataclass(frozen=True)
class Submission:
    """A sweep that runs on a cluster, independently of this machine."""

    head: Head
    job: str
    """Id of the Ray job."""
    sweep_id: str
    store: str
    """The store, as the head names it."""

    def follow(self, log: Callable[[str], None]) -> int:
        """Print the sweep's output until it ends, and return its exit code. Ctrl-C stops the sweep.

        Raises Interrupted at a second Ctrl-C, and SweepError if the connection breaks, which does not stop the sweep.
        """
        with self._start("follow") as following:
            try:
                return self._wait(following)
            except KeyboardInterrupt:
                log("stopping the sweep, which takes some seconds; press Ctrl-C again to leave without waiting")
            try:
                with self._start("stop"):
                    return self._wait(following)
            except KeyboardInterrupt:
                disconnect(following)
                raise Interrupted("no longer following the sweep, which is stopping") from None

    def follow_startup(self) -> int:
        """Print the sweep's output until it trains or a time limit is over; return its exit code, or 0 if it runs.

        Raises Interrupted at Ctrl-C, and SweepError if the connection breaks; neither stops the sweep.
        """
        with self._start("follow", "--until-started") as following:
            try:
                return self._wait(following)
            except KeyboardInterrupt:
                disconnect(following)
                raise Interrupted("no longer following the sweep, which keeps running") from None

    def _start(self, verb: str, *options: str) -> subprocess.Popen[bytes]:
        return self.head.start(*_JOB, verb, self.job, self.sweep_id, f"--store={self.store}", *options)

    def _wait(self, following: subprocess.Popen[bytes]) -> int:
        code = following.wait()
        if code not in FOLLOW_EXIT_CODES:
            options = ["--store", self.store, "--cluster", self.head.cluster]
            command = format_command("tcray", "status", self.sweep_id, "--follow", *options)
            raise SweepError(f"lost the connection to {self.head}; the sweep keeps running", f"Follow it: {command}")
        return FOLLOW_EXIT_CODES[code]


def submit(
    head: Head, file: str, overrides: Sequence[str], planned: Plan, *, store: str, fresh: bool = False
) -> Submission:
    """Upload a sweep file and those of its datasets that are imported here, and submit the sweep on the head.

    planned    the plan of the file with its overrides
    store      as the head names it, relative to its work folder

    Raises InputError or SweepError if the sweep is not started; nothing is uploaded if a driver already runs it.
    """
    planned_id = planned.sweep_id()
    remote_file = f"{SWEEPS}/{planned_id}/{Path(file).name}"
    root = planned.sweep.data.root
    datasets = [path(name, root) for name in planned.sweep.datasets for path in (card_path, arrays_path)]
    job = f"tcray-{planned_id}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    options = [f"--set={setting}" for setting in (*overrides, f"data.root={DATA}")] + ["--fresh"] * fresh
    if not fresh:
        head.query(*_JOB, "ready", planned_id, f"--store={store}")
    head.upload({remote_file: Path(file)} | {f"{DATA}/{path.name}": path for path in datasets if path.exists()})
    try:
        sweep_id = head.query(*_JOB, "submit", job, remote_file, f"--store={store}", f"--plan={planned_id}", *options)
    except KeyboardInterrupt:
        command = format_command("tcray", "status", "--cluster", head.cluster)
        raise Interrupted(f"interrupted while submitting the sweep; `{command}` shows whether it runs") from None
    return Submission(head, job, sweep_id, store)
