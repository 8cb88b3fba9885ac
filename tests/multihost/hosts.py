"""Real hosts on one machine, out of Linux namespaces; as root, with iproute2 and an OpenSSH server.

Each host has its own address, processes, name, /tmp, /dev/shm, /run, home and sshd. All else it shares with this
machine, under the same paths, as over NFS: the repository, its environment, and `Hosts.shared`, which is there to be
written to. Neither a host nor pytest sees the other's /tmp.

In a test::

    with several(3, number=2) as hosts:
        h1, h2, h3 = hosts.all()                       # at 10.66.0.11, .12, .13; this machine is at 10.66.0.1
        h1.run("ray", "start", "--head", f"--node-ip-address={h1.address}")        # what it printed; CalledProcessError
        driver = subprocess.Popen(h1.command("tcray", "sweep", …), stdout=PIPE)    # for whatever `run` is not enough
        h2.power_off(); h2.power_on()                  # every process of it dies at once; it boots, with its home
        h3.unplug(); h3.plug()                         # nothing that it or others send arrives; all is as before
        h4 = hosts.add()                               # one more, later

The launcher (`ray up`) runs on this machine: user `root`, key `hosts.key`, addresses `host.address`. What a shell of a
host finds in its environment is in `host.home / ".bashrc"`, read by `run` and `command` as by ssh: its PATH begins with
the environment that runs the tests, then come the variables of `environment={…}`. `private=[folder]` names folders of
which each host has its own, at first empty, in memory; `host.inside(path)` is a path of a host as this machine sees it.

By hand, and after a crash (`down` ends what `up` began, whoever said it, and nothing else)::

    python -m tests.multihost.hosts up --number 7 3 [--private FOLDER]…
    python -m tests.multihost.hosts exec --number 7 h1 ray status
    python -m tests.multihost.hosts power-off|power-on|unplug|plug --number 7 h2
    python -m tests.multihost.hosts add|down --number 7

Sets of another number have names and addresses of their own (bridge tcb<number>, 10.<64 + number>.0.0/24) and live
side by side.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pwd
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOME = Path(pwd.getpwuid(os.getuid()).pw_dir)
"""Root's, on this machine and on every host."""

OWN = (HOME, Path("/tmp"), Path("/dev/shm"), Path("/run"))  # noqa: S108  a host has its own of each
"""Folders that no host shares."""

REPOSITORY = Path(__file__).resolve().parents[2]

KEPT = tuple(dict.fromkeys(Path(kept).resolve() for kept in (REPOSITORY, sys.prefix, sys.base_prefix)))
"""Folders that every host sees even where they lie in one of `OWN`."""

PATIENCE_SECONDS = 60.0


class HostsError(Exception):
    """What keeps hosts from being made or used."""


@dataclass(frozen=True, slots=True)
class Host:
    """One of the hosts of a number, the first of which has index 1."""

    number: int
    index: int

    @property
    def name(self) -> str:
        """As the host itself knows it, and the others."""
        return f"h{self.index}"

    @property
    def address(self) -> str:
        """Where it is reached."""
        return f"10.{64 + self.number}.0.{10 + self.index}"

    @property
    def home(self) -> Path:
        """Its home folder, as this machine sees it."""
        return self._folder / "home"

    @property
    def log(self) -> Path:
        """What its first process says."""
        return self._folder / "log"

    @property
    def pid(self) -> int:
        """Its first process, as this machine numbers it; raises HostsError where the host is off."""
        with contextlib.suppress(OSError, ValueError):
            pid, began = map(int, self._record.read_text().split())
            if _began(pid) == began:
                (first,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
                return int(first)
        raise HostsError(f"{self.name} of number {self.number} is off")

    @property
    def is_on(self) -> bool:
        """Whether it has a process."""
        try:
            return self.pid > 0
        except HostsError:
            return False

    def command(self, *argv: str) -> list[str]:
        """The command of this machine that runs another on the host, in its home, as a login shell would."""
        inside = ["env", "-i", f"--chdir={HOME}", f"HOME={HOME}", "USER=root", "LANG=C.UTF-8", "bash", "-lc"]
        return ["nsenter", f"--target={self.pid}", "--all", *inside, 'exec "$@"', "bash", *argv]

    def run(self, *argv: str, timeout: float | None = None) -> str:
        """What a command prints on the host, on stdout and stderr; raises CalledProcessError where it fails."""
        ran = subprocess.run(
            self.command(*argv),
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
        )
        if ran.returncode:
            error = subprocess.CalledProcessError(ran.returncode, shlex.join(argv), ran.stdout)
            error.add_note(f"on {self.name}:\n{ran.stdout}")
            raise error
        return ran.stdout

    def inside(self, path: Path | str) -> Path:
        """A path of the host as this machine sees it, while the host is on."""
        return Path(f"/proc/{self.pid}/root") / str(path).lstrip("/")

    def power_off(self) -> None:
        """Ends all its processes at once, unasked. The kernel that it shares closes their connections: no silence."""
        os.kill(self.pid, signal.SIGKILL)
        _until(lambda: not self.is_on, f"{self.name} does not go off")

    def power_on(self) -> None:
        """Starts it again, with the home it had; what it had in memory, /tmp and the like, is gone."""
        if self.is_on:
            raise HostsError(f"{self.name} is on")
        wishes = Hosts(self.number).wishes
        self._start([Path(folder) for folder in wishes["private"]], wishes["environment"])

    def unplug(self) -> None:
        """Pulls its cable: its processes go on, and nothing arrives anywhere."""
        _ip("link", "set", self._cable, "down")

    def plug(self) -> None:
        """Puts the cable back."""
        _ip("link", "set", self._cable, "up")

    @property
    def _folder(self) -> Path:
        return Hosts(self.number).folder / self.name

    @property
    def _record(self) -> Path:
        return self._folder / "process"

    @property
    def _cable(self) -> str:
        return f"tcv{self.number}-{self.index}"

    def _start(self, private: Sequence[Path], environment: Mapping[str, str]) -> None:
        self._furnish(environment)
        namespaces = ["--mount", "--pid", "--uts", "--ipc", "--net", "--fork", "--kill-child", "--mount-proc"]
        command = shlex.join(["setsid", "unshare", *namespaces, "bash", "-ec", self._first_words(private)])
        # In the background of a shell: it is to outlive this process, and be nobody's zombie.
        started = _run_command("bash", "-c", f"{command} > {shlex.quote(str(self.log))} 2>&1 < /dev/null & echo $!")
        pid = int(started)
        self._record.write_text(f"{pid} {_began(pid)}\n")
        self._connect(pid)
        _until(self._answers, f"{self.name} does not answer; its log is {self.log}")

    def _furnish(self, environment: Mapping[str, str]) -> None:
        """Its home, with the key that opens its door, and what its shells find in their environment."""
        (self.home / ".ssh").mkdir(parents=True, mode=0o700, exist_ok=True)
        shutil.copy(Hosts(self.number).key.with_suffix(".pub"), self.home / ".ssh" / "authorized_keys")
        programs = shlex.quote(str(Path(sys.executable).parent))
        exports = [f"{name}={shlex.quote(value)}" for name, value in environment.items()]
        (self.home / ".bashrc").write_text(f"export PATH={programs}:$PATH {' '.join(exports)}\n")
        (self.home / ".profile").write_text(". ~/.bashrc\n")

    def _first_words(self, private: Sequence[Path]) -> str:
        """What the first process does before it is an sshd: folders of its own are put together, then into place."""
        lines = [["hostname", self.name]]
        for own in (*OWN, *private):
            stage = self.home if own == HOME else self._folder / "own" / str(own).lstrip("/")
            stage.mkdir(parents=True, exist_ok=True)
            if own != HOME:
                lines.append(["mount", "-t", "tmpfs", "tmpfs", str(stage)])
            for kept in KEPT:
                if kept.is_relative_to(own):
                    place = str(stage / kept.relative_to(own))
                    lines += [["mkdir", "-p", place], ["mount", "--rbind", str(kept), place]]
            lines.append(["mount", "--rbind", str(stage), str(own)])
        hosts = Hosts(self.number)
        lines += [["mount", "--bind", str(hosts.names), "/etc/hosts"], ["mkdir", "-p", "/run/sshd"]]
        options = ["PermitRootLogin=prohibit-password", "UsePAM=no", "StrictModes=no", "MaxStartups=100"]
        flags = [word for option in [*options, "MaxSessions=100"] for word in ("-o", option)]
        clean = ["exec", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", f"HOME={HOME}"]
        lines.append([*clean, "/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", "-h", str(hosts.door), *flags])
        return "\n".join(map(shlex.join, lines))

    def _connect(self, pid: int) -> None:
        """Lays the cable from the bridge to the host, whose network is that of process `pid`."""
        ours = Path("/proc/self/ns/net").readlink()
        _until(lambda: Path(f"/proc/{pid}/ns/net").readlink() != ours, f"{self.name} does not start; see {self.log}")
        with contextlib.suppress(HostsError):  # the old one, which goes with a host that was switched off, if slowly
            _ip("link", "del", self._cable)
        _ip("link", "add", self._cable, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        _ip("link", "set", self._cable, "master", Hosts(self.number).bridge, "up")
        for words in (
            ["link", "set", "lo", "up"],
            # Hardware keeps its address: by another one, those who knew this host would not find it for a while.
            ["link", "set", "eth0", "address", f"02:00:00:00:{self.number:02x}:{self.index:02x}"],
            ["addr", "add", f"{self.address}/24", "dev", "eth0"],
            ["link", "set", "eth0", "up"],
            # No packet goes there, but by the way to it Ray tells which of a host's addresses is its own.
            ["route", "add", "8.8.8.8", "via", Hosts(self.number).address],
        ):
            _run_command("nsenter", f"--target={pid}", "--net", "ip", *words)

    def _answers(self) -> bool:
        try:
            socket.create_connection((self.address, 22), 1.0).close()
        except OSError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Hosts:
    """The hosts of a number: all that is known of them is in `folder`, so that any process can go on with them."""

    number: int

    def __post_init__(self) -> None:
        if not 0 <= self.number <= 191:
            raise HostsError(f"number {self.number} is not from 0 to 191")

    @property
    def folder(self) -> Path:
        """Where they are kept; in no folder of `OWN`, since a host that is made later builds on it."""
        return Path(f"/var/tmp/tcray-hosts-{self.number}")  # noqa: S108  root's, and named for whoever cleans up

    @property
    def shared(self) -> Path:
        """A folder that all of them and this machine see under this path."""
        return self.folder / "shared"

    @property
    def key(self) -> Path:
        """The private key that opens every host to ssh, for user root."""
        return self.folder / "key"

    @property
    def door(self) -> Path:
        """The key by which an ssh client knows the hosts."""
        return self.folder / "door"

    @property
    def names(self) -> Path:
        """Names and addresses, as the hosts' /etc/hosts."""
        return self.folder / "names"

    @property
    def bridge(self) -> str:
        """The switch between them."""
        return f"tcb{self.number}"

    @property
    def address(self) -> str:
        """Of this machine, as the hosts see it."""
        return f"10.{64 + self.number}.0.1"

    def all(self) -> tuple[Host, ...]:
        """Every host that was made, on or off, in the order of their making."""
        made = sum(1 for _ in self.folder.glob("h*/process"))
        return tuple(Host(self.number, index) for index in range(1, made + 1))

    def up(
        self, count: int, *, private: Sequence[Path | str] = (), environment: Mapping[str, str] | None = None
    ) -> tuple[Host, ...]:
        """Makes hosts. Raises HostsError where this cannot be done here, or hosts of the number are up already."""
        problem = missing()
        if problem:
            raise HostsError(problem)
        if self.folder.exists():
            down = f"python -m tests.multihost.hosts down --number {self.number}"
            raise HostsError(f"there are hosts of number {self.number} already: end them by `{down}`")
        self.shared.mkdir(parents=True)
        for key in (self.key, self.door):
            _run_command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
        self.names.write_text(f"127.0.0.1 localhost\n{self.address} outside\n")
        folders = [str(Path(folder).resolve()) for folder in private]
        self._wishes.write_text(json.dumps({"private": folders, "environment": dict(environment or {})}))
        for folder in folders:
            Path(folder).mkdir(parents=True, exist_ok=True)
        _ip("link", "add", self.bridge, "type", "bridge")
        _ip("addr", "add", f"{self.address}/24", "dev", self.bridge)
        _ip("link", "set", self.bridge, "up")
        return tuple(self.add() for _ in range(count))

    def add(self) -> Host:
        """Makes one more host."""
        host = Host(self.number, len(self.all()) + 1)
        with self.names.open("a") as names:
            names.write(f"{host.address} {host.name}\n")
        host.power_on()
        return host

    def down(self) -> None:
        """Ends them, with all that was theirs; where there are none, nothing."""
        for host in self.all():
            if host.is_on:
                host.power_off()
        for link in json.loads(_run_command("ip", "-json", "link", "show")):
            name = link["ifname"]
            if name == self.bridge or name.startswith(f"tcv{self.number}-"):
                with contextlib.suppress(HostsError):  # a cable goes by itself too, with the host at its end
                    _ip("link", "del", name)
        if self.folder.exists():
            shutil.rmtree(self.folder)

    @property
    def wishes(self) -> dict[str, Any]:
        """What was asked for at `up`, and holds for hosts that are added: `private`, `environment`."""
        wishes = json.loads(self._wishes.read_text())
        assert isinstance(wishes, dict)
        return wishes

    @property
    def _wishes(self) -> Path:
        return self.folder / "wishes"


@contextlib.contextmanager
def several(
    count: int, *, number: int, private: Sequence[Path | str] = (), environment: Mapping[str, str] | None = None
) -> Iterator[Hosts]:
    """Hosts for the time of a `with`; those of the same number that a crash has left behind are ended first."""
    hosts = Hosts(number)
    hosts.down()
    try:
        hosts.up(count, private=private, environment=environment)
        yield hosts
    finally:
        hosts.down()


def missing() -> str | None:
    """What this machine lacks for hosts; None if nothing."""
    if sys.platform != "linux":
        return "hosts are made of Linux namespaces, and this is not Linux"
    if os.geteuid() != 0:
        return "only root can make hosts"
    programs = ("ip", "ssh", "ssh-keygen", "/usr/sbin/sshd", "nsenter", "unshare", "setsid")
    lacking = [program for program in programs if shutil.which(program) is None]
    if lacking:
        return f"{', '.join(lacking)} not installed (apt-get install openssh-server iproute2 rsync)"
    return None


def _run_command(*argv: str) -> str:
    ran = subprocess.run(argv, check=False, capture_output=True, text=True)
    if ran.returncode:
        raise HostsError(f"{shlex.join(argv)}: {ran.stderr.strip()}")
    return ran.stdout


def _ip(*words: str) -> None:
    _run_command("ip", *words)


def _began(pid: int) -> int | None:
    """When a process began, by which it is told from another that has its number later; None if there is none."""
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if state == "Z" else int(rest[18])


def _until(holds: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > end:
            raise HostsError(otherwise)
        time.sleep(0.05)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; the exit code of what `exec` ran, 2 where it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m tests.multihost.hosts", description="Real hosts on one machine.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("up", "add", "down", "exec", "power-off", "power-on", "unplug", "plug"):
        each = verbs.add_parser(verb)
        each.add_argument("--number", type=int, default=0, help="which set of hosts")
        if verb == "up":
            each.add_argument("count", type=int)
            each.add_argument("--private", action="append", default=[], metavar="FOLDER")
        elif verb not in ("add", "down"):
            each.add_argument("host")
        if verb == "exec":
            each.add_argument("command", nargs=argparse.REMAINDER)
    asked = parser.parse_args(argv)
    try:
        return _do(asked, Hosts(asked.number))
    except HostsError as error:
        print(error, file=sys.stderr)
        return 2


def _do(asked: argparse.Namespace, hosts: Hosts) -> int:
    if asked.verb == "up":
        for host in hosts.up(asked.count, private=asked.private):
            _tell(host)
    elif asked.verb == "add":
        _tell(hosts.add())
    elif asked.verb == "down":
        hosts.down()
    else:
        named = {host.name: host for host in hosts.all()}
        if asked.host not in named:
            raise HostsError(f"there is no {asked.host} of number {asked.number}")
        host = named[asked.host]
        if asked.verb == "exec":
            return subprocess.run(host.command(*asked.command), check=False).returncode
        getattr(host, asked.verb.replace("-", "_"))()
    return 0


def _tell(host: Host) -> None:
    print(f"{host.name}: ssh -i {Hosts(host.number).key} root@{host.address}")


if __name__ == "__main__":
    sys.exit(main())
