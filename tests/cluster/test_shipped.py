"""The cluster files of this repository: what they tell their user, and what their commands do on a machine."""

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
echo "ray $*" >> "$HOME/said"
[ "$1" = start ] && env | grep -E '^(RAY|CUDA)_' | sort >> "$HOME/said"
true
"""
MPS = """\
#!/usr/bin/env bash
echo "nvidia-cuda-mps-control $*, by $CUDA_MPS_PIPE_DIRECTORY" >> "$HOME/said"
exit {code}
"""
PYTHON = """\
#!/usr/bin/env bash
echo "python3 $*" >> "$HOME/said"
[ "$2" = venv ] && mkdir -p "$3/bin" && cp "$0" "$3/bin/python"
true
"""

RUN = """\
#!/usr/bin/env bash
exec "$@"
"""
NOTE = """\
#!/usr/bin/env bash
echo "${0##*/} $*" >> "$HOME/said"
"""
LOOK = """\
#!/usr/bin/env bash
read -r runs later < "$HOME/runs"
echo "$later" > "$HOME/runs"
echo "$runs" >> "$HOME/said"
[ "$runs" = yes ]
"""

Say = Callable[..., list[str]]


@pytest.fixture
def say(tmp_path: Path) -> Say:
    """Says a command on a bare machine with some programs on its PATH; what these programs noted."""
    (tmp_path / "bin").mkdir()

    def say(command: str, **programs: str) -> list[str]:
        said = tmp_path / "said"
        said.write_text("")
        for name, script in programs.items():
            program = tmp_path / "bin" / name.replace("_", "-")
            program.write_text(script)
            program.chmod(0o755)
        environment = {"HOME": str(tmp_path), "PATH": f"{tmp_path}/bin:/usr/bin:/bin", "RAY_HEAD_IP": "10.0.0.1"}
        subprocess.run(["bash", "-c", command], env=environment, check=True, capture_output=True, cwd=tmp_path)
        return said.read_text().splitlines()

    return say


def commands(name: str, key: str) -> list[str]:
    """The commands of a shipped file."""
    return load_cluster_file(str(FOLDER / f"{name}.yaml")).strings(key)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_opens_with_the_commands_that_use_it(path: Path) -> None:
    """Up, sweep, watch, results, down, each with the path of the file; then what it costs to forget the last."""
    opening, _, _ = path.read_text(encoding="utf-8").partition("\ncluster_name:")
    said = [line[1:].partition("  # ")[0].strip() for line in opening.splitlines()]
    name = f"cluster/{path.name}"
    used = [line for line in said if re.match(r"(ray|tcray) ", line)]
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


def test_what_is_sent_to_ones_own_machines_is_in_this_repository() -> None:
    """And all that an installation reads."""
    mounts = load_cluster_file(str(FOLDER / "onprem.yaml")).mapping("file_mounts")
    here = [local for there, local in mounts.items() if there.startswith("~/.tcray/source/")]
    assert [path for path in here if not (FOLDER.parent / path).exists()] == []
    assert {"tcray", "sweeps", "pyproject.toml", "README.md", "LICENSE", "constraints.txt"} == set(here)


def test_a_head_of_ones_own_asks_for_the_token_and_soon_misses_a_machine(say: Say) -> None:
    """Its environment tells Ray so; its dashboard is for itself, and its address the one that ssh came to."""
    *_, start = commands("onprem", "head_start_ray_commands")
    started, *environment = say(f"export SSH_CONNECTION='10.0.0.9 50000 10.0.0.1 22'; {start}", ray=RAY)
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


def test_a_worker_of_ones_own_brings_the_token(say: Say) -> None:
    """To the head whose address it was told."""
    *_, start = commands("onprem", "worker_start_ray_commands")
    assert say(start, ray=RAY) == ["ray start --address=10.0.0.1:6379", "RAY_AUTH_MODE=token", "RAY_HEAD_IP=10.0.0.1"]


@pytest.mark.parametrize("code", [0, 1])
@pytest.mark.parametrize(
    ("name", "key", "folder"),
    [
        ("onprem", "head_start_ray_commands", f"tcray-mps-{os.getuid()}"),
        ("onprem", "worker_start_ray_commands", f"tcray-mps-{os.getuid()}"),
        ("gpu", "worker_start_ray_commands", "mps"),
    ],
)
def test_mps_is_there_before_ray_is(say: Say, tmp_path: Path, name: str, key: str, folder: str, code: int) -> None:
    """Where it is installed; Ray's workers know where. One that runs already, and so does not start, is as good."""
    *_, start = commands(name, key)
    there = f"{tmp_path}/{folder}"
    programs = {"ray": RAY, "nvidia_cuda_mps_control": MPS.format(code=code)}
    daemon, started, *environment = say(start.replace("/tmp/", f"{tmp_path}/"), **programs)  # noqa: S108
    assert daemon == f"nvidia-cuda-mps-control -d, by {there}"
    assert started.startswith("ray start ")
    assert environment[:2] == [f"CUDA_MPS_LOG_DIRECTORY={there}", f"CUDA_MPS_PIPE_DIRECTORY={there}"]


def test_without_mps_ray_starts_all_the_same(say: Say) -> None:
    """And nothing speaks of it."""
    *_, start = commands("gpu", "worker_start_ray_commands")
    assert say(start, ray=RAY) == ["ray start --address=10.0.0.1:6379", "RAY_HEAD_IP=10.0.0.1"]


def test_a_machine_on_which_no_ray_runs_ends_itself(say: Say, tmp_path: Path) -> None:
    """Not while Ray is still being brought up, nor while it is started anew; workers of both types."""
    types = load_cluster_file(str(FOLDER / "gpu.yaml")).config["available_node_types"]
    one, other = (types[kind]["node_config"] for kind in ("gpu", "gpus"))
    assert one["UserData"] == other["UserData"]
    assert "terminate" == one["InstanceInitiatedShutdownBehavior"] == other["InstanceInitiatedShutdownBehavior"]
    (tmp_path / "runs").write_text("yes no yes no no")
    assert say(one["UserData"], systemd_run=RUN, pgrep=LOOK, sleep=NOTE, systemctl=NOTE) == [
        *("sleep 20m", "yes", "sleep 1m"),
        *("no", "sleep 3m", "yes", "sleep 1m"),
        *("no", "sleep 3m", "no", "systemctl poweroff"),
    ]


def test_a_machine_that_has_this_version_is_left_as_it_is(say: Say, source: Path) -> None:
    """Whatever environment it has it in."""
    _, install = commands("onprem", "setup_commands")
    assert say(install, tcray=f"#!/bin/sh\necho tcray, version {__version__}\n", python3=PYTHON) == []
    assert not (source.parent / "venv").exists()


@pytest.mark.parametrize("there", ["", "#!/bin/sh\necho tcray, version 0.0.9\n"], ids=["none", "older"])
def test_a_machine_without_this_version_gets_it_in_a_place_of_its_own(say: Say, source: Path, there: str) -> None:
    """And on the PATH of every later command, once; it is made anew only where what is pinned has changed."""
    _, install = commands("onprem", "setup_commands")
    programs = {"tcray": there} if there else {}
    home = source.parent.parent
    made = [
        "python3 -m venv venv",
        "python3 -m pip install --quiet --constraint source/constraints.txt --editable ./source[cluster]",
    ]
    assert made == say(install, python3=PYTHON, **programs)
    assert [] == say(install, python3=PYTHON, **programs)
    (source / "constraints.txt").write_text("ray==2.61.0\n")
    assert made == say(install, python3=PYTHON, **programs)
    assert (home / ".bashrc").read_text() == 'export PATH="$HOME/.tcray/venv/bin:$PATH"\n'


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """What the launcher has sent to the machine."""
    source = tmp_path / ".tcray" / "source"
    (source / "tcray").mkdir(parents=True)
    for name in ("tcray/version.py", "constraints.txt", "pyproject.toml"):
        (source / name).write_text((FOLDER.parent / name).read_text())
    return source


def test_a_machine_of_ones_own_hides_the_token_from_others(say: Say, tmp_path: Path) -> None:
    """And has a folder for what is sent there."""
    first, _ = commands("onprem", "setup_commands")
    token = tmp_path / ".ray" / "auth_token"
    token.parent.mkdir()
    token.touch(mode=0o644)
    say(first)
    assert (token.stat().st_mode & 0o777, (tmp_path / "tcray-work").is_dir()) == (0o600, True)
