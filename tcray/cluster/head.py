"""The head node of a running cluster: commands are said there, and files are sent there."""

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

from tcray import __version__
from tcray.cluster.cluster_file import ClusterFile, load_cluster_file
from tcray.cluster.launcher import Launcher, RayLauncher, last_line
from tcray.errors import ConfigError, InputError, SweepError

WORK = "~/tcray-work"
"""The folder of the head in which everything is said, and to which everything is sent."""

_NO_RAY, _NO_ANSWER = 69, 255
"""Exit codes: of the script below, and of ssh."""

PORT = "6379"
"""Where Ray listens on a head, unless the file's start commands say otherwise."""

_AS_RAY = f"""\
gcs=$(grep -lszx -e '--gcs_server_por[t]={{port}}' /proc/[0-9]*/cmdline | sed s/cmdline$/environ/ |
  xargs -r grep -ls '' | head -n 1)
[ -n "$gcs" ] || exit {_NO_RAY}
while IFS= read -r -d '' variable; do export "$variable"; done 2> /dev/null < "$gcs"
export RAY_ADDRESS=$(tr '\\0' '\\n' < "${{{{gcs%environ}}}}cmdline" | sed -n s/^--node-ip-address=//p):{{port}}
unset LD_PRELOAD
"""
"""Takes over the environment of Ray's head process: no other shell knows what the file's start commands set.

On the host there may be other Rays, at other ports, or those of others, whose environment nobody may read; by itself
Ray would look for any of them.
"""

_AT_WORK = f'mkdir -p "$HOME/{WORK[2:]}" && cd "$HOME/{WORK[2:]}" && exec '

ANSWER = "tcray answers: "
"""What an answer begins with; a shell may have something to say before it, and after it."""

_GREETING = f"""\
import json, os, tcray
print({ANSWER!r} + json.dumps([tcray.__version__, os.environ.get("TCRAY_STORE", "")]))"""

_REACHED_BY = ("cluster_name", "provider", "auth", "docker")
"""What of a cluster file tells the way to its head."""


@dataclass(frozen=True, slots=True)
class HeadInfo:
    """What a head tells of itself."""

    store: str
    """That Ray's environment there names; empty where it names none."""
    other_version: str = ""
    """A sentence, where tcray there is of another version than here."""


@dataclass(frozen=True)
class Head:
    """The head of the cluster of a file; `greet` tells whether anything can be done there."""

    cluster: str
    """The cluster file, as its user names it."""
    launcher: Launcher
    port: str = PORT
    """Where its Ray listens."""

    @classmethod
    def of(cls, cluster: str) -> Head:
        """The head of the cluster of a file, however sound that is otherwise: what runs can be watched and stopped.

        Raises InputError where the file does not tell the way, or its cluster is not up.
        """
        file = load_cluster_file(cluster)
        wanting = [problem for problem in file.unfilled if re.split(r"[.\[]", problem.path)[0] in _REACHED_BY]
        lacking = [key for key in ("cluster_name", "provider") if not file.value(key)]
        wanting += [file.root.problem(f"no {key}, without which nobody finds the head") for key in lacking]
        if wanting:
            raise ConfigError(cluster, wanting)
        return cls(cluster, RayLauncher.of(file), _port(file))

    def greet(self) -> HeadInfo:
        """What the head tells of itself. Raises InputError where nobody answers, no Ray runs, or there is no tcray."""
        ended = self._run("python3", "-c", _GREETING)
        answer, last = _answer(ended.stdout), last_line(ended.stderr) or "it says nothing"
        up = f"Bring it up: ray up {shlex.quote(self.cluster)}"
        if ended.returncode == _NO_ANSWER:
            raise InputError(f"{self} does not answer: {last}", f"{up}; or correct what the file says of auth.")
        if ended.returncode == _NO_RAY:
            raise InputError(f"{self} runs no Ray", up)
        if ended.returncode or answer is None:
            raise InputError(f"{self} has no tcray: {last}", f"Its setup commands or its image have to bring {_THIS}.")
        self.launcher.note_up()
        version, store = json.loads(answer)
        different = f"{self} has tcray {version}, and this machine {__version__}"
        return HeadInfo(store, "" if version == __version__ else different)

    def ask(self, *command: str) -> str:
        """What a command answers there. Raises InputError or SweepError with what it complains of, where it fails."""
        ended = self._run(*command)
        answer = _answer(ended.stdout)
        if ended.returncode == 0 and answer is not None:
            return answer
        *before, said = re.split(r"^Error: ", ended.stderr.strip(), flags=re.MULTILINE)
        message, _, remedy = said.partition("\n") if before else (last_line(said), "", "")
        kind = InputError if before and ended.returncode == InputError.exit_code else SweepError
        raise kind(message or f"{self} ended with exit code {ended.returncode}, and no answer", remedy)

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Starts a command there that prints to this terminal, whose Ctrl-C it does not hear of."""
        return subprocess.Popen(self._said(*command), stdin=subprocess.DEVNULL, start_new_session=True)

    def say(self, *command: str) -> int:
        """Has a command print to this terminal, to its end; the exit code it ends with.

        Ctrl-C ends it here, and there as soon as it prints again. Raises SweepError where the connection breaks.
        """
        with self.start(*command) as process:
            try:
                code = process.wait()
            except KeyboardInterrupt:
                hang_up(process)
                raise
        if code in (_NO_RAY, _NO_ANSWER):
            raise SweepError(f"{self} is no longer heard of", "Say the command again.")
        return code

    def send(self, files: Mapping[str, Path]) -> None:
        """Sends files, by their paths below `WORK`; only what changed goes over the wire.

        Raises SweepError where that fails.
        """
        with tempfile.TemporaryDirectory(prefix="tcray-") as temporary:
            folder = Path(temporary) / "work"
            for path, source in files.items():
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
            self.launcher.send(folder, WORK)

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._said(*command),
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )

    def _said(self, *command: str) -> list[str]:
        return self.launcher.command(_AS_RAY.format(port=self.port) + _AT_WORK + shlex.join(command))

    def __str__(self) -> str:
        """As messages name it."""
        return f"the head of {self.cluster} ({self.launcher.address})"


def hang_up(process: subprocess.Popen[bytes]) -> None:
    """Listens no longer to what was started on a head; it ends there when it next prints, if it prints."""
    process.terminate()
    process.wait()


_THIS = f"tcray {__version__}"


def _answer(printed: str) -> str | None:
    _, found, after = printed.partition(ANSWER)
    return after.partition("\n")[0] if found else None


def _port(file: ClusterFile) -> str:
    said = re.search(r"\s--port[= ](\d+)", "\n".join(file.texts("head_start_ray_commands")))
    return said[1] if said else PORT
