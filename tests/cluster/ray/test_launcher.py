from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tcray.cluster.cluster_file import ClusterFile, load_cluster_file
from tcray.cluster.ray.launcher import RayLauncher
from tcray.errors import InputError, SweepError

pytestmark = [  # Ray leaves files open for the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

OWN_HOSTS = """\
cluster_name: {name}
provider: {{type: local, head_ip: 10.0.0.1, worker_ips: [10.0.0.2]}}
auth: {{ssh_user: me, ssh_private_key: ~/.ssh/key}}
rsync_exclude: [__pycache__]
"""
CONTAINER = "docker: {image: tcray/tcray:0, container_name: box}\n"

NASTY = """printf '%s\\n' 'it'"'"'s' "\\$HOME" '~/x' "$HOME" '[1, "a"]' $((1 + 1))"""
PRINTED = ["it's", "$HOME", "~/x", "/home/there", '[1, "a"]', "2"]


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Ray's launcher remembers on this machine is kept in a folder of the test."""
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose programs come before all others."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def a_program(folder: Path, name: str, script: str) -> None:
    """Puts a program there."""
    (folder / name).write_text(f"#!/usr/bin/env bash\n{script}\n")
    (folder / name).chmod(0o755)


def a_file(folder: Path, text: str = OWN_HOSTS) -> ClusterFile:
    """A cluster file, of a cluster whose name no other test uses: Ray remembers providers by it."""
    path = folder / "c.yaml"
    path.write_text(text.replace("{name}", folder.name).replace("{{", "{").replace("}}", "}"))
    return load_cluster_file(str(path))


def test_the_head_is_let_in_by_the_ssh_of_the_file(tmp_path: Path) -> None:
    """User, key and address are the file's; nobody is waited for longer than ten seconds, and ssh says errors only."""
    launcher = RayLauncher.from_file(a_file(tmp_path))
    program, *options, who, _ = launcher.command("true")
    assert ("10.0.0.1", "ssh", "me@10.0.0.1") == (launcher.address, program, who)
    assert {"LogLevel=ERROR", "ConnectTimeout=10s", "~/.ssh/key"} < set(options)
    assert "-tt" not in options, "with a terminal of its own it would mix both streams, and end lines as terminals do"


def test_a_script_arrives_as_it_is(tmp_path: Path) -> None:
    """The shell that ssh starts is given the very script, whatever quotes are in it."""
    *_, words = RayLauncher.from_file(a_file(tmp_path)).command(NASTY)
    environment = {**os.environ, "HOME": "/home/there"}
    ended = subprocess.run(["sh", "-c", words], check=True, capture_output=True, text=True, env=environment)
    assert PRINTED == ended.stdout.splitlines()


def test_a_script_arrives_in_a_container(tmp_path: Path, programs: Path) -> None:
    """So it is where the head is a container, although the launcher changes every `~/` on the way there."""
    a_program(programs, "ssh", "echo /home/there")  # the container's home, which the launcher asks for
    a_program(programs, "docker", '[ "$1 $2" = "exec box" ] || exit 9\nexport HOME=/home/there\nshift 2\nexec "$@"')
    *_, words = RayLauncher.from_file(a_file(tmp_path, OWN_HOSTS + CONTAINER)).command(NASTY)
    ended = subprocess.run(["sh", "-c", words], check=True, capture_output=True, text=True)
    assert PRINTED == ended.stdout.splitlines()


def test_what_is_sent_is_a_folder_s_content(tmp_path: Path, programs: Path) -> None:
    """rsync is given the folder with a slash, which means what is in it."""
    a_program(programs, "rsync", f'printf "%s\\n" "$@" > {shlex.quote(str(tmp_path))}/log')
    RayLauncher.from_file(a_file(tmp_path)).upload(tmp_path / "work", "~/tcray-work")
    assert [f"{tmp_path}/work/", "me@10.0.0.1:~/tcray-work/"] == (tmp_path / "log").read_text().splitlines()[-2:]


def test_what_is_not_sent_is_told(tmp_path: Path, programs: Path) -> None:
    """Of what rsync complains of, the first line that is no warning says what holds."""
    a_program(programs, "rsync", "printf 'Warning: x\\nrsync: No space left\\nrsync error: 11\\n' >&2; exit 11")
    with pytest.raises(SweepError) as caught:
        RayLauncher.from_file(a_file(tmp_path)).upload(tmp_path, "~/tcray-work")
    assert "rsync to the head failed: rsync: No space left" == caught.value.message


def test_a_missing_rsync_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that this machine lacks is named."""
    launcher = RayLauncher.from_file(a_file(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"^rsync is not installed on this machine\n"):
        launcher.upload(tmp_path, "~/tcray-work")


def test_an_address_that_means_nothing_is_told(tmp_path: Path) -> None:
    """A head whose name no one knows is wrong input."""
    with pytest.raises(InputError, match=r"c\.yaml: Ray's launcher does not find the head: "):
        RayLauncher.from_file(a_file(tmp_path, OWN_HOSTS.replace("10.0.0.1", "no-such-host.invalid")))


def test_what_a_cloud_needs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the package of a provider is not installed, Ray's sentence says which it is."""
    monkeypatch.setitem(sys.modules, "googleapiclient", None)
    with pytest.raises(InputError, match=r"^\S+c\.yaml: The Ray \S+ .* requires"):
        RayLauncher.from_file(a_file(tmp_path, OWN_HOSTS.replace("type: local", "type: gcp")))


def test_a_head_that_is_up_is_remembered_for_ray(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Once it is noted, Ray's own commands find the head on a machine that has not brought the cluster up."""
    from ray.autoscaler.sdk import get_head_node_ip

    file = a_file(tmp_path)
    launcher = RayLauncher.from_file(file)
    with pytest.raises(RuntimeError, match="not found"):
        get_head_node_ip(file.path)
    launcher.record_up()
    assert "10.0.0.1" == get_head_node_ip(file.path)
    assert ("", "") == tuple(capfd.readouterr())
