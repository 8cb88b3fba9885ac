"""Shell completion."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner

from tcray.cli import main
from tcray.cli.completion import SHELL_VARIABLE, SHELLS
from tcray.data.catalog import dataset_names
from tcray.store.store import Store
from tests.store.factories import SWEEP_ID, make_stored_sweep


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to an empty working directory and return it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TCRAY_STORE", raising=False)
    return tmp_path


def complete(*words: str) -> list[str]:
    """Return what the shell is offered for the last of `words`, as `type,value`."""
    completion = BashComplete(main, {}, "tcray", SHELL_VARIABLE)
    found = completion.get_completions([*words[:-1]], words[-1])
    return [f"{item.type},{item.value}" for item in found]


@pytest.mark.parametrize("command", ["sweep", "plan"])
def test_sweep_files_are_completed(command: str) -> None:
    """Files of the current directory and bare names of those in `sweeps/` are offered; other paths by the shell."""
    Path("sweeps").mkdir()
    for file in ("swan.yaml", "swim.yml", "swap.txt", "sweeps/swell.yaml", "sweeps/rank.yaml"):
        Path(file).touch()
    assert complete(command, "sw") == ["plain,swan.yaml", "plain,swim.yml", "plain,swell"]
    assert complete(command, "ra") == ["plain,rank"]
    assert complete(command, "sweeps/") == ["file,sweeps/"]
    assert complete(command, "x") == ["file,x"]


@pytest.mark.parametrize(
    "words", [["status"], ["stop"], ["trials"], ["results"], ["compare"], ["store", "verify"], ["store", "export"]]
)
def test_sweeps_are_completed(words: list[str]) -> None:
    """Names and ids of the sweeps in the store that the command names."""
    make_stored_sweep(Store.open("trials/", create=True))
    assert complete(*words, "ra") == ["plain,rank", f"plain,{SWEEP_ID}"]
    assert complete(*words, "--store", "nowhere", "ra") == ["file,ra"]
    make_stored_sweep(Store.open("other/", create=True))
    shutil.rmtree("trials")
    assert complete(*words, "--store", "other", "rank-") == [f"plain,{SWEEP_ID}"]


@pytest.mark.parametrize("command", ["describe", "import", "twin"])
def test_datasets_are_completed(command: str) -> None:
    """Datasets are completed by their names."""
    assert complete("data", command, "mo") == [f"plain,{name}" for name in dataset_names() if name.startswith("mo")]


def test_columns_are_completed() -> None:
    """Columns are completed for `--sort`, and for the last name of `--columns`."""
    make_stored_sweep(Store.open("trials/", create=True))
    assert complete("trials", "rank", "--sort", "test.m") == ["plain,test.mae"]
    assert complete("trials", "rank", "--columns", "rank,test.m") == ["plain,rank,test.mae"]
    assert complete("trials", "unknown", "--sort", "test.m") == []


def test_a_damaged_store_is_silent() -> None:
    """An error message would garble the command line that is being typed."""
    Path("trials/sweeps/rank-1").mkdir(parents=True)
    Path("trials/sweeps/rank-1/manifest.json").write_text("{")
    assert complete("status", "ra") == ["file,ra"]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_registers_tcray(shell: str) -> None:
    """The script names the program, and the variable by which it asks for values."""
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0, result.output
    assert SHELL_VARIABLE in result.stdout
    assert "tcray" in result.stdout


def test_the_shell_is_the_login_shell_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another shell than bash, zsh and fish is wrong input."""
    monkeypatch.setenv("SHELL", "/usr/bin/zsh")
    assert CliRunner().invoke(main, ["completion"]).stdout.startswith("#compdef tcray")
    monkeypatch.setenv("SHELL", "/bin/dash")
    result = CliRunner().invoke(main, ["completion"])
    assert (result.exit_code, result.stderr) == (
        2,
        "Error: there is no completion for the shell 'dash'\nPass bash, zsh or fish.\n",
    )


def test_bash_completes_once_the_script_is_evaluated(folder: Path) -> None:
    """The documented line of ~/.bashrc, then a press of the tab key, as the shell performs it."""
    (folder / "sweep.yaml").touch()
    script = """
    eval "$(tcray completion bash)"
    COMP_WORDS=(tcray sweep sw); COMP_CWORD=2; _tcray_completion tcray; echo "${COMPREPLY[*]}"
    COMPREPLY=(); COMP_WORDS=(tcray data describe musta); COMP_CWORD=3; _tcray_completion tcray; echo "${COMPREPLY[*]}"
    """
    ran = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=True, cwd=folder, env={**os.environ}
    )
    assert ran.stdout.splitlines() == ["sweep.yaml", "mustard mustard-folds"], ran.stderr
