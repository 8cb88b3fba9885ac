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
from tcray.store.trials import records

from .dynamic_cluster import GROWING, LEAVING
from .factories import export, make_sweep, run_without_ray
from .fakes import FakeTrain

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Play:
    """Two sweeps over hosts that came and went, and all that was said and told."""

    folder: Path
    said: str

    def visits(self, sweep: str) -> list[dict[str, Any]]:
        """What packs told of where they were, and what became of hosts, in order, by the names of the hosts."""
        names = {node: name for name, node in json.loads((self.folder / "hosts.json").read_text()).items()}
        told = map(json.loads, (self.folder / sweep / "visits").read_text().splitlines())
        return sorted(({**visit, "node": names[visit["node"]]} for visit in told), key=lambda visit: visit["at"])

    def most_packs(self, sweep: str) -> Counter[tuple[str, int]]:
        """Most packs that were under way at a time, by host and card."""
        now: Counter[tuple[str, int]] = Counter()
        most: Counter[tuple[str, int]] = Counter()
        for visit in self.visits(sweep):
            for card in visit["cards"]:
                now[visit["node"], card] += {"begins": 1, "ends": -1}[visit["what"]]
                most[visit["node"], card] = max(most[visit["node"], card], now[visit["node"], card])
        return most


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Play:
    """The hosts have come and gone."""
    folder = tmp_path_factory.mktemp("play")
    command = [sys.executable, "-m", "tests.tune.dynamic_cluster", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False, cwd=ROOT)
    assert 0 == done.returncode, done.stdout + done.stderr
    return Play(folder, done.stdout)


def test_a_gpu_that_may_come_is_waited_for(play: Play) -> None:
    """Where no host with a GPU is up, but one may come, that is said, and Ctrl-C ends the waiting."""
    said, code = json.loads((play.folder / "waits.json").read_text())
    assert 130 == code
    assert "small: 2 packs wait for a host: none is up that could hold one\n" in said
    assert said.endswith("interrupted with 0 of 32 runs done; the same command goes on from here\n")
    assert "Traceback" not in said


def test_what_no_host_will_ever_have_is_said_at_once(play: Play) -> None:
    """A request that neither a host that is up nor one that may come can meet is wrong input, in a sentence."""
    said, code = json.loads((play.folder / "asks.json").read_text())
    assert 2 == code
    asked = "resources: a pack asks for 3 CPUs and 0.5 of a GPU, which no node can give "
    assert asked in said
    assert "a host of type gpu would have 2 CPUs and 1 GPUs)" in said
    assert "Traceback" not in said


def test_four_packs_on_a_card_and_never_a_fifth(play: Play) -> None:
    """With a quarter of a card each, packs fill a card with four, and the fifth goes to the next card."""
    most = play.most_packs("leaving")
    assert {"two_cards": 2, "one_card": 1, "late": 1} == Counter(host for host, _ in most)
    assert 4 == most["late", 0], "the host has room for six by its CPUs"
    assert 5 == most["two_cards", 0] + most["two_cards", 1], "and this one for five"
    assert 4 >= max(most.values())
    assert 2 == most["one_card", 0]


def test_a_host_that_is_told_to_leave_begins_no_more(play: Play) -> None:
    """What it was training is recorded; after that nothing begins there."""
    visits = play.visits("leaving")
    (told,) = [at for at, visit in enumerate(visits) if visit["what"] == "drained"]
    assert ["ends", "ends"] == [visit["what"] for visit in visits[told + 1 :] if visit["node"] == "one_card"]


def test_a_lost_host_is_blamed_on_nobody(play: Play) -> None:
    """Its five packs wait again, whole, and no worker is said to have died."""
    assert 5 == play.said.count("a host was lost: a pack of 1 run (mosi/rank=")
    assert "died" not in play.said
    assert "tried apart" not in play.said


def test_each_kind_of_host_has_its_kind_of_pack(play: Play) -> None:
    """Under `device: any` packs on hosts with a card have a share of it; the others go to the host without one."""
    cards = {(visit["node"], len(visit["cards"])) for visit in play.visits("growing")}
    assert {("late", 1), ("asked_for", 1), ("without", 0)} == cards
    assert {("late", 0): 2, ("asked_for", 0): 2} == play.most_packs("growing")


@pytest.mark.parametrize(("sweep", "overrides"), [("leaving", LEAVING), ("growing", GROWING)])
def test_the_store_is_as_if_nothing_had_been(
    play: Play, tmp_path: Path, sweep: str, overrides: tuple[str, ...]
) -> None:
    """Whoever came and went, every run is in the store once, with the same bits as trained by hand."""
    store = Store.open(str(play.folder / sweep / "trials"))
    played = store.sweep(store.resolve("small")[0])
    assert {"COMPLETE", "PRUNED"} == {run["state"] for run in records(played)}
    expected = run_without_ray(
        tmp_path / "by hand", make_sweep(tmp_path, *overrides), FakeTrain(str(tmp_path / "trace"))
    )
    assert export(expected) == export(played)
