"""The TensorBoard comparison of sweeps."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.directory_watcher import DirectoryWatcher
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.backend.event_processing.io_wrapper import IsTensorFlowEventsFile
from tensorboard.plugins.custom_scalar.layout_pb2 import Layout
from tensorboard.plugins.hparams import metadata as hparams
from tensorboard.plugins.hparams.api_pb2 import (
    DATA_TYPE_FLOAT64,
    DATA_TYPE_STRING,
    STATUS_FAILURE,
    STATUS_RUNNING,
    STATUS_SUCCESS,
    STATUS_UNKNOWN,
)

from tcray.config.sweep import Confirm, Search
from tcray.errors import InputError
from tcray.results.analysis import analyze
from tcray.results.output.tensorboard.comparison import MAX_RUNS, write_comparison
from tcray.results.output.tensorboard.output_folder import MARKER
from tcray.store.store import Store, SweepStore
from tests.claims.factories import MOSI, MUSTARD, make_run, make_sweep
from tests.results.output.tensorboard.factories import (
    HALF,
    make_recorded_store,
    make_runs,
    read_events,
    read_files,
    read_scalars,
)

RANKS = ({"rank": 2}, {"rank": 12})


@pytest.fixture
def store(tmp_path: Path) -> SweepStore:
    """Return a store with ranks 2 and 12 of MOSI and three repeats each."""
    return make_recorded_store(tmp_path, make_runs(RANKS))


def plugin_data(run: Path, tag: str) -> bytes:
    """Return the plugin data of a tag."""
    data: bytes = read_events(run).SummaryMetadata(tag).plugin_data.content
    return data


def read_hparams(run: Path) -> dict[str, Any]:
    """Return the hyperparameters of a run in the HParams tab."""
    levels = hparams.parse_session_start_info_plugin_data(plugin_data(run, hparams.SESSION_START_INFO_TAG)).hparams
    return {name: value.string_value or value.number_value for name, value in levels.items()}


def read_status(run: Path) -> int:
    """Return the status of a run in the HParams tab."""
    return int(hparams.parse_session_end_info_plugin_data(plugin_data(run, hparams.SESSION_END_INFO_TAG)).status)


def read_verdicts(run: Path) -> str:
    """Return the Markdown text of a sweep's verdicts."""
    text: bytes = read_events(run).Tensors("verdicts")[0].tensor_proto.string_val[0]
    return text.decode()


def test_a_curve_is_the_mean_over_units_with_its_interval(store: SweepStore, tmp_path: Path):
    """Each epoch has the mean over repeats and Student's t interval on two degrees of freedom."""
    (compared,) = write_comparison([store], tmp_path / "logs")
    scalars = read_scalars(tmp_path / "logs/small-1/mosi/rank=12")
    for epoch in (1, 2, 3):
        mean, half = epoch * (3 + 12), epoch * HALF
        assert scalars["valid.loss/mean"][epoch] == pytest.approx(mean, rel=1e-6)
        assert scalars["valid.loss/low"][epoch] == pytest.approx(mean - half, rel=1e-6)
        assert scalars["valid.loss/high"][epoch] == pytest.approx(mean + half, rel=1e-6)
    assert (compared.cells, compared.without_curves, compared.path) == (2, (), tmp_path / "logs/small-1/mosi")


def test_undefined_values_are_omitted(store: SweepStore, tmp_path: Path):
    """The curve of a correlation that is NaN at epoch 1 begins at epoch 2."""
    write_comparison([store], tmp_path / "logs")
    assert read_scalars(tmp_path / "logs/small-1/mosi/rank=2")["valid.r/mean"] == {2: 0.5, 3: 0.5}


def test_if_nothing_is_tuned_the_seed_is_the_unit(tmp_path: Path):
    """Six seeds in one repeat are six units."""
    sweep = make_sweep(tune={}, search=None, confirm=Confirm(seeds=6))
    runs = [{**run, "repeat": 0} for run in make_runs(RANKS)]
    write_comparison([make_recorded_store(tmp_path, runs, sweep=sweep)], tmp_path / "logs")
    scalars = read_scalars(tmp_path / "logs/small-1/mosi/rank=2")
    seeds, t = [0.5, 1.5, 1.5, 2.5, 5.5, 6.5], 2.5705818366147395
    variance = sum((seed - 3) ** 2 for seed in seeds) / 5
    assert scalars["whole run/units"] == {3: 6.0}
    assert scalars["valid.loss/mean"][1] == pytest.approx(3 + 2, rel=1e-6)
    assert scalars["valid.loss/high"][1] == pytest.approx(5 + t * (variance / 6) ** 0.5, rel=1e-6)


def test_one_unit_has_no_interval(tmp_path: Path):
    """A single repeat gives a mean without bounds and without a half-width."""
    runs = [run for run in make_runs(RANKS) if run["repeat"] == 0]
    write_comparison([make_recorded_store(tmp_path, runs)], tmp_path / "logs")
    scalars = read_scalars(tmp_path / "logs/small-1/mosi/rank=2")
    assert not [tag for tag in scalars if tag.endswith(("low", "high", "±"))]
    assert scalars["valid.loss/mean"][1] == pytest.approx(1 + 2, rel=1e-6)


def test_a_row_of_hparams_has_levels_and_final_metrics(store: SweepStore, tmp_path: Path):
    """Numbers stay numbers; metrics are the means of the ranking, the primary one with its half-width."""
    write_comparison([store], tmp_path / "logs")
    run = tmp_path / "logs/small-1/mosi/rank=12"
    assert read_hparams(run) == {"sweep": "small-1", "dataset": "mosi", "source": "real", "rank": 12.0}
    assert read_status(run) == STATUS_SUCCESS
    scalars = read_scalars(run)
    assert scalars["whole run/test.mae"] == {3: pytest.approx(15, rel=1e-6)}
    assert scalars["whole run/test.mae ±"] == {3: pytest.approx(HALF, rel=1e-6)}
    assert (scalars["whole run/train.loss"], scalars["whole run/units"]) == ({3: 0.25}, {3: 3.0})


def test_columns_of_hparams_are_those_of_all_sweeps(store: SweepStore, tmp_path: Path):
    """The root run names hyperparameters with type and levels, and metrics, primary ones first."""
    other = make_sweep(name="other", factors={"conditioning": ("none", "jwae")}, confirm=Confirm(seeds=2, repeats=3))
    runs = make_runs([{"rank": 2, "conditioning": c} for c in ("none", "jwae")], card=MUSTARD)
    second = make_recorded_store(
        tmp_path / "second", runs, sweep=replace(other, datasets=("mustard",)), cards=(MUSTARD,)
    )
    write_comparison([store], tmp_path / "logs")
    write_comparison([second], tmp_path / "logs")
    experiment = hparams.parse_experiment_plugin_data(
        plugin_data(tmp_path / "logs/small-1/mosi/verdicts", hparams.EXPERIMENT_TAG)
    )
    shown = {info.name: (info.type, list(info.domain_discrete), info.differs) for info in experiment.hparam_infos}
    assert shown == {
        "sweep": (DATA_TYPE_STRING, ["other-small-1", "small-1"], True),
        "dataset": (DATA_TYPE_STRING, ["mustard", "mosi"], True),
        "source": (DATA_TYPE_STRING, ["twin", "real"], True),
        "conditioning": (DATA_TYPE_STRING, ["jwae", "none"], True),
        "rank": (DATA_TYPE_FLOAT64, [2.0, 12.0], True),
    }
    assert [info.display_name for info in experiment.metric_infos][:2] == ["test weighted F1", "test weighted F1 ±"]
    assert {"whole run/test.mae", "whole run/test.auroc", "whole run/units"} <= {
        m.name.tag for m in experiment.metric_infos
    }


def test_custom_scalars_show_the_interval_as_a_band(store: SweepStore, tmp_path: Path):
    """Each metric has one chart whose mean, low and high are tags of the cells."""
    write_comparison([store], tmp_path / "logs")
    tensor = read_events(tmp_path / "logs/small-1/mosi/verdicts").Tensors("custom_scalars__config__")[0].tensor_proto
    (category,) = Layout.FromString(tensor.string_val[0]).category
    bands = [chart.margin.series[0] for chart in category.chart]
    assert category.title == "validation"
    assert [chart.title for chart in category.chart] == ["validation loss", "validation Pearson r"]
    assert [(b.value, b.lower, b.upper) for b in bands] == [
        ("valid.loss/mean", "valid.loss/low", "valid.loss/high"),
        ("valid.r/mean", "valid.r/low", "valid.r/high"),
    ]
    assert {band.upper for band in bands} <= read_scalars(tmp_path / "logs/small-1/mosi/rank=2").keys()


def test_runs_are_listed_in_the_order_of_levels(tmp_path: Path):
    """TensorBoard sorts by first event, so the order is verdicts, rank 2, rank 12, rank 16."""
    levels = [{"rank": rank} for rank in (16, 2, 12)]
    write_comparison([make_recorded_store(tmp_path, make_runs(levels))], tmp_path / "logs")
    home = tmp_path / "logs/small-1"
    begun = {path.name: read_events(path).FirstEventTimestamp() for path in (home / "mosi").iterdir() if path.is_dir()}
    assert sorted(begun, key=begun.__getitem__) == ["verdicts", "rank=2", "rank=12", "rank=16"]


def test_a_twin_is_labeled(tmp_path: Path):
    """Run names, HParams and text label the twin."""
    runs = make_runs(RANKS, card=MUSTARD)
    sweep = make_sweep(datasets=("mustard",), confirm=Confirm(seeds=2, repeats=3))
    write_comparison([make_recorded_store(tmp_path, runs, sweep=sweep, cards=(MUSTARD,))], tmp_path / "logs")
    home = tmp_path / "logs/small-1"
    assert [path.name for path in home.iterdir()] == ["mustard (twin)"]
    assert read_hparams(home / "mustard (twin)/rank=2")["source"] == "twin"
    assert "Data: mustard (twin). A twin is synthetic" in read_verdicts(home / "mustard (twin)/verdicts")


def test_the_same_store_gives_the_same_bytes(store: SweepStore, tmp_path: Path):
    """The bytes are the same if written twice, to another folder, or with precomputed results."""
    write_comparison([store], tmp_path / "logs")
    once = read_files(tmp_path / "logs")
    write_comparison([store], tmp_path / "logs")
    write_comparison([store], tmp_path / "others", [analyze(store)])
    assert once == read_files(tmp_path / "logs") == read_files(tmp_path / "others")


def test_changed_runs_have_new_files_and_old_files_are_deleted(store: SweepStore, tmp_path: Path):
    """Each run has one event file, and the files of unchanged cells stay as they are."""
    write_comparison([store], tmp_path / "logs")
    before = read_files(tmp_path / "logs")
    more = make_runs([{"rank": 16}])
    store.append("runs", more)
    write_comparison([store], tmp_path / "logs")
    after = read_files(tmp_path / "logs")
    folders = {str(Path(name).parent) for name in after if not name.endswith(MARKER)}
    assert sorted(folders) == sorted({f"small-1/mosi/{run}" for run in ("rank=2", "rank=12", "rank=16", "verdicts")})
    kept = [name for name in before if "rank=" in name]
    assert kept == [name for name in after if "rank=2" in name or "rank=12" in name]


def test_a_logdir_may_hold_files_of_others(store: SweepStore, tmp_path: Path):
    """They are neither read nor changed."""
    others = {"notes.txt": b"mine", "run/events.out.tfevents.1": b"", "small-1/notes.txt": b"mine"}
    write_comparison([store], tmp_path / "logs")
    for name, text in others.items():
        (tmp_path / "logs" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "logs" / name).write_bytes(text)
    store.append("runs", make_runs([{"rank": 16}]))
    write_comparison([store], tmp_path / "logs")
    assert others.items() <= read_files(tmp_path / "logs").items()


def test_a_folder_of_others_is_refused(store: SweepStore, tmp_path: Path):
    """The error names it and the remedy; nothing in it changes."""
    other = tmp_path / "logs/small-1/mosi"
    other.mkdir(parents=True)
    (other / "notes.txt").write_text("mine")
    with pytest.raises(InputError) as caught:
        write_comparison([store], tmp_path / "logs")
    assert caught.value.message == f"{other} exists, and `tcray compare` did not write it"
    assert caught.value.remedy == "Move it away, or name another folder with --logdir."
    assert read_files(tmp_path / "logs") == {"small-1/mosi/notes.txt": b"mine"}


def test_another_sweep_of_the_same_short_name_is_refused(store: SweepStore, tmp_path: Path):
    """Six digits name the folder of a sweep; the marker has the whole id."""
    write_comparison([store], tmp_path / "logs")
    marker = tmp_path / "logs/small-1/mosi" / MARKER
    document = json.loads(marker.read_text())
    document["info"]["sweep_id"] = "small-123"
    marker.write_text(json.dumps(document))
    with pytest.raises(InputError, match="small-1/mosi holds sweep small-123"):
        write_comparison([store], tmp_path / "logs")


def count_runs(logdir: Path) -> int:
    """Return the number of runs that TensorBoard finds below a logdir."""
    return len({path.parent for path in logdir.rglob("*tfevents*")})


def test_no_folder_has_more_runs_than_tensorboard_selects(tmp_path: Path):
    """Of 45 cells the best 39 by validation have runs, and the text says so."""
    store = make_recorded_store(tmp_path, make_runs([{"rank": rank} for rank in range(1, 46)]))
    (folder,) = write_comparison([store], tmp_path / "logs")
    assert (folder.cells, folder.shown, count_runs(tmp_path / "logs")) == (45, MAX_RUNS - 1, MAX_RUNS)
    assert "Runs of the best 39 of 45 cells by validation loss." in read_verdicts(folder.path / "verdicts")


def test_older_folders_move_out_of_the_logdir(tmp_path: Path):
    """The logdir holds at most 40 runs; a folder that is written again comes back."""
    ranks = [{"rank": rank} for rank in range(1, 31)]
    first = make_recorded_store(tmp_path, make_runs(ranks))
    sweep = make_sweep(name="other", datasets=("mustard",), confirm=Confirm(seeds=2, repeats=3))
    second = make_recorded_store(tmp_path / "b", make_runs(ranks, card=MUSTARD), sweep=sweep, cards=(MUSTARD,))
    write_comparison([first], tmp_path / "logs")
    write_comparison([second], tmp_path / "logs")
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["other-small-1"]
    assert [path.name for path in (tmp_path / "logs-more").iterdir()] == ["small-1"]
    write_comparison([first], tmp_path / "logs")
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["small-1"]
    assert [path.name for path in (tmp_path / "logs-more").iterdir()] == ["other-small-1"]


def test_datasets_without_room_are_written_beside_the_logdir(tmp_path: Path):
    """Each of their folders is a logdir of its own with at most 40 runs."""
    ranks = [{"rank": rank} for rank in range(1, 31)]
    runs = [*make_runs(ranks), *make_runs(ranks, card=MUSTARD)]
    sweep = make_sweep(datasets=("mosi", "mustard"), confirm=Confirm(seeds=2, repeats=3))
    folders = write_comparison(
        [make_recorded_store(tmp_path, runs, sweep=sweep, cards=(MOSI, MUSTARD))], tmp_path / "logs"
    )
    assert [str(folder.path.relative_to(tmp_path)) for folder in folders] == [
        "logs/small-1/mosi",
        "logs-more/small-1/mustard (twin)",
    ]
    assert [count_runs(folder.path) for folder in folders] == [31, 31]


@pytest.mark.parametrize("logdir", ["file", "file/logs"])
def test_a_file_is_rejected_as_logdir(logdir: str, store: SweepStore, tmp_path: Path):
    """A path below a file is rejected as well."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match=r"is a file|cannot be written: Not a directory"):
        write_comparison([store], tmp_path / logdir)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_sweep_is_named_by_six_digits_and_its_generation(tmp_path: Path):
    """The folder is `rank-1a2b3c`, and after a restart `rank-1a2b3c-g2`."""
    opened = Store.open(str(tmp_path / "trials"), create=True)
    manifest = make_recorded_store(tmp_path / "other", []).read_manifest()
    sweeps = [opened.sweep(sweep_id) for sweep_id in ("rank-1a2b3c4d5e6f", "rank-1a2b3c4d5e6f-g2")]
    for sweep in sweeps:
        sweep.write_manifest({**manifest, "sweep_id": sweep.sweep_id, "name": "rank"})
    compared = write_comparison(sweeps, tmp_path / "logs")
    assert [one.path.parent.name for one in compared] == ["rank-1a2b3c", "rank-1a2b3c-g2"]
    assert [(one.cells, one.without_curves) for one in compared] == [(0, ()), (0, ())]


def test_a_cell_without_a_complete_confirm_run_is_listed(tmp_path: Path):
    """The text lists it by name; HParams has its levels but no metric, and the cell failed if nothing is pending."""
    failed = [{**run, "state": "FAILED", "reason": "diverged"} for run in make_runs([{"rank": 12}])]
    runs = [*make_runs([{"rank": 2}]), *failed]
    (compared,) = write_comparison([make_recorded_store(tmp_path, runs)], tmp_path / "logs")
    home = tmp_path / "logs/small-1"
    assert compared.without_curves == ("rank=12",)
    assert read_verdicts(home / "mosi/verdicts").endswith(
        "Without a curve because no confirm run is complete: 1 cell.\n\n- rank=12\n"
    )
    assert read_hparams(home / "mosi/rank=12")["rank"] == 12
    assert read_scalars(home / "mosi/rank=12") == {}
    assert [read_status(home / f"mosi/rank={rank}") for rank in (2, 12)] == [STATUS_SUCCESS, STATUS_FAILURE]


def test_a_cell_with_pending_runs_is_running(tmp_path: Path):
    """A cell is running if the sweep is not finished and fewer confirm runs have ended than planned."""
    runs = make_runs([{"rank": 2}])[:4] + make_runs([{"rank": 12}])
    write_comparison([make_recorded_store(tmp_path, runs, finished_at=None)], tmp_path / "logs")
    home = tmp_path / "logs/small-1/mosi"
    assert [read_status(home / f"rank={rank}") for rank in (2, 12)] == [STATUS_RUNNING, STATUS_SUCCESS]


def test_a_sweep_that_confirms_nothing_has_no_curve(tmp_path: Path):
    """HParams lists its cells with their levels and without metrics."""
    sweep = make_sweep(confirm=None, search=Search(trials=2, wave=2))
    runs = [make_run({"valid.loss": 1.0}, phase="search", seed=0, rank=2, lr=0.01)]
    (compared,) = write_comparison([make_recorded_store(tmp_path, runs, sweep=sweep)], tmp_path / "logs")
    assert compared.without_curves == ("rank=2",)
    assert read_status(tmp_path / "logs/small-1/mosi/rank=2") == STATUS_UNKNOWN


def test_verdicts_and_figures_have_their_own_run(tmp_path: Path):
    """The text has the question, the verdict and a table of the parts; figures are PNG images."""
    sweep = make_sweep(
        question="Does rank matter?", claims=("rank-generalisation",), confirm=Confirm(seeds=2, repeats=3)
    )
    write_comparison([make_recorded_store(tmp_path, make_runs(RANKS), sweep=sweep)], tmp_path / "logs")
    run = tmp_path / "logs/small-1/mosi/verdicts"
    paragraphs = read_verdicts(run).split("\n\n")
    assert paragraphs[:3] == ["# small-1", "Does rank matter?", "Data: mosi (real)."]
    assert "## rank-generalisation" in paragraphs
    assert [part for part in paragraphs if part.startswith("- **not testable** on mosi (real)")]
    figures = [tag for tag in read_events(run).Tags()["tensors"] if tag.startswith("rank-generalisation/mosi (real)")]
    png = read_events(run).Tensors(figures[0])[0].tensor_proto.string_val[2]
    assert png.startswith(b"\x89PNG")


def test_tensorboard_finds_every_file(store: SweepStore, tmp_path: Path):
    """TensorBoard accepts every file name and reads the records to the end."""
    write_comparison([store], tmp_path / "logs")
    paths = [path for path in (tmp_path / "logs").rglob("events*") if path.is_file()]
    assert all(IsTensorFlowEventsFile(str(path)) for path in paths)
    assert [len(list(EventFileLoader(str(path)).Load())) > 1 for path in paths] == [True] * 4
    watcher = DirectoryWatcher(str(tmp_path / "logs/small-1/mosi/rank=2"), EventFileLoader, IsTensorFlowEventsFile)
    assert [event.step for event in watcher.Load()] == [0, 1, 2, 3]
