"""`tcray store`: verification, export and upgrade."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from tcray.cli import main
from tcray.cli.store import command
from tcray.errors import InputError, StoreError
from tcray.store.export import export_rows, to_json_line
from tcray.store.store import Store, SweepStore
from tests.store.factories import SWEEP_ID, make_stored_sweep

SCHEMA_1 = Path(__file__).parents[1] / "store" / "schema1" / "trials"
"""A store written by tcray 0.1."""


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SweepStore:
    """Write the small sweep to `trials/`."""
    monkeypatch.chdir(tmp_path)
    return make_stored_sweep(Store.open("trials/", create=True))


def run(*arguments: str) -> str:
    """Run `tcray store`; a TcrayError is raised, as for `tcray`."""
    return CliRunner().invoke(command, arguments, catch_exceptions=False).stdout


def test_a_sound_store_has_one_line_per_sweep(sweep: SweepStore) -> None:
    """The lines count the rows."""
    assert run("verify") == run("verify", "rank") == f"{SWEEP_ID}: 12 runs in 11 parts, sound\n"


def test_an_unsound_store_fails(sweep: SweepStore) -> None:
    """The output has one line per issue and note, then the summary; the exit code is 1."""
    weights = sorted((Path(sweep.uri) / "weights" / SWEEP_ID).iterdir())
    weights[0].unlink()
    (Path(sweep.uri) / "runs" / SWEEP_ID / "x.tmp").touch()
    outcome = CliRunner().invoke(main, ["store", "verify"])
    assert outcome.exit_code == 1
    assert outcome.stderr.splitlines()[0] == f"Error: {sweep.uri} is not sound: 1 issue"
    issue, note, summary = outcome.stdout.splitlines()
    assert issue.startswith(f"{SWEEP_ID}: phase confirm cell ")
    assert issue.endswith(" lacks weights")
    assert note == f"{SWEEP_ID}: note: {sweep.uri}/runs/{SWEEP_ID}/x.tmp was never completed; it is ignored"
    assert summary == f"{SWEEP_ID}: 12 runs in 11 parts, 1 issue"


def test_an_empty_store_is_sound(tmp_path: Path) -> None:
    """It contains nothing that could be wrong."""
    Store.open(str(tmp_path / "new"), create=True)
    assert run("verify", "--store", str(tmp_path / "new")) == f"{tmp_path}/new has no sweep yet\n"


@pytest.mark.parametrize("flags", [(), ("--reproducible",)])
def test_an_export_has_one_line_per_row(flags: tuple[str, ...], sweep: SweepStore) -> None:
    """It is of one sweep or of all, to stdout or a file."""
    expected = [to_json_line(row) for row in export_rows(sweep, reproducible=bool(flags))]
    assert run("export", *flags).splitlines() == expected
    assert run("export", "rank", *flags).splitlines() == expected
    assert run("export", *flags, "-o", "rows.jsonl") == ""
    assert Path("rows.jsonl").read_text().splitlines() == expected
    assert json.loads(expected[0])["table"] == "ledger"


def test_sweeps_are_exported_in_the_order_of_their_ids(sweep: SweepStore) -> None:
    """The order does not depend on when they were run."""
    make_stored_sweep(Store.open("trials/"), "prior-1", manifest={"started_at": "2027"})
    ids = [json.loads(row)["sweep_id"] for row in run("export").splitlines()]
    assert list(dict.fromkeys(ids)) == ["prior-1", SWEEP_ID]


def test_a_file_that_cannot_be_written_is_named(sweep: SweepStore) -> None:
    """The remedy is another file."""
    with pytest.raises(InputError, match=r"nowhere/rows\.jsonl cannot be written: No such file or directory"):
        run("export", "-o", "nowhere/rows.jsonl")


def test_a_store_is_upgraded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`upgrade` converts all sweeps or the named one; a sweep of the present schema is left alone."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(SCHEMA_1, "trials")
    with pytest.raises(StoreError, match="has schema version 1"):
        run("export", "tiny")
    assert run("upgrade", "tiny") == "tiny-a3d172e91e33: upgraded\n"
    assert run("upgrade") == "tiny-a3d172e91e33: nothing to do\n"
    assert json.loads(run("export", "tiny").splitlines()[0])["table"] == "ledger"
