"""Tests of the cluster files of this repository: their opening comments, and the effect of their commands."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tcray.cluster.cluster_file import load_cluster_file
from tcray.version import __version__
from tests.cluster.factories import FILES, FOLDER

RAY = """\
#!/usr/bin/env bash
echo "ray $*" >> "$HOME/log"
[ "$1" = start ] && env | grep -E '^(RAY|CUDA)_' | sort >> "$HOME/log"
true
"""
MPS = """\
#!/usr/bin/env bash
echo "nvidia-cuda-mps-control $*, by $CUDA_MPS_PIPE_DIRECTORY" >> "$HOME/log"
exit {code}
"""
PYTHON = """\
#!/usr/bin/env bash
echo "python3 $*" >> "$HOME/log"
[ "$2" = venv ] && mkdir -p "$3/bin" && cp "$0" "$3/bin/python"
true
"""

RUN = """\
#!/usr/bin/env bash
exec "$@"
"""
NOTE = """\
#!/usr/bin/env bash
echo "${0##*/} $*" >> "$HOME/log"
"""
LOOK = """\
#!/usr/bin/env bash
read -r runs later < "$HOME/runs"
echo "$later" > "$HOME/runs"
echo "$runs" >> "$HOME/log"
[ "$runs" = yes ]
"""

RunCommand = Callable[..., list[str]]


@pytest.fixture
def run_command(tmp_path: Path) -> RunCommand:
    """Return a function that runs a command on a bare machine with fake programs on PATH, and returns their log."""
    (tmp_path / "bin").mkdir()

    def run_command(command: str, **programs: str) -> list[str]:
        log = tmp_path / "log"
        log.write_text("")
        for name, script in programs.items():
            program = tmp_path / "bin" / name.replace("_", "-")
            program.write_text(script)
            program.chmod(0o755)
        environment = {"HOME": str(tmp_path), "PATH": f"{tmp_path}/bin:/usr/bin:/bin", "RAY_HEAD_IP": "10.0.0.1"}
        subprocess.run(["bash", "-c", command], env=environment, check=True, capture_output=True, cwd=tmp_path)
        return log.read_text().splitlines()

    return run_command


def commands(name: str, key: str) -> list[str]:
    """Return the commands of a shipped file."""
    return load_cluster_file(str(FOLDER / f"{name}.yaml")).strings(key)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_file_opens_with_the_commands_that_use_it(path: Path) -> None:
    """It lists up, sweep, watch, results and down with the path of the file, then the cost of forgetting down."""
    opening, _, _ = path.read_text(encoding="utf-8").partition("\ncluster_name:")
    lines = [line[1:].partition("  # ")[0].strip() for line in opening.splitlines()]
    name = f"cluster/{path.name}"
    used = [line for line in lines if re.match(r"(ray|tcray) ", line)]
    wanted = [
        f"tcray cluster check {name}",
        f"ray up -y {name}",
        f"tcray sweep sweeps/rank.yaml --cluster {name} --detach",
        f"tcray status rank --follow --cluster {name}",
        "tcray results rank",
        f"ray down -y {name}",
    ]
    places = [next(i for i, line in enumerate(used) if line.startswith(command)) for command in wanted]
    assert places == sorted(places)
    assert "Forgetting the last costs" in opening


def test_files_for_on_premises_machines_exist() -> None:
    """Everything that an installation reads is uploaded."""
    mounts = load_cluster_file(str(FOLDER / "onprem.yaml")).mapping("file_mounts")
    here = [local for there, local in mounts.items() if there.startswith("~/.tcray/source/")]
    assert [path for path in here if not (FOLDER.parent / path).exists()] == []
    assert {"tcray", "sweeps", "pyproject.toml", "README.md", "LICENSE", "constraints.txt"} == set(here)


def test_an_on_premises_head_requires_the_token_and_detects_lost_machines_soon(run_command: RunCommand) -> None:
    """Its environment sets both; its dashboard is local, and its address is the one of the ssh connection."""
    *_, start = commands("onprem", "head_start_ray_commands")
    started, *environment = run_command(f"export SSH_CONNECTION='10.0.0.9 50000 10.0.0.1 22'; {start}", ray=RAY)
    assert shlex.split(started) == [
        *("ray", "start", "--head", "--node-ip-address=10.0.0.1", "--port=6379", "--dashboard-host=127.0.0.1"),
        *("--disable-usage-stats", "--autoscaling-config=~/ray_bootstrap_config.yaml"),
    ]
    assert environment == [
        "RAY_AUTH_MODE=token",
        "RAY_HEAD_IP=10.0.0.1",
        "RAY_enable_autoscaler_v2=0",
        "RAY_health_check_failure_threshold=5",
        "RAY_health_check_period_ms=2000",
        "RAY_health_check_timeout_ms=5000",
    ]


def test_an_on_premises_worker_uses_the_token(run_command: RunCommand) -> None:
    """It connects to the address in RAY_HEAD_IP."""
    *_, start = commands("onprem", "worker_start_ray_commands")
    assert run_command(start, ray=RAY) == [
        "ray start --address=10.0.0.1:6379",
        "RAY_AUTH_MODE=token",
        "RAY_HEAD_IP=10.0.0.1",
    ]


@pytest.mark.parametrize("code", [0, 1])
@pytest.mark.parametrize(
    ("name", "key", "folder"),
    [
        ("onprem", "head_start_ray_commands", f"tcray-mps-{os.getuid()}"),
        ("onprem", "worker_start_ray_commands", f"tcray-mps-{os.getuid()}"),
        ("gpu", "worker_start_ray_commands", "mps"),
    ],
)
def test_mps_is_started_before_ray(
    run_command: RunCommand, tmp_path: Path, name: str, key: str, folder: str, code: int
) -> None:
    """If MPS is installed, Ray's workers inherit its folders; a daemon that already runs is reused."""
    *_, start = commands(name, key)
    there = f"{tmp_path}/{folder}"
    programs = {"ray": RAY, "nvidia_cuda_mps_control": MPS.format(code=code)}
    daemon, started, *environment = run_command(start.replace("/tmp/", f"{tmp_path}/"), **programs)  # noqa: S108
    assert daemon == f"nvidia-cuda-mps-control -d, by {there}"
    assert started.startswith("ray start ")
    assert environment[:2] == [f"CUDA_MPS_LOG_DIRECTORY={there}", f"CUDA_MPS_PIPE_DIRECTORY={there}"]


def test_ray_starts_without_mps(run_command: RunCommand) -> None:
    """No variable of MPS is set."""
    *_, start = commands("gpu", "worker_start_ray_commands")
    assert run_command(start, ray=RAY) == ["ray start --address=10.0.0.1:6379", "RAY_HEAD_IP=10.0.0.1"]


def test_a_machine_without_ray_shuts_down(run_command: RunCommand, tmp_path: Path) -> None:
    """Workers of both types wait while Ray is started or restarted."""
    types = load_cluster_file(str(FOLDER / "gpu.yaml")).config["available_node_types"]
    one, other = (types[kind]["node_config"] for kind in ("gpu", "gpus"))
    assert one["UserData"] == other["UserData"]
    assert "terminate" == one["InstanceInitiatedShutdownBehavior"] == other["InstanceInitiatedShutdownBehavior"]
    (tmp_path / "runs").write_text("yes no yes no no")
    assert run_command(one["UserData"], systemd_run=RUN, pgrep=LOOK, sleep=NOTE, systemctl=NOTE) == [
        *("sleep 20m", "yes", "sleep 1m"),
        *("no", "sleep 3m", "yes", "sleep 1m"),
        *("no", "sleep 3m", "no", "systemctl poweroff"),
    ]


def test_a_machine_with_this_version_is_not_changed(run_command: RunCommand, source: Path) -> None:
    """Nothing is installed, independently of the environment that contains tcray."""
    _, install = commands("onprem", "setup_commands")
    assert run_command(install, tcray=f"#!/bin/sh\necho tcray, version {__version__}\n", python3=PYTHON) == []
    assert not (source.parent / "venv").exists()


@pytest.mark.parametrize("there", ["", "#!/bin/sh\necho tcray, version 0.0.9\n"], ids=["none", "older"])
def test_a_machine_without_this_version_gets_a_separate_environment(
    run_command: RunCommand, source: Path, there: str
) -> None:
    """It is added to PATH once, and is created again only if the pinned versions change."""
    _, install = commands("onprem", "setup_commands")
    programs = {"tcray": there} if there else {}
    home = source.parent.parent
    made = [
        "python3 -m venv venv",
        "python3 -m pip install --quiet --constraint source/constraints.txt --editable ./source[cluster]",
    ]
    assert made == run_command(install, python3=PYTHON, **programs)
    assert [] == run_command(install, python3=PYTHON, **programs)
    (source / "constraints.txt").write_text("ray==2.61.0\n")
    assert made == run_command(install, python3=PYTHON, **programs)
    assert (home / ".bashrc").read_text() == 'export PATH="$HOME/.tcray/venv/bin:$PATH"\n'


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Write the files that the launcher uploads to the machine; return their folder."""
    source = tmp_path / ".tcray" / "source"
    (source / "tcray").mkdir(parents=True)
    for name in ("tcray/version.py", "constraints.txt", "pyproject.toml"):
        (source / name).write_text((FOLDER.parent / name).read_text())
    return source


def test_an_on_premises_machine_protects_the_token(run_command: RunCommand, tmp_path: Path) -> None:
    """Only its owner can read it; the work folder is created."""
    first, _ = commands("onprem", "setup_commands")
    token = tmp_path / ".ray" / "auth_token"
    token.parent.mkdir()
    token.touch(mode=0o644)
    run_command(first)
    assert (token.stat().st_mode & 0o777, (tmp_path / "tcray-work").is_dir()) == (0o600, True)
