"""Sweeps said from a laptop: run on the head of a cluster, and from there watched, stopped and fetched.

The laptop is a host of its own, which has not brought the cluster up. Datasets and the sweep file are on it alone.
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

from .conftest import Tell
from .desk import Desk
from .hosts import HOME, Host, several
from .patience import until

pytestmark = pytest.mark.timeout(900)

QUESTION = r"""question=it's "about" $HOME `and` [1, ~/b] \ {2}"""
LONG = ["--set=training.epochs=2000", "--set=resources.pack=2"]
"""As long as it takes to do something about it."""
ENDLESS = ["--set=training.epochs=20000", "--set=resources.pack=2"]
"""Longer than anybody waits."""


@dataclass(frozen=True)
class Laptop:
    """A host from which a cluster is driven."""

    host: Host
    desk: Desk

    @property
    def cluster(self) -> str:
        """The cluster file, as it is named there."""
        return str(self.desk.file)

    @property
    def folder(self) -> Path:
        """Where everything is said, as this machine sees it."""
        return self.host.home / "my work"

    def command(self, *words: str) -> list[str]:
        """The command of this machine that says another there, in the folder."""
        return self.host.command("env", f"--chdir={HOME / self.folder.name}", *words)

    def say(self, *words: str) -> subprocess.CompletedProcess[str]:
        """What comes of a command there."""
        return subprocess.run(self.command(*words), check=False, capture_output=True, text=True)

    def tcray(self, command: str, *words: str) -> subprocess.CompletedProcess[str]:
        """What comes of a command said on the cluster."""
        return self.say("tcray", command, *words, "--cluster", self.cluster)

    def states(self) -> dict[str, str]:
        """What becomes of every sweep there, by id."""
        header, *lines = self.tcray("status").stdout.splitlines()
        begin, end = header.index("state"), header.index("datasets")
        return {line.split()[0]: line[begin:end].strip() for line in lines}


class Following:
    """A sweep that is followed on the laptop, with a pack under way."""

    def __init__(self, laptop: Laptop, name: str, *words: str) -> None:
        """Begins the sweep, and waits for a pack."""
        self._log = laptop.desk.hosts.shared / f"{name}.log"
        command = laptop.command("tcray", "sweep", "small.yaml", "--cluster", laptop.cluster, *words)
        with self._log.open("w") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until(lambda: re.search(r"[1-9]\d* running", self.said()) or self._process.poll(), "a pack under way")

    def said(self) -> str:
        """What it has said so far."""
        return self._log.read_text()

    def press_ctrl_c(self) -> None:
        """As a terminal does it."""
        (pid,) = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        os.kill(int(pid), signal.SIGINT)

    def end(self) -> int:
        """Its exit code."""
        return self._process.wait()


@pytest.fixture(scope="module")
def laptop() -> Iterator[Laptop]:
    """A cluster of a head and a worker is up, and the laptop has a dataset and a sweep file."""
    with several(3, number=2) as hosts:
        _, h2, h3 = hosts.all()
        desk = Desk.of(hosts, [h2], gpus=0)
        laptop = Laptop(h3, desk)
        laptop.folder.mkdir()
        (laptop.folder / "small.yaml").write_text(SWEEP_YAML.format(root=HOME / laptop.folder.name / "data"))
        mosi_folder(hosts.shared / "mosi")
        assert 0 == laptop.say("tcray", "data", "import", "mosi", "--from", str(hosts.shared / "mosi")).returncode
        desk.up()
        yield laptop


def sweep_id(said: str) -> str:
    """The id of the sweep that was handed over."""
    (found,) = re.findall(r"^sweep (\S+) runs on the head of", said, re.MULTILINE)
    return str(found)


def line(said: str, name: str) -> list[str]:
    """The words of the command that shows, fetches or stops."""
    (found,) = re.findall(rf"^  {name} +(.*)$", said, re.MULTILINE)
    return shlex.split(found)


def work(laptop: Laptop) -> Path:
    """The work folder of the head."""
    return laptop.desk.head.home / "tcray-work"


def undisturbed(laptop: Laptop, folder: Path, *overrides: str) -> list[str]:
    """What the sweep exports where nothing ever happened."""
    sweep = make_sweep(folder, *overrides, f"data.root={laptop.folder / 'data'}")
    return export(run_without_ray(folder / "by hand", sweep, train))


def test_a_laptop_has_its_sweep_run_there(laptop: Laptop, tmp_path: Path, tell: Tell) -> None:
    """Data and file go along, its words are shown, its store is fetched as told: it is that of an undisturbed sweep."""
    began = time.monotonic()
    ended = laptop.tcray("sweep", "small.yaml", "--set", QUESTION)
    assert 0 == ended.returncode, ended.stdout + ended.stderr
    assert "small: 32 of 32 runs done" in ended.stdout
    assert QUESTION.removeprefix("question=") in ended.stdout
    assert "twin" not in ended.stdout
    assert ["mosi.json", "mosi.npz"] == sorted(path.name for path in (work(laptop) / "data").iterdir())
    tell(f"a sweep of 32 runs said on a laptop, run on the cluster: {time.monotonic() - began:.0f} s")

    fetch = laptop.say(*line(ended.stderr, "fetch"))
    assert 0 == fetch.returncode, fetch.stdout + fetch.stderr
    fetched = Store.open(str(laptop.folder / "trials")).sweep(sweep_id(ended.stderr))
    assert undisturbed(laptop, tmp_path, QUESTION) == export(fetched)
    results = laptop.say(*line(ended.stderr, "results"))
    assert (0, True) == (results.returncode, "ridge: all" in results.stdout), results.stderr


def test_what_is_there_is_not_sent_again(laptop: Laptop) -> None:
    """The same command finds its data there, and the sweep finished."""
    path = work(laptop) / "data" / "mosi.npz"
    sent = path.stat().st_ino
    ended = laptop.tcray("sweep", "small.yaml", "--set", QUESTION)
    assert (0, True) == (ended.returncode, "was already finished; there was nothing to train" in ended.stdout)
    assert sent == path.stat().st_ino


def test_a_detached_sweep_is_watched_and_stopped(laptop: Laptop) -> None:
    """It goes on by itself, cannot be begun twice, is stopped from the laptop, and is then shown as stopped."""
    begun = laptop.tcray("sweep", "small.yaml", "--detach", *ENDLESS)
    assert 0 == begun.returncode, begun.stdout + begun.stderr
    name = sweep_id(begun.stderr)
    assert laptop.states()[name].startswith("running on h1 (pid ")

    again = laptop.tcray("sweep", "small.yaml", "--detach", *ENDLESS)
    assert 1 == again.returncode
    assert re.match(rf"Error: sweep {name} is already being run by pid \d+ on h1 since ", again.stderr)

    stopped = laptop.say(*line(begun.stderr, "stop"))
    assert 0 == stopped.returncode, stopped.stdout + stopped.stderr
    assert re.search(r"\d+ of 32 runs done", stopped.stdout)
    assert "stopped" == laptop.states()[name]
    followed = laptop.say(*line(begun.stderr, "watch"))
    assert 1 == followed.returncode, "nobody runs it, and it is not finished"


def test_a_laptop_that_goes_off_ends_nothing(laptop: Laptop, tmp_path: Path, tell: Tell) -> None:
    """The sweep it followed goes on; once it is on again it follows it to its end, and fetches it."""
    following = Following(laptop, "off", *LONG)
    laptop.host.power_off()
    following.end()
    laptop.host.power_on()
    name = sweep_id(following.said())
    assert laptop.states()[name].startswith("running on h1 (pid ")
    tell("the laptop off and on again: the sweep went on")

    watched = laptop.say(*line(following.said(), "watch"))
    assert 0 == watched.returncode, watched.stdout + watched.stderr
    assert "finished" == laptop.states()[name]
    assert 0 == laptop.say(*line(following.said(), "fetch")).returncode
    fetched = Store.open(str(laptop.folder / "trials")).sweep(name)
    assert undisturbed(laptop, tmp_path, "training.epochs=2000") == export(fetched)


def test_ctrl_c_stops_the_sweep_there(laptop: Laptop) -> None:
    """As it would here: exit code 130, and the same command goes on."""
    following = Following(laptop, "fresh", "--fresh", *ENDLESS)
    following.press_ctrl_c()
    assert 130 == following.end(), following.said()
    assert "stopping the sweep" in following.said()
    assert "Run the same command to resume." in following.said()
    name = sweep_id(following.said())
    assert (True, "stopped") == (name.endswith("-g2"), laptop.states()[name])


def test_a_head_that_is_none_is_told(laptop: Laptop) -> None:
    """An address at which nobody answers, a host without Ray: each is told in a sentence, and nothing is sent."""
    text = laptop.desk.file.read_text()
    head, nobody, itself = laptop.desk.head.address, "10.66.0.99", laptop.host.address
    for address, sentence in ((nobody, "does not answer: ssh: "), (itself, "runs no Ray")):
        path = laptop.folder / "other.yaml"
        path.write_text(text.replace(head, address))
        ended = laptop.say("tcray", "sweep", "small.yaml", "--cluster", "other.yaml")
        assert (2, "") == (ended.returncode, ended.stdout)
        assert ended.stderr.startswith(f"Error: the head of other.yaml ({address}) {sentence}")
        assert 2 == len(ended.stderr.splitlines()), ended.stderr
    assert not (laptop.host.home / "tcray-work").exists()


def test_a_laptop_brings_down_what_another_brought_up(laptop: Laptop) -> None:
    """Having driven the cluster, its launcher knows the head, although it never said `ray up`."""
    assert laptop.states()
    down = laptop.say("ray", "down", "-y", laptop.cluster)
    assert 0 == down.returncode, down.stdout + down.stderr
    until(lambda: not laptop.desk.ray_processes()["h1"], "the end of Ray on the head")
    ended = laptop.tcray("status")
    assert 2 == ended.returncode
    assert "runs no Ray" in ended.stderr
