"""Commands said on the head of a cluster."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tcray import __version__
from tcray.cli import main
from tcray.cluster.cluster_file import ClusterFile
from tcray.cluster.head import ANSWER_PREFIX, Head
from tcray.errors import ConfigError
from tests.cluster.fakes import LocalLauncher, find_options, make_head
from tests.tune.factories import make_sweep, write_sweep_file

CLUSTER = "cluster/my own.yaml"
NAMED = "the head of cluster/my own.yaml (10.0.0.1)"


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalLauncher:
    """The head of every cluster file."""
    head, launcher = make_head(tmp_path)

    def from_file(cluster: str) -> Head:
        assert cluster == CLUSTER
        return head

    def require_valid(file: ClusterFile) -> None:
        if wrong := file.mapping("wrong"):
            raise ConfigError(file.path, [file.node("wrong").problem(str(wrong))])

    (tmp_path / "cluster").mkdir()
    (tmp_path / CLUSTER).write_text("cluster_name: mine\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tcray.cluster.check.require_valid", require_valid)
    monkeypatch.setattr(Head, "from_file", from_file)
    monkeypatch.delenv("TCRAY_STORE", raising=False)
    return launcher


def answering(there: LocalLauncher, *lines: str, store: str = "", version: str = __version__) -> None:
    """Has the head greet as it should, with the store it names, and otherwise do what `lines` of bash say."""
    info = shlex.quote(ANSWER_PREFIX + json.dumps([version, store]))
    there.program("python3", f'[ "$1" != -c ] || {{ echo {info}; exit; }}', *lines)


def say(*words: str) -> Result:
    """Says a command here."""
    return CliRunner().invoke(main, [*words, "--cluster", CLUSTER])


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (["status"], ["status"]),
        (["status", "rank"], ["status", "rank"]),
        (
            ["status", "rank", "--follow", "--store", "s3://b/x y"],
            ["status", "rank", "--follow", "--store", "s3://b/x y"],
        ),
        (["stop", "rank"], ["stop", "rank"]),
        (["stop", "rank", "--store", "trials/"], ["stop", "rank", "--store", "trials/"]),
    ],
)
def test_a_command_is_said_there_as_it_is_here(there: LocalLauncher, said: list[str], words: list[str]) -> None:
    """With the same words, but for the cluster."""
    answering(there)
    assert 0 == say(*said).exit_code
    assert ["-m", "tcray", *words] == there.calls("python3")[-1]


def test_what_it_prints_there_is_printed_here(there: LocalLauncher, capfd: pytest.CaptureFixture[str]) -> None:
    """Both streams pass, and the exit code."""
    answering(there, "echo 3 runs; echo sweep rank-1 >&2; exit 1")
    assert 1 == say("status", "rank").exit_code
    assert ("3 runs\n", "sweep rank-1\n") == tuple(capfd.readouterr())


@pytest.mark.parametrize("command", [["status"], ["stop", "rank"]])
def test_the_store_of_this_machine_is_none_of_the_head_s(
    there: LocalLauncher, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    """TCRAY_STORE of this machine's environment is not passed on: the head has its own."""
    monkeypatch.setenv("TCRAY_STORE", "here/")
    answering(there)
    say(*command)
    assert ["-m", "tcray", *command] == there.calls("python3")[-1]


@pytest.mark.parametrize("command", ["status", "stop"])
def test_a_sweep_is_named_by_id_or_name(there: LocalLauncher, command: str) -> None:
    """A sweep file is this machine's, and says nothing there."""
    result = say(command, "sweeps/rank.yaml")
    assert 2 == result.exit_code
    assert (
        "Error: with --cluster a sweep is named by its id or its name, and sweeps/rank.yaml is a file\n"
        "List the sweeps of the cluster: tcray status --cluster 'cluster/my own.yaml'\n"
    ) == result.stderr
    assert [] == there.calls("python3")


OTHER = f"{NAMED} has tcray 0.0.1, and this machine {__version__}"


@pytest.mark.parametrize("words", [["status"], ["stop", "rank"]])
def test_another_version_is_watched_and_stopped(there: LocalLauncher, words: list[str]) -> None:
    """It is the head's own command; that it is of another version is noted."""
    answering(there, version="0.0.1")
    result = say(*words)
    assert (0, f"note: {OTHER}\n") == (result.exit_code, result.stderr)
    assert ["-m", "tcray", *words] == there.calls("python3")[-1]


def test_another_version_runs_no_sweep(there: LocalLauncher, tmp_path: Path) -> None:
    """Then nothing is sent."""
    answering(there, version="0.0.1")
    result = run(tmp_path)
    remedy = "Install the same version on both."
    assert (2, f"Error: {OTHER}\n{remedy}\n") == (result.exit_code, result.stderr)
    assert ([], 1) == ([*there.work.iterdir()], len(there.calls("python3")))


WRONG = {
    "wrong: {a: b}\n": "1:8: wrong: {'a': 'b'}",
    "docker: FILL_IN # an image\n": "1:9: docker: to be filled in: an image",
}


def test_a_wrong_cluster_file_keeps_a_sweep_from_its_start_alone(there: LocalLauncher, tmp_path: Path) -> None:
    """What is up is watched and stopped, whatever the check says of the file by now."""
    answering(there)
    for text, sentence in WRONG.items():
        (tmp_path / CLUSTER).write_text(text)
        result = run(tmp_path)
        assert (2, f"Error: {CLUSTER}:{sentence}\n") == (result.exit_code, result.stderr)
    assert [] == there.calls("python3")
    assert [0, 0] == [say("status").exit_code, say("stop", "rank").exit_code]


SUBMITS = """\
case "$3" in
  ready) echo 'tcray answers: yes';;
  submit) echo 'tcray answers: small-1';;
  follow) echo 32 of 32 runs done; exit $((100 + {code}));;
esac"""


def run(folder: Path, *words: str) -> Result:
    """Says `tcray sweep` of the small sweep."""
    return say("sweep", str(write_sweep_file(folder)), *words)


def test_a_sweep_is_run_there_and_followed(
    there: LocalLauncher, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is said how to watch it, stop it and fetch it; its log is printed, and at last again how to fetch it."""
    answering(there, SUBMITS.format(code=0))
    result = run(tmp_path)
    assert 0 == result.exit_code
    fetch = "ray rsync-down 'cluster/my own.yaml' '~/tcray-work/trials/' trials/"
    assert [
        f"sweep small-1 runs on {NAMED} and does not depend on this machine",
        "  watch   tcray status small-1 --follow --cluster 'cluster/my own.yaml'",
        "  stop    tcray stop small-1 --cluster 'cluster/my own.yaml'",
        f"  fetch   {fetch}",
        "  results tcray results small-1",
        f"To copy the store to this machine: {fetch}",
    ] == result.stderr.splitlines()
    assert "32 of 32 runs done\n" == capfd.readouterr().out


@pytest.mark.parametrize("code", [1, 2, 130])
def test_it_ends_as_the_sweep_ends(there: LocalLauncher, tmp_path: Path, code: int) -> None:
    """With the same exit code, and nothing to fetch at the end."""
    answering(there, SUBMITS.format(code=code))
    result = run(tmp_path)
    assert code == result.exit_code
    assert "  results tcray results small-1" == result.stderr.splitlines()[-1]


def test_a_detached_sweep_is_left_once_it_has_begun(there: LocalLauncher, tmp_path: Path) -> None:
    """Its beginning is followed, and how to fetch it is said once."""
    answering(there, SUBMITS.format(code=0))
    result = run(tmp_path, "--detach")
    assert 0 == result.exit_code
    assert "--until-started" == there.calls("python3")[-1][-1]
    assert "  results tcray results small-1" == result.stderr.splitlines()[-1]


def analyze(result: Result) -> str:
    """The line that shows the results."""
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("  results ")]
    return line.removeprefix("  results ")


@pytest.mark.parametrize(
    ("theirs", "said", "store", "fetch", "results"),
    [
        ("", [], "trials/", "'~/tcray-work/trials/' trials/", "tcray results small-1"),
        ("/nfs/trials", [], "/nfs/trials", "/nfs/trials/ trials/", "tcray results small-1"),
        ("file:///nfs/t", [], "file:///nfs/t", "/nfs/t/ trials/", "tcray results small-1"),
        ("s3://b/t", [], "s3://b/t", "", "tcray results small-1 --store s3://b/t"),
        ("s3://b/t", ["--store", "mine"], "mine", "'~/tcray-work/mine/' trials/", "tcray results small-1"),
    ],
)
def test_the_store_is_the_head_s_unless_one_is_said(
    there: LocalLauncher, tmp_path: Path, theirs: str, said: list[str], store: str, fetch: str, results: str
) -> None:
    """That of Ray's environment there, else a folder there, which can be fetched; a bucket needs no fetching."""
    answering(there, SUBMITS.format(code=0), store=theirs)
    result = run(tmp_path, *said)
    submitted = next(call for call in there.calls("python3") if "submit" in call)
    assert [store] == find_options(submitted, "store")
    assert results == analyze(result)
    fetches = [line for line in result.stderr.splitlines() if line.startswith("  fetch ")]
    assert ([f"  fetch   ray rsync-down 'cluster/my own.yaml' {fetch}"] if fetch else []) == fetches
    assert (f"tcray stop small-1 --store mine --cluster '{CLUSTER}'" in result.stderr) == bool(said)


def test_what_is_fetched_is_shown_where_it_was_fetched_to(
    there: LocalLauncher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where this machine's environment names another store, the command that shows the results names the folder."""
    monkeypatch.setenv("TCRAY_STORE", "s3://here")
    answering(there, SUBMITS.format(code=0), store="/nfs/t")
    assert "tcray results small-1 --store trials/" == analyze(run(tmp_path))


CREDENTIALS = (
    "contains credentials, which anyone who lists the head's processes and jobs could read\n"
    "Leave them out: the head takes them from its environment (for S3: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) "
    "or its machine's role.\n"
)
A_HOME = (
    "is ~/mine, and no shell on the head expands the ~\n"
    "Name the folder by its absolute path on the head, or relative to ~/tcray-work.\n"
)


@pytest.mark.parametrize(("store", "sentence"), [("s3://KEY:SECRET@b/x", CREDENTIALS), ("~/mine", A_HOME)])
def test_a_store_that_cannot_be_said_there_is_told(
    there: LocalLauncher, tmp_path: Path, store: str, sentence: str
) -> None:
    """Neither with credentials nor with a home that no shell has found, be it said here or in Ray's environment."""
    answering(there)
    for words in (["status"], ["stop", "rank"], ["sweep", str(write_sweep_file(tmp_path))]):
        result = say(*words, "--store", store)
        assert (2, f"Error: --store {sentence}") == (result.exit_code, result.stderr)
    assert [] == there.calls("python3")
    answering(there, store=store)
    result = run(tmp_path)
    assert (2, f"Error: TCRAY_STORE of {NAMED} {sentence}") == (result.exit_code, result.stderr)
    assert 1 == len(there.calls("python3"))
    assert 0 == say("status").exit_code


@pytest.mark.parametrize(
    "store", ["abfs://container@account.dfs.core.windows.net/x", "gs://anonymous@b", "s3://b/a:b@c"]
)
def test_an_at_sign_alone_is_no_credential(there: LocalLauncher, tmp_path: Path, store: str) -> None:
    """Some places are named with one."""
    answering(there, SUBMITS.format(code=0), store=store)
    assert 0 == run(tmp_path).exit_code


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--set", "training.epoch=3"], "training.epoch"),
        (["--set", "data.missing=error"], "datasets: mosi has not been imported into"),
        (["--address", "auto"], "--cluster and --address exclude each other"),
    ],
)
def test_what_is_wrong_here_is_told_before_anybody_is_called(
    there: LocalLauncher, tmp_path: Path, words: list[str], message: str
) -> None:
    """A mistake in the sweep, missing data, two places at once: each is wrong input, and nothing is sent."""
    result = run(tmp_path, *words)
    assert 2 == result.exit_code
    assert message in result.stderr
    assert ([], False) == (there.calls("python3"), there.work.exists())


def test_only_what_runs_elsewhere_is_detached(tmp_path: Path) -> None:
    """`--detach` without a cluster is wrong input."""
    result = CliRunner().invoke(main, ["sweep", str(write_sweep_file(tmp_path)), "--detach"])
    assert (2, "Error: --detach needs --cluster\nName the cluster file: --cluster FILE.\n") == (
        result.exit_code,
        result.stderr,
    )


def test_the_plan_is_that_of_the_file_and_what_is_set(there: LocalLauncher, tmp_path: Path) -> None:
    """The head is told the id of the very sweep that was planned here."""
    from tcray.search.plan import find_cards, plan

    answering(there, SUBMITS.format(code=0))
    run(tmp_path, "--set", "seed=7", "--fresh")
    (submitted,) = [call for call in there.calls("python3") if "submit" in call]
    asked = make_sweep(tmp_path, "seed=7")
    assert [plan(asked, find_cards(asked)).sweep_id()] == find_options(submitted, "plan")
    assert "--fresh" in submitted
