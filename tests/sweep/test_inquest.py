from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tcray.store.store import Store
from tcray.store.trials import records

from .small import a_sweep, by_hand, exported
from .toy import Toy

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_lost_host_is_blamed_on_nobody(tmp_path: Path) -> None:
    """When a host is lost its pack is trained elsewhere, whole: the store is as if nothing had been."""
    command = [sys.executable, "-m", "tests.sweep.lose_a_host", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False, cwd=ROOT)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "a host was taken away" in done.stdout
    assert "a host was lost: a pack of " in done.stdout, done.stdout
    assert "tried apart" not in done.stdout
    assert "" == done.stderr
    store = Store.open(str(tmp_path / "trials"))
    sweep = store.sweep(store.resolve("small")[0])
    assert {"FAILED"}.isdisjoint(run["state"] for run in records(sweep))
    expected = by_hand(tmp_path / "by hand", a_sweep(tmp_path), Toy(str(tmp_path / "other trace")))
    assert exported(expected) == exported(sweep)
