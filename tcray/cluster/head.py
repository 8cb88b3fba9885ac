"""The head node of a running cluster: run commands on it, and upload files to it."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tcray.cluster.cluster_file import ClusterFile, load_cluster_file
from tcray.cluster.ray.launcher import Launcher, RayLauncher, last_line
from tcray.errors import ConfigError, InputError, SweepError
from tcray.version import __version__

WORK_FOLDER = "~/tcray-work"
"""Folder on the head in which every command runs, and into which files are uploaded."""

_NO_RAY, _NO_CONNECTION = 69, 255
"""Exit codes of the script below, and of ssh."""

PORT = "6379"
"""Port of Ray on a head, unless the file's start commands name another one."""

_USE_RAY_ENVIRONMENT = f"""\
gcs=$(grep -lszx -e '--gcs_server_por[t]={{port}}' /proc/[0-9]*/cmdline | sed s/cmdline$/environ/ |
  xargs -r grep -ls '' | head -n 1)
[ -n "$gcs" ] || exit {_NO_RAY}
while IFS= read -r -d '' variable; do export "$variable"; done 2> /dev/null < "$gcs"
export RAY_ADDRESS=$(tr '\\0' '\\n' < "${{{{gcs%environ}}}}cmdline" | sed -n s/^--node-ip-address=//p):{{port}}
unset LD_PRELOAD
"""
"""Script that takes over the environment of Ray's head process: only that process has what the start commands set.

The host may run other Rays, on other ports or of other users (whose environment is not readable). Ray itself would
connect to any of them.
"""

_ENTER_WORK_FOLDER = f'mkdir -p "$HOME/{WORK_FOLDER[2:]}" && cd "$HOME/{WORK_FOLDER[2:]}" && exec '

ANSWER_PREFIX = "tcray answers: "
"""Start of the line with an answer; a shell may print other lines before and after it."""

_HANDSHAKE = f"""\
import json, os, tcray
print({ANSWER_PREFIX!r} + json.dumps([tcray.__version__, os.environ.get("TCRAY_STORE", "")]))"""

_CONNECTION_KEYS = ("cluster_name", "provider", "auth", "docker")
"""Sections of a cluster file that are needed to reach its head."""

_THIS_VERSION = f"tcray {__version__}"


@dataclass(frozen=True, slots=True)
class HeadInfo:
    """Answer of a head to the handshake."""

    store: str
    """TCRAY_STORE in the environment of Ray there; empty if it is not set."""
    other_version: str = ""
    """Message about the version of tcray there; empty if it is the version here."""


@dataclass(frozen=True)
class Head:
    """The head of a file's cluster; `handshake` checks that it can be used."""

    cluster: str
    """Path of the cluster file, as the user gave it."""
    launcher: Launcher
    port: str = PORT
    """Port of its Ray."""

    @classmethod
    def from_file(cls, cluster: str) -> Head:
        """Return the head of a file's cluster.

        The rest of the file may be invalid: a running cluster can be watched and stopped whatever its file contains.
        Raises InputError if the file lacks what is needed to reach the head, or if the cluster is not up.
        """
        file = load_cluster_file(cluster)
        problems = [problem for problem in file.unfilled if re.split(r"[.\[]", problem.path)[0] in _CONNECTION_KEYS]
        missing = [key for key in ("cluster_name", "provider") if not file.value(key)]
        problems += [file.root.problem(f"no {key}, which is needed to find the head") for key in missing]
        if problems:
            raise ConfigError(cluster, problems)
        return cls(cluster, RayLauncher.from_file(file), _read_port(file))

    def handshake(self) -> HeadInfo:
        """Return the version and store of the head. Raise InputError if it does not answer or lacks Ray or tcray."""
        ended = self._capture("python3", "-c", _HANDSHAKE)
        answer, last = _find_answer(ended.stdout), last_line(ended.stderr) or "no output"
        up = f"Start it: ray up {shlex.quote(self.cluster)}"
        if ended.returncode == _NO_CONNECTION:
            raise InputError(f"{self} does not answer: {last}", f"{up}; or correct `auth` in the file.")
        if ended.returncode == _NO_RAY:
            raise InputError(f"{self} runs no Ray", up)
        if ended.returncode or answer is None:
            raise InputError(
                f"{self} has no tcray: {last}", f"Install {_THIS_VERSION} in its setup commands or its image."
            )
        self.launcher.record_up()
        version, store = json.loads(answer)
        different = f"{self} has tcray {version}, and this machine {__version__}"
        return HeadInfo(store, "" if version == __version__ else different)

    def query(self, *command: str) -> str:
        """Return the answer of a command. Raise InputError or SweepError with its message if it fails."""
        ended = self._capture(*command)
        answer = _find_answer(ended.stdout)
        if ended.returncode == 0 and answer is not None:
            return answer
        *before, text = re.split(r"^Error: ", ended.stderr.strip(), flags=re.MULTILINE)
        message, _, remedy = text.partition("\n") if before else (last_line(text), "", "")
        kind = InputError if before and ended.returncode == InputError.exit_code else SweepError
        raise kind(message or f"{self}: no answer, exit code {ended.returncode}", remedy)

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a command that prints to this terminal; Ctrl-C does not reach it."""
        return subprocess.Popen(self._local_command(*command), stdin=subprocess.DEVNULL, start_new_session=True)

    def run(self, *command: str) -> int:
        """Run a command that prints to this terminal, and return its exit code.

        Ctrl-C ends it here, and there as soon as it prints again. Raises SweepError if the connection breaks.
        """
        with self.start(*command) as process:
            try:
                code = process.wait()
            except KeyboardInterrupt:
                disconnect(process)
                raise
        if code in (_NO_RAY, _NO_CONNECTION):
            raise SweepError(f"lost the connection to {self}", "Run the same command again.")
        return code

    def upload(self, files: Mapping[str, Path]) -> None:
        """Upload files to paths below `WORK_FOLDER`; only changed files are transferred.

        Raises SweepError if rsync fails.
        """
        with tempfile.TemporaryDirectory(prefix="tcray-") as temporary:
            folder = Path(temporary) / "work"
            for path, source in files.items():
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
            self.launcher.upload(folder, WORK_FOLDER)

    def _capture(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._local_command(*command),
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )

    def _local_command(self, *command: str) -> list[str]:
        script = _USE_RAY_ENVIRONMENT.format(port=self.port) + _ENTER_WORK_FOLDER + shlex.join(command)
        return self.launcher.command(script)

    def __str__(self) -> str:
        """Return the head's name in messages."""
        return f"the head of {self.cluster} ({self.launcher.address})"


def disconnect(process: subprocess.Popen[bytes]) -> None:
    """Close the connection of a command on a head; the command ends when it next prints."""
    process.terminate()
    process.wait()


def _find_answer(printed: str) -> str | None:
    _, found, after = printed.partition(ANSWER_PREFIX)
    return after.partition("\n")[0] if found else None


def _read_port(file: ClusterFile) -> str:
    match = re.search(r"\s--port[= ](\d+)", "\n".join(file.strings("head_start_ray_commands")))
    return match[1] if match else PORT
