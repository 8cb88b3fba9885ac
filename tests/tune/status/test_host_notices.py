from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tcray.search.queue import Execution
from tcray.store.outcome import Outcome
from tcray.tune.report import Report
from tcray.tune.status.host_notices import HostNotices


@pytest.fixture
def remarks() -> HostNotices:
    """Nothing was said yet."""
    return HostNotices("/shared/trials")


def said(remarks: HostNotices, host: str, *, device: str = "cpu", **told: Any) -> list[str]:
    """What is said of a host that trained a pack of four as `told`."""
    now = datetime.now(UTC)
    outcomes = tuple(Outcome("TRAINED") for _ in range(4))
    report = {"outcomes": outcomes, "together": 4, "arithmetic": "torch 2.13.0 with AVX2", **told}
    return list(remarks.on(Report(Execution(host, device, "1-a", 4, now, now), **report)))


def test_hosts_that_are_alike_are_no_news(remarks: HostNotices) -> None:
    """Nothing is said of a host that sees the store, holds its packs, and computes as the others do."""
    assert [] == said(remarks, "h1") + said(remarks, "h2")


def test_hosts_that_do_not_see_the_store_are_named_once(remarks: HostNotices) -> None:
    """Those found at the start are named together, one that comes later by itself."""
    assert ["h1 and h2 do not see /shared/trials: states and weights go through this host"] == list(
        remarks.on_blind(["h1", "h2", "h2"])
    )
    assert [] == said(remarks, "h1", relayed=True)
    assert ["h3 does not see /shared/trials: states and weights go through this host"] == said(
        remarks, "h3", relayed=True
    )
    assert [] == said(remarks, "h3", relayed=True)


def test_hosts_that_compute_otherwise_are_named_once(remarks: HostNotices) -> None:
    """Each way of computing that is not the first one's is said once, with the host that does so."""
    said(remarks, "h1")
    (remark,) = said(remarks, "h2", arithmetic="torch 2.13.0 with AVX512")
    assert remark == (
        "h2 computes by torch 2.13.0 with AVX512, and h1 by torch 2.13.0 with AVX2: "
        "the last bits of a result may depend on who computed it"
    )
    assert [] == said(remarks, "h3", arithmetic="torch 2.13.0 with AVX512")


def test_devices_are_not_compared(remarks: HostNotices) -> None:
    """That a GPU computes otherwise than a CPU is known."""
    said(remarks, "h1")
    assert [] == said(remarks, "h2", device="cuda", arithmetic="torch 2.13.0")


def test_a_host_with_little_memory_is_named_once(remarks: HostNotices) -> None:
    """A host that trains packs in parts is said once."""
    assert ["h1 has memory for 2 runs of a pack of 4, and trains such packs in parts"] == said(
        remarks, "h1", together=2
    )
    assert [] == said(remarks, "h1", together=1)


def test_runs_that_do_not_fit_are_said_each_time(remarks: HostNotices) -> None:
    """A run that memory does not hold has no result, and that is said of every such run."""
    outcomes = (Outcome("FAILED", "memory"), Outcome("TRAINED"), Outcome("FAILED", "diverged"))
    expected = ["1 run did not fit into memory on h1, not even alone"]
    assert expected == said(remarks, "h1", outcomes=outcomes)
    assert ["2 runs did not fit into memory on h1, not even alone"] == said(
        remarks, "h1", outcomes=(*outcomes, Outcome("FAILED", "memory"))
    )
