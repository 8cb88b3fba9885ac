"""The lease of a sweep: the right to write its tables, held by one driver at a time.

A driver takes the sweep over by creating the lease with the next number, which only one process can do; the highest
number counts. So nothing is ever locked, and the lease of a killed driver is superseded by the next one.

Any process that can write to the store may request a stop: it writes a file with the token of the driver's lease, so
that no other driver stops.
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
"""Age of a lease's last renewal after which a driver on another host counts as dead.

The clocks of the hosts must differ by much less."""

EMPTY_LEASE_SECONDS = 1.0
"""Time after which an empty lease counts as abandoned: its creator was killed before it wrote the content."""

_FIELDS_OF_SCHEMA_1 = {"since": "acquired_at", "beat": "renewed_at"}
"""Names in the leases of tcray 0.1, which `tcray store upgrade` must read."""


@dataclass(frozen=True, slots=True)
class LeaseHolder:
    """Content of a lease file: the driver that holds, or held, the lease.

    token         identifies the lease
    process       the driver's process
    acquired_at   in seconds since 1970
    renewed_at    last time at which the driver confirmed that it is running, in seconds since 1970
    released      True once the driver has ended properly
    """

    token: str
    process: Process
    acquired_at: float
    renewed_at: float
    released: bool = False

    @classmethod
    def current(cls) -> LeaseHolder:
        """Return a holder for this process, acquired now."""
        now = time.time()
        return cls(secrets.token_hex(8), Process.current(), acquired_at=now, renewed_at=now)

    @classmethod
    def parse(cls, content: bytes) -> LeaseHolder:
        """Invert `to_json`. Raises ValueError, KeyError, TypeError or AttributeError if the content is not a lease."""
        fields = {_FIELDS_OF_SCHEMA_1.get(name, name): value for name, value in json.loads(content).items()}
        return cls(**{**fields, "process": Process(**fields["process"])})

    def to_json(self) -> bytes:
        """Return the content of the lease file."""
        return json.dumps(asdict(self), indent=1).encode()

    @property
    def is_alive(self) -> bool:
        """True if the lease is held: its process is running (same host) or it was renewed recently (other hosts)."""
        if self.released:
            return False
        if self.process.is_local:
            return self.process.is_running
        return time.time() - self.renewed_at < STALE_SECONDS

    def __str__(self) -> str:
        """Return the description of the driver in messages."""
        since = datetime.fromtimestamp(self.acquired_at, UTC)
        return f"pid {self.process.pid} on {self.process.host} since {since:%Y-%m-%d %H:%M:%S} UTC"


def current_holder(sweep: SweepStore) -> LeaseHolder | None:
    """Return the driver that is running the sweep now; None if there is none."""
    last = last_holder(sweep)
    return last if last is not None and last.is_alive else None


def last_holder(sweep: SweepStore) -> LeaseHolder | None:
    """Return the driver that ran the sweep last, whether or not it has ended; None if the sweep was never run."""
    return _latest(sweep)[1]


def request_stop(sweep: SweepStore, driver: LeaseHolder) -> None:
    """Ask a driver to stop; it sees the request at its next lease renewal. Later drivers ignore the request."""
    sweep.filesystem.write(sweep.paths.stop, driver.token.encode())


def is_stop_requested(sweep: SweepStore, driver: LeaseHolder) -> bool:
    """True if this driver was asked to stop and has not ended yet."""
    return sweep.filesystem.read(sweep.paths.stop) == driver.token.encode()


class Lease:
    """Context manager: holds the sweep's lease, so that no other driver can hold it at the same time.

    Entering raises `StoreBusyError`, which names the holder, if another driver is running the sweep. The lease of a
    dead driver is taken over: at once if it ran on this host, else when its last renewal is `STALE_SECONDS` old.
    """

    def __init__(self, sweep: SweepStore, *, renew_seconds: float = RENEW_SECONDS) -> None:
        """Prepare the lease; it is acquired on entering `with`."""
        self._sweep = sweep
        self._renew_seconds = renew_seconds
        self._number = 0
        self._mine = LeaseHolder.current()
        self._lost_to: LeaseHolder | None = None
        self._stop_requested = False
        self._renewing = threading.Lock()
        self._done = threading.Event()
        self._renewer = threading.Thread(target=self._renew_until_done, name="tcray lease", daemon=True)

    def __enter__(self) -> Self:
        """Acquire the lease and start the thread that renews it."""
        self._acquire()
        self._renewer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Release the lease, unless another driver has taken it over."""
        self._done.set()
        self._renewer.join()
        with contextlib.suppress(StoreError):  # the request is for this driver only and does not stop the next one
            if is_stop_requested(self._sweep, self._mine):
                self._sweep.filesystem.delete(self._sweep.paths.stop)
        with contextlib.suppress(StoreError):  # the lease then becomes stale by itself
            self._renew(released=True)

    @property
    def token(self) -> str:
        """Return the text that identifies this lease."""
        return self._mine.token

    @property
    def stop_requested(self) -> bool:
        """True if this driver was asked to stop, as of the last renewal."""
        return self._stop_requested

    def check(self) -> None:
        """Raise `StoreBusyError` if another driver has taken the lease over; call it before anything is written.

        The store is read only after a pause in the renewals (a stopped process, a sleeping machine).
        """
        if time.time() - self._mine.renewed_at > 2 * self._renew_seconds:
            with contextlib.suppress(StoreError):  # the next write reports a failing disk
                self._renew()
        if self._lost_to is not None:
            raise StoreBusyError(
                f"sweep {self._sweep.sweep_id} was taken over by {self._lost_to} because this driver "
                "stopped renewing its lease",
                "Nothing is lost: the other driver resumes from what was recorded.",
            )

    def _acquire(self) -> None:
        while True:
            number, last = _latest(self._sweep)
            if last is not None and last.is_alive:
                raise StoreBusyError(
                    f"sweep {self._sweep.sweep_id} is already being run by {last}",
                    "Wait until it ends, or stop it; then run the same command to resume.",
                )
            self._mine = replace(self._mine, acquired_at=time.time(), renewed_at=time.time())
            self._number = number + 1
            if self._sweep.filesystem.create(self._path(self._number), self._mine.to_json()) and self._is_latest():
                break
        for superseded in _numbers(self._sweep)[:-1]:
            self._sweep.filesystem.delete(self._path(superseded))

    def _is_latest(self) -> bool:
        last = last_holder(self._sweep)
        return last is not None and last.token == self._mine.token

    def _renew_until_done(self) -> None:
        while self._lost_to is None and not self._done.wait(self._renew_seconds):
            with contextlib.suppress(StoreError):  # the next renewal may succeed; `check` raises if it is too late
                self._renew()
                self._stop_requested = self._stop_requested or is_stop_requested(self._sweep, self._mine)

    def _renew(self, *, released: bool = False) -> None:
        with self._renewing:
            last = last_holder(self._sweep)
            if last is not None and last.token != self._mine.token:
                self._lost_to = last
            else:
                self._mine = replace(self._mine, renewed_at=time.time(), released=released)
                self._sweep.filesystem.write(self._path(self._number), self._mine.to_json())

    def _path(self, number: int) -> str:
        return self._sweep.paths.lease(number)


def _numbers(sweep: SweepStore) -> list[int]:
    names = (LEASE.fullmatch(entry.name) for entry in sweep.filesystem.list_folder(sweep.paths.home))
    return [int(name[1]) for name in names if name]


def _latest(sweep: SweepStore) -> tuple[int, LeaseHolder | None]:
    """Return the highest lease number (0 if there is none) and its holder (None if its creator was killed)."""
    deadline = time.monotonic() + EMPTY_LEASE_SECONDS
    while numbers := _numbers(sweep):
        content = sweep.filesystem.read(sweep.paths.lease(numbers[-1]))
        if content:
            return numbers[-1], _parse(sweep, numbers[-1], content)
        if content is not None and time.monotonic() > deadline:
            return numbers[-1], None
        time.sleep(EMPTY_LEASE_SECONDS / 20)
    return 0, None


def _parse(sweep: SweepStore, number: int, content: bytes) -> LeaseHolder:
    try:
        return LeaseHolder.parse(content)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        shown = sweep.filesystem.display_path(sweep.paths.lease(number))
        raise StoreError(f"{shown} is not a lease", "Delete it if no driver is running the sweep.") from error
