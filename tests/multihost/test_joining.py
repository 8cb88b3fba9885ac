"""Hosts joined by hand: those that cannot take part are refused, or found out, and a head that goes is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tcray import __version__
from tests.tune.factories import write_sweep_file

from .conftest import Tell
from .driver import AUTH, Driver
from .healthy import Healthy, in_words
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
class Hands:
    """Three hosts, on which Ray is started and stopped as by hand."""

    hosts: Hosts

    def join(self, host: Host, head: Host, *options: str, tcray: str = "") -> None:
        """Starts Ray on a host, as its own head or with another, with the tcray of `STARTS`, or the driver's."""
        found = f"PYTHONPATH={self._path(tcray)}:{REPOSITORY}" if tcray else f"PYTHONPATH={REPOSITORY}"
        role = "--head" if host == head else f"--address={head.address}:6379"
        start = ["ray", "start", "--disable-usage-stats", "--object-store-memory=100000000", role]
        host.run("env", AUTH, found, *start, f"--node-ip-address={host.address}", *options)

    def leave(self, host: Host) -> None:
        """Stops Ray on a host."""
        host.run("env", AUTH, "ray", "stop", "--force")

    def sweep(self, host: Host, name: str) -> Driver:
        """Begins the sweep on a host, or goes on with it."""
        options = [f"--set={override}" for override in OVERRIDES]
        return Driver(host, name, write_sweep_file(self.hosts.shared), f"--store={self.store(name)}", *options)

    def store(self, name: str) -> Path:
        """Where it is stored."""
        return self.hosts.shared / name

    def _path(self, tcray: str) -> Path:
        folder = self.hosts.shared / tcray
        folder.mkdir(exist_ok=True)
        (folder / "sitecustomize.py").write_text(STARTS[tcray])
        return folder


@pytest.fixture(scope="module")
def hands() -> Iterator[Hands]:
    """Ray runs on the first host, which has no slot."""
    found = {"RAY_AUTH_TOKEN": "a" * 64, "PYTHONPATH": str(REPOSITORY)}
    with several(3, number=22, environment=found) as hosts:
        hands, h1 = Hands(hosts), hosts.all()[0]
        hands.join(h1, h1, "--num-cpus=0")
        yield hands


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Healthy:
    """The sweep on one host to which nothing happens."""
    return Healthy.swept(tmp_path_factory.mktemp("healthy"), OVERRIDES)


@pytest.mark.parametrize(
    ("tcray", "sentence"),
    [
        (
            "another",
            f"Error: on h2: tcray is 0.0.9, but {__version__} on the driver\nInstall the same versions on every host",
        ),
        ("none", "Error: on h2: tcray is not installed\nInstall the same versions on every host"),
    ],
)
def test_a_host_with_another_tcray(hands: Hands, tcray: str, sentence: str) -> None:
    """It is named before anything of the sweep is begun, with its version, the driver's, and what to do."""
    h1, h2, _ = hands.hosts.all()
    hands.join(h2, h1, "--num-cpus=1", tcray=tcray)
    said = hands.sweep(h1, tcray).end(expected=2)
    hands.leave(h2)
    assert sentence in said
    assert "Traceback" not in said
    assert [] == list(hands.store(tcray).glob("sweeps/*/manifest.json"))


def test_a_host_with_another_tcray_that_comes_late(hands: Hands, healthy: Healthy, tell: Tell) -> None:
    """Its first worker finds out; that is said, and the sweep goes on without it, to the same end."""
    h1, h2, h3 = hands.hosts.all()
    hands.join(h2, h1, "--num-cpus=1")
    driver = hands.sweep(h1, "late")
    driver.wait_for(lambda: driver.packs(h2), "a pack")
    hands.join(h3, h1, "--num-cpus=1", tcray="another")
    said = driver.end()
    hands.leave(h3)
    problem = f"on h3: tcray is 0.0.9, but {__version__} on the driver"
    found = f"{problem}: this host is excluded from now on. Install the same versions"
    assert 1 == said.count(found)
    assert "Traceback" not in said
    assert not healthy.begun_again(hands.store("late"), driver.trace)
    assert not [told for told in driver.trace.told() if told.host == h3.name]
    tell("a host with another tcray that joins late: named with what to do, and the sweep goes on without it")


def test_a_head_that_goes(hands: Hands, healthy: Healthy, tell: Tell) -> None:
    """A driver on another host ends with a sentence, and goes on in another cluster; to the same end."""
    h1, h2, _ = hands.hosts.all()
    driver = hands.sweep(h2, "head")
    driver.wait_for(lambda: driver.packs(h2), "a pack")
    h1.unplug()
    said = driver.end(expected=1)
    assert f"Error: the Ray cluster at {h1.address}:6379 is gone: its head has not answered for 30 s\n" in said
    assert "Traceback" not in said
    hands.leave(h2)
    hands.join(h2, h2, "--num-cpus=1")
    again = hands.sweep(h2, "head")
    again.end()
    begun_again = healthy.begun_again(hands.store("head"), again.trace)
    tell(f"the head unplugged: the driver ends with a sentence, goes on in another cluster, {in_words(begun_again)}")
