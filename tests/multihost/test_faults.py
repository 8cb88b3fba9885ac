"""Faults of hosts and drivers leave no trace in a sweep: three machines, started with `ray up cluster/onprem.yaml`.

Every sweep really trains, on twins, in packs of a quarter of a GPU that workers declare and do not have. The tests
run in order on one cluster, and each leaves two workers to the next.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate

import pytest

from tcray.tune.capacity import REFRESH_SECONDS
from tests.tune.factories import write_sweep_file

from .conftest import Report
from .desk import Desk
from .driver import Driver
from .healthy import LARGER, Healthy, format_segments
from .hosts import REPOSITORY, Host, several
from .patience import until
from .traced import Segments, Traced

pytestmark = pytest.mark.timeout(900)

RESOURCES = ["resources.device=auto", "resources.gpu=0.25", "resources.pack=3"]
FOUR_PACKS = "resources.cpu=1"
"""Four packs share the GPU of a worker."""
TWO_PACKS = "resources.cpu=2"
"""Two packs share it, as four CPUs suffice for no more. A worker process takes long to start."""

LOST = r"a host was lost: a pack of \d runs? \(\S+(, …)?\) is queued again"


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Healthy:
    """Return the undisturbed sweep."""
    return Healthy.train(tmp_path_factory.mktemp("healthy"))


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    """Yield a head and a worker; a second worker is in the file but still off."""
    found = {"PYTHONPATH": str(REPOSITORY)}  # workers import `tests.multihost.traced`
    with several(2, number=1, environment=found) as hosts:
        desk = Desk.create(hosts, [Host(1, 2), Host(1, 3)], gpus=1)
        desk.up()
        yield desk


def start_driver(desk: Desk, name: str, *, share: str = TWO_PACKS, store: str = "") -> Driver:
    """Return a driver that starts or resumes the sweep; every name has its own trace and store."""
    options = [f"--set={override}" for override in [*LARGER, *RESOURCES, share]]
    where = f"--store={store or desk.hosts.shared / name}"
    return Driver(desk.head, name, write_sweep_file(desk.hosts.shared), where, *options)


def wait_until_midway(driver: Driver, *workers: Host) -> None:
    """Wait until each worker trains two packs."""
    driver.wait_for(lambda: all(len(driver.packs(host)) == 2 for host in workers), "packs on all workers")


def last_segments(trace: Traced, *hosts: Host) -> Segments:
    """Return the last segments that each process on these hosts started."""
    names = {host.name for host in hosts}
    last = {
        (record.host, record.pid): record for record in trace.records() if record.host in names and not record.ended
    }
    return sum((record.segments for record in last.values()), Counter())


def max_concurrent_packs(trace: Traced, host: Host) -> int:
    """Return the maximum number of packs in training on a host."""
    return max(accumulate(-1 if record.ended else 1 for record in trace.records() if record.host == host.name))


def test_host_that_joins_late_gets_packs(desk: Desk, healthy: Healthy, report: Report) -> None:
    """At most four packs share the GPU of a worker; a host that joins midway gets packs at once."""
    h2 = desk.hosts.all()[1]
    driver = start_driver(desk, "late", share=FOUR_PACKS)
    driver.wait_for_output("small: 0 of")
    h3 = desk.hosts.add()
    joined = desk.wait_for(h3)
    used = driver.wait_for(lambda: driver.packs(h3), "a pack on the host that joined")
    driver.end()
    assert not healthy.repeated_segments(desk.hosts.shared / "late", driver.trace)
    for host in (h2, h3):
        assert 4 <= len({record.pid for record in driver.trace.records() if record.host == host.name})
        assert 4 >= max_concurrent_packs(driver.trace, host)
    report(f"a third host switched on late: it has joined after {joined:.0f} s, and trains {used:.0f} s later")


def test_dead_host_costs_its_packs_only(desk: Desk, healthy: Healthy, report: Report) -> None:
    """Only the segments in training on the host are trained again."""
    h2, h3 = desk.hosts.all()[1:]
    driver = start_driver(desk, "power-off")
    wait_until_midway(driver, h2, h3)
    h2.power_off()
    noticed = driver.wait_for_output(LOST)
    driver.end()
    again = healthy.repeated_segments(desk.hosts.shared / "power-off", driver.trace)
    assert again
    assert again <= last_segments(driver.trace, h2)
    report(f"power-off of a worker: noticed after {noticed:.0f} s, {format_segments(again)}")


def test_silent_host_costs_its_packs_only(desk: Desk, healthy: Healthy, report: Report) -> None:
    """A host without a network is abandoned, although it continues to train."""
    h2, h3 = desk.hosts.all()[1:]
    h2.power_on()
    report(f"it is switched on again: it has joined after {desk.wait_for(h2):.0f} s, by itself")
    driver = start_driver(desk, "unplugged")
    wait_until_midway(driver, h2, h3)
    h3.unplug()
    noticed = driver.wait_for_output(LOST)
    driver.end()
    again = healthy.repeated_segments(desk.hosts.shared / "unplugged", driver.trace)
    assert again
    assert again <= last_segments(driver.trace, h3)
    report(f"a worker unplugged: noticed after {noticed:.0f} s, {format_segments(again)}")


def test_killed_driver_resumes(desk: Desk, healthy: Healthy, report: Report) -> None:
    """The store is on the head's own disk, which no worker sees."""
    h2, h3 = desk.hosts.all()[1:]
    h3.plug()
    report(f"it is plugged in again: it has joined after {desk.wait_for(h3):.0f} s, by itself")
    first = start_driver(desk, "killed", store="trials")
    wait_until_midway(first, h2, h3)
    first.kill()
    lost = last_segments(first.trace, h2, h3)
    second = start_driver(desk, "killed", store="trials")
    again = second.wait_for(lambda: second.packs(h2), "a pack on a worker")
    second.end()
    repeated = healthy.repeated_segments(desk.head.home / "trials", second.trace)
    assert repeated
    assert repeated <= lost
    report(f"the driver killed and started again: it trains again after {again:.0f} s, {format_segments(repeated)}")


def test_drained_host_gets_no_further_packs(desk: Desk, healthy: Healthy, report: Report) -> None:
    """A host that will be preempted, like a spot instance, completes its packs."""
    h2, h3 = desk.hosts.all()[1:]
    driver = start_driver(desk, "drained")
    wait_until_midway(driver, h2, h3)
    desk.drain(h3, seconds=120)
    leaving = {record.pid for record in driver.trace.records() if record.host == h3.name}
    drained = time.time() + 2 * REFRESH_SECONDS
    ended = driver.wait_for(lambda: not driver.packs(h3), "the end of its packs")
    h3.power_off()
    driver.end()
    assert not healthy.repeated_segments(desk.hosts.shared / "drained", driver.trace)
    begun = [record for record in driver.trace.records() if record.host == h3.name and not record.ended]
    assert [] == [record for record in begun if record.pid in leaving and record.at > drained]
    report(f"a worker drained, and off when its packs had ended, {ended:.0f} s later: nothing was trained again")


def test_ray_down_leaves_no_process(desk: Desk, report: Report) -> None:
    """After `ray down`, no host has a process of Ray."""
    h3 = desk.hosts.all()[2]
    h3.power_on()
    desk.wait_for(h3)
    up = desk.ray_processes()
    assert all(up.values()), up
    desk.down()
    left = until(lambda: not any(desk.ray_processes().values()), "hosts without a process of Ray")
    report(f"ray down: of {sum(up.values())} processes of Ray on {len(up)} hosts none is left {left:.0f} s later")
