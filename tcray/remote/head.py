"""The head node of a running cluster: commands are said there, and files are sent there."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tcray import __version__
from tcray.errors import InputError, SweepError
from tcray.remote.check import expect_sound
from tcray.remote.cluster_file import load_cluster_file
from tcray.remote.launcher import Launcher, RayLauncher

WORK = "~/tcray-work"
"""The folder of the head in which everything is said, and to which everything is sent."""

_NO_RAY, _NO_ANSWER = 69, 255
"""Exit codes: of the script below, and of ssh."""

AS_RAY = f"""\
gcs=$(grep -lsx gcs_server /proc/[0-9]*/comm | head -n 1)
[ -n "$gcs" ] || exit {_NO_RAY}
while IFS= read -r -d '' variable; do export "$variable"; done < "${{gcs%comm}}environ" 2> /dev/null
unset LD_PRELOAD
"""
"""Takes over the environment of Ray's head process: no other shell knows what the file's start commands set."""

_AT_WORK = f'mkdir -p "$HOME/{WORK[2:]}" && cd "$HOME/{WORK[2:]}" && exec '

_GREETING = 'import os, tcray; print(tcray.__version__, os.environ.get("TCRAY_STORE", ""), sep="\\n")'


@dataclass(frozen=True)
class Head:
    """The head of the cluster of a file; `greet` tells whether anything can be done there."""

    cluster: str
    """The cluster file, as its user names it."""
    launcher: Launcher

    @classmethod
    def of(cls, cluster: str) -> Head:
        """The head of the cluster of a file. Raises InputError where the file is wrong or its cluster is not up."""
        file = load_cluster_file(cluster)
        expect_sound(file)
        file.expect_filled()
        return cls(cluster, RayLauncher.of(file))

    def greet(self) -> str:
        """The store that Ray's environment there names; empty where it names none.

        Raises InputError where nobody answers, no Ray runs, or there is no tcray of this version.
        """
        ended = self._run("python3", "-c", _GREETING)
        last = _last_line(ended.stderr)
        up = f"Bring it up: ray up {shlex.quote(self.cluster)}"
        if ended.returncode == _NO_ANSWER:
            raise InputError(f"{self} does not answer: {last}", f"{up}; or correct what the file says of auth.")
        if ended.returncode == _NO_RAY:
            raise InputError(f"{self} runs no Ray", up)
        if ended.returncode:
            raise InputError(f"{self} has no tcray: {last}", f"Its setup commands or its image have to bring {_THIS}.")
        *_, version, store = ended.stdout.splitlines()  # a shell may have something to say first
        if version != __version__:
            raise InputError(
                f"{self} has tcray {version}, and this machine {__version__}",
                "The version has to be the same: install one of them on both.",
            )
        self.launcher.note_up()
        return store

    def ask(self, *command: str) -> str:
        """What a command prints there. Raises InputError or SweepError with what it complains of, where it fails."""
        ended = self._run(*command)
        if ended.returncode == 0:
            return ended.stdout
        message, _, remedy = ended.stderr.strip().removeprefix("Error: ").partition("\n")
        kind = InputError if ended.returncode == InputError.exit_code else SweepError
        raise kind(message or f"{self} ended with exit code {ended.returncode}", remedy)

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
        return self.launcher.command(AS_RAY + _AT_WORK + shlex.join(command))

    def __str__(self) -> str:
        """As messages name it."""
        return f"the head of {self.cluster} ({self.launcher.address})"


def hang_up(process: subprocess.Popen[bytes]) -> None:
    """Listens no longer to what was started on a head; it ends there when it next prints, if it prints."""
    process.terminate()
    process.wait()


_THIS = f"tcray {__version__}"


def _last_line(text: str) -> str:
    return next(iter(text.strip().splitlines()[-1:]), "it says nothing")
