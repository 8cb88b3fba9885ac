"""A sweep from its first line to its last run: plan, store, lease, Ray, and the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from tcray.errors import Interrupted
from tcray.search.plan import Plan, find_cards, plan
from tcray.search.queue import Progress, Queue
from tcray.spec.sweep import Sweep
from tcray.store.lease import Lease
from tcray.store.store import Store, SweepStore
from tcray.sweep import manifest
from tcray.sweep.cluster import Cluster, connected
from tcray.sweep.library import HeldOut, Library
from tcray.sweep.placement import Placement, place

if TYPE_CHECKING:
    from tcray.sweep.worker import Train


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
    and SweepError where it could not go on, and Interrupted at Ctrl-C; after any of these the same call resumes it.
    """
    console = console or Console(stderr=True)
    planned = plan(sweep, find_cards(sweep))
    _say(console, *planned.stand_ins, *planned.notes, *(f"warning: {warning}" for warning in planned.warnings))
    store = Store.open(store_uri, create=True)
    own = store.sweep(planned.sweep_id(generation(store, planned, fresh=fresh)))
    session = _Session(planned, own, Library(planned.cards, sweep.data.root), console, train)
    try:
        with Lease(own) as lease:
            return session.run(lease, address)
    except KeyboardInterrupt:
        raise Interrupted(session.farewell) from None


def generation(store: Store, planned: Plan, *, fresh: bool) -> int:
    """Which time of beginning the sweep this is: the last there was, or after that the next if it is to be `fresh`."""
    begun = store.generations(planned.sweep_id())
    if not begun:
        return 1
    suffix = begun[-1].removeprefix(planned.sweep_id()).removeprefix("-g")
    return int(suffix or 1) + fresh


@dataclass
class _Session:
    """One driver's time with a sweep."""

    planned: Plan
    store: SweepStore
    library: Library
    console: Console
    train: Train | None
    queue: Queue | None = None

    def run(self, lease: Lease, address: str | None) -> SweepResult:
        if self.store.exists:
            self.store.write_manifest({**self.store.read_manifest(), **manifest.asked(self.planned.sweep)})
            self.queue = self._new_queue()
            if self.queue.finished:
                return SweepResult(self.store, self.queue.progress(), was_finished=True)
        with connected(address) as cluster:
            placement = self._place(cluster)
            self._begin(placement)
            self.queue = self.queue or self._new_queue()
            self._tune(self.queue, lease, cluster, placement)
        self.store.write_manifest({**self.store.read_manifest(), "finished_at": manifest.now()})
        return SweepResult(self.store, self.queue.progress(), was_finished=False)

    @property
    def farewell(self) -> str:
        """What is said at Ctrl-C."""
        if self.queue is None:
            return "interrupted before the first run; the same command begins again"
        progress = self.queue.progress()
        return (
            f"interrupted with {progress.ended:,} of {progress.planned:,} runs done; the same command goes on from here"
        )

    def _new_queue(self) -> Queue:
        return Queue(self.planned, self.store, HeldOut(self.library))

    def _place(self, cluster: Cluster) -> Placement:
        resources = self.planned.sweep.resources
        placement = place(resources, cluster.nodes(), lambda: cluster.sees_cuda(resources.gpu))
        if placement.note:
            _say(self.console, placement.note)
        return placement

    def _begin(self, placement: Placement) -> None:
        """Writes who sets out, and at the sweep's first start what is asked."""
        if self.store.exists:
            written = self.store.read_manifest()
        else:
            from tcray.training.references import reference_rows

            references = {name: reference_rows(dataset) for name, dataset in self.library.items()}
            written = manifest.first(self.planned, self.store.sweep_id, references)
        self.store.write_manifest(manifest.with_session(written, manifest.session(placement.device)))

    def _tune(self, queue: Queue, lease: Lease, cluster: Cluster, placement: Placement) -> None:
        # Ray is imported after its environment is set, and not at all for a sweep that is finished.
        from tcray.sweep.tuning import Tuning
        from tcray.training import pack as engine

        Tuning(
            sweep=self.planned.sweep,
            queue=queue,
            lease=lease,
            store=self.store,
            cluster=cluster,
            placement=placement,
            console=self.console,
        ).run(self.library, self.train or engine.train)


def _say(console: Console, *lines: str) -> None:
    for line in lines:
        console.print(Text(line), soft_wrap=True)
