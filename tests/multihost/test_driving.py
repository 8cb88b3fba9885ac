"""Sweeps submitted from a laptop: they run on the head of a cluster, and are watched, stopped and fetched.

The laptop is a host of its own that did not start the cluster. Only it has the datasets and the sweep file.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tcray.store.store import Store
from tcray.training.pack import train
from tests.data.factories import mosi_folder
from tests.tune.factories import SWEEP_YAML, export, make_sweep, run_without_ray

from .conftest import Report
from .desk import Desk
from .hosts import HOME, Host, several
from .patience import until

pytestmark = pytest.mark.timeout(900)

QUESTION = r"""question=it's "about" $HOME `and` [1, ~/b] \ {2}"""
LONG = ["--set=training.epochs=2000", "--set=resources.pack=2"]
"""Long enough to intervene."""
ENDLESS = ["--set=training.epochs=20000", "--set=resources.pack=2"]
"""Longer than any test waits."""


@dataclass(frozen=True)
class Laptop:
    """A host from which sweeps are submitted."""

    host: Host
    desk: Desk

    @property
    def cluster(self) -> str:
        """Return the path of the cluster file."""
        return str(self.desk.file)

    @property
    def folder(self) -> Path:
        """Return the working folder of its commands, as this machine sees it."""
        return self.host.home / "my work"

    def command(self, *words: str) -> list[str]:
        """Return the command of this machine that runs another one on the laptop, in its folder."""
        return self.host.command("env", f"--chdir={HOME / self.folder.name}", *words)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command on the laptop."""
        return subprocess.run(self.command(*words), check=False, capture_output=True, text=True)

    def tcray(self, command: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a tcray command on the cluster."""
        return self.run("tcray", command, *words, "--cluster", self.cluster)

    def states(self) -> dict[str, str]:
        """Return the state of every sweep on the cluster, by id."""
        header, *lines = self.tcray("status").stdout.splitlines()
        begin, end = header.index("state"), header.index("datasets")
        return {line.split()[0]: line[begin:end].strip() for line in lines}


class FollowedSweep:
    """A sweep that is followed on the laptop, with a pack in training."""

    def __init__(self, laptop: Laptop, name: str, *words: str) -> None:
        """Start the sweep, and wait for a pack."""
        self._log = laptop.desk.hosts.shared / f"{name}.log"
        command = laptop.command("tcray", "sweep", "small.yaml", "--cluster", laptop.cluster, *words)
        with self._log.open("w") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until(lambda: re.search(r"[1-9]\d* running", self.output()) or self._process.poll(), "a pack in training")

    def output(self) -> str:
        """Return the output so far."""
        return self._log.read_text()

    def press_ctrl_c(self) -> None:
        """Interrupt the command, like a terminal."""
        (pid,) = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        os.kill(int(pid), signal.SIGINT)

    def end(self) -> int:
        """Return the exit code."""
        return self._process.wait()


@pytest.fixture(scope="module")
def laptop() -> Iterator[Laptop]:
    """Start a cluster of a head and a worker; yield a laptop with a dataset and a sweep file."""
    with several(3, number=2) as hosts:
        _, h2, h3 = hosts.all()
        desk = Desk.create(hosts, [h2], gpus=0)
        laptop = Laptop(h3, desk)
        laptop.folder.mkdir()
        (laptop.folder / "small.yaml").write_text(SWEEP_YAML.format(root=HOME / laptop.folder.name / "data"))
        mosi_folder(hosts.shared / "mosi")
        assert 0 == laptop.run("tcray", "data", "import", "mosi", "--from", str(hosts.shared / "mosi")).returncode
        desk.up()
        yield laptop


def sweep_id(output: str) -> str:
    """Return the id of the submitted sweep."""
    (found,) = re.findall(r"^sweep (\S+) runs on the head of", output, re.MULTILINE)
    return str(found)


def read_command(output: str, name: str) -> list[str]:
    """Return the command that watches, stops, fetches or shows the results."""
    (found,) = re.findall(rf"^  {name} +(.*)$", output, re.MULTILINE)
    return shlex.split(found)


def work_folder(laptop: Laptop) -> Path:
    """Return the work folder of the head."""
    return laptop.desk.head.home / "tcray-work"


def export_undisturbed(laptop: Laptop, folder: Path, *overrides: str) -> list[str]:
    """Return the exported rows of the undisturbed sweep."""
    sweep = make_sweep(folder, *overrides, f"data.root={laptop.folder / 'data'}")
    return export(run_without_ray(folder / "by hand", sweep, train))


def test_sweep_is_submitted_and_fetched(laptop: Laptop, tmp_path: Path, report: Report) -> None:
    """Data and file are uploaded, output is shown, and the fetched store is that of an undisturbed sweep."""
    began = time.monotonic()
    ended = laptop.tcray("sweep", "small.yaml", "--set", QUESTION)
    assert 0 == ended.returncode, ended.stdout + ended.stderr
    assert "small: 32 of 32 runs done" in ended.stdout
    assert QUESTION.removeprefix("question=") in ended.stdout
    assert "twin" not in ended.stdout
    assert ["mosi.json", "mosi.npz"] == sorted(path.name for path in (work_folder(laptop) / "data").iterdir())
    report(f"a sweep of 32 runs submitted from a laptop: {time.monotonic() - began:.0f} s")

    fetch = laptop.run(*read_command(ended.stderr, "fetch"))
    assert 0 == fetch.returncode, fetch.stdout + fetch.stderr
    fetched = Store.open(str(laptop.folder / "trials")).sweep(sweep_id(ended.stderr))
    assert export_undisturbed(laptop, tmp_path, QUESTION) == export(fetched)
    results = laptop.run(*read_command(ended.stderr, "results"))
    assert (0, True) == (results.returncode, "ridge: all" in results.stdout), results.stderr


def test_unchanged_data_are_not_uploaded_again(laptop: Laptop) -> None:
    """The same command finds the data on the head, and the sweep finished."""
    path = work_folder(laptop) / "data" / "mosi.npz"
    sent = path.stat().st_ino
    ended = laptop.tcray("sweep", "small.yaml", "--set", QUESTION)
    assert (0, True) == (ended.returncode, "was already finished; there was nothing to train" in ended.stdout)
    assert sent == path.stat().st_ino


def test_detached_sweep_is_watched_and_stopped(laptop: Laptop) -> None:
    """It keeps running, cannot be started twice, and is stopped from the laptop."""
    submitted = laptop.tcray("sweep", "small.yaml", "--detach", *ENDLESS)
    assert 0 == submitted.returncode, submitted.stdout + submitted.stderr
    name = sweep_id(submitted.stderr)
    assert laptop.states()[name].startswith("running on h1 (pid ")

    again = laptop.tcray("sweep", "small.yaml", "--detach", *ENDLESS)
    assert 1 == again.returncode
    assert re.match(rf"Error: sweep {name} is already being run by pid \d+ on h1 since ", again.stderr)

    stopped = laptop.run(*read_command(submitted.stderr, "stop"))
    assert 0 == stopped.returncode, stopped.stdout + stopped.stderr
    assert re.search(r"\d+ of 32 runs done", stopped.stdout)
    assert "stopped" == laptop.states()[name]
    followed = laptop.run(*read_command(submitted.stderr, "watch"))
    assert 1 == followed.returncode, "it is incomplete and has no driver"


def test_sweep_survives_the_laptop(laptop: Laptop, tmp_path: Path, report: Report) -> None:
    """The sweep keeps running while the laptop is off; then the laptop follows it to its end and fetches it."""
    following = FollowedSweep(laptop, "off", *LONG)
    laptop.host.power_off()
    following.end()
    laptop.host.power_on()
    name = sweep_id(following.output())
    assert laptop.states()[name].startswith("running on h1 (pid ")
    report("the laptop off and on again: the sweep kept running")

    watched = laptop.run(*read_command(following.output(), "watch"))
    assert 0 == watched.returncode, watched.stdout + watched.stderr
    assert "finished" == laptop.states()[name]
    assert 0 == laptop.run(*read_command(following.output(), "fetch")).returncode
    fetched = Store.open(str(laptop.folder / "trials")).sweep(name)
    assert export_undisturbed(laptop, tmp_path, "training.epochs=2000") == export(fetched)


def test_ctrl_c_stops_the_submitted_sweep(laptop: Laptop) -> None:
    """The exit code is 130, as for a local sweep, and the same command resumes."""
    following = FollowedSweep(laptop, "fresh", "--fresh", *ENDLESS)
    following.press_ctrl_c()
    assert 130 == following.end(), following.output()
    assert "stopping the sweep" in following.output()
    assert "Run the same command to resume." in following.output()
    name = sweep_id(following.output())
    assert (True, "stopped") == (name.endswith("-g2"), laptop.states()[name])


def test_unusable_head_is_reported(laptop: Laptop) -> None:
    """An address without a host and a host without Ray each give a message of two lines; nothing is uploaded."""
    text = laptop.desk.file.read_text()
    head, nobody, itself = laptop.desk.head.address, "10.66.0.99", laptop.host.address
    for address, sentence in ((nobody, "does not answer: ssh: "), (itself, "runs no Ray")):
        path = laptop.folder / "other.yaml"
        path.write_text(text.replace(head, address))
        ended = laptop.run("tcray", "sweep", "small.yaml", "--cluster", "other.yaml")
        assert (2, "") == (ended.returncode, ended.stdout)
        assert ended.stderr.startswith(f"Error: the head of other.yaml ({address}) {sentence}")
        assert 2 == len(ended.stderr.splitlines()), ended.stderr
    assert not (laptop.host.home / "tcray-work").exists()


def test_laptop_stops_a_cluster_it_did_not_start(laptop: Laptop) -> None:
    """After any tcray command its launcher finds the head, although it never ran `ray up`."""
    assert laptop.states()
    down = laptop.run("ray", "down", "-y", laptop.cluster)
    assert 0 == down.returncode, down.stdout + down.stderr
    until(lambda: not laptop.desk.ray_processes()["h1"], "the end of Ray on the head")
    ended = laptop.tcray("status")
    assert 2 == ended.returncode
    assert "runs no Ray" in ended.stderr
