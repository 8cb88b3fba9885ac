"""The sweep that a command's argument names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcray.cli.resolve_sweep import resolve_sweep
from tcray.config.load import load_sweep
from tcray.errors import InputError
from tcray.search.plan import find_cards, plan
from tcray.store.store import Store
from tests.store.factories import make_manifest

SWEEP_FILE = """\
name: tiny
datasets: [mosi]
training: {epochs: 1}
factors: {rank: [1, 2]}
confirm: {seeds: 2}
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Return an empty store in `trials/`."""
    monkeypatch.chdir(tmp_path)
    return Store.open("trials/", create=True)


def start(store: Store, sweep_id: str, started_at: str, name: str = "tiny") -> None:
    """Write the manifest of a sweep that starts."""
    store.sweep(sweep_id).write_manifest(make_manifest(sweep_id, name=name, started_at=started_at))


def test_a_name_is_the_sweep_that_was_started_last(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Its id is printed on stderr, with the number of others of that name."""
    start(store, "tiny-aa", "2026-05-04T12:30:00+00:00")
    assert resolve_sweep(store, "tiny").sweep_id == "tiny-aa"
    start(store, "tiny-bb", "2026-05-05T12:30:00+00:00")
    assert resolve_sweep(store, "tiny").sweep_id == "tiny-bb"
    start(store, "tiny-cc", "2026-05-03T12:30:00+00:00")
    assert resolve_sweep(store, "tiny-a").sweep_id == "tiny-aa"
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "sweep tiny-aa, started 2026-05-04 12:30",
        "sweep tiny-bb, started 2026-05-05 12:30; 1 other is called tiny",
        "sweep tiny-aa, started 2026-05-04 12:30; 2 others are called tiny",
    ]


def test_a_sweep_file_is_the_latest_generation_of_its_sweep(store: Store) -> None:
    """A later sweep of the same name does not matter."""
    Path("tiny.yaml").write_text(SWEEP_FILE)
    asked = load_sweep("tiny.yaml")
    sweep_id = plan(asked, find_cards(asked)).sweep_id()
    start(store, sweep_id, "2026-05-04")
    assert resolve_sweep(store, "tiny.yaml").sweep_id == sweep_id
    start(store, f"{sweep_id}-g2", "2026-05-05")
    start(store, "tiny-other", "2026-05-06")
    assert resolve_sweep(store, "tiny.yaml").sweep_id == f"{sweep_id}-g2"


def test_a_sweep_file_that_was_never_run_is_reported(store: Store) -> None:
    """The message has the id that its sweep would have."""
    Path("tiny.yaml").write_text(SWEEP_FILE)
    with pytest.raises(InputError) as caught:
        resolve_sweep(store, "tiny.yaml")
    assert caught.value.message.startswith("tiny.yaml asks for sweep tiny-")
    assert caught.value.message.endswith(f", which was never run in {store.uri}")
    assert caught.value.remedy == "Run `tcray sweep tiny.yaml` first, or name another sweep of the store by its id."


def test_a_missing_sweep_file_is_reported(store: Store) -> None:
    """A name that ends in .yaml is a file."""
    with pytest.raises(InputError, match=r"absent\.yaml"):
        resolve_sweep(store, "absent.yaml")
