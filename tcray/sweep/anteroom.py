"""The wait for a first host, which may be long where a cloud has none: it is said why, and it ends if it has to."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ray.exceptions import RayError

from tcray.errors import StoreError
from tcray.search.progress import Progress
from tcray.store.activity import write_activity
from tcray.store.lease import Lease
from tcray.store.store import SweepStore
from tcray.sweep.autoscaler import Launches
from tcray.sweep.hosts import Hosts
from tcray.sweep.lookout import SLOW_SECONDS, STUCK_SECONDS, TELL_SECONDS, activity
from tcray.sweep.nodes import Node
from tcray.sweep.waiting import why


@dataclass
class Anteroom:
    """Where a driver is as long as no host has had room for a single pack.

    objective   what runs are judged by
    hosts       those that could have it
    nodes       tells which are up
    launches    tells what the autoscaler is at
    progress    tells how far the sweep has come; asked only where the wait is worth a word
    say         tells the user
    """

    store: SweepStore
    lease: Lease
    objective: str
    hosts: Hosts
    nodes: Callable[[], tuple[Node, ...]]
    launches: Callable[[], Launches]
    progress: Callable[[], Progress]
    say: Callable[[str], None]
    _told_at: float = field(default=-math.inf, init=False)
    _known: frozenset[str] = field(default=frozenset(), init=False)

    def __post_init__(self) -> None:
        """Begins to wait."""
        self._since = time.monotonic()

    def wait(self) -> None:
        """Says why it takes so long, now and then. Raises KeyboardInterrupt where somebody asked the driver to stop."""
        if self.lease.stop_asked:
            raise KeyboardInterrupt
        now = time.monotonic()
        if now - self._since < SLOW_SECONDS or now - self._told_at < TELL_SECONDS:
            return
        self._told_at = now
        with contextlib.suppress(RayError, StoreError):  # whoever needs them reports it
            self._tell(stuck=now - self._since > STUCK_SECONDS)

    def _tell(self, *, stuck: bool) -> None:
        hosts = self.hosts.look(self.nodes(), {}, {})
        reasons = why(hosts, self.launches(), runs=0, packs=1, stuck=int(stuck), more=False)
        for about, reason in reasons.items():
            if about not in self._known:
                self.say(reason)
        self._known = frozenset(reasons)
        write_activity(self.store, activity(self.lease.token, self.objective, self.progress(), hosts, reasons))
