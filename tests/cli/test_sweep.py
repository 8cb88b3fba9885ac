"""`tcray sweep`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tcray.cli import main
from tcray.errors import InputError, Interrupted, SweepError
from tcray.search.plan import find_cards, plan
from tcray.store.store import SweepStore
from tests.tune.factories import make_sweep, run_without_ray, write_sweep_file
from tests.tune.fakes import FakeTrain


@dataclass
class Call:
    """A call of the driver."""

    sweep: Any
    store: str
    options: dict[str, Any]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """Return the list of calls of the driver, each of which is interrupted at once."""
    seen: list[Call] = []

    def run_sweep(sweep: Any, store: str, **options: Any) -> None:
        seen.append(Call(sweep, store, options))
        raise Interrupted("interrupted before the first run; the same command begins again")

    monkeypatch.setattr("tcray.tune.run.run_sweep", run_sweep)
    return seen


def run(*arguments: str | Path) -> Result:
    """Run `tcray sweep`."""
    return CliRunner().invoke(main, ["sweep", *map(str, arguments)])


def test_options_reach_the_driver(tmp_path: Path, calls: list[Call]) -> None:
    """File, store, overrides, address and `--fresh` are passed on."""
    file = write_sweep_file(tmp_path)
    result = run(file, "--store", "s3://bucket/x", "--set", "resources.pack=9", "--address", "auto", "--fresh")
    (call,) = calls
    assert call.sweep == make_sweep(tmp_path, "resources.pack=9")
    assert ("s3://bucket/x", {"address": "auto", "fresh": True}) == (call.store, call.options)
    assert (130, "interrupted before the first run; the same command begins again\n") == (
        result.exit_code,
        result.stderr,
    )


def test_expect_prevents_another_sweep(tmp_path: Path, calls: list[Call]) -> None:
    """If file, data or generation give another sweep id, nothing is started."""
    asked = make_sweep(tmp_path)
    sweep_id = plan(asked, find_cards(asked)).sweep_id()
    words: list[str | Path] = [write_sweep_file(tmp_path), "--store", tmp_path / "trials"]
    for expected, options in ((sweep_id, ["--set", "seed=7"]), (f"{sweep_id}-g2", [])):
        result = run(*words, "--expect", expected, *options)
        assert (2, []) == (result.exit_code, calls)
        assert result.stderr.startswith(
            f"Error: expected sweep {expected}, but the file and the data on this machine are sweep small-"
        )
    assert 130 == run(*words, "--expect", sweep_id).exit_code
    assert [asked] == [call.sweep for call in calls]


def test_the_default_store_is_trials(tmp_path: Path, calls: list[Call]) -> None:
    """By default no cluster is joined, and the sweep is resumed."""
    run(write_sweep_file(tmp_path))
    assert ("trials/", {"address": None, "fresh": False}) == (calls[0].store, calls[0].options)


def test_a_wrong_file_starts_nothing(tmp_path: Path, calls: list[Call]) -> None:
    """A sweep file with a mistake is wrong input, and the driver is not called."""
    result = run(write_sweep_file(tmp_path), "--set", "training.epoch=3")
    assert 2 == result.exit_code
    assert "training.epoch" in result.stderr
    assert [] == calls


def test_a_failed_sweep_prints_its_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code is 1, and no results are printed."""

    def run_sweep(*_: Any, **__: Any) -> None:
        raise SweepError("on there: trials/ cannot be written", "Make room.")

    monkeypatch.setattr("tcray.tune.run.run_sweep", run_sweep)
    result = run(write_sweep_file(tmp_path))
    assert (1, "Error: on there: trials/ cannot be written\nMake room.\n", "") == (
        result.exit_code,
        result.stderr,
        result.stdout,
    )


@pytest.fixture
def finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SweepStore:
    """Write a finished sweep; the working directory is empty."""
    from tcray.search.plan import find_cards, plan
    from tcray.tune import manifest

    store = run_without_ray(tmp_path / "trials", make_sweep(tmp_path), FakeTrain(str(tmp_path / "trace")))
    sweep = make_sweep(tmp_path)
    planned = plan(sweep, find_cards(sweep))
    written = manifest.add_session(
        manifest.new_manifest(planned, store.sweep_id, {"mosi": []}), manifest.new_session("cpu")
    )
    store.write_manifest({**written, "finished_at": manifest.format_now()})
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return store


def test_a_finished_sweep_prints_its_results_again(tmp_path: Path, finished: SweepStore) -> None:
    """Rerunning the command reports that the sweep was finished, and prints its ranking and further commands."""
    result = run(write_sweep_file(tmp_path), "--store", tmp_path / "trials")
    assert 0 == result.exit_code, result.output
    assert (
        f"sweep {finished.sweep_id} was already finished; there was nothing to train" == result.stderr.splitlines()[-1]
    )
    lines = result.stdout.splitlines()
    assert "Does a rank help?" == lines[0]
    assert "mosi (twin): best first by validation loss" in lines
    assert [
        "",
        f"All results, with figures: tcray results {finished.sweep_id} --store {tmp_path}/trials --html report.html",
        "Learning curves: tensorboard --logdir comparisons",
    ] == lines[-3:]
    assert ["comparisons"] == [path.name for path in Path().iterdir()]


def test_the_default_store_is_not_named(tmp_path: Path, finished: SweepStore) -> None:
    """The printed command is as short as possible."""
    Path("trials").symlink_to(tmp_path / "trials")
    lines = run(write_sweep_file(tmp_path)).stdout.splitlines()
    assert f"All results, with figures: tcray results {finished.sweep_id} --html report.html" == lines[-2]


def test_verdicts_precede_the_ranking(tmp_path: Path, finished: SweepStore) -> None:
    """Each is one word, with a sentence if it is decided or not testable."""
    result = run(write_sweep_file(tmp_path), "--store", tmp_path / "trials", "--set", "claims=[rank-generalisation]")
    assert 0 == result.exit_code, result.output
    verdict = result.stdout.index("NOT TESTABLE  mosi (twin)")
    assert verdict < result.stdout.index("mosi (twin): best first by ", verdict + 30)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InputError("comparisons is a file", "Name a folder."), "Error: comparisons is a file\nName a folder.\n"),
        (OSError(28, "No space left on device"), "Error: No space left on device\n"),
        (ZeroDivisionError("oh"), "Error: a bug in tcray: ZeroDivisionError: oh\n"),
    ],
)
def test_a_failed_comparison_does_not_fail_the_sweep(
    tmp_path: Path, finished: SweepStore, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    """The error and the command that tries again are on stderr, and the exit code is 0: every run is recorded."""

    def compare(*_: Any) -> None:
        raise error

    monkeypatch.setattr("tcray.results.output.tensorboard.comparison.write_comparison", compare)
    result = run(write_sweep_file(tmp_path), "--store", tmp_path / "trials")
    assert 0 == result.exit_code
    again = f"tcray compare {finished.sweep_id} --store {tmp_path}/trials"
    assert f"comparisons/ was not written; try again: {again}\n{said}" in result.stderr
    assert "tensorboard" not in result.stdout
