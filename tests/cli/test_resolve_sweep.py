"""Which sweep a command means."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcray.cli.resolve_sweep import resolve_sweep
from tcray.config.load import load_sweep
from tcray.errors import InputError
from tcray.search.plan import find_cards, plan
from tcray.store.store import Store
from tests.store.recorded import a_manifest

SWEEP_FILE = """\
name: tiny
datasets: [mosi]
training: {epochs: 1}
factors: {rank: [1, 2]}
confirm: {seeds: 2}
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store in `trials/`."""
    monkeypatch.chdir(tmp_path)
    return Store.open("trials/", create=True)


def begin(store: Store, sweep_id: str, started_at: str, name: str = "tiny") -> None:
    """Writes the manifest with which a sweep begins."""
    store.sweep(sweep_id).write_manifest(a_manifest(sweep_id, name=name, started_at=started_at))


def test_a_name_is_the_last_started_sweep_and_it_is_said_which(store: Store, capsys: pytest.CaptureFixture[str]):
    """On stderr, with the number of others of that name."""
    begin(store, "tiny-aa", "2026-05-04T12:30:00+00:00")
    assert resolve_sweep(store, "tiny").sweep_id == "tiny-aa"
    begin(store, "tiny-bb", "2026-05-05T12:30:00+00:00")
    assert resolve_sweep(store, "tiny").sweep_id == "tiny-bb"
    begin(store, "tiny-cc", "2026-05-03T12:30:00+00:00")
    assert resolve_sweep(store, "tiny-a").sweep_id == "tiny-aa"
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "sweep tiny-aa, started 2026-05-04 12:30",
        "sweep tiny-bb, started 2026-05-05 12:30; 1 other is called tiny",
        "sweep tiny-aa, started 2026-05-04 12:30; 2 others are called tiny",
    ]


def test_a_sweep_file_is_the_last_generation_of_what_it_asks(store: Store):
    """Not another sweep of the same name, though that was started later."""
    Path("tiny.yaml").write_text(SWEEP_FILE)
    asked = load_sweep("tiny.yaml")
    sweep_id = plan(asked, find_cards(asked)).sweep_id()
    begin(store, sweep_id, "2026-05-04")
    assert resolve_sweep(store, "tiny.yaml").sweep_id == sweep_id
    begin(store, f"{sweep_id}-g2", "2026-05-05")
    begin(store, "tiny-other", "2026-05-06")
    assert resolve_sweep(store, "tiny.yaml").sweep_id == f"{sweep_id}-g2"


def test_a_sweep_file_that_was_never_run_says_so(store: Store):
    """The id that it would have is named."""
    Path("tiny.yaml").write_text(SWEEP_FILE)
    with pytest.raises(InputError) as caught:
        resolve_sweep(store, "tiny.yaml")
    assert caught.value.message.startswith("tiny.yaml asks for sweep tiny-")
    assert caught.value.message.endswith(f", which was never run in {store.uri}")
    assert caught.value.remedy == "Run `tcray sweep tiny.yaml` first, or name another sweep of the store by its id."


def test_a_sweep_file_that_is_missing_says_so(store: Store):
    """A name that ends as a file does is taken for one."""
    with pytest.raises(InputError, match=r"absent\.yaml"):
        resolve_sweep(store, "absent.yaml")
