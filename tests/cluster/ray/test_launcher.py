"""`RayLauncher`: commands and files reach the head unchanged; failures become one sentence."""

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
    """Keep the state of Ray's launcher in a folder of the test."""
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that comes first on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def write_program(folder: Path, name: str, script: str) -> None:
    """Write a bash program into a folder."""
    (folder / name).write_text(f"#!/usr/bin/env bash\n{script}\n")
    (folder / name).chmod(0o755)


def load_file(folder: Path, text: str = OWN_HOSTS) -> ClusterFile:
    """Load a cluster file with a unique cluster name: Ray caches providers by name."""
    path = folder / "c.yaml"
    path.write_text(text.replace("{name}", folder.name).replace("{{", "{").replace("}}", "}"))
    return load_cluster_file(str(path))


def test_ssh_uses_the_user_and_key_of_the_file(tmp_path: Path) -> None:
    """The connection timeout is ten seconds, and ssh prints errors only."""
    launcher = RayLauncher.from_file(load_file(tmp_path))
    program, *options, who, _ = launcher.command("true")
    assert ("10.0.0.1", "ssh", "me@10.0.0.1") == (launcher.address, program, who)
    assert {"LogLevel=ERROR", "ConnectTimeout=10s", "~/.ssh/key"} < set(options)
    assert "-tt" not in options, "a terminal would merge stdout and stderr, and change line endings"


def test_script_arrives_unchanged(tmp_path: Path) -> None:
    """Quotes of every kind are kept."""
    *_, words = RayLauncher.from_file(load_file(tmp_path)).command(NASTY)
    environment = {**os.environ, "HOME": "/home/there"}
    ended = subprocess.run(["sh", "-c", words], check=True, capture_output=True, text=True, env=environment)
    assert PRINTED == ended.stdout.splitlines()


def test_script_arrives_unchanged_in_a_container(tmp_path: Path, programs: Path) -> None:
    """The launcher would replace every `~/`."""
    write_program(programs, "ssh", "echo /home/there")  # the container's home, which the launcher queries
    write_program(programs, "docker", '[ "$1 $2" = "exec box" ] || exit 9\nexport HOME=/home/there\nshift 2\nexec "$@"')
    *_, words = RayLauncher.from_file(load_file(tmp_path, OWN_HOSTS + CONTAINER)).command(NASTY)
    ended = subprocess.run(["sh", "-c", words], check=True, capture_output=True, text=True)
    assert PRINTED == ended.stdout.splitlines()


def test_upload_copies_the_content_of_the_folder(tmp_path: Path, programs: Path) -> None:
    """The trailing slash makes rsync copy the content instead of the folder."""
    write_program(programs, "rsync", f'printf "%s\\n" "$@" > {shlex.quote(str(tmp_path))}/log')
    RayLauncher.from_file(load_file(tmp_path)).upload(tmp_path / "work", "~/tcray-work")
    assert [f"{tmp_path}/work/", "me@10.0.0.1:~/tcray-work/"] == (tmp_path / "log").read_text().splitlines()[-2:]


def test_failed_upload_is_reported(tmp_path: Path, programs: Path) -> None:
    """The message is the first line of rsync's stderr that is no warning."""
    write_program(programs, "rsync", "printf 'Warning: x\\nrsync: No space left\\nrsync error: 11\\n' >&2; exit 11")
    with pytest.raises(SweepError) as caught:
        RayLauncher.from_file(load_file(tmp_path)).upload(tmp_path, "~/tcray-work")
    assert "rsync to the head failed: rsync: No space left" == caught.value.message


def test_missing_rsync_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the missing program."""
    launcher = RayLauncher.from_file(load_file(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"^rsync is not installed on this machine\n"):
        launcher.upload(tmp_path, "~/tcray-work")


def test_unresolvable_address_is_reported(tmp_path: Path) -> None:
    """An unknown host name raises InputError."""
    with pytest.raises(InputError, match=r"c\.yaml: Ray's launcher does not find the head: "):
        RayLauncher.from_file(load_file(tmp_path, OWN_HOSTS.replace("10.0.0.1", "no-such-host.invalid")))


def test_missing_package_of_a_provider_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray's message names the package."""
    monkeypatch.setitem(sys.modules, "googleapiclient", None)
    with pytest.raises(InputError, match=r"^\S+c\.yaml: The Ray \S+ .* requires"):
        RayLauncher.from_file(load_file(tmp_path, OWN_HOSTS.replace("type: local", "type: gcp")))


def test_record_up_lets_ray_find_the_head(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Ray's own commands then find the head on a machine that never ran `ray up`."""
    from ray.autoscaler.sdk import get_head_node_ip

    file = load_file(tmp_path)
    launcher = RayLauncher.from_file(file)
    with pytest.raises(RuntimeError, match="not found"):
        get_head_node_ip(file.path)
    launcher.record_up()
    assert "10.0.0.1" == get_head_node_ip(file.path)
    assert ("", "") == tuple(capfd.readouterr())
