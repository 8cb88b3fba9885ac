"""Consistency of docker/ with the repository; images are built and tested in tests/multihost/test_image.py."""

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
    """Every path that the Dockerfile copies exists, and .dockerignore admits exactly those paths."""
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
    """Every image in these files has the version of this repository."""
    versions = re.findall(r":(\d+\.\d+\.\d+)-(?:cpu|cuda)\b", (REPOSITORY / file).read_text())
    assert {__version__} == set(versions)


@pytest.mark.parametrize("service", SERVICES)
def test_published_ports_are_reachable_from_this_machine_only(service: str) -> None:
    """Compose publishes ports on the loopback address only."""
    ports = SERVICES[service].get("ports", [])
    assert [] == [port for port in ports if not str(port).startswith("127.0.0.1:")]


def test_volumes_are_mounted_on_folders_of_the_image_s_user() -> None:
    """Volumes are mounted in folders that the image's user owns, because an engine creates missing ones as root."""
    mounts = [mount for service in SERVICES.values() for mount in service["volumes"]]
    targets = {mount.split(":")[1] for mount in mounts if isinstance(mount, str)}
    (given,) = re.findall(r"install --directory --owner=tcray --group=tcray(?: \\\n)?(.*)", DOCKERFILE)
    assert targets <= set(given.split())
