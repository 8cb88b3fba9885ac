"""Notices about hosts that differ from what a user may expect, each given once per host."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tcray.config.messages import join_words

if TYPE_CHECKING:
    from tcray.tune.worker import Report


@dataclass(slots=True)
class HostNotices:
    """Notices of a session, with a record of those already given.

    store   the store's name in messages
    """

    store: str
    _store_not_visible: set[str] = field(default_factory=set, init=False)
    _low_memory_hosts: set[str] = field(default_factory=set, init=False)
    _arithmetic: dict[str, dict[str, str]] = field(default_factory=dict, init=False)
    """By device and arithmetic, the first host that uses it."""

    def from_report(self, report: Report) -> Iterator[str]:
        """Yield the notices that follow from the report of a trained pack."""
        host, device, pack_size = report.execution.host, report.execution.device, report.execution.pack_size
        if report.relayed:
            yield from self.store_not_visible([host])
        known = self._arithmetic.setdefault(device, {report.arithmetic: host})
        if report.arithmetic not in known:
            other, its_host = next(iter(known.items()))
            known[report.arithmetic] = host
            yield (
                f"{host} computes with {report.arithmetic}, but {its_host} with {other}: "
                "the last bits of a result may depend on the host"
            )
        if report.runs_at_once < pack_size and host not in self._low_memory_hosts:
            self._low_memory_hosts.add(host)
            yield f"{host} has memory for {report.runs_at_once} runs of a pack of {pack_size}: it trains packs in parts"
        if failed := sum(outcome.reason == "memory" for outcome in report.outcomes):
            yield f"{failed} {'run' if failed == 1 else 'runs'} did not fit into memory on {host}, not even alone"

    def store_not_visible(self, hosts: Collection[str]) -> Iterator[str]:
        """Yield a notice that names the hosts that do not see the store."""
        new = [host for host in dict.fromkeys(hosts) if host not in self._store_not_visible]
        self._store_not_visible.update(new)
        if new:
            hosts_see = f"{join_words(new, 'and')} {'does' if len(new) == 1 else 'do'} not see"
            yield f"{hosts_see} {self.store}: checkpoints and weights pass through this host"
