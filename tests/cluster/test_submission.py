"""Submission of a sweep: upload, following, Ctrl-C."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tcray.cluster.head import ANSWER_PREFIX
from tcray.cluster.submission import Submission, submit
from tcray.config.load import load_sweep
from tcray.data.catalog import arrays_path, card_path
from tcray.errors import InputError, Interrupted, SweepError
from tcray.search.plan import Plan, find_cards, plan
from tests.cluster.fakes import LocalLauncher, find_options, make_head
from tests.tune.factories import make_sweep, write_sweep_file

CTRL_C = f"kill -INT {os.getpid()}"
"""Bash command that interrupts the test while it waits."""

PRINT_ID = f"echo '{ANSWER_PREFIX}small-1-g2'"
UNTIL_STOPPED = f"""\
case "$3" in
  follow) {CTRL_C}; until [ -e stopped ]; do sleep 0.05; done; echo interrupted with 3 of 32 runs done; exit 230;;
  stop) touch stopped;;
esac"""
"""Script of a sweep that runs until it is stopped; following it presses Ctrl-C."""


def planned(folder: Path, *overrides: str) -> Plan:
    """Return the plan on the submitting machine."""
    sweep = make_sweep(folder, *overrides)
    return plan(sweep, find_cards(sweep))


def import_datasets(folder: Path, *names: str) -> None:
    """Write the files of imported datasets that a plan reads: the card of the twin, and arrays that stay unread."""
    import json

    from tcray.data.catalog import FORMAT, find_card

    root = folder / "data"
    root.mkdir(exist_ok=True)
    for name in names:
        document = {**find_card(name, root).document(), "format": FORMAT, "content": "x"}
        card_path(name, root).write_text(json.dumps(document))
        arrays_path(name, root).write_bytes(name.encode())


def make_submission(folder: Path, *lines: str) -> tuple[Submission, LocalLauncher]:
    """Return a submission to a head on which `python3` runs these lines of bash."""
    head, there = make_head(folder)
    there.program("python3", *lines)
    return Submission(head, "tcray-1", "small-1", "trials/"), there


def test_sweep_file_and_its_datasets_are_uploaded(tmp_path: Path) -> None:
    """Datasets that the sweep does not use, or that are not imported here, are not uploaded."""
    import_datasets(tmp_path, "mosi", "mustard")
    head, there = make_head(tmp_path)
    there.program("python3", PRINT_ID)
    sweep = planned(tmp_path, "datasets=[mosi, hateful_memes]")
    submit(head, str(tmp_path / "small.yaml"), ["datasets=[mosi, hateful_memes]"], sweep, store="trials/")
    sent = [str(path.relative_to(there.work)) for path in there.work.rglob("*") if path.is_file()]
    place = f"sweeps/{sweep.sweep_id()}/small.yaml"
    assert ["data/mosi.json", "data/mosi.npz", place] == sorted(sent)
    assert write_sweep_file(tmp_path).read_text() == (there.work / place).read_text()


def test_sweeps_with_one_file_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    """The first one may not have started yet."""
    head, there = make_head(tmp_path)
    there.program("python3", PRINT_ID)
    strings: dict[str, str] = {}
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        file = write_sweep_file(folder)
        file.write_text(file.read_text().replace("rank: [1, 4]", f"rank: [1, {4 + len(strings)}]"))
        sweep = load_sweep(file)
        asked = plan(sweep, find_cards(sweep))
        strings[asked.sweep_id()] = file.read_text()
        submit(head, str(file), [], asked, store="trials/")
    assert 2 == len(strings)
    assert strings == {path.parent.name: path.read_text() for path in there.work.rglob("small.yaml")}


def test_plan_and_options_are_passed_on(tmp_path: Path) -> None:
    """The job gets the overrides, `--fresh`, the uploaded datasets and the id of the plan."""
    head, there = make_head(tmp_path)
    there.program("python3", PRINT_ID)
    settings = ['question=it\'s "a" [1]', "data.root=/somewhere/else"]
    sweep = planned(tmp_path, *settings)
    done = submit(head, str(tmp_path / "small.yaml"), settings, sweep, store="s3://b/x", fresh=True)
    ((module, name, verb, job, file, *words),) = there.calls("python3")
    place = f"sweeps/{sweep.sweep_id()}/small.yaml"
    assert ["-m", "tcray.cluster.job", "submit", place] == [module, name, verb, file]
    assert re.fullmatch(rf"tcray-{sweep.sweep_id()}-\d{{8}}-\d{{6}}", job)
    assert [*settings, "data.root=data"] == find_options(words, "set")
    assert (["s3://b/x"], [sweep.sweep_id()]) == (find_options(words, "store"), find_options(words, "plan"))
    assert "--fresh" in words
    assert Submission(head, job, "small-1-g2", "s3://b/x") == done


@pytest.mark.parametrize(("code", "kind"), [(2, InputError), (1, SweepError)])
def test_rejection_by_the_head_is_raised(tmp_path: Path, code: int, kind: type[Exception]) -> None:
    """The message is the head's, and nothing is uploaded."""
    head, there = make_head(tmp_path)
    there.program("python3", f"echo 'Error: it is already being run' >&2; exit {code}")
    with pytest.raises(kind, match=r"^it is already being run$"):
        submit(head, str(write_sweep_file(tmp_path)), [], planned(tmp_path), store="trials/")
    (asked,) = there.calls("python3")
    assert ["-m", "tcray.cluster.job", "ready", planned(tmp_path).sweep_id(), "--store=trials/"] == asked
    assert [] == [*there.work.iterdir()]


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # subprocess.run leaves the killed process
def test_ctrl_c_during_the_submission_names_the_status_command(tmp_path: Path) -> None:
    """This machine does not know if the sweep was submitted."""
    head, there = make_head(tmp_path)
    there.program("python3", f'[ "$3" = submit ] || {{ {PRINT_ID}; exit; }}', f"{CTRL_C}; sleep 60")
    with pytest.raises(Interrupted, match=r"`tcray status --cluster 'cluster/my own.yaml'` shows whether it runs"):
        submit(head, str(write_sweep_file(tmp_path)), [], planned(tmp_path), store="trials/")


@pytest.mark.parametrize("code", [0, 1, 2, 130])
def test_follow_returns_the_exit_code_of_the_sweep(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], code: int
) -> None:
    """The output of the sweep is printed here."""
    submission, there = make_submission(tmp_path, f"echo 32 of 32 runs done; exit {100 + code}")
    assert code == submission.follow(lambda _: None)
    assert "32 of 32 runs done\n" == capfd.readouterr().out
    assert [["-m", "tcray.cluster.job", "follow", "tcray-1", "small-1", "--store=trials/"]] == there.calls("python3")


def test_follow_startup_passes_until_started(tmp_path: Path) -> None:
    """The command on the head ends when the sweep has started."""
    submission, there = make_submission(tmp_path, "exit 100")
    assert 0 == submission.follow_startup()
    assert "--until-started" == there.calls("python3")[0][-1]


@pytest.mark.parametrize("code", [0, 1, 2, 69, 125, 130, 137, 255])
@pytest.mark.parametrize("follow", [lambda one: one.follow(lambda _: None), lambda one: one.follow_startup()])
def test_lost_connection_is_no_outcome(tmp_path: Path, code: int, follow: Callable[[Submission], int]) -> None:
    """The message states that the sweep keeps running, and how to follow it."""
    submission, _ = make_submission(tmp_path, f"exit {code}")
    with pytest.raises(SweepError) as caught:
        follow(submission)
    assert (
        "lost the connection to the head of cluster/my own.yaml (10.0.0.1); the sweep keeps running",
        "Follow it: tcray status small-1 --follow --store trials/ --cluster 'cluster/my own.yaml'",
    ) == (caught.value.message, caught.value.remedy)


def test_ctrl_c_stops_the_sweep(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The sweep is followed until it has stopped, with the exit code of an interrupted sweep."""
    submission, there = make_submission(tmp_path, UNTIL_STOPPED)
    said: list[str] = []
    assert 130 == submission.follow(said.append)
    assert ["stopping the sweep, which takes some seconds; press Ctrl-C again to leave without waiting"] == said
    assert "interrupted with 3 of 32 runs done\n" == capfd.readouterr().out
    assert ["-m", "tcray.cluster.job", "stop", "tcray-1", "small-1", "--store=trials/"] == there.calls("python3")[-1]


def test_second_ctrl_c_stops_following(tmp_path: Path) -> None:
    """The sweep stops nevertheless."""
    submission, there = make_submission(
        tmp_path, UNTIL_STOPPED.replace("touch stopped", f"touch asked; sleep 0.3; {CTRL_C}")
    )
    with pytest.raises(Interrupted, match=r"^no longer following the sweep, which is stopping$"):
        submission.follow(lambda _: None)
    assert (there.work / "asked").exists()


def test_ctrl_c_after_detach_does_not_stop_the_sweep(tmp_path: Path) -> None:
    """Only following ends."""
    submission, there = make_submission(tmp_path, UNTIL_STOPPED)
    with pytest.raises(Interrupted, match=r"^no longer following the sweep, which keeps running$"):
        submission.follow_startup()
    assert not (there.work / "stopped").exists()
