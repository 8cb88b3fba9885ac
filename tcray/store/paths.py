"""Paths of a sweep's files and folders, relative to the root of the store."""

from __future__ import annotations

import re
from dataclasses import dataclass

SWEEPS = "sweeps"
TMP_SUFFIX = ".tmp"
"""Suffix of a file that is still being written; it is never read."""

PART = re.compile(r"(\d{8})-[0-9a-f]{8}\.parquet")
LEASE = re.compile(r"lease-(\d{6})\.json")


@dataclass(frozen=True, slots=True)
class SweepPaths:
    """All paths of one sweep; no other module builds paths."""

    sweep_id: str

    @property
    def home(self) -> str:
        """Return the folder of the manifest, the leases, the stop request and the driver's status."""
        return f"{SWEEPS}/{self.sweep_id}"

    @property
    def manifest(self) -> str:
        """Return the path of the manifest: the sweep as run, in JSON."""
        return f"{self.home}/manifest.json"

    def lease(self, number: int) -> str:
        """Return the path of the `number`-th driver's lease; the highest number counts."""
        return f"{self.home}/lease-{number:06d}.json"

    @property
    def stop(self) -> str:
        """Return the path of the stop request, which contains the token of the driver's lease."""
        return f"{self.home}/stop"

    @property
    def status(self) -> str:
        """Return the path of the driver's status, in JSON."""
        return f"{self.home}/status.json"

    def table(self, table: str) -> str:
        """Return the folder of a table's parts."""
        return f"{table}/{self.sweep_id}"

    def part(self, table: str, number: int, checksum: str) -> str:
        """Return the path of a table's `number`-th part; names sort by order of writing and contain the checksum."""
        return f"{self.table(table)}/{number:08d}-{checksum}.parquet"

    @property
    def all_weights(self) -> str:
        """Return the folder of the confirm runs' weights, one file per run id."""
        return f"weights/{self.sweep_id}"

    def weights(self, run_id: str) -> str:
        """Return the path of a confirm run's weights at its best epoch."""
        return f"{self.all_weights}/{run_id}"

    @property
    def checkpoints(self) -> str:
        """Return the folder of the checkpoints of unfinished runs."""
        return f"checkpoints/{self.sweep_id}"

    def checkpoint(self, run_id: str, epoch: int) -> str:
        """Return the path of a run's checkpoint after `epoch` epochs."""
        return f"{self.checkpoints}/{run_id}-{epoch:06d}"
