"""An on-premises cluster of test hosts, started with cluster/onprem.yaml over ssh."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from .driver import AUTH
from .hosts import REPOSITORY, Host, Hosts
from .patience import PATIENCE_SECONDS

WAIT_FOR_NODES = """
import ray, sys, time
ray.init("auto", log_to_driver=False)
while not set(sys.argv[1:]) <= {node["NodeManagerAddress"] for node in ray.nodes() if node["Alive"]}:
    time.sleep(0.1)
"""

NODE_ID = """
import ray, sys
ray.init("auto", log_to_driver=False)
print(*(node["NodeID"] for node in ray.nodes() if node["Alive"] and node["NodeManagerAddress"] == sys.argv[1]))
"""


@dataclass(frozen=True)
class Desk:
    """A cluster whose first host is the head; Ray's launcher runs on this machine.

    file  the cluster file, edited as a user would
    """

    hosts: Hosts
    file: Path

    @classmethod
    def create(cls, hosts: Hosts, workers: Sequence[Host], *, gpus: int) -> Desk:
        """Edit cluster/onprem.yaml: addresses, key and token; a head without packs, workers that declare GPUs."""
        desk = cls(hosts, hosts.shared / "onprem.yaml")
        desk.launch("get-auth-token", "--generate")
        config = yaml.safe_load((REPOSITORY / "cluster" / "onprem.yaml").read_text())
        config["auth"] = {"ssh_user": "root", "ssh_private_key": str(hosts.key)}
        config["head_start_ray_commands"][-1] += " --num-cpus=0 --num-gpus=0"
        config["worker_start_ray_commands"][-1] += f" --num-cpus=4 --num-gpus={gpus}"
        config["provider"]["head_ip"] = desk.head.address
        config["provider"]["worker_ips"] = [worker.address for worker in workers]
        desk.file.write_text(yaml.safe_dump(config))
        return desk

    @property
    def head(self) -> Host:
        """Return the head, which runs the drivers."""
        return self.hosts.all()[0]

    def launch(self, *argv: str) -> str:
        """Return the output of `ray …` on this machine, with a home and a /tmp of its own."""
        home = self.hosts.shared / "laptop"
        home.mkdir(exist_ok=True)
        environment = {**os.environ, "HOME": str(home), "TMPDIR": str(home), "RAY_TMPDIR": str(home)}
        ray = str(Path(sys.executable).with_name("ray"))
        ran = subprocess.run(
            [ray, *argv],
            check=False,
            cwd=REPOSITORY,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert ran.returncode == 0, ran.stdout
        return ran.stdout

    def up(self) -> None:
        """Run `ray up`, and wait until every worker that is on has joined."""
        self.launch("up", "-y", "--no-config-cache", str(self.file))
        self.wait_for(*(host for host in self.hosts.all() if host.address in self.workers))

    def down(self) -> None:
        """Run `ray down`."""
        self.launch("down", "-y", str(self.file))

    @property
    def workers(self) -> tuple[str, ...]:
        """Return the addresses of all workers, on or off."""
        return tuple(yaml.safe_load(self.file.read_text())["provider"]["worker_ips"])

    def wait_for(self, *hosts: Host) -> float:
        """Wait until all of these hosts are nodes of the cluster; return the seconds it took."""
        began = time.monotonic()
        addresses = [host.address for host in hosts]
        self.head.run("env", AUTH, "python", "-c", WAIT_FOR_NODES, *addresses, timeout=PATIENCE_SECONDS)
        return time.monotonic() - began

    def drain(self, host: Host, seconds: int) -> None:
        """Announce that a worker will be preempted in so many seconds, as a cloud does for spot instances."""
        node = self.head.run("env", AUTH, "python", "-c", NODE_ID, host.address).splitlines()[-1]
        reason = ["--reason", "DRAIN_NODE_REASON_PREEMPTION", "--reason-message", "spot preemption"]
        deadline = ["--deadline-remaining-seconds", str(seconds)]
        self.head.run("env", AUTH, "ray", "drain-node", "--node-id", node, *reason, *deadline)

    def ray_processes(self) -> dict[str, int]:
        """Return the number of Ray processes on each host that is on."""
        count = r"ps ax -o args= | grep -c '[r]aylet/raylet\|[g]cs_server\|[d]efault_worker\|^ray::' || true"
        return {host.name: int(host.run("bash", "-c", count)) for host in self.hosts.all() if host.is_on}
