"""Whole processes: `tcray sweep` with real training and a Ray of its own, interrupted and killed in the middle."""

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
"""48 search runs with rungs at epochs 3 and 6, and 8 confirm runs: about as long as it takes to kill something."""
RESOURCES = ["resources.device=auto", "resources.gpu=0.25", "resources.pack=4"]

EXPECTED = re.compile(
    r"mosi is not imported: its twin stands in \(tcray data import mosi --from PATH --root \S+\)"
    r"|no node has a GPU: packs compute on the CPU"
    r"|warning: search\.trials: .*"
    r"|small: \d+ of 56 runs done \(\d+ pruned, 0 failed\), \d+ running(, about \d+ (s|min) left)?"
    r"(; best valid\.loss: mosi [\d.]+)?"
    r"|the worker of a pack of \d runs? \(\S+(, …)?\) died(; its halves are tried apart)?"
    r"|a worker died before it began a pack of 4 runs \(\S+, …\), which waits again"  # it was killed between two packs
    r"|interrupted with \d+ of 56 runs done; the same command goes on from here"
    r"|sweep small-\w+ was finished before: nothing was left to train"
)
"""All that may be said on stderr: nothing of it by Ray."""


class Driver:
    """A process of `tcray sweep`, and the store it writes."""

    def __init__(self, folder: Path) -> None:
        """Starts it."""
        overrides = [f"--set={override}" for override in [*LARGER, *RESOURCES]]
        command = [
            sys.executable,
            "-m",
            "tcray",
            "sweep",
            str(write_sweep_file(folder)),
            "--store",
            str(folder / "trials"),
        ]
        self.folder = folder
        self.process = subprocess.Popen(
            [*command, *overrides],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            start_new_session=True,
        )
        self.parts = self.ledger_parts()

    def ledger_parts(self) -> int:
        """How many times something was decided or recorded."""
        return sum(1 for _ in self.folder.glob("trials/ledger/*/*.parquet"))

    def wait_for_work(self, parts: int) -> None:
        """Until so much more has been recorded."""
        while self.ledger_parts() < self.parts + parts:
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.02)

    def press_ctrl_c(self) -> None:
        """As a terminal does it: every process of the group has the signal, Ray's own too."""
        os.killpg(self.process.pid, signal.SIGINT)

    def worker(self) -> int:
        """The pid of a process that trains."""
        (raylet,) = [pid for pid in children(self.process.pid) if "raylet/raylet" in said_of(pid, "cmdline")]
        return next(pid for pid in children(raylet) if "Trainable" in said_of(pid, "cmdline"))

    def end(self) -> tuple[int, str]:
        """Its exit code and what it printed, once all that it said on stderr is found to be expected."""
        out, err = self.process.communicate(timeout=200)
        assert [] == [line for line in err.splitlines() if not EXPECTED.fullmatch(line)]
        return self.process.returncode, out + err


def said_of(pid: int, file: str) -> str:
    """What the system says of a process; nothing of one that is gone."""
    try:
        return Path(f"/proc/{pid}/{file}").read_text()
    except OSError:
        return ""


def children(parent: int) -> list[int]:
    """The pids of a process's children."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid in pids if said_of(pid, "stat").rpartition(")")[2].split()[1:2] == [str(parent)]]


def store_of(folder: Path) -> SweepStore:
    """What the sweep in `folder` has recorded."""
    store = Store.open(str(folder / "trials"))
    return store.sweep(store.resolve("small")[0])


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the processes to kill in /proc")
def test_whatever_is_killed_the_same_command_resumes(tmp_path: Path) -> None:
    """Ctrl-C, then kill -9 of the driver, then of a worker: the store ends as if nothing had been, trained once."""
    first = Driver(tmp_path)
    first.wait_for_work(8)
    first.press_ctrl_c()
    code, said = first.end()
    assert 130 == code
    assert "no node has a GPU: packs compute on the CPU" in said
    assert re.search(r"interrupted with \d+ of 56 runs done; the same command goes on from here\n$", said)

    second = Driver(tmp_path)
    second.wait_for_work(6)
    second.process.kill()
    assert -signal.SIGKILL == second.end()[0]

    third = Driver(tmp_path)
    third.wait_for_work(6)
    os.kill(third.worker(), signal.SIGKILL)
    code, said = third.end()
    assert 0 == code
    assert "small: 56 of 56 runs done" in said
    assert "ridge: all" in said, "the ranked table is printed"

    store = store_of(tmp_path)
    expected = run_without_ray(tmp_path / "by hand", make_sweep(tmp_path, *LARGER), train)
    assert export(expected) == export(store)
    values = ledger_values(store)
    assert len(set(values)) == len(values), "nothing recorded was trained again"
    assert [] == verify(Store.open(str(tmp_path / "trials")))

    again = Driver(tmp_path)
    code, said = again.end()
    assert 0 == code
    assert "was finished before: nothing was left to train" in said
    assert "ridge: all" in said
