"""Hosts joined by hand: unsuitable hosts are rejected or excluded, and the loss of the head is reported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tcray.version import __version__
from tests.tune.factories import write_sweep_file

from .conftest import Report
from .driver import AUTH, Driver
from .healthy import Healthy, format_segments
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
"""Long enough for another host to join."""

STARTS: dict[str, str] = {
    "another": "import tcray.version; tcray.version.__version__ = '0.0.9'",
    "none": "import sys; sys.modules['tcray'] = None",
}
"""Startup code of every Python on a host with another version of tcray, or none."""


@dataclass(frozen=True)
class ManualCluster:
    """Three hosts, on which Ray is started and stopped with `ray start` and `ray stop`."""

    hosts: Hosts

    def join(self, host: Host, head: Host, *options: str, tcray: str = "") -> None:
        """Start Ray on a host, as the head or as a worker, with the tcray of `STARTS` or that of the driver."""
        found = f"PYTHONPATH={self._path(tcray)}:{REPOSITORY}" if tcray else f"PYTHONPATH={REPOSITORY}"
        role = "--head" if host == head else f"--address={head.address}:6379"
        start = ["ray", "start", "--disable-usage-stats", "--object-store-memory=100000000", role]
        host.run("env", AUTH, found, *start, f"--node-ip-address={host.address}", *options)

    def leave(self, host: Host) -> None:
        """Stop Ray on a host."""
        host.run("env", AUTH, "ray", "stop", "--force")

    def sweep(self, host: Host, name: str) -> Driver:
        """Start or resume the sweep with a driver on a host."""
        options = [f"--set={override}" for override in OVERRIDES]
        return Driver(host, name, write_sweep_file(self.hosts.shared), f"--store={self.store(name)}", *options)

    def store(self, name: str) -> Path:
        """Return the folder of the store."""
        return self.hosts.shared / name

    def _path(self, tcray: str) -> Path:
        folder = self.hosts.shared / tcray
        folder.mkdir(exist_ok=True)
        (folder / "sitecustomize.py").write_text(STARTS[tcray])
        return folder


@pytest.fixture(scope="module")
def cluster() -> Iterator[ManualCluster]:
    """Yield a cluster whose first host is a head without CPUs."""
    found = {"RAY_AUTH_TOKEN": "a" * 64, "PYTHONPATH": str(REPOSITORY)}
    with several(3, number=22, environment=found) as hosts:
        cluster, h1 = ManualCluster(hosts), hosts.all()[0]
        cluster.join(h1, h1, "--num-cpus=0")
        yield cluster


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Healthy:
    """Return the undisturbed sweep."""
    return Healthy.train(tmp_path_factory.mktemp("healthy"), OVERRIDES)


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
def test_host_with_another_tcray_is_rejected(cluster: ManualCluster, tcray: str, sentence: str) -> None:
    """The message names host and versions before the sweep starts."""
    h1, h2, _ = cluster.hosts.all()
    cluster.join(h2, h1, "--num-cpus=1", tcray=tcray)
    output = cluster.sweep(h1, tcray).end(expected=2)
    cluster.leave(h2)
    assert sentence in output
    assert "Traceback" not in output
    assert [] == list(cluster.store(tcray).glob("sweeps/*/manifest.json"))


def test_host_with_another_tcray_that_joins_late_is_excluded(
    cluster: ManualCluster, healthy: Healthy, report: Report
) -> None:
    """Its first worker detects the version; the sweep continues without the host, with the same result."""
    h1, h2, h3 = cluster.hosts.all()
    cluster.join(h2, h1, "--num-cpus=1")
    driver = cluster.sweep(h1, "late")
    driver.wait_for(lambda: driver.packs(h2), "a pack")
    cluster.join(h3, h1, "--num-cpus=1", tcray="another")
    output = driver.end()
    cluster.leave(h3)
    problem = f"on h3: tcray is 0.0.9, but {__version__} on the driver"
    found = f"{problem}: this host is excluded from now on. Install the same versions"
    assert 1 == output.count(found)
    assert "Traceback" not in output
    assert not healthy.repeated_segments(cluster.store("late"), driver.trace)
    assert not [record for record in driver.trace.records() if record.host == h3.name]
    report(
        "a host with another tcray that joins late: it is excluded with a message, and the sweep continues without it"
    )


def test_loss_of_the_head_ends_the_driver(cluster: ManualCluster, healthy: Healthy, report: Report) -> None:
    """A driver on another host ends with a message, and resumes in another cluster with the same result."""
    h1, h2, _ = cluster.hosts.all()
    driver = cluster.sweep(h2, "head")
    driver.wait_for(lambda: driver.packs(h2), "a pack")
    h1.unplug()
    output = driver.end(expected=1)
    assert f"Error: the Ray cluster at {h1.address}:6379 is gone: its head has not answered for 30 s\n" in output
    assert "Traceback" not in output
    cluster.leave(h2)
    cluster.join(h2, h2, "--num-cpus=1")
    again = cluster.sweep(h2, "head")
    again.end()
    repeated = healthy.repeated_segments(cluster.store("head"), again.trace)
    report(
        f"the head unplugged: the driver ends with an error and resumes in another cluster, {format_segments(repeated)}"
    )
