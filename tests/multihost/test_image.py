"""The image of docker/, built by buildah on a bare Debian, and sweeps that run in it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.utils import canonicalize_name

from tcray.store.store import Store
from tcray.training.pack import train
from tcray.version import __version__
from tests.tune.factories import SWEEP_YAML, export, make_sweep, run_without_ray

from .buildah import Buildah, BuildahError
from .composed import FILE, Container, services
from .conftest import Report
from .hosts import REPOSITORY, Hosts, several
from .patience import until

pytestmark = pytest.mark.timeout(1800)

TAG = f"tcray/tcray:{__version__}-cpu"
WORK_FOLDER = "/home/tcray/tcray-work"
USER = 1000

LOOK = """
import importlib.metadata, json, os, shutil, sys
print(json.dumps({
    "user": os.getuid(),
    "folder": os.getcwd(),
    "owners": {folder: os.stat(folder).st_uid for folder in sys.argv[1:]},
    "tools": [tool for tool in ("apt-get", "bash", "cc", "gcc", "make", "pip", "ray", "rsync", "ssh", "tcray")
              if shutil.which(tool)],
    "caches": [name for folder in ("/root/.cache", "/var/lib/apt/lists") if os.path.isdir(folder)
               for name in os.listdir(folder)],
    "packages": {found.name: found.version for found in importlib.metadata.distributions()},
}))
"""


WHERE = """
import ray, socket
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
ray.init("auto", log_to_driver=False)
where = ray.remote(lambda: socket.gethostname())
slots = {node["NodeID"]: node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]}
there = [where.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False))
         for node, cpus in slots.items() if cpus]
print(*sorted(ray.get([task.remote() for task in there])))
"""


@dataclass(frozen=True)
class Built:
    """The CPU image.

    source   copy of the source it was built from; tests change it
    seconds  duration of the build
    """

    buildah: Buildah
    source: Path
    seconds: float

    def layers(self, tag: str) -> list[str]:
        """Return the digests of an image's layers, lowest first."""
        return list(map(str, self.buildah.inspect(tag)["rootfs"]["diff_ids"]))

    @property
    def health_check(self) -> list[str]:
        """Return the command of the image's health check, with its timeout."""
        health = self.buildah.inspect(TAG)["config"]["Healthcheck"]
        kind, *check = map(str, health["Test"])
        assert kind == "CMD"
        return ["timeout", f"{health['Timeout'] / 1e9:.0f}", *check]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, report: Report) -> Iterator[Built]:
    """Yield the image, in a folder that hosts see too."""
    if reason := Buildah.missing():
        pytest.skip(reason)
    source = tmp_path_factory.mktemp("source")
    for name in (".dockerignore", "constraints.txt", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, source)
    for name in ("docker", "sweeps", "tcray"):
        shutil.copytree(REPOSITORY / name, source / name, symlinks=True)
    buildah = Buildah(Path(tempfile.mkdtemp(prefix="tcray-images-", dir="/var/tmp")))
    try:
        buildah.make_base()
        began = time.monotonic()
        buildah.build(source, TAG, "DEVICE=cpu")
        seconds = time.monotonic() - began
        size = buildah.run_buildah("images", "--format={{.Size}}", TAG).strip()
        report(f"{TAG}: {size}, built from a bare Debian in {seconds:.0f} s")
        yield Built(buildah, source, seconds)
    finally:
        buildah.remove()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the rows of the sweep, trained in this process without Ray."""
    folder = tmp_path_factory.mktemp("by hand")
    return export(run_without_ray(folder / "store", make_sweep(folder), train))


def read_store(folder: Path) -> tuple[list[str], set[str]]:
    """Return the exported rows of the only sweep of a store, and the hosts it was trained on."""
    opened = Store.open(str(folder))
    sweep = opened.sweep(opened.resolve("small")[0])
    return export(sweep), {row["host"] for row in sweep.read("runs").to_pylist()}


def make_folder(hosts: Hosts, name: str) -> Path:
    """Create a folder that all hosts see and that belongs to the image's user."""
    folder = hosts.shared / name
    folder.mkdir()
    os.chown(folder, USER, USER)
    return folder


def test_dockerfile_passes_hadolint() -> None:
    """The Dockerfile gives a reason for every rule it disables."""
    ran = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), REPOSITORY / "docker" / "Dockerfile"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (0, "", "") == (ran.returncode, ran.stdout, ran.stderr)


def test_compose_file_is_valid() -> None:
    """The Compose specification accepts the file."""
    from compose_spec import PyCompose

    PyCompose.from_json(json.dumps(yaml.safe_load(FILE.read_text()))).validate()


def test_content_of_the_image(built: Built) -> None:
    """The image has a non-root user who owns the volumes, the launcher's tools, pinned packages and no compiler."""
    volumes = [
        volume.split(":")[1] for service in services().values() for volume in service["volumes"] if ":" in volume
    ]
    built.buildah.start("looked-at", TAG)
    process = subprocess.run(
        built.buildah.run("looked-at", [], "python", "-c", LOOK, *volumes), check=True, capture_output=True, text=True
    )
    inside = json.loads(process.stdout)
    packages = inside.pop("packages")
    assert {
        "user": USER,
        "folder": WORK_FOLDER,
        "owners": dict.fromkeys(volumes, USER),
        "tools": ["apt-get", "bash", "ray", "rsync", "ssh", "tcray"],
        "caches": [],
    } == inside
    assert "HOME=/home/tcray" in built.buildah.inspect(TAG)["config"]["Env"], "Ray's launcher reads it there"
    assert __version__ == packages.pop("tcray")
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)$", (REPOSITORY / "constraints.txt").read_text(), re.MULTILINE))
    wanted = {canonicalize_name(name): version for name, version in pinned.items()}
    found = {canonicalize_name(name): version.partition("+")[0] for name, version in packages.items()}
    assert {} == {name: version for name, version in found.items() if wanted.get(name) != version}


def test_change_of_the_source_reinstalls_no_package(built: Built, report: Report) -> None:
    """After a change of tcray and of the linter's settings in pyproject.toml, only the layer of tcray differs."""
    with (built.source / "tcray" / "errors.py").open("a") as module:
        module.write("# changed\n")
    project = built.source / "pyproject.toml"
    project.write_text(project.read_text().replace("line-length = 120", "line-length = 121"))
    began = time.monotonic()
    output = built.buildah.build(built.source, "changed", "DEVICE=cpu")
    report(f"built again after a change of tcray: {time.monotonic() - began:.0f} s instead of {built.seconds:.0f}")
    assert [f"Successfully installed tcray-{__version__}"] == re.findall(r"Successfully installed.*", output)
    before, after = built.layers(TAG), built.layers("changed")
    assert len(before) == len(after)
    assert 1 == sum(old != new for old, new in zip(before, after, strict=True))


def test_wrong_build_of_torch_fails(built: Built) -> None:
    """If pip finds the CPU build of torch, no CUDA image is built, which would silently compute on CPUs."""
    with pytest.raises(BuildahError, match="DEVICE is cuda, but pip found torch's cpu build"):
        built.buildah.build(built.source, "wrong", "DEVICE=cuda")


def test_sweep_runs_in_a_container(built: Built, expected: list[str]) -> None:
    """`docker run IMAGE tcray sweep` writes the same rows as without an image, and the container is healthy."""
    with several(1, number=4) as hosts:
        (host,) = hosts.all()
        folder = make_folder(hosts, "work")
        (folder / "small.yaml").write_text(SWEEP_YAML.format(root="data"))
        built.buildah.start("plain", TAG)

        def command(*argv: str) -> list[str]:
            return host.command(*built.buildah.run("plain", [f"{folder}:{WORK_FOLDER}"], *argv))

        subprocess.run(command(*built.health_check), check=True)
        subprocess.run(command("tini", "--", "tcray", "sweep", "small.yaml"), check=True, capture_output=True)
        subprocess.run(command(*built.health_check), check=True)
        rows, _ = read_store(folder / "trials")
        assert expected == rows


def test_services_of_compose_run_a_sweep(built: Built, expected: list[str], report: Report) -> None:
    """A head and two workers connect, require a token, train, and are unhealthy if Ray does not answer."""
    with several(3, number=4) as hosts, contextlib.ExitStack() as at_the_end:
        head, *workers = make_containers(built, hosts)
        at_the_end.enter_context(head.running())
        until(head.is_healthy, "the head's health")
        for worker in workers:
            at_the_end.enter_context(worker.running())
        until(lambda: all(worker.is_healthy() for worker in workers), "the workers' health")

        assert head.run("env", "RAY_AUTH_MODE=disabled", "ray", "status").returncode
        computing = [worker.host.name for worker in workers]
        assert computing == head.run("python", "-c", WHERE).stdout.splitlines()[-1].split()
        swept = head.run("tcray", "sweep", "sweeps/small.yaml", "--set", "resources.pack=2")
        assert 0 == swept.returncode, swept.stdout
        rows, trained_on = read_store(hosts.shared / "trials")
        assert expected == rows
        assert trained_on <= set(computing), (
            "the head trains nothing; the sweep may end before both workers have started"
        )
        report("docker/compose.yaml, played on three hosts: a sweep on its workers, bit for bit that of one process")

        assert [0, 0, 0] == [each.run(*built.health_check).returncode for each in (head, *workers)]
        head.host.power_off()
        assert not any(worker.is_healthy() for worker in workers)
        assert all(worker.run(*built.health_check).returncode for worker in workers)


def make_containers(built: Built, hosts: Hosts) -> list[Container]:
    """Return the containers of compose.yaml, one per host; the first host has the name of its service."""
    described: Mapping[str, Any] = services()
    wanted = [name for name, service in described.items() for _ in range(service.get("scale", 1))]
    assert ["head", "worker", "worker"] == wanted
    with hosts.names.open("a") as names:
        names.write(f"{hosts.all()[0].address} head\n")
    for name in ("token", "trials", "sweeps", "data"):
        make_folder(hosts, name)
    (hosts.shared / "sweeps" / "small.yaml").write_text(SWEEP_YAML.format(root="data"))
    return [
        Container(built.buildah, host, TAG, described[name]) for host, name in zip(hosts.all(), wanted, strict=True)
    ]
