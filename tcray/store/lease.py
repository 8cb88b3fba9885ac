"""The right to write a sweep's tables, held by one driver at a time.

A driver takes over from the one before by creating the lease of the next number, which only one process can do; the
highest number counts. So nothing is ever locked, and what a killed driver leaves is a lease that the next outnumbers.

Whoever reads the store may ask the driver to stop: with a file that bears the lease's token, so that it means no other.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from tcray.errors import StoreBusyError, StoreError
from tcray.store.paths import LEASE
from tcray.store.process import Process
from tcray.store.store import SweepStore

RENEW_SECONDS = 10.0
STALE_SECONDS = 60.0
"""How long a driver on another machine may be silent before it counts as gone; clocks must agree much better."""

EMPTY_LEASE_SECONDS = 1.0
"""How long a lease may be empty: its creator writes it at once, or was killed in between."""


@dataclass(frozen=True, slots=True)
class LeaseHolder:
    """Who holds, or held, a lease: its text, and the process's word that it still runs."""

    token: str
    process: Process
    acquired_at: float
    renewed_at: float
    """When it last said that it runs, in seconds since 1970."""
    released: bool = False

    @classmethod
    def current(cls) -> LeaseHolder:
        """This process, from now."""
        now = time.time()
        return cls(secrets.token_hex(8), Process.current(), acquired_at=now, renewed_at=now)

    @classmethod
    def parse(cls, content: bytes) -> LeaseHolder:
        """The inverse of `content`. Raises `ValueError`, `KeyError` or `TypeError` for anything else."""
        fields = json.loads(content)
        return cls(**{**fields, "process": Process(**fields["process"])})

    def to_json(self) -> bytes:
        """The lease's text."""
        return json.dumps(asdict(self), indent=1).encode()

    @property
    def is_alive(self) -> bool:
        """Whether it still holds: on this machine the process tells, elsewhere its heartbeat."""
        if self.released:
            return False
        if self.process.is_local:
            return self.process.is_running
        return time.time() - self.renewed_at < STALE_SECONDS

    def __str__(self) -> str:
        """As messages name it."""
        since = datetime.fromtimestamp(self.acquired_at, UTC)
        return f"pid {self.process.pid} on {self.process.host} since {since:%Y-%m-%d %H:%M:%S} UTC"


def current_holder(sweep: SweepStore) -> LeaseHolder | None:
    """Who is running the sweep now; None where nobody is."""
    last = last_holder(sweep)
    return last if last is not None and last.is_alive else None


def last_holder(sweep: SweepStore) -> LeaseHolder | None:
    """Who ran the sweep last, be it over or not; None where nobody ever did."""
    return _latest(sweep)[1]


def request_stop(sweep: SweepStore, asked: LeaseHolder) -> None:
    """Asks a driver to stop, which sees it at its next heartbeat; none that holds the lease later ever will."""
    sweep.filesystem.write(sweep.paths.stop, asked.token.encode())


def is_stop_requested(sweep: SweepStore, driver: LeaseHolder) -> bool:
    """Whether somebody asked this driver to stop, and it has not come to that yet."""
    return sweep.filesystem.read(sweep.paths.stop) == driver.token.encode()


class Lease:
    """Held inside `with`: no other driver can hold the sweep's lease meanwhile.

    Entering raises `StoreBusyError`, naming the holder, while another driver runs the sweep. A driver that is gone is
    taken over from: at once where it ran on this machine, else when its heartbeat is `STALE_SECONDS` old.
    """

    def __init__(self, sweep: SweepStore, *, renew_seconds: float = RENEW_SECONDS) -> None:
        """Nothing is taken before `with`."""
        self._sweep = sweep
        self._beat_seconds = renew_seconds
        self._number = 0
        self._mine = LeaseHolder.current()
        self._lost_to: LeaseHolder | None = None
        self._stop_asked = False
        self._beating = threading.Lock()
        self._done = threading.Event()
        self._heart = threading.Thread(target=self._beat_until_done, name="tcray lease", daemon=True)

    def __enter__(self) -> Self:
        """Takes the lease, and keeps saying that it is held."""
        self._acquire()
        self._heart.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Gives the lease back, unless another driver has it."""
        self._done.set()
        self._heart.join()
        with contextlib.suppress(StoreError):  # it is for this driver alone, and the next is not held up by it
            if is_stop_requested(self._sweep, self._mine):
                self._sweep.filesystem.delete(self._sweep.paths.stop)
        with contextlib.suppress(StoreError):  # then the lease goes stale by itself
            self._renew(released=True)

    @property
    def token(self) -> str:
        """What tells it from every other lease."""
        return self._mine.token

    @property
    def stop_requested(self) -> bool:
        """Whether somebody asked its holder to stop, as of the last heartbeat."""
        return self._stop_asked

    def check(self) -> None:
        """Raises `StoreBusyError` if another driver took the lease over; to be said before anything is written.

        Costs nothing while the heartbeat is regular; after a pause (a stopped process, a sleeping machine) it looks.
        """
        if time.time() - self._mine.renewed_at > 2 * self._beat_seconds:
            with contextlib.suppress(StoreError):  # a disk that fails is the next write's to report
                self._renew()
        if self._lost_to is not None:
            raise StoreBusyError(
                f"sweep {self._sweep.sweep_id} was taken over by {self._lost_to}, since this driver had fallen silent",
                "Nothing is lost: the other driver goes on from what was recorded.",
            )

    def _acquire(self) -> None:
        while True:
            number, last = _latest(self._sweep)
            if last is not None and last.is_alive:
                raise StoreBusyError(
                    f"sweep {self._sweep.sweep_id} is already being run, by {last}",
                    "Wait until it is done, or end that process: the same command then goes on where it stopped.",
                )
            self._mine = replace(self._mine, acquired_at=time.time(), renewed_at=time.time())
            self._number = number + 1
            if self._sweep.filesystem.create(self._path(self._number), self._mine.to_json()) and self._is_latest():
                break
        for outnumbered in _numbers(self._sweep)[:-1]:
            self._sweep.filesystem.delete(self._path(outnumbered))

    def _is_latest(self) -> bool:
        last = last_holder(self._sweep)
        return last is not None and last.token == self._mine.token

    def _beat_until_done(self) -> None:
        while self._lost_to is None and not self._done.wait(self._beat_seconds):
            with contextlib.suppress(StoreError):  # the next beat may get through; `check` tells if it came too late
                self._renew()
                self._stop_asked = self._stop_asked or is_stop_requested(self._sweep, self._mine)

    def _renew(self, *, released: bool = False) -> None:
        with self._beating:
            last = last_holder(self._sweep)
            if last is not None and last.token != self._mine.token:
                self._lost_to = last
            else:
                self._mine = replace(self._mine, renewed_at=time.time(), released=released)
                self._sweep.filesystem.write(self._path(self._number), self._mine.to_json())

    def _path(self, number: int) -> str:
        return self._sweep.paths.lease(number)


def _numbers(sweep: SweepStore) -> list[int]:
    names = (LEASE.fullmatch(entry.name) for entry in sweep.filesystem.entries(sweep.paths.home))
    return [int(name[1]) for name in names if name]


def _latest(sweep: SweepStore) -> tuple[int, LeaseHolder | None]:
    """The highest number of a lease, 0 where there is none, and who holds it; no one where its creator was killed."""
    patience = time.monotonic() + EMPTY_LEASE_SECONDS
    while numbers := _numbers(sweep):
        content = sweep.filesystem.read(sweep.paths.lease(numbers[-1]))
        if content:
            return numbers[-1], _parse(sweep, numbers[-1], content)
        if content is not None and time.monotonic() > patience:
            return numbers[-1], None
        time.sleep(EMPTY_LEASE_SECONDS / 20)
    return 0, None


def _parse(sweep: SweepStore, number: int, content: bytes) -> LeaseHolder:
    try:
        return LeaseHolder.parse(content)
    except (ValueError, KeyError, TypeError) as error:
        shown = sweep.filesystem.display_path(sweep.paths.lease(number))
        raise StoreError(f"{shown} is no lease", "Delete it if nobody is running the sweep.") from error
