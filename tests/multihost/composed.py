"""The services of docker/compose.yaml, started as an engine would: each container has files and a host of its own."""

from __future__ import annotations

import contextlib
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from .buildah import Buildah
from .hosts import REPOSITORY, Host, Hosts

FILE = REPOSITORY / "docker" / "compose.yaml"


def services() -> Mapping[str, Any]:
    """As the file has them, with the defaults of its variables."""
    text = re.sub(r"\$\{\w+:-(.*?)\}", r"\1", FILE.read_text())
    found: Mapping[str, Any] = yaml.safe_load(text)["services"]
    return found


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a service."""

    buildah: Buildah
    host: Host
    image: str
    service: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Of its files, and what it is to itself: that of its host."""
        return self.host.name

    @property
    def volumes(self) -> list[str]:
        """As of `docker run`: a volume, and a folder of the repository, is the folder of its name in `Hosts.shared`."""
        shared, found = Hosts(self.host.number).shared, []
        for volume in self.service["volumes"]:
            if isinstance(volume, str):
                found.append(f"{shared}/{volume}")
            else:
                folder = volume["source"].rpartition("/")[2]
                found.append(f"{shared}/{folder}:{volume['target']}" + ":ro" * volume["read_only"])
        return found

    def command(self, *argv: str) -> list[str]:
        """The command of this machine that says another in the container, as `docker compose exec` does."""
        environment = [f"{name}={value}" for name, value in self.service.get("environment", {}).items()]
        return self.host.command(*self.buildah.run(self.name, self.volumes, "env", *environment, *argv))

    def say(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Says it, and tells how it ended and what it printed."""
        return subprocess.run(
            self.command(*argv), check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Makes the files and does what the service is there for; what it says lies in `Hosts.shared`."""
        self.buildah.start(self.name, self.image)
        said = self.service["command"]
        command = shlex.split(said) if isinstance(said, str) else said
        entry = self.buildah.look(self.image)["config"]["Entrypoint"]
        with (Hosts(self.host.number).shared / f"container-{self.name}.log").open("w") as log:
            process = subprocess.Popen(self.command(*entry, *command), stdout=log, stderr=log)
        try:
            yield
        finally:
            if self.host.is_on:
                self.host.power_off()
            process.wait()

    def is_healthy(self) -> bool:
        """Whether the service's health check is content, in time."""
        health = self.service["healthcheck"]
        kind, *check = health["test"]
        assert kind == "CMD"
        return self.say("timeout", health["timeout"], *check).returncode == 0
