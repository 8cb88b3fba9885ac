from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tcray.cli import main
from tcray.errors import Interrupted, SweepError
from tests.sweep.small import a_file, a_sweep, by_hand
from tests.sweep.toy import Toy


@dataclass
class Call:
    """How the driver was called."""

    sweep: Any
    store: str
    options: dict[str, Any]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """Every call of the driver, which is interrupted at once."""
    seen: list[Call] = []

    def run_sweep(sweep: Any, store: str, **options: Any) -> None:
        seen.append(Call(sweep, store, options))
        raise Interrupted("interrupted before the first run; the same command begins again")

    monkeypatch.setattr("tcray.sweep.driver.run_sweep", run_sweep)
    return seen


def say(*arguments: str | Path) -> Result:
    """Says `tcray sweep`."""
    return CliRunner().invoke(main, ["sweep", *map(str, arguments)])


def test_what_is_said_is_what_is_run(tmp_path: Path, calls: list[Call]) -> None:
    """File, store, overrides, address and freshness reach the driver."""
    file = a_file(tmp_path)
    result = say(file, "--store", "s3://bucket/x", "--set", "resources.pack=9", "--address", "auto", "--fresh")
    (call,) = calls
    assert call.sweep == a_sweep(tmp_path, "resources.pack=9")
    assert ("s3://bucket/x", {"address": "auto", "fresh": True}) == (call.store, call.options)
    assert (130, "interrupted before the first run; the same command begins again\n") == (
        result.exit_code,
        result.stderr,
    )


def test_the_store_is_trials(tmp_path: Path, calls: list[Call]) -> None:
    """Unless one is named the store is `trials/`, and nothing is joined or begun afresh."""
    say(a_file(tmp_path))
    assert ("trials/", {"address": None, "fresh": False}) == (calls[0].store, calls[0].options)


def test_a_wrong_file_starts_nothing(tmp_path: Path, calls: list[Call]) -> None:
    """A sweep file with a mistake is wrong input; the driver never hears of it."""
    result = say(a_file(tmp_path), "--set", "training.epoch=3")
    assert 2 == result.exit_code
    assert "training.epoch" in result.stderr
    assert [] == calls


def test_a_failed_sweep_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep that could not go on ends with its sentence and exit code 1, and prints no results."""

    def run_sweep(*_: Any, **__: Any) -> None:
        raise SweepError("on there: trials/ cannot be written", "Make room.")

    monkeypatch.setattr("tcray.sweep.driver.run_sweep", run_sweep)
    result = say(a_file(tmp_path))
    assert (1, "Error: on there: trials/ cannot be written\nMake room.\n", "") == (
        result.exit_code,
        result.stderr,
        result.stdout,
    )


def test_a_finished_sweep_says_so_and_shows_its_results(tmp_path: Path) -> None:
    """Said again, the command of a finished sweep says that it was, and prints its ranking."""
    store = by_hand(tmp_path / "trials", a_sweep(tmp_path), Toy(str(tmp_path / "trace")))
    from tcray.search.plan import find_cards, plan
    from tcray.sweep import manifest

    planned = plan(a_sweep(tmp_path), find_cards(a_sweep(tmp_path)))
    store.write_manifest({**manifest.first(planned, store.sweep_id, {"mosi": []}), "finished_at": manifest.now()})
    result = say(a_file(tmp_path), "--store", tmp_path / "trials")
    assert 0 == result.exit_code, result.output
    assert f"sweep {store.sweep_id} was finished before: nothing was left to train" in result.stderr
    assert "mosi (twin)" in result.stdout
    assert "rank" in result.stdout
