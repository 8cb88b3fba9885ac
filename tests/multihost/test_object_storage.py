"""A sweep whose store is a bucket (of moto), and whose data only the driver sees."""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pyarrow import fs

from tcray.data.archive import write_examples
from tcray.data.recipe import read_recipe
from tcray.data.twins import generate_twin
from tests.tune.factories import write_sweep_file

from .conftest import Report
from .driver import AUTH, Driver
from .healthy import Healthy, format_segments
from .hosts import HOME, REPOSITORY, Host, Hosts, several
from .patience import until
from .traced import Traced

moto = pytest.importorskip("moto.server", reason="the dependency group cluster is not installed")

pytestmark = pytest.mark.timeout(900)

BUCKET = "sweeps"
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true"}
OVERRIDES = ["fixed.batch_size=32", "training.epochs=9", "search.pruner.asha.min_epochs=3", "resources.pack=3"]
MIDWAY = 12
"""Number of objects in the ledger midway through the sweep."""


@dataclass(frozen=True)
class Bucket:
    """A bucket at `address` (HOST:PORT)."""

    address: str

    def uri(self, name: str) -> str:
        """Return the URI of a store in the bucket."""
        return f"s3://{BUCKET}/{name}?scheme=http&endpoint_override={self.address}&allow_bucket_creation=true"

    def sizes(self, folder: str) -> list[int]:
        """Return the sizes of the objects in a folder, in bytes."""
        there, root = fs.FileSystem.from_uri(self.uri(folder))
        found = there.get_file_info(fs.FileSelector(root, recursive=True, allow_not_found=True))
        return [info.size for info in found if info.is_file]


@contextlib.contextmanager
def serve_bucket(host: str) -> Iterator[Bucket]:
    """Context manager: a bucket on this machine."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto.ThreadedMotoServer(host, port=0, verbose=False)
    server.start()
    try:
        bucket = Bucket(":".join(map(str, server.get_host_and_port())))
        there, root = fs.FileSystem.from_uri(bucket.uri(""))
        there.create_dir(root)
        yield bucket
    finally:
        server.stop()


@pytest.fixture(scope="module", autouse=True)
def _keys() -> Iterator[None]:
    """Set credentials for this process and its children."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        yield


def write_dataset(root: Path) -> int:
    """Write a dataset whose files must be read; return the size of its features in bytes."""
    examples = generate_twin(read_recipe("mosi")).examples
    write_examples(examples, root)
    return sum(matrix.nbytes for matrix in examples.features.values())


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Healthy:
    """Return the undisturbed sweep, with its store in a folder."""
    folder = tmp_path_factory.mktemp("healthy")
    write_dataset(folder / "data")
    return Healthy.train(folder, OVERRIDES)


def test_killed_driver_resumes_from_a_bucket(tmp_path: Path, healthy: Healthy, report: Report) -> None:
    """The result is that of a sweep with its store in a folder."""
    write_dataset(tmp_path / "data")
    trace = Traced(str(tmp_path / "trace"))
    traced = [sys.executable, "-m", "tests.multihost.traced", trace.path, "sweep", str(write_sweep_file(tmp_path))]
    with serve_bucket("127.0.0.1") as bucket:
        command = [*traced, "--store", bucket.uri("killed"), *(f"--set={override}" for override in OVERRIDES)]
        with subprocess.Popen(command, cwd=REPOSITORY) as first:
            until(lambda: len(bucket.sizes("killed/ledger")) >= MIDWAY, "half of a sweep")
            first.kill()
        subprocess.run(command, cwd=REPOSITORY, check=True)
        again = healthy.repeated_segments(bucket.uri("killed"), trace)
        sizes = bucket.sizes("killed")
    report(f"a store in a bucket, the driver killed and started again: {format_segments(again)}")
    report(f"that store has {len(sizes)} objects and {sum(sizes) / 2**20:.1f} MiB")


def count_received(host: Host) -> int:
    """Return the number of bytes that a host has received."""
    (cable,) = json.loads(host.run("ip", "-stats", "-json", "link", "show", "eth0"))
    return int(cable["stats64"]["rx"]["bytes"])


@dataclass(frozen=True)
class Two:
    """A host with the driver and the data, and one with two workers and no data; `size` of the data in bytes."""

    hosts: Hosts
    size: int

    @property
    def worker(self) -> Host:
        """Return the host that trains packs."""
        return self.hosts.all()[1]

    def sweep(self, name: str, store: str) -> Driver:
        """Run the sweep to its end."""
        driver_host, _ = self.hosts.all()
        options = [f"--set={override}" for override in [f"data.root={HOME / 'data'}", *OVERRIDES]]
        driver = Driver(driver_host, name, write_sweep_file(self.hosts.shared), f"--store={store}", *options)
        assert "does not see" not in driver.end()
        return driver


@pytest.fixture(scope="module")
def two() -> Iterator[Two]:
    """Yield the hosts, joined by Ray."""
    found = {"RAY_AUTH_TOKEN": "a" * 64, "PYTHONPATH": str(REPOSITORY), **KEYS}
    start = ["env", AUTH, "ray", "start", "--disable-usage-stats", "--object-store-memory=200000000"]
    with several(2, number=20, environment=found) as hosts:
        driver_host, worker_host = hosts.all()
        address = f"--address={driver_host.address}:6379"
        driver_host.run(*start, "--head", f"--node-ip-address={driver_host.address}", "--num-cpus=0")
        worker_host.run(*start, address, f"--node-ip-address={worker_host.address}", "--num-cpus=2")
        yield Two(hosts, write_dataset(driver_host.home / "data"))


def test_hosts_share_a_bucket(two: Two, healthy: Healthy) -> None:
    """Driver and workers are on different hosts."""
    with serve_bucket(two.hosts.address) as bucket:
        driver = two.sweep("bucket", bucket.uri("hosts"))
        assert not healthy.repeated_segments(bucket.uri("hosts"), driver.trace)


def test_data_are_sent_to_a_host_once(two: Two, healthy: Healthy, report: Report) -> None:
    """All workers and packs of a host share one copy of data that only the driver sees."""
    assert not (two.worker.home / "data").exists()
    before = count_received(two.worker)
    driver = two.sweep("data", str(two.hosts.shared / "trials"))
    came = count_received(two.worker) - before
    assert not healthy.repeated_segments(two.hosts.shared / "trials", driver.trace)
    packs = [record for record in driver.trace.records() if record.ended]
    assert 2 == len({(pack.host, pack.pid) for pack in packs})
    assert two.size < came < 2 * two.size
    report(f"{len(packs)} packs by two workers of a host: {came / two.size:.1f} times the size of the data came to it")
