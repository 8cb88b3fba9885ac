"""Test hosts on one machine, made of Linux namespaces; needs root, iproute2 and an OpenSSH server.

Each host has its own address, processes, name, /tmp, /dev/shm, /run, home and sshd. It shares everything else with
this machine under the same paths, as over NFS: the repository, its environment, and `Hosts.shared`, to which tests may
write. A host and pytest do not see each other's /tmp.

In a test::

    with several(3, number=2) as hosts:
        h1, h2, h3 = hosts.all()                       # at 10.66.0.11, .12, .13; this machine is at 10.66.0.1
        h1.run("ray", "start", "--head", f"--node-ip-address={h1.address}")        # its output; CalledProcessError
        driver = subprocess.Popen(h1.command("tcray", "sweep", …), stdout=PIPE)    # if `run` is not enough
        h2.power_off(); h2.power_on()                  # all its processes die at once; it boots with its home
        h3.unplug(); h3.plug()                         # no packet arrives; the connection is restored
        h4 = hosts.add()                               # one more host

The launcher (`ray up`) runs on this machine: user `root`, key `hosts.key`, addresses `host.address`. Shells of a host
read their environment from `host.home / ".bashrc"`, for `run`, `command` and ssh alike: its PATH begins with the
environment that runs the tests, and the variables of `environment={…}` follow. `private=[folder]` lists folders of
which each host has its own, initially empty, in memory; `host.inside(path)` is a path of a host as seen from this
machine.

By hand, and after a crash (`down` removes the hosts of its number and nothing else)::

    python -m tests.multihost.hosts up --number 7 3 [--private FOLDER]…
    python -m tests.multihost.hosts exec --number 7 h1 ray status
    python -m tests.multihost.hosts power-off|power-on|unplug|plug --number 7 h2
    python -m tests.multihost.hosts add|down --number 7

Each number has its own names and addresses (bridge tcb<number>, 10.<64 + number>.0.0/24), so sets of hosts can run
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
"""Home folder of root, on this machine and on every host."""

PRIVATE_FOLDERS = (HOME, Path("/tmp"), Path("/dev/shm"), Path("/run"))  # noqa: S108  private to each host
"""Folders that hosts do not share."""

REPOSITORY = Path(__file__).resolve().parents[2]

VISIBLE_FOLDERS = tuple(dict.fromkeys(Path(kept).resolve() for kept in (REPOSITORY, sys.prefix, sys.base_prefix)))
"""Folders that every host sees, even if they are inside one of `PRIVATE_FOLDERS`."""

PATIENCE_SECONDS = 60.0


class HostsError(Exception):
    """Error if hosts cannot be created or used."""


@dataclass(frozen=True, slots=True)
class Host:
    """One host of a set; indices start at 1."""

    number: int
    index: int

    @property
    def name(self) -> str:
        """Return the host name."""
        return f"h{self.index}"

    @property
    def address(self) -> str:
        """Return the IP address."""
        return f"10.{64 + self.number}.0.{10 + self.index}"

    @property
    def home(self) -> Path:
        """Return the home folder as seen from this machine."""
        return self._folder / "home"

    @property
    def log(self) -> Path:
        """Return the path of the first process's log."""
        return self._folder / "log"

    @property
    def pid(self) -> int:
        """Return the process id of the first process on this machine. Raise HostsError if the host is off."""
        with contextlib.suppress(OSError, ValueError):
            pid, start_time = map(int, self._record.read_text().split())
            if _start_time(pid) == start_time:
                (first,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
                return int(first)
        raise HostsError(f"{self.name} of number {self.number} is off")

    @property
    def is_on(self) -> bool:
        """True if the host runs."""
        try:
            return self.pid > 0
        except HostsError:
            return False

    def command(self, *argv: str) -> list[str]:
        """Return the command of this machine that runs another one on the host, in its home, like a login shell."""
        inside = ["env", "-i", f"--chdir={HOME}", f"HOME={HOME}", "USER=root", "LANG=C.UTF-8", "bash", "-lc"]
        return ["nsenter", f"--target={self.pid}", "--all", *inside, 'exec "$@"', "bash", *argv]

    def run(self, *argv: str, timeout: float | None = None) -> str:
        """Run a command on the host and return its stdout and stderr. Raise CalledProcessError if it fails."""
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
        """Return a path of a running host as seen from this machine."""
        return Path(f"/proc/{self.pid}/root") / str(path).lstrip("/")

    def power_off(self) -> None:
        """Kill all processes of the host at once. The shared kernel closes their connections, so that peers notice."""
        os.kill(self.pid, signal.SIGKILL)
        _until(lambda: not self.is_on, f"{self.name} does not go off")

    def power_on(self) -> None:
        """Start the host again with its home; its folders in memory, such as /tmp, are empty."""
        if self.is_on:
            raise HostsError(f"{self.name} is on")
        settings = Hosts(self.number).settings
        self._start([Path(folder) for folder in settings["private"]], settings["environment"])

    def unplug(self) -> None:
        """Disconnect the host from the network; its processes keep running."""
        _ip("link", "set", self._cable, "down")

    def plug(self) -> None:
        """Connect the host to the network again."""
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
        self._write_home(environment)
        namespaces = ["--mount", "--pid", "--uts", "--ipc", "--net", "--fork", "--kill-child", "--mount-proc"]
        command = shlex.join(["setsid", "unshare", *namespaces, "bash", "-ec", self._init_script(private)])
        # In the background of a shell, so that it outlives this process and does not become its zombie.
        started = _run_command("bash", "-c", f"{command} > {shlex.quote(str(self.log))} 2>&1 < /dev/null & echo $!")
        pid = int(started)
        self._record.write_text(f"{pid} {_start_time(pid)}\n")
        self._connect(pid)
        _until(self._answers, f"{self.name} does not answer; its log is {self.log}")

    def _write_home(self, environment: Mapping[str, str]) -> None:
        """Write the home folder: the authorized key and the environment of shells."""
        (self.home / ".ssh").mkdir(parents=True, mode=0o700, exist_ok=True)
        shutil.copy(Hosts(self.number).key.with_suffix(".pub"), self.home / ".ssh" / "authorized_keys")
        programs = shlex.quote(str(Path(sys.executable).parent))
        exports = [f"{name}={shlex.quote(value)}" for name, value in environment.items()]
        (self.home / ".bashrc").write_text(f"export PATH={programs}:$PATH {' '.join(exports)}\n")
        (self.home / ".profile").write_text(". ~/.bashrc\n")

    def _init_script(self, private: Sequence[Path]) -> str:
        """Return the script of the first process: assemble the private folders, mount them, then run sshd."""
        lines = [["hostname", self.name]]
        for own in (*PRIVATE_FOLDERS, *private):
            stage = self.home if own == HOME else self._folder / "own" / str(own).lstrip("/")
            stage.mkdir(parents=True, exist_ok=True)
            if own != HOME:
                lines.append(["mount", "-t", "tmpfs", "tmpfs", str(stage)])
            for kept in VISIBLE_FOLDERS:
                if kept.is_relative_to(own):
                    place = str(stage / kept.relative_to(own))
                    lines += [["mkdir", "-p", place], ["mount", "--rbind", str(kept), place]]
            lines.append(["mount", "--rbind", str(stage), str(own)])
        hosts = Hosts(self.number)
        lines += [["mount", "--bind", str(hosts.names), "/etc/hosts"], ["mkdir", "-p", "/run/sshd"]]
        options = ["PermitRootLogin=prohibit-password", "UsePAM=no", "StrictModes=no", "MaxStartups=100"]
        flags = [word for option in [*options, "MaxSessions=100"] for word in ("-o", option)]
        clean = ["exec", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", f"HOME={HOME}"]
        lines.append([*clean, "/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", "-h", str(hosts.host_key), *flags])
        return "\n".join(map(shlex.join, lines))

    def _connect(self, pid: int) -> None:
        """Connect the bridge with the network of process `pid`."""
        ours = Path("/proc/self/ns/net").readlink()
        _until(lambda: Path(f"/proc/{pid}/ns/net").readlink() != ours, f"{self.name} does not start; see {self.log}")
        with contextlib.suppress(HostsError):  # that of a host that was switched off
            _ip("link", "del", self._cable)
        _ip("link", "add", self._cable, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        _ip("link", "set", self._cable, "master", Hosts(self.number).bridge, "up")
        for words in (
            ["link", "set", "lo", "up"],
            # A host keeps its hardware address; peers with a cached address would not reach another one for a while.
            ["link", "set", "eth0", "address", f"02:00:00:00:{self.number:02x}:{self.index:02x}"],
            ["addr", "add", f"{self.address}/24", "dev", "eth0"],
            ["link", "set", "eth0", "up"],
            # No packet is sent there, but Ray finds its own address by the route to it.
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
    """The set of hosts of a number. Its state is in `folder`, so that any process can use the hosts."""

    number: int

    def __post_init__(self) -> None:
        if not 0 <= self.number <= 191:
            raise HostsError(f"number {self.number} is not from 0 to 191")

    @property
    def folder(self) -> Path:
        """Return the folder of the set; it is outside `PRIVATE_FOLDERS`, as hosts that are added later need it."""
        return Path(f"/var/tmp/tcray-hosts-{self.number}")  # noqa: S108  only root writes there

    @property
    def shared(self) -> Path:
        """Return the folder that all hosts and this machine see under the same path."""
        return self.folder / "shared"

    @property
    def key(self) -> Path:
        """Return the path of the private ssh key for user root on every host."""
        return self.folder / "key"

    @property
    def host_key(self) -> Path:
        """Return the path of the ssh host key of all hosts."""
        return self.folder / "host_key"

    @property
    def names(self) -> Path:
        """Return the path of the hosts' /etc/hosts."""
        return self.folder / "names"

    @property
    def bridge(self) -> str:
        """Return the name of the bridge that connects the hosts."""
        return f"tcb{self.number}"

    @property
    def address(self) -> str:
        """Return the address of this machine as seen from the hosts."""
        return f"10.{64 + self.number}.0.1"

    def all(self) -> tuple[Host, ...]:
        """Return all hosts, on or off, in the order of creation."""
        made = sum(1 for _ in self.folder.glob("h*/process"))
        return tuple(Host(self.number, index) for index in range(1, made + 1))

    def up(
        self, count: int, *, private: Sequence[Path | str] = (), environment: Mapping[str, str] | None = None
    ) -> tuple[Host, ...]:
        """Create hosts. Raise HostsError if this machine cannot, or if hosts of the number exist."""
        problem = missing()
        if problem:
            raise HostsError(problem)
        if self.folder.exists():
            down = f"python -m tests.multihost.hosts down --number {self.number}"
            raise HostsError(f"there are hosts of number {self.number} already: end them by `{down}`")
        self.shared.mkdir(parents=True)
        for key in (self.key, self.host_key):
            _run_command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
        self.names.write_text(f"127.0.0.1 localhost\n{self.address} outside\n")
        folders = [str(Path(folder).resolve()) for folder in private]
        self._settings_file.write_text(json.dumps({"private": folders, "environment": dict(environment or {})}))
        for folder in folders:
            Path(folder).mkdir(parents=True, exist_ok=True)
        _ip("link", "add", self.bridge, "type", "bridge")
        _ip("addr", "add", f"{self.address}/24", "dev", self.bridge)
        _ip("link", "set", self.bridge, "up")
        return tuple(self.add() for _ in range(count))

    def add(self) -> Host:
        """Create one more host."""
        host = Host(self.number, len(self.all()) + 1)
        with self.names.open("a") as names:
            names.write(f"{host.address} {host.name}\n")
        host.power_on()
        return host

    def down(self) -> None:
        """Remove all hosts with their files and links; do nothing if there are none."""
        for host in self.all():
            if host.is_on:
                host.power_off()
        for link in json.loads(_run_command("ip", "-json", "link", "show")):
            name = link["ifname"]
            if name == self.bridge or name.startswith(f"tcv{self.number}-"):
                with contextlib.suppress(HostsError):  # the kernel also removes the link of a host that is off
                    _ip("link", "del", name)
        if self.folder.exists():
            shutil.rmtree(self.folder)

    @property
    def settings(self) -> dict[str, Any]:
        """Return the arguments of `up`, which also apply to added hosts: `private`, `environment`."""
        settings = json.loads(self._settings_file.read_text())
        assert isinstance(settings, dict)
        return settings

    @property
    def _settings_file(self) -> Path:
        return self.folder / "settings.json"


@contextlib.contextmanager
def several(
    count: int, *, number: int, private: Sequence[Path | str] = (), environment: Mapping[str, str] | None = None
) -> Iterator[Hosts]:
    """Context manager: run hosts; first remove those of the same number that a crash has left behind."""
    hosts = Hosts(number)
    hosts.down()
    try:
        hosts.up(count, private=private, environment=environment)
        yield hosts
    finally:
        hosts.down()


def missing() -> str | None:
    """Return the reason why hosts cannot be created here; None if they can."""
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


def _start_time(pid: int) -> int | None:
    """Return the start time of a process, which distinguishes reused ids; None if it does not run."""
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
    """Run the command line. Return the exit code of `exec`'s command, or 2 on a HostsError."""
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
    arguments = parser.parse_args(argv)
    try:
        return _run_verb(arguments, Hosts(arguments.number))
    except HostsError as error:
        print(error, file=sys.stderr)
        return 2


def _run_verb(arguments: argparse.Namespace, hosts: Hosts) -> int:
    if arguments.verb == "up":
        for host in hosts.up(arguments.count, private=arguments.private):
            _print_login(host)
    elif arguments.verb == "add":
        _print_login(hosts.add())
    elif arguments.verb == "down":
        hosts.down()
    else:
        named = {host.name: host for host in hosts.all()}
        if arguments.host not in named:
            raise HostsError(f"there is no {arguments.host} of number {arguments.number}")
        host = named[arguments.host]
        if arguments.verb == "exec":
            return subprocess.run(host.command(*arguments.command), check=False).returncode
        getattr(host, arguments.verb.replace("-", "_"))()
    return 0


def _print_login(host: Host) -> None:
    print(f"{host.name}: ssh -i {Hosts(host.number).key} root@{host.address}")


if __name__ == "__main__":
    sys.exit(main())
