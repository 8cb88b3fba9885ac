"""The test hosts: private and shared resources, faults, and cleanup."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .hosts import REPOSITORY, Hosts, HostsError, main, several

NUMBER = 101


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    """Yield two hosts, each with its own private folder."""
    with several(2, number=NUMBER, private=[Hosts(NUMBER).folder / "private-folder"]) as hosts:
        yield hosts


def test_host_has_its_own_identity(hosts: Hosts) -> None:
    """Each host has its name, address and processes, and resolves the names of the others."""
    h1, h2 = hosts.all()
    assert ["h1", "h2"] == [host.run("hostname").strip() for host in (h1, h2)]
    assert ["10.165.0.11", "10.165.0.12"] == [h1.address, h2.address]
    assert h2.address == h1.run("getent", "hosts", "h2").split()[0]
    assert "1" == h1.run("pgrep", "--exact", "sshd").split()[0]


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm", "/run", "~", str(Hosts(NUMBER).folder / "private-folder")])  # noqa: S108
def test_private_folders(hosts: Hosts, folder: str) -> None:
    """Files in them are visible neither on other hosts nor on this machine."""
    h1, h2 = hosts.all()
    h1.run("bash", "-c", f"touch {folder}/mine")
    assert "mine" in h1.run("bash", "-c", f"ls {folder}")
    assert "mine" not in h2.run("bash", "-c", f"ls {folder}")
    assert not (Path(folder).expanduser() / "mine").exists()


def test_shared_folders(hosts: Hosts) -> None:
    """The shared folder and the repository have the same paths on every host."""
    h1, h2 = hosts.all()
    h1.run("bash", "-c", f"echo hello > {hosts.shared}/file")
    assert "hello\n" == h2.run("cat", f"{hosts.shared}/file") == (hosts.shared / "file").read_text()
    assert "import" in h2.run("cat", str(REPOSITORY / "tests" / "multihost" / "hosts.py"))


def test_ssh_login(hosts: Hosts) -> None:
    """The key opens a root shell with the environment of `run`."""
    h2 = hosts.all()[1]
    options = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
    command = ["ssh", "-i", str(hosts.key), *options, f"root@{h2.address}", "hostname; echo $PATH"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert ["h2", h2.run("bash", "-c", "echo $PATH").strip()] == output.split()


def test_failures_are_reported(hosts: Hosts) -> None:
    """A failed command, a number in use and an unknown host each raise an error."""
    with pytest.raises(subprocess.CalledProcessError) as caught:
        hosts.all()[0].run("bash", "-c", "echo no; exit 3")
    assert (3, "no\n") == (caught.value.returncode, caught.value.output)
    with pytest.raises(HostsError, match=r"there are hosts of number 101 already: end them by `python -m tests\."):
        hosts.up(1)
    assert 2 == main(["exec", "--number", str(NUMBER), "h9", "true"])


def test_unplug_and_plug(hosts: Hosts) -> None:
    """An unplugged host keeps running, and is unreachable until it is plugged in."""
    h1, h2 = hosts.all()
    reach = ["timeout", "2", "bash", "-c", "echo > /dev/tcp/h2/22"]
    h1.run(*reach)
    h2.unplug()
    with pytest.raises(subprocess.CalledProcessError):
        h1.run(*reach)
    assert h2.is_on
    h2.plug()
    h1.run(*reach)


def test_power_off_and_add(hosts: Hosts) -> None:
    """A host that is off has no processes, and boots with its home; an added host gets the next address."""
    h2 = hosts.all()[1]
    sleeper = subprocess.Popen(h2.command("sleep", "1000"))
    h2.power_off()
    assert sleeper.wait(10) != 0
    with pytest.raises(HostsError, match="h2 of number 101 is off"):
        h2.run("true")
    (h2.home / "kept").touch()
    h2.power_on()
    assert "kept" in h2.run("ls")
    hosts.all()[0].run("bash", "-c", "echo > /dev/tcp/h2/22")
    assert 0 == main(["add", "--number", str(NUMBER)])
    assert "h3" == hosts.all()[2].run("hostname").strip()
    assert "10.165.0.13" == hosts.all()[2].address


def test_down_removes_everything() -> None:
    """After `down` there are no processes, links or folders, whichever process created the hosts; it may run twice."""
    hosts = Hosts(NUMBER + 1)
    hosts.down()
    assert 0 == main(["up", "--number", str(hosts.number), "1"])
    pid = hosts.all()[0].pid
    assert 0 == main(["down", "--number", str(hosts.number)])
    assert not Path(f"/proc/{pid}").exists()
    assert not hosts.folder.exists()
    links = json.loads(subprocess.run(["ip", "-json", "link"], check=True, capture_output=True, text=True).stdout)
    assert [] == [link["ifname"] for link in links if link["ifname"].startswith(("tcb102", "tcv102-"))]
    hosts.down()
