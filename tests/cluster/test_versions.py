"""Hosts that have not what the driver has are refused before anything is begun, and found out where they come late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tcray import __version__
from tests.sweep.small import a_file

from .conftest import Tell
from .driver import AUTH, Driver
from .healthy import Healthy
from .hosts import REPOSITORY, Host, Hosts, several

pytestmark = pytest.mark.timeout(900)

OVERRIDES = [
    "fixed.batch_size=16",
    "training.epochs=18",
    "search.trials=16",
    "search.wave=8",
    "search.pruner.asha.min_epochs=6",
    "resources.pack=3",
]
"""As long as it takes another host to join."""

STARTS: dict[str, str] = {
    "another": "import tcray; tcray.__version__ = '0.0.9'",
    "none": "import sys; sys.modules['tcray'] = None",
}
"""What every Python does first on a host that has another tcray, or none."""


@dataclass(frozen=True)
class Desk:
    """A head that only drives, and two more hosts."""

    hosts: Hosts

    def join(self, host: Host, tcray: str = "") -> None:
        """Starts Ray on a host, with the tcray of `STARTS`, or the driver's."""
        found = f"PYTHONPATH={self._path(tcray)}:{REPOSITORY}" if tcray else f"PYTHONPATH={REPOSITORY}"
        head = self.hosts.all()[0]
        role = ["--head", "--num-cpus=0"] if host == head else [f"--address={head.address}:6379", "--num-cpus=1"]
        start = ["ray", "start", "--disable-usage-stats", "--object-store-memory=100000000", *role]
        host.run("env", AUTH, found, *start, f"--node-ip-address={host.address}")

    def leave(self, host: Host) -> None:
        """Stops Ray on a host."""
        host.run("env", AUTH, "ray", "stop")

    def sweep(self, name: str) -> Driver:
        """Begins the sweep, or goes on with it."""
        head, *_ = self.hosts.all()
        options = [f"--set={override}" for override in OVERRIDES]
        return Driver(head, name, a_file(self.hosts.shared), f"--store={self.store(name)}", *options)

    def store(self, name: str) -> Path:
        """Where it is stored."""
        return self.hosts.shared / name

    def _path(self, tcray: str) -> Path:
        folder = self.hosts.shared / tcray
        folder.mkdir(exist_ok=True)
        (folder / "sitecustomize.py").write_text(STARTS[tcray])
        return folder


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    """Ray runs on the head alone."""
    found = {"RAY_AUTH_TOKEN": "a" * 64, "PYTHONPATH": str(REPOSITORY)}
    with several(3, number=22, environment=found) as hosts:
        desk = Desk(hosts)
        desk.join(hosts.all()[0])
        yield desk


@pytest.mark.parametrize(
    ("tcray", "sentence"),
    [
        ("another", f"Error: on h2: tcray is 0.0.9, and {__version__} at the driver\nHave the same on every host"),
        ("none", "Error: on h2: tcray is not installed\nHave the same on every host"),
    ],
)
def test_a_host_with_another_tcray(desk: Desk, tcray: str, sentence: str) -> None:
    """It is named before anything of the sweep is begun, with its version, the driver's, and what to do."""
    _, h2, _ = desk.hosts.all()
    desk.join(h2, tcray)
    said = desk.sweep(tcray).end(expected=2)
    desk.leave(h2)
    assert sentence in said
    assert "Traceback" not in said
    assert [] == list(desk.store(tcray).glob("sweeps/*/manifest.json"))


def test_a_host_with_another_tcray_that_comes_late(desk: Desk, tmp_path: Path, tell: Tell) -> None:
    """Its first worker finds out, and the sweep ends with a sentence; without the host it goes on to the same end."""
    _, h2, h3 = desk.hosts.all()
    desk.join(h2)
    driver = desk.sweep("late")
    driver.wait_for(lambda: driver.packs(h2), "a pack")
    desk.join(h3, "another")
    said = driver.end(expected=1)
    desk.leave(h3)
    assert f"Error: on h3: tcray is 0.0.9, and {__version__} at the driver\nHave the same on every host" in said
    assert "Traceback" not in said
    again = desk.sweep("late")
    again.end()
    Healthy.swept(tmp_path, OVERRIDES).begun_again(desk.store("late"), again.trace)
    tell("a host with another tcray that joins late: the sweep ends with a sentence, and goes on without the host")
