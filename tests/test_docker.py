"""What docker/ says of the repository; what it does is seen where images are built (tests/cluster/test_image.py)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tcray import __version__

REPOSITORY = Path(__file__).resolve().parents[1]
DOCKERFILE = (REPOSITORY / "docker" / "Dockerfile").read_text()
SERVICES = yaml.safe_load((REPOSITORY / "docker" / "compose.yaml").read_text())["services"]


def test_what_is_copied_is_let_through() -> None:
    """What the Dockerfile copies from the repository is there, and .dockerignore lets it through and nothing else."""
    copied = {
        source
        for words in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
        for source in words.split()[:-1]
    }
    lines = (REPOSITORY / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    assert copied == {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert [] == [source for source in copied if not (REPOSITORY / source).exists()]


@pytest.mark.parametrize("file", ["docker/Dockerfile", "docker/compose.yaml", "cluster/gpu.yaml"])
def test_images_are_called_by_this_version(file: str) -> None:
    """Every image that a file names has the version that is built from this repository."""
    versions = re.findall(r":(\d+\.\d+\.\d+)-(?:cpu|cuda)\b", (REPOSITORY / file).read_text())
    assert {__version__} == set(versions)


@pytest.mark.parametrize("service", SERVICES)
def test_only_this_machine_reaches_published_ports(service: str) -> None:
    """Compose publishes on the loopback address alone."""
    ports = SERVICES[service].get("ports", [])
    assert [] == [port for port in ports if not str(port).startswith("127.0.0.1:")]


def test_volumes_lie_in_folders_that_the_image_gives_its_user() -> None:
    """An engine makes a missing folder as root, and the user could not write."""
    mounts = [mount for service in SERVICES.values() for mount in service["volumes"]]
    targets = {mount.split(":")[1] for mount in mounts if isinstance(mount, str)}
    (given,) = re.findall(r"install --directory --owner=tcray --group=tcray(?: \\\n)?(.*)", DOCKERFILE)
    assert targets <= set(given.split())
