"""Shell commands in messages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tcray.config.commands import format_command


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an environment's scripts, which is not on the PATH, below the working directory."""
    scripts = tmp_path / "env" / "bin"
    scripts.mkdir(parents=True)
    for name in ("tcray", "tensorboard", "python"):
        (scripts / name).write_text("#!/bin/sh\n")
        (scripts / name).chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(scripts / "python"))
    monkeypatch.setattr(sys, "argv", [str(scripts / "tcray")])
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(scripts))
    monkeypatch.setenv("PATH", os.defpath)
    return scripts


def test_a_program_on_the_path_is_named_alone(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The arguments are quoted for the shell."""
    monkeypatch.setenv("PATH", str(environment))
    assert format_command("tcray", "results", "rank-1", "--store", "my store") == (
        "tcray results rank-1 --store 'my store'"
    )
    assert format_command("tensorboard", "--logdir", "comparisons") == "tensorboard --logdir comparisons"


def test_a_program_off_the_path_is_named_by_its_shortest_path(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path is relative to the working directory if that is shorter, and always contains a slash."""
    assert format_command("tcray", "status") == "env/bin/tcray status"
    assert format_command("tensorboard", "--logdir", "x") == "env/bin/tensorboard --logdir x"
    monkeypatch.chdir(environment)
    assert format_command("tcray", "status") == "./tcray status"
    far = Path("/")
    monkeypatch.chdir(far)
    assert format_command("tcray", "status") == f"{str(environment).lstrip('/')}/tcray status"


def test_a_program_of_another_environment_on_the_path_is_not_meant(
    environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bare name would start the other one."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "tcray").write_text("#!/bin/sh\n")
    (other / "tcray").chmod(0o755)
    monkeypatch.setenv("PATH", str(other))
    assert format_command("tcray", "status") == "env/bin/tcray status"


def test_without_a_script_the_module_is_run(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter is named alone if the shell finds this one."""
    (environment / "tcray").unlink()
    (environment / "tensorboard").unlink()
    monkeypatch.setattr(sys, "argv", ["-m"])
    assert format_command("tcray", "status") == "env/bin/python -m tcray status"
    monkeypatch.setenv("PATH", str(environment))
    assert format_command("tensorboard", "--logdir", "x") == "python -m tensorboard.main --logdir x"


def test_a_path_with_a_space_is_quoted(environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command can be pasted as it is."""
    (tmp_path / "env").rename(tmp_path / "my env")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "my env/bin/python"))
    assert format_command("tcray", "status") == "'my env/bin/tcray' status"


def test_a_printed_command_works_in_the_shell_that_ran_the_first(tmp_path: Path) -> None:
    """Started by its path while the PATH lacks it, tcray prints commands that this shell can run."""
    code = "from tcray.config.commands import format_command as f; print(f('tcray', '--version'))"
    environment = {**os.environ, "PATH": os.defpath}
    printed = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    ran = subprocess.run(
        ["/bin/sh", "-c", printed.stdout], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout.split()[0]) == (0, "tcray,"), ran.stderr
