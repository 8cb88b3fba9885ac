"""Files of docker/ agree with the repository; tests/multihost/test_image.py builds and runs the image."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tcray.version import __version__

REPOSITORY = Path(__file__).resolve().parents[1]
DOCKERFILE = (REPOSITORY / "docker" / "Dockerfile").read_text()
SERVICES = yaml.safe_load((REPOSITORY / "docker" / "compose.yaml").read_text())["services"]


def test_dockerignore_lets_copied_files_through() -> None:
    """Every path the Dockerfile copies exists, and .dockerignore excludes everything else."""
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
def test_image_tags_have_this_version(file: str) -> None:
    """Every image named in a file has the version of this repository."""
    versions = re.findall(r":(\d+\.\d+\.\d+)-(?:cpu|cuda)\b", (REPOSITORY / file).read_text())
    assert {__version__} == set(versions)


@pytest.mark.parametrize("service", SERVICES)
def test_published_ports_are_reachable_from_this_machine_only(service: str) -> None:
    """Compose publishes ports on the loopback address only."""
    ports = SERVICES[service].get("ports", [])
    assert [] == [port for port in ports if not str(port).startswith("127.0.0.1:")]


def test_volumes_are_mounted_on_folders_of_the_image_s_user() -> None:
    """An engine would create a missing folder as root, and the user could not write to it."""
    mounts = [mount for service in SERVICES.values() for mount in service["volumes"]]
    targets = {mount.split(":")[1] for mount in mounts if isinstance(mount, str)}
    (given,) = re.findall(r"install --directory --owner=tcray --group=tcray(?: \\\n)?(.*)", DOCKERFILE)
    assert targets <= set(given.split())
