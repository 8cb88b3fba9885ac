from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tcray.store.store import Store
from tcray.store.trials import read_records

from .dynamic_cluster import GROWING, LEAVING
from .factories import export, make_sweep, run_without_ray
from .fakes import FakeTrain

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Recording:
    """Output and files of two sweeps on hosts that joined and left."""

    folder: Path
    output: str

    def visits(self, sweep: str) -> list[dict[str, Any]]:
        """Return beginnings and ends of packs, and events of hosts, in order, with the names of hosts."""
        names = {node: name for name, node in json.loads((self.folder / "hosts.json").read_text()).items()}
        lines = map(json.loads, (self.folder / sweep / "visits").read_text().splitlines())
        return sorted(({**visit, "node": names[visit["node"]]} for visit in lines), key=lambda visit: visit["at"])

    def most_packs(self, sweep: str) -> Counter[tuple[str, int]]:
        """Return the largest number of packs at a time, by host and card."""
        now: Counter[tuple[str, int]] = Counter()
        most: Counter[tuple[str, int]] = Counter()
        for visit in self.visits(sweep):
            for card in visit["cards"]:
                now[visit["node"], card] += {"begins": 1, "ends": -1}[visit["event"]]
                most[visit["node"], card] = max(most[visit["node"], card], now[visit["node"], card])
        return most


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Run the program and return its recording."""
    folder = tmp_path_factory.mktemp("recording")
    command = [sys.executable, "-m", "tests.tune.dynamic_cluster", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False, cwd=ROOT)
    assert 0 == done.returncode, done.stdout + done.stderr
    return Recording(folder, done.stdout)


def test_a_driver_waits_for_a_gpu_that_may_come(recording: Recording) -> None:
    """If no GPU host is up but the autoscaler may add one, the wait is reported, and Ctrl-C ends it."""
    output, code = json.loads((recording.folder / "waiting.json").read_text())
    assert 130 == code
    assert "small: 2 packs wait for a host: no host that is up can hold one\n" in output
    assert output.endswith("interrupted with 0 of 32 runs done. Run the same command to resume.\n")
    assert "Traceback" not in output


def test_an_impossible_request_is_an_error_at_once(recording: Recording) -> None:
    """A request that neither a present nor a possible host can meet is an input error."""
    output, code = json.loads((recording.folder / "too_large.json").read_text())
    assert 2 == code
    assert "resources: a pack requests 3 CPUs and 0.5 of a GPU, but no node has that " in output
    assert "a host of type gpu would have 2 CPUs and 1 GPUs)" in output
    assert "Traceback" not in output


def test_a_card_holds_four_quarters(recording: Recording) -> None:
    """With a quarter of a card per pack, a card holds four packs, and the fifth goes to the next card."""
    most = recording.most_packs("leaving")
    assert {"two_cards": 2, "one_card": 1, "late": 1} == Counter(host for host, _ in most)
    assert 4 == most["late", 0], "its CPUs would hold six packs"
    assert 5 == most["two_cards", 0] + most["two_cards", 1], "its CPUs hold five packs"
    assert 4 >= max(most.values())
    assert 2 == most["one_card", 0]


def test_a_draining_host_starts_no_pack(recording: Recording) -> None:
    """The packs of a draining host end and are recorded; no further pack starts there."""
    visits = recording.visits("leaving")
    (drained,) = [index for index, visit in enumerate(visits) if visit["event"] == "drained"]
    after = [visit["event"] for visit in visits[drained + 1 :] if visit["node"] == "one_card"]
    assert ["ends", "ends"] == after


def test_packs_of_a_lost_host_are_queued_again(recording: Recording) -> None:
    """The five packs of a lost host are queued again, whole, and no worker counts as dead."""
    assert 5 == recording.output.count("a host was lost: a pack of 1 run (mosi/rank=")
    assert "died" not in recording.output
    assert "tried separately" not in recording.output


def test_packs_go_to_cards_only(recording: Recording) -> None:
    """On a cluster with GPUs every pack has a share of a card, and hosts without a card stay unused."""
    cards = {(visit["node"], len(visit["cards"])) for visit in recording.visits("growing")}
    assert {("late", 1), ("requested", 1)} == cards
    assert {("late", 0): 2, ("requested", 0): 2} == recording.most_packs("growing")
    assert "has no GPU and is not used" in recording.output


@pytest.mark.parametrize(("sweep", "overrides"), [("leaving", LEAVING), ("growing", GROWING)])
def test_the_store_does_not_depend_on_hosts(
    recording: Recording, tmp_path: Path, sweep: str, overrides: tuple[str, ...]
) -> None:
    """Whichever hosts join and leave, every run is in the store once, bit for bit as trained by a plain loop."""
    store = Store.open(str(recording.folder / sweep / "trials"))
    recorded = store.sweep(store.resolve("small")[0])
    assert {"COMPLETE", "PRUNED"} == {run["state"] for run in read_records(recorded)}
    expected = run_without_ray(
        tmp_path / "expected", make_sweep(tmp_path, *overrides), FakeTrain(str(tmp_path / "trace"))
    )
    assert export(expected) == export(recorded)
