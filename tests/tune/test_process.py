"""Tests of whole processes: `tcray sweep` with real training and its own Ray, interrupted and killed midway."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tcray.store.store import Store, SweepStore
from tcray.store.verify import verify
from tcray.training.pack import train

from .factories import export, ledger_values, make_sweep, run_without_ray, write_sweep_file

LARGER = [
    "fixed.batch_size=32",
    "training.epochs=9",
    "search.trials=12",
    "search.wave=6",
    "search.pruner.asha.min_epochs=3",
]
"""48 search runs with rungs at epochs 3 and 6, and 8 confirm runs: long enough to kill a process midway."""
RESOURCES = ["resources.device=auto", "resources.gpu=0.25", "resources.pack=4"]

EXPECTED = re.compile(
    r"mosi is not imported: using its synthetic twin \(\S*tcray data import mosi --from PATH --root \S+\)"
    r"|no node has a GPU: packs compute on the CPU"
    r"|warning: search\.trials: .*"
    r"|small: \d+ of 56 runs done \(\d+ pruned, 0 failed\), \d+ running(, about \d+ (s|min) left)?"
    r"(; best valid\.loss: mosi [\d.]+)?"
    r"|the worker of a pack of \d runs? \(\S+(, …)?\) died(; its halves are tried separately)?"
    r"|a worker died before it started a pack of 4 runs \(\S+, …\), which is queued again"  # killed between two packs
    r"|interrupted with \d+ of 56 runs done\. Run the same command to resume\."
    r"|sweep small-\w+ was already finished; there was nothing to train"
)
"""All lines that may be on stderr: none of them is Ray's."""


class Driver:
    """A process of `tcray sweep`, and its store."""

    def __init__(self, folder: Path) -> None:
        """Start the process."""
        overrides = [f"--set={override}" for override in [*LARGER, *RESOURCES]]
        tcray = [sys.executable, "-m", "tcray"]
        command = [*tcray, "sweep", str(write_sweep_file(folder)), "--store", str(folder / "trials"), *overrides]
        self.folder = folder
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            start_new_session=True,
        )
        self.parts = self.count_ledger_parts()

    def count_ledger_parts(self) -> int:
        """Return the number of writes to the ledger."""
        return sum(1 for _ in self.folder.glob("trials/ledger/*/*.parquet"))

    def wait_for_writes(self, parts: int) -> None:
        """Wait for this number of further writes to the ledger."""
        while self.count_ledger_parts() < self.parts + parts:
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.02)

    def press_ctrl_c(self) -> None:
        """Send SIGINT to every process of the group, including Ray's, as a terminal does."""
        os.killpg(self.process.pid, signal.SIGINT)

    def find_worker(self) -> int:
        """Return the pid of a process that trains."""
        (raylet,) = [pid for pid in find_children(self.process.pid) if "raylet/raylet" in read_proc(pid, "cmdline")]
        return next(pid for pid in find_children(raylet) if "Trainable" in read_proc(pid, "cmdline"))

    def finish(self) -> tuple[int, str]:
        """Return exit code and output, after a check that every line on stderr is expected."""
        out, err = self.process.communicate(timeout=200)
        assert [] == [line for line in err.splitlines() if not EXPECTED.fullmatch(line)]
        return self.process.returncode, out + err


def read_proc(pid: int, file: str) -> str:
    """Return a file of a process in /proc; empty if the process is gone."""
    try:
        return Path(f"/proc/{pid}/{file}").read_text()
    except OSError:
        return ""


def find_children(parent: int) -> list[int]:
    """Return the pids of a process's children."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid in pids if read_proc(pid, "stat").rpartition(")")[2].split()[1:2] == [str(parent)]]


def open_sweep(folder: Path) -> SweepStore:
    """Return the stored sweep."""
    store = Store.open(str(folder / "trials"))
    return store.sweep(store.resolve("small")[0])


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the processes to kill in /proc")
def test_a_sweep_resumes_after_every_kind_of_end(tmp_path: Path) -> None:
    """After Ctrl-C, kill -9 of the driver and kill -9 of a worker, the store is as usual, and nothing is repeated."""
    first = Driver(tmp_path)
    first.wait_for_writes(8)
    first.press_ctrl_c()
    code, output = first.finish()
    assert 130 == code
    assert "no node has a GPU: packs compute on the CPU" in output
    assert re.search(r"interrupted with \d+ of 56 runs done\. Run the same command to resume\.\n$", output)

    second = Driver(tmp_path)
    second.wait_for_writes(6)
    second.process.kill()
    assert -signal.SIGKILL == second.finish()[0]

    third = Driver(tmp_path)
    third.wait_for_writes(6)
    os.kill(third.find_worker(), signal.SIGKILL)
    code, output = third.finish()
    assert 0 == code
    assert "small: 56 of 56 runs done" in output
    assert "ridge: all" in output, "the ranked table is printed"

    store = open_sweep(tmp_path)
    expected = run_without_ray(tmp_path / "expected", make_sweep(tmp_path, *LARGER), train)
    assert export(expected) == export(store)
    values = ledger_values(store)
    assert len(set(values)) == len(values), "nothing that was recorded is trained again"
    assert [] == verify(Store.open(str(tmp_path / "trials")))

    again = Driver(tmp_path)
    code, output = again.finish()
    assert 0 == code
    assert "was already finished; there was nothing to train" in output
    assert "ridge: all" in output
