"""The head's side of a submission: `python3 -m tcray.cluster.job ready | submit | follow | stop`.

`tcray.cluster.submission` runs these commands from another machine. `follow` ends with a code of `FOLLOW_EXIT_CODES`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tcray.cluster.head import ANSWER_PREFIX
from tcray.config.load import load_sweep
from tcray.errors import InputError, Interrupted, StoreBusyError, SweepError, TcrayError
from tcray.search.plan import find_cards, plan
from tcray.store.driver_status import read_status
from tcray.store.lease import current_holder, request_stop
from tcray.store.store import Store, SweepStore

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient

POLL_SECONDS = 0.5

STARTUP_SECONDS = 30.0
"""Time limit of `follow --until-started`; most mistakes have shown by then."""

FOLLOW_EXIT_CODES = {100 + code: code for code in (0, 1, 2, Interrupted.exit_code)}
"""Exit code of a sweep by the code that `follow` ends with; after any other code the outcome is unknown."""

FIRST_LINE = "Running entrypoint for job "
"""Last line that Ray writes into the log before the sweep starts."""


def ready(_: JobSubmissionClient, args: argparse.Namespace) -> int:
    """Answer `yes` if a sweep can be submitted. Raise StoreBusyError if a driver already runs it."""
    store = Store.open(args.store, create=True)
    generations = store.list_generations(args.sweep) or [args.sweep]
    _require_free(store.sweep(generations[-1]))
    print(ANSWER_PREFIX + "yes")
    return 0


def submit(client: JobSubmissionClient, args: argparse.Namespace) -> int:
    """Submit a sweep, and answer with its id.

    Raises InputError if the file gives another sweep on the head than on the submitting machine, and StoreBusyError
    if a driver already runs the sweep.
    """
    sweep = load_sweep(args.file, args.set)
    planned = plan(sweep, find_cards(sweep))
    here = Path.cwd()
    if planned.sweep_id() != args.plan:
        raise InputError(
            f"the data differ: on the head this is sweep {planned.sweep_id()}, on this machine {args.plan}",
            f"Import the datasets in {here / sweep.data.root} of the head on this machine, or delete them there.",
        )
    store = Store.open(args.store, create=True)
    sweep_id = planned.sweep_id(store.generation(planned.sweep_id(), fresh=args.fresh))
    _require_free(store.sweep(sweep_id))
    options = [f"--store={args.store}", "--address=auto", f"--expect={sweep_id}"]
    options += [*(f"--set={setting}" for setting in args.set), *["--fresh"] * args.fresh]
    command = [sys.executable, "-m", "tcray", "sweep", args.file, *options]
    client.submit_job(entrypoint=f"cd {shlex.quote(str(here))} && exec {shlex.join(command)}", submission_id=args.job)
    print(ANSWER_PREFIX + sweep_id)
    return 0


def _require_free(sweep: SweepStore) -> None:
    if driver := current_holder(sweep):
        raise StoreBusyError(
            f"sweep {sweep.sweep_id} is already being run by {driver}",
            "Wait until it ends, or stop it; then run the same command to resume.",
        )


def follow(client: JobSubmissionClient, args: argparse.Namespace) -> int:
    """Print the sweep's output, until it ends or only until it has started; return a code of `FOLLOW_EXIT_CODES`."""
    sweep = Store.open(args.store).sweep(args.sweep)
    ended = asyncio.run(_print_output(client, args.job, until_started=sweep if args.until_started else None))
    outcome = _wait_for_exit_code(client, args.job) if ended else 0
    return next(code for code, exit_code in FOLLOW_EXIT_CODES.items() if exit_code == outcome)


def stop(client: JobSubmissionClient, args: argparse.Namespace) -> int:
    """Ask the sweep's driver to stop, as soon as it holds the lease."""
    sweep = Store.open(args.store).sweep(args.sweep)
    while not client.get_job_status(args.job).is_terminal():
        if driver := current_holder(sweep):
            request_stop(sweep, driver)
            break
        time.sleep(POLL_SECONDS)
    return 0


async def _print_output(client: JobSubmissionClient, job: str, until_started: SweepStore | None) -> bool:
    """Print the job's output, and return True if the job has ended."""
    deadline = time.monotonic() + STARTUP_SECONDS
    printing = asyncio.create_task(_print_log(client, job))
    while not printing.done():
        if until_started and (_has_started(until_started) or time.monotonic() > deadline):
            printing.cancel()
            return False
        await asyncio.wait([printing], timeout=POLL_SECONDS)
    await printing
    return True


async def _print_log(client: JobSubmissionClient, job: str) -> None:
    started = False
    async for lines in client.tail_job_logs(job):
        for line in lines.splitlines(keepends=True):
            if started:
                print(line, end="", flush=True)
            started = started or line.startswith(FIRST_LINE)


def _has_started(sweep: SweepStore) -> bool:
    driver = current_holder(sweep)
    return driver is not None and read_status(sweep, driver.token) is not None


def _wait_for_exit_code(client: JobSubmissionClient, job: str) -> int:
    while not (info := client.get_job_info(job)).status.is_terminal():
        time.sleep(POLL_SECONDS)
    code = info.driver_exit_code
    if code in FOLLOW_EXIT_CODES.values():
        return int(code)
    reason = str(info.message).partition("\n")[0] if code is None else f"exit code {code}"
    died = SweepError(
        f"the driver of the sweep died ({reason})",
        "Everything recorded so far is kept. Run the same command to resume.",
    )
    print(f"Error: {died}", file=sys.stderr)
    return died.exit_code


def _connect() -> JobSubmissionClient:
    from ray.job_submission import JobSubmissionClient

    logging.getLogger("ray.dashboard.modules.job.sdk").setLevel(logging.ERROR)  # it logs every lost connection
    return JobSubmissionClient()


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m tcray.cluster.job")
    verbs = parser.add_subparsers(required=True)
    for verb in (ready, submit, follow, stop):
        options = verbs.add_parser(verb.__name__)
        options.set_defaults(run=verb)
        if verb is not ready:
            options.add_argument("job")
        options.add_argument("file" if verb is submit else "sweep")
        options.add_argument("--store", required=True)
        if verb is submit:
            options.add_argument("--plan", required=True, help="id of the sweep on the submitting machine")
            options.add_argument("--set", action="append", default=[])
            options.add_argument("--fresh", action="store_true")
        if verb is follow:
            options.add_argument("--until-started", action="store_true")
    return parser.parse_args(argv)


def main(argv: Sequence[str], connect: Callable[[], JobSubmissionClient] = _connect) -> int:
    """Run the command line `argv`; report an error on stderr, with an exit code outside `FOLLOW_EXIT_CODES`."""
    args = _parse(argv)
    try:
        return int(args.run(connect(), args))
    except TcrayError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001  Ray's client raises whatever its libraries raise
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        print(f"Error: Ray's job server on the head: {reason}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        sys.exit(main(sys.argv[1:]))
