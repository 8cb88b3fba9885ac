from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tcray.search.queue import Execution
from tcray.store.outcome import Outcome
from tcray.tune.status.host_notices import HostNotices
from tcray.tune.worker import Report


@pytest.fixture
def notices() -> HostNotices:
    """Return notices of a new session."""
    return HostNotices("/shared/trials")


def report(notices: HostNotices, host: str, *, device: str = "cpu", **changes: Any) -> list[str]:
    """Return the notices for the report of a pack of four on a host, with changed fields."""
    now = datetime.now(UTC)
    outcomes = tuple(Outcome("TRAINED") for _ in range(4))
    fields = {"outcomes": outcomes, "runs_at_once": 4, "arithmetic": "torch 2.13.0 with AVX2", **changes}
    return list(notices.from_report(Report(Execution(host, device, "1-a", 4, now, now), **fields)))


def test_no_notice_for_ordinary_hosts(notices: HostNotices) -> None:
    """A host gets no notice if it sees the store, has enough memory, and computes as the others do."""
    assert [] == report(notices, "h1") + report(notices, "h2")


def test_hosts_that_do_not_see_the_store_are_named_once(notices: HostNotices) -> None:
    """Hosts found at the start are named together; a later one is named alone."""
    assert ["h1 and h2 do not see /shared/trials: checkpoints and weights pass through this host"] == list(
        notices.store_not_visible(["h1", "h2", "h2"])
    )
    assert [] == report(notices, "h1", relayed=True)
    assert ["h3 does not see /shared/trials: checkpoints and weights pass through this host"] == report(
        notices, "h3", relayed=True
    )
    assert [] == report(notices, "h3", relayed=True)


def test_each_other_arithmetic_is_named_once(notices: HostNotices) -> None:
    """The first host with another arithmetic than the first host's is named, later ones are not."""
    report(notices, "h1")
    (notice,) = report(notices, "h2", arithmetic="torch 2.13.0 with AVX512")
    assert notice == (
        "h2 computes with torch 2.13.0 with AVX512, but h1 with torch 2.13.0 with AVX2: "
        "the last bits of a result may depend on the host"
    )
    assert [] == report(notices, "h3", arithmetic="torch 2.13.0 with AVX512")


def test_devices_are_not_compared(notices: HostNotices) -> None:
    """A GPU always differs from a CPU, so that is no notice."""
    report(notices, "h1")
    assert [] == report(notices, "h2", device="cuda", arithmetic="torch 2.13.0")


def test_a_host_with_little_memory_is_named_once(notices: HostNotices) -> None:
    """A host that trains packs in parts is named once."""
    assert ["h1 has memory for 2 runs of a pack of 4: it trains packs in parts"] == report(
        notices, "h1", runs_at_once=2
    )
    assert [] == report(notices, "h1", runs_at_once=1)


def test_runs_that_do_not_fit_are_counted_each_time(notices: HostNotices) -> None:
    """Every report with runs that do not fit into memory gives a notice, because these runs have no result."""
    outcomes = (Outcome("FAILED", "memory"), Outcome("TRAINED"), Outcome("FAILED", "diverged"))
    expected = ["1 run did not fit into memory on h1, not even alone"]
    assert expected == report(notices, "h1", outcomes=outcomes)
    assert ["2 runs did not fit into memory on h1, not even alone"] == report(
        notices, "h1", outcomes=(*outcomes, Outcome("FAILED", "memory"))
    )
