"""What a user should know of the hosts that compute, each said once."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from tcray.config.messages import join_words
from tcray.tune.report import Report


@dataclass(slots=True)
class HostNotices:
    """Remembers what was said.

    store   as messages name it
    """

    store: str
    _blind: set[str] = field(default_factory=set, init=False)
    _narrow: set[str] = field(default_factory=set, init=False)
    _arithmetic: dict[str, dict[str, str]] = field(default_factory=dict, init=False)
    """By device, and by what bits depend on, the first host that computes so."""

    def on(self, report: Report) -> Iterator[str]:
        """What a pack that was trained tells of the host that did so."""
        host, device = report.execution.host, report.execution.device
        if report.relayed:
            yield from self.on_blind([host])
        known = self._arithmetic.setdefault(device, {report.arithmetic: host})
        if report.arithmetic not in known:
            other, its_host = next(iter(known.items()))
            known[report.arithmetic] = host
            yield (
                f"{host} computes by {report.arithmetic}, and {its_host} by {other}: "
                "the last bits of a result may depend on who computed it"
            )
        if report.together < report.execution.pack_size and host not in self._narrow:
            self._narrow.add(host)
            size = report.execution.pack_size
            yield f"{host} has memory for {report.together} runs of a pack of {size}, and trains such packs in parts"
        if lone := sum(outcome.reason == "memory" for outcome in report.outcomes):
            yield f"{lone} {'run' if lone == 1 else 'runs'} did not fit into memory on {host}, not even alone"

    def on_blind(self, hosts: Collection[str]) -> Iterator[str]:
        """What follows where hosts do not see the store."""
        fresh = [host for host in dict.fromkeys(hosts) if host not in self._blind]
        self._blind.update(fresh)
        if fresh:
            sees = "does" if len(fresh) == 1 else "do"
            yield f"{join_words(fresh, 'and')} {sees} not see {self.store}: states and weights go through this host"
