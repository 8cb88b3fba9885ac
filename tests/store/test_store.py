"""Tests of the trial store: every acknowledged row is read, even if its writer was killed."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tcray.errors import InputError, StoreError
from tcray.store import retry
from tcray.store.paths import SWEEPS
from tcray.store.schema import TABLES
from tcray.store.store import Store

from .factories import SWEEP_ID, RecordedRun, make_manifest, make_run, make_stored_sweep, runs
from .fakes import Bucket

WRITER = """
import sys
from tcray.store.store import Store
sweep = Store.open(sys.argv[1]).sweep("rank-1")
row = {"phase": "search", "cell": "c", "repeat": 0, "run_id": "", "dataset": "mosi", "source": "twin",
       "rank": 4, "state": "COMPLETE", "metrics": {"valid.loss": 0.5}}
print("ready", flush=True)
for part in range(int(sys.argv[2])):
    sweep.append("runs", [{**row, "trial": part, "seed": seed} for seed in range(10)])
    print(part, flush=True)
"""


def start_writer(store: Store, parts: int) -> subprocess.Popen[str]:
    """Start a process that appends `parts` parts of ten rows and prints the number of each written part."""
    arguments = [sys.executable, "-c", WRITER, store.uri, str(parts)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


# --- opening


def test_a_store_that_is_a_file_is_refused(tmp_path: Path):
    """Nothing is written there."""
    (tmp_path / "trials").write_text("mine")
    for create in (False, True):
        with pytest.raises(InputError) as caught:
            Store.open(str(tmp_path / "trials"), create=create)
        assert caught.value.message == f"the store {tmp_path}/trials is a file"
        assert caught.value.remedy == "Pass a folder or a bucket with --store."


def test_a_missing_store_is_created_on_request_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Opening a missing store for reading raises an InputError and creates nothing."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        Store.open("trials/")
    assert caught.value.message == f"there is no trial store at {tmp_path}/trials"
    assert caught.value.remedy == "Run `tcray sweep FILE` first, or pass the store with --store."
    assert list(tmp_path.iterdir()) == []
    assert Store.open("trials/", create=True) == Store.open("trials/")
    assert Store.open("trials/").uri == str(tmp_path / "trials")


def test_a_folder_that_is_no_store_is_refused(tmp_path: Path):
    """A folder with other files is not a store."""
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError, match="there is no trial store at"):
        Store.open(str(tmp_path))


def test_the_folder_of_sweep_files_is_no_store(tmp_path: Path):
    """A repository has a folder `sweeps` too; its files are not sweeps of a store."""
    (tmp_path / SWEEPS).mkdir()
    (tmp_path / SWEEPS / "rank.yaml").touch()
    with pytest.raises(StoreError) as caught:
        Store.open(str(tmp_path)).manifests()
    assert caught.value.message == f"{tmp_path}/sweeps/rank.yaml is no part of a trial store"
    assert caught.value.remedy == "Pass another folder with --store."


def test_a_store_can_be_pickled(store: Store) -> None:
    """A copy in another process refers to the same sweep; it opens the file system when it is first used."""
    sweep = make_stored_sweep(store)
    copy = pickle.loads(pickle.dumps(sweep))
    assert copy == sweep
    assert copy.read("runs", ["run_id", "lr"]) == sweep.read("runs", ["run_id", "lr"])
    assert pickle.loads(pickle.dumps(store)).sweep_ids() == [SWEEP_ID]


def test_a_pickled_bucket_is_opened_at_the_first_operation(bucket: Bucket) -> None:
    """Unpickling does not connect, so that a worker can report the error of a bucket that it cannot reach."""
    sweep = Store(bucket.filesystem()).sweep("rank-1")
    copy = pickle.loads(pickle.dumps(sweep))
    assert (copy.uri, copy.filesystem.is_local) == (sweep.uri, False)
    assert copy.filesystem.display_path() == "s3://bucket/trials"


# --- tables


def test_a_table_without_parts_is_empty(any_store: Store):
    """An empty table has all its columns."""
    for table in TABLES.values():
        assert any_store.sweep("rank-1").read(table.name).schema == table.with_hyperparameters()


def test_rows_are_read_in_the_order_of_their_keys(any_store: Store):
    """Rows are sorted by key, independently of the order of writing."""
    sweep = any_store.sweep(SWEEP_ID)
    written = [make_run(rank=rank, trial=trial) for rank in (4, 1) for trial in (2, 0, 1)]
    for run in written:
        sweep.append("runs", [run.run()])
    read = sweep.read("runs", ["cell", "trial"]).to_pylist()
    assert read == sorted(({"cell": run.key.cell, "trial": run.key.trial} for run in written), key=str)


def test_a_reader_in_another_process_needs_the_uri_alone(store: Store):
    """URI and sweep id identify the tables in every process."""
    sweep = make_stored_sweep(store)
    elsewhere = Store.open(sweep.uri).sweep(sweep.sweep_id)
    assert repr(elsewhere.read("runs").to_pylist()) == repr(sweep.read("runs").to_pylist())


def test_an_empty_append_writes_no_part(store: Store):
    """The folder of the table stays empty."""
    store.sweep(SWEEP_ID).append("runs", [])
    assert store.filesystem.list_folder("runs") == []


def test_a_resumed_writer_continues_the_part_numbers(store: Store):
    """Parts of a later session sort after those of an earlier one, so that the first row of a run is kept."""
    for loss in (0.1, 0.2, 0.3):
        store.sweep(SWEEP_ID).append("runs", [make_run(loss=loss).run()])
    numbers = [entry.name[:8] for entry in store.filesystem.list_folder(f"runs/{SWEEP_ID}")]
    assert numbers == ["00000001", "00000002", "00000003"]
    (row,) = store.sweep(SWEEP_ID).read("runs").to_pylist(maps_as_pydicts="strict")
    assert row["metrics"]["valid.loss"] == 0.1


def test_a_result_replaces_a_crash(store: Store):
    """If a run that FAILED without a result was retried, its later result is read."""
    sweep = store.sweep(SWEEP_ID)
    attempt: RecordedRun = make_run(state="FAILED", reason="crash")
    for run in (attempt, attempt, make_run(loss=0.1), make_run(loss=0.2)):
        sweep.append("ledger", [run.value()])
        sweep.append("runs", [run.run()])
    assert sweep.read("runs", ["state"]).to_pylist() == [{"state": "COMPLETE"}]
    assert sweep.read("ledger", ["state", "value"]).to_pylist() == [{"state": "TRAINED", "value": 0.1}]


def test_a_divergence_is_a_result(store: Store):
    """A diverged run is kept, as it would diverge again."""
    sweep = store.sweep(SWEEP_ID)
    for run in (make_run(state="FAILED", reason="diverged"), make_run()):
        sweep.append("runs", [run.run()])
    assert sweep.read("runs", ["reason"]).to_pylist() == [{"reason": "diverged"}]


def test_foreign_and_damaged_files_are_named(store: Store):
    """A stray file and a damaged part each raise an error, as rows would be missing otherwise."""
    sweep = make_stored_sweep(store)
    folder = Path(store.uri) / "runs" / SWEEP_ID
    stray = folder / "notes.txt"
    stray.touch()
    with pytest.raises(StoreError, match=f"{stray} is no part of a trial store"):
        sweep.read("runs")
    stray.unlink()
    part = sorted(folder.iterdir())[1]
    part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(StoreError, match=f"{part} is truncated or damaged"):
        sweep.read("runs", ["state"])


def test_a_leftover_of_a_killed_writer_is_not_read(store: Store):
    """A temporary file of an unfinished write is ignored."""
    sweep = make_stored_sweep(store)
    (Path(store.uri) / "runs" / SWEEP_ID / "00000099-00000000.parquet.0badcafe.tmp").write_bytes(b"half")
    assert len(sweep.read("runs")) == len(runs())


def test_ten_thousand_runs_are_recorded_and_read(store: Store):
    """They are written in parts of 64, the size of a pack, and every run is read once."""
    sweep = store.sweep(SWEEP_ID)
    row = make_run().run()
    for pack in range(157):
        sweep.append("runs", [{**row, "trial": pack, "seed": seed} for seed in range(64)])
    table = sweep.read("runs", ["trial", "seed"])
    assert table.to_pydict() == {
        "trial": [pack for pack in range(157) for _ in range(64)],
        "seed": list(range(64)) * 157,
    }


# --- failed writes and killed writers


def test_a_transient_write_error_is_retried(bucket: Bucket, monkeypatch: pytest.MonkeyPatch):
    """The rows are written once, although the first attempts failed."""
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.001)
    sweep = Store(bucket.filesystem()).sweep(SWEEP_ID)
    bucket.failures = 3
    sweep.append("runs", [make_run().run()])
    bucket.failures = 2
    sweep.write_manifest(make_manifest())
    assert len(sweep.read("runs")) == 1
    assert sweep.read_manifest() == make_manifest()


def test_a_permanent_write_error_raises_an_error(bucket: Bucket, monkeypatch: pytest.MonkeyPatch):
    """`append` raises StoreError after `retry_seconds`; earlier rows are kept."""
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.001)
    sweep = Store(bucket.filesystem()).sweep(SWEEP_ID)
    sweep.append("runs", [make_run().run()])
    bucket.failures = 10**9
    with pytest.raises(StoreError, match=r"s3://bucket/trials/runs/.* cannot be written: .* SLOW_DOWN"):
        sweep.append("runs", [make_run(trial=1).run()], retry_seconds=0.02)
    bucket.failures = 0
    sweep.append("runs", [make_run(trial=2).run()])
    assert sweep.read("runs", ["trial"])["trial"].to_pylist() == [0, 2]


def test_a_reader_sees_whole_parts_while_a_driver_writes(store: Store):
    """A reader never sees an incomplete part, and the number of rows never decreases."""
    writer = start_writer(store, parts=100)
    sweep, seen = store.sweep("rank-1"), [0]
    while writer.poll() is None:
        seen.append(len(sweep.read("runs", ["state"])))
    writer.communicate()
    assert len(sweep.read("runs")) == 1000
    assert seen == sorted(seen)
    assert {count % 10 for count in seen} == {0}


def test_a_killed_writer_leaves_all_it_acknowledged(store: Store):
    """After `kill -9` at any moment all rows of completed calls of `append` are read, and the next writer continues."""
    for pause in (0.0, 0.003, 0.01, 0.02, 0.03):
        before = len(store.sweep("rank-1").read("runs"))
        writer = start_writer(store, parts=1_000_000)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(pause)
        writer.kill()
        acknowledged = [int(line) for line in writer.communicate()[0].split()]
        read = store.sweep("rank-1").read("runs", ["trial"])["trial"].to_pylist()
        assert set(acknowledged) <= set(read)
        assert len(read) % 10 == 0
        assert len(read) >= before


# --- blobs and manifests


def test_the_last_written_blob_is_read(any_store: Store):
    """Weights and checkpoints are bytes; a missing one is None, so that its run is trained again."""
    sweep = any_store.sweep(SWEEP_ID)
    path = sweep.checkpoint_path("abc", 9)
    assert sweep.read_blob(path) is None
    sweep.write_blob(path, b"one")
    sweep.write_blob(path, b"two")
    assert (sweep.read_blob(path), sweep.checkpoint_paths()) == (b"two", [path])
    sweep.delete_blob(path)
    assert (sweep.read_blob(path), sweep.checkpoint_paths()) == (None, [])


def test_a_manifest_is_read_as_it_was_written(any_store: Store):
    """A later manifest replaces it; NaN becomes null."""
    sweep = any_store.sweep(SWEEP_ID)
    existed_before = sweep.exists
    assert not existed_before
    sweep.write_manifest(make_manifest(baselines={"mosi": float("nan")}))
    assert sweep.exists
    assert sweep.read_manifest() == make_manifest(baselines={"mosi": None})
    sweep.write_manifest(make_manifest(finished_at="2026"))
    assert sweep.read_manifest() == make_manifest(finished_at="2026")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "is missing: the sweep was never started"),
        (b'{"sweep_id": ', "is truncated or damaged"),
        (b"\xff\xfe", "is truncated or damaged"),
        (b"[]", "is not the manifest of rank-1"),
        (b"{}", "is not the manifest of rank-1"),
        (b'{"sweep_id": "rank-2", "name": "rank", "started_at": ""}', "is not the manifest of rank-1"),
    ],
)
def test_an_invalid_manifest_is_named(content: bytes | None, sentence: str, store: Store):
    """A manifest is invalid if it is missing, damaged or of another sweep."""
    sweep = store.sweep("rank-1")
    if content is not None:
        store.filesystem.write(sweep.paths.manifest, content)
    with pytest.raises(StoreError) as caught:
        sweep.read_manifest()
    assert caught.value.message == f"{store.uri}/sweeps/rank-1/manifest.json {sentence}"


# --- finding a sweep


@pytest.fixture
def three(store: Store) -> Store:
    """Return a store with two sweeps named rank, the older one with the greater id, and one named prior."""
    for sweep_id, started in (("rank-bb01", "2026-01"), ("rank-aa02", "2026-03"), ("prior-aa03", "2026-02")):
        name = sweep_id.partition("-")[0]
        store.sweep(sweep_id).write_manifest(make_manifest(sweep_id, name=name, started_at=started))
    (Path(store.uri) / SWEEPS / "never-started").mkdir()
    return store


def test_manifests_come_in_the_order_of_starting(three: Store):
    """A sweep without a manifest is not listed."""
    assert [manifest["sweep_id"] for manifest in three.manifests()] == ["rank-bb01", "prior-aa03", "rank-aa02"]
    assert three.sweep_ids() == ["prior-aa03", "rank-aa02", "rank-bb01"]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("rank-bb01", ("rank-bb01", 1)),
        ("rank-b", ("rank-bb01", 1)),
        ("rank", ("rank-aa02", 1)),
        ("prior", ("prior-aa03", 0)),
        ("pri", ("prior-aa03", 0)),
    ],
)
def test_a_sweep_is_found_by_id_prefix_or_name(text: str, meant: tuple[str, int], three: Store):
    """A name finds the last started sweep of that name; the number counts the others of that name."""
    assert three.resolve(text) == meant


def test_an_ambiguous_prefix_lists_the_ids(three: Store):
    """The remedy asks for one of the ids."""
    with pytest.raises(InputError) as caught:
        three.resolve("rank-")
    assert caught.value.message == "'rank-' is the beginning of several ids"
    assert caught.value.remedy == "Pass one of: rank-bb01, rank-aa02."


@pytest.mark.parametrize(
    ("text", "remedy"),
    [("rnak", "Did you mean rank?"), ("zzz", "It has: prior, rank."), ("", "It has: prior, rank.")],
)
def test_an_unknown_sweep_names_the_nearest(text: str, remedy: str, three: Store):
    """If no name is similar, the remedy lists all names."""
    with pytest.raises(InputError) as caught:
        three.resolve(text)
    assert (caught.value.message, caught.value.remedy) == (f"no sweep is called {text!r} in {three.uri}", remedy)


def test_an_empty_store_has_no_sweep(store: Store):
    """The remedy is to run a sweep first."""
    with pytest.raises(InputError) as caught:
        store.resolve("rank")
    assert caught.value.remedy == "It has no sweep yet. Run `tcray sweep FILE` first."


def test_generations_come_in_the_order_of_their_numbers(store: Store):
    """Generation 10 follows generation 2, and other ids with the same prefix are left out."""
    ids = ["rank-aa", "rank-aa-g2", "rank-aa-g10"]
    for sweep_id in [*ids, "rank-aab", "rank-aa-gold"]:
        store.sweep(sweep_id).write_manifest(make_manifest(sweep_id))
    assert store.list_generations("rank-aa") == ids
    assert store.list_generations("rank-bb") == []


def test_a_fresh_start_is_another_generation(store: Store):
    """A sweep resumes its last generation; with `fresh` it starts the next one, and the first is 1."""
    assert (1, 1) == (store.generation("rank-aa", fresh=False), store.generation("rank-aa", fresh=True))
    for number, sweep_id in ((1, "rank-aa"), (2, "rank-aa-g2"), (3, "rank-aa-g3")):
        store.sweep(sweep_id).write_manifest(make_manifest(sweep_id))
        assert number == store.generation("rank-aa", fresh=False)
        assert number + 1 == store.generation("rank-aa", fresh=True)
