"""The commands that run on the head: ready, submit, follow, stop."""

from __future__ import annotations

import shlex
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tcray.cluster import job
from tcray.cluster.head import ANSWER_PREFIX
from tcray.cluster.job import FOLLOW_EXIT_CODES, main
from tcray.search.plan import find_cards, plan
from tcray.store.driver_status import write_status
from tcray.store.lease import Lease, current_holder, is_stop_requested
from tcray.store.store import Store, SweepStore
from tests.store.factories import make_driver_status, make_manifest
from tests.tune.factories import make_sweep, write_sweep_file


@dataclass(frozen=True)
class Status:
    """Fake status of a Ray job."""

    word: str

    def is_terminal(self) -> bool:
        """Return True if the job has ended."""
        return self.word in ("SUCCEEDED", "FAILED", "STOPPED")


@dataclass
class Client:
    """Fake client of Ray's job server, with a given log and outcome."""

    log: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=lambda: ["RUNNING", "SUCCEEDED"])
    """States of the job, one per query; the last one is repeated."""
    exit_code: int | None = 0
    message: str = ""
    hangs: bool = False
    submitted: list[dict[str, str]] = field(default_factory=list)

    def submit_job(self, **job: str) -> None:
        """Record the submission."""
        self.submitted.append(job)

    def get_job_status(self, _: str) -> Status:
        """Return the next state."""
        return Status(self.states.pop(0) if len(self.states) > 1 else self.states[0])

    def get_job_info(self, name: str) -> Any:
        """Return the next state and the outcome."""
        status = self.get_job_status(name)
        return SimpleNamespace(status=status, driver_exit_code=self.exit_code, message=self.message)

    async def tail_job_logs(self, _: str) -> AsyncIterator[str]:
        """Yield the log in pieces; with `hangs` the job then runs without further output."""
        import asyncio

        for piece in self.log:
            yield piece
        if self.hangs:
            await asyncio.sleep(3600)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the work folder of a head, with an uploaded sweep file."""
    folder = tmp_path / "work of it's own"
    folder.mkdir()
    write_sweep_file(folder)
    monkeypatch.chdir(folder)
    return folder


def planned_id(folder: Path, *overrides: str) -> str:
    """Return the id of the sweep on the submitting machine."""
    sweep = make_sweep(folder, *overrides)
    return plan(sweep, find_cards(sweep)).sweep_id()


def run_command(client: Client, *words: str) -> int:
    """Run a command on the head and return its exit code."""
    return main(words, lambda: client)


def make_started_sweep(sweep_id: str) -> SweepStore:
    """Return a sweep of the store that was started before."""
    sweep = Store.open("trials/", create=True).sweep(sweep_id)
    sweep.write_manifest({**make_manifest(sweep_id), "sweep_id": sweep_id})
    return sweep


def test_submitted_job_runs_tcray_sweep(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The job runs in the work folder with unchanged arguments; the id of the sweep is printed."""
    client, settings = Client(), ['question=it\'s "a" [1, 2]', "data.root=data"]
    sweep_id = planned_id(work, *settings)
    options = [f"--set={setting}" for setting in settings]
    assert 0 == run_command(
        client, "submit", "tcray-1", "small.yaml", "--store=s t", f"--plan={sweep_id}", *options, "--fresh"
    )
    (submitted,) = client.submitted
    there, command = submitted["entrypoint"].split(" && exec ", 1)
    assert ("tcray-1", ["cd", str(work)]) == (submitted["submission_id"], shlex.split(there))
    sweep = [sys.executable, "-m", "tcray", "sweep", "small.yaml", "--store=s t", "--address=auto"]
    assert [*sweep, f"--expect={sweep_id}", *options, "--fresh"] == shlex.split(command)
    assert f"{ANSWER_PREFIX}{sweep_id}\n" == capsys.readouterr().out


def test_answer_is_the_generation_that_runs(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is the last generation, or with `--fresh` the next one."""
    sweep_id = planned_id(work)
    words = ["submit", "tcray-1", "small.yaml", "--store=trials/", f"--plan={sweep_id}"]
    make_started_sweep(sweep_id)
    make_started_sweep(f"{sweep_id}-g2")
    run_command(Client(), *words)
    run_command(Client(), *words, "--fresh")
    assert [f"{ANSWER_PREFIX}{sweep_id}-g2", f"{ANSWER_PREFIX}{sweep_id}-g3"] == capsys.readouterr().out.splitlines()


def test_different_data_are_rejected(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If the head's data give another sweep id, nothing is submitted and the exit code is 2."""
    client = Client()
    assert 2 == run_command(client, "submit", "tcray-1", "small.yaml", "--store=trials/", "--plan=small-000000000000")
    assert (
        f"Error: the data differ: on the head this is sweep {planned_id(work)}, on this machine small-000000000000\n"
        f"Import the datasets in {work / 'data'} of the head on this machine, or delete them there.\n"
    ) == capsys.readouterr().err
    assert [] == client.submitted


def test_running_sweep_is_not_submitted(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the holder of the lease."""
    client, sweep = Client(), make_started_sweep(planned_id(work))
    with Lease(sweep):
        assert 1 == run_command(
            client, "submit", "tcray-1", "small.yaml", "--store=trials/", f"--plan={sweep.sweep_id}"
        )
        said = f"Error: sweep {sweep.sweep_id} is already being run by {current_holder(sweep)}\n"
    assert capsys.readouterr().err.startswith(said)
    assert [] == client.submitted


@pytest.mark.usefixtures("work")
def test_ready_rejects_a_running_sweep(capsys: pytest.CaptureFixture[str]) -> None:
    """A sweep without a driver is accepted, started before or not; the last generation counts."""
    words = ["ready", "small-1", "--store=trials/"]
    assert 0 == run_command(Client(), *words)
    make_started_sweep("small-1")
    last = make_started_sweep("small-1-g2")
    assert 0 == run_command(Client(), *words)
    assert (f"{ANSWER_PREFIX}yes\n" * 2, "") == tuple(capsys.readouterr())
    with Lease(last):
        assert 1 == run_command(Client(), *words)
        said = f"Error: sweep small-1-g2 is already being run by {current_holder(last)}\n"
    assert capsys.readouterr().err.startswith(said)


LOG = ["2026 INFO Runtime env is setting up.\nRunning entrypoint for job x: cd y\n", "one\ntwo\n", "Running late\n"]


@pytest.mark.parametrize("code", [0, 1, 2, 130])
def test_follow_ends_with_the_outcome(work: Path, capsys: pytest.CaptureFixture[str], code: int) -> None:
    """The sweep's output is printed without that of Ray; the exit code encodes the sweep's."""
    client = Client(LOG, ["RUNNING", "SUCCEEDED" if code == 0 else "FAILED"], code)
    make_started_sweep("small-1")
    assert code == FOLLOW_EXIT_CODES[run_command(client, "follow", "tcray-1", "small-1", "--store=trials/")]
    assert ("one\ntwo\nRunning late\n", "") == tuple(capsys.readouterr())


@pytest.mark.parametrize(
    ("code", "message", "how"), [(-9, "x", "exit code -9"), (None, "the node died\nand more", "the node died")]
)
def test_dead_driver_is_reported(
    work: Path, capsys: pytest.CaptureFixture[str], code: int | None, message: str, how: str
) -> None:
    """A driver that was killed or never started counts as failed, with exit code 1."""
    make_started_sweep("small-1")
    client = Client(LOG, ["FAILED"], code, message)
    assert 1 == FOLLOW_EXIT_CODES[run_command(client, "follow", "tcray-1", "small-1", "--store=trials/")]
    assert capsys.readouterr().err.startswith(f"Error: the driver of the sweep died ({how})\n")


def test_until_started_ends_with_the_first_training(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code is 0 as soon as the driver has written its status."""
    sweep = make_started_sweep("small-1")
    monkeypatch.setattr(job, "POLL_SECONDS", 0.01)
    with Lease(sweep) as lease:
        write_status(sweep, make_driver_status(lease.token))
        client = Client(LOG, ["RUNNING"], hangs=True)
        assert (
            0
            == FOLLOW_EXIT_CODES[
                run_command(client, "follow", "tcray-1", "small-1", "--store=trials/", "--until-started")
            ]
        )


def test_until_started_has_a_time_limit(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep that has not started by then, for example because hosts must start first, keeps running."""
    make_started_sweep("small-1")
    monkeypatch.setattr(job, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(job, "STARTUP_SECONDS", 0.1)
    client = Client(LOG, ["RUNNING"], hangs=True)
    assert (
        0
        == FOLLOW_EXIT_CODES[run_command(client, "follow", "tcray-1", "small-1", "--store=trials/", "--until-started")]
    )


def test_until_started_reports_a_sweep_that_fails_at_once(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its message is printed, and its exit code is returned."""
    client = Client([*LOG, "Error: no node has a GPU\n"], ["FAILED"], 2)
    make_started_sweep("small-1")
    assert (
        2
        == FOLLOW_EXIT_CODES[run_command(client, "follow", "tcray-1", "small-1", "--store=trials/", "--until-started")]
    )
    assert capsys.readouterr().out.endswith("Error: no node has a GPU\n")


def test_stop_waits_for_the_driver(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep that is still starting is stopped as soon as its driver holds the lease."""
    sweep = make_started_sweep("small-1")
    monkeypatch.setattr(job, "POLL_SECONDS", 0.01)
    codes: list[int] = []
    asking = threading.Thread(
        target=lambda: codes.append(
            run_command(Client(states=["RUNNING"]), "stop", "tcray-1", "small-1", "--store=trials/")
        )
    )
    asking.start()
    time.sleep(0.1)
    assert [] == codes
    with Lease(sweep):
        asking.join(10)
        driver = current_holder(sweep)
        assert driver is not None
        assert ([0], True) == (codes, is_stop_requested(sweep, driver))


def test_stop_ends_if_the_job_has_ended(work: Path) -> None:
    """There is no driver to wait for."""
    make_started_sweep("small-1")
    assert 0 == run_command(Client(states=["RUNNING", "FAILED"]), "stop", "tcray-1", "small-1", "--store=trials/")


class HandshakeError(Exception):
    """Like aiohttp's error if the job server refuses the log: of no common class."""


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (
            lambda: ConnectionError("Failed to connect to Ray at address: http://127.0.0.1:8265.\nTraceback …"),
            "Failed to connect to Ray at address: http://127.0.0.1:8265.",
        ),
        (lambda: HandshakeError("503, message='Unavailable'"), "503, message='Unavailable'"),
        (KeyError, "KeyError"),
    ],
)
def test_failure_of_the_job_server_is_no_outcome(
    capsys: pytest.CaptureFixture[str], failure: Callable[[], Exception], said: str
) -> None:
    """Every exception gives one message, and an exit code that encodes no outcome."""

    def connect() -> Any:
        raise failure()

    assert main(["follow", "tcray-1", "small-1", "--store=trials/"], connect) not in FOLLOW_EXIT_CODES
    assert f"Error: Ray's job server on the head: {said}\n" == capsys.readouterr().err


def test_common_exit_codes_encode_no_outcome() -> None:
    """The codes are those of Python, argparse, bash, docker, ssh, Ctrl-C and signals."""
    assert not {0, 1, 2, 69, 120, 125, 126, 127, 255, *range(129, 193)} & FOLLOW_EXIT_CODES.keys()


def test_unreadable_store_is_no_outcome(work: Path) -> None:
    """The sweep may still be running."""
    assert not (work / "trials").exists()
    assert run_command(Client(LOG), "follow", "tcray-1", "small-1", "--store=trials/") not in FOLLOW_EXIT_CODES
