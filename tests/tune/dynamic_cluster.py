"""Program that runs sweeps on a Ray cluster whose nodes join, drain and vanish; a process of its own.

python -m tests.tune.dynamic_cluster FOLDER
"""

from __future__ import annotations

import json
import multiprocessing
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console

from tcray.config.sweep import Sweep
from tcray.tune.ray.cluster import SETTINGS, _environment

from .factories import make_sweep, write_sweep_file
from .fakes import FakeTrain

FAST_CHECKS = {"health_check_initial_delay_ms": 500, "health_check_period_ms": 500, "health_check_failure_threshold": 3}
"""Ray's settings by which a silent node is lost soon; by default it would take most of a minute."""

LEAVING = ("search.wave=6", "resources.pack=1", "resources.device=auto", "resources.gpu=0.25")
"""Work for 24 packs at once."""
GROWING = ("resources.pack=1", "resources.device=auto", "resources.gpu=0.5")
"""Work for twelve packs at once."""

DRAIN_SECONDS = 24 * 3600
"""Deadline of a draining node: long after the test has seen that nothing starts there."""


class DynamicCluster:
    """A Ray cluster whose nodes change, and a sweep on it, in a process of its own, whose packs can be held."""

    def __init__(self, folder: Path) -> None:
        """Start a head without slots."""
        from ray.cluster_utils import Cluster

        self.folder = folder
        self.hosts: dict[str, Any] = {}
        head = {
            "num_cpus": 0,
            "include_dashboard": False,
            "_system_config": FAST_CHECKS,
            "object_store_memory": 80 * 2**20,
        }
        self.cluster = Cluster(initialize_head=True, head_node_args=head)

    def add(self, name: str, cpus: int, gpus: int) -> None:
        """Add a host."""
        self.hosts[name] = self.cluster.add_node(num_cpus=cpus, num_gpus=gpus, object_store_memory=80 * 2**20)

    def lose(self, name: str) -> None:
        """Remove a host without notice, with its processes."""
        self._record("lost", name)
        workers = [visit["pid"] for visit in self._read_visits() if visit["node"] == self.hosts[name].node_id]
        self.cluster.remove_node(self.hosts[name], allow_graceful=False)
        while any(Path(f"/proc/{pid}").exists() for pid in workers if pid):
            time.sleep(0.1)

    def drain(self, name: str) -> None:
        """Drain a host, as before a cloud takes a spot instance back."""
        from ray.core.generated.autoscaler_pb2 import DRAIN_NODE_REASON_PREEMPTION

        deadline = int((time.time() + DRAIN_SECONDS) * 1000)
        node_id = self.hosts[name].node_id
        accepted, reason = self._gcs().drain_node(node_id, DRAIN_NODE_REASON_PREEMPTION, "spot", deadline)
        assert accepted, reason
        self._record("drained", name)

    def set_limits(self, cpus: int, gpus: int, max_count: int) -> None:
        """Report to Ray a host type that an autoscaler may start."""
        from ray.core.generated.autoscaler_pb2 import ClusterConfig

        config = ClusterConfig()
        config.node_group_configs.add(name="gpu", max_count=max_count).resources.update({"CPU": cpus, "GPU": gpus})
        self._gcs().report_cluster_config(config.SerializeToString())

    def count_pending(self) -> int:
        """Return the number of workers that wait for a host, as an autoscaler sees it."""
        from ray.autoscaler.v2.sdk import get_cluster_resource_state

        return len(get_cluster_resource_state(self._gcs()).pending_gang_resource_requests)

    def run_command(self, name: str, *overrides: str) -> subprocess.Popen[str]:
        """Start `tcray sweep` on this cluster."""
        options = ["--store", str(self.folder / name), "--address", self.cluster.address]
        options += [f"--set={override}" for override in overrides]
        command = [sys.executable, "-m", "tcray", "sweep", str(write_sweep_file(self.folder)), *options]
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    def start_sweep(self, name: str, *overrides: str) -> None:
        """Start a sweep whose packs are held."""
        folder = self.folder / name
        folder.mkdir()
        self.train = FakeTrain(f"{folder}/trace", visits=f"{folder}/visits", hold=f"{folder}/hold")
        Path(self.train.visits).touch()
        self.hold()
        arguments = (make_sweep(self.folder, *overrides), f"{folder}/trials", self.cluster.address, self.train)
        self.sweep = multiprocessing.get_context("spawn").Process(target=run, args=arguments, daemon=True)
        self.sweep.start()

    def finish_sweep(self) -> None:
        """Wait for the end of the sweep."""
        self.sweep.join()
        assert 0 == self.sweep.exitcode

    def hold(self) -> None:
        """Let no pack end from now on."""
        Path(self.train.hold).touch()

    def release(self) -> None:
        """Let packs end again."""
        Path(self.train.hold).unlink()

    def packs_by_host(self) -> Counter[str]:
        """Return the number of packs in training on each host."""
        assert self.sweep.is_alive(), "the sweep failed"
        change = {"begins": 1, "ends": -1}
        names = {host.node_id: name for name, host in self.hosts.items()}
        packs: Counter[str] = Counter()
        for visit in self._read_visits():
            packs[names[visit["node"]]] += change.get(visit["event"], 0)
        return +packs

    def expect(self, **packs: int) -> None:
        """Wait until each host has this number of packs, and a little longer for any pack too many."""
        while any(self.packs_by_host()[name] < count for name, count in packs.items()):
            time.sleep(0.1)
        time.sleep(1)
        assert Counter(packs) == self.packs_by_host()

    def _read_visits(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in Path(self.train.visits).read_text().splitlines()]

    def _record(self, event: str, name: str) -> None:
        """Add an event of a host to the visits of packs."""
        visit = {"event": event, "at": time.time(), "pid": 0, "node": self.hosts[name].node_id, "cards": []}
        with Path(self.train.visits).open("a") as visits:
            visits.write(json.dumps(visit) + "\n")

    def _gcs(self) -> Any:
        import ray

        return ray._raylet.GcsClient(self.cluster.address)


def run(sweep: Sweep, store: str, address: str, train: FakeTrain) -> None:
    """Run a sweep to its end, with its output on stdout."""
    from tcray.tune.run import run_sweep

    run_sweep(sweep, store, address=address, console=Console(file=sys.stdout, width=200), train=train)


def main(folder: Path) -> None:
    """Write stores, output of commands, visits of packs, and ids of hosts to the folder."""
    cluster = DynamicCluster(folder)
    cluster.set_limits(cpus=2, gpus=1, max_count=1)
    too_large = cluster.run_command("too large", "resources.cpu=3", "resources.gpu=0.5", "resources.device=auto")
    waiting = cluster.run_command("waiting", "resources.device=cuda", "resources.gpu=0.25")
    assert waiting.stderr is not None
    output = ""
    while "for a host" not in output and (line := waiting.stderr.readline()):
        output += line
    waiting.send_signal(signal.SIGINT)
    (folder / "waiting.json").write_text(json.dumps([output + waiting.communicate()[1], waiting.returncode]))
    (folder / "too_large.json").write_text(json.dumps([too_large.communicate()[1], too_large.returncode]))

    cluster.set_limits(cpus=0, gpus=0, max_count=0)
    cluster.add("two_cards", cpus=5, gpus=2)
    cluster.add("one_card", cpus=2, gpus=1)

    cluster.start_sweep("leaving", *LEAVING)
    cluster.expect(two_cards=5, one_card=2)
    cluster.add("late", cpus=6, gpus=1)
    cluster.expect(two_cards=5, one_card=2, late=4)
    cluster.drain("one_card")
    cluster.release()
    while cluster.packs_by_host()["one_card"]:
        time.sleep(0.1)
    cluster.hold()
    cluster.expect(two_cards=5, late=4)
    cluster.lose("two_cards")
    cluster.release()
    cluster.finish_sweep()

    cluster.add("no_card", cpus=2, gpus=0)
    cluster.set_limits(cpus=2, gpus=1, max_count=2)
    cluster.start_sweep("growing", *GROWING)
    cluster.expect(late=2)
    assert 4 == cluster.count_pending()
    cluster.add("requested", cpus=2, gpus=1)
    cluster.expect(late=2, requested=2)
    assert 2 == cluster.count_pending()
    cluster.release()
    cluster.finish_sweep()
    assert 0 == cluster.count_pending()

    (folder / "hosts.json").write_text(json.dumps({name: host.node_id for name, host in cluster.hosts.items()}))
    cluster.cluster.shutdown()


if __name__ == "__main__":
    with _environment(SETTINGS):
        main(Path(sys.argv[1]))
