"""The queue of packs to train: a state machine whose only memory is the store.

Every decision is a function of recorded results, so neither the order in which packs return nor the composition of
packs has an influence. The order of writing:

1. `record` appends the results of each run: its curve and, at the end of a confirm run, evaluations, predictions and
   spectra;
2. then the ledger's `value` rows, which make the segment count. If the driver crashes before this, the segment is
   trained again, and readers drop the duplicate rows; afterwards the segment is never trained again;
3. then the decisions that follow: runs are promoted or pruned, waves and confirm runs are proposed. These rows of the
   ledger are one part, written before they take effect; after a crash the constructor takes the same decisions from
   the same values;
4. then the rows in `runs` of the runs that have ended. The ledger holds all that they need, so the constructor writes
   those that are missing;
5. last, checkpoints that no run needs are deleted; the constructor deletes those that were left over.

A recorded decision is never taken anew: on a GPU, whose arithmetic is not reproducible to the bit, a resumed sweep
replays its decisions. The exceptions are runs that FAILED because memory ran out or the process crashed: a new queue
trains them again, but decisions that were taken without them stand.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

from tcray.config.run import Configuration, digest
from tcray.errors import StoreError
from tcray.search import ledger, records
from tcray.search.cells import Cell
from tcray.search.ledger import Row
from tcray.search.pending import Pack, PendingRuns, Signature
from tcray.search.plan import Plan
from tcray.search.progress import Progress, measure_progress
from tcray.search.records import TestExamples
from tcray.search.repeat import Repeat
from tcray.search.run_history import Execution, Measurement, RunHistory, Segment
from tcray.search.sampler import TrialSampler
from tcray.search.seeds import search_seed
from tcray.store.keys import RUN_KEY, RunKey
from tcray.store.outcome import Outcome
from tcray.store.schema import RETRYABLE
from tcray.store.store import SweepStore

__all__ = ["Execution", "Pack", "Progress", "Queue", "Segment", "TestExamples"]

PROPOSE_BELOW = 1024
"""Runs are proposed while fewer segments than this are pending. It affects when a decision is taken, never which."""

DELETE_THREADS = 8
"""Checkpoints deleted at a time: a bucket answers slowly, but many requests at once."""


class Queue:
    """Hands out packs, records their results, and decides what to train next; a `StoreError` ends its use.

    `examples` are the test split of each dataset, to be stored with its predictions.
    """

    def __init__(self, plan: Plan, store: SweepStore, examples: Mapping[str, TestExamples]) -> None:
        """Replay what the store holds, and write what follows from it."""
        self._plan = plan
        self._store = store
        self._examples = examples
        # The first repeat of every cell precedes the second of any, so that an interrupted sweep can compare all cells.
        self._repeats = {
            (cell.key, index): Repeat(plan, cell, index) for index in range(plan.repeats) for cell in plan.cells
        }
        self._samplers = {cell.key: _make_sampler(plan, cell) for cell in plan.cells} if plan.trials else {}
        self._histories: dict[RunKey, RunHistory] = {}
        self._pending = PendingRuns()
        self._in_flight: dict[int, Pack] = {}
        self._crashes: Counter[RunKey] = Counter()
        self._to_propose: deque[Repeat] = deque()
        """Repeats with a next proposal, in the order in which they got one."""
        self._replay()
        self._decide(self._repeats.values())
        self._delete_orphaned_checkpoints()

    # Packs to train

    def peek(self) -> Signature | None:
        """Return the signature of the next pack; None if nothing is pending."""
        self._decide(())
        return self._pending.peek()

    def take(self, limit: int) -> Pack | None:
        """Return the next pack, of at most `limit` runs; None if nothing is pending (packs may still be in flight)."""
        self._decide(())
        pack = self._pending.take(limit)
        if pack is not None:
            self._in_flight[pack.number] = pack
        return pack

    def count_waiting(self) -> Mapping[Signature, int]:
        """Return the number of pending segments by signature; more runs may follow if there are many."""
        self._decide(())
        return self._pending.count_by_signature()

    def count_ready(self) -> int:
        """Return the number of segments that could be trained now: pending ones, and runs to be proposed next."""
        return len(self._pending) + sum(repeat.next_proposal_size for repeat in self._to_propose)

    @property
    def finished(self) -> bool:
        """True if every run has ended and no more will be proposed."""
        return not self._pending and not self._in_flight and not self._to_propose

    def progress(self) -> Progress:
        """Return the progress of the sweep."""
        in_flight = sum(len(pack.segments) for pack in self._in_flight.values())
        return measure_progress(self._plan, self._repeats.values(), in_flight=in_flight, waiting=len(self._pending))

    # Packs that return

    def record(self, pack: Pack, outcomes: Sequence[Outcome], execution: Execution) -> None:
        """Write the outcomes of a pack, one per segment, and decide what follows from them."""
        del self._in_flight[pack.number]
        pairs = [(self._histories[s.key], outcome) for s, outcome in zip(pack.segments, outcomes, strict=True)]
        tables = {
            "curves": [row for pair in pairs for row in records.curve_rows(*pair)],
            "evaluations": [row for pair in pairs for row in records.evaluation_rows(*pair)],
            "predictions": [row for pair in pairs for row in records.prediction_rows(*pair, self._examples)],
            "spectra": [row for pair in pairs for row in records.spectrum_rows(*pair)],
        }
        with ThreadPoolExecutor(len(tables)) as writers:  # a bucket answers slowly, but many requests at once
            list(writers.map(self._store.append, tables.keys(), tables.values()))
        self._apply([(history, Measurement(pack.stop, out.summary(), execution)) for history, out in pairs])

    def requeue(self, pack: Pack) -> None:
        """Put a pack back in its old place, because its host was lost; no run is to blame."""
        del self._in_flight[pack.number]
        self._pending.requeue(pack)

    def record_crash(self, pack: Pack) -> None:
        """Bisect a pack whose process died on a live host; a lone run is retried, and fails at `max_failures`."""
        del self._in_flight[pack.number]
        if len(pack.segments) == 1:
            key = pack.segments[0].key
            self._crashes[key] += 1
            if self._crashes[key] >= self._plan.sweep.resources.max_failures:
                now = datetime.now(UTC)
                crash = Outcome("FAILED", "crash", epoch=pack.start)
                self._apply([(self._histories[key], Measurement(pack.stop, crash, Execution("", "", "", 1, now, now)))])
                return
        self._pending.bisect(pack)

    # Decisions

    def _apply(self, measured: Sequence[tuple[RunHistory, Measurement]]) -> None:
        """Write measurements to the ledger, add them to their runs, and decide what follows."""
        self._store.append("ledger", [ledger.value_row(history, measurement) for history, measurement in measured])
        for history, measurement in measured:
            history.measurements.append(measurement)
            history.in_flight = False
        self._decide(self._repeats[history.key.cell, history.key.repeat] for history, _ in measured)

    def _decide(self, repeats: Iterable[Repeat]) -> None:
        """Prune, promote and propose runs given the results of these repeats: write the decisions, then act on them."""
        changed = dict.fromkeys(repeats)
        rows = [ledger.promotion_row(history) for repeat in changed for history in repeat.prune()]
        self._to_propose.extend(repeat for repeat in changed if repeat.next_proposal)
        pending = len(self._pending) + sum(len(repeat.list_trainable()) for repeat in changed)
        while self._to_propose and pending + len(rows) < PROPOSE_BELOW:
            repeat = self._to_propose.popleft()
            rows += self._propose_wave(repeat) if repeat.next_proposal == "wave" else self._propose_confirm(repeat)
            changed[repeat] = None
            if repeat.next_proposal:
                self._to_propose.append(repeat)
        self._store.append("ledger", rows)
        self._record_ended(history for repeat in changed for history in repeat.histories)
        for history in (history for repeat in changed for history in repeat.list_trainable()):
            history.in_flight = True
            self._pending.add(history.next_segment())

    def _propose_wave(self, repeat: Repeat) -> list[Row]:
        """Add the next wave of trials to a repeat; return the ledger's rows."""
        wave, first, count = repeat.waves_proposed, len(repeat.search_histories), repeat.next_proposal_size
        cell = repeat.cell.key
        seed = int(digest([self._plan.sweep.seed, cell, repeat.index, wave], 8), 16)
        proposed = self._samplers[cell].propose(repeat.observations(), count, seed)
        rows = []
        for trial, configuration in enumerate(proposed, first):
            key = RunKey("search", cell, repeat.index, trial, search_seed(repeat.index))
            rows.append(ledger.proposal_row(self._add_run(key, wave, configuration)))
        if len(proposed) < count:
            repeat.exhausted = "there is no configuration left that it has not tried"
            rows.append(ledger.exhausted_row(repeat, wave))
        return rows

    def _propose_confirm(self, repeat: Repeat) -> list[Row]:
        """Add the confirm runs of the selected trial to a repeat; return the ledger's rows."""
        if self._plan.trials:
            selected = repeat.select_trial()
            if selected is None:
                repeat.nothing_to_confirm = True
                return []
            trial, configuration = selected.key.trial, selected.run.configuration
        else:
            trial, configuration = 0, self._plan.resolve(repeat.cell, {})
        keys = [
            RunKey("confirm", repeat.cell.key, repeat.index, trial, seed)
            for seed in self._plan.confirm_seeds(repeat.index)
        ]
        return [ledger.proposal_row(self._add_run(key, 0, configuration)) for key in keys]

    def _add_run(self, key: RunKey, wave: int, configuration: Configuration) -> RunHistory:
        """Add a run to its repeat."""
        repeat = self._repeats[key.cell, key.repeat]
        history = RunHistory(key, wave, self._plan.make_run(repeat.cell, configuration, key.seed), self._plan.rungs)
        (repeat.search_histories if key.phase == "search" else repeat.confirm_histories).append(history)
        self._histories[key] = history
        return history

    def _record_ended(self, histories: Iterable[RunHistory]) -> None:
        """Write the rows of the runs that have ended since the last call, and delete their checkpoints."""
        ended = [history for history in histories if history.state is not None and not history.recorded]
        names, cards = self._plan.modality_hyperparameters, self._plan.cards
        self._store.append("runs", [records.run_row(h, cards[h.run.dataset].source, names) for h in ended])
        for history in ended:
            history.recorded = True
        done = [history for history in ended if history.reason not in RETRYABLE]
        self._delete(self._store.checkpoint_path(h.run.run_id, m.rung) for h in done for m in h.measurements)

    # Resuming

    def _replay(self) -> None:
        """Restore the state from the store, except runs that failed without a result: those are trained again."""
        rows: dict[str, list[Row]] = defaultdict(list)
        for row in self._store.read("ledger").to_pylist():
            if (row["cell"], row["repeat"]) not in self._repeats:
                raise self._not_in_plan(f"repeat {row['repeat']} of {row['cell']}")
            rows[row["kind"]].append(row)
        for row in rows["proposal"]:
            self._add_run(RunKey.from_row(row), row["wave"] or 0, ledger.read_configuration(row))
        for row in rows["exhausted"]:
            self._repeats[row["cell"], row["repeat"]].exhausted = row["reason"]
        for row in rows["value"]:
            if row["reason"] not in RETRYABLE:
                self._find_history(row).measurements.append(Measurement.from_row(row))
        for row in rows["promotion"]:
            self._find_history(row).promotions[row["rung"]] = row["promoted"]
        for row in self._store.read("runs", (*RUN_KEY, "reason")).to_pylist():
            self._find_history(row).recorded = row["reason"] not in RETRYABLE

    def _find_history(self, row: Row) -> RunHistory:
        key = RunKey.from_row(row)
        if key not in self._histories:
            raise self._not_in_plan(f"trial {key.trial} of {key.cell}, repeat {key.repeat}")
        return self._histories[key]

    def _not_in_plan(self, what: str) -> StoreError:
        return StoreError(
            f"the ledger of {self._store.sweep_id} contains {what}, which this sweep did not propose",
            "Check it with `tcray store verify`; restore the missing file, or start over with --fresh.",
        )

    def _delete_orphaned_checkpoints(self) -> None:
        """Delete checkpoints that a crash left behind: those of runs that have ended, or were trained further."""
        unfinished = [history for history in self._histories.values() if history.state is None]
        needed = {self._store.checkpoint_path(history.run.run_id, history.position) for history in unfinished}
        self._delete(path for path in self._store.checkpoint_paths() if path not in needed)

    def _delete(self, paths: Iterable[str]) -> None:
        with ThreadPoolExecutor(DELETE_THREADS) as deleters:
            list(deleters.map(self._store.delete_blob, paths))


def _make_sampler(plan: Plan, cell: Cell) -> TrialSampler:
    search = plan.sweep.search
    sampler = search.sampler if search else "random"
    return TrialSampler(plan.search_space(cell), partial(plan.resolve, cell), sampler, plan.wave, plan.maximize)
