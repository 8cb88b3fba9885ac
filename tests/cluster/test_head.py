from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tcray import __version__
from tcray.cluster.check import check_cluster_file
from tcray.cluster.cluster_file import load_cluster_file
from tcray.cluster.head import ANSWER_PREFIX, Head, HeadInfo
from tcray.errors import ConfigError, InputError, SweepError
from tests.cluster.fakes import LocalLauncher, make_head, write_process

REPOSITORY = Path(__file__).resolve().parents[2]

SAYS = f"import json, os, sys; print({ANSWER_PREFIX!r} + json.dumps([os.getcwd(), *sys.argv[1:]]))"
"""Answers where it is run, and what it is given."""


class Fixed(LocalLauncher):
    """A way to a head whose processes are what they are."""

    def command(self, script: str) -> list[str]:
        """Says it here."""
        return ["env", "-i", "bash", "-c", script.replace("/proc/", f"{self.processes}/", 1)]

    @property
    def processes(self) -> Path:
        """The head's /proc."""
        return self.home / "proc"


class Gone(LocalLauncher):
    """A way at whose end there is something else than the head of a cluster with tcray."""

    def command(self, script: str) -> list[str]:
        """Ends as `ending` says, whatever is said."""
        return ["bash", "-c", (self.home / "ending").read_text()]


def ending(folder: Path, script: str) -> Head:
    """A head that ends everything as `script` does."""
    (folder / "ending").write_text(script)
    return Head("c.yaml", Gone(folder))


def test_words_arrive_as_they_are_said(tmp_path: Path) -> None:
    """Whatever is in a word, the command on the head is given it as it is; it is said in the work folder."""
    words = ["it's", '"a" [1, {b: c}]', "$HOME `id` \\", "~/x", "", " two  blanks ", "é*?", "a\nb", "--set=x=y; exit 3"]
    head, there = make_head(tmp_path)
    assert [str(there.work), *words] == json.loads(head.query("python3", "-c", SAYS, *words))


def test_a_good_head_tells_its_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where this version of tcray is there, the head names the store of its environment, and is known to be up."""
    head, there = make_head(tmp_path)
    monkeypatch.delenv("TCRAY_STORE", raising=False)
    assert HeadInfo("") == head.handshake()
    monkeypatch.setenv("TCRAY_STORE", "s3://bucket/a b")
    assert HeadInfo("s3://bucket/a b") == head.handshake()
    assert (there.home / "recorded").exists()


GREETS = f"echo '{ANSWER_PREFIX}{json.dumps([__version__, 'x'])}'"


def test_what_a_shell_says_around_it_is_no_answer(tmp_path: Path) -> None:
    """A greeting from its ~/.bashrc is passed over, and so is a farewell from its ~/.bash_logout."""
    assert HeadInfo("x") == ending(tmp_path, f"echo Welcome; {GREETS}; echo; echo Goodbye").handshake()


def test_the_environment_is_that_of_the_cluster_s_ray(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Of several Rays on a host it is the one at the cluster's port whose environment may be read, in silence."""
    there = Fixed(tmp_path)
    write_process(there.processes, 3, "50123", {"STORE": "of a private Ray"})
    write_process(there.processes, 5, "6379", None)
    write_process(there.processes, 7, "6379", {"HOME": str(tmp_path), "BASH_FUNC_x%%": "() { :; }", "STORE": "a\nb"})
    assert 0 == Head("c.yaml", there).run("printenv", "STORE", "RAY_ADDRESS")
    assert ("a\nb\n10.0.0.1:6379\n", "") == tuple(capfd.readouterr())


@pytest.mark.parametrize(("port", "environment"), [("50123", {"A": "B"}), ("6379", None)])
def test_the_ray_of_another_is_none(tmp_path: Path, port: str, environment: dict[str, str] | None) -> None:
    """Neither one at another port, nor one whose environment may not be read."""
    there = Fixed(tmp_path)
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
def test_a_head_that_will_not_do_is_told_in_a_sentence(tmp_path: Path, script: str, message: str, remedy: str) -> None:
    """Nobody there, no Ray, no tcray: each is wrong input, and the head is not noted to be up."""
    with pytest.raises(InputError) as caught:
        ending(tmp_path, script).handshake()
    assert (message, remedy) == (caught.value.message, caught.value.remedy)
    assert not (tmp_path / "recorded").exists()


def test_another_tcray_is_told(tmp_path: Path) -> None:
    """It is up all the same."""
    other = ending(tmp_path, f'echo \'{ANSWER_PREFIX}["0.0.1", ""]\'').handshake().other_version
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
def test_a_file_that_does_not_tell_the_way_calls_nobody(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    """Where the cluster has no name, or the head's address has still to be filled in, that is said."""
    path = tmp_path / "c.yaml"
    path.write_text(ONPREM.replace(*change))
    with pytest.raises(ConfigError, match=message):
        Head.from_file(str(path))


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # Ray leaves files open for the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_file_that_tells_the_way_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever `tcray cluster check` says of the rest: what is up can be watched and stopped."""
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
def test_a_complaint_of_the_head_is_raised_here(tmp_path: Path, code: int, kind: type[Exception]) -> None:
    """What a command complains of there is an error of the same kind here, with the same sentence and remedy."""
    head, _ = make_head(tmp_path)
    with pytest.raises(kind) as caught:
        head.query("bash", "-c", f"printf 'Welcome\\nWarning: x\\nError: no room\\nMake room.\\n' >&2; exit {code}")
    assert ("no room", "Make room.") == (caught.value.message, caught.value.remedy)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("exit 7", "the head of cluster/my own.yaml (10.0.0.1): no answer, exit code 7"),
        ("exit 0", "the head of cluster/my own.yaml (10.0.0.1): no answer, exit code 0"),
        ("printf 'Traceback\\nImportError: x\\n' >&2; exit 2", "ImportError: x"),
    ],
)
def test_what_is_no_sentence_of_tcray_is_told(tmp_path: Path, script: str, message: str) -> None:
    """By the last line that was complained of, or else by the exit code; it is nothing that the user gave."""
    head, _ = make_head(tmp_path)
    with pytest.raises(SweepError) as caught:
        head.query("bash", "-c", script)
    assert message == caught.value.message


def test_what_is_printed_there_is_printed_here(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Both streams are passed on, each as it is, and so is the exit code."""
    head, _ = make_head(tmp_path)
    assert 130 == head.run("bash", "-c", "echo out; echo err >&2; exit 130")
    assert ("out\n", "err\n") == tuple(capfd.readouterr())


def test_a_lost_connection_is_told(tmp_path: Path) -> None:
    """Where ssh gives up in the middle, that is said; it is no exit code of the command."""
    with pytest.raises(SweepError, match=r"^lost the connection to the head of c.yaml \(10.0.0.1\)\n"):
        ending(tmp_path, "exit 255").run("tcray", "status")


def test_ctrl_c_ends_what_is_said(tmp_path: Path) -> None:
    """At Ctrl-C nobody goes on listening."""
    head, there = make_head(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        head.run("bash", "-c", f"kill -INT {os.getpid()}; sleep 60; touch late")
    assert not (there.work / "late").exists()


def test_files_keep_their_paths_and_times(tmp_path: Path) -> None:
    """Files arrive below the work folder, as old as they are here: by that the launcher knows what has changed."""
    head, there = make_head(tmp_path)
    source = tmp_path / "a.npz"
    source.write_bytes(b"\0\1")
    os.utime(source, (1, 1_000_000))
    head.upload({"data/a.npz": source, "sweeps/deep/b.yaml": source})
    found = {str(path.relative_to(there.work)): path for path in there.work.rglob("*") if path.is_file()}
    assert {"data/a.npz", "sweeps/deep/b.yaml"} == found.keys()
    assert [(b"\0\1", 1_000_000)] * 2 == [(path.read_bytes(), path.stat().st_mtime) for path in found.values()]


def test_python_there_is_found_by_its_path(tmp_path: Path) -> None:
    """`python3` of the head is the one that the environment of Ray finds."""
    head, _ = make_head(tmp_path)
    assert Path(sys.prefix) == Path(head.query("python3", "-c", f"import sys; print({ANSWER_PREFIX!r} + sys.prefix)"))
