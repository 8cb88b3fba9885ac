"""The command line: which commands there are, and how what goes wrong is told.

Each command is a module of this package with a click command `command`, imported when it is called and not before.
Beside them stand only `which`, the sweep that a command means, `elsewhere`, a command said on a cluster, and
`terminal`, what commands print.
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

from tcray import __version__
from tcray.config.messages import suggest_names
from tcray.errors import Interrupted, TcrayError

COMMANDS: Mapping[str, str] = {
    "plan": "Check a sweep file and say what it would run; start nothing.",
    "sweep": "Run a sweep, or resume it, and print what came out.",
    "status": "Show how far every sweep of a store has come, or follow one.",
    "stop": "Stop whoever runs a sweep, on whatever host; it can go on later.",
    "trials": "List the runs of a sweep.",
    "results": "Show what may be concluded from a sweep; write its report.",
    "compare": "Lay sweeps side by side in TensorBoard.",
    "data": "Look at datasets, import them, or write out their synthetic twins.",
    "store": "Look after the trial store: verify it, export it.",
    "cluster": "Check a cluster file before anything is brought up.",
    "schema": "Print the JSON Schema of the sweep file, for editors.",
}
"""Each command, and its help in a line; here, so that `tcray --help` need not import them all."""

# Before numpy: idle BLAS threads of the driver would spin on the cores that its workers compute on.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

TRACEBACK = "TCRAY_TRACEBACK"
"""Where this is set in the environment, a bug is shown with its traceback."""


class CommandLine(click.Group):
    """The commands of `COMMANDS`; whatever goes wrong in one is told in a sentence, with the exit code of its kind."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 the signature is click's
        """The names, in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 likewise
        """The command of a module that is imported now."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first of `args` names; a usage error with the nearest name where there is none."""
        if args[0] not in COMMANDS:
            ctx.fail(f"No such command {args[0]!r}: {suggest_names(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 likewise
        """The commands as `--help` lists them, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(self, *args: Any, **extra: Any) -> Any:
        """Runs the command line; a character that the terminal's encoding lacks is printed as `?`."""
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")
        return super().main(*args, **extra)

    def invoke(self, ctx: click.Context) -> None:
        """Runs the command, and ends the process with a sentence on stderr if it fails."""
        try:
            super().invoke(ctx)
            sys.stdout.flush()
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except (Exception, KeyboardInterrupt) as error:
            if isinstance(error, BrokenPipeError):
                raise  # click ends quietly: whoever was reading has read enough
            if os.environ.get(TRACEBACK):
                traceback.print_exc()
            sentence, exit_code = told(error)
            click.echo(sentence, err=True)
            sys.exit(exit_code)


def told(error: BaseException) -> tuple[str, int]:
    """What is said of a failure, and the exit code it ends with."""
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
            return "Error: memory ran out", 1
        case OSError(strerror=str(reason)):
            return f"Error: {error.filename}: {reason}" if error.filename else f"Error: {reason}", 1
    first = next(iter(str(error).splitlines()), "")
    bug = f"Error: a bug in tcray: {type(error).__name__}: {first}".removesuffix(": ")
    return f"{bug}\nWith {TRACEBACK}=1 in the environment, the same command shows where.", 1


@click.command(cls=CommandLine, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tcray")
def main() -> None:
    """Sweep the hyperparameters of low-rank multimodal fusion on whatever hardware there is."""
