"""Run of a sweep from start to end: plan, store, lease, Ray cluster, placement, training."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console

from tcray.config.sweep import Sweep
from tcray.errors import InputError, Interrupted
from tcray.search.plan import Plan, find_cards, plan
from tcray.search.queue import Progress, Queue
from tcray.store.lease import Lease
from tcray.store.store import Store, SweepStore
from tcray.tune import manifest
from tcray.tune.capacity import Capacity, WorkerResources
from tcray.tune.datasets import LazyDatasets, LazyTestExamples
from tcray.tune.pack_sizes import first_size
from tcray.tune.placement import Placement, choose_placement
from tcray.tune.ray.cluster import Cluster, connect
from tcray.tune.status.display import print_note
from tcray.tune.status.host_notices import HostNotices
from tcray.tune.versions import check_hosts_match, installed_versions

# Modules that import Ray are imported inside functions: Ray reads its environment variables when it is imported, and a
# finished sweep needs neither Ray nor torch.
if TYPE_CHECKING:
    from tcray.tune.status.reporter import DriverState
    from tcray.tune.worker import Train


@dataclass(frozen=True, slots=True)
class SweepResult:
    """The stored sweep, its progress, and whether it was finished before this session."""

    store: SweepStore
    progress: Progress
    was_finished: bool


def run_sweep(
    sweep: Sweep,
    store_uri: str,
    *,
    address: str | None = None,
    fresh: bool = False,
    console: Console | None = None,
    train: Train | None = None,
) -> SweepResult:
    """Run a sweep to its end, or resume it.

    address   of a Ray cluster to join; if neither it nor RAY_ADDRESS is set, Ray starts on this machine
    fresh     start again and reuse nothing
    console   where progress is shown; default: stderr
    train     trains packs; default: `tcray.training.pack.train`

    Raises InputError if the sweep cannot run as requested, StoreBusyError if another driver runs it, StoreError or
    SweepError if it cannot continue, and Interrupted after Ctrl-C or `tcray stop`. The same call resumes it.
    """
    console = console or Console(stderr=True)
    planned = plan(sweep, find_cards(sweep))
    _print_notes(console, *planned.twin_notes, *planned.notes, *(f"warning: {text}" for text in planned.warnings))
    store = Store.open(store_uri, create=True)
    store.manifests()  # raises for sweeps of another schema, before anything is trained: verdicts count all sweeps
    sweep_store = store.sweep(planned.sweep_id(store.generation(planned.sweep_id(), fresh=fresh)))
    run = SweepRun(planned, sweep_store, LazyDatasets(planned.cards, sweep.data.root), console, train)
    lease = Lease(sweep_store)
    try:
        with lease:
            return run.run(lease, address)
    except KeyboardInterrupt:
        raise Interrupted(run.describe_stop(by_command=lease.stop_requested)) from None


@dataclass
class SweepRun:
    """One session of a driver with a sweep."""

    plan: Plan
    store: SweepStore
    datasets: LazyDatasets
    console: Console
    train: Train | None
    queue: Queue | None = None

    def run(self, lease: Lease, address: str | None) -> SweepResult:
        """Run the sweep to its end; without Ray if it is finished already."""
        if self.store.exists:
            written = self.store.read_manifest()
            upgraded = bool(written.get("upgraded_from"))
            if upgraded and not written["finished_at"]:
                raise InputError(
                    f"sweep {self.store.sweep_id} was upgraded from an earlier version of tcray and cannot be resumed",
                    "Pass --fresh to start it again; `tcray results` shows what it has recorded.",
                )
            self.store.write_manifest({**written, **manifest.sweep_fields(self.plan.sweep)})
            self.queue = self._load_queue()
            if self.queue.finished or upgraded:
                return SweepResult(self.store, self.queue.progress(), was_finished=True)
        with connect(address) as cluster:
            notices = self._check_hosts(cluster, lease)
            placement = self._place(cluster, lease)
            written = self.store.read_manifest() if self.store.exists else self._new_manifest()
            self.store.write_manifest(manifest.add_session(written, manifest.new_session(placement.device)))
            self.queue = queue = self.queue or self._load_queue()
            self._tune(queue, lease, cluster, placement, notices)
        self.store.write_manifest({**self.store.read_manifest(), "finished_at": manifest.format_now()})
        return SweepResult(self.store, queue.progress(), was_finished=False)

    def describe_stop(self, *, by_command: bool) -> str:
        """Return the message for a user who stopped the sweep by `tcray stop`, or else by Ctrl-C."""
        how = "stopped by `tcray stop`" if by_command else "interrupted"
        if self.queue is None:
            return f"{how} before the first run. Run the same command to start again."
        progress = self.queue.progress()
        done = f"{progress.ended:,} of {progress.planned:,} runs done"
        return f"{how} with {done}. Run the same command to resume."

    def _load_queue(self) -> Queue:
        return Queue(self.plan, self.store, LazyTestExamples(self.datasets))

    def _start_queue(self) -> Queue:
        """Return the queue; write the manifest first if the sweep has never been started."""
        if self.queue is None:
            self.store.write_manifest(self._new_manifest())
            self.queue = self._load_queue()
        return self.queue

    def _new_manifest(self) -> dict[str, Any]:
        from tcray.training.baselines import fit_baselines

        baselines = {name: fit_baselines(dataset) for name, dataset in self.datasets.items()}
        return manifest.new_manifest(self.plan, self.store.sweep_id, baselines)

    def _check_hosts(self, cluster: Cluster, lease: Lease) -> HostNotices:
        """Check the versions of every host, and find those that do not see the store, before anything is written."""
        from tcray.tune.blobs import sees_store

        check_hosts_match(cluster.run_on_other_nodes(installed_versions))
        notices = HostNotices(self.store.filesystem.display_path())
        if self.store.filesystem.is_local:
            visible = cluster.run_on_other_nodes(sees_store, self.store, lease.token)
            _print_notes(self.console, *notices.store_not_visible([host for host, sees in visible if not sees]))
        return notices

    def _place(self, cluster: Cluster, lease: Lease) -> Placement:
        """Choose the placement; wait for the first GPU node if none is up but the autoscaler may add one."""
        limits = cluster.limits()

        def report(state: DriverState) -> AbstractContextManager[Callable[[], None]]:
            from tcray.tune.status.reporter import reporting_status

            return reporting_status(self.plan.sweep, self.store, state, cluster.autoscaler_status, self.console)

        def sees_cuda(resources: WorkerResources) -> bool:
            from tcray.tune.wait_for_gpu import WaitForGpu

            capacity = Capacity(resources, cluster.nodes, limits)
            gpu_was_up = capacity.slots() > 0

            def on_gpu_ready() -> None:
                if not gpu_was_up:  # a node that was up has been checked already
                    check_hosts_match(cluster.run_on_other_nodes(installed_versions))

            workers = 1 if gpu_was_up else self._count_first_packs(capacity.headroom())
            with WaitForGpu(self._start_queue, lease, capacity, workers, report) as wait:
                return cluster.sees_cuda(resources.cpu, resources.gpu, workers, wait.tick, on_gpu_ready)

        placement = choose_placement(self.plan.sweep.resources, cluster.nodes(), limits, sees_cuda)
        _print_notes(self.console, *placement.notes)
        lease.check()
        return placement

    def _count_first_packs(self, headroom: int) -> int:
        """Return the number of full GPU packs at the start of the sweep, between 1 and `headroom`."""
        packs = self._start_queue().count_ready() // first_size(self.plan.sweep.resources, "cuda")
        return max(1, min(headroom, packs))

    def _tune(self, queue: Queue, lease: Lease, cluster: Cluster, placement: Placement, notices: HostNotices) -> None:
        from tcray.training.pack import train
        from tcray.tune.tuner import run_tuner

        run_tuner(
            self.plan.sweep,
            queue,
            lease=lease,
            store=self.store,
            cluster=cluster,
            placement=placement,
            notices=notices,
            console=self.console,
            datasets=self.datasets,
            train=self.train or train,
        )


def _print_notes(console: Console, *notes: str) -> None:
    for note in notes:
        print_note(console, note)
