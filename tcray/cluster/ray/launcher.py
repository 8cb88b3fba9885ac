"""Access to the head of a cluster through Ray's launcher: node provider, ssh, rsync, docker."""

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

CONNECT_SECONDS = 10
"""Connection timeout of ssh; Ray's own is two minutes."""


class Launcher(Protocol):
    """Access to the head of a cluster."""

    @property
    def address(self) -> str:
        """Return the address of the head."""

    def command(self, script: str) -> list[str]:
        """Return the local command that runs the bash script `script` on the head."""

    def upload(self, folder: Path, target: str) -> None:
        """Copy what changed in the local `folder` into the folder `target` of the head."""

    def record_up(self) -> None:
        """Record on this machine that the head is up."""


@dataclass(frozen=True)
class RayLauncher:
    """Access to the head as `ray exec` and `ray rsync-up` have it."""

    path: str
    address: str
    _node: str
    _config: dict[str, Any]
    _provider: Any

    @classmethod
    def from_file(cls, cluster: ClusterFile) -> RayLauncher:
        """Return the launcher of the file's cluster. Raise InputError if the cluster is not known to be up."""
        with _translate_errors(cluster.path):
            from ray.autoscaler._private.command_runner import set_using_login_shells
            from ray.autoscaler._private.providers import _get_node_provider
            from ray.autoscaler.sdk import bootstrap_config

            logging.getLogger("ray.autoscaler").setLevel(logging.ERROR)
            set_using_login_shells(False)  # a login shell has a terminal, which merges stdout and stderr
            raw = dict(cluster.config)
            provider = _get_node_provider(raw["provider"], raw["cluster_name"])
            node = _find_head(cluster, provider)
            config = bootstrap_config(raw)
            internal = _uses_internal_address(config["provider"])
            address = provider.internal_ip(node) if internal else provider.external_ip(node)
            return cls(cluster.path, address, node, config, provider)

    def command(self, script: str) -> list[str]:
        """Return the local command that runs the bash script `script` on the head."""
        recorder = CommandRecorder()
        with _translate_errors(self.path):
            # The launcher replaces every `~/`, even inside quotes, by the container's home.
            quoted = shlex.quote(script).replace("~/", "~''/")
            self._runner(recorder).run(f"bash -c {quoted}", timeout=CONNECT_SECONDS)
        return recorder.command

    def upload(self, folder: Path, target: str) -> None:
        """Copy what changed in the local `folder` into the folder `target` of the head.

        Raises SweepError if rsync fails.
        """
        with _translate_errors(self.path):
            self._runner(SubprocessAdapter()).run_rsync_up(f"{folder}/", f"{target}/")

    def record_up(self) -> None:
        """Record on this machine that the head is up, as `ray up` does, for `ray rsync-down` and `ray down`.

        Ray's provider for on-premises hosts keeps this state in a temporary folder, which is lost at a reboot.
        """
        from ray.autoscaler._private.local.node_provider import LocalNodeProvider, record_local_head_state_if_needed

        if isinstance(self._provider, LocalNodeProvider):
            record_local_head_state_if_needed(self._provider)

    def _runner(self, processes: SubprocessAdapter) -> Any:
        config = self._config
        internal = _uses_internal_address(config["provider"])
        return self._provider.get_command_runner(
            "", self._node, config["auth"], config["cluster_name"], processes, internal, config.get("docker")
        )


class SubprocessAdapter:
    """Replacement for the `subprocess` module in Ray's command runners, which would print commands and failures."""

    DEVNULL = subprocess.DEVNULL

    def check_call(self, command: Sequence[str], **_: object) -> None:
        """Run a command to its end."""
        self.check_output(command)

    def check_output(self, command: Sequence[str]) -> bytes:
        """Return what a command prints. Raise SweepError with the first line of its stderr if it fails."""
        ended = subprocess.run(
            command, check=False, stdin=subprocess.DEVNULL, capture_output=True, start_new_session=True
        )
        if ended.returncode:
            errors = ended.stderr.decode(errors="replace").strip().splitlines()
            first = next((line for line in errors if not line.startswith("Warning: ")), f"exit {ended.returncode}")
            raise SweepError(f"{command[0]} to the head failed: {first}", "Nothing was started there.")
        return ended.stdout


class CommandRecorder(SubprocessAdapter):
    """Replacement for `subprocess` that records the command instead of running it."""

    command: list[str]

    def check_call(self, command: Sequence[str], **_: object) -> None:
        """Record the command; ssh is to print errors only."""
        program, *arguments = command
        self.command = [program, "-o", "LogLevel=ERROR", *arguments]


def _find_head(cluster: ClusterFile, provider: Any) -> str:
    """Return the provider's id of the head."""
    from ray.autoscaler.tags import NODE_KIND_HEAD, TAG_RAY_NODE_KIND

    if cluster.is_local and (address := cluster.string("provider", "head_ip")):
        return address  # the provider only remembers a `ray up` on this machine since its last reboot
    found = provider.non_terminated_nodes({TAG_RAY_NODE_KIND: NODE_KIND_HEAD})
    if not found:
        raise InputError(f"the cluster of {cluster.path} is not up", f"Start it: ray up {shlex.quote(cluster.path)}")
    return str(found[0])


def _uses_internal_address(provider: dict[str, Any]) -> bool:
    """True if the launcher reaches the head by its internal address."""
    return bool(provider.get("use_internal_ips")) and not provider.get("use_external_head_ip")


@contextlib.contextmanager
def _translate_errors(path: str) -> Iterator[None]:
    """Context manager: hide what the launcher prints, and raise its failures as InputError with one sentence."""
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
    """Return the last line that is not empty; an empty string if there is none."""
    return next(iter(text.strip().splitlines()[-1:]), "")
