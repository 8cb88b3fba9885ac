"""The hosts themselves: what each has of its own, what they share, and that nothing of them stays."""

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
    """Two hosts, with a folder of which each has its own."""
    with several(2, number=NUMBER, private=[Hosts(NUMBER).folder / "private-folder"]) as hosts:
        yield hosts


def test_a_host_has_an_identity_of_its_own(hosts: Hosts) -> None:
    """Name, address and processes are its own, and the names of the others are known to it."""
    h1, h2 = hosts.all()
    assert ["h1", "h2"] == [host.run("hostname").strip() for host in (h1, h2)]
    assert ["10.165.0.11", "10.165.0.12"] == [h1.address, h2.address]
    assert h2.address == h1.run("getent", "hosts", "h2").split()[0]
    assert "1" == h1.run("pgrep", "--exact", "sshd").split()[0]


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm", "/run", "~", str(Hosts(NUMBER).folder / "private-folder")])  # noqa: S108
def test_folders_of_its_own(hosts: Hosts, folder: str) -> None:
    """What one host writes to these, no other sees, nor this machine."""
    h1, h2 = hosts.all()
    h1.run("bash", "-c", f"touch {folder}/mine")
    assert "mine" in h1.run("bash", "-c", f"ls {folder}")
    assert "mine" not in h2.run("bash", "-c", f"ls {folder}")
    assert not (Path(folder).expanduser() / "mine").exists()


def test_all_else_is_shared(hosts: Hosts) -> None:
    """A folder to write to, and the repository, under the same paths."""
    h1, h2 = hosts.all()
    h1.run("bash", "-c", f"echo hello > {hosts.shared}/said")
    assert "hello\n" == h2.run("cat", f"{hosts.shared}/said") == (hosts.shared / "said").read_text()
    assert "import" in h2.run("cat", str(REPOSITORY / "tests" / "cluster" / "hosts.py"))


def test_ssh_opens_it(hosts: Hosts) -> None:
    """With the key, as root, into the environment that `run` has."""
    h2 = hosts.all()[1]
    options = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
    command = ["ssh", "-i", str(hosts.key), *options, f"root@{h2.address}", "hostname; echo $PATH"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert ["h2", h2.run("bash", "-c", "echo $PATH").strip()] == said.split()


def test_what_fails_says_so(hosts: Hosts) -> None:
    """A command that fails raises what it said, a number twice is refused, a host that there is not is named."""
    with pytest.raises(subprocess.CalledProcessError) as caught:
        hosts.all()[0].run("bash", "-c", "echo no; exit 3")
    assert (3, "no\n") == (caught.value.returncode, caught.value.output)
    with pytest.raises(HostsError, match=r"there are hosts of number 101 already: end them by `python -m tests\."):
        hosts.up(1)
    assert 2 == main(["exec", "--number", str(NUMBER), "h9", "true"])


def test_a_cable_pulled_and_put_back(hosts: Hosts) -> None:
    """An unplugged host lives, and cannot be reached until it is plugged in again."""
    h1, h2 = hosts.all()
    reach = ["timeout", "2", "bash", "-c", "echo > /dev/tcp/h2/22"]
    h1.run(*reach)
    h2.unplug()
    with pytest.raises(subprocess.CalledProcessError):
        h1.run(*reach)
    assert h2.is_on
    h2.plug()
    h1.run(*reach)


def test_power_off_and_one_more(hosts: Hosts) -> None:
    """A host that is off has no process left, and boots with its home; one that is added takes the next address."""
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


def test_nothing_stays() -> None:
    """After `down` there is neither process, nor link, nor folder, whoever made the hosts; twice does no harm."""
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
