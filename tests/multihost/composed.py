"""The services of docker/compose.yaml, started as an engine would start them, each container on its own host."""

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
    """Return the services of the file, with the defaults of its variables."""
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
        """Return the name of the container, which is that of its host."""
        return self.host.name

    @property
    def volumes(self) -> list[str]:
        """Return the volumes as for `docker run`; each is the folder of its name in `Hosts.shared`."""
        shared, found = Hosts(self.host.number).shared, []
        for volume in self.service["volumes"]:
            if isinstance(volume, str):
                found.append(f"{shared}/{volume}")
            else:
                folder = volume["source"].rpartition("/")[2]
                found.append(f"{shared}/{folder}:{volume['target']}" + ":ro" * volume["read_only"])
        return found

    def command(self, *argv: str) -> list[str]:
        """Return the command of this machine that runs another one in the container, like `docker compose exec`."""
        environment = [f"{name}={value}" for name, value in self.service.get("environment", {}).items()]
        return self.host.command(*self.buildah.run(self.name, self.volumes, "env", *environment, *argv))

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the container, and return its exit code and output."""
        return subprocess.run(
            self.command(*argv), check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Context manager: run the service; its log is in `Hosts.shared`."""
        self.buildah.start(self.name, self.image)
        words = self.service["command"]
        command = shlex.split(words) if isinstance(words, str) else words
        entry = self.buildah.inspect(self.image)["config"]["Entrypoint"]
        with (Hosts(self.host.number).shared / f"container-{self.name}.log").open("w") as log:
            process = subprocess.Popen(self.command(*entry, *command), stdout=log, stderr=log)
        try:
            yield
        finally:
            if self.host.is_on:
                self.host.power_off()
            process.wait()

    def is_healthy(self) -> bool:
        """True if the service's health check passes within its timeout."""
        health = self.service["healthcheck"]
        kind, *check = health["test"]
        assert kind == "CMD"
        return self.run("timeout", health["timeout"], *check).returncode == 0
