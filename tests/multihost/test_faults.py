"""What happens to hosts and drivers, and that no sweep shows it: three machines by `ray up cluster/onprem.yaml`.

Every sweep trains really, on twins, in packs of a quarter of a GPU that workers declare and do not have. The tests
follow one another on one cluster, and each leaves two workers to the next.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate

import pytest

from tcray.tune.capacity import REFRESH_SECONDS
from tests.tune.factories import write_sweep_file

from .conftest import Tell
from .desk import Desk
from .driver import Driver
from .healthy import LARGER, Healthy, in_words
from .hosts import REPOSITORY, Host, several
from .patience import until
from .traced import Segments, Traced

pytestmark = pytest.mark.timeout(900)

RESOURCES = ["resources.device=auto", "resources.gpu=0.25", "resources.pack=3"]
WHOLE_CARD = "resources.cpu=1"
"""Four packs share the card of a worker."""
HALF_A_CARD = "resources.cpu=2"
"""Two: its four CPUs are enough for no more. A worker process takes long to start."""

LOST = r"a host was lost: a pack of \d runs? \(\S+(, …)?\) is queued again"


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Healthy:
    """The sweep on one host to which nothing happens."""
    return Healthy.swept(tmp_path_factory.mktemp("healthy"))


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    """A head and a worker; a second worker is in the file, and not switched on yet."""
    found = {"PYTHONPATH": str(REPOSITORY)}  # so that workers find `tests.multihost.traced`
    with several(2, number=1, environment=found) as hosts:
        desk = Desk.of(hosts, [Host(1, 2), Host(1, 3)], gpus=1)
        desk.up()
        yield desk


def begin(desk: Desk, name: str, *, share: str = HALF_A_CARD, store: str = "") -> Driver:
    """A driver that begins the sweep, or goes on with it; every name has a trace of its own, and a store."""
    options = [f"--set={override}" for override in [*LARGER, *RESOURCES, share]]
    where = f"--store={store or desk.hosts.shared / name}"
    return Driver(desk.head, name, write_sweep_file(desk.hosts.shared), where, *options)


def wait_until_midway(driver: Driver, *workers: Host) -> None:
    """Until each of them trains two packs, for a fault to hit."""
    driver.wait_for(lambda: all(len(driver.packs(host)) == 2 for host in workers), "packs on all workers")


def last_on(trace: Traced, *hosts: Host) -> Segments:
    """The segments that each process on these hosts was at last."""
    names = {host.name for host in hosts}
    last = {(told.host, told.pid): told for told in trace.told() if told.host in names and not told.ended}
    return sum((told.segments for told in last.values()), Counter())


def most_at_a_time(trace: Traced, host: Host) -> int:
    """How many packs were being trained on a host at most."""
    return max(accumulate(-1 if told.ended else 1 for told in trace.told() if told.host == host.name))


def test_a_third_host_joins_late(desk: Desk, healthy: Healthy, tell: Tell) -> None:
    """Four packs share the card of a worker and never five; a host that joins midway is given packs at once."""
    h2 = desk.hosts.all()[1]
    driver = begin(desk, "late", share=WHOLE_CARD)
    driver.wait_for_sentence("small: 0 of")
    h3 = desk.hosts.add()
    joined = desk.wait_for(h3)
    used = driver.wait_for(lambda: driver.packs(h3), "a pack on the host that joined")
    driver.end()
    assert not healthy.begun_again(desk.hosts.shared / "late", driver.trace)
    for host in (h2, h3):
        assert 4 <= len({told.pid for told in driver.trace.told() if told.host == host.name})
        assert 4 >= most_at_a_time(driver.trace, host)
    tell(f"a third host switched on late: it has joined after {joined:.0f} s, and trains {used:.0f} s later")


def test_power_off(desk: Desk, healthy: Healthy, tell: Tell) -> None:
    """A host that dies midway costs what its packs were at, and nothing else."""
    h2, h3 = desk.hosts.all()[1:]
    driver = begin(desk, "power-off")
    wait_until_midway(driver, h2, h3)
    h2.power_off()
    noticed = driver.wait_for_sentence(LOST)
    driver.end()
    again = healthy.begun_again(desk.hosts.shared / "power-off", driver.trace)
    assert again
    assert again <= last_on(driver.trace, h2)
    tell(f"power-off of a worker: noticed after {noticed:.0f} s, {in_words(again)}")


def test_unplugged(desk: Desk, healthy: Healthy, tell: Tell) -> None:
    """A host that falls silent midway is given up, and costs what its packs were at, though it trains on alone."""
    h2, h3 = desk.hosts.all()[1:]
    h2.power_on()
    tell(f"it is switched on again: it has joined after {desk.wait_for(h2):.0f} s, by itself")
    driver = begin(desk, "unplugged")
    wait_until_midway(driver, h2, h3)
    h3.unplug()
    noticed = driver.wait_for_sentence(LOST)
    driver.end()
    again = healthy.begun_again(desk.hosts.shared / "unplugged", driver.trace)
    assert again
    assert again <= last_on(driver.trace, h3)
    tell(f"a worker unplugged: noticed after {noticed:.0f} s, {in_words(again)}")


def test_driver_killed(desk: Desk, healthy: Healthy, tell: Tell) -> None:
    """A driver that is killed and started again goes on, with a store on the head's own disk, which no worker sees."""
    h2, h3 = desk.hosts.all()[1:]
    h3.plug()
    tell(f"it is plugged in again: it has joined after {desk.wait_for(h3):.0f} s, by itself")
    first = begin(desk, "killed", store="trials")
    wait_until_midway(first, h2, h3)
    first.kill()
    lost = last_on(first.trace, h2, h3)
    second = begin(desk, "killed", store="trials")
    again = second.wait_for(lambda: second.packs(h2), "a pack on a worker")
    second.end()
    begun_again = healthy.begun_again(desk.head.home / "trials", second.trace)
    assert begun_again
    assert begun_again <= lost
    tell(f"the driver killed and started again: it trains again after {again:.0f} s, {in_words(begun_again)}")


def test_drained(desk: Desk, healthy: Healthy, tell: Tell) -> None:
    """A host that is about to be taken away, as spot machines are, ends its packs and is given no further one."""
    h2, h3 = desk.hosts.all()[1:]
    driver = begin(desk, "drained")
    wait_until_midway(driver, h2, h3)
    desk.drain(h3, seconds=120)
    leaving = {told.pid for told in driver.trace.told() if told.host == h3.name}
    drained = time.time() + 2 * REFRESH_SECONDS
    ended = driver.wait_for(lambda: not driver.packs(h3), "the end of its packs")
    h3.power_off()
    driver.end()
    assert not healthy.begun_again(desk.hosts.shared / "drained", driver.trace)
    begun = [told for told in driver.trace.told() if told.host == h3.name and not told.ended]
    assert [] == [told for told in begun if told.pid in leaving and told.at > drained]
    tell(f"a worker drained, and off when its packs had ended, {ended:.0f} s later: nothing was trained again")


def test_down(desk: Desk, tell: Tell) -> None:
    """`ray down` leaves no process of Ray on any host."""
    h3 = desk.hosts.all()[2]
    h3.power_on()
    desk.wait_for(h3)
    up = desk.ray_processes()
    assert all(up.values()), up
    desk.down()
    left = until(lambda: not any(desk.ray_processes().values()), "hosts without a process of Ray")
    tell(f"ray down: of {sum(up.values())} processes of Ray on {len(up)} hosts none is left {left:.0f} s later")
