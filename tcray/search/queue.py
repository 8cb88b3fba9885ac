"""What is to be trained next: a state machine over packs whose only memory is the store.

Every decision is a function of what has been recorded, so it matters neither in which order packs come back nor how
they were made up. What is written, and when:

1. `record` appends what came of each run: its curve and, at a confirm run's end, evaluations, predictions and spectra;
2. then the ledger's `value` rows, which make the segment count. Before this a crash loses the segment, it is trained
   again, and readers drop the rows that then stand twice; after it the segment is never trained again;
3. then what follows from them: rungs are judged, waves and confirm runs proposed. These rows of the ledger are one
   part, written before anything acts on them; after a crash the constructor decides the same from the same values;
4. then the rows in `runs` of the runs that have ended, for which the ledger's rows hold all that is needed; the
   constructor writes those that are missing;
5. last, checkpoints that no run needs are deleted; the constructor deletes what was left.

What is recorded is never decided anew: on a GPU, where arithmetic is not stable to the bit, a resumed sweep replays the
decisions it took. The exceptions are runs that FAILED for want of memory or in a crash, which a new queue tries again;
what was decided without them stands.
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
from tcray.search.progress import Progress, progress
from tcray.search.records import Examples
from tcray.search.repeat import Repeat
from tcray.search.run_history import Execution, Measurement, RunHistory, Segment
from tcray.search.sampler import TrialSampler
from tcray.search.seeds import search_seed
from tcray.store.keys import RUN_KEY, RunKey
from tcray.store.outcome import Outcome
from tcray.store.schema import NO_RESULT
from tcray.store.store import SweepStore

__all__ = ["Examples", "Execution", "Pack", "Progress", "Queue", "Segment"]

AHEAD = 1024
"""Waves are proposed while fewer segments wait. It changes when something is decided, and never what."""

DELETERS = 8
"""Checkpoints deleted at a time: a bucket answers slowly, but many at once."""


class Queue:
    """Hands out packs, hears what came of them, and decides what follows; a `StoreError` ends its use.

    `examples` are the test split of each dataset, to go beside its predictions.
    """

    def __init__(self, plan: Plan, store: SweepStore, examples: Mapping[str, Examples]) -> None:
        """Takes over what the store holds, and writes what follows from it."""
        self._plan = plan
        self._store = store
        self._examples = examples
        # Every cell comes to its first repeat before any to its second: a sweep that is stopped has compared them all.
        self._repeats = {
            (cell.key, index): Repeat(plan, cell, index) for index in range(plan.repeats) for cell in plan.cells
        }
        self._proposers = {cell.key: _proposer(plan, cell) for cell in plan.cells} if plan.trials else {}
        self._courses: dict[RunKey, RunHistory] = {}
        self._line = PendingRuns()
        self._in_flight: dict[int, Pack] = {}
        self._deaths: Counter[RunKey] = Counter()
        self._due: deque[Repeat] = deque()
        self._replay()
        self._settle(self._repeats.values())
        self._delete_states_left_over()

    def take(self, limit: int) -> Pack | None:
        """The pack to train next, of at most `limit` runs; None if nothing waits, though packs may be in flight."""
        self._settle(())
        pack = self._line.take(limit)
        if pack is not None:
            self._in_flight[pack.number] = pack
        return pack

    def waiting(self) -> Mapping[Signature, int]:
        """How many segments of each signature wait; where they are many, further runs may be due to be proposed."""
        self._settle(())
        return self._line.waiting()

    def ready(self) -> int:
        """How many segments could be trained now: those that wait, and those of runs that are due to be proposed."""
        return len(self._line) + sum(repeat.runs_due for repeat in self._due)

    @property
    def finished(self) -> bool:
        """Whether every run has ended, and none will be proposed."""
        return not self._line and not self._in_flight and not self._due

    def progress(self) -> Progress:
        """How far the sweep has come."""
        in_flight = sum(len(pack.segments) for pack in self._in_flight.values())
        return progress(self._plan, self._repeats.values(), in_flight=in_flight, waiting=len(self._line))

    def record(self, pack: Pack, outcomes: Sequence[Outcome], circumstances: Execution) -> None:
        """Writes what came of a pack, an outcome a segment, and decides what follows."""
        del self._in_flight[pack.number]
        pairs = [(self._courses[s.key], outcome) for s, outcome in zip(pack.segments, outcomes, strict=True)]
        tables = {
            "curves": [row for pair in pairs for row in records.curve(*pair)],
            "evaluations": [row for pair in pairs for row in records.evaluations(*pair)],
            "predictions": [row for pair in pairs for row in records.predictions(*pair, self._examples)],
            "spectra": [row for pair in pairs for row in records.spectra(*pair)],
        }
        with ThreadPoolExecutor(len(tables)) as writers:  # a bucket answers slowly, but many at once
            list(writers.map(self._store.append, tables.keys(), tables.values()))
        self._measure([(course, _measurement(pack, outcome, circumstances)) for course, outcome in pairs])

    def lost(self, pack: Pack) -> None:
        """The pack's host went: its runs wait again, and nobody is blamed."""
        del self._in_flight[pack.number]
        self._line.give_back(pack)

    def crashed(self, pack: Pack) -> None:
        """The pack's process died on a living host: its halves are tried apart, a lone run `max_failures` times."""
        del self._in_flight[pack.number]
        if len(pack.segments) == 1:
            (lone,) = pack.segments
            self._deaths[lone.key] += 1
            if self._deaths[lone.key] >= self._plan.sweep.resources.max_failures:
                self._fail(pack)
                return
        self._line.isolate(pack)

    def _fail(self, pack: Pack) -> None:
        """Ends a lone run without a result."""
        (lone,) = pack.segments
        now = datetime.now(UTC)
        outcome = Outcome("FAILED", "crash", epoch=pack.start)
        self._measure([(self._courses[lone.key], _measurement(pack, outcome, Execution("", "", "", 1, now, now)))])

    def _measure(self, measured: Sequence[tuple[RunHistory, Measurement]]) -> None:
        """Makes measurements count, and draws their consequences."""
        self._store.append("ledger", [ledger.value(course, measurement) for course, measurement in measured])
        for course, measurement in measured:
            course.measured.append(measurement)
            course.under_way = False
        self._settle(self._repeats[course.key.cell, course.key.repeat] for course, _ in measured)

    def _settle(self, repeats: Iterable[Repeat]) -> None:
        """Decides what follows from what these repeats have recorded, writes it, and then acts on it."""
        touched = dict.fromkeys(repeats)
        decided = [ledger.verdict(course) for repeat in touched for course in repeat.judge()]
        self._due.extend(repeat for repeat in touched if repeat.due)
        waiting = len(self._line) + sum(len(repeat.ready()) for repeat in touched)
        while self._due and waiting + len(decided) < AHEAD:
            repeat = self._due.popleft()
            decided += self._propose(repeat)
            touched[repeat] = None
            if repeat.due:
                self._due.append(repeat)
        self._store.append("ledger", decided)
        self._record_ended(course for repeat in touched for course in repeat.courses)
        for course in (course for repeat in touched for course in repeat.ready()):
            course.under_way = True
            self._line.add(course.segment())

    def _propose(self, repeat: Repeat) -> list[Row]:
        """Adds the wave, or the confirm runs, that are due; the rows that say so."""
        return self._propose_wave(repeat) if repeat.due == "wave" else self._propose_confirm(repeat)

    def _propose_wave(self, repeat: Repeat) -> list[Row]:
        wave, first, cell = repeat.waves, len(repeat.searching), repeat.cell.key
        count = repeat.runs_due
        seed = int(digest([self._plan.sweep.seed, cell, repeat.index, wave], 8), 16)
        found = self._proposers[cell].propose(repeat.told(), count, seed)
        rows = []
        for trial, configuration in enumerate(found, first):
            key = RunKey("search", cell, repeat.index, trial, search_seed(repeat.index))
            rows.append(ledger.proposal(self._enter(key, wave, configuration)))
        if len(found) < count:
            repeat.closed = "there is no configuration left that it has not tried"
            rows.append(ledger.closed(repeat, wave))
        return rows

    def _propose_confirm(self, repeat: Repeat) -> list[Row]:
        if self._plan.trials:
            chosen = repeat.chosen()
            if chosen is None:
                repeat.barren = True
                return []
            trial, configuration = chosen.key.trial, chosen.run.configuration
        else:
            trial, configuration = 0, self._plan.resolve(repeat.cell, {})
        keys = [
            RunKey("confirm", repeat.cell.key, repeat.index, trial, seed)
            for seed in self._plan.confirm_seeds(repeat.index)
        ]
        return [ledger.proposal(self._enter(key, 0, configuration)) for key in keys]

    def _enter(self, key: RunKey, wave: int, configuration: Configuration) -> RunHistory:
        """Makes a run part of its repeat."""
        repeat = self._repeats[key.cell, key.repeat]
        course = RunHistory(key, wave, self._plan.run(repeat.cell, configuration, key.seed), self._plan.rungs)
        (repeat.searching if key.phase == "search" else repeat.confirming).append(course)
        self._courses[key] = course
        return course

    def _record_ended(self, courses: Iterable[RunHistory]) -> None:
        """Writes the rows of runs that have ended since, and deletes their checkpoints."""
        ended = [course for course in courses if course.state is not None and not course.recorded]
        self._store.append("runs", [records.ended(c, self._plan.cards[c.run.dataset].source) for c in ended])
        for course in ended:
            course.recorded = True
        over = [course for course in ended if course.reason not in NO_RESULT]
        self._delete(self._store.state_path(c.run.run_id, m.rung) for c in over for m in c.measured)

    def _replay(self) -> None:
        """Takes over what the store holds: everything but the runs that ended without a result."""
        rows: dict[str, list[Row]] = defaultdict(list)
        for row in self._store.read("ledger").to_pylist():
            if (row["cell"], row["repeat"]) not in self._repeats:
                raise self._foreign(f"repeat {row['repeat']} of {row['cell']}, which this sweep does not have")
            rows[row["kind"]].append(row)
        for row in rows["proposal"]:
            self._enter(RunKey.from_row(row), row["wave"] or 0, ledger.configuration_of(row))
        for row in rows["closed"]:
            self._repeats[row["cell"], row["repeat"]].closed = row["reason"]
        for row in rows["value"]:
            if row["reason"] not in NO_RESULT:
                self._course_of(row).measured.append(ledger.measurement_of(row))
        for row in rows["verdict"]:
            self._course_of(row).verdicts[row["rung"]] = row["goes_on"]
        for row in self._store.read("runs", (*RUN_KEY, "reason")).to_pylist():
            self._course_of(row).recorded = row["reason"] not in NO_RESULT

    def _course_of(self, row: Row) -> RunHistory:
        key = RunKey.from_row(row)
        if key not in self._courses:
            raise self._foreign(f"trial {key.trial} of {key.cell}, repeat {key.repeat}, which it does not propose")
        return self._courses[key]

    def _foreign(self, what: str) -> StoreError:
        return StoreError(
            f"the ledger of {self._store.sweep_id} tells of {what}",
            "See what `tcray store verify` says; restore the missing file, or begin anew with --fresh.",
        )

    def _delete_states_left_over(self) -> None:
        """Deletes the checkpoints of runs that ended, or went past them, just before a crash."""
        alive = [course for course in self._courses.values() if course.state is None]
        needed = {self._store.state_path(course.run.run_id, course.position) for course in alive}
        self._delete(path for path in self._store.state_paths() if path not in needed)

    def _delete(self, paths: Iterable[str]) -> None:
        with ThreadPoolExecutor(DELETERS) as deleters:
            list(deleters.map(self._store.delete_blob, paths))


def _proposer(plan: Plan, cell: Cell) -> TrialSampler:
    search = plan.sweep.search
    sampler = search.sampler if search else "random"
    return TrialSampler(plan.space(cell), partial(plan.resolve, cell), sampler, plan.wave, plan.maximize)


def _measurement(pack: Pack, outcome: Outcome, circumstances: Execution) -> Measurement:
    return Measurement(
        rung=pack.stop,
        epoch=outcome.epoch,
        state=outcome.state,
        reason=outcome.reason,
        value=outcome.value,
        best_epoch=outcome.best_epoch,
        metrics=outcome.metrics,
        seconds=outcome.seconds,
        circumstances=circumstances,
    )
