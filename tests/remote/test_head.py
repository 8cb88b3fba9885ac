from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tcray import __version__
from tcray.errors import InputError, SpecError, SweepError
from tcray.remote.head import Head
from tests.remote.nearby import Nearby, a_head

REPOSITORY = Path(__file__).resolve().parents[2]

ARGV = "import os, sys; print(os.getcwd(), *sys.argv[1:], sep='\\n')"
"""Prints where it is run, and what it is given."""


class Gone(Nearby):
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
    head, there = a_head(tmp_path)
    assert "\n".join([str(there.work), *words, ""]) == head.ask("python3", "-c", ARGV, *words)


def test_a_good_head_tells_its_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where this version of tcray is there, the head names the store of its environment, and is known to be up."""
    head, there = a_head(tmp_path)
    monkeypatch.delenv("TCRAY_STORE", raising=False)
    assert "" == head.greet()
    monkeypatch.setenv("TCRAY_STORE", "s3://bucket/a b")
    assert "s3://bucket/a b" == head.greet()
    assert (there.home / "noted").exists()


def test_what_a_shell_says_first_is_no_answer(tmp_path: Path) -> None:
    """A greeting of the head's own, from its ~/.bashrc, is passed over."""
    assert "x" == ending(tmp_path, f"echo Welcome; echo {__version__}; echo x").greet()


UP = "Bring it up: ray up c.yaml"


@pytest.mark.parametrize(
    ("script", "message", "remedy"),
    [
        (
            "echo hm >&2; echo 'ssh: connect to host 10.0.0.1 port 22: No route to host' >&2; exit 255",
            "the head of c.yaml (10.0.0.1) does not answer: ssh: connect to host 10.0.0.1 port 22: No route to host",
            f"{UP}; or correct what the file says of auth.",
        ),
        ("exit 69", "the head of c.yaml (10.0.0.1) runs no Ray", UP),
        (
            "echo \"ModuleNotFoundError: No module named 'tcray'\" >&2; exit 1",
            "the head of c.yaml (10.0.0.1) has no tcray: ModuleNotFoundError: No module named 'tcray'",
            f"Its setup commands or its image have to bring tcray {__version__}.",
        ),
        (
            "echo 0.0.1; echo",
            f"the head of c.yaml (10.0.0.1) has tcray 0.0.1, and this machine {__version__}",
            "The version has to be the same: install one of them on both.",
        ),
    ],
)
def test_a_head_that_will_not_do_is_told_in_a_sentence(tmp_path: Path, script: str, message: str, remedy: str) -> None:
    """Nobody there, no Ray, no tcray, another tcray: each is wrong input, and the head is not noted to be up."""
    with pytest.raises(InputError) as caught:
        ending(tmp_path, script).greet()
    assert (message, remedy) == (caught.value.message, caught.value.remedy)
    assert not (tmp_path / "noted").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("", ""), r"provider\.head_ip: to be filled in"),
        (("cluster_name:", "cluster_nmae:"), r"cluster_nmae: no such key"),
    ],
)
def test_a_wrong_file_calls_nobody(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    """A cluster file with a mistake, or with something still to be filled in, is wrong input at once."""
    path = tmp_path / "c.yaml"
    path.write_text((REPOSITORY / "cluster" / "onprem.yaml").read_text().replace(*change))
    with pytest.raises(SpecError, match=message):
        Head.of(str(path))


@pytest.mark.parametrize(("code", "kind"), [(1, SweepError), (2, InputError), (75, SweepError)])
def test_a_complaint_of_the_head_is_raised_here(tmp_path: Path, code: int, kind: type[Exception]) -> None:
    """What a command complains of there is an error of the same kind here, with the same sentence and remedy."""
    head, _ = a_head(tmp_path)
    with pytest.raises(kind) as caught:
        head.ask("bash", "-c", f"echo 'Error: no room' >&2; echo 'Make room.' >&2; exit {code}")
    assert ("no room", "Make room.") == (caught.value.message, caught.value.remedy)  # type: ignore[attr-defined]


def test_a_silent_failure_is_told_by_its_exit_code(tmp_path: Path) -> None:
    """Where nothing is complained of there is still a sentence."""
    head, _ = a_head(tmp_path)
    with pytest.raises(SweepError) as caught:
        head.ask("bash", "-c", "exit 7")
    assert "the head of cluster/my own.yaml (10.0.0.1) ended with exit code 7" == caught.value.message


def test_what_is_printed_there_is_printed_here(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Both streams are passed on, each as it is, and so is the exit code."""
    head, _ = a_head(tmp_path)
    assert 130 == head.say("bash", "-c", "echo out; echo err >&2; exit 130")
    assert ("out\n", "err\n") == tuple(capfd.readouterr())


def test_a_lost_connection_is_told(tmp_path: Path) -> None:
    """Where ssh gives up in the middle, that is said; it is no exit code of the command."""
    with pytest.raises(SweepError, match=r"^the head of c.yaml \(10.0.0.1\) is no longer heard of\n"):
        ending(tmp_path, "exit 255").say("tcray", "status")


def test_ctrl_c_ends_what_is_said(tmp_path: Path) -> None:
    """At Ctrl-C nobody goes on listening."""
    head, there = a_head(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        head.say("bash", "-c", f"kill -INT {os.getpid()}; sleep 60; touch late")
    assert not (there.work / "late").exists()


def test_files_keep_their_paths_and_times(tmp_path: Path) -> None:
    """Files arrive below the work folder, as old as they are here: by that the launcher knows what has changed."""
    head, there = a_head(tmp_path)
    source = tmp_path / "a.npz"
    source.write_bytes(b"\0\1")
    os.utime(source, (1, 1_000_000))
    head.send({"data/a.npz": source, "sweeps/deep/b.yaml": source})
    found = {str(path.relative_to(there.work)): path for path in there.work.rglob("*") if path.is_file()}
    assert {"data/a.npz", "sweeps/deep/b.yaml"} == found.keys()
    assert [(b"\0\1", 1_000_000)] * 2 == [(path.read_bytes(), path.stat().st_mtime) for path in found.values()]


def test_python_there_is_found_by_its_path(tmp_path: Path) -> None:
    """`python3` of the head is the one that the environment of Ray finds."""
    head, _ = a_head(tmp_path)
    assert Path(sys.prefix) == Path(head.ask("python3", "-c", "import sys; print(sys.prefix)").strip())
