"""`Head`: commands run in Ray's environment on the head; failures become one sentence."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tcray.cluster.check import check_cluster_file
from tcray.cluster.cluster_file import load_cluster_file
from tcray.cluster.head import ANSWER_PREFIX, Head, HeadInfo
from tcray.errors import ConfigError, InputError, SweepError, TcrayError
from tcray.version import __version__
from tests.cluster.fakes import LocalLauncher, make_head, write_process

REPOSITORY = Path(__file__).resolve().parents[2]

PRINT_ARGUMENTS = f"import json, os, sys; print({ANSWER_PREFIX!r} + json.dumps([os.getcwd(), *sys.argv[1:]]))"
"""Program that answers with its working directory and its arguments."""


class FixedProcesses(LocalLauncher):
    """Launcher of a head whose processes are written by the test."""

    def command(self, script: str) -> list[str]:
        """Return the command that runs a script here."""
        return ["env", "-i", "bash", "-c", script.replace("/proc/", f"{self.processes}/", 1)]

    @property
    def processes(self) -> Path:
        """Return the head's /proc."""
        return self.home / "proc"


class FixedAnswer(LocalLauncher):
    """Launcher that runs the script in the file `answer` instead of every command."""

    def command(self, script: str) -> list[str]:
        """Return the command that runs `answer`."""
        return ["bash", "-c", (self.home / "answer").read_text()]


def make_fixed_head(folder: Path, script: str) -> Head:
    """Return a head on which every command runs `script`."""
    (folder / "answer").write_text(script)
    return Head("c.yaml", FixedAnswer(folder))


def test_arguments_arrive_unchanged(tmp_path: Path) -> None:
    """Every special character is kept; the command runs in the work folder."""
    words = ["it's", '"a" [1, {b: c}]', "$HOME `id` \\", "~/x", "", " two  blanks ", "é*?", "a\nb", "--set=x=y; exit 3"]
    head, there = make_head(tmp_path)
    assert [str(there.work), *words] == json.loads(head.query("python3", "-c", PRINT_ARGUMENTS, *words))


def test_handshake_returns_the_store_of_the_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is TCRAY_STORE in the head's environment; the head is recorded as up."""
    head, there = make_head(tmp_path)
    monkeypatch.delenv("TCRAY_STORE", raising=False)
    assert HeadInfo("") == head.handshake()
    monkeypatch.setenv("TCRAY_STORE", "s3://bucket/a b")
    assert HeadInfo("s3://bucket/a b") == head.handshake()
    assert (there.home / "recorded").exists()


HANDSHAKE = f"echo '{ANSWER_PREFIX}{json.dumps([__version__, 'x'])}'"


def test_output_of_the_shell_is_ignored(tmp_path: Path) -> None:
    """~/.bashrc and ~/.bash_logout may print lines before and after the answer."""
    assert HeadInfo("x") == make_fixed_head(tmp_path, f"echo Welcome; {HANDSHAKE}; echo; echo Goodbye").handshake()


def test_command_runs_in_the_environment_of_the_cluster_s_ray(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of several Rays, the one on the cluster's port with a readable environment is used; nothing is printed."""
    there = FixedProcesses(tmp_path)
    write_process(there.processes, 3, "50123", {"STORE": "of a private Ray"})
    write_process(there.processes, 5, "6379", None)
    write_process(there.processes, 7, "6379", {"HOME": str(tmp_path), "BASH_FUNC_x%%": "() { :; }", "STORE": "a\nb"})
    assert 0 == Head("c.yaml", there).run("printenv", "STORE", "RAY_ADDRESS")
    assert ("a\nb\n10.0.0.1:6379\n", "") == tuple(capfd.readouterr())


@pytest.mark.parametrize(("port", "environment"), [("50123", {"A": "B"}), ("6379", None)])
def test_foreign_ray_is_ignored(tmp_path: Path, port: str, environment: dict[str, str] | None) -> None:
    """A Ray on another port, or with an unreadable environment, does not count."""
    there = FixedProcesses(tmp_path)
    write_process(there.processes, 3, port, environment)
    with pytest.raises(InputError, match=r"^the head of c\.yaml \(10\.0\.0\.1\) runs no Ray\n"):
        Head("c.yaml", there).handshake()


UP = "Start it: ray up c.yaml"


@pytest.mark.parametrize(
    ("script", "message", "remedy"),
    [
        (
            "echo hm >&2; echo 'ssh: connect to host 10.0.0.1 port 22: No route to host' >&2; exit 255",
            "the head of c.yaml (10.0.0.1) does not answer: ssh: connect to host 10.0.0.1 port 22: No route to host",
            f"{UP}; or correct `auth` in the file.",
        ),
        ("exit 69", "the head of c.yaml (10.0.0.1) runs no Ray", UP),
        (
            "echo \"ModuleNotFoundError: No module named 'tcray'\" >&2; exit 1",
            "the head of c.yaml (10.0.0.1) has no tcray: ModuleNotFoundError: No module named 'tcray'",
            f"Install tcray {__version__} in its setup commands or its image.",
        ),
        (
            "echo hello",
            "the head of c.yaml (10.0.0.1) has no tcray: no output",
            f"Install tcray {__version__} in its setup commands or its image.",
        ),
    ],
)
def test_unusable_head_is_reported(tmp_path: Path, script: str, message: str, remedy: str) -> None:
    """No answer, no Ray, no tcray: each raises InputError, and the head is not recorded as up."""
    with pytest.raises(InputError) as caught:
        make_fixed_head(tmp_path, script).handshake()
    assert (message, remedy) == (caught.value.message, caught.value.remedy)
    assert not (tmp_path / "recorded").exists()


def test_other_version_is_reported(tmp_path: Path) -> None:
    """The head is recorded as up nevertheless."""
    other = make_fixed_head(tmp_path, f'echo \'{ANSWER_PREFIX}["0.0.1", ""]\'').handshake().other_version
    assert f"the head of c.yaml (10.0.0.1) has tcray 0.0.1, and this machine {__version__}" == other
    assert (tmp_path / "recorded").exists()


ONPREM = (REPOSITORY / "cluster" / "onprem.yaml").read_text()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("", ""), r"provider\.head_ip: to be filled in"),
        (("cluster_name:", "cluster_nmae:"), r"c\.yaml:\d+:1: no cluster_name, which is needed to find the head"),
    ],
)
def test_file_without_the_head_s_address_is_rejected(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    """A missing cluster name or an address that is not filled in raises ConfigError."""
    path = tmp_path / "c.yaml"
    path.write_text(ONPREM.replace(*change))
    with pytest.raises(ConfigError, match=message):
        Head.from_file(str(path))


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # Ray leaves files open for the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_invalid_file_suffices_to_reach_the_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A running cluster can be watched and stopped although `tcray cluster check` rejects its file."""
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = tmp_path / "c.yaml"
    text = ONPREM.replace("--port=6379", "--port=6380").replace("head_ip: FILL_IN", "head_ip: 10.0.0.1")
    text = text.replace("[FILL_IN, FILL_IN]", "[]").replace("ssh_user: FILL_IN", "ssh_user: me")
    path.write_text(text.replace("ray stop", "echo FILL_IN").replace("=127.0.0.1", "=0.0.0.0"))
    file = load_cluster_file(str(path))
    assert (True, True) == (bool(check_cluster_file(file).errors), bool(file.unfilled))
    head = Head.from_file(str(path))
    assert ("10.0.0.1", "6380") == (head.launcher.address, head.port)


@pytest.mark.parametrize(("code", "kind"), [(1, SweepError), (2, InputError), (75, SweepError)])
def test_error_on_the_head_is_raised_here(tmp_path: Path, code: int, kind: type[TcrayError]) -> None:
    """The class, message and remedy are those of the error on the head."""
    head, _ = make_head(tmp_path)
    with pytest.raises(kind) as caught:
        head.query("bash", "-c", f"printf 'Welcome\\nWarning: x\\nError: no room\\nMake room.\\n' >&2; exit {code}")
    assert ("no room", "Make room.") == (caught.value.message, caught.value.remedy)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("exit 7", "the head of cluster/my own.yaml (10.0.0.1): no answer, exit code 7"),
        ("exit 0", "the head of cluster/my own.yaml (10.0.0.1): no answer, exit code 0"),
        ("printf 'Traceback\\nImportError: x\\n' >&2; exit 2", "ImportError: x"),
    ],
)
def test_other_failure_is_reported(tmp_path: Path, script: str, message: str) -> None:
    """The message is the last line of stderr, or else the exit code; the user's input is not blamed."""
    head, _ = make_head(tmp_path)
    with pytest.raises(SweepError) as caught:
        head.query("bash", "-c", script)
    assert message == caught.value.message


def test_output_is_passed_through(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """stdout, stderr and the exit code arrive unchanged."""
    head, _ = make_head(tmp_path)
    assert 130 == head.run("bash", "-c", "echo out; echo err >&2; exit 130")
    assert ("out\n", "err\n") == tuple(capfd.readouterr())


def test_lost_connection_is_reported(tmp_path: Path) -> None:
    """The exit code of ssh is not taken for that of the command."""
    with pytest.raises(SweepError, match=r"^lost the connection to the head of c.yaml \(10.0.0.1\)\n"):
        make_fixed_head(tmp_path, "exit 255").run("tcray", "status")


def test_ctrl_c_ends_the_command(tmp_path: Path) -> None:
    """KeyboardInterrupt is raised, and the command on the head ends."""
    head, there = make_head(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        head.run("bash", "-c", f"kill -INT {os.getpid()}; sleep 60; touch late")
    assert not (there.work / "late").exists()


def test_uploaded_files_keep_their_paths_and_times(tmp_path: Path) -> None:
    """rsync detects changed files by their modification times."""
    head, there = make_head(tmp_path)
    source = tmp_path / "a.npz"
    source.write_bytes(b"\0\1")
    os.utime(source, (1, 1_000_000))
    head.upload({"data/a.npz": source, "sweeps/deep/b.yaml": source})
    found = {str(path.relative_to(there.work)): path for path in there.work.rglob("*") if path.is_file()}
    assert {"data/a.npz", "sweeps/deep/b.yaml"} == found.keys()
    assert [(b"\0\1", 1_000_000)] * 2 == [(path.read_bytes(), path.stat().st_mtime) for path in found.values()]


def test_python_is_found_on_the_path_of_ray(tmp_path: Path) -> None:
    """`python3` is the first one on the PATH of Ray's environment."""
    head, _ = make_head(tmp_path)
    assert Path(sys.prefix) == Path(head.query("python3", "-c", f"import sys; print({ANSWER_PREFIX!r} + sys.prefix)"))
