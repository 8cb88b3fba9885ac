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
from tcray.store.driver_status import write_activity
from tcray.store.lease import Lease, holder, is_asked_to_stop
from tcray.store.store import Store, SweepStore
from tests.store.recorded import a_manifest, an_activity
from tests.tune.factories import make_sweep, write_sweep_file


@dataclass(frozen=True)
class Status:
    """What Ray says of a job: its state in a word."""

    word: str

    def is_terminal(self) -> bool:
        """Whether the job is over."""
        return self.word in ("SUCCEEDED", "FAILED", "STOPPED")


@dataclass
class Client:
    """Ray's job server, with a job whose log and end are given."""

    log: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=lambda: ["RUNNING", "SUCCEEDED"])
    """Of the job, as it is asked for one after the other; the last one stays."""
    exit_code: int | None = 0
    message: str = ""
    hangs: bool = False
    submitted: list[dict[str, str]] = field(default_factory=list)

    def submit_job(self, **job: str) -> None:
        """Takes it down."""
        self.submitted.append(job)

    def get_job_status(self, _: str) -> Status:
        """The next state."""
        return Status(self.states.pop(0) if len(self.states) > 1 else self.states[0])

    def get_job_info(self, name: str) -> Any:
        """The next state, and how it ended."""
        status = self.get_job_status(name)
        return SimpleNamespace(status=status, driver_exit_code=self.exit_code, message=self.message)

    async def tail_job_logs(self, _: str) -> AsyncIterator[str]:
        """The log, in pieces; `hangs` means that the job goes on and says no more."""
        import asyncio

        for piece in self.log:
            yield piece
        if self.hangs:
            await asyncio.sleep(3600)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The work folder of a head, to which a sweep file was sent."""
    folder = tmp_path / "work of it's own"
    folder.mkdir()
    write_sweep_file(folder)
    monkeypatch.chdir(folder)
    return folder


def planned_id(folder: Path, *overrides: str) -> str:
    """The id of the sweep where it was planned."""
    sweep = make_sweep(folder, *overrides)
    return plan(sweep, find_cards(sweep)).sweep_id()


def say(client: Client, *words: str) -> int:
    """Says it on the head."""
    return main(words, lambda: client)  # type: ignore[arg-type, return-value]


def begun(sweep_id: str) -> SweepStore:
    """The sweep's part of the store, where it was begun before."""
    sweep = Store.open("trials/", create=True).sweep(sweep_id)
    sweep.write_manifest({**a_manifest(sweep_id), "sweep_id": sweep_id})
    return sweep


def test_a_sweep_is_submitted_as_it_was_asked_for(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The job is `tcray sweep` in the work folder, with every word as it was; the id of the sweep is printed."""
    client, settings = Client(), ['question=it\'s "a" [1, 2]', "data.root=data"]
    sweep_id = planned_id(work, *settings)
    options = [f"--set={setting}" for setting in settings]
    assert 0 == say(client, "submit", "tcray-1", "small.yaml", "--store=s t", f"--plan={sweep_id}", *options, "--fresh")
    (submitted,) = client.submitted
    there, command = submitted["entrypoint"].split(" && exec ", 1)
    assert ("tcray-1", ["cd", str(work)]) == (submitted["submission_id"], shlex.split(there))
    sweep = [sys.executable, "-m", "tcray", "sweep", "small.yaml", "--store=s t", "--address=auto"]
    assert [*sweep, f"--expect={sweep_id}", *options, "--fresh"] == shlex.split(command)
    assert f"{ANSWER_PREFIX}{sweep_id}\n" == capsys.readouterr().out


def test_the_id_is_of_the_generation_that_will_be_run(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """That is the last one begun, or afresh the one after it."""
    sweep_id = planned_id(work)
    words = ["submit", "tcray-1", "small.yaml", "--store=trials/", f"--plan={sweep_id}"]
    begun(sweep_id)
    begun(f"{sweep_id}-g2")
    say(Client(), *words)
    say(Client(), *words, "--fresh")
    assert [f"{ANSWER_PREFIX}{sweep_id}-g2", f"{ANSWER_PREFIX}{sweep_id}-g3"] == capsys.readouterr().out.splitlines()


def test_other_data_are_no_start(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the head's data make another sweep of the same file, nothing is submitted, and it is wrong input."""
    client = Client()
    assert 2 == say(client, "submit", "tcray-1", "small.yaml", "--store=trials/", "--plan=small-000000000000")
    assert (
        f"Error: the data differ: on the head this is sweep {planned_id(work)}, on this machine small-000000000000\n"
        f"Import the datasets in {work / 'data'} of the head on this machine, or delete them there.\n"
    ) == capsys.readouterr().err
    assert [] == client.submitted


def test_a_sweep_that_is_run_already_is_not_submitted(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The holder of its lease is named, as if the driver itself had found it."""
    client, sweep = Client(), begun(planned_id(work))
    with Lease(sweep):
        assert 1 == say(client, "submit", "tcray-1", "small.yaml", "--store=trials/", f"--plan={sweep.sweep_id}")
        said = f"Error: sweep {sweep.sweep_id} is already being run by {holder(sweep)}\n"
    assert capsys.readouterr().err.startswith(said)
    assert [] == client.submitted


@pytest.mark.usefixtures("work")
def test_who_runs_a_sweep_is_told_before_anything_is_sent(capsys: pytest.CaptureFixture[str]) -> None:
    """The head is ready for a sweep that nobody runs, be it begun or not; the last begun of its generations counts."""
    words = ["ready", "small-1", "--store=trials/"]
    assert 0 == say(Client(), *words)
    begun("small-1")
    last = begun("small-1-g2")
    assert 0 == say(Client(), *words)
    assert (f"{ANSWER_PREFIX}yes\n" * 2, "") == tuple(capsys.readouterr())
    with Lease(last):
        assert 1 == say(Client(), *words)
        said = f"Error: sweep small-1-g2 is already being run by {holder(last)}\n"
    assert capsys.readouterr().err.startswith(said)


LOG = ["2026 INFO Runtime env is setting up.\nRunning entrypoint for job x: cd y\n", "one\ntwo\n", "Running late\n"]


@pytest.mark.parametrize("code", [0, 1, 2, 130])
def test_a_sweep_is_followed_to_its_outcome(work: Path, capsys: pytest.CaptureFixture[str], code: int) -> None:
    """What it says is printed, without what Ray says before it; the exit code is the one that tells the sweep's."""
    client = Client(LOG, ["RUNNING", "SUCCEEDED" if code == 0 else "FAILED"], code)
    begun("small-1")
    assert code == FOLLOW_EXIT_CODES[say(client, "follow", "tcray-1", "small-1", "--store=trials/")]
    assert ("one\ntwo\nRunning late\n", "") == tuple(capsys.readouterr())


@pytest.mark.parametrize(
    ("code", "message", "how"), [(-9, "x", "exit code -9"), (None, "the node died\nand more", "the node died")]
)
def test_a_driver_that_died_is_told(
    work: Path, capsys: pytest.CaptureFixture[str], code: int | None, message: str, how: str
) -> None:
    """A driver that was killed, or never started, has failed: it is said, and tells exit code 1."""
    begun("small-1")
    client = Client(LOG, ["FAILED"], code, message)
    assert 1 == FOLLOW_EXIT_CODES[say(client, "follow", "tcray-1", "small-1", "--store=trials/")]
    assert capsys.readouterr().err.startswith(f"Error: the driver of the sweep died ({how})\n")


def test_a_beginning_ends_with_the_first_training(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep whose driver has told what it is at is no longer followed, and the exit code is 0."""
    sweep = begun("small-1")
    monkeypatch.setattr(job, "POLL_SECONDS", 0.01)
    with Lease(sweep) as lease:
        write_activity(sweep, an_activity(lease.token))
        client = Client(LOG, ["RUNNING"], hangs=True)
        assert 0 == FOLLOW_EXIT_CODES[say(client, "follow", "tcray-1", "small-1", "--store=trials/", "--until-started")]


def test_a_beginning_is_waited_for_only_so_long(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep that has not begun after a while, as where hosts must start first, is left to itself."""
    begun("small-1")
    monkeypatch.setattr(job, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(job, "STARTUP_SECONDS", 0.1)
    client = Client(LOG, ["RUNNING"], hangs=True)
    assert 0 == FOLLOW_EXIT_CODES[say(client, "follow", "tcray-1", "small-1", "--store=trials/", "--until-started")]


def test_a_beginning_that_is_an_end_tells_the_outcome(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sweep that cannot be run as asked ends before it begins, with its sentence and exit code."""
    client = Client([*LOG, "Error: no node has a GPU\n"], ["FAILED"], 2)
    begun("small-1")
    assert 2 == FOLLOW_EXIT_CODES[say(client, "follow", "tcray-1", "small-1", "--store=trials/", "--until-started")]
    assert capsys.readouterr().out.endswith("Error: no node has a GPU\n")


def test_a_driver_is_asked_to_stop_once_there_is_one(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who stops a sweep that is only starting need not wait for its driver."""
    sweep = begun("small-1")
    monkeypatch.setattr(job, "POLL_SECONDS", 0.01)
    codes: list[int] = []
    asking = threading.Thread(
        target=lambda: codes.append(say(Client(states=["RUNNING"]), "stop", "tcray-1", "small-1", "--store=trials/"))
    )
    asking.start()
    time.sleep(0.1)
    assert [] == codes
    with Lease(sweep):
        asking.join(10)
        driver = holder(sweep)
        assert driver is not None
        assert ([0], True) == (codes, is_asked_to_stop(sweep, driver))


def test_a_job_that_is_over_is_not_stopped(work: Path) -> None:
    """Then there is nothing to wait for."""
    begun("small-1")
    assert 0 == say(Client(states=["RUNNING", "FAILED"]), "stop", "tcray-1", "small-1", "--store=trials/")


class HandshakeError(Exception):
    """As aiohttp's, where the job server refuses the log: of no kind that anybody foresees."""


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
def test_what_goes_wrong_with_the_server_is_no_outcome(
    capsys: pytest.CaptureFixture[str], failure: Callable[[], Exception], said: str
) -> None:
    """Whatever it is: a sentence, and an exit code that tells none of a sweep."""

    def connect() -> Any:
        raise failure()

    assert main(["follow", "tcray-1", "small-1", "--store=trials/"], connect) not in FOLLOW_EXIT_CODES
    assert f"Error: Ray's job server on the head: {said}\n" == capsys.readouterr().err


def test_no_exit_code_of_programs_tells_an_outcome() -> None:
    """Of Python, argparse, bash, docker, ssh, Ctrl-C, signals."""
    assert not {0, 1, 2, 69, 120, 125, 126, 127, 255, *range(129, 193)} & FOLLOW_EXIT_CODES.keys()


def test_a_store_that_cannot_be_read_is_no_outcome(work: Path) -> None:
    """The sweep may be well."""
    assert not (work / "trials").exists()
    assert say(Client(LOG), "follow", "tcray-1", "small-1", "--store=trials/") not in FOLLOW_EXIT_CODES
