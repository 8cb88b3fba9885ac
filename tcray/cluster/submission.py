"""A sweep sent to a cluster: its file and its datasets go to the head, where it is run as a Ray job."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tcray.cluster.head import Head, hang_up
from tcray.cluster.job import SEEN
from tcray.config.commands import format_command
from tcray.data.catalog import arrays_path, card_path
from tcray.errors import Interrupted, SweepError
from tcray.search.plan import Plan

SWEEPS, DATA = "sweeps", "data"
"""Where sweep files, each in a folder of its sweep, and datasets are in the head's work folder."""


@dataclass(frozen=True)
class Submission:
    """A sweep that runs on a cluster, whatever becomes of this machine."""

    head: Head
    job: str
    """The id of the Ray job."""
    sweep_id: str
    store: str
    """As the head sees it."""

    def follow(self, say: Callable[[str], None]) -> int:
        """Prints what the sweep says until it ends; the exit code it ends with. Ctrl-C stops the sweep.

        Raises Interrupted at a second Ctrl-C, and SweepError where the connection breaks, which ends no sweep.
        """
        with self._start("follow") as following:
            try:
                return self._outcome(following)
            except KeyboardInterrupt:
                say("the sweep is asked to stop, which takes some seconds; at another Ctrl-C nobody waits for that")
            try:
                with self._start("stop"):
                    return self._outcome(following)
            except KeyboardInterrupt:
                hang_up(following)
                raise Interrupted("the sweep is no longer followed, and stops all the same") from None

    def follow_beginning(self) -> int:
        """Prints what the sweep says until it trains, or has been at it for a while; the exit code if it ended, else 0.

        Raises Interrupted at Ctrl-C, and SweepError where the connection breaks; neither ends the sweep.
        """
        with self._start("follow", "--beginning") as following:
            try:
                return self._outcome(following)
            except KeyboardInterrupt:
                hang_up(following)
                raise Interrupted("the sweep is no longer followed, and goes on") from None

    def _start(self, verb: str, *options: str) -> subprocess.Popen[bytes]:
        return self.head.start(*_JOB, verb, self.job, self.sweep_id, f"--store={self.store}", *options)

    def _outcome(self, following: subprocess.Popen[bytes]) -> int:
        seen = following.wait()
        if seen not in SEEN:
            where = ["--store", self.store, "--cluster", self.head.cluster]
            again = format_command("tcray", "status", self.sweep_id, "--follow", *where)
            raise SweepError(f"{self.head} is no longer heard of, which ends no sweep", f"Go on watching: {again}")
        return SEEN[seen]


_JOB = ("python3", "-m", "tcray.cluster.job")


def submit(
    head: Head, file: str, overrides: Sequence[str], planned: Plan, *, store: str, fresh: bool = False
) -> Submission:
    """Sends a sweep's file and those of its datasets that are imported here, and has the sweep run on the head.

    planned    the sweep of the file with its overrides
    store      as the head sees it from its work folder

    Raises InputError or SweepError where nothing was started; where somebody runs the sweep, nothing was sent either.
    """
    planned_id = planned.sweep_id()
    there = f"{SWEEPS}/{planned_id}/{Path(file).name}"
    root = planned.sweep.data.root
    datasets = [path(name, root) for name in planned.sweep.datasets for path in (card_path, arrays_path)]
    job = f"tcray-{planned_id}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    asked = [f"--set={setting}" for setting in (*overrides, f"data.root={DATA}")] + ["--fresh"] * fresh
    if not fresh:
        head.ask(*_JOB, "ready", planned_id, f"--store={store}")
    head.send({there: Path(file)} | {f"{DATA}/{path.name}": path for path in datasets if path.exists()})
    try:
        sweep_id = head.ask(*_JOB, "submit", job, there, f"--store={store}", f"--plan={planned_id}", *asked)
    except KeyboardInterrupt:
        tell = format_command("tcray", "status", "--cluster", head.cluster)
        raise Interrupted(f"interrupted while the sweep was handed over; `{tell}` tells whether it runs") from None
    return Submission(head, job, sweep_id, store)
