"""A head that is this machine, in a home of its own: what is said there is said by a real bash, and nothing by ssh."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tcray.cluster.head import PORT, Head


@dataclass(frozen=True)
class Nearby:
    """The way to it; its only process is Ray's, whose environment is the one that tests run in."""

    home: Path
    address: str = "10.0.0.1"

    def command(self, script: str) -> list[str]:
        """Says it here; programs of the head come before this machine's."""
        path = f"{self.home / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        a_process(self.processes, 7, PORT, {**os.environ, "HOME": str(self.home), "PATH": path})
        return ["env", "-i", "bash", "-c", script.replace("/proc/", f"{self.processes}/", 1)]

    @property
    def processes(self) -> Path:
        """The head's /proc."""
        return self.home.parent / "proc"

    def send(self, folder: Path, target: str) -> None:
        """Copies it all."""
        shutil.copytree(folder, self.home / target.removeprefix("~/"), dirs_exist_ok=True)

    def note_up(self) -> None:
        """Leaves a note."""
        (self.home / "noted").touch()

    @property
    def work(self) -> Path:
        """The folder in which things are said there."""
        return self.home / "tcray-work"

    def program(self, name: str, *lines: str) -> None:
        """Puts a program on the head: bash, which first takes down what it is called with, a word a line."""
        path = self.home / "bin" / name
        path.parent.mkdir(exist_ok=True)
        log = shlex.quote(str(self.home / f"{name}.log"))
        path.write_text("\n".join(["#!/usr/bin/env bash", f'printf "%s\\n" "$@" --- >> {log}', *lines, ""]))
        path.chmod(0o755)

    def called(self, name: str) -> list[list[str]]:
        """What a program was called with, each time."""
        log = self.home / f"{name}.log"
        calls = log.read_text().split("---\n")[:-1] if log.exists() else []
        return [call.splitlines() for call in calls]


def a_process(processes: Path, pid: int, port: str, environment: Mapping[str, str] | None) -> None:
    """Ray's head process, as /proc shows it; nobody may read the environment that is None."""
    folder = processes / str(pid)
    folder.mkdir(parents=True, exist_ok=True)
    words = ("/gcs_server", f"--gcs_server_port={port}", "--node-ip-address=10.0.0.1", "--session-name=x")
    (folder / "cmdline").write_text("".join(f"{word}\0" for word in words))
    if environment is None:
        (folder / "environ").symlink_to("nowhere")
    else:
        (folder / "environ").write_text("".join(f"{name}={value}\0" for name, value in environment.items()))


def a_head(folder: Path) -> tuple[Head, Nearby]:
    """A head whose home is in a folder, and the way to it."""
    home = folder / "home of the head"
    home.mkdir()
    launcher = Nearby(home)
    return Head("cluster/my own.yaml", launcher), launcher


def option(words: Sequence[str], name: str) -> list[str]:
    """The values of an option said as `--name=value`."""
    return [word.removeprefix(f"--{name}=") for word in words if word.startswith(f"--{name}=")]
