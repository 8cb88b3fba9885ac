"""A fake head: this machine with a home of its own. Commands run in a real bash, without ssh."""

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
class LocalLauncher:
    """Launcher of the fake head. Its only process is Ray's, with the environment of the tests."""

    home: Path
    address: str = "10.0.0.1"

    def command(self, script: str) -> list[str]:
        """Return the command that runs a script here; programs of the head come first on the PATH."""
        path = f"{self.home / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        write_process(self.processes, 7, PORT, {**os.environ, "HOME": str(self.home), "PATH": path})
        return ["env", "-i", "bash", "-c", script.replace("/proc/", f"{self.processes}/", 1)]

    @property
    def processes(self) -> Path:
        """Return the head's /proc."""
        return self.home.parent / "proc"

    def upload(self, folder: Path, target: str) -> None:
        """Copy the folder."""
        shutil.copytree(folder, self.home / target.removeprefix("~/"), dirs_exist_ok=True)

    def record_up(self) -> None:
        """Create the file `recorded`."""
        (self.home / "recorded").touch()

    @property
    def work(self) -> Path:
        """Return the folder in which commands run."""
        return self.home / "tcray-work"

    def program(self, name: str, *lines: str) -> None:
        """Install a bash program on the head that first logs its arguments, one per line."""
        path = self.home / "bin" / name
        path.parent.mkdir(exist_ok=True)
        log = shlex.quote(str(self.home / f"{name}.log"))
        path.write_text("\n".join(["#!/usr/bin/env bash", f'printf "%s\\n" "$@" --- >> {log}', *lines, ""]))
        path.chmod(0o755)

    def calls(self, name: str) -> list[list[str]]:
        """Return the arguments of every call of a program."""
        log = self.home / f"{name}.log"
        calls = log.read_text().split("---\n")[:-1] if log.exists() else []
        return [call.splitlines() for call in calls]


def write_process(processes: Path, pid: int, port: str, environment: Mapping[str, str] | None) -> None:
    """Write Ray's head process as /proc shows it; an environment of None is unreadable."""
    folder = processes / str(pid)
    folder.mkdir(parents=True, exist_ok=True)
    words = ("/gcs_server", f"--gcs_server_port={port}", "--node-ip-address=10.0.0.1", "--session-name=x")
    (folder / "cmdline").write_text("".join(f"{word}\0" for word in words))
    if environment is None:
        (folder / "environ").symlink_to("nowhere")
    else:
        (folder / "environ").write_text("".join(f"{name}={value}\0" for name, value in environment.items()))


def make_head(folder: Path) -> tuple[Head, LocalLauncher]:
    """Return a head whose home is in a folder, and its launcher."""
    home = folder / "home of the head"
    home.mkdir()
    launcher = LocalLauncher(home)
    return Head("cluster/my own.yaml", launcher), launcher


def find_options(words: Sequence[str], name: str) -> list[str]:
    """Return the values of an option that is given as `--name=value`."""
    return [word.removeprefix(f"--{name}=") for word in words if word.startswith(f"--{name}=")]
