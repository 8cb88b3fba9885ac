"""A sweep as a Ray job, on the head itself: `python3 -m tcray.cluster.job ready | submit | follow | stop`.

Only `submission` says it, from elsewhere. `follow` ends with a code of `SEEN`.
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

from tcray.cluster.head import ANSWER
from tcray.config.load import load_sweep
from tcray.errors import InputError, Interrupted, StoreBusyError, SweepError, TcrayError
from tcray.search.plan import find_cards, plan
from tcray.store.driver_status import read_activity
from tcray.store.lease import ask_to_stop, holder
from tcray.store.store import Store, SweepStore

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient

LOOK_SECONDS = 0.5

BEGINNING_SECONDS = 30.0
"""How long a sweep may take to begin until it is no longer waited for; most of what may be wrong has shown by then."""

SEEN = {100 + code: code for code in (0, 1, 2, Interrupted.exit_code)}
"""What `follow` ends with for each exit code of a sweep; with anything else, whatever it is, it did not see the end."""

FIRST_LINE = "Running entrypoint for job "
"""What Ray writes into the log before the sweep does."""


def ready(_: JobSubmissionClient, asked: argparse.Namespace) -> int:
    """Answers where a sweep may be handed over. Raises StoreBusyError where somebody runs it."""
    store = Store.open(asked.store, create=True)
    begun = store.generations(asked.sweep) or [asked.sweep]
    _expect_free(store.sweep(begun[-1]))
    print(ANSWER + "yes")
    return 0


def submit(client: JobSubmissionClient, asked: argparse.Namespace) -> int:
    """Submits a sweep, and answers with its id.

    Raises InputError where it would be another sweep here than there, where it was planned, and StoreBusyError where
    somebody runs it.
    """
    sweep = load_sweep(asked.file, asked.set)
    planned = plan(sweep, find_cards(sweep))
    here = Path.cwd()
    if planned.sweep_id() != asked.plan:
        raise InputError(
            f"on the head this would be sweep {planned.sweep_id()}, and here it is {asked.plan}: the data differ",
            f"Import here what {here / sweep.data.root} has there, or take it away there.",
        )
    store = Store.open(asked.store, create=True)
    sweep_id = planned.sweep_id(store.generation(planned.sweep_id(), fresh=asked.fresh))
    _expect_free(store.sweep(sweep_id))
    options = [*(f"--set={setting}" for setting in asked.set), *["--fresh"] * asked.fresh]
    where = [f"--store={asked.store}", "--address=auto", f"--expect={sweep_id}"]
    command = [sys.executable, "-m", "tcray", "sweep", asked.file, *where, *options]
    client.submit_job(entrypoint=f"cd {shlex.quote(str(here))} && exec {shlex.join(command)}", submission_id=asked.job)
    print(ANSWER + sweep_id)
    return 0


def _expect_free(sweep: SweepStore) -> None:
    if driver := holder(sweep):
        raise StoreBusyError(
            f"sweep {sweep.sweep_id} is already being run, by {driver}",
            "Wait until it is done, or stop it: the same command then goes on where it stopped.",
        )


def follow(client: JobSubmissionClient, asked: argparse.Namespace) -> int:
    """Prints what the sweep says, to its end or only until it has begun; by `SEEN` what it ended with, else 0."""
    sweep = Store.open(asked.store).sweep(asked.sweep)
    ended = asyncio.run(_print(client, asked.job, until_begun=sweep if asked.beginning else None))
    outcome = _outcome(client, asked.job) if ended else 0
    return next(seen for seen, code in SEEN.items() if code == outcome)


def stop(client: JobSubmissionClient, asked: argparse.Namespace) -> int:
    """Asks the driver of the sweep to stop, as soon as there is one."""
    sweep = Store.open(asked.store).sweep(asked.sweep)
    while not client.get_job_status(asked.job).is_terminal():
        if driver := holder(sweep):
            ask_to_stop(sweep, driver)
            break
        time.sleep(LOOK_SECONDS)
    return 0


async def _print(client: JobSubmissionClient, job: str, until_begun: SweepStore | None) -> bool:
    """Whether the job has ended."""
    patience = time.monotonic() + BEGINNING_SECONDS
    printing = asyncio.create_task(_print_log(client, job))
    while not printing.done():
        if until_begun and (_has_begun(until_begun) or time.monotonic() > patience):
            printing.cancel()
            return False
        await asyncio.wait([printing], timeout=LOOK_SECONDS)
    await printing
    return True


async def _print_log(client: JobSubmissionClient, job: str) -> None:
    begun = False
    async for lines in client.tail_job_logs(job):
        for line in lines.splitlines(keepends=True):
            if begun:
                print(line, end="", flush=True)
            begun = begun or line.startswith(FIRST_LINE)


def _has_begun(sweep: SweepStore) -> bool:
    driver = holder(sweep)
    return driver is not None and read_activity(sweep, driver.token) is not None


def _outcome(client: JobSubmissionClient, job: str) -> int:
    while not (info := client.get_job_info(job)).status.is_terminal():
        time.sleep(LOOK_SECONDS)
    if info.driver_exit_code in SEEN.values():
        return int(info.driver_exit_code)
    how = (
        str(info.message).partition("\n")[0] if info.driver_exit_code is None else f"exit code {info.driver_exit_code}"
    )
    died = SweepError(
        f"the driver of the sweep died ({how})", "What is recorded stays: the same command goes on from there."
    )
    print(f"Error: {died}", file=sys.stderr)
    return died.exit_code


def _connected() -> JobSubmissionClient:
    from ray.job_submission import JobSubmissionClient

    logging.getLogger("ray.dashboard.modules.job.sdk").setLevel(logging.ERROR)  # it tells how its connections fare
    return JobSubmissionClient()


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m tcray.cluster.job")
    verbs = parser.add_subparsers(required=True)
    for verb in (ready, submit, follow, stop):
        options = verbs.add_parser(verb.__name__)
        options.set_defaults(do=verb)
        if verb is not ready:
            options.add_argument("job")
        options.add_argument("file" if verb is submit else "sweep")
        options.add_argument("--store", required=True)
        if verb is submit:
            options.add_argument("--plan", required=True, help="the sweep id it has where it was planned")
            options.add_argument("--set", action="append", default=[])
            options.add_argument("--fresh", action="store_true")
        if verb is follow:
            options.add_argument("--beginning", action="store_true")
    return parser.parse_args(argv)


def main(argv: Sequence[str], connect: Callable[[], JobSubmissionClient] = _connected) -> int:
    """Does what is said; what goes wrong is told on stderr, and no code of `SEEN`."""
    asked = _parsed(argv)
    try:
        return int(asked.do(connect(), asked))
    except TcrayError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 Ray's client lets through whatever its libraries raise
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        print(f"Error: Ray's job server on the head: {reason}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        sys.exit(main(sys.argv[1:]))
