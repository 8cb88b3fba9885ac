"""`tcray plan`."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tcray.cli import main
from tcray.config.load import load_sweep
from tcray.search.plan import find_cards, plan
from tcray.store.store import Store

SWEEP = """\
name: small
question: Does rank matter?
datasets: [mosi, mustard]
factors: {rank: [1, 4], conditioning: [none, jwae]}
tune: {lr: {log_uniform: [1.0e-4, 1.0e-2]}}
training: {epochs: 9}
search: {trials: 9, wave: 3, pruner: {asha: {min_epochs: 3, reduction_factor: 3}}}
confirm: {repeats: 2, seeds: 3}
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Write the sweep file to an empty working directory and return its name."""
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SWEEP)
    return "small.yaml"


def run(*arguments):
    """Return the output of `tcray plan` and its exit code."""
    result = CliRunner().invoke(main, ["plan", *arguments])
    return result.output, result.exit_code


def find_line(output, name):
    """Return the text beside a name in the left column."""
    (found,) = [text for text in output.splitlines() if text.startswith(f"{name} ")]
    return found.removeprefix(name).strip()


def test_a_plan_lists_cells_runs_and_packs(file) -> None:
    """It also has searches, confirm runs and resources."""
    output, exit_code = run(file)
    assert exit_code == 0
    assert output.startswith("small-")
    assert "Does rank matter?" in output
    assert find_line(output, "cells") == "8: 2 datasets × 2 of rank × 2 of conditioning"
    assert (
        find_line(output, "search") == "2 repeats of 9 trials in waves of 3 (tpe), compared at epoch 3 of 9: 144 runs"
    )
    assert find_line(output, "confirm") == "2 repeats × 3 seeds: 48 runs"
    assert find_line(output, "runs") == "192, about 1,152 epochs of training"
    assert find_line(output, "packs") == "4 kinds of run, each in packs of its own, as many runs as fit and help"
    assert find_line(output, "resources") == "1 CPU per pack; device: auto"
    assert find_line(output, "time").startswith("about ")
    assert "a rough estimate from the size of the data" in find_line(output, "time")


def test_a_plan_names_twins(file) -> None:
    """It shows the source and sizes of each dataset, and the command that would import it."""
    output, _ = run(file)
    (mosi,) = [text.split() for text in output.splitlines() if text.startswith("mosi   ")]
    assert mosi == ["mosi", "twin", "1447", "250", "502", "text", "100,", "audio", "73,", "video", "100"]
    assert "mosi is not imported: using its synthetic twin (tcray data import mosi --from PATH)" in output


def test_a_plan_starts_nothing(file) -> None:
    """The store is not created either."""
    run(file)
    assert sorted(path.name for path in Path().iterdir()) == ["small.yaml"]


def test_a_plan_counts_recorded_runs(file) -> None:
    """Runs of this sweep are counted by state; a missing store has none."""
    assert find_line(run(file)[0], "store") == "trials/: nothing of this sweep yet"
    sweep = load_sweep(file)
    asked = plan(sweep, find_cards(sweep))
    record = Store.open("elsewhere", create=True).sweep(asked.sweep_id())
    record.write_manifest({"sweep_id": asked.sweep_id(), "name": "small", "started_at": "2026-01-01", "cards": []})
    row = {"phase": "search", "cell": "c", "repeat": 0, "seed": 0, "run_id": "r", "dataset": "mosi", "source": "twin"}
    states = ["COMPLETE", "PRUNED", "PRUNED"]
    rows = [{**row, "trial": n, "state": state, "metrics": {}} for n, state in enumerate(states)]
    record.append("runs", rows)
    output, _ = run(file, "--store", "elsewhere")
    assert find_line(output, "store") == "elsewhere: 3 of 192 runs of this sweep (1 complete, 2 pruned)"


def test_a_plan_includes_overrides(file) -> None:
    """`--set` changes the plan as it would change the sweep."""
    output, _ = run(file, "--set", "datasets=[mosi]", "--set", "resources.pack=8", "--set", "search.wave=9")
    assert find_line(output, "cells") == "4: 1 dataset × 2 of rank × 2 of conditioning"
    assert find_line(output, "packs") == "2 kinds of run, each in packs of its own, 8 runs at most"
    assert "warning: search.wave: no proposal will be model-based" in output


def test_a_plan_without_a_search_has_only_seeds(file) -> None:
    """The plan has neither trials nor rungs."""
    overrides = ["tune=null", "search=null", "confirm={seeds: 12}", "factors={modalities: subsets}"]
    output, _ = run(file, *(part for key in overrides for part in ("--set", key)))
    assert find_line(output, "search") == "none: nothing is tuned"
    assert find_line(output, "confirm") == "12 seeds: 168 runs"
    assert find_line(output, "cells") == "14: 2 datasets × every subset of modalities"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("datasets=[mosi, mustrad]", 'Error: datasets: no such dataset "mustrad": did you mean "mustard"?'),
        (
            "factors={modality_dropout.adio: [0, 0.1]}",
            (
                "Error: factors.modality_dropout.adio: no dataset of this sweep has a modality "
                '"adio"; did you mean "audio"?'
            ),
        ),
        ("search.trials=0", "Error: "),
    ],
)
def test_an_invalid_sweep_is_reported_without_traceback(file, override, message) -> None:
    """The exit code is 2, and the message has the path of the key and the nearest name."""
    output, exit_code = run(file, "--set", override)
    assert exit_code == 2
    assert output.startswith(message)
    assert "Traceback" not in output


def test_a_store_that_is_a_file_is_refused(file) -> None:
    """The exit code is 2, and the message names the file."""
    output, exit_code = run(file, "--store", file)
    assert exit_code == 2
    assert output.startswith("Error: the store ")


def test_planning_loads_neither_torch_nor_ray_nor_optuna(file) -> None:
    """A plan is printed at once."""
    code = (
        "import sys; from click.testing import CliRunner; from tcray.cli import main;"
        f"result = CliRunner().invoke(main, ['plan', {file!r}]);"
        "print(result.exit_code, sorted({'torch', 'ray', 'optuna', 'scipy', 'matplotlib'} & set(sys.modules)))"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout == "0 []\n"
