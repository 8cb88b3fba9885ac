"""The command line: its commands, and how errors are reported.

Each command is a module of this package with a click command `command`, which is imported only when it is called.
The other modules are helpers: the sweep that an argument names, completion, output files, progress messages, and
commands that run on a cluster's head node.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
import traceback
from collections.abc import Mapping
from typing import Any

import click

from tcray.config.messages import suggest_names
from tcray.errors import Interrupted, TcrayError
from tcray.version import __version__

COMMANDS: Mapping[str, str] = {
    "init": "Write the shipped sweep files into a folder.",
    "plan": "Check a sweep file and print its runs; start nothing.",
    "sweep": "Run a sweep, or resume it, and print its results.",
    "status": "Show the progress of the sweeps of a store, or follow one.",
    "stop": "Stop a running sweep on any host; it can be resumed.",
    "trials": "List the best runs of a sweep, or all of them.",
    "results": "Print the verdicts and tables of a sweep; write its report.",
    "compare": "Compare sweeps side by side in TensorBoard.",
    "data": "List, describe and import datasets.",
    "store": "Verify or export the trial store.",
    "cluster": "Check a cluster file before anything is started.",
    "schema": "Print the JSON Schema of the sweep file.",
    "completion": "Print the completion script for your shell.",
}
"""The commands with a line of help each; kept here so that `tcray --help` does not import them."""

# Before numpy is imported: idle BLAS threads of the driver would spin on the cores that its workers compute on.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

TRACEBACK = "TCRAY_TRACEBACK"
"""If this environment variable is set, an internal error is printed with its traceback."""


class CommandLine(click.Group):
    """The commands of `COMMANDS`; a failed command prints a message and exits with the code of its kind of error."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 the signature is click's
        """Return the names in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 likewise
        """Import the module of a command and return the command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first of `args` names; fail with the nearest name if there is none."""
        if args[0] not in COMMANDS:
            ctx.fail(f"No such command {args[0]!r}: {suggest_names(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 likewise
        """Write the commands for `--help` without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command line; characters that the terminal's encoding lacks are printed as `?`."""
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")
        return super().main(*args, **extra)

    def invoke(self, ctx: click.Context) -> None:
        """Run the command; if it fails, print a message on stderr and exit."""
        try:
            super().invoke(ctx)
            sys.stdout.flush()
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except (Exception, KeyboardInterrupt) as error:
            if isinstance(error, BrokenPipeError):
                raise  # click exits quietly: the reader has closed the pipe
            if os.environ.get(TRACEBACK):
                traceback.print_exc()
            message, exit_code = format_error(error)
            click.echo(message, err=True)
            sys.exit(exit_code)


def format_error(error: BaseException) -> tuple[str, int]:
    """Return the message that is printed for an error, and the exit code."""
    match error:
        case Interrupted():
            return str(error), error.exit_code
        case KeyboardInterrupt():
            return "interrupted", Interrupted.exit_code
        case TcrayError():
            problems = error.message.count("\n") + 1
            heading = f"{problems} problems\n" if problems > 1 else ""
            return f"Error: {heading}{error}", error.exit_code
        case MemoryError():
            return "Error: out of memory", 1
        case OSError(strerror=str(reason)):
            return f"Error: {error.filename}: {reason}" if error.filename else f"Error: {reason}", 1
    first = next(iter(str(error).splitlines()), "")
    bug = f"Error: a bug in tcray: {type(error).__name__}: {first}".removesuffix(": ")
    return f"{bug}\nSet {TRACEBACK}=1 and run the same command again to see the traceback.", 1


@click.command(cls=CommandLine, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tcray")
def main() -> None:
    """Sweep the hyperparameters of low-rank multimodal fusion on one machine or a cluster."""
