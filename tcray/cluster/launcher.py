"""The way to the head of a cluster: Ray's launcher, its provider, its ssh, and the container it speaks into."""

from __future__ import annotations

import contextlib
import io
import logging
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tcray.cluster.cluster_file import ClusterFile
from tcray.errors import InputError, SweepError, TcrayError

ANSWER_SECONDS = 10
"""How long the head may take to let somebody in; Ray itself would wait for two minutes."""


class Launcher(Protocol):
    """A way to the head of a cluster."""

    @property
    def address(self) -> str:
        """Where the head is."""

    def command(self, script: str) -> list[str]:
        """The command of this machine that has bash do what `script` says on the head."""

    def send(self, folder: Path, target: str) -> None:
        """Sends what is in a folder of this machine into the folder `target` of the head, as far as it has changed."""

    def note_up(self) -> None:
        """Notes on this machine that the head is up."""


@dataclass(frozen=True)
class RayLauncher:
    """The way that `ray exec` and `ray rsync-up` take."""

    path: str
    address: str
    _node: str
    _config: dict[str, Any]
    _provider: Any

    @classmethod
    def of(cls, cluster: ClusterFile) -> RayLauncher:
        """The way to the head of the cluster of a file. Raises InputError where it is not up, as far as is known."""
        with _in_a_sentence(cluster.path):
            from ray.autoscaler._private.command_runner import set_using_login_shells
            from ray.autoscaler._private.providers import _get_node_provider
            from ray.autoscaler.sdk import bootstrap_config

            logging.getLogger("ray.autoscaler").setLevel(logging.ERROR)
            set_using_login_shells(False)  # they would have a terminal each, and print to it both streams as one
            said = dict(cluster.config)
            provider = _get_node_provider(said["provider"], said["cluster_name"])
            node = _head_of(cluster, provider)
            config = bootstrap_config(said)
            inside = _by_internal_address(config["provider"])
            address = provider.internal_ip(node) if inside else provider.external_ip(node)
            return cls(cluster.path, address, node, config, provider)

    def command(self, script: str) -> list[str]:
        """The command of this machine that has bash do what `script` says on the head."""
        clerk = CommandRecorder()
        with _in_a_sentence(self.path):
            # Wherever the launcher finds `~/`, in whatever quotes, it puts the home of the container there.
            quoted = shlex.quote(script).replace("~/", "~''/")
            self._runner(clerk).run(f"bash -c {quoted}", timeout=ANSWER_SECONDS)
        return clerk.command

    def send(self, folder: Path, target: str) -> None:
        """Sends what is in a folder of this machine into the folder `target` of the head, as far as it has changed.

        Raises SweepError where that fails.
        """
        with _in_a_sentence(self.path):
            self._runner(SubprocessAdapter()).run_rsync_up(f"{folder}/", f"{target}/")

    def note_up(self) -> None:
        """Notes on this machine that the head is up, as `ray up` does, for `ray rsync-down` and `ray down` to find it.

        What Ray's provider of one's own hosts knows is in a temporary folder, and gone once the machine is booted.
        """
        from ray.autoscaler._private.local.node_provider import LocalNodeProvider, record_local_head_state_if_needed

        if isinstance(self._provider, LocalNodeProvider):
            record_local_head_state_if_needed(self._provider)

    def _runner(self, processes: SubprocessAdapter) -> Any:
        config = self._config
        inside = _by_internal_address(config["provider"])
        return self._provider.get_command_runner(
            "", self._node, config["auth"], config["cluster_name"], processes, inside, config.get("docker")
        )


class SubprocessAdapter:
    """Stands in for the module `subprocess` in Ray's command runners, which print what they call and how it fails."""

    DEVNULL = subprocess.DEVNULL

    def check_call(self, command: Sequence[str], **_: object) -> None:
        """Runs a command to its end."""
        self.check_output(command)

    def check_output(self, command: Sequence[str]) -> bytes:
        """What a command prints. Raises SweepError with the first thing it complained of, where it fails."""
        ended = subprocess.run(
            command, check=False, stdin=subprocess.DEVNULL, capture_output=True, start_new_session=True
        )
        if ended.returncode:
            complaints = ended.stderr.decode(errors="replace").strip().splitlines()
            first = next((line for line in complaints if not line.startswith("Warning: ")), f"exit {ended.returncode}")
            raise SweepError(f"{command[0]} to the head failed: {first}", "Nothing was started there.")
        return ended.stdout


class CommandRecorder(SubprocessAdapter):
    """Takes down the command that says it all, instead of running it."""

    command: list[str]

    def check_call(self, command: Sequence[str], **_: object) -> None:
        """Takes the command down, for ssh to say only what went wrong."""
        program, *arguments = command
        self.command = [program, "-o", "LogLevel=ERROR", *arguments]


def _head_of(cluster: ClusterFile, provider: Any) -> str:
    """The provider's name for the head."""
    from ray.autoscaler.tags import NODE_KIND_HEAD, TAG_RAY_NODE_KIND

    if cluster.is_local and (address := cluster.text_at("provider", "head_ip")):
        return address  # the provider knows only of a `ray up` on this machine since it was booted
    found = provider.non_terminated_nodes({TAG_RAY_NODE_KIND: NODE_KIND_HEAD})
    if not found:
        raise InputError(f"the cluster of {cluster.path} is not up", f"Bring it up: ray up {shlex.quote(cluster.path)}")
    return str(found[0])


def _by_internal_address(provider: dict[str, Any]) -> bool:
    """Whether the launcher reaches the head by its internal address."""
    return bool(provider.get("use_internal_ips")) and not provider.get("use_external_head_ip")


@contextlib.contextmanager
def _in_a_sentence(path: str) -> Iterator[None]:
    """Keeps what the launcher prints from the terminal, and tells in a sentence what keeps it from its work."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    except TcrayError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{error.filename} is not installed on this machine", "Ray's launcher needs it.") from error
    except ImportError as error:
        raise InputError(f"{path}: {last_line(str(error))}", "For AWS: pip install 'tcray[cluster]'") from error
    except Exception as error:
        reason = last_line(str(error)) or type(error).__name__
        raise InputError(
            f"{path}: Ray's launcher does not find the head: {reason}", f"Try `ray exec {shlex.quote(path)} uptime`."
        ) from error


def last_line(text: str) -> str:
    """The last line that says something; empty where none does."""
    return next(iter(text.strip().splitlines()[-1:]), "")
