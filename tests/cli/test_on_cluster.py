"""Commands that run on a cluster's head node."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tcray.cli import main
from tcray.cluster.cluster_file import ClusterFile
from tcray.cluster.head import ANSWER_PREFIX, Head
from tcray.errors import ConfigError
from tcray.version import __version__
from tests.cluster.fakes import LocalLauncher, find_options, make_head
from tests.tune.factories import make_sweep, write_sweep_file

CLUSTER = "cluster/my own.yaml"
NAMED = "the head of cluster/my own.yaml (10.0.0.1)"


@pytest.fixture
def head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalLauncher:
    """Return the fake launcher of the head of every cluster file."""
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


def set_up_head(head: LocalLauncher, *lines: str, store: str = "", version: str = __version__) -> None:
    """Let the head answer the handshake with the given store and version, and otherwise run `lines` of bash."""
    info = shlex.quote(ANSWER_PREFIX + json.dumps([version, store]))
    head.program("python3", f'[ "$1" != -c ] || {{ echo {info}; exit; }}', *lines)


def run(*arguments: str) -> Result:
    """Run a command with `--cluster`."""
    return CliRunner().invoke(main, [*arguments, "--cluster", CLUSTER])


@pytest.mark.parametrize(
    ("arguments", "expected"),
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
def test_a_command_runs_on_the_head_with_the_same_arguments(
    head: LocalLauncher, arguments: list[str], expected: list[str]
) -> None:
    """Only `--cluster` is removed."""
    set_up_head(head)
    assert 0 == run(*arguments).exit_code
    assert ["-m", "tcray", *expected] == head.calls("python3")[-1]


def test_output_and_exit_code_are_passed_on(head: LocalLauncher, capfd: pytest.CaptureFixture[str]) -> None:
    """Both stdout and stderr are printed."""
    set_up_head(head, "echo 3 runs; echo sweep rank-1 >&2; exit 1")
    assert 1 == run("status", "rank").exit_code
    assert ("3 runs\n", "sweep rank-1\n") == tuple(capfd.readouterr())


@pytest.mark.parametrize("command", [["status"], ["stop", "rank"]])
def test_the_store_variable_is_not_passed_on(
    head: LocalLauncher, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    """TCRAY_STORE is for this machine only: the head has its own."""
    monkeypatch.setenv("TCRAY_STORE", "here/")
    set_up_head(head)
    run(*command)
    assert ["-m", "tcray", *command] == head.calls("python3")[-1]


@pytest.mark.parametrize("command", ["status", "stop"])
def test_a_sweep_is_named_by_id_or_name(head: LocalLauncher, command: str) -> None:
    """A sweep file exists only on this machine."""
    result = run(command, "sweeps/rank.yaml")
    assert 2 == result.exit_code
    assert (
        "Error: with --cluster a sweep is named by its id or its name, and sweeps/rank.yaml is a file\n"
        "List the sweeps of the cluster: tcray status --cluster 'cluster/my own.yaml'\n"
    ) == result.stderr
    assert [] == head.calls("python3")


OTHER = f"{NAMED} has tcray 0.0.1, and this machine {__version__}"


@pytest.mark.parametrize("arguments", [["status"], ["stop", "rank"]])
def test_another_version_can_be_followed_and_stopped(head: LocalLauncher, arguments: list[str]) -> None:
    """The head's own command runs, and the other version is noted."""
    set_up_head(head, version="0.0.1")
    result = run(*arguments)
    assert (0, f"note: {OTHER}\n") == (result.exit_code, result.stderr)
    assert ["-m", "tcray", *arguments] == head.calls("python3")[-1]


def test_another_version_runs_no_sweep(head: LocalLauncher, tmp_path: Path) -> None:
    """Nothing is uploaded."""
    set_up_head(head, version="0.0.1")
    result = run_sweep(tmp_path)
    remedy = "Install the same version on both."
    assert (2, f"Error: {OTHER}\n{remedy}\n") == (result.exit_code, result.stderr)
    assert ([], 1) == ([*head.work.iterdir()], len(head.calls("python3")))


WRONG = {
    "wrong: {a: b}\n": "1:8: wrong: {'a': 'b'}",
    "docker: FILL_IN # an image\n": "1:9: docker: to be filled in: an image",
}


def test_a_wrong_cluster_file_prevents_only_the_start_of_sweeps(head: LocalLauncher, tmp_path: Path) -> None:
    """Running sweeps can be followed and stopped nevertheless."""
    set_up_head(head)
    for text, sentence in WRONG.items():
        (tmp_path / CLUSTER).write_text(text)
        result = run_sweep(tmp_path)
        assert (2, f"Error: {CLUSTER}:{sentence}\n") == (result.exit_code, result.stderr)
    assert [] == head.calls("python3")
    assert [0, 0] == [run("status").exit_code, run("stop", "rank").exit_code]


SUBMITS = """\
case "$3" in
  ready) echo 'tcray answers: yes';;
  submit) echo 'tcray answers: small-1';;
  follow) echo 32 of 32 runs done; exit $((100 + {code}));;
esac"""


def run_sweep(folder: Path, *arguments: str) -> Result:
    """Run `tcray sweep` on the small sweep."""
    return run("sweep", str(write_sweep_file(folder)), *arguments)


def test_a_sweep_is_run_on_the_head_and_followed(
    head: LocalLauncher, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The commands that follow, stop and fetch it are printed, then its log, and in the end the fetch command again."""
    set_up_head(head, SUBMITS.format(code=0))
    result = run_sweep(tmp_path)
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
def test_the_exit_code_is_that_of_the_sweep(head: LocalLauncher, tmp_path: Path, code: int) -> None:
    """A failed sweep has nothing to fetch."""
    set_up_head(head, SUBMITS.format(code=code))
    result = run_sweep(tmp_path)
    assert code == result.exit_code
    assert "  results tcray results small-1" == result.stderr.splitlines()[-1]


def test_a_detached_sweep_is_followed_until_it_has_started(head: LocalLauncher, tmp_path: Path) -> None:
    """The fetch command is printed once."""
    set_up_head(head, SUBMITS.format(code=0))
    result = run_sweep(tmp_path, "--detach")
    assert 0 == result.exit_code
    assert "--until-started" == head.calls("python3")[-1][-1]
    assert "  results tcray results small-1" == result.stderr.splitlines()[-1]


def find_results_command(result: Result) -> str:
    """Return the command that shows the results."""
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("  results ")]
    return line.removeprefix("  results ")


@pytest.mark.parametrize(
    ("theirs", "arguments", "store", "fetch", "results"),
    [
        ("", [], "trials/", "'~/tcray-work/trials/' trials/", "tcray results small-1"),
        ("/nfs/trials", [], "/nfs/trials", "/nfs/trials/ trials/", "tcray results small-1"),
        ("file:///nfs/t", [], "file:///nfs/t", "/nfs/t/ trials/", "tcray results small-1"),
        ("s3://b/t", [], "s3://b/t", "", "tcray results small-1 --store s3://b/t"),
        ("s3://b/t", ["--store", "mine"], "mine", "'~/tcray-work/mine/' trials/", "tcray results small-1"),
    ],
)
def test_the_store_is_the_head_s_unless_one_is_given(
    head: LocalLauncher, tmp_path: Path, theirs: str, arguments: list[str], store: str, fetch: str, results: str
) -> None:
    """It is that of the head's environment or a folder there, which can be fetched; a bucket needs no fetching."""
    set_up_head(head, SUBMITS.format(code=0), store=theirs)
    result = run_sweep(tmp_path, *arguments)
    submitted = next(call for call in head.calls("python3") if "submit" in call)
    assert [store] == find_options(submitted, "store")
    assert results == find_results_command(result)
    fetches = [line for line in result.stderr.splitlines() if line.startswith("  fetch ")]
    assert ([f"  fetch   ray rsync-down 'cluster/my own.yaml' {fetch}"] if fetch else []) == fetches
    assert (f"tcray stop small-1 --store mine --cluster '{CLUSTER}'" in result.stderr) == bool(arguments)


def test_the_results_command_names_the_fetched_store(
    head: LocalLauncher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If TCRAY_STORE of this machine names another store, the command has `--store trials/`."""
    monkeypatch.setenv("TCRAY_STORE", "s3://here")
    set_up_head(head, SUBMITS.format(code=0), store="/nfs/t")
    assert "tcray results small-1 --store trials/" == find_results_command(run_sweep(tmp_path))


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
def test_a_store_that_cannot_be_passed_on_is_refused(
    head: LocalLauncher, tmp_path: Path, store: str, sentence: str
) -> None:
    """Credentials and a home folder are refused, on the command line and in the head's environment."""
    set_up_head(head)
    for arguments in (["status"], ["stop", "rank"], ["sweep", str(write_sweep_file(tmp_path))]):
        result = run(*arguments, "--store", store)
        assert (2, f"Error: --store {sentence}") == (result.exit_code, result.stderr)
    assert [] == head.calls("python3")
    set_up_head(head, store=store)
    result = run_sweep(tmp_path)
    assert (2, f"Error: TCRAY_STORE of {NAMED} {sentence}") == (result.exit_code, result.stderr)
    assert 1 == len(head.calls("python3"))
    assert 0 == run("status").exit_code


@pytest.mark.parametrize(
    "store", ["abfs://container@account.dfs.core.windows.net/x", "gs://anonymous@b", "s3://b/a:b@c"]
)
def test_an_at_sign_alone_is_no_credential(head: LocalLauncher, tmp_path: Path, store: str) -> None:
    """The names of some stores contain one."""
    set_up_head(head, SUBMITS.format(code=0), store=store)
    assert 0 == run_sweep(tmp_path).exit_code


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "training.epoch=3"], "training.epoch"),
        (["--set", "data.missing=error"], "datasets: mosi has not been imported into"),
        (["--address", "auto"], "--cluster and --address exclude each other"),
    ],
)
def test_wrong_input_is_reported_before_the_head_is_contacted(
    head: LocalLauncher, tmp_path: Path, arguments: list[str], message: str
) -> None:
    """A mistake in the sweep, missing data and two clusters are wrong input; nothing is uploaded."""
    result = run_sweep(tmp_path, *arguments)
    assert 2 == result.exit_code
    assert message in result.stderr
    assert ([], False) == (head.calls("python3"), head.work.exists())


def test_only_a_sweep_on_a_cluster_can_be_detached(tmp_path: Path) -> None:
    """`--detach` without a cluster is wrong input."""
    result = CliRunner().invoke(main, ["sweep", str(write_sweep_file(tmp_path)), "--detach"])
    assert (2, "Error: --detach needs --cluster\nName the cluster file: --cluster FILE.\n") == (
        result.exit_code,
        result.stderr,
    )


def test_the_plan_includes_overrides(head: LocalLauncher, tmp_path: Path) -> None:
    """The head receives the id of the sweep that was planned here."""
    from tcray.search.plan import find_cards, plan

    set_up_head(head, SUBMITS.format(code=0))
    run_sweep(tmp_path, "--set", "seed=7", "--fresh")
    (submitted,) = [call for call in head.calls("python3") if "submit" in call]
    asked = make_sweep(tmp_path, "seed=7")
    assert [plan(asked, find_cards(asked)).sweep_id()] == find_options(submitted, "plan")
    assert "--fresh" in submitted
