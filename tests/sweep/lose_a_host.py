"""A sweep over two hosts, one of which is lost in the middle; a process of its own, since it has a Ray cluster.

python -m tests.sweep.lose_a_host FOLDER
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

from rich.console import Console

from tcray.sweep.cluster import SETTINGS, _environment

from .small import a_sweep
from .toy import Toy

HASTE = {"health_check_initial_delay_ms": 500, "health_check_period_ms": 500, "health_check_failure_threshold": 3}
"""How soon Ray takes a silent node for lost; by itself it would take most of a minute."""


def main(folder: Path) -> None:
    """Prints what the sweep says; its store is in `folder`."""
    with _environment(SETTINGS):
        from ray.cluster_utils import Cluster

        small = {"object_store_memory": 80 * 2**20}
        head = {"num_cpus": 0, "include_dashboard": False, "_system_config": HASTE, **small}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        hosts = [cluster.add_node(num_cpus=1, num_gpus=1, **small) for _ in range(2)]
        cluster.wait_for_nodes()

        from tcray.sweep.driver import run_sweep

        toy = Toy(str(folder / "trace"), seconds=1.5)  # long beside the time between packs: it is to die within one

        def lose() -> None:
            """Takes a host away once both of them train."""
            while len({one["pid"] for one in toy.trained()}) < 2:
                time.sleep(0.05)
            cluster.remove_node(hosts[0], allow_graceful=False)
            print("a host was taken away", flush=True)

        Path(toy.trace).touch()
        threading.Thread(target=lose, daemon=True).start()
        sweep = a_sweep(folder, "resources.device=auto", "resources.gpu=1")
        console = Console(file=sys.stdout, width=200)
        run_sweep(sweep, str(folder / "trials"), address=cluster.address, console=console, train=toy)
        cluster.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
