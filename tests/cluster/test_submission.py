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
"""As bash says it: it reaches the tests in the midst of what they wait for."""

SAYS_ID = f"echo '{ANSWER_PREFIX}small-1-g2'"
STOPS = f"""\
case "$3" in
  follow) {CTRL_C}; until [ -e stopped ]; do sleep 0.05; done; echo interrupted with 3 of 32 runs done; exit 230;;
  stop) touch stopped;;
esac"""
"""A sweep that goes on until it is stopped, for which Ctrl-C is pressed once it is followed."""


def planned(folder: Path, *overrides: str) -> Plan:
    """The sweep on the laptop."""
    sweep = make_sweep(folder, *overrides)
    return plan(sweep, find_cards(sweep))


def imported(folder: Path, *names: str) -> None:
    """Datasets on the laptop, as far as a plan looks at them: the twin's card, and arrays that nobody opens."""
    import json

    from tcray.data.catalog import FORMAT, find_card

    root = folder / "data"
    root.mkdir(exist_ok=True)
    for name in names:
        document = {**find_card(name, root).document(), "format": FORMAT, "content": "x"}
        card_path(name, root).write_text(json.dumps(document))
        arrays_path(name, root).write_bytes(name.encode())


def a_submission(folder: Path, *lines: str) -> tuple[Submission, LocalLauncher]:
    """A sweep that was submitted; on the head these lines of bash are all that `python3` does."""
    head, there = make_head(folder)
    there.program("python3", *lines)
    return Submission(head, "tcray-1", "small-1", "trials/"), there


def test_what_the_sweep_needs_is_sent_and_no_more(tmp_path: Path) -> None:
    """That is its file, and those of its datasets that are imported here; other datasets stay."""
    imported(tmp_path, "mosi", "mustard")
    head, there = make_head(tmp_path)
    there.program("python3", SAYS_ID)
    sweep = planned(tmp_path, "datasets=[mosi, hateful_memes]")
    submit(head, str(tmp_path / "small.yaml"), ["datasets=[mosi, hateful_memes]"], sweep, store="trials/")
    sent = [str(path.relative_to(there.work)) for path in there.work.rglob("*") if path.is_file()]
    place = f"sweeps/{sweep.sweep_id()}/small.yaml"
    assert ["data/mosi.json", "data/mosi.npz", place] == sorted(sent)
    assert write_sweep_file(tmp_path).read_text() == (there.work / place).read_text()


def test_two_sweeps_of_files_of_one_name_have_each_their_own(tmp_path: Path) -> None:
    """What is sent for one is not in the way of the other, which may not have been started yet."""
    head, there = make_head(tmp_path)
    there.program("python3", SAYS_ID)
    strings = {}
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


def test_it_is_submitted_as_it_was_planned(tmp_path: Path) -> None:
    """Overrides and freshness are passed on, the datasets are those that were sent, and the plan is to be the same."""
    head, there = make_head(tmp_path)
    there.program("python3", SAYS_ID)
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
def test_what_the_head_refuses_is_raised(tmp_path: Path, code: int, kind: type[Exception]) -> None:
    """With the head's own sentence, and nothing is sent: it is asked before."""
    head, there = make_head(tmp_path)
    there.program("python3", f"echo 'Error: it is already being run' >&2; exit {code}")
    with pytest.raises(kind, match=r"^it is already being run$"):
        submit(head, str(write_sweep_file(tmp_path)), [], planned(tmp_path), store="trials/")
    (asked,) = there.calls("python3")
    assert ["-m", "tcray.cluster.job", "ready", planned(tmp_path).sweep_id(), "--store=trials/"] == asked
    assert [] == [*there.work.iterdir()]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # subprocess.run leaves what it killed
def test_ctrl_c_while_it_is_handed_over_says_where_to_look(tmp_path: Path) -> None:
    """Then it is not known here whether the sweep was submitted."""
    head, there = make_head(tmp_path)
    there.program("python3", f'[ "$3" = submit ] || {{ {SAYS_ID}; exit; }}', f"{CTRL_C}; sleep 60")
    with pytest.raises(Interrupted, match=r"`tcray status --cluster 'cluster/my own.yaml'` shows whether it runs"):
        submit(head, str(write_sweep_file(tmp_path)), [], planned(tmp_path), store="trials/")


@pytest.mark.parametrize("code", [0, 1, 2, 130])
def test_a_sweep_is_followed_to_its_outcome(tmp_path: Path, capfd: pytest.CaptureFixture[str], code: int) -> None:
    """What it says is printed here, and its exit code is the sweep's."""
    submission, there = a_submission(tmp_path, f"echo 32 of 32 runs done; exit {100 + code}")
    assert code == submission.follow(lambda _: None)
    assert "32 of 32 runs done\n" == capfd.readouterr().out
    assert [["-m", "tcray.cluster.job", "follow", "tcray-1", "small-1", "--store=trials/"]] == there.calls("python3")


def test_a_beginning_is_followed_as_such(tmp_path: Path) -> None:
    """The head is told to end when the sweep has begun."""
    submission, there = a_submission(tmp_path, "exit 100")
    assert 0 == submission.follow_startup()
    assert "--until-started" == there.calls("python3")[0][-1]


@pytest.mark.parametrize("code", [0, 1, 2, 69, 125, 130, 137, 255])
@pytest.mark.parametrize("follow", [lambda one: one.follow(lambda _: None), lambda one: one.follow_startup()])
def test_a_lost_connection_is_no_outcome(tmp_path: Path, code: int, follow: Callable[[Submission], int]) -> None:
    """Nor is any other end of what follows it: it is said that it ends no sweep, and how to go on watching."""
    submission, _ = a_submission(tmp_path, f"exit {code}")
    with pytest.raises(SweepError) as caught:
        follow(submission)
    assert (
        "lost the connection to the head of cluster/my own.yaml (10.0.0.1); the sweep keeps running",
        "Follow it: tcray status small-1 --follow --store trials/ --cluster 'cluster/my own.yaml'",
    ) == (caught.value.message, caught.value.remedy)


def test_ctrl_c_stops_the_sweep(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It is asked to stop on the head, and followed to that end, which is an interrupted sweep's."""
    submission, there = a_submission(tmp_path, STOPS)
    said: list[str] = []
    assert 130 == submission.follow(said.append)
    assert ["stopping the sweep, which takes some seconds; press Ctrl-C again to leave without waiting"] == said
    assert "interrupted with 3 of 32 runs done\n" == capfd.readouterr().out
    assert ["-m", "tcray.cluster.job", "stop", "tcray-1", "small-1", "--store=trials/"] == there.calls("python3")[-1]


def test_a_second_ctrl_c_only_leaves(tmp_path: Path) -> None:
    """The sweep was asked to stop all the same; nobody waits until it has."""
    submission, there = a_submission(tmp_path, STOPS.replace("touch stopped", f"touch asked; sleep 0.3; {CTRL_C}"))
    with pytest.raises(Interrupted, match=r"^no longer following the sweep, which is stopping$"):
        submission.follow(lambda _: None)
    assert (there.work / "asked").exists()


def test_ctrl_c_at_the_beginning_of_a_detached_sweep_only_leaves(tmp_path: Path) -> None:
    """Who detaches a sweep does not end it by not waiting for its first line."""
    submission, there = a_submission(tmp_path, STOPS)
    with pytest.raises(Interrupted, match=r"^no longer following the sweep, which keeps running$"):
        submission.follow_startup()
    assert not (there.work / "stopped").exists()
