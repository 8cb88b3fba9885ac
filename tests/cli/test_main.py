"""The command line as a whole: its commands, help and error messages."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType

import click
import pytest
from click.testing import CliRunner, Result

import tcray.cli
from tcray.cli import COMMANDS, TRACEBACK, main
from tcray.errors import ConfigError, DataError, Interrupted, Problem, StoreBusyError, TcrayError
from tcray.version import __version__

Invoke = Callable[[BaseException], Result]


@pytest.fixture
def fails_with(monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Run `tcray schema` with a command in its place that raises the given exception."""
    monkeypatch.delenv(TRACEBACK, raising=False)

    def run(error: BaseException) -> Result:
        @click.command("schema")
        def command() -> None:
            raise error

        module = ModuleType("tcray.cli.schema")
        module.command = command  # type: ignore[attr-defined]  # a module made by hand
        monkeypatch.setitem(sys.modules, "tcray.cli.schema", module)
        return CliRunner().invoke(main, ["schema"])

    return run


def test_every_module_is_a_command_or_a_helper() -> None:
    """The helpers serve several commands."""
    helpers = {"cached_analysis", "following", "on_cluster", "output_files", "progress", "resolve_sweep"}
    assert {*COMMANDS, *helpers} == {module.name for module in pkgutil.iter_modules(tcray.cli.__path__)}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_listed_command_exists(name: str) -> None:
    """Each name of the table is a module whose `command` has that name and a help text."""
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.name == name
    assert command.help


def test_help_lists_every_command_and_loads_none() -> None:
    """`tcray --help` is fast: it imports neither commands nor what they need."""
    heavy = ("torch", "ray", "optuna", "pyarrow", "numpy", "scipy", "rich", "tcray.cli.schema")
    asked = "import sys\nfrom tcray.cli import main\ntry: main(['--help'])\n"
    asked += f"finally: print(sys.modules.keys() & set({heavy!r}))"
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
    *_, loaded = said.splitlines()
    assert loaded == "set()"
    assert [line.split()[0] for line in said.partition("Commands:\n")[2].splitlines()[:-1]] == list(COMMANDS)


def test_the_module_runs_as_the_command() -> None:
    """`python -m tcray` is `tcray`."""
    said = subprocess.run([sys.executable, "-m", "tcray", "--version"], capture_output=True, text=True, check=True)
    assert said.stdout == f"tcray, version {__version__}\n"


def test_an_unknown_command_exits_2_with_the_nearest() -> None:
    """The message suggests the nearest name."""
    result = CliRunner().invoke(main, ["shema"])
    assert result.exit_code == 2
    assert result.stderr.endswith("Error: No such command 'shema': did you mean \"schema\"?\n")
    assert result.stdout == ""


def test_an_unknown_option_exits_2_with_the_nearest() -> None:
    """The same holds for options."""
    result = CliRunner().invoke(main, ["schema", "--hepl"])
    assert result.exit_code == 2
    assert "No such option '--hepl'. Did you mean '--help'?" in result.stderr


@pytest.mark.parametrize(
    ("error", "exit_code", "said"),
    [
        (DataError("mosi has not been imported", "Import it."), 2, "Error: mosi has not been imported\nImport it.\n"),
        (StoreBusyError("host a holds the lease"), 1, "Error: host a holds the lease\n"),
        (TcrayError("one: this\ntwo: that"), 1, "Error: 2 problems\none: this\ntwo: that\n"),
        (Interrupted("interrupted", "The same command resumes."), 130, "interrupted\nThe same command resumes.\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (MemoryError(), 1, "Error: out of memory\n"),
        (PermissionError(13, "Permission denied", "a.yaml"), 1, "Error: a.yaml: Permission denied\n"),
        (OSError(28, "No space left on device"), 1, "Error: No space left on device\n"),
    ],
)
def test_an_error_is_printed_on_stderr(fails_with: Invoke, error: BaseException, exit_code: int, said: str) -> None:
    """Message and remedy are printed, and the exit code depends on the kind of error; stdout stays empty."""
    result = fails_with(error)
    assert (result.exit_code, result.stderr, result.stdout) == (exit_code, said, "")


def test_problems_of_a_file_begin_their_lines(fails_with: Invoke) -> None:
    """Editors find `file:line:column` at the beginning of a line."""
    result = fails_with(ConfigError("a.yaml", [Problem(2, 1, "rank", "is 0"), Problem(1, 1, "name", "is missing")]))
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "Error: 2 problems",
        "a.yaml:1:1: name: is missing",
        "a.yaml:2:1: rank: is 0",
    ]


def test_a_bug_is_reported_without_traceback(fails_with: Invoke) -> None:
    """The message explains how to see the traceback."""
    result = fails_with(ZeroDivisionError("division by zero\nand more"))
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "Error: a bug in tcray: ZeroDivisionError: division by zero",
        "Set TCRAY_TRACEBACK=1 and run the same command again to see the traceback.",
    ]


def test_a_bug_shows_its_traceback_on_request(fails_with: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    """`TCRAY_TRACEBACK=1` prints the traceback before the message."""
    monkeypatch.setenv(TRACEBACK, "1")
    said = fails_with(ZeroDivisionError()).stderr.splitlines()
    assert (said[0], said[-2]) == ("Traceback (most recent call last):", "Error: a bug in tcray: ZeroDivisionError")


def test_a_closed_pipe_ends_the_command_quietly() -> None:
    """`tcray schema | head -1` prints no error about a broken pipe."""
    script = f"{sys.executable} -m tcray schema | head -c 1"
    said = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert (said.stdout, said.stderr) == ("{", "")


def test_a_character_that_the_terminal_lacks_is_replaced() -> None:
    """In an ASCII terminal a dash becomes a question mark."""
    asked = "import click, sys\nfrom tcray.cli import main\nsys.modules['tcray.cli.schema'] = module = type(sys)('m')\n"
    asked += "module.command = click.Command('schema', callback=lambda: print('–'))\nmain(['schema'])"
    said = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, env={"PYTHONIOENCODING": "ascii"}
    )
    assert said.stdout == "?\n"
