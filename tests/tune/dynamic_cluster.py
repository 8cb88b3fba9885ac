"""Sweeps over hosts that come and go; a process of its own, since it has a Ray cluster.

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

HASTE = {"health_check_initial_delay_ms": 500, "health_check_period_ms": 500, "health_check_failure_threshold": 3}
"""How soon Ray takes a silent node for lost; by itself it would take most of a minute."""

LEAVING = ("search.wave=6", "resources.pack=1", "resources.device=auto", "resources.gpu=0.25")
"""Work for 24 packs at once."""
GROWING = ("resources.pack=1", "resources.device=any", "resources.gpu=0.5")
"""Work for twelve packs at once."""

FAR_OFF_SECONDS = 24 * 3600
"""When a host will be gone that is told to leave: not before it was seen to begin nothing more."""


class Stage:
    """A cluster whose hosts come and go, and a sweep on it, in a process of its own, whose packs can be held."""

    def __init__(self, folder: Path) -> None:
        """A head without a slot."""
        from ray.cluster_utils import Cluster

        self.folder = folder
        self.hosts: dict[str, Any] = {}
        head = {"num_cpus": 0, "include_dashboard": False, "_system_config": HASTE, "object_store_memory": 80 * 2**20}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)

    def add(self, name: str, cpus: int, gpus: int) -> None:
        """A host comes."""
        self.hosts[name] = self.cluster.add_node(num_cpus=cpus, num_gpus=gpus, object_store_memory=80 * 2**20)

    def lose(self, name: str) -> None:
        """A host goes, without a word, and its processes with it."""
        self._mark("lost", name)
        workers = [visit["pid"] for visit in self._visits() if visit["node"] == self.hosts[name].node_id]
        self.cluster.remove_node(self.hosts[name], allow_graceful=False)
        while any(Path(f"/proc/{pid}").exists() for pid in workers if pid):
            time.sleep(0.1)

    def drain(self, name: str) -> None:
        """A host is told that it will go, as a cloud does before it takes a spot instance back."""
        from ray.core.generated.autoscaler_pb2 import DRAIN_NODE_REASON_PREEMPTION

        until = int((time.time() + FAR_OFF_SECONDS) * 1000)
        accepted, why = self._gcs().drain_node(self.hosts[name].node_id, DRAIN_NODE_REASON_PREEMPTION, "spot", until)
        assert accepted, why
        self._mark("drained", name)

    def may_grow(self, cpus: int, gpus: int, most: int) -> None:
        """Ray is told what hosts an autoscaler may start."""
        from ray.core.generated.autoscaler_pb2 import ClusterConfig

        told = ClusterConfig()
        told.node_group_configs.add(name="gpu", max_count=most).resources.update({"CPU": cpus, "GPU": gpus})
        self._gcs().report_cluster_config(told.SerializeToString())

    def wanted(self) -> int:
        """How many workers wait for a host, as an autoscaler sees it."""
        from ray.autoscaler.v2.sdk import get_cluster_resource_state

        return len(get_cluster_resource_state(self._gcs()).pending_gang_resource_requests)

    def command(self, name: str, *overrides: str) -> subprocess.Popen[str]:
        """`tcray sweep` on this cluster, of a sweep that will come to nothing."""
        told = ["--store", str(self.folder / name), "--address", self.cluster.address]
        said = [f"--set={override}" for override in overrides]
        return subprocess.Popen(
            [sys.executable, "-m", "tcray", "sweep", str(write_sweep_file(self.folder)), *told, *said],
            stderr=subprocess.PIPE,
            text=True,
        )

    def begin(self, name: str, *overrides: str) -> None:
        """A sweep begins, and none of its packs ends before they are released."""
        at = self.folder / name
        at.mkdir()
        self.toy = FakeTrain(f"{at}/trace", visits=f"{at}/visits", hold=f"{at}/hold")
        Path(self.toy.visits).touch()
        self.hold()
        task = (make_sweep(self.folder, *overrides), f"{at}/trials", self.cluster.address, self.toy)
        self.sweep = multiprocessing.get_context("spawn").Process(target=run, args=task, daemon=True)
        self.sweep.start()

    def end(self) -> None:
        """The sweep comes to its end."""
        self.sweep.join()
        assert 0 == self.sweep.exitcode

    def hold(self) -> None:
        """No pack ends from here."""
        Path(self.toy.hold).touch()

    def release(self) -> None:
        """Packs end again."""
        Path(self.toy.hold).unlink()

    def packs(self) -> Counter[str]:
        """Packs under way, by host."""
        assert self.sweep.is_alive(), "the sweep went wrong"
        change = {"begins": 1, "ends": -1}
        names = {host.node_id: name for name, host in self.hosts.items()}
        packs: Counter[str] = Counter()
        for visit in self._visits():
            packs[names[visit["node"]]] += change.get(visit["what"], 0)
        return +packs

    def expect(self, **packs: int) -> None:
        """Waits until so many packs are under way on each host, and then a little for one too many."""
        while any(self.packs()[name] < count for name, count in packs.items()):
            time.sleep(0.1)
        time.sleep(1)
        assert Counter(packs) == self.packs()

    def _visits(self) -> list[dict[str, Any]]:
        return [json.loads(told) for told in Path(self.toy.visits).read_text().splitlines()]

    def _mark(self, what: str, name: str) -> None:
        """Adds what becomes of a host to what packs tell."""
        told = {"what": what, "at": time.time(), "pid": 0, "node": self.hosts[name].node_id, "cards": []}
        with Path(self.toy.visits).open("a") as visits:
            visits.write(json.dumps(told) + "\n")

    def _gcs(self) -> Any:
        import ray

        return ray._raylet.GcsClient(self.cluster.address)


def run(sweep: Sweep, store: str, address: str, toy: FakeTrain) -> None:
    """Runs a sweep to its end, and prints what it says."""
    from tcray.tune.run import run_sweep

    run_sweep(sweep, store, address=address, console=Console(file=sys.stdout, width=200), train=toy)


def main(folder: Path) -> None:
    """Leaves the stores, what commands said and packs told, and the ids of the hosts."""
    stage = Stage(folder)
    stage.may_grow(cpus=2, gpus=1, most=1)
    asks = stage.command("asks", "resources.cpu=3", "resources.gpu=0.5", "resources.device=auto")
    waits = stage.command("waits", "resources.device=cuda", "resources.gpu=0.25")
    assert waits.stderr is not None
    said = ""
    while "for a host" not in said and (line := waits.stderr.readline()):
        said += line
    waits.send_signal(signal.SIGINT)
    (folder / "waits.json").write_text(json.dumps([said + waits.communicate()[1], waits.returncode]))
    (folder / "asks.json").write_text(json.dumps([asks.communicate()[1], asks.returncode]))

    stage.may_grow(cpus=0, gpus=0, most=0)
    stage.add("two_cards", cpus=5, gpus=2)
    stage.add("one_card", cpus=2, gpus=1)

    stage.begin("leaving", *LEAVING)
    stage.expect(two_cards=5, one_card=2)
    stage.add("late", cpus=6, gpus=1)
    stage.expect(two_cards=5, one_card=2, late=4)
    stage.drain("one_card")
    stage.release()
    while stage.packs()["one_card"]:
        time.sleep(0.1)
    stage.hold()
    stage.expect(two_cards=5, late=4)
    stage.lose("two_cards")
    stage.release()
    stage.end()

    stage.add("without", cpus=2, gpus=0)
    stage.may_grow(cpus=2, gpus=1, most=2)
    stage.begin("growing", *GROWING)
    stage.expect(late=2, without=2)
    assert 4 == stage.wanted()
    stage.add("asked_for", cpus=2, gpus=1)
    stage.expect(late=2, without=2, asked_for=2)
    assert 2 == stage.wanted()
    stage.release()
    stage.end()
    assert 0 == stage.wanted()

    (folder / "hosts.json").write_text(json.dumps({name: host.node_id for name, host in stage.hosts.items()}))
    stage.cluster.shutdown()


if __name__ == "__main__":
    with _environment(SETTINGS):
        main(Path(sys.argv[1]))
