"""A sweep from its first line to its last run: plan, store, lease, Ray, and the end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console

from tcray.config.sweep import Sweep
from tcray.errors import Interrupted
from tcray.search.plan import Plan, find_cards, plan
from tcray.search.queue import Progress, Queue
from tcray.store.lease import Lease
from tcray.store.store import Store, SweepStore
from tcray.tune import manifest
from tcray.tune.datasets import LazyDatasets, LazyTestExamples
from tcray.tune.placement import Capacity, Placement, WorkerResources, place
from tcray.tune.ray.cluster import Cluster, connect
from tcray.tune.status.display import say
from tcray.tune.status.host_notices import HostNotices
from tcray.tune.versions import expect_alike, installed

if TYPE_CHECKING:
    from tcray.tune.worker import Train


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What a session came to: the sweep's part of the store, and whether all of it was there before."""

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
    """Runs a sweep to its end, or goes on where the same sweep stopped.

    address   of a Ray cluster to join; where neither it nor RAY_ADDRESS is given, Ray starts on this machine
    fresh     begins anew, and reuses nothing
    console   where progress is shown; stderr, unless given
    train     trains packs; `tcray.training.pack.train`, unless given

    Raises InputError where the sweep cannot be run as asked, StoreBusyError where another driver runs it, StoreError
    and SweepError where it could not go on, and Interrupted at Ctrl-C or `tcray stop`. After any of these the same call
    resumes it.
    """
    console = console or Console(stderr=True)
    planned = plan(sweep, find_cards(sweep))
    _say(console, *planned.twin_notes, *planned.notes, *(f"warning: {warning}" for warning in planned.warnings))
    store = Store.open(store_uri, create=True)
    own = store.sweep(planned.sweep_id(store.generation(planned.sweep_id(), fresh=fresh)))
    session = _Session(planned, own, LazyDatasets(planned.cards, sweep.data.root), console, train)
    lease = Lease(own)
    try:
        with lease:
            return session.run(lease, address)
    except KeyboardInterrupt:
        raise Interrupted(session.farewell("stopped by `tcray stop`" if lease.stop_asked else "interrupted")) from None


@dataclass
class _Session:
    """One driver's time with a sweep."""

    planned: Plan
    store: SweepStore
    library: LazyDatasets
    console: Console
    train: Train | None
    queue: Queue | None = None

    def run(self, lease: Lease, address: str | None) -> SweepResult:
        if self.store.exists:
            self.store.write_manifest({**self.store.read_manifest(), **manifest.asked(self.planned.sweep)})
            self.queue = self._new_queue()
            if self.queue.finished:
                return SweepResult(self.store, self.queue.progress(), was_finished=True)
        with connect(address) as cluster:
            remarks = self._look_around(cluster, lease)
            placement = self._place(cluster, lease)
            self._begin(placement)
            self.queue = self.queue or self._new_queue()
            self._tune(self.queue, lease, cluster, placement, remarks)
        self.store.write_manifest({**self.store.read_manifest(), "finished_at": manifest.now()})
        return SweepResult(self.store, self.queue.progress(), was_finished=False)

    def farewell(self, how: str) -> str:
        """What is said to whoever ended it by Ctrl-C or `tcray stop`."""
        if self.queue is None:
            return f"{how} before the first run; the same command begins again"
        progress = self.queue.progress()
        return f"{how} with {progress.ended:,} of {progress.planned:,} runs done; the same command goes on from here"

    def _new_queue(self) -> Queue:
        return Queue(self.planned, self.store, LazyTestExamples(self.library))

    def _look_around(self, cluster: Cluster, lease: Lease) -> HostNotices:
        """Makes sure that every host can take part, before anything of the sweep is written."""
        from tcray.tune.blobs import is_seen

        expect_alike(cluster.elsewhere(installed))
        remarks = HostNotices(self.store.volume.shown())
        if self.store.volume.is_local:
            seen = cluster.elsewhere(is_seen, self.store.uri, self.store.sweep_id, lease.token)
            _say(self.console, *remarks.on_blind([host for host, sees in seen if not sees]))
        return remarks

    def _place(self, cluster: Cluster, lease: Lease) -> Placement:
        limits = cluster.limits()

        def sees_cuda(share: WorkerResources) -> bool:
            from tcray.tune.status.reporter import DriverState, watched
            from tcray.tune.wait_for_gpu import WaitForGpu

            def watch(scene: DriverState) -> AbstractContextManager[Callable[[], None]]:
                return watched(self.planned.sweep, self.store, scene, cluster.launches, self.console)

            def had() -> None:
                if not was_there:  # else it was looked at with all others
                    expect_alike(cluster.elsewhere(installed))

            room = Capacity(Placement((share,)), cluster.nodes, limits)
            was_there = room.slots(share) > 0
            workers = 1 if was_there else self._first_packs(room.growth(share))
            with WaitForGpu(self._begun, lease, room, workers, watch) as anteroom:
                return cluster.sees_cuda(share.cpu, share.gpu, workers, anteroom.wait, had)

        placement = place(self.planned.sweep.resources, cluster.nodes(), limits, sees_cuda)
        _say(self.console, *placement.notes)
        lease.check()
        return placement

    def _first_packs(self, most: int) -> int:
        """How many full packs on GPUs the sweep begins with; at most as many as given, and one at least."""
        from tcray.tune.tuner import first_size

        return max(1, min(most, self._begun().count_ready() // first_size(self.planned.sweep.resources, "cuda")))

    def _begun(self) -> Queue:
        """The queue, for which a sweep that was never started is begun."""
        if self.queue is None:
            self.store.write_manifest(self._first_manifest())
            self.queue = self._new_queue()
        return self.queue

    def _begin(self, placement: Placement) -> None:
        """Writes who sets out, and at the sweep's first start what is asked."""
        written = self.store.read_manifest() if self.store.exists else self._first_manifest()
        self.store.write_manifest(manifest.with_session(written, manifest.session(placement.device)))

    def _first_manifest(self) -> dict[str, Any]:
        from tcray.training.baselines import fit_baselines

        references = {name: fit_baselines(dataset) for name, dataset in self.library.items()}
        return manifest.first(self.planned, self.store.sweep_id, references)

    def _tune(self, queue: Queue, lease: Lease, cluster: Cluster, placement: Placement, remarks: HostNotices) -> None:
        # Ray is imported after its environment is set, and not at all for a sweep that is finished.
        from tcray.training import pack as engine
        from tcray.tune.tuner import Tuning

        Tuning(
            sweep=self.planned.sweep,
            queue=queue,
            lease=lease,
            store=self.store,
            cluster=cluster,
            placement=placement,
            remarks=remarks,
            console=self.console,
        ).run(self.library, self.train or engine.train)


def _say(console: Console, *lines: str) -> None:
    for line in lines:
        say(console, line)
