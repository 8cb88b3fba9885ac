"""Where everything of a sweep lies, relative to the root of its store."""

from __future__ import annotations

import re
from dataclasses import dataclass

SWEEPS = "sweeps"
TMP_SUFFIX = ".tmp"
"""The ending of a file that is still being written; nobody reads it."""

PART = re.compile(r"(\d{8})-[0-9a-f]{8}\.parquet")
LEASE = re.compile(r"lease-(\d{6})\.json")


@dataclass(frozen=True, slots=True)
class SweepPaths:
    """Every path of one sweep; no other module spells one."""

    sweep_id: str

    @property
    def home(self) -> str:
        """The folder of the manifest, the leases, and what is said to the driver and by it."""
        return f"{SWEEPS}/{self.sweep_id}"

    @property
    def manifest(self) -> str:
        """The question as run, in JSON."""
        return f"{self.home}/manifest.json"

    def lease(self, number: int) -> str:
        """The lease of the `number`-th driver; the highest number is the one that counts."""
        return f"{self.home}/lease-{number:06d}.json"

    @property
    def stop(self) -> str:
        """What asks a driver to stop: the token of its lease."""
        return f"{self.home}/stop"

    @property
    def status(self) -> str:
        """What the driver is at, in JSON."""
        return f"{self.home}/status.json"

    def table(self, table: str) -> str:
        """The folder of a table's parts."""
        return f"{table}/{self.sweep_id}"

    def part(self, table: str, number: int, checksum: str) -> str:
        """The `number`-th part of a table; names sort in the order of writing, and tell what the content must be."""
        return f"{self.table(table)}/{number:08d}-{checksum}.parquet"

    @property
    def all_weights(self) -> str:
        """The folder of the confirm runs' weights, a file a run id."""
        return f"weights/{self.sweep_id}"

    def weights(self, run_id: str) -> str:
        """The best-epoch weights of a confirm run."""
        return f"{self.all_weights}/{run_id}"

    @property
    def checkpoints(self) -> str:
        """The folder of checkpoints of unfinished runs."""
        return f"checkpoints/{self.sweep_id}"

    def checkpoint(self, run_id: str, epoch: int) -> str:
        """The checkpoint of a run after `epoch` epochs."""
        return f"{self.checkpoints}/{run_id}-{epoch:06d}"
